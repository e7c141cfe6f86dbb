/* How long decoding and encoding a message takes: beside copying its bytes, which is the least that anybody could do,
 * and beside libcoap. All are measured by turns in one run, and figures are medians over the rounds. */
#include "bench/codec.h"

#include "bench/measure.h"
#include "copal/message.h"

enum { ROUNDS = 11, COLUMNS_MAX = 8, SAMPLES = 5, ROWS = SAMPLES + 1, MIXTURE = 4096, PAGE = 4096 };

/* How long one figure of one round takes. */
static double slice_ns = 4e6;

/* --- The messages ----------------------------------------------------------------------------- */

/* A store that has the same place in its page as a load after it holds that load up. So what is read lies in the first
 * half of a page, and what is written in the second one: the same in every build and run. */
static _Alignas(PAGE) const uint8_t payload[1024] = "22.3 C and counting";
static _Alignas(PAGE) uint8_t encoded[SAMPLES][PAGE];
static _Alignas(PAGE) uint8_t page[PAGE];
static uint8_t *const target = page + PAGE / 2;

#define TEXT(text) sizeof(text) - 1, (const uint8_t *)(text)
#define BYTES(...) \
  sizeof((uint8_t[]){__VA_ARGS__}), (const uint8_t[]) { __VA_ARGS__ }

static struct codec_sample samples[SAMPLES] = {
    {.name = "GET, 5 options",
     .type = COPAL_CON,
     .code = COPAL_GET,
     .message_id = 0x7d34,
     .token_size = 4,
     .token = {1, 2, 3, 4},
     .options = {{COPAL_OPTION_URI_PATH, TEXT("sensors")},
                 {COPAL_OPTION_URI_PATH, TEXT("indoor")},
                 {COPAL_OPTION_URI_QUERY, TEXT("unit=C")},
                 {COPAL_OPTION_ACCEPT, BYTES(60)},
                 {COPAL_OPTION_BLOCK2, BYTES(6)}},
     .options_count = 5},
    {.name = "2.05 piggybacked",
     .type = COPAL_ACK,
     .code = COPAL_CONTENT,
     .message_id = 0x7d34,
     .token_size = 4,
     .token = {1, 2, 3, 4},
     .options = {{COPAL_OPTION_CONTENT_FORMAT, 0, payload}, {COPAL_OPTION_MAX_AGE, BYTES(30)}},
     .options_count = 2,
     .payload = payload,
     .payload_size = 6},
    {.name = "empty ACK", .type = COPAL_ACK, .code = COPAL_EMPTY, .message_id = 0x7d34},
    {.name = "2.05 notification",
     .type = COPAL_NON,
     .code = COPAL_CONTENT,
     .message_id = 0xbb01,
     .token_size = 8,
     .token = {8, 7, 6, 5, 4, 3, 2, 1},
     .options = {{COPAL_OPTION_ETAG, BYTES(1, 2, 3, 4)},
                 {COPAL_OPTION_OBSERVE, BYTES(1, 0x22, 3)},
                 {COPAL_OPTION_CONTENT_FORMAT, BYTES(60)}},
     .options_count = 3,
     .payload = payload,
     .payload_size = 64},
    {.name = "PUT, block of 1 KiB",
     .type = COPAL_CON,
     .code = COPAL_PUT,
     .message_id = 0x1001,
     .token_size = 4,
     .token = {9, 9, 9, 9},
     .options = {{COPAL_OPTION_URI_PATH, TEXT("firmware")},
                 {COPAL_OPTION_URI_PATH, TEXT("image.bin.signed")},
                 {COPAL_OPTION_CONTENT_FORMAT, BYTES(42)},
                 {COPAL_OPTION_BLOCK1, BYTES(0x01, 0x2e)},
                 {COPAL_OPTION_SIZE1, BYTES(0x01, 0x86, 0xa0)}},
     .options_count = 5,
     .payload = payload,
     .payload_size = sizeof payload},
};

/* --- Copal and the copy ----------------------------------------------------------------------- */

static uint64_t copy(const struct codec_sample *sample, size_t times) {
  while (times-- > 0) {
    memcpy(target, sample->bytes, sample->size);
    measure_keep(target);
  }
  return 0;
}

static uint64_t decode_once(const struct codec_sample *sample) {
  copal_view view;
  copal_option option;
  uint64_t sum = 0;
  if (copal_decode(sample->bytes, sample->size, &view) != COPAL_OK) abort();
  copal_options walk = copal_options_of(&view);
  while (copal_options_next(&walk, &option)) sum += codec_sum_option(option.number, option.size, option.value);
  return sum + codec_sum_message(view.code, view.message_id, view.payload.size);
}

static uint64_t decode(const struct codec_sample *sample, size_t times) {
  uint64_t sum = 0;
  while (times-- > 0) {
    measure_keep(sample->bytes);
    sum += decode_once(sample);
  }
  return sum;
}

static size_t encode_once(const struct codec_sample *sample, uint8_t *buffer) {
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, CODEC_SIZE_MAX, (copal_type)sample->type, sample->code, sample->message_id,
                     sample->token, sample->token_size);
  for (size_t i = 0; i < sample->options_count; ++i)
    copal_encode_option(&encoder, sample->options[i].number, sample->options[i].value, sample->options[i].size);
  copal_encode_payload(&encoder, sample->payload, sample->payload_size);
  if (encoder.error != COPAL_OK) abort();
  return encoder.size;
}

static uint64_t encode(const struct codec_sample *sample, size_t times) {
  uint64_t sum = 0;
  while (times-- > 0) {
    sum += encode_once(sample, target);
    measure_keep(target);
  }
  return sum;
}

/* The builder, which takes options in any order and checks them against the registry. */
static size_t build_once(const struct codec_sample *sample, uint8_t *buffer) {
  copal_message message;
  copal_message_init(&message, buffer, CODEC_SIZE_MAX, (copal_type)sample->type, sample->code);
  if (sample->token_size > 0) copal_message_set_token(&message, sample->token, sample->token_size);
  for (size_t i = 0; i < sample->options_count; ++i)
    copal_message_add(&message, sample->options[i].number, sample->options[i].value, sample->options[i].size);
  copal_message_set_payload(&message, sample->payload, sample->payload_size);
  if (message.error != COPAL_OK) abort();
  return message.size;
}

static uint64_t build(const struct codec_sample *sample, size_t times) {
  uint64_t sum = 0;
  while (times-- > 0) {
    sum += build_once(sample, target);
    measure_keep(target);
  }
  return sum;
}

/* --- Rounds ----------------------------------------------------------------------------------- */

static struct codec_rival columns[COLUMNS_MAX] = {
    {"memcpy", "copy", copy, 0},
    {"copal", "decode", decode, 0},
    {"copal", "encode", encode, 1},
    {"copal, any order", "encode", build, 1},
};
static size_t columns_count = 4;
static const struct codec_sample *mixture[MIXTURE]; /* all of them, shuffled */
static struct measure figures[ROWS][COLUMNS_MAX];   /* each alone, and the mixture */

static void gather(void) {
  size_t count;
  const struct codec_rival *rivals = codec_rivals(&count);
  for (size_t i = 0; i < count; ++i) columns[columns_count++] = rivals[i];
  for (size_t i = 0; i < SAMPLES; ++i) {
    samples[i].bytes = encoded[i];
    samples[i].size = encode_once(&samples[i], encoded[i]);
  }
  uint64_t chance = 1;
  for (size_t i = 0; i < MIXTURE; ++i) {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    mixture[i] = &samples[(chance >> 33) % SAMPLES];
  }
}

/* Nobody is fast who does something else. */
static void check_that_all_do_the_same(void) {
  for (size_t s = 0; s < SAMPLES; ++s) {
    for (size_t c = 1; c < columns_count; ++c) {
      uint64_t expected = columns[c].sum_is_size ? samples[s].size : decode_once(&samples[s]);
      if (columns[c].work(&samples[s], 2) == 2 * expected) continue;
      fprintf(stderr, "%s: %s by %s does something else\n", samples[s].name, columns[c].operation, columns[c].name);
      exit(1);
    }
  }
}

/* One message again and again is soon foretold by the processor; the mixture is not, and has a call for each message.
 */
static double time_of(size_t row, codec_work *work, size_t times) {
  uint64_t sum = 0;
  double start = measure_now_ns();
  if (row < SAMPLES)
    sum = work(&samples[row], times);
  else
    for (size_t i = 0; i < times; ++i) sum += work(mixture[i % MIXTURE], 1);
  measure_keep(&sum);
  return (measure_now_ns() - start) / (double)times;
}

static void measure_all(unsigned rounds) {
  static size_t times[ROWS][COLUMNS_MAX];
  for (size_t r = 0; r < ROWS; ++r)
    for (size_t c = 0; c < columns_count; ++c)
      times[r][c] = 1 + (size_t)(slice_ns / time_of(r, columns[c].work, 20000));
  for (unsigned round = 0; round < rounds; ++round)
    for (size_t r = 0; r < ROWS; ++r)
      for (size_t c = 0; c < columns_count; ++c) measure_add(&figures[r][c], time_of(r, columns[c].work, times[r][c]));
}

/* --- Rows ------------------------------------------------------------------------------------- */

static const char *row_name(size_t row) { return row < SAMPLES ? samples[row].name : "all five, shuffled"; }

static double row_size(size_t row) {
  if (row < SAMPLES) return (double)samples[row].size;
  double sum = 0;
  for (size_t i = 0; i < MIXTURE; ++i) sum += (double)mixture[i]->size;
  return sum / MIXTURE;
}

/* --- Output ----------------------------------------------------------------------------------- */

static void print_json(void) {
  for (size_t r = 0; r < ROWS; ++r) {
    for (size_t c = 0; c < columns_count; ++c) {
      printf("{\"benchmark\":\"codec\",\"message\":\"%s\",\"bytes\":%.0f,\"operation\":\"%s\",\"library\":\"%s\",",
             row_name(r), row_size(r), columns[c].operation, columns[c].name);
      measure_json(&figures[r][c], "ns");
    }
  }
}

/* A table for one operation. Ratios: to the copy for the first column, to the first column for the others. */
static void print_table(const char *operation, const char *title) {
  printf("\n%-20s %5s  %8s", title, "bytes", "memcpy");
  for (size_t c = 0; c < columns_count; ++c)
    if (strcmp(columns[c].operation, operation) == 0) printf("  %17s %6s", columns[c].name, "ratio");
  printf("\n");
  for (size_t r = 0; r < ROWS; ++r) {
    double base = measure_median(&figures[r][0]);
    printf("%-20s %5.0f  %8.1f", row_name(r), row_size(r), base);
    bool is_first = true;
    for (size_t c = 0; c < columns_count; ++c) {
      if (strcmp(columns[c].operation, operation) != 0) continue;
      double value = measure_median(&figures[r][c]);
      printf("  %17.1f %6.1f", value, value / base);
      if (is_first) base = value;
      is_first = false;
    }
    printf("\n");
  }
}

int main(int argc, char **argv) {
  struct measure_options options = measure_options(argc, argv, ROUNDS);
  if (options.quick) slice_ns /= 20;
  gather();
  check_that_all_do_the_same();
  measure_all(options.rounds);
  if (options.json) {
    print_json();
    return 0;
  }
  printf("codec: ns a message, medians of %u rounds by turns\n", options.rounds);
  printf("ratio: copal's to memcpy, the others' to copal's\n");
  print_table("decode", "decode and walk");
  print_table("encode", "encode");
  return 0;
}

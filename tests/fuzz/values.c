/* What options and payloads of the protocol hold, each against a plain reading of its RFC: the list of missing blocks
 * (RFC 9177 5), what Q-Block2 options ask for (4.4), Echo values (RFC 9175 2), Hop-Limit (RFC 8768), No-Response
 * (RFC 7967). The first byte chooses the kind. */
#undef NDEBUG
#include "fuzz/script.h"
#include "message/silence.h"
#include "rest/echo.h"
#include "rest/missing.h"
#include "rest/wanted.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NUMBERS_MAX = 24, BLOCK_NUMBER_LIMIT = 1 << 20, MESSAGE_MAX = 300 };

/* --- Missing blocks --------------------------------------------------------------------------------------- */

/* The sequence as RFC 8949 3 has unsigned integers. Returns how many there are without repeated ones, or 0. */
static size_t plain_read(copal_bytes sequence, uint32_t *numbers, size_t count_max) {
  size_t count = 0;
  uint64_t last = 0;
  for (size_t at = 0; at < sequence.size;) {
    uint8_t head = sequence.data[at++];
    uint64_t number = head;
    if (head >= 24) {
      size_t bytes = head > 27 ? sequence.size : (size_t)1 << (head - 24);
      if (bytes > sequence.size - at) return 0;
      for (number = 0; bytes > 0; --bytes) number = number << 8 | sequence.data[at++];
      if (head > 27) return 0;
    }
    bool is_first = count == 0 && last == 0;
    if (number >= BLOCK_NUMBER_LIMIT || number < last) return 0;
    if ((is_first && count == 0) || number > last) {
      if (count < count_max) numbers[count++] = (uint32_t)number;
    }
    last = number;
  }
  return count;
}

static void fuzz_missing(const uint8_t *data, size_t size) {
  uint32_t found[NUMBERS_MAX], expected[NUMBERS_MAX];
  uint8_t *copy = exact_copy(data, size), written[NUMBERS_MAX * MISSING_NUMBER_SIZE_MAX];
  size_t count = missing_read((copal_bytes){copy, size}, found, NUMBERS_MAX);
  assert(count == plain_read((copal_bytes){copy, size}, expected, NUMBERS_MAX));
  for (size_t i = 0; i < count; ++i) assert(found[i] == expected[i]);
  size_t need = missing_write(found, count, written, sizeof written);
  assert(need <= size); /* the shortest form */
  for (size_t capacity = need > 6 ? need - 6 : 0; capacity <= need && count > 0; ++capacity) {
    uint8_t *exact = exact_copy(written, capacity);
    uint32_t again[NUMBERS_MAX];
    size_t used = missing_write(found, count, exact, capacity);
    assert(used <= capacity);
    size_t part = missing_read((copal_bytes){exact, used}, again, NUMBERS_MAX);
    assert(capacity < need ? part < count : part == count);
    assert(memcmp(again, found, part * sizeof *again) == 0);
    free(exact);
  }
  free(copy);
}

/* --- Options of a request --------------------------------------------------------------------------------- */

struct request {
  uint8_t *bytes; /* of exactly its size */
  copal_view view;
};

/* The input as option values of one number: a size of at most size_max, up to 14, and so many bytes. */
static bool request_of(struct script *script, uint16_t number, uint8_t size_max, struct request *request) {
  uint8_t buffer[MESSAGE_MAX];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  while (!script_ended(script)) {
    uint8_t size = script_below(script, size_max + 1), value[14];
    for (uint8_t i = 0; i < size; ++i) value[i] = script_byte(script);
    copal_message_add_raw(&message, number, value, size);
  }
  request->bytes = exact_copy(buffer, message.size);
  assert(copal_decode(request->bytes, message.size, &request->view) == COPAL_OK);
  return message.error == COPAL_OK;
}

/* An option of illegal size is critical, and so nobody gets this far. */
static void fuzz_wanted(struct script *script) {
  struct request request;
  if (request_of(script, COPAL_OPTION_Q_BLOCK2, 3, &request)) {
    struct wanted wanted;
    bool good = wanted_read(&request.view, &wanted);
    copal_option option;
    bool has_option = copal_find(&request.view, COPAL_OPTION_Q_BLOCK2, &option);
    if (good) assert(wanted.count <= QBLOCK_SET && (wanted.count > 0) == has_option);
    for (uint8_t i = 1; good && i < wanted.count; ++i) assert(wanted.numbers[i] > wanted.numbers[i - 1]);
    for (uint8_t i = 0; good && i < wanted.count; ++i) assert(wanted.numbers[i] < BLOCK_NUMBER_LIMIT);
    if (good && wanted.count > 0) assert(wanted.szx < 7);
  }
  free(request.bytes);
}

/* Whether it is a value of ours of the last ten seconds. A fuzzer may have seen such a one being compared. */
static bool was_made(const struct hash_key *key, copal_time now, const uint8_t value[ECHO_SIZE]) {
  static const copal_time unit = (copal_time)1 << 20;
  for (copal_time age = 0; age <= 10 * COPAL_SECOND; age += unit) {
    uint8_t genuine[ECHO_SIZE];
    echo_write(key, 7, now - age, genuine);
    if (memcmp(genuine, value, ECHO_SIZE) == 0) return true;
  }
  return false;
}

/* Nobody makes an Echo value who does not know the key; ours is good for its address, and until it is too old. */
static void fuzz_echo(struct script *script) {
  static const struct hash_key key = {0x0123456789abcdef, 0xfedcba9876543210};
  copal_time now = 1000 * COPAL_SECOND + (copal_time)script_uint16(script) * COPAL_SECOND;
  uint8_t flips = script_byte(script), ours[ECHO_SIZE];
  struct request request;
  echo_write(&key, 7, now, ours);
  if (request_of(script, COPAL_OPTION_ECHO, 14, &request)) {
    copal_option option;
    bool has_value = copal_find(&request.view, COPAL_OPTION_ECHO, &option) && option.size == ECHO_SIZE;
    if (echo_check(&key, 7, now, 10 * COPAL_SECOND, &request.view)) {
      assert(has_value && was_made(&key, now, option.value));
    } else if (has_value) {
      assert(memcmp(option.value, ours, ECHO_SIZE) != 0);
    }
  }
  free(request.bytes);
  uint8_t buffer[MESSAGE_MAX];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  ours[flips % ECHO_SIZE] ^= (uint8_t)(flips >= 128 ? 1 << (flips >> 4 & 7) : 0);
  copal_message_add(&message, COPAL_OPTION_ECHO, ours, ECHO_SIZE);
  copal_view view = copal_message_view(&message);
  copal_time later = now + (copal_time)(flips & 15) * COPAL_SECOND;
  bool good = flips < 128 && (flips & 15) < 10;
  assert(echo_check(&key, 7, later, 10 * COPAL_SECOND, &view) == good);
  assert(!echo_check(&key, 8, later, 10 * COPAL_SECOND, &view));
}

static void fuzz_hop_limit(struct script *script) {
  struct request request;
  uint8_t buffer[MESSAGE_MAX];
  copal_message message;
  copal_option option;
  if (request_of(script, COPAL_OPTION_HOP_LIMIT, 14, &request)) {
    size_t size = (size_t)(request.view.options.data + request.view.options.size - request.bytes);
    assert(copal_message_copy(&message, buffer, sizeof buffer, request.bytes, size) == COPAL_OK);
    bool has_option = copal_find(&request.view, COPAL_OPTION_HOP_LIMIT, &option);
    uint32_t hops = has_option ? copal_option_uint(&option) : 17;
    copal_error error = copal_message_hop(&message);
    assert(copal_hop_limit_is_legal(&request.view) == (hops >= 1 && hops <= 255));
    if (hops == 0 || hops > 255) assert(error == COPAL_ERR_OPTION_VALUE);
    if (hops == 1) assert(error == COPAL_ERR_HOP_LIMIT);
    if (hops > 1 && hops <= 255) {
      copal_view view = copal_message_view(&message);
      assert(error == COPAL_OK && copal_find_uint(&view, COPAL_OPTION_HOP_LIMIT, 0) == hops - 1);
    }
  }
  free(request.bytes);
}

/* RFC 7967 2: a bit each for the classes 2, 4 and 5; where several legal options stand, the first counts. */
static void fuzz_no_response(struct script *script) {
  struct request request;
  if (request_of(script, COPAL_OPTION_NO_RESPONSE, 14, &request)) {
    copal_options walk = copal_options_of(&request.view);
    copal_option option;
    int bits = -1;
    while (bits < 0 && copal_options_next(&walk, &option))
      if (option.size <= 1) bits = option.size == 0 ? 0 : option.value[0];
    uint8_t wish = message_no_response(&request.view);
    for (unsigned code = 0; code < 256; ++code) {
      if (!copal_code_is_response(code)) continue;
      int bit = code >> 5 == 2 ? 2 : code >> 5 == 4 ? 8 : 16;
      bool unwanted = bits >= 0 && (bits & bit) != 0 && code != COPAL_CONTINUE;
      assert(message_is_unwanted(wish, (uint8_t)code) == unwanted);
    }
  }
  free(request.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct script script = script_begin(data, size);
  switch (script_byte(&script) % 5) {
    case 0: fuzz_missing(script.at, (size_t)(script.end - script.at)); break;
    case 1: fuzz_wanted(&script); break;
    case 2: fuzz_echo(&script); break;
    case 3: fuzz_hop_limit(&script); break;
    case 4: fuzz_no_response(&script); break;
  }
  return 0;
}

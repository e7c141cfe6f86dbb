/* See judge.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "exhaustive/judge.h"

#define OPTIONS_MAX 2048u

struct parsed {
  copal_error error;
  size_t token_at, token_size;
  size_t payload_at, payload_size;
  struct {
    uint32_t number;
    size_t at, size;
  } options[OPTIONS_MAX];
  size_t options_count;
};

uint64_t judge_inputs;

/* Millions of comparisons: cmocka's own are for when they fail. */
static void require(bool holds, const char *what, const uint8_t *data, size_t size) {
  if (holds) return;
  char hex[2 * 40 + 1] = "";
  for (size_t i = 0; i < size && i < 40; ++i) {
    hex[2 * i] = "0123456789abcdef"[data[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[data[i] & 15];
  }
  fail_msg("%s: %zu bytes %s", what, size, hex);
}

/* --- The second decoder ----------------------------------------------------------------------------------- */

/* A nibble with its extension at *at; false when the extension is cut off. */
static bool parse_number(const uint8_t *data, size_t size, size_t *at, unsigned nibble, size_t *number) {
  *number = nibble;
  size_t extension = nibble == 13 ? 1 : nibble == 14 ? 2 : 0;
  if (*at + extension > size) return false;
  if (extension == 1) *number = 13u + data[*at];
  if (extension == 2) *number = 269u + 256u * data[*at] + data[*at + 1];
  *at += extension;
  return true;
}

static copal_error parse_option(const uint8_t *data, size_t size, size_t *at, uint32_t *number, struct parsed *result) {
  unsigned head = data[(*at)++];
  size_t delta, length;
  if (head >> 4 == 15) return COPAL_ERR_OPTION_DELTA_RESERVED;
  if ((head & 15) == 15) return COPAL_ERR_OPTION_LENGTH_RESERVED;
  if (!parse_number(data, size, at, head >> 4, &delta)) return COPAL_ERR_OPTION_HEADER_CUT;
  if (!parse_number(data, size, at, head & 15, &length)) return COPAL_ERR_OPTION_HEADER_CUT;
  *number += (uint32_t)delta;
  if (*number > 65535) return COPAL_ERR_OPTION_NUMBER_RANGE;
  if (*at + length > size) return COPAL_ERR_OPTION_VALUE_CUT;
  assert_true(result->options_count < OPTIONS_MAX);
  result->options[result->options_count].number = *number;
  result->options[result->options_count].at = *at;
  result->options[result->options_count].size = length;
  ++result->options_count;
  *at += length;
  return COPAL_OK;
}

static void parse(const uint8_t *data, size_t size, struct parsed *result) {
  result->options_count = 0;
  result->error = COPAL_ERR_DATAGRAM_SHORT;
  if (size < 4) return;
  result->error = COPAL_ERR_VERSION;
  if (data[0] < 0x40 || data[0] > 0x7f) return;
  result->error = COPAL_ERR_EMPTY_NOT_EMPTY;
  if (data[1] == 0 && ((data[0] & 15) != 0 || size != 4)) return;
  result->error = COPAL_ERR_TOKEN_RESERVED;
  if ((data[0] & 15) == 15) return;
  result->error = COPAL_ERR_TOKEN_LENGTH_CUT;
  size_t at = 4;
  if (!parse_number(data, size, &at, data[0] & 15, &result->token_size)) return;
  result->error = COPAL_ERR_TOKEN_CUT;
  result->token_at = at;
  at += result->token_size;
  if (at > size) return;
  uint32_t number = 0;
  while (at < size && data[at] != 0xff) {
    result->error = parse_option(data, size, &at, &number, result);
    if (result->error != COPAL_OK) return;
  }
  if (at < size) {
    result->error = COPAL_ERR_PAYLOAD_EMPTY;
    if (at + 1 == size) return;
    ++at;
  }
  result->payload_at = at;
  result->payload_size = size - at;
  result->error = COPAL_OK;
}

/* --- The comparison --------------------------------------------------------------------------------------- */

/* A number above 65535 and a value past the end may both be wrong with the same datagram; the decoder may name either.
 */
static void check_refusal(copal_error found, copal_error expected, const copal_view *view, const uint8_t *data,
                          size_t size) {
  bool other = expected == COPAL_ERR_OPTION_NUMBER_RANGE && found < COPAL_OK && found >= COPAL_ERR_EMPTY_NOT_EMPTY;
  require(found == expected || other, "another verdict", data, size);
  if (found == COPAL_ERR_DATAGRAM_SHORT || found == COPAL_ERR_VERSION) return;
  require(view->type == (data[0] >> 4 & 3) && view->code == data[1], "another type or code", data, size);
  require(view->message_id == (data[2] << 8 | data[3]), "another message ID", data, size);
  require(view->token.size + view->options.size + view->payload.size == 0, "something is left", data, size);
}

static void check_encodes_again(const copal_view *view, const uint8_t *data, size_t size) {
  static uint8_t buffer[80000];
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, (copal_type)view->type, view->code, view->message_id,
                     view->token.data, view->token.size);
  copal_options walk = copal_options_of(view);
  copal_option option;
  while (copal_options_next(&walk, &option)) copal_encode_option(&encoder, option.number, option.value, option.size);
  copal_encode_payload(&encoder, view->payload.data, view->payload.size);
  require(encoder.error == COPAL_OK && encoder.size == size && memcmp(buffer, data, size) == 0,
          "encodes to other bytes", data, size);
}

static uint32_t plain_uint(const uint8_t *value, size_t size) {
  uint32_t sum = 0;
  for (size_t i = 0; i < size; ++i) sum = sum * 256 + value[i];
  return size > 4 ? UINT32_MAX : sum;
}

/* Whether a number is found as its first option, and as an integer as its first one of legal size. */
static void check_find(const copal_view *view, const struct parsed *expected, uint16_t number, const uint8_t *data,
                       size_t size) {
  size_t first = 0;
  while (first < expected->options_count && expected->options[first].number != number) ++first;
  size_t legal = first;
  while (legal < expected->options_count && (expected->options[legal].number != number ||
                                             copal_option_check(number, expected->options[legal].size) != COPAL_OK))
    ++legal;
  copal_option option;
  bool found = copal_find(view, number, &option);
  require(found == (first < expected->options_count), "found or not", data, size);
  if (found)
    require(option.number == number && option.value == data + expected->options[first].at &&
                option.size == expected->options[first].size,
            "another one is found", data, size);
  const uint32_t otherwise = 0xabcdef;
  uint32_t uint = legal < expected->options_count
                      ? plain_uint(data + expected->options[legal].at, expected->options[legal].size)
                      : otherwise;
  require(copal_find_uint(view, number, otherwise) == uint, "another integer is found", data, size);
}

/* All walks: from the first option to the last, to each by its index, to those there are and to their neighbours. */
static void check_walks(const copal_view *view, const struct parsed *expected, const uint8_t *data, size_t size) {
  copal_options walk = copal_options_of(view);
  copal_option option, indexed;
  for (size_t index = 0; index < expected->options_count; ++index) {
    uint32_t number = expected->options[index].number;
    require(copal_options_next(&walk, &option), "an option less", data, size);
    require(option.number == number && option.size == expected->options[index].size &&
                option.value == data + expected->options[index].at,
            "another option", data, size);
    require(copal_option_uint(&option) == plain_uint(option.value, option.size), "another integer", data, size);
    if (index > 64) continue;
    require(copal_option_index(view, index, &indexed) && indexed.value == option.value, "another index", data, size);
    check_find(view, expected, (uint16_t)number, data, size);
    if (number > 0) check_find(view, expected, (uint16_t)(number - 1), data, size);
    if (number < 65535) check_find(view, expected, (uint16_t)(number + 1), data, size);
  }
  require(!copal_options_next(&walk, &option), "an option more", data, size);
  require(!copal_option_index(view, expected->options_count, &indexed), "an index more", data, size);
  check_find(view, expected, 0, data, size);
  check_find(view, expected, COPAL_OPTION_MAX, data, size);
}

copal_error judge_check(const uint8_t *data, size_t size) {
  static struct parsed expected;
  copal_view view;
  parse(data, size, &expected);
  copal_error found = copal_decode(data, size, &view);
  if (expected.error != COPAL_OK || found != COPAL_OK) {
    check_refusal(found, expected.error, &view, data, size);
    return found;
  }
  require(view.type == (data[0] >> 4 & 3) && view.code == data[1], "another type or code", data, size);
  require(view.message_id == (data[2] << 8 | data[3]), "another message ID", data, size);
  require(view.token.data == data + expected.token_at && view.token.size == expected.token_size, "another token", data,
          size);
  require(view.payload.data == data + expected.payload_at && view.payload.size == expected.payload_size,
          "another payload", data, size);
  check_walks(&view, &expected, data, size);
  check_encodes_again(&view, data, size);
  return COPAL_OK;
}

/* --- Places ----------------------------------------------------------------------------------------------- */

/* Pages with nothing before and nothing behind them: where they begin, and where they end. */
static uint8_t *lonely_pages(uint8_t **end) {
  static uint8_t *pages;
  size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
  size_t room = page_size > JUDGE_SMALL_MAX ? page_size : JUDGE_SMALL_MAX;
  if (pages == NULL) {
    pages = (uint8_t *)mmap(NULL, room + 2 * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page_size, room, PROT_READ | PROT_WRITE), 0);
  }
  *end = pages + page_size + room;
  return pages + page_size;
}

copal_error judge_small(const void *data, size_t size) {
  uint8_t *end, *begin = lonely_pages(&end);
  assert_true(size <= JUDGE_SMALL_MAX);
  ++judge_inputs;
  memcpy(begin, data, size);
  copal_error error = judge_check(begin, size);
  memcpy(end - size, data, size);
  require(judge_check(end - size, size) == error, "another verdict elsewhere", end - size, size);
  return error;
}

copal_error judge(const void *data, size_t size) {
  uint8_t *exact = malloc(size);
  if (size != 0) memcpy(exact, data, size);
  copal_error error = judge_check(exact, size);
  free(exact);
  if (size <= JUDGE_SMALL_MAX)
    judge_small(data, size);
  else
    ++judge_inputs;
  return error;
}

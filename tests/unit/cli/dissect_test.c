/* Datagrams taken apart: which bytes are what, where the first wrong one is, and which rule it breaks. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "cli/capture/dissect.h"
#include "cli/capture/notes.h"
#include "cli/line/value.h"

enum { BYTES_MAX = 512, STORY_MAX = 400 };

static copal_bytes bytes_of(const char *hex, uint8_t buffer[BYTES_MAX]) {
  size_t size = 0;
  assert_int_equal(value_hex(hex, strlen(hex), buffer, BYTES_MAX, &size), HEX_OK);
  return (copal_bytes){buffer, size};
}

/* A word a part: its kind's letter and its size, "F1 C1 M2 T4". */
static void tell_parts(const char *hex, char story[STORY_MAX]) {
  static const char letters[] = "FCMSTOVP*WR";
  uint8_t buffer[BYTES_MAX];
  struct dissection dissection = dissect(bytes_of(hex, buffer));
  struct part part;
  size_t size = 0;
  story[0] = '\0';
  while (dissect_next(&dissection, &part)) {
    int length =
        snprintf(story + size, STORY_MAX - size, "%s%c%zu", size > 0 ? " " : "", letters[part.kind], part.bytes.size);
    assert_true(length > 0 && size + (size_t)length < STORY_MAX);
    size += (size_t)length;
  }
}

static void every_byte_is_of_a_part(void **state) {
  (void)state;
  static const struct {
    const char *hex, *parts;
  } cases[] = {
      {"40000001", "F1 C1 M2"},
      {"4401 7d34 4a1b2201", "F1 C1 M2 T4"},
      {"4001 7d34 b161 01 62 ff 63 64", "F1 C1 M2 O1 V1 O1 V1 P1 *2"},
      {"4001 7d34 c0 10", "F1 C1 M2 O1 O1"},
      {"4d01 0001 00 aaaaaaaaaaaaaaaaaaaaaaaaaa d10a06", "F1 C1 M2 S1 T13 O2 V1"},
      {"4001 0001 e1 0000 ff ff", "F1 C1 M2 O3 V1 W1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    char story[STORY_MAX];
    tell_parts(cases[i].hex, story);
    assert_string_equal(story, cases[i].parts);
  }
}

/* RFC 7252 3, 3.1, 4.1 and 12.2, RFC 8974 2.1: every error that the decoder knows. */
static void the_first_wrong_byte_is_found(void **state) {
  (void)state;
  static const struct {
    const char *hex;
    size_t offset;
    copal_error error;
    const char *section, *parts;
  } cases[] = {
      {"4001", 2, COPAL_ERR_DATAGRAM_SHORT, "RFC 7252 3", "F1 C1 W0"},
      {"400100", 2, COPAL_ERR_DATAGRAM_SHORT, "RFC 7252 3", "F1 C1 W1"},
      {"80010001", 0, COPAL_ERR_VERSION, "RFC 7252 3", "W1 R3"},
      {"4f017d34aa", 0, COPAL_ERR_TOKEN_RESERVED, "RFC 8974 2.1", "W1 C1 M2 R1"},
      {"4e01000101", 4, COPAL_ERR_TOKEN_LENGTH_CUT, "RFC 8974 2.1", "F1 C1 M2 W1"},
      {"4201000101", 4, COPAL_ERR_TOKEN_CUT, "RFC 7252 3", "F1 C1 M2 W1"},
      {"40010001f161", 4, COPAL_ERR_OPTION_DELTA_RESERVED, "RFC 7252 3.1", "F1 C1 M2 W1 R1"},
      {"40010001b1611f61", 6, COPAL_ERR_OPTION_LENGTH_RESERVED, "RFC 7252 3.1", "F1 C1 M2 O1 V1 W1 R1"},
      {"40010001e001", 4, COPAL_ERR_OPTION_HEADER_CUT, "RFC 7252 3.1", "F1 C1 M2 W2"},
      {"40010001e0fef200", 4, COPAL_OK, NULL, "F1 C1 M2 O3 O1"},
      {"40010001e0fef220", 7, COPAL_ERR_OPTION_NUMBER_RANGE, "RFC 7252 12.2", "F1 C1 M2 O3 W1"},
      {"40010001b374", 5, COPAL_ERR_OPTION_VALUE_CUT, "RFC 7252 3.1", "F1 C1 M2 O1 W1"},
      {"40010001ff", 4, COPAL_ERR_PAYLOAD_EMPTY, "RFC 7252 3", "F1 C1 M2 W1"},
      {"4000000111", 4, COPAL_ERR_EMPTY_NOT_EMPTY, "RFC 7252 4.1", "F1 C1 M2 W1"},
      {"41000001", 0, COPAL_ERR_EMPTY_NOT_EMPTY, "RFC 7252 4.1", "W1 C1 M2"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    uint8_t buffer[BYTES_MAX];
    char story[STORY_MAX];
    copal_view view;
    copal_bytes datagram = bytes_of(cases[i].hex, buffer);
    assert_int_equal(copal_decode(datagram.data, datagram.size, &view), cases[i].error);
    tell_parts(cases[i].hex, story);
    assert_string_equal(story, cases[i].parts);
    struct dissection dissection = dissect(datagram);
    struct part part = {.error = COPAL_OK};
    while (dissect_next(&dissection, &part) && part.kind != PART_WRONG) continue;
    if (cases[i].error == COPAL_OK) continue;
    assert_int_equal(part.offset, cases[i].offset);
    assert_int_equal(part.error, cases[i].error);
    assert_string_equal(dissect_rule(part.error)->section, cases[i].section);
  }
}

static void each_error_of_a_datagram_has_its_rule_and_no_other(void **state) {
  (void)state;
#define RULE(name, value, text)                                                              \
  if ((value) >= COPAL_ERR_EMPTY_NOT_EMPTY) assert_non_null(dissect_rule(COPAL_ERR_##name)); \
  if ((value) < COPAL_ERR_EMPTY_NOT_EMPTY) assert_null(dissect_rule(COPAL_ERR_##name));
  COPAL_ERRORS(RULE)
#undef RULE
  assert_null(dissect_rule(COPAL_OK));
}

static void what_is_cut_off_tells_how_long_it_should_be(void **state) {
  (void)state;
  uint8_t buffer[BYTES_MAX];
  struct dissection dissection = dissect(bytes_of("40010001bd0561", buffer));
  struct part part;
  while (dissect_next(&dissection, &part) && part.kind != PART_WRONG) continue;
  assert_int_equal(part.size_promised, 18);
  assert_int_equal(part.bytes.size, 1);
}

/* --- Notes ------------------------------------------------------------------------------------------ */

/* The sections of all notes, one after the other. */
static void tell_notes(const char *hex, char story[STORY_MAX]) {
  uint8_t buffer[BYTES_MAX];
  struct dissection dissection = dissect(bytes_of(hex, buffer));
  struct notes notes = {0};
  struct part part;
  story[0] = '\0';
  while (dissect_next(&dissection, &part)) {
    const struct note *found[NOTES_MAX];
    size_t count = notes_take(&notes, &part, found);
    for (size_t i = 0; i < count; ++i) {
      size_t size = strlen(story);
      snprintf(story + size, STORY_MAX - size, "%s%s", size > 0 ? "," : "", found[i]->section + 4);
    }
  }
}

static void rules_that_a_readable_datagram_breaks_are_noted(void **state) {
  (void)state;
  static const struct {
    const char *hex, *sections;
  } cases[] = {
      {"4001 0001 b161 0162", ""},
      {"4021 0001", "7252 4.2"},             /* class 1 */
      {"6001 0001", "7252 4.2"},             /* an ACK with a request */
      {"7045 0001", "7252 4.2"},             /* a Reset with a response */
      {"5000 0001", "7252 4.3"},             /* a NON that is Empty */
      {"4001 0001 91 61", ""},               /* OSCORE */
      {"4001 0001 d1fc 61", "7252 5.4.1"},   /* 265, which is critical */
      {"4001 0001 30", "7252 5.4.3"},        /* Uri-Host of no bytes */
      {"4001 0001 d1fb 61", ""},             /* 264, which is elective */
      {"4001 0001 3161 0161", "7252 5.4.5"}, /* Uri-Host twice */
      {"4001 0001 b161 0161", ""},           /* Uri-Path twice */
      {"4045 0001 c3000032", "7252 5.4.3"},  /* Content-Format of 3 bytes */
      {"4001 0001 d10a 0f", "7959 2.2"},     /* Block2 of reserved size */
      {"4001 0001 d10a 0e", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    char story[STORY_MAX];
    uint8_t buffer[BYTES_MAX];
    copal_bytes datagram = bytes_of(cases[i].hex, buffer);
    copal_view view;
    assert_int_equal(copal_decode(datagram.data, datagram.size, &view), COPAL_OK);
    tell_notes(cases[i].hex, story);
    assert_string_equal(story, cases[i].sections);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_byte_is_of_a_part),
      cmocka_unit_test(the_first_wrong_byte_is_found),
      cmocka_unit_test(each_error_of_a_datagram_has_its_rule_and_no_other),
      cmocka_unit_test(what_is_cut_off_tells_how_long_it_should_be),
      cmocka_unit_test(rules_that_a_readable_datagram_breaks_are_noted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

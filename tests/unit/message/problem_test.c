/* Problem details: written in one form, read in any, with the examples of RFC 9290. Payloads lie in heap blocks of
 * their exact size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "support/bare.h"

static copal_bytes text(const char *from) { return (copal_bytes){(const uint8_t *)from, strlen(from)}; }

static void assert_text(copal_bytes found, const char *expected) {
  assert_int_equal(found.size, strlen(expected));
  if (found.size > 0) assert_memory_equal(found.data, expected, found.size);
}

/* --- Writing ------------------------------------------------------------------------------------ */

static void assert_written(const copal_problem *problem, const char *hex) {
  uint8_t expected[1000];
  int size = (int)bare_unhex(hex, expected, sizeof expected);
  assert_int_equal(copal_problem_write(problem, NULL, 0), size);
  for (int capacity = 0; capacity <= size; ++capacity) {
    uint8_t *buffer = malloc(capacity > 0 ? (size_t)capacity : 1);
    int written = copal_problem_write(problem, buffer, (size_t)capacity);
    assert_int_equal(written, capacity < size ? COPAL_ERR_SPACE : size);
    if (capacity == size) assert_memory_equal(buffer, expected, (size_t)size);
    free(buffer);
  }
}

static void what_is_said_is_written_in_order(void **state) {
  (void)state;
  copal_problem problem = {.title = text("Not Found")};
  assert_written(&problem, "a1 20 69 4e6f7420466f756e64");
  problem.code = COPAL_NOT_FOUND; /* RFC 9290 2: "4.04 Not Found is represented by the number 132" */
  problem.detail = text("a");
  assert_written(&problem, "a3 20 69 4e6f7420466f756e64 21 61 61 23 18 84");
  problem = (copal_problem){.options = {6}, .options_count = 1};
  assert_written(&problem, "a1 27 06");
  problem = (copal_problem){.options = {23, 24, 256, 65535}, .options_count = 4};
  assert_written(&problem, "a1 27 84 17 1818 190100 19ffff");
}

static void nothing_said_is_nothing_written(void **state) {
  (void)state;
  copal_problem problem = {.code = 0};
  assert_int_equal(copal_problem_write(&problem, NULL, 0), 0);
}

static void lengths_take_the_shortest_form(void **state) {
  (void)state;
  static char long_text[70000];
  memset(long_text, 'x', sizeof long_text);
  static const struct {
    size_t size;
    const char *head;
  } cases[] = {{23, "a12077"},      {24, "a1207818"},      {255, "a12078ff"},
               {256, "a120790100"}, {65535, "a12079ffff"}, {65536, "a1207a00010000"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_problem problem = {.title = {(uint8_t *)long_text, cases[i].size}};
    static uint8_t buffer[70100];
    uint8_t head[8];
    size_t head_size = bare_unhex(cases[i].head, head, sizeof head);
    assert_int_equal(copal_problem_write(&problem, buffer, sizeof buffer), head_size + cases[i].size);
    assert_memory_equal(buffer, head, head_size);
  }
}

static void texts_that_no_message_could_hold_are_refused_unread(void **state) {
  (void)state;
  copal_bytes endless = {(const uint8_t *)"x", (size_t)INT_MAX / 4 + 1};
  uint8_t buffer[16];
  copal_problem title = {.title = endless}, detail = {.title = text("a"), .detail = endless};
  assert_int_equal(copal_problem_write(&title, NULL, 0), COPAL_ERR_SPACE);
  assert_int_equal(copal_problem_write(&title, buffer, sizeof buffer), COPAL_ERR_SPACE);
  assert_int_equal(copal_problem_write(&detail, buffer, sizeof buffer), COPAL_ERR_SPACE);
}

static void what_is_not_utf8_is_not_written(void **state) {
  (void)state;
  copal_problem problem = {.title = text("\xff"), .detail = text("caf\xc3\xa9 \xc3")};
  assert_written(&problem, "a1 21 66 636166c3a920");
}

/* --- Reading ------------------------------------------------------------------------------------ */

/* The payload is kept until the next. */
static bool read_hex(const char *hex, copal_problem *problem) {
  static uint8_t *payload;
  uint8_t bytes[2000];
  free(payload);
  size_t size = bare_unhex(hex, bytes, sizeof bytes);
  payload = malloc(size > 0 ? size : 1);
  if (size > 0) memcpy(payload, bytes, size);
  return copal_problem_read((copal_bytes){payload, size}, problem);
}

static void what_was_written_is_read(void **state) {
  (void)state;
  copal_problem problem = {.title = text("Bad Option"),
                           .detail = text("caf\xc3\xa9"),
                           .options = {1, 2, 300, 65535},
                           .options_count = 4,
                           .code = 130};
  uint8_t buffer[100];
  int size = copal_problem_write(&problem, buffer, sizeof buffer);
  copal_problem found;
  assert_true(copal_problem_read((copal_bytes){buffer, (size_t)size}, &found));
  assert_text(found.title, "Bad Option");
  assert_text(found.detail, "caf\xc3\xa9");
  assert_int_equal(found.options_count, 4);
  assert_memory_equal(found.options, problem.options, sizeof problem.options);
  assert_int_equal(found.code, 130);
}

/* RFC 9290 figure 3, of which only some is of interest here. */
static void the_example_of_rfc_9290(void **state) {
  (void)state;
  copal_problem problem;
  assert_true(
      read_hex("a520727469746c65206f6620746865206572726f7221782464657461696c656420696e666f726d61"
               "74696f6e2061626f757420746865206572726f7222781b636f6170733a2f2f70642e6578616d706c"
               "652f4641333137343334231880781c7461673a336770702e6f72672c323032322d30333a54533239"
               "313132a300781c6d616368696e652d7265616461626c65206572726f722063617573650182827466"
               "6972737420706172616d65746572206e616d65781a6d757374206265206120706f73697469766520"
               "696e746567657281757365636f6e6420706172616d65746572206e616d6502686433346462333366",
               &problem));
  assert_text(problem.title, "title of the error");
  assert_text(problem.detail, "detailed information about the error");
  assert_int_equal(problem.code, COPAL_BAD_REQUEST);
  assert_int_equal(problem.options_count, 0);
}

/* RFC 9290 appendix A: [language, text, ? direction] under tag 38. */
static void texts_may_have_a_language(void **state) {
  (void)state;
  copal_problem problem;
  assert_true(read_hex("a2 20 d826 82 62656e 6548656c6c6f 21 d826 83 626465 6548616c6c6f f4", &problem));
  assert_text(problem.title, "Hello");
  assert_text(problem.detail, "Hallo");
  assert_true(read_hex("a1 20 d826 9f 62656e 6548656c6c6f ff", &problem));
  assert_text(problem.title, "Hello");
}

static void any_form_is_read(void **state) {
  (void)state;
  static const char *const forms[] = {
      "bf 20 6161 27 9f 03 05 ff ff", /* indefinite map and array */
      "a2 27 82 03 05 20 6161",       /* another order */
      "b802 3800 7801 61 3b0000000000000007 9a00000002 03 05",
      "a3 20 6161 20 6162 27 82 1803 190005", /* the first of two */
      "a4 20 6161 27 82 03 05 f97e00 fb7ff0000000000000 f820 f8ff",
      "a8 20 6161 20 6162 21 6163 21 6164 23 18 80 23 18 81 27 82 03 05 27 07", /* of all, the first of two */
      "a4 20 6161 01 a1 02 bf 5f 41ff 42ffff ff 7f ff ff 27 82 03 05 c1 c2 40 00",
  };
  for (size_t i = 0; i < sizeof forms / sizeof *forms; ++i) {
    copal_problem problem;
    assert_true(read_hex(forms[i], &problem));
    assert_text(problem.title, "a");
    assert_int_equal(problem.options_count, 2);
    assert_int_equal(problem.options[0], 3);
    assert_int_equal(problem.options[1], 5);
  }
}

static void values_of_another_kind_are_passed_over(void **state) {
  (void)state;
  static const char *const forms[] = {
      "a4 20 4161 21 05 23 190100 27 6161",   /* bytes, a number, a large one, a text */
      "a4 20 7f 6161 ff 21 61ff 23 20 27 80", /* chunks, no UTF-8, a negative one, none at all */
      "a4 20 d826 81 62656e 21 d827 82 62656e 6161 23 f6 27 1a00010000",
      "a4 20 d826 6161 21 d826 80 23 80 27 a0",
      "a4 20 c0 6161 21 d826 d826 82 6161 6161 23 00 27 00",
      "a2 20 d826 9f ff 21 d826 9f 62656e ff", /* a language at most, and then nothing */
      "a2 20 d826 9f 62656e 05 ff 21 d826 82 62656e 7f 6161 ff",
      "a1 00 a1 20 6161",
      "a1 01 a0",
      "a0",
      "bfff",
  };
  for (size_t i = 0; i < sizeof forms / sizeof *forms; ++i) {
    copal_problem problem;
    assert_true(read_hex(forms[i], &problem));
    assert_int_equal(problem.title.size, 0);
    assert_int_equal(problem.detail.size, 0);
    assert_int_equal(problem.code, 0);
    assert_int_equal(problem.options_count, 0);
  }
}

static void more_options_than_there_is_room_for_are_left_out(void **state) {
  (void)state;
  copal_problem problem;
  assert_true(read_hex("a1 27 8c 01 02 03 04 05 1a00010000 6161 06 07 08 09 0a", &problem));
  assert_int_equal(problem.options_count, COPAL_PROBLEM_OPTIONS_MAX);
  for (uint16_t i = 0; i < COPAL_PROBLEM_OPTIONS_MAX; ++i) assert_int_equal(problem.options[i], i + 1);
}

static void what_is_not_well_formed_is_refused(void **state) {
  (void)state;
  static const char *const broken[] = {
      "",
      "80",
      "6161",
      "20",
      "ff",
      "d9d9f7a0", /* no map */
      "a1",
      "a120",
      "a12061",
      "a2206161",
      "a1206161 00", /* too short, too long */
      "a120bf20ff",
      "bf20ff",
      "bf",
      "bf206161",
      "a1209f",
      "a1205f41", /* broken off by their end */
      "a1205f6161ff",
      "a1205f5f41ffffff",
      "a1207f4161ff", /* chunks of another type */
      "bc",
      "a11c00",
      "a11d00",
      "a11e00",
      "a11f00",
      "a13f00",
      "a1df00",
      "a120ff",
      "a1f81f00",
      "bbffffffffffffffff",
      "a1209bffffffffffffffff00",
      "a1207bffffffffffffffff61",
      "a1205a80000000",
  };
  for (size_t i = 0; i < sizeof broken / sizeof *broken; ++i) {
    copal_problem problem = {.code = 1};
    assert_false(read_hex(broken[i], &problem));
    assert_int_equal(problem.code, 0);
  }
}

static void nesting_is_limited(void **state) {
  (void)state;
  static const uint8_t kinds[] = {0x81, 0xc1, 0x9f};
  for (size_t kind = 0; kind < sizeof kinds; ++kind)
    for (size_t depth = 1; depth < 40; ++depth) {
      uint8_t payload[100];
      size_t size = 0;
      payload[size++] = 0xa1;
      payload[size++] = 0x00;
      for (size_t i = 0; i < depth; ++i) payload[size++] = kinds[kind];
      payload[size++] = 0x00;
      for (size_t i = 0; i < depth && kinds[kind] == 0x9f; ++i) payload[size++] = 0xff;
      copal_problem problem;
      assert_int_equal(copal_problem_read((copal_bytes){payload, size}, &problem), depth <= 15);
    }
  uint8_t *deep = malloc(100000); /* would be a stack of megabytes */
  memset(deep, 0x81, 100000);
  deep[0] = 0xa1;
  copal_problem problem;
  assert_false(copal_problem_read((copal_bytes){deep, 100000}, &problem));
  free(deep);
}

/* All payloads of three bytes, and all beginnings of a long one: never a byte beside them is read. */
static void every_small_payload_is_read_within_its_bytes(void **state) {
  (void)state;
  for (size_t size = 1; size <= 3; ++size) {
    uint8_t *payload = malloc(size);
    for (uint32_t all = 0; all < (uint32_t)1 << (8 * size); ++all) {
      for (size_t i = 0; i < size; ++i) payload[i] = (uint8_t)(all >> (8 * i));
      copal_problem problem;
      bool good = copal_problem_read((copal_bytes){payload, size}, &problem);
      if (good) assert_true(payload[0] >= 0xa0 && payload[0] <= 0xbf);
    }
    free(payload);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_said_is_written_in_order),
      cmocka_unit_test(nothing_said_is_nothing_written),
      cmocka_unit_test(lengths_take_the_shortest_form),
      cmocka_unit_test(texts_that_no_message_could_hold_are_refused_unread),
      cmocka_unit_test(what_is_not_utf8_is_not_written),
      cmocka_unit_test(what_was_written_is_read),
      cmocka_unit_test(the_example_of_rfc_9290),
      cmocka_unit_test(texts_may_have_a_language),
      cmocka_unit_test(any_form_is_read),
      cmocka_unit_test(values_of_another_kind_are_passed_over),
      cmocka_unit_test(more_options_than_there_is_room_for_are_left_out),
      cmocka_unit_test(what_is_not_well_formed_is_refused),
      cmocka_unit_test(nesting_is_limited),
      cmocka_unit_test(every_small_payload_is_read_within_its_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

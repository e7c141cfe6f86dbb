/* Bodies by their Content-Format: readable for people, and as JSON for programs. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>
#include <string.h>

#include "cli/data/cbor.h"
#include "cli/show/body.h"
#include "cli/show/terminal.h"

enum { SENML_JSON = 110, SENML_CBOR = 112, CBOR_SEQUENCE = 63, MERGE_PATCH = 52, DEFLATED = 11050 };

#define BYTES(text) ((copal_bytes){(const uint8_t *)(text), sizeof(text) - 1})

static char *text;
static size_t text_size;

static void assert_printed(copal_bytes body, uint32_t format, const char *expected) {
  FILE *stream = open_memstream(&text, &text_size);
  assert_non_null(stream);
  body_print(stream, body, format);
  fclose(stream);
  assert_string_equal(text, expected);
  free(text);
}

static void assert_json(copal_bytes body, uint32_t format, const char *expected) {
  struct json json;
  FILE *stream = open_memstream(&text, &text_size);
  assert_non_null(stream);
  json_begin(&json, stream);
  body_json(&json, body, format);
  json_end(&json);
  fclose(stream);
  assert_string_equal(text, expected);
  free(text);
}

static int plain(void **state) {
  (void)state;
  setenv("LC_ALL", "C", 1);
  terminal_setup(COLOR_NEVER);
  return 0;
}

static void json_is_indented_and_nothing_else_changes(void **state) {
  (void)state;
  copal_bytes body = BYTES("{\"b\":1.50,\"a\" : [ ],\"b\":[1E2,{}],\"\\u0041\":\"\\/\"}");
  const char *expected =
      "{\n  \"b\": 1.50,\n  \"a\": [],\n  \"b\": [\n    1E2,\n    {}\n  ],\n  \"\\u0041\": \"\\/\"\n}\n";
  assert_printed(body, COPAL_JSON, expected);
  assert_printed(body, MERGE_PATCH, expected);
  assert_printed(BYTES(" 7 "), COPAL_JSON, "7\n");
}

static void json_has_colours_where_they_are_wanted(void **state) {
  (void)state;
  terminal_setup(COLOR_ALWAYS);
  assert_printed(BYTES("{\"a\":[\"b\",1,null]}"), COPAL_JSON,
                 "{\n  \033[36m\"a\"\033[0m: [\n    \033[32m\"b\"\033[0m,\n    \033[35m1\033[0m,\n"
                 "    \033[35mnull\033[0m\n  ]\n}\n");
  terminal_setup(COLOR_NEVER);
}

static void control_characters_that_json_allows_are_escaped(void **state) {
  (void)state;
  assert_printed(BYTES("[\"\x7f\xc2\x9b\"]"), COPAL_JSON, "[\n  \"\\u007f\\u009b\"\n]\n");
}

static void what_is_not_its_format_is_shown_behind_a_note(void **state) {
  (void)state;
  assert_printed(BYTES("{\"a\""), COPAL_JSON, "(not JSON: a colon is missing at byte 5)\n{\"a\"\n");
  assert_printed(BYTES("\x01\x02"), COPAL_JSON,
                 "(not JSON: a value is missing at byte 1)\n"
                 "0000  01 02                                            ..\n");
  assert_printed(BYTES("</a"), COPAL_LINK_FORMAT, "(not link format)\n</a\n");
  assert_printed(BYTES("[1]"), SENML_JSON, "(not SenML: a record is no object)\n[\n  1\n]\n");
  /* Compressed JSON is none yet. */
  assert_printed(BYTES("{}"), DEFLATED, "{}\n");
}

static void cbor_is_shown_in_diagnostic_notation(void **state) {
  (void)state;
  if (!cbor_is_built()) {
    assert_printed(BYTES("\x01"), COPAL_CBOR,
                   "(CBOR, which this build cannot read)\n"
                   "0000  01                                               .\n");
    return;
  }
  assert_printed(BYTES("\xa1\x20\x69Not Found"), COPAL_PROBLEM, "{\n  -1: \"Not Found\"\n}\n");
  assert_printed(BYTES("\x01\x02"), CBOR_SEQUENCE, "1,\n2\n");
  assert_printed(BYTES("\x81"), COPAL_CBOR,
                 "(not CBOR: it ends too early)\n"
                 "0000  81                                               .\n");
}

/* RFC 8428 5.1.2 has this example. */
static void senml_is_a_table_with_base_values_worked_in(void **state) {
  (void)state;
  assert_printed(BYTES("[{\"bn\":\"urn:dev:ow:10e2073a0108006:\",\"bt\":1.276020076001e+09,\"bu\":\"A\",\"bver\":5,"
                       "\"n\":\"voltage\",\"u\":\"V\",\"v\":120.1},{\"n\":\"current\",\"t\":-5,\"v\":1.2}]"),
                 SENML_JSON,
                 "name                                time                      value  unit\n"
                 "urn:dev:ow:10e2073a0108006:voltage  2010-06-08 18:01:16.001Z  120.1  V\n"
                 "urn:dev:ow:10e2073a0108006:current  2010-06-08 18:01:11.001Z  1.2    A\n");
  assert_printed(BYTES("[{\"bn\":\"a\",\"bv\":20,\"bs\":1},{\"v\":0.1,\"s\":2},{\"n\":\"b\",\"vb\":true,\"t\":3},"
                       "{\"vs\":\"x\\u001b\",\"t\":-0.5},{\"vd\":\"AQI\"}]"),
                 SENML_JSON,
                 "name  time    value        unit\n"
                 "a     now     20.1, sum 3\n"
                 "ab    +3 s    true\n"
                 "a     -0.5 s  \"x\\u001b\"\n"
                 "a     now     h'0102'\n");
}

/* RFC 8428 6 has its like. */
static void senml_of_cbor_is_the_same_table(void **state) {
  (void)state;
  if (!cbor_is_built()) return;
  /* [{-2: "s:", -3: 1276020076, 0: "t", 1: "Cel", 2: 4([-1, 231])}, {0: "d", 8: h'0102'}, {"x": [1], 2: 1.5}] */
  assert_printed(BYTES("\x83\xa5\x21\x62s:\x22\x1a\x4c\x0e\x85\x6c\x00\x61t\x01\x63"
                       "Cel\x02\xc4\x82\x20\x18\xe7"
                       "\xa2\x00\x61"
                       "d\x08\x42\x01\x02\xa2\x61x\x81\x01\x02\xf9\x3e\x00"),
                 SENML_CBOR,
                 "name  time                  value    unit\n"
                 "s:t   2010-06-08 18:01:16Z  23.1     Cel\n"
                 "s:d   2010-06-08 18:01:16Z  h'0102'\n"
                 "s:    2010-06-08 18:01:16Z  1.5\n");
}

/* RFC 8428 4.4: "Implementations MUST ignore fields they don't recognize unless that field has a label name that ends
 * with the "_" character, in which case an error MUST be generated." */
static void senml_that_must_not_be_used_is_shown_as_json(void **state) {
  (void)state;
  assert_printed(BYTES("[{\"n\":\"a\",\"v\":1,\"x\":{\"n\":[]}}]"), SENML_JSON,
                 "name  time  value  unit\na     now   1\n");
  assert_printed(BYTES("[{\"x_\":1}]"), SENML_JSON,
                 "(not SenML: a field that must be understood is not)\n[\n  {\n    \"x_\": 1\n  }\n]\n");
  assert_printed(BYTES("[{\"bver\":11}]"), SENML_JSON,
                 "(not SenML: it is of a later version)\n[\n  {\n    \"bver\": 11\n  }\n]\n");
  assert_printed(BYTES("[{\"v\":\"1\"}]"), SENML_JSON,
                 "(not SenML: a field has a value of the wrong kind)\n[\n  {\n    \"v\": \"1\"\n  }\n]\n");
  assert_printed(BYTES("[]"), SENML_JSON, "(not SenML: it holds no records)\n[]\n");
}

static void links_are_a_tree_of_segments(void **state) {
  (void)state;
  copal_bytes body = BYTES("</s/t>;rt=\"a b\";ct=0,</h>,</s/l/on>;obs,</s/t>;if=x,<coap://[::1]/x>;rel=y,</s/z?q=/1>");
  assert_printed(body, COPAL_LINK_FORMAT,
                 "/h\n"
                 "/s/\n"
                 "|- l/\n"
                 "|  `- on        obs\n"
                 "|- t            rt=\"a b\"  ct=0\n"
                 "|- t            if=x\n"
                 "`- z?q=/1\n"
                 "coap://[::1]/x  rel=y\n");
}

static void trees_are_drawn_in_lines_where_they_can_be(void **state) {
  (void)state;
  setenv("LC_ALL", "de_DE.UTF-8", 1);
  assert_printed(BYTES("</a/b>,</a/c>"), COPAL_LINK_FORMAT, "/a/\n├─ b\n└─ c\n");
  setenv("LC_ALL", "C", 1);
}

static void programs_get_json_as_it_is(void **state) {
  (void)state;
  assert_json(BYTES(" {\"b\" : 1.50 , \"b\":[ ] } "), COPAL_JSON,
              "{\"encoding\":\"json\",\"payload\":{\"b\":1.50,\"b\":[]}}\n");
  assert_json(BYTES("{x}"), COPAL_JSON, "{\"encoding\":\"text\",\"payload\":\"{x}\"}\n");
  assert_json(BYTES("\"\x7f\""), COPAL_JSON, "{\"encoding\":\"json\",\"payload\":\"\\u007f\"}\n");
  assert_json(BYTES(""), COPAL_JSON, "{\"encoding\":\"text\",\"payload\":\"\"}\n");
}

static void programs_get_links_as_objects(void **state) {
  (void)state;
  assert_json(
      BYTES("</a>;rt=\"x\\\"y\";obs;rt=z;ct=40,</b>"), COPAL_LINK_FORMAT,
      "{\"encoding\":\"links\",\"payload\":[{\"target\":\"/a\",\"attributes\":{\"rt\":[\"x\\\"y\",\"z\"],\"obs\":true,"
      "\"ct\":\"40\"}},{\"target\":\"/b\",\"attributes\":{}}]}\n");
  assert_json(BYTES("<a"), COPAL_LINK_FORMAT, "{\"encoding\":\"text\",\"payload\":\"<a\"}\n");
}

static void programs_get_cbor_and_what_it_says(void **state) {
  (void)state;
  if (!cbor_is_built()) {
    assert_json(BYTES("\xa1\x01\x02"), COPAL_CBOR, "{\"encoding\":\"cbor\",\"payload\":\"oQEC\"}\n");
    return;
  }
  assert_json(BYTES("\xa1\x01\x61\x1b"), COPAL_CBOR,
              "{\"encoding\":\"cbor\",\"payload\":\"oQFhGw==\",\"diagnostic\":\"{1: \\\"\\\\u001b\\\"}\"}\n");
  assert_json(BYTES("\xff\x00"), COPAL_CBOR, "{\"encoding\":\"base64\",\"payload\":\"/wA=\"}\n");
}

static void programs_get_other_bodies_as_text_or_bytes(void **state) {
  (void)state;
  assert_json(BYTES("a\n"), COPAL_FORMAT_NONE, "{\"encoding\":\"text\",\"payload\":\"a\\n\"}\n");
  assert_json(BYTES("\x00\xff"), COPAL_TEXT_PLAIN, "{\"encoding\":\"base64\",\"payload\":\"AP8=\"}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_is_indented_and_nothing_else_changes),
      cmocka_unit_test(json_has_colours_where_they_are_wanted),
      cmocka_unit_test(control_characters_that_json_allows_are_escaped),
      cmocka_unit_test(what_is_not_its_format_is_shown_behind_a_note),
      cmocka_unit_test(cbor_is_shown_in_diagnostic_notation),
      cmocka_unit_test(senml_is_a_table_with_base_values_worked_in),
      cmocka_unit_test(senml_of_cbor_is_the_same_table),
      cmocka_unit_test(senml_that_must_not_be_used_is_shown_as_json),
      cmocka_unit_test(links_are_a_tree_of_segments),
      cmocka_unit_test(trees_are_drawn_in_lines_where_they_can_be),
      cmocka_unit_test(programs_get_json_as_it_is),
      cmocka_unit_test(programs_get_links_as_objects),
      cmocka_unit_test(programs_get_cbor_and_what_it_says),
      cmocka_unit_test(programs_get_other_bodies_as_text_or_bytes),
  };
  return cmocka_run_group_tests(tests, plain, NULL);
}

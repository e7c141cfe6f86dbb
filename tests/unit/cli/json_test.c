/* JSON as it is written: commas, levels, and text that is not what JSON allows. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json.h"

struct written {
  char *text;
  size_t size;
  struct json json;
};

static void begin(struct written *written) {
  FILE *stream = open_memstream(&written->text, &written->size);
  assert_non_null(stream);
  json_begin(&written->json, stream);
}

static void assert_written(struct written *written, const char *expected) {
  json_end(&written->json);
  fclose(written->json.stream);
  assert_string_equal(written->text, expected);
  free(written->text);
}

static copal_bytes bytes(const char *text) { return (copal_bytes){(const uint8_t *)text, strlen(text)}; }

static void values_of_all_kinds_stand_in_levels(void **state) {
  (void)state;
  struct written written;
  begin(&written);
  json_uint(&written.json, "count", 3);
  json_array(&written.json, "options");
  json_object(&written.json, NULL);
  json_text(&written.json, "name", NULL);
  json_close(&written.json);
  json_hex(&written.json, NULL, bytes("\x01\xff"));
  json_array(&written.json, NULL);
  json_close(&written.json);
  json_close(&written.json);
  json_real(&written.json, "rate", 1.25, 1);
  json_bool(&written.json, "is_last", true);
  json_raw(&written.json, "payload", bytes("[1,2]"));
  assert_written(&written,
                 "{\"count\":3,\"options\":[{\"name\":null},\"01ff\",[]],\"rate\":1.2,\"is_last\":true,"
                 "\"payload\":[1,2]}\n");
}

static void text_is_escaped_and_valid(void **state) {
  (void)state;
  struct written written;
  begin(&written);
  json_string(&written.json, "a", bytes("\"\\\n\t\x1b \xc3\xa9"));
  json_string(&written.json, "b", bytes("\xff\xc3 \xc2\x85"));
  assert_written(&written, "{\"a\":\"\\\"\\\\\\n\\t\\u001b \xc3\xa9\",\"b\":\"\\ufffd\\ufffd \\u0085\"}\n");
}

static void base64_is_padded(void **state) {
  (void)state;
  struct written written;
  begin(&written);
  json_base64(&written.json, "0", bytes(""));
  json_base64(&written.json, "1", bytes("f"));
  json_base64(&written.json, "2", bytes("fo"));
  json_base64(&written.json, "3", bytes("foo"));
  assert_written(&written, "{\"0\":\"\",\"1\":\"Zg==\",\"2\":\"Zm8=\",\"3\":\"Zm9v\"}\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_of_all_kinds_stand_in_levels),
      cmocka_unit_test(text_is_escaped_and_valid),
      cmocka_unit_test(base64_is_padded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

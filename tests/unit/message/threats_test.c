/* Hostile text: URIs and documents in link format, cut anywhere and with any byte changed, in heap blocks of their
 * exact size. Whatever it is, it is read or refused with an error that says why. T24 of docs/threats.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "message/uri.h"
#include "support/dice.h"

typedef void reader(const char *text, size_t size);

static void assert_clear(copal_error error) {
  if (error == COPAL_OK) return;
  assert_true(strlen(copal_error_text(error)) > 5);
  assert_memory_equal(copal_error_name(error), "COPAL_ERR_", 10);
}

static void read_exact(reader *read, const char *text, size_t size) {
  char *copy = malloc(size > 0 ? size : 1);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, text, size);
  read(copy, size);
  free(copy);
}

/* Cut after each byte; each byte replaced by each other; two pieces of it swapped; each byte in a long row. */
static void read_all(reader *read, const char *text) {
  size_t size = strlen(text);
  char changed[200];
  assert_true(size <= sizeof changed);
  for (size_t end = 0; end <= size; ++end) read_exact(read, text, end);
  for (size_t at = 0; at < size; ++at)
    for (int byte = 0; byte < 256; ++byte) {
      memcpy(changed, text, size);
      changed[at] = (char)byte;
      read_exact(read, changed, size);
    }
  struct dice dice = {24};
  for (int i = 0; i < 2000; ++i) {
    size_t cut = dice_below(&dice, (uint32_t)size + 1);
    memcpy(changed, text + cut, size - cut);
    memcpy(changed + size - cut, text, cut);
    read_exact(read, changed, dice_below(&dice, (uint32_t)size + 1));
  }
  static char row[70000];
  for (size_t at = 0; at < size; ++at) {
    memset(row, text[at], sizeof row);
    memcpy(row, text, at);
    read_exact(read, row, sizeof row);
  }
}

static void read_uri(const char *text, size_t size) {
  copal_uri uri;
  copal_error error = copal_uri_parse(text, size, &uri);
  assert_clear(error);
  if (error != COPAL_OK) return;
  char name[64];
  int length = uri_host_text(&uri, name, sizeof name);
  assert_clear(length < 0 ? (copal_error)length : COPAL_OK);
  uint8_t buffer[300];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  assert_clear(copal_uri_to_options(&uri, &message));
  copal_view view;
  assert_int_equal(copal_decode(buffer, message.size, &view), COPAL_OK);
}

static void read_links(const char *text, size_t size) {
  copal_bytes document = {(const uint8_t *)text, size};
  copal_link link;
  int result;
  while ((result = copal_link_next(&document, &link)) > 0) {
    copal_link_parameter parameter;
    char value[32];
    if (!copal_link_find(&link, "rt", &parameter)) continue;
    int length = copal_link_unescape(&parameter, value, sizeof value);
    assert_clear(length < 0 ? (copal_error)length : COPAL_OK);
  }
  assert_true(result == 0 || result == COPAL_ERR_LINK_SYNTAX);
  assert_clear((copal_error)result);
}

static void t24_uris(void **state) {
  (void)state;
  static const char *const uris[] = {"coap://host.example:5683/a/%41%2F%00/..;x=y/?q=1&r=%26&",
                                     "coap://[fe80::1%25eth0]:1/", "coap://192.0.2.1?", "coap+tcp://%6Eame/",
                                     "coaps://[::ffff:192.0.2.1]/.well-known/core"};
  for (size_t i = 0; i < sizeof uris / sizeof *uris; ++i) read_all(read_uri, uris[i]);
}

static void t24_link_format(void **state) {
  (void)state;
  static const char *const documents[] = {"</a>;rt=\"x y\";if=sensor;ct=\"0 41\",</b>;title*=UTF-8''%e2%82%ac;obs",
                                          "<coap://[2001:db8::1]/x>;anchor=\"/y\";rel=\"a\\\"b\"",
                                          "</>;sz=65535 , </%20>"};
  for (size_t i = 0; i < sizeof documents / sizeof *documents; ++i) read_all(read_links, documents[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(t24_uris),
      cmocka_unit_test(t24_link_format),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

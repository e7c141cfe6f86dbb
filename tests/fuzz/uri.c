/* Any text as a URI. What is taken must decompose and compose without surprise:
 *
 *   - a URI's parts lie in its text, and the path gives the segments that a plain reading of RFC 3986 5.2.4 gives;
 *   - no Uri-Path is "." or "..", every option's size is legal;
 *   - options composed into a URI and decomposed again are the same options, and composing again gives the same text.
 *
 * The same bytes as option values are composed too, whatever they are, and must come back if they come out. */
#undef NDEBUG
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copal/message.h"
#include "copal/uri.h"

enum { STORAGE_SIZE = 8192, TEXT_SIZE = 32768, SEGMENTS_MAX = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(copal_bytes part, const uint8_t *data, size_t size) {
  assert(part.size == 0 || (part.data >= data && part.data + part.size <= data + size));
}

static size_t decoded_size(const uint8_t *text, size_t size) {
  size_t count = 0;
  for (size_t i = 0; i < size; ++i, ++count) i += text[i] == '%' ? 2 : 0;
  return count;
}

/* How many segments a resolved path has, and their decoded sizes: with a stack, where the library looks ahead.
 * SEGMENTS_MAX where it has more than the stack holds: then neither is known. */
static size_t resolve(copal_bytes path, size_t *sizes) {
  size_t count = 0, at = 0;
  bool open = true; /* the result does not end in "/" yet */
  while (at <= path.size) {
    size_t end = at;
    while (end < path.size && path.data[end] != '/') ++end;
    char dots[8] = "";
    if (end - at <= 6) {
      size_t length = 0;
      for (size_t i = at; i < end; ++i) {
        bool escaped = end - i >= 3 && path.data[i] == '%' && path.data[i + 1] == '2' &&
                       (path.data[i + 2] == 'e' || path.data[i + 2] == 'E');
        dots[length++] = escaped ? '.' : (char)path.data[i];
        i += escaped ? 2 : 0;
      }
      dots[length] = '\0';
    }
    open = true;
    if (strcmp(dots, ".") == 0) {
      open = false;
    } else if (strcmp(dots, "..") == 0) {
      open = false;
      if (count > 0) --count;
    } else {
      if (count == SEGMENTS_MAX) return count;
      sizes[count++] = end > at ? decoded_size(path.data + at, end - at) : 0;
    }
    at = end + 1;
  }
  if (!open) sizes[count++] = 0;
  return count == 1 && sizes[0] == 0 ? 0 : count;
}

static void check_options(const copal_uri *uri, const copal_message *message) {
  static size_t sizes[SEGMENTS_MAX + 1];
  size_t expected = resolve(uri->path, sizes), count = 0, arguments = 0;
  copal_view view = copal_message_view(message);
  copal_options walk = copal_options_of(&view);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    assert(copal_option_check(option.number, option.size) == COPAL_OK);
    if (option.number == COPAL_OPTION_URI_QUERY) ++arguments;
    if (option.number != COPAL_OPTION_URI_PATH) continue;
    assert(!(option.size == 1 && option.value[0] == '.'));
    assert(!(option.size == 2 && memcmp(option.value, "..", 2) == 0));
    assert(expected >= SEGMENTS_MAX || (count < expected && option.size == sizes[count]));
    ++count;
  }
  assert(expected >= SEGMENTS_MAX || count == expected);
  size_t separators = 0;
  for (size_t i = 0; i < uri->query.size; ++i) separators += uri->query.data[i] == '&';
  assert(arguments == (uri->has_query ? separators + 1 : 0));
}

/* What 6.5 and 6.4 do not carry across: a host's upper case, and a "%" that an option holds. */
static bool host_survives(const copal_view *view) {
  copal_option host;
  if (!copal_find(view, COPAL_OPTION_URI_HOST, &host)) return true;
  bool dotted = true;
  for (size_t i = 0; i < host.size; ++i) {
    uint8_t byte = host.value[i];
    if (byte == '%' || byte == '[' || (byte >= 'A' && byte <= 'Z')) return false;
    dotted = dotted && (byte == '.' || (byte >= '0' && byte <= '9'));
  }
  return !dotted;
}

static copal_error decompose(const char *text, size_t size, uint8_t *storage, copal_message *message, copal_uri *uri) {
  copal_error error = copal_uri_parse(text, size, uri);
  if (error != COPAL_OK) return error;
  copal_message_init(message, storage, STORAGE_SIZE, COPAL_CON, COPAL_GET);
  return copal_uri_to_options(uri, message);
}

static void check_composed(const copal_view *view, copal_scheme scheme, bool exact) {
  static char text[TEXT_SIZE], again[TEXT_SIZE];
  static uint8_t storage[STORAGE_SIZE];
  copal_message message;
  copal_uri uri;
  int size = copal_uri_write(view, scheme, "192.0.2.1:61616", true, text, sizeof text);
  if (size < 0) {
    assert(text[0] == '\0');
    return;
  }
  assert(strlen(text) == (size_t)size);
  copal_error error = decompose(text, (size_t)size, storage, &message, &uri);
  if (!exact) return;
  assert(error == COPAL_OK);
  assert(uri.scheme == scheme);
  copal_view found = copal_message_view(&message);
  assert(found.options.size == view->options.size);
  assert(memcmp(found.options.data, view->options.data, found.options.size) == 0);
  assert(copal_uri_write(&found, scheme, "192.0.2.1:61616", true, again, sizeof again) == size);
  assert(memcmp(text, again, (size_t)size) == 0);
}

/* The text is a URI. */
static void fuzz_parsing(const uint8_t *data, size_t size) {
  static uint8_t storage[STORAGE_SIZE];
  copal_message message;
  copal_uri uri;
  copal_error error = decompose((const char *)data, size, storage, &message, &uri);
  if (error != COPAL_OK) return;
  check_inside(uri.host, data, size);
  check_inside(uri.zone, data, size);
  check_inside(uri.path, data, size);
  check_inside(uri.query, data, size);
  assert(uri.host.size > 0 && uri.scheme < COPAL_SCHEME_COUNT);
  check_options(&uri, &message);
  copal_view view = copal_message_view(&message);
  bool unix_socket = uri.scheme == COPAL_SCHEME_COAP_UNIX;
  if (!unix_socket) check_composed(&view, (copal_scheme)uri.scheme, host_survives(&view));
}

/* The text is option values, separated by line feeds: a letter that says which option, and its value. */
static void fuzz_composing(const uint8_t *data, size_t size) {
  static uint8_t storage[STORAGE_SIZE];
  static char text[TEXT_SIZE];
  copal_message message;
  copal_message_init(&message, storage, sizeof storage, COPAL_CON, COPAL_GET);
  for (size_t at = 0; at < size;) {
    size_t end = at;
    while (end < size && data[end] != '\n') ++end;
    uint16_t number = COPAL_OPTION_URI_PATH;
    if (data[at] == 'h') number = COPAL_OPTION_URI_HOST;
    if (data[at] == 'p') number = COPAL_OPTION_URI_PORT;
    if (data[at] == 'q') number = COPAL_OPTION_URI_QUERY;
    if (data[at] == 'u') number = COPAL_OPTION_PROXY_URI;
    if (data[at] == 's') number = COPAL_OPTION_PROXY_SCHEME;
    if (end > at) copal_message_add_raw(&message, number, data + at + 1, end - at - 1);
    at = end + 1;
  }
  copal_view view = copal_message_view(&message);
  for (int explicit_ = 0; explicit_ < 2; ++explicit_) {
    int length = copal_uri_write(&view, COPAL_SCHEME_COAPS, NULL, explicit_ != 0, text, sizeof text);
    assert(length >= 0 ? strlen(text) == (size_t)length : text[0] == '\0');
    for (int i = 0; i < length; ++i) assert(text[i] > ' ' && text[i] < 0x7f);
    if (length > 0) {
      /* Every capacity below the need is refused, and nothing is written past it. */
      size_t capacity = (size_t)length;
      char *exact = malloc(capacity);
      assert(exact != NULL);
      assert(copal_uri_write(&view, COPAL_SCHEME_COAPS, NULL, explicit_ != 0, exact, capacity) == COPAL_ERR_SPACE);
      free(exact);
    }
  }
  check_composed(&view, COPAL_SCHEME_COAP, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_parsing(data, size);
  fuzz_composing(data, size);
  return 0;
}

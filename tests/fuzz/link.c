/* Any text as a link-format document, and any text as a filter. What is read, written and read again must be the same
 * links; a link taken whole has no parameter that fails; filters agree with a plain comparison of copies. */
#undef NDEBUG
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "copal/message.h"
#include "copal/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(copal_bytes a, copal_bytes b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static char *text_of(copal_bytes bytes) {
  char *text = malloc(bytes.size + 1);
  assert(text != NULL);
  if (bytes.size > 0) memcpy(text, bytes.data, bytes.size);
  text[bytes.size] = '\0';
  return text;
}

/* A copy with its escapes resolved; the caller frees it. */
static copal_bytes value_of(const copal_link_parameter *parameter) {
  char *buffer = malloc(parameter->value.size + 1);
  assert(buffer != NULL);
  int size = copal_link_unescape(parameter, buffer, parameter->value.size);
  assert(size >= 0 && (size_t)size <= parameter->value.size);
  if (size > 0) assert(copal_link_unescape(parameter, buffer, (size_t)size - 1) == COPAL_ERR_SPACE);
  return (copal_bytes){(const uint8_t *)buffer, (size_t)size};
}

static void release(copal_bytes value) { free((void *)(uintptr_t)value.data); }

static void write_parameter(copal_link_writer *writer, const copal_link_parameter *parameter) {
  char *name = text_of(parameter->name);
  copal_bytes value = value_of(parameter);
  const char *given = parameter->has_value ? (const char *)value.data : NULL;
  copal_link_write_parameter(writer, name, given, given != NULL ? value.size : 0, parameter->quoted);
  free(name);
  release(value);
}

/* Writes the links of a document up to its end or first error; returns how many. */
static size_t write_links(copal_bytes document, copal_link_writer *writer) {
  copal_link link;
  size_t count = 0;
  const uint8_t *start = document.data;
  size_t size = document.size;
  while (copal_link_next(&document, &link) > 0) {
    assert(document.size < size && document.data + document.size == start + size);
    copal_link_write(writer, (const char *)link.target.data, link.target.size);
    copal_bytes rest = link.parameters;
    copal_link_parameter parameter, found;
    int result;
    while ((result = copal_link_parameter_next(&rest, &parameter)) > 0) {
      char *name = text_of(parameter.name);
      assert(copal_link_find(&link, name, &found) && found.name.data <= parameter.name.data);
      free(name);
      write_parameter(writer, &parameter);
    }
    assert(result == 0);
    ++count;
  }
  return count;
}

static void check_same_parameters(copal_link a, copal_link b) {
  copal_link_parameter first, second;
  while (copal_link_parameter_next(&a.parameters, &first) > 0) {
    assert(copal_link_parameter_next(&b.parameters, &second) == 1);
    assert(same(first.name, second.name));
    assert(first.has_value == second.has_value && first.quoted == second.quoted);
    copal_bytes value = value_of(&first), other = value_of(&second);
    assert(same(value, other));
    release(value);
    release(other);
  }
  assert(copal_link_parameter_next(&b.parameters, &second) == 0);
}

static void fuzz_document(copal_bytes document) {
  copal_link_writer counter = {0};
  size_t count = write_links(document, &counter);
  assert(counter.error == COPAL_OK);
  char *buffer = malloc(counter.size > 0 ? counter.size : 1);
  assert(buffer != NULL);
  copal_link_writer writer = {buffer, counter.size, 0, COPAL_OK};
  write_links(document, &writer);
  assert(writer.error == COPAL_OK && writer.size == counter.size);

  copal_bytes written = {(const uint8_t *)buffer, writer.size};
  copal_link before, after;
  for (size_t i = 0; i < count; ++i) {
    assert(copal_link_next(&document, &before) == 1 && copal_link_next(&written, &after) == 1);
    assert(same(before.target, after.target));
    check_same_parameters(before, after);
  }
  assert(copal_link_next(&written, &after) == 0);
  free(buffer);
}

/* A link that has just this value must pass the filter that asks for it, and for any beginning of it. */
static void fuzz_filter(copal_bytes value) {
  size_t capacity = 2 * value.size + 16;
  char *buffer = malloc(capacity);
  uint8_t *argument = malloc(value.size + 8);
  assert(buffer != NULL && argument != NULL);
  copal_link_writer writer = {buffer, capacity, 0, COPAL_OK};
  copal_link_write(&writer, "/", 1);
  copal_link_write_parameter(&writer, "title", value.size > 0 ? (const char *)value.data : "", value.size, true);
  assert(writer.error == COPAL_OK);
  copal_bytes document = {(const uint8_t *)buffer, writer.size};
  copal_link link;
  assert(copal_link_next(&document, &link) == 1 && document.size == 0);

  memcpy(argument, "title=", 6);
  if (value.size > 0) memcpy(argument + 6, value.data, value.size);
  assert(copal_link_matches(&link, (copal_bytes){argument, 6 + value.size}));
  for (size_t size = 0; size <= value.size && size < 64; ++size) {
    if (value.size > 0) memcpy(argument + 6, value.data, value.size);
    argument[6 + size] = '*';
    assert(copal_link_matches(&link, (copal_bytes){argument, 6 + size + 1}));
    /* And a byte more than there is, another byte, or a byte less, must not pass. */
    argument[6 + size] = (uint8_t)(size < value.size ? value.data[size] ^ 1 : 'x');
    if (argument[6 + size] != '*') assert(!copal_link_matches(&link, (copal_bytes){argument, 6 + size + 1}));
  }
  free(argument);
  free(buffer);
}

/* The first line is a filter for the links of the rest. */
static void fuzz_pair(copal_bytes text) {
  size_t end = 0;
  while (end < text.size && text.data[end] != '\n') ++end;
  if (end == text.size) return;
  copal_bytes argument = {text.data, end}, document = {text.data + end + 1, text.size - end - 1};
  bool target = end >= 5 && memcmp(text.data, "href=", 5) == 0 && text.data[end - 1] != '*';
  copal_link link;
  while (copal_link_next(&document, &link) > 0) {
    bool matches = copal_link_matches(&link, argument);
    if (target) assert(matches == same(link.target, (copal_bytes){argument.data + 5, end - 5}));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  copal_bytes text = {data, size};
  fuzz_document(text);
  if (size < 4096) fuzz_filter(text);
  fuzz_pair(text);
  return 0;
}

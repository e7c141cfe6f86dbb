/* Writes a link-format document front to back, or counts what it would need. RFC 6690 section 2.
 *
 * A call that does not fit leaves the document as it was before it, so what was written is always whole. It refuses
 * what would make a document that cannot be read back; which parameters a link should have is the caller's matter. */
#include <assert.h>

#include "message/link.h"

static void put(copal_link_writer *writer, uint8_t byte);
static void put_bytes(copal_link_writer *writer, const uint8_t *bytes, size_t size);
static void put_quoted(copal_link_writer *writer, const uint8_t *bytes, size_t size);
static bool all(const uint8_t *bytes, size_t size, bool (*allowed)(uint8_t byte));
static bool is_name(copal_bytes name);
static void finish(copal_link_writer *writer, size_t start, bool legal);

void copal_link_write(copal_link_writer *writer, const char *target, size_t target_size) {
  assert(writer != NULL && (target != NULL || target_size == 0));
  if (writer->error != COPAL_OK) return;
  const uint8_t *bytes = (const uint8_t *)target;
  size_t start = writer->size;
  if (start > 0) put(writer, ',');
  put(writer, '<');
  put_bytes(writer, bytes, target_size);
  put(writer, '>');
  finish(writer, start, all(bytes, target_size, link_is_target));
}

void copal_link_write_parameter(copal_link_writer *writer, const char *name, const char *value, size_t value_size,
                                bool quoted) {
  assert(writer != NULL && name != NULL && (value != NULL || value_size == 0));
  if (writer->error != COPAL_OK) return;
  assert(writer->size > 0); /* a parameter belongs to a link */
  copal_bytes name_bytes = {(const uint8_t *)name, 0};
  while (name[name_bytes.size] != '\0') ++name_bytes.size;
  const uint8_t *bytes = (const uint8_t *)value;
  size_t start = writer->size;
  bool legal = is_name(name_bytes);
  put(writer, ';');
  put_bytes(writer, name_bytes.data, name_bytes.size);
  if (value != NULL) put(writer, '=');
  if (value != NULL && quoted) put_quoted(writer, bytes, value_size);
  if (value != NULL && !quoted) {
    put_bytes(writer, bytes, value_size);
    legal = legal && value_size > 0 && all(bytes, value_size, link_is_token);
  }
  finish(writer, start, legal);
}

static void put(copal_link_writer *writer, uint8_t byte) {
  if (writer->buffer != NULL) {
    if (writer->size >= writer->capacity) {
      writer->error = COPAL_ERR_SPACE;
      return;
    }
    writer->buffer[writer->size] = (char)byte;
  }
  ++writer->size;
}

static void put_bytes(copal_link_writer *writer, const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size && writer->error == COPAL_OK; ++i) put(writer, bytes[i]);
}

static void put_quoted(copal_link_writer *writer, const uint8_t *bytes, size_t size) {
  put(writer, '"');
  for (size_t i = 0; i < size && writer->error == COPAL_OK; ++i) {
    bool blank = bytes[i] == '\t' || bytes[i] == '\r' || bytes[i] == '\n';
    bool control = (bytes[i] < ' ' && !blank) || bytes[i] == 0x7f;
    if (bytes[i] == '"' || bytes[i] == '\\' || control) put(writer, '\\');
    if (writer->error == COPAL_OK) put(writer, bytes[i]);
  }
  if (writer->error == COPAL_OK) put(writer, '"');
}

static bool all(const uint8_t *bytes, size_t size, bool (*allowed)(uint8_t byte)) {
  for (size_t i = 0; i < size; ++i) {
    if (!allowed(bytes[i])) return false;
  }
  return true;
}

static bool is_name(copal_bytes name) {
  bool starred = name.size > 1 && name.data[name.size - 1] == '*';
  return name.size > 0 && all(name.data, name.size - (starred ? 1 : 0), link_is_name);
}

static void finish(copal_link_writer *writer, size_t start, bool legal) {
  if (!legal) writer->error = COPAL_ERR_LINK_SYNTAX;
  if (writer->error != COPAL_OK) writer->size = start;
}

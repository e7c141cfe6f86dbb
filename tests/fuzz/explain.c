/* Fuzzing the explanation of datagrams. Taken apart, every byte of an input belongs to exactly one part, in order; what
 * is wrong is wrong for copal_decode, too, and nothing else is. Whatever it is, it is explained in lines without
 * control characters that fit a screen, and as one line of JSON.
 *
 * Built with clang -fsanitize=fuzzer,address,undefined; seeds are in corpus/explain. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/capture/dissect.h"
#include "cli/capture/explain.h"

enum { COLUMNS_MAX = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

/* What two errors in one datagram are called depends on which is looked for first: the decoder sums up small deltas
 * before it looks at their number, and looks at the size before the version. */
static bool is_same_error(copal_error decoded, copal_error found) {
  return decoded == found || found == COPAL_ERR_OPTION_NUMBER_RANGE ||
         (decoded == COPAL_ERR_DATAGRAM_SHORT && found == COPAL_ERR_VERSION);
}

static void take_apart(copal_bytes datagram) {
  copal_view view = {0};
  copal_error error = copal_decode(datagram.data, datagram.size, &view);
  copal_options walk = {NULL, NULL, 0};
  if (error == COPAL_OK) walk = copal_options_of(&view);
  struct dissection dissection = dissect(datagram);
  copal_error found = COPAL_OK;
  size_t at = 0;
  for (struct part part; dissect_next(&dissection, &part);) {
    require(part.offset == at);
    require(part.bytes.size == 0 || part.bytes.data == datagram.data + at);
    require(part.bytes.size > 0 || part.kind == PART_WRONG);
    at += part.bytes.size;
    if (part.kind == PART_WRONG) {
      require(found == COPAL_OK && part.error != COPAL_OK && dissect_rule(part.error) != NULL);
      found = part.error;
    }
    if (error != COPAL_OK) continue;
    if (part.kind == PART_TOKEN) require(part.bytes.data == view.token.data && part.bytes.size == view.token.size);
    if (part.kind == PART_PAYLOAD) require(part.bytes.data == view.payload.data);
    copal_option option;
    if (part.kind != PART_OPTION) continue;
    require(copal_options_next(&walk, &option));
    require(option.number == part.option.number && option.size == part.option.size);
    require(option.value == part.option.value);
  }
  require(at == datagram.size);
  require((error == COPAL_OK) == (found == COPAL_OK));
  require(error == COPAL_OK || is_same_error(error, found));
  copal_option option;
  require(!copal_options_next(&walk, &option));
}

static copal_error print(copal_bytes datagram, FILE *stream, int how) {
  struct json json;
  copal_error error = COPAL_OK;
  switch (how) {
    case 0: return explain_datagram(stream, datagram);
    case 1: return explain_line(stream, datagram);
    case 2:
      json_begin(&json, stream);
      error = explain_json(&json, datagram);
      json_end(&json);
      return error;
    default: explain_table(stream, datagram, &explain_compact);
  }
  copal_view view;
  return copal_decode(datagram.data, datagram.size, &view);
}

static void show(copal_bytes datagram, int how) {
  copal_view view;
  char *output = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&output, &size);
  require(stream != NULL);
  require(print(datagram, stream, how) == copal_decode(datagram.data, datagram.size, &view));
  require(fclose(stream) == 0 && size > 0 && output[size - 1] == '\n');
  size_t column = 0;
  for (size_t i = 0; i < size; ++i) {
    unsigned char byte = (unsigned char)output[i];
    require(byte == '\n' ? how != 1 || i == size - 1 : byte >= 0x20 && byte != 0x7f);
    column = byte == '\n' ? 0 : column + ((byte & 0xc0) != 0x80);
    require(column <= COLUMNS_MAX || how == 1 || how == 2);
  }
  free(output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 1024) return 0;
  copal_bytes datagram = {data, size};
  take_apart(datagram);
  for (int how = 0; how < 4; ++how) show(datagram, how);
  return 0;
}

/* Any bytes as the standard input of "copal decode": datagrams in hexadecimal with empty lines between them, raw bytes,
 * or a capture; the first byte says how it is called. It ends by itself with one of the statuses that it has, and what
 * it prints moves no cursor. */
#undef NDEBUG
#include <stdio.h>

#include "cli/capture/pcap.h"
#include "cli/line/command.h"
#include "cli/line/value.h"
#include "cli/show/terminal.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_READ = 4096 };

/* The streams of the process, while others stand in their place. */
struct streams {
  FILE *in, *out, *error;
};

static struct streams swap(struct streams streams) {
  struct streams before = {stdin, stdout, stderr};
  stdin = streams.in;
  stdout = streams.out;
  stderr = streams.error;
  return before;
}

/* Whether a line is empty or of white space only: what comes after it is another datagram. */
static bool has_empty_line(copal_bytes text) {
  for (size_t at = 0; at < text.size; ++at) {
    if (text.data[at] != '\n') continue;
    size_t end = at + 1;
    while (end < text.size && memchr(" \t\r", text.data[end], 3) != NULL) ++end;
    if (end < text.size && text.data[end] == '\n') return true;
  }
  return false;
}

/* What the hexadecimal of a text says by itself, all in one datagram; false where it is none. */
static bool reads_as_one(copal_bytes input, copal_view *view, uint8_t *buffer) {
  size_t size = 0;
  if (has_empty_line(input)) return false;
  if (value_hex((const char *)input.data, input.size, buffer, SIZE_MAX_READ, &size) != HEX_OK) return false;
  return copal_decode(buffer, size, view) == COPAL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 || size > SIZE_MAX_READ) return 0;
  uint8_t how = data[0], *copy = exact_copy(data + 1, size - 1), buffer[SIZE_MAX_READ];
  const struct command *command = command_find("decode");
  char *output = NULL, *complaints = NULL;
  size_t output_size = 0, complaints_size = 0;
  struct settings settings = settings_default();
  settings.raw = (how & 1) != 0;
  settings.json = (how & 2) != 0;
  settings.brief = (how & 4) != 0 && !settings.json;
  terminal_setup(COLOR_NEVER);
  struct streams streams = {fmemopen(copy, size - 1, "rb"), open_memstream(&output, &output_size),
                            open_memstream(&complaints, &complaints_size)};
  assert(streams.in != NULL && streams.out != NULL && streams.error != NULL);
  struct streams before = swap(streams);
  enum status status = decode_run(command, &settings);
  swap(before);
  fclose(streams.in);
  fclose(streams.out);
  fclose(streams.error);

  assert(status == STATUS_SUCCESS || status == STATUS_USAGE || status == STATUS_MALFORMED || status == STATUS_LOCAL);
  assert(terminal_is_text((copal_bytes){(const uint8_t *)output, output_size}));
  assert(terminal_is_text((copal_bytes){(const uint8_t *)complaints, complaints_size}));
  copal_view view;
  bool is_text = !settings.raw && !pcap_is_one(copy, size - 1);
  if (is_text && reads_as_one((copal_bytes){copy, size - 1}, &view, buffer)) assert(status == STATUS_SUCCESS);
  if (settings.raw) assert((status == STATUS_SUCCESS) == (copal_decode(copy, size - 1, &view) == COPAL_OK));
  free(output);
  free(complaints);
  free(copy);
  return 0;
}

/* A body by its Content-Format. What it holds came from a peer and is written harmlessly. */
#include "cli/show/body.h"

#include "cli/show/links.h"
#include "cli/show/terminal.h"

void body_print(FILE *stream, copal_bytes body, uint32_t content_format) {
  if (body.size == 0) return;
  if (content_format == COPAL_LINK_FORMAT && links_print(stream, body, "") >= 0) return;
  if (!terminal_is_text(body)) {
    terminal_hex(stream, body, "");
    return;
  }
  terminal_text(stream, body, true);
  if (body.data[body.size - 1] != '\n') fputc('\n', stream);
}

void body_json(struct json *json, copal_bytes body, uint32_t content_format) {
  (void)content_format;
  if (terminal_is_text(body)) {
    json_text(json, "encoding", "text");
    json_string(json, "payload", body);
  } else {
    json_text(json, "encoding", "base64");
    json_base64(json, "payload", body);
  }
}

/* A datagram explained, field by field. Knows no capture and no network. */
#include "cli/capture/explain.h"

#include <string.h>

#include "cli/show/terminal.h"

static void explain_malformed(FILE *stream, copal_bytes datagram, copal_error error, const copal_view *view);
static void explain_header(FILE *stream, const copal_view *view);
static void explain_option(FILE *stream, const copal_option *option, bool repeated);
static void explain_payload(FILE *stream, const copal_view *view);
static void code_text(uint8_t code, char *buffer, size_t capacity);

copal_error explain_datagram(FILE *stream, copal_bytes datagram) {
  copal_view view = {0};
  copal_error error = copal_decode(datagram.data, datagram.size, &view);
  if (error != COPAL_OK) {
    explain_malformed(stream, datagram, error, &view);
    return error;
  }
  char code[64];
  code_text(view.code, code, sizeof code);
  fprintf(stream, "%s%s %s%s, %zu bytes\n", terminal_style(stream, STYLE_BOLD), copal_type_name(view.type), code,
          terminal_style(stream, STYLE_PLAIN), datagram.size);
  explain_header(stream, &view);
  copal_options walk = copal_options_of(&view);
  copal_option option;
  uint16_t before = 0;
  for (bool first = true; copal_options_next(&walk, &option); first = false) {
    explain_option(stream, &option, !first && option.number == before);
    before = option.number;
  }
  explain_payload(stream, &view);
  return COPAL_OK;
}

static void explain_malformed(FILE *stream, copal_bytes datagram, copal_error error, const copal_view *view) {
  fprintf(stream, "%smalformed%s: %s, %zu bytes\n", terminal_style(stream, STYLE_BAD),
          terminal_style(stream, STYLE_PLAIN), copal_error_text(error), datagram.size);
  /* RFC 7252 4.2 and 4.3: what a Reset needs is known even so. */
  if (error != COPAL_ERR_DATAGRAM_SHORT && error != COPAL_ERR_VERSION) {
    char code[64];
    code_text(view->code, code, sizeof code);
    fprintf(stream, "  header     type %s, code %s, message ID 0x%04x\n", copal_type_name(view->type), code,
            view->message_id);
  }
  terminal_hex(stream, datagram, "  ");
}

static void explain_header(FILE *stream, const copal_view *view) {
  fprintf(stream, "  header     version 1, type %d, token length %zu, code %d.%02d, message ID %u (0x%04x)\n",
          view->type, view->token.size, COPAL_CODE_CLASS(view->code), COPAL_CODE_DETAIL(view->code), view->message_id,
          view->message_id);
  if (view->token.size == 0) return;
  fprintf(stream, "  token      ");
  for (size_t i = 0; i < view->token.size; ++i) fprintf(stream, "%02x", view->token.data[i]);
  fputc('\n', stream);
}

static void explain_option(FILE *stream, const copal_option *option, bool repeated) {
  const copal_option_info *info = copal_option_by_number(option->number);
  bool critical = copal_option_is_critical(option->number), unsafe = copal_option_is_unsafe(option->number);
  fprintf(stream, "  option %-3u %s, ", option->number, info != NULL ? info->name : "unregistered");
  fprintf(stream, "%s%s%s%s, %u byte%s: ", terminal_style(stream, STYLE_FAINT), critical ? "critical" : "elective",
          unsafe                                         ? ", unsafe to forward"
          : copal_option_is_no_cache_key(option->number) ? ", no cache key"
                                                         : "",
          terminal_style(stream, STYLE_PLAIN), option->size, option->size == 1 ? "" : "s");
  char value[1600];
  copal_text_option(option, value, sizeof value);
  copal_bytes text = {(const uint8_t *)value, strlen(value)};
  terminal_text(stream, text, false);
  fputc('\n', stream);
  /* RFC 7252 5.4.1, 5.4.3 and 5.4.5: both make an option one that is not understood. */
  const char *effect = critical ? "so the message is rejected" : "so it is ignored";
  const char *style = terminal_style(stream, STYLE_WARNING), *plain = terminal_style(stream, STYLE_PLAIN);
  if (info != NULL && copal_option_check(option->number, option->size) != COPAL_OK) {
    fprintf(stream, "             %sillegal length: %u to %u bytes are legal, %s%s\n", style, info->size_min,
            info->size_max, effect, plain);
  }
  if (repeated && info != NULL && !info->repeatable) {
    fprintf(stream, "             %smay not be repeated, %s%s\n", style, effect, plain);
  }
}

static void explain_payload(FILE *stream, const copal_view *view) {
  copal_bytes payload = view->payload;
  if (payload.size == 0) return;
  fprintf(stream, "  payload    %zu byte%s", payload.size, payload.size == 1 ? "" : "s");
  if (terminal_is_text(payload) && payload.size <= 64 && memchr(payload.data, '\n', payload.size) == NULL) {
    fputs(": \"", stream);
    terminal_text(stream, payload, false);
    fputs("\"\n", stream);
    return;
  }
  fputc('\n', stream);
  terminal_hex(stream, payload, "    ");
}

static void code_text(uint8_t code, char *buffer, size_t capacity) {
  const char *name = copal_code_name(code);
  snprintf(buffer, capacity, "%d.%02d%s%s", COPAL_CODE_CLASS(code), COPAL_CODE_DETAIL(code), name != NULL ? " " : "",
           name != NULL ? name : "");
}

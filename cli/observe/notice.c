/* A state of what is observed, shown. Knows no endpoint; what the state holds came from a peer and is written
 * harmlessly. */
#include "cli/observe/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/line/value.h"
#include "cli/show/body.h"
#include "cli/show/json.h"
#include "cli/show/terminal.h"
#include "cli/show/window.h"

enum { TIME_TEXT_MAX = 32, VALUE_ROOM_MIN = 16, DECIMALS = 6, ERROR_NAME_MAX = 40 };

static void time_of_day(char buffer[TIME_TEXT_MAX]);
static size_t print_head(const struct notice *notice);
static size_t characters_of(copal_bytes text);
static uint32_t format_of(const copal_view *message);
static void add_where(struct json *json, const char *kind, const struct notice *notice);
static void add_options(struct json *json, const copal_view *message);
static void add_content_format(struct json *json, uint32_t format);

void notice_line(const struct notice *notice) {
  size_t columns = window_of(stdout).columns, used = print_head(notice);
  size_t room = columns > used + VALUE_ROOM_MIN ? columns - used : VALUE_ROOM_MIN;
  copal_bytes body = notice->body, line = body;
  uint32_t format = format_of(notice->message);
  if (line.size > 0 && line.data[line.size - 1] == '\n') --line.size;
  bool is_one_line = terminal_is_text(line) && memchr(line.data, '\n', line.size) == NULL;
  if (body.data != NULL && is_one_line && characters_of(line) < room) {
    fputs(terminal_style(stdout, STYLE_BOLD), stdout);
    terminal_text(stdout, line, false);
    printf("%s\n", terminal_style(stdout, STYLE_PLAIN));
  } else {
    char size[32];
    if (notice->body_size > 0) fputs(value_size_text(notice->body_size, size, sizeof size), stdout);
    fputc('\n', stdout);
    body_print(stdout, body, format);
  }
  fflush(stdout);
}

void notice_json(const struct notice *notice) {
  const copal_view *message = notice->message;
  struct json json;
  json_begin(&json, stdout);
  add_where(&json, "notification", notice);
  uint32_t sequence = copal_find_uint(message, COPAL_OPTION_OBSERVE, UINT32_MAX);
  if (sequence != UINT32_MAX) json_uint(&json, "sequence", sequence);
  if (notice->since != COPAL_NEVER) {
    json_real(&json, "since_last_s", (double)notice->since / (double)COPAL_SECOND, DECIMALS);
  }
  char code[8];
  snprintf(code, sizeof code, "%d.%02d", COPAL_CODE_CLASS(message->code), COPAL_CODE_DETAIL(message->code));
  uint32_t format = format_of(message);
  json_object(&json, "response");
  json_text(&json, "code", code);
  json_text(&json, "name", copal_code_name(message->code));
  add_options(&json, message);
  add_content_format(&json, format);
  json_uint(&json, "size", notice->body_size);
  bool is_here = notice->body.data != NULL || notice->body_size == 0;
  if (is_here && message->code != COPAL_VALID) body_json(&json, notice->body, format);
  json_close(&json);
  json_uint(&json, "status", (uint64_t)status_of_code(message->code));
  json_end(&json);
}

/* COPAL_ERR_BODY_SIZE is "body_size": the names of error.h, which never change. */
void notice_error(const struct notice *notice, copal_error error, copal_time delay) {
  static const char prefix[] = "COPAL_ERR_";
  const char *constant = copal_error_name(error);
  char name[ERROR_NAME_MAX] = "unknown";
  if (constant != NULL && strncmp(constant, prefix, sizeof prefix - 1) == 0) constant += sizeof prefix - 1;
  if (constant != NULL) snprintf(name, sizeof name, "%s", constant);
  for (char *at = name; *at != '\0'; ++at) {
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
  }
  struct json json;
  json_begin(&json, stdout);
  add_where(&json, "error", notice);
  json_object(&json, "error");
  json_text(&json, "name", name);
  json_text(&json, "message", copal_error_text(error));
  json_close(&json);
  if (delay != COPAL_NEVER) json_real(&json, "retry_in_s", (double)delay / (double)COPAL_SECOND, DECIMALS);
  json_uint(&json, "status", (uint64_t)status_of_error(error));
  json_end(&json);
}

static void time_of_day(char buffer[TIME_TEXT_MAX]) {
  struct timespec now;
  struct tm local;
  char text[16] = "";
  clock_gettime(CLOCK_REALTIME, &now);
  if (localtime_r(&now.tv_sec, &local) != NULL) strftime(text, sizeof text, "%H:%M:%S", &local);
  snprintf(buffer, TIME_TEXT_MAX, "%s.%03u", text, (unsigned)(now.tv_nsec / 1000000) % 1000);
}

/* Returns how many columns it took. */
static size_t print_head(const struct notice *notice) {
  const copal_view *message = notice->message;
  char time[TIME_TEXT_MAX], sequence[16] = "-", since[32] = "", head[160], details[160] = "";
  time_of_day(time);
  uint32_t number = copal_find_uint(message, COPAL_OPTION_OBSERVE, UINT32_MAX), format = format_of(message);
  if (number != UINT32_MAX) snprintf(sequence, sizeof sequence, "#%" PRIu32, number);
  if (notice->since != COPAL_NEVER) {
    since[0] = '+';
    value_duration_text(notice->since, since + 1, sizeof since - 1);
  }
  snprintf(head, sizeof head, "%s %9s %10s  ", time, sequence, since);
  printf("%s%s%s", terminal_style(stdout, STYLE_FAINT), head, terminal_style(stdout, STYLE_PLAIN));
  size_t used = strlen(head);
  if (notice->names_uri) {
    copal_bytes uri = {(const uint8_t *)notice->uri, strlen(notice->uri)};
    terminal_text(stdout, uri, false);
    fputs("  ", stdout);
    used += characters_of(uri) + 2;
  }
  if (message->code != COPAL_CONTENT) {
    const char *name = copal_code_name(message->code);
    snprintf(details, sizeof details, "%d.%02d %s  ", COPAL_CODE_CLASS(message->code), COPAL_CODE_DETAIL(message->code),
             name != NULL ? name : "");
  }
  if (format != COPAL_FORMAT_NONE && format != COPAL_TEXT_PLAIN) {
    const char *name = copal_content_format_name((uint16_t)format);
    size_t size = strlen(details);
    if (name != NULL) snprintf(details + size, sizeof details - size, "%s  ", name);
    if (name == NULL) snprintf(details + size, sizeof details - size, "format %" PRIu32 "  ", format);
  }
  fputs(details, stdout);
  return used + strlen(details);
}

/* As many as there are first bytes of characters. */
static size_t characters_of(copal_bytes text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size; ++i) count += (text.data[i] & 0xc0) != 0x80;
  return count;
}

/* A Content-Format has two bytes. */
static uint32_t format_of(const copal_view *message) {
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  return format < COPAL_FORMAT_NONE ? format : COPAL_FORMAT_NONE;
}

static void add_where(struct json *json, const char *kind, const struct notice *notice) {
  json_text(json, "kind", kind);
  json_text(json, "uri", notice->uri);
  json_text(json, "peer", notice->peer);
}

/* A number, text, or bytes in hexadecimal: which it is follows from the option alone, not from its value. */
static void add_options(struct json *json, const copal_view *message) {
  copal_options walk = copal_options_of(message);
  copal_option option;
  json_array(json, "options");
  while (copal_options_next(&walk, &option)) {
    const copal_option_info *info = copal_option_by_number(option.number);
    uint8_t format = info != NULL ? info->format : COPAL_FORMAT_OPAQUE;
    copal_bytes bytes = {option.value, option.size};
    json_object(json, NULL);
    json_uint(json, "number", option.number);
    json_text(json, "name", info != NULL ? info->name : NULL);
    if (format == COPAL_FORMAT_UINT && option.size <= 4) {
      json_uint(json, "value", copal_option_uint(&option));
    } else if (format == COPAL_FORMAT_STRING) {
      json_string(json, "value", bytes);
    } else {
      json_hex(json, "value", bytes);
    }
    json_close(json);
  }
  json_close(json);
}

static void add_content_format(struct json *json, uint32_t format) {
  if (format == COPAL_FORMAT_NONE) {
    json_null(json, "content_format");
    return;
  }
  json_object(json, "content_format");
  json_uint(json, "number", format);
  json_text(json, "name", copal_content_format_name((uint16_t)format));
  json_close(json);
}

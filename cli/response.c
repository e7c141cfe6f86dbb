/* A response, shown. Knows no endpoint; what the response holds came from a peer and is written harmlessly. */
#include "cli/response.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/links.h"
#include "cli/terminal.h"
#include "cli/value.h"

static void show_status(const copal_view *response, const struct response_origin *origin);
static void show_options(const copal_view *response);
static void show_diagnostic(const copal_view *response);
static void show_blocks(const copal_view *response);
static enum status write_body(const copal_view *response, const char *command, const char *path);
static void show_body(const copal_view *response);

enum status response_show(const copal_view *response, const struct response_origin *origin,
                          const struct settings *settings) {
  enum status status = status_of_code(response->code);
  bool good = status == STATUS_SUCCESS;
  bool watched = settings->verbose || terminal_is(stdout) || terminal_is(stderr);
  if (!settings->quiet && (watched || !good || origin->peer != NULL)) {
    show_status(response, origin);
    show_options(response);
  }
  if (!settings->quiet) show_blocks(response);
  if (!good) {
    if (!settings->quiet) show_diagnostic(response);
    return status;
  }
  if (settings->output != NULL && strcmp(settings->output, "-") != 0) {
    enum status written = write_body(response, origin->command, settings->output);
    return written == STATUS_SUCCESS ? status : written;
  }
  show_body(response);
  return status;
}

static void show_status(const copal_view *response, const struct response_origin *origin) {
  enum style style = STYLE_GOOD;
  if (COPAL_CODE_CLASS(response->code) != 2) style = COPAL_CODE_CLASS(response->code) == 4 ? STYLE_WARNING : STYLE_BAD;
  const char *name = copal_code_name(response->code);
  fprintf(stderr, "%s%d.%02d%s%s%s", terminal_style(stderr, style), COPAL_CODE_CLASS(response->code),
          COPAL_CODE_DETAIL(response->code), name != NULL ? " " : "", name != NULL ? name : "",
          terminal_style(stderr, STYLE_PLAIN));
  uint32_t format = copal_find_uint(response, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  const char *format_name = format < COPAL_FORMAT_NONE ? copal_content_format_name((uint16_t)format) : NULL;
  if (format_name != NULL) {
    fprintf(stderr, "  %s", format_name);
  } else if (format != COPAL_FORMAT_NONE) {
    fprintf(stderr, "  format %u", format);
  }
  if (response->payload.size > 0) fprintf(stderr, "  %zu B", response->payload.size);
  char round_trip[32];
  fprintf(stderr, "  %s", value_duration_text(origin->round_trip, round_trip, sizeof round_trip));
  if (origin->peer != NULL) fprintf(stderr, "  from %s", origin->peer);
  fputc('\n', stderr);
}

static void show_options(const copal_view *response) {
  copal_options walk = copal_options_of(response);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (option.number == COPAL_OPTION_CONTENT_FORMAT) continue; /* stands in the status line */
    const copal_option_info *info = copal_option_by_number(option.number);
    char value[400];
    copal_text_option(&option, value, sizeof value);
    fprintf(stderr, "  %s", terminal_style(stderr, STYLE_FAINT));
    if (info != NULL) {
      fprintf(stderr, "%s:", info->name);
    } else {
      fprintf(stderr, "option %u:", option.number);
    }
    fprintf(stderr, "%s ", terminal_style(stderr, STYLE_PLAIN));
    copal_bytes text = {(const uint8_t *)value, strlen(value)};
    terminal_text(stderr, text, false);
    fputc('\n', stderr);
  }
}

/* RFC 7252 5.5.2: without a Content-Format, the payload of an error is text for people. */
static void show_diagnostic(const copal_view *response) {
  copal_bytes payload = response->payload;
  copal_option option;
  if (payload.size == 0) return;
  if (copal_find(response, COPAL_OPTION_CONTENT_FORMAT, &option) && !terminal_is_text(payload)) {
    terminal_hex(stderr, payload, "  ");
    return;
  }
  fputs("  ", stderr);
  terminal_text(stderr, payload, true);
  if (payload.data[payload.size - 1] != '\n') fputc('\n', stderr);
}

/* RFC 7959 2.2: with the M bit set, the body goes on in further blocks. */
static void show_blocks(const copal_view *response) {
  copal_option option;
  if (!copal_find(response, COPAL_OPTION_BLOCK2, &option) || option.size > 3) return;
  copal_block block = copal_block_of(copal_option_uint(&option));
  if (!block.more) return;
  remark("this is block %u of a larger body; ask for the next with -O Block2=%u", block.number,
         copal_block_value((copal_block){block.number + 1, false, block.szx}));
}

static enum status write_body(const copal_view *response, const char *command, const char *path) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) {
    complain(command, "cannot open %s: %s", path, strerror(errno));
    return STATUS_LOCAL;
  }
  size_t written = fwrite(response->payload.data, 1, response->payload.size, file);
  if (fclose(file) != 0 || written != response->payload.size) {
    complain(command, "cannot write %s: %s", path, strerror(errno));
    return STATUS_LOCAL;
  }
  return STATUS_SUCCESS;
}

/* A program gets the bytes as they are; a person gets them readable. */
static void show_body(const copal_view *response) {
  copal_bytes payload = response->payload;
  if (payload.size == 0) return;
  if (!terminal_is(stdout)) {
    fwrite(payload.data, 1, payload.size, stdout);
    return;
  }
  uint32_t format = copal_find_uint(response, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (format == COPAL_LINK_FORMAT && links_print(stdout, payload, "") >= 0) return;
  if (!terminal_is_text(payload)) {
    terminal_hex(stdout, payload, "");
    return;
  }
  terminal_text(stdout, payload, true);
  if (payload.data[payload.size - 1] != '\n') fputc('\n', stdout);
}

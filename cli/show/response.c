/* A response, shown. Knows no endpoint; what the response holds came from a peer and is written harmlessly. */
#include "cli/show/response.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/data/format.h"
#include "cli/line/value.h"
#include "cli/show/body.h"
#include "cli/show/terminal.h"

static void show_status(const struct answer *answer);
static void show_options(const copal_view *response);
static void show_diagnostic(const struct answer *answer);
static bool show_problem(const struct answer *answer);
static void show_blocks(const struct answer *answer);

enum status response_show(const struct answer *answer, const struct settings *settings) {
  enum status status = status_of_code(answer->message->code);
  bool good = status == STATUS_SUCCESS;
  bool watched = settings->verbose > 0 || terminal_is(stdout) || terminal_is(stderr);
  if (settings->quiet) return status;
  if (watched || !good || answer->peer != NULL) {
    show_status(answer);
    show_options(answer->message);
  }
  show_blocks(answer);
  if (!good) show_diagnostic(answer);
  return status;
}

void response_show_body(copal_bytes body, uint32_t content_format) {
  if (body.size == 0) return;
  if (!terminal_is_read()) {
    fwrite(body.data, 1, body.size, stdout);
  } else if (terminal_is_pretty()) {
    body_print(stdout, body, content_format);
  } else {
    body_print_plain(stdout, body);
  }
}

static void show_status(const struct answer *answer) {
  const copal_view *response = answer->message;
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
  if (answer->body_size > 0) fprintf(stderr, "  %" PRIu64 " B", answer->body_size);
  char round_trip[32];
  if (answer->round_trip != COPAL_NEVER) {
    fprintf(stderr, "  %s", value_duration_text(answer->round_trip, round_trip, sizeof round_trip));
  }
  if (answer->peer != NULL) fprintf(stderr, "  from %s", answer->peer);
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
static void show_diagnostic(const struct answer *answer) {
  copal_bytes payload = answer->body;
  if (payload.size == 0) return;
  uint32_t format = copal_find_uint(answer->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (format == COPAL_PROBLEM && show_problem(answer)) return;
  if (data_kind_of(format) != DATA_OTHER && terminal_is_pretty()) {
    body_print(stderr, payload, format);
    return;
  }
  if (format != COPAL_FORMAT_NONE && !terminal_is_text(payload)) {
    terminal_hex(stderr, payload, "  ");
    return;
  }
  fputs("  ", stderr);
  terminal_text(stderr, payload, true);
  if (payload.data[payload.size - 1] != '\n') fputc('\n', stderr);
}

/* RFC 9290, as "title: detail (options 65001, 65003)", without what the status line said already. False where nothing
 * can be read. */
static bool show_problem(const struct answer *answer) {
  copal_problem problem;
  if (!copal_problem_read(answer->body, &problem)) return false;
  /* Servers without more to say tell what the code says. */
  const char *name = copal_code_name(answer->message->code);
  bool is_known =
      name != NULL && problem.title.size == strlen(name) && memcmp(problem.title.data, name, problem.title.size) == 0;
  if (is_known) problem.title.size = 0;
  bool has_text = problem.title.size + problem.detail.size > 0;
  if (!has_text && problem.options_count == 0) return is_known;
  fputs("  ", stderr);
  terminal_text(stderr, problem.title, false);
  if (problem.title.size > 0 && problem.detail.size > 0) fputs(": ", stderr);
  terminal_text(stderr, problem.detail, false);
  for (size_t i = 0; i < problem.options_count; ++i) {
    const copal_option_info *info = copal_option_by_number(problem.options[i]);
    const char *first = problem.options_count > 1 ? "(options " : "(option ";
    fprintf(stderr, "%s%s", i == 0 && has_text ? " " : "", i == 0 ? first : ", ");
    if (info != NULL) {
      fputs(info->name, stderr);
    } else {
      fprintf(stderr, "%u", problem.options[i]);
    }
  }
  fputs(problem.options_count > 0 ? ")\n" : "\n", stderr);
  return true;
}

/* RFC 7959 2.2: with the M bit set, the body goes on in further blocks. Only who asks for one block gets one. */
static void show_blocks(const struct answer *answer) {
  copal_option option;
  if (!copal_find(answer->message, COPAL_OPTION_BLOCK2, &option) || option.size > 3) return;
  copal_block block = copal_block_of(copal_option_uint(&option));
  if (!block.more) return;
  remark("this is block %u of a larger body; ask for the next with -O Block2=%u", block.number,
         copal_block_value((copal_block){block.number + 1, false, block.szx}));
}

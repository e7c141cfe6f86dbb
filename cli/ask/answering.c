/* How the answers of a run are shown. People get a status line or, of a group, a table; programs get bodies as they
 * are, or JSON. Sends nothing. */
#include "cli/ask/answering.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/ask/failure.h"
#include "cli/ask/interrupt.h"
#include "cli/show/response.h"
#include "cli/show/table.h"
#include "cli/show/terminal.h"

static enum status report(const struct slot *slot, const copal_result *result, const char *peer);
static enum status show(struct slot *slot, const copal_result *result, const char *peer);
static bool shows_table(const struct slot *slot);
static bool finish_body(const struct slot *slot, const copal_result *result);
static enum status unwritten(const struct slot *slot);
static void report_failure(const struct slot *slot, copal_error error, const copal_result *result, const char *text);
static void write_heading(struct slot *slot);
static bool is_watched(const struct run *run);

void answering_begin(struct slot *slot) {
  const struct run *run = slot->run;
  /* Several at a time are told apart when their answers come. */
  if (run->slots_count == 1 && is_watched(run)) write_heading(slot);
  if (slot->question.group && shows_table(slot)) table_head(stdout);
}

enum status answering_response(struct slot *slot, const copal_result *result) {
  char peer[COPAL_ADDRESS_TEXT_MAX];
  const struct run *run = slot->run;
  copal_address_text(run->client.endpoint, &result->rx->path.remote, peer, sizeof peer);
  const char *shown = slot->question.group ? peer : NULL;
  return run->client.settings->json ? report(slot, result, shown) : show(slot, result, shown);
}

enum status answering_failure(struct slot *slot, copal_error error, const copal_result *result, const char *reason) {
  const struct settings *settings = slot->run->client.settings;
  enum status status = status_of_error(error);
  bool local = error == COPAL_ERR_BODY_READ || error == COPAL_ERR_BODY_WRITE;
  char text[FAILURE_TEXT_MAX];
  if (reason == NULL) {
    question_failure(&slot->question, error, result, text, sizeof text);
    reason = text;
  }
  if (settings->json) {
    report_failure(slot, error, result, reason);
  } else if (error == COPAL_ERR_BODY_WRITE) {
    return unwritten(slot);
  } else if ((local && interrupt_signal() == 0) || (!local && !settings->quiet)) {
    /* Whoever interrupts the reading of standard input knows why it ended. */
    write_heading(slot);
    complain(slot->run->client.command, "%s", reason);
  }
  return status;
}

void answering_silence(struct slot *slot, const copal_result *result) {
  if (!slot->run->client.settings->json) return;
  struct asked asked = question_asked(&slot->question);
  struct outcome outcome = outcome_of(result);
  report_response(&asked, &outcome);
}

void answering_end(const struct run *run) {
  const struct settings *settings = run->client.settings;
  if (!run->several || settings->quiet || !(settings->verbose > 0 || terminal_is(stderr))) return;
  totals_print(&run->totals, stderr, copal_now());
}

static enum status report(const struct slot *slot, const copal_result *result, const char *peer) {
  struct asked asked = question_asked(&slot->question);
  struct outcome outcome = outcome_of(result);
  outcome.peer = peer;
  bool goes_to_file = slot->question.sink != NULL && outcome.status == STATUS_SUCCESS;
  if (goes_to_file && result->rx->message.code != COPAL_VALID) {
    if (!finish_body(slot, result)) return unwritten(slot);
    if (result->body_size > 0) outcome.body = (copal_bytes){NULL, 0};
  }
  report_response(&asked, &outcome);
  return outcome.status;
}

static enum status show(struct slot *slot, const copal_result *result, const char *peer) {
  const struct settings *settings = slot->run->client.settings;
  const copal_rx *rx = result->rx;
  const struct sink *sink = run_sink(slot);
  struct answer answer = {&rx->message, result->body, result->body_size, peer, 0};
  if (rx->time > result->began) answer.round_trip = rx->time - result->began;
  /* 2.03 says that what is in the file already is right. */
  bool has_body = COPAL_CODE_CLASS(rx->message.code) == 2 && rx->message.code != COPAL_VALID;
  bool good = COPAL_CODE_CLASS(rx->message.code) == 2;
  if (is_watched(slot->run) || (!good && !settings->quiet)) write_heading(slot);
  if (slot->question.group && shows_table(slot)) {
    table_row(stdout, &answer);
    terminal_flush(stdout);
    if (has_body && sink->named && !finish_body(slot, result)) return unwritten(slot);
    return status_of_code(rx->message.code);
  }
  /* The rest of a text that is on the screen already comes before the status line, else the body comes behind it. */
  bool is_first = has_body && sink->spilled;
  bool is_written = !is_first || finish_body(slot, result);
  enum status status = response_show(&answer, settings);
  if (has_body && !is_first) is_written = finish_body(slot, result);
  return is_written ? status : unwritten(slot);
}

/* Who wants to see all of a group's answers asks for --verbose. */
static bool shows_table(const struct slot *slot) {
  const struct settings *settings = slot->run->client.settings;
  return !settings->json && settings->verbose == 0 && terminal_is(stdout);
}

static bool finish_body(const struct slot *slot, const copal_result *result) {
  struct sink *sink = run_sink(slot);
  copal_bytes gathered = result->body;
  if (gathered.size > 0 && !sink_write(sink, 0, gathered.data, gathered.size)) return false;
  uint32_t format = copal_find_uint(&result->rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  return sink_end(sink, format, false);
}

static enum status unwritten(const struct slot *slot) {
  const struct sink *sink = run_sink(slot);
  /* What standard output does not take is told when the program ends, once for all subcommands. */
  bool told_later = !sink->named && ferror(stdout) != 0;
  if (!told_later) complain(slot->run->client.command, "%s", sink->reason);
  slot->run->broken = true;
  return STATUS_LOCAL;
}

static void report_failure(const struct slot *slot, copal_error error, const copal_result *result, const char *text) {
  struct asked asked = question_asked(&slot->question);
  static const copal_result nothing = {.began = COPAL_NEVER};
  struct outcome outcome = outcome_of(result != NULL ? result : &nothing);
  outcome.error = error;
  outcome.error_text = text;
  outcome.status = status_of_error(error);
  report_response(&asked, &outcome);
}

/* Whose answer follows, where it might be another's. */
static void write_heading(struct slot *slot) {
  const struct run *run = slot->run;
  if (!run->several || slot->headed || run->client.settings->quiet || run->client.settings->json) return;
  slot->headed = true;
  terminal_flush(stdout);
  fprintf(stderr, "%s== %s", terminal_style(stderr, STYLE_BOLD), slot->goal->target.text);
  if (run->schedule.rounds != 1) fprintf(stderr, "  #%" PRIu64, (uint64_t)slot->round + 1);
  fprintf(stderr, "%s\n", terminal_style(stderr, STYLE_PLAIN));
}

static bool is_watched(const struct run *run) {
  return run->client.settings->verbose > 0 || terminal_is(stdout) || terminal_is(stderr);
}

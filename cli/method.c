/* copal get, put, post, delete, fetch, patch, ipatch: calls, one or several, each of which takes as many exchanges as
 * its bodies need. Several share one endpoint and have their turns here. What they need is in cli/ask/run.c, how their
 * answers are shown in cli/ask/answering.c. */
#include <signal.h>
#include <stdio.h>

#include "cli/ask/answering.h"
#include "cli/ask/interrupt.h"
#include "cli/ask/question.h"
#include "cli/show/terminal.h"

/* Requests to a group have no end of their own: they wait as long as answers may be spread (RFC 7252 8.2). */
#define GROUP_TIMEOUT (6 * COPAL_SECOND)

/* How soon room that was lacking is looked for again. */
#define RETRY_TIME (50 * COPAL_MILLISECOND)

enum { NO_RESPONSE = 26 /* RFC 7967 2.1: it "will request to suppress all response codes defined in [RFC7252]" */ };

static enum status ask_all(struct run *run);
static bool start_what_may(struct run *run, copal_time *wait);
static bool start(struct run *run, struct slot *slot);
static void fail_at_once(struct slot *slot, copal_error error, const char *reason);
static copal_error begin_call(struct slot *slot);
static void add_options(struct question *question);
static bool is_passing(const struct run *run, copal_error error);
static void answered(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context);
static bool shows_progress(const struct slot *slot);

enum status method_run(const struct command *command, const struct settings *settings) {
  static struct run run;
  enum status status = question_check(command, settings);
  if (status != STATUS_SUCCESS) return status;
  status = run_open(&run, command, settings);
  int signal_number = 0;
  if (status == STATUS_SUCCESS) {
    interrupt_watch(&run.client);
    status = ask_all(&run);
    interrupt_release();
    signal_number = interrupt_signal();
    if (run.slots[0].used) progress_clear(&run.slots[0].question.progress);
    answering_end(&run);
  }
  status = run_close(&run, status);
  /* What has no end of its own is ended so. */
  if (signal_number != 0 && settings->repeat != 0) raise(signal_number);
  return status;
}

static enum status ask_all(struct run *run) {
  copal_time wait = COPAL_NEVER;
  for (;;) {
    run->client.done = 0;
    if (interrupt_signal() != 0 || !start_what_may(run, &wait)) return run->totals.status;
    enum status status = client_wait(&run->client, wait);
    if (status != STATUS_SUCCESS) return status;
  }
}

/* Starts requests until none may go now, and tells how long then nothing but answers is awaited. False: all is over. */
static bool start_what_may(struct run *run, copal_time *wait) {
  *wait = COPAL_NEVER;
  while (!schedule_ended(&run->schedule) && !run->broken && interrupt_signal() == 0) {
    copal_time now = copal_now();
    struct slot *slot = run_free_slot(run);
    struct goal *goal = &run->goals[run->schedule.next];
    /* A file is written by one request at a time. */
    if (slot == NULL || (goal->writing && goal->output[0] != '\0')) return true;
    *wait = schedule_wait(&run->schedule, now);
    if (*wait > 0) return true;
    slot->goal = goal;
    slot->round = run->schedule.round;
    *wait = RETRY_TIME;
    if (!start(run, slot)) return true;
    *wait = COPAL_NEVER;
    schedule_pass(&run->schedule, now);
  }
  return run->under_way > 0 && !run->broken;
}

/* False: there is no room for it now. A failure has been told. */
static bool start(struct run *run, struct slot *slot) {
  struct goal *goal = slot->goal;
  enum status status = run_prepare(slot);
  if (status != STATUS_SUCCESS) {
    run_release(slot);
    run->totals.status = status;
    run->broken = true;
    return true;
  }
  if (goal->error != COPAL_OK) {
    fail_at_once(slot, goal->error, goal->reason);
    return true;
  }
  copal_error error = begin_call(slot);
  if (is_passing(run, error)) {
    bool is_news = error == COPAL_ERR_MESSAGE_IDS_SPENT && !run->waits;
    if (is_news && !run->client.settings->quiet) remark("%s: waiting for some", copal_error_text(error));
    run->waits = run->waits || is_news;
    run_release(slot);
    return false;
  }
  if (error != COPAL_OK) {
    fail_at_once(slot, error, NULL);
    return true;
  }
  ++run->totals.requests;
  answering_begin(slot);
  return true;
}

static void fail_at_once(struct slot *slot, copal_error error, const char *reason) {
  struct totals *totals = &slot->run->totals;
  ++totals->requests;
  totals_end(totals, answering_failure(slot, error, NULL, reason));
  run_release(slot);
}

static copal_error begin_call(struct slot *slot) {
  struct question *question = &slot->question;
  progress_begin(&question->progress, shows_progress(slot), copal_now());
  add_options(question);
  copal_call_options options = question_call(question);
  options.handler = answered;
  options.context = slot;
  if (question->group && options.timeout == 0) options.timeout = GROUP_TIMEOUT;
  return copal_call_begin(slot->run->client.endpoint, &options, NULL);
}

/* Options that are the command's own wish, unless they are given. */
static void add_options(struct question *question) {
  const struct settings *settings = question->client->settings;
  copal_message *message = &question->message;
  if (settings->no_response && !request_gives_option(settings, COPAL_OPTION_NO_RESPONSE)) {
    copal_message_add_uint(message, COPAL_OPTION_NO_RESPONSE, NO_RESPONSE);
  }
  /* RFC 7959 4: "to ask the server to provide a size estimate along with the usual response … For this usage, the value
   * MUST be set to 0." That is for the progress. */
  bool reads = question->view.code == COPAL_GET || question->view.code == COPAL_FETCH;
  bool to_screen = question->sink != NULL && question->sink->screen;
  if (question->progress.wanted && !to_screen && reads && !request_gives_option(settings, COPAL_OPTION_SIZE2)) {
    copal_message_add_uint(message, COPAL_OPTION_SIZE2, 0);
  }
  question->view = copal_message_view(message);
}

/* Whether it goes by itself: message IDs with their lifetime, other room with the requests that have it. */
static bool is_passing(const struct run *run, copal_error error) {
  if (error == COPAL_ERR_MESSAGE_IDS_SPENT) return true;
  bool others = run->under_way > 1;
  return others && (error == COPAL_ERR_EXCHANGES_FULL || error == COPAL_ERR_MESSAGES_FULL ||
                    error == COPAL_ERR_PEERS_FULL || error == COPAL_ERR_CALLS_FULL);
}

static void answered(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct slot *slot = context;
  struct run *run = slot->run;
  trace_settle(&run->client.trace);
  progress_clear(&slot->question.progress);
  if (result->rx != NULL) {
    totals_answer(&run->totals, result->rx->time > result->began ? result->rx->time - result->began : 0);
    enum status status = answering_response(slot, result);
    /* Of a group's answers, one good one makes the whole good. */
    if (slot->answers++ == 0 || status == STATUS_SUCCESS) slot->status = status;
  } else if (slot->answers == 0 && result->error != COPAL_OK) {
    slot->status = answering_failure(slot, result->error, result, NULL);
  } else if (slot->answers == 0) {
    /* That a request without a response has none is no error, nor that a group's time is over once somebody answered.
     */
    slot->status = STATUS_SUCCESS;
    answering_silence(slot, result);
  }
  if (result->last) {
    totals_end(&run->totals, slot->status);
    run_release(slot);
  }
  /* Who reads no more is told no more. */
  run->broken = run->broken || ferror(stdout) != 0;
  if (result->last || run->broken) client_finish(&run->client);
}

static bool shows_progress(const struct slot *slot) {
  const struct settings *settings = slot->run->client.settings;
  bool alone = !slot->run->several && !slot->question.group;
  return alone && !settings->quiet && settings->verbose == 0 && terminal_is(stderr);
}

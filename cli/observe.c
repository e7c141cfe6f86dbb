/* copal observe: resources' states now and whenever they change, until somebody has enough. RFC 7641; section 3.6 for
 * the end: the servers are told. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cli/ask/failure.h"
#include "cli/ask/interrupt.h"
#include "cli/line/value.h"
#include "cli/observe/chart.h"
#include "cli/observe/hook.h"
#include "cli/observe/notice.h"
#include "cli/observe/observation.h"
#include "cli/observe/reading.h"
#include "cli/show/response.h"
#include "cli/show/terminal.h"

/* How long the servers may take to hear that it is over. */
#define FAREWELL_TIME (2 * COPAL_SECOND)
#define LOOK_TIME (10 * COPAL_MILLISECOND)

enum { OBSERVATIONS_MAX = 32 };

/* All that is observed, and where it is shown. */
struct observing {
  struct client client;
  struct sink sink;
  struct chart chart;
  struct observation observations[OBSERVATIONS_MAX];
  struct hook hooks[OBSERVATIONS_MAX];
  size_t count;
  uint32_t states;    /* of all that came */
  bool is_live;       /* a person looks on: lines instead of bare values */
  bool is_unreadable; /* the latest state has no number, which has been told */
  enum status status; /* STATUS_LOCAL where output failed */
};

static enum status check(const struct command *command, const struct settings *settings);
static enum status open_all(struct observing *observing, const struct command *command,
                            const struct settings *settings);
static enum status observe_all(struct observing *observing);
static enum status watch(struct observing *observing, copal_time end);
static bool wait_until(struct observing *observing, copal_time deadline);
static copal_time work(struct observing *observing);
static void run_hooks(struct observing *observing);
static bool hooks_are_busy(const struct observing *observing);
static void happened(struct observation *observation, enum observation_event event, const copal_result *result,
                     copal_error error);
static void take_state(struct observing *observing, struct observation *observation, const copal_result *result);
static bool show(struct observing *observing, const struct observation *observation, const copal_result *result);
static bool write_value(struct observing *observing, const struct observation *observation, const copal_result *result);
static void show_number(struct observing *observing, copal_bytes body);
static void report_state(const struct observing *observing, const struct observation *observation,
                         const copal_result *result);
static void report_error(const struct observation *observation, const copal_result *result, copal_error error,
                         copal_time retry_in);
static void tell_loss(struct observing *observing, const struct observation *observation, const copal_result *result,
                      copal_error error);
static void tell_return(struct observing *observing, const struct observation *observation);
static void tell_failure(struct observing *observing, const struct observation *observation, const copal_result *result,
                         copal_error error);
static void tell_end(const struct observation *observation, const copal_result *result);
static struct notice notice_of(const struct observing *observing, const struct observation *observation,
                               const copal_result *result);
static void say_farewell(struct observing *observing);
static void await_hooks(struct observing *observing);
static enum status outcome(struct observing *observing);

enum status observe_run(const struct command *command, const struct settings *settings) {
  static struct observing observing;
  enum status status = check(command, settings);
  if (status != STATUS_SUCCESS) return status;
  status = open_all(&observing, command, settings);
  if (status == STATUS_SUCCESS) status = observe_all(&observing);
  if (!sink_close(&observing.sink)) {
    complain(command->name, "%s", observing.sink.reason);
    observing.status = status = STATUS_LOCAL;
  }
  for (size_t i = 0; i < observing.count; ++i) observation_close(&observing.observations[i]);
  status = client_close(&observing.client, status);
  int signal_number = interrupt_signal();
  if (signal_number != 0 && observing.status != STATUS_LOCAL && terminal_flush(stdout) == 0) raise(signal_number);
  return status;
}

static enum status check(const struct command *command, const struct settings *settings) {
  enum status status = question_check(command, settings);
  if (status != STATUS_SUCCESS) return status;
  const char *wrong = NULL;
  if (settings->operands_count > OBSERVATIONS_MAX) {
    wrong = "more than 32 URIs";
  } else if (settings->operands_count > 1 && (settings->token != NULL || settings->no_token)) {
    wrong = "several URIs need a token each: --token and --no-token are for one";
  } else if (settings->operands_count > 1 && settings->file != NULL && strcmp(settings->file, "-") == 0) {
    wrong = "standard input cannot be read for each of several URIs: use a file";
  } else if (settings->renew == 0) {
    wrong = "--renew is more than 0 seconds";
  } else if (settings->plot && settings->operands_count > 1) {
    wrong = "--plot draws one resource";
  } else if (settings->plot && settings->json) {
    wrong = "--plot and --json exclude each other";
  } else if (settings->plot && !chart_is_possible()) {
    wrong = "--plot draws on a terminal, and standard output is none that can be drawn on";
  } else if (settings->plot && settings->verbose > 0 && terminal_is(stderr)) {
    wrong = "--plot and --verbose would write over each other: send one elsewhere, as with 2>FILE";
  }
  if (wrong == NULL) return STATUS_SUCCESS;
  complain(command->name, "%s", wrong);
  return STATUS_USAGE;
}

static enum status open_all(struct observing *observing, const struct command *command,
                            const struct settings *settings) {
  uint8_t code = settings->method == OBSERVE_FETCH ? COPAL_FETCH : COPAL_GET;
  enum status status = client_open(&observing->client, command->name, settings);
  observing->is_live = !settings->quiet && !settings->json && terminal_is(stdout);
  for (size_t i = 0; status == STATUS_SUCCESS && i < settings->operands_count; ++i) {
    struct observation *observation = &observing->observations[observing->count++];
    observation->client = &observing->client;
    observation->listener = happened;
    observation->context = observing;
    hook_begin(&observing->hooks[i], settings->exec);
    status = observation_open(observation, settings->operands[i], code);
  }
  if (status != STATUS_SUCCESS) return status;
  if (sink_open(&observing->sink, settings->output)) return STATUS_SUCCESS;
  complain(command->name, "%s", observing->sink.reason);
  return STATUS_LOCAL;
}

static enum status observe_all(struct observing *observing) {
  const struct settings *settings = observing->client.settings;
  copal_time now = copal_now();
  interrupt_watch(&observing->client);
  interrupt_wake(SIGCHLD);
  interrupt_wake(SIGWINCH);
  /* Whoever reads our output may have enough: the servers are to be told then too. */
  signal(SIGPIPE, SIG_IGN);
  if (settings->plot) chart_begin(&observing->chart);
  for (size_t i = 0; i < observing->count; ++i) observation_begin(&observing->observations[i]);
  bool is_bounded = settings->duration < COPAL_NEVER - now;
  enum status status = watch(observing, is_bounded ? now + settings->duration : COPAL_NEVER);
  say_farewell(observing);
  await_hooks(observing);
  interrupt_release();
  return status == STATUS_SUCCESS ? outcome(observing) : status;
}

/* Until all have ended, there were enough, or the time is over. */
static enum status watch(struct observing *observing, copal_time end) {
  for (;;) {
    copal_time next = work(observing);
    if (observing->client.done || copal_now() >= end) return STATUS_SUCCESS;
    if (!wait_until(observing, next < end ? next : end)) return STATUS_LOCAL;
  }
}

/* Or until a signal comes. */
static bool wait_until(struct observing *observing, copal_time deadline) {
  copal_time now = copal_now(), left = COPAL_NEVER;
  if (deadline != COPAL_NEVER) left = deadline > now ? deadline - now : 0;
  int result = copal_process(observing->client.endpoint, left, NULL);
  if (result >= 0 || result == COPAL_ERR_INTERRUPTED) return true;
  chart_clear(&observing->chart);
  complain(observing->client.command, "%s (%s)", copal_error_text((copal_error)result), strerror(errno));
  return false;
}

/* Does what is due. Returns when something will be due again. */
static copal_time work(struct observing *observing) {
  copal_time next = COPAL_NEVER;
  bool has_ended = true;
  run_hooks(observing);
  for (size_t i = 0; i < observing->count; ++i) {
    struct observation *observation = &observing->observations[i];
    observation_work(observation, copal_now());
    copal_time deadline = observation_deadline(observation);
    if (deadline < next) next = deadline;
    has_ended = has_ended && observation->phase == PHASE_ENDED;
  }
  /* The terminal may have changed its size. */
  chart_draw(&observing->chart);
  if (has_ended) client_finish(&observing->client);
  return next;
}

static void run_hooks(struct observing *observing) {
  const struct settings *settings = observing->client.settings;
  if (settings->exec == NULL) return;
  char reason[HOOK_REASON_MAX];
  for (size_t i = 0; i < observing->count; ++i) {
    if (hook_work(&observing->hooks[i], reason) || settings->quiet) continue;
    chart_clear(&observing->chart);
    complain(observing->client.command, "%s", reason);
  }
}

static bool hooks_are_busy(const struct observing *observing) {
  for (size_t i = 0; i < observing->count; ++i) {
    if (hook_is_busy(&observing->hooks[i])) return true;
  }
  return false;
}

/* --- What happens -------------------------------------------------------------------------------- */

static void happened(struct observation *observation, enum observation_event event, const copal_result *result,
                     copal_error error) {
  struct observing *observing = observation->context;
  /* Several may come in one pass. */
  if (observing->client.done) return;
  /* What is due next has changed. */
  copal_wake(observing->client.endpoint);
  switch (event) {
    case OBSERVATION_STATE: take_state(observing, observation, result); return;
    case OBSERVATION_RETURNED: tell_return(observing, observation); return;
    case OBSERVATION_LOST: tell_loss(observing, observation, result, error); return;
    case OBSERVATION_MISSED:
    case OBSERVATION_FAILED: tell_failure(observing, observation, result, error); return;
  }
}

static void take_state(struct observing *observing, struct observation *observation, const copal_result *result) {
  const struct settings *settings = observing->client.settings;
  const copal_view *message = &result->rx->message;
  bool is_value = COPAL_CODE_CLASS(message->code) == 2 && message->code != COPAL_VALID;
  if (!show(observing, observation, result)) observing->status = STATUS_LOCAL;
  ++observing->states;
  if (is_value && settings->exec != NULL) {
    struct notice notice = notice_of(observing, observation, result);
    struct hook_news news = {notice.uri, notice.peer, message, result->body};
    char reason[HOOK_REASON_MAX];
    if (!hook_run(&observing->hooks[observation - observing->observations], &news, reason) && !settings->quiet) {
      chart_clear(&observing->chart);
      complain(observing->client.command, "%s", reason);
    }
  }
  if (result->last && !settings->quiet) {
    chart_clear(&observing->chart);
    tell_end(observation, result);
  }
  bool is_enough = settings->notifications != 0 && observing->states >= settings->notifications;
  if (is_enough || observing->status == STATUS_LOCAL) client_finish(&observing->client);
}

/* False where output has failed. */
static bool show(struct observing *observing, const struct observation *observation, const copal_result *result) {
  const struct settings *settings = observing->client.settings;
  const copal_view *message = &result->rx->message;
  struct notice notice = notice_of(observing, observation, result);
  bool is_good = COPAL_CODE_CLASS(message->code) == 2, is_value = is_good && message->code != COPAL_VALID;
  if (settings->json) {
    report_state(observing, observation, result);
    return ferror(stdout) == 0 && (!is_value || !observing->sink.named || write_value(observing, observation, result));
  }
  bool is_live = observing->is_live && is_good && !settings->plot;
  if (!is_good || (settings->verbose > 0 && !is_live)) {
    struct answer answer = {message, result->body, result->body_size, NULL, COPAL_NEVER};
    bool is_answer = notice.since == COPAL_NEVER && result->rx->time > result->began;
    if (is_answer) answer.round_trip = result->rx->time - result->began;
    chart_clear(&observing->chart);
    response_show(&answer, settings);
  }
  if (is_live) {
    if (observing->sink.named) notice.body = (copal_bytes){NULL, 0};
    notice_line(&notice);
    if (ferror(stdout) != 0) return false;
  }
  if (is_value && settings->plot) show_number(observing, result->body);
  bool is_written = observing->sink.named || (!is_live && !settings->plot);
  return !is_value || !is_written || write_value(observing, observation, result);
}

/* Bare, for a program; where there are several, behind their URI. */
static bool write_value(struct observing *observing, const struct observation *observation,
                        const copal_result *result) {
  struct sink *sink = &observing->sink;
  uint32_t format = copal_find_uint(&result->rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  uint64_t at = 0;
  bool is_good = true;
  if (observing->count > 1 && !sink->screen) {
    const char *uri = observation->target.text;
    is_good = sink_write(sink, 0, uri, strlen(uri)) && sink_write(sink, strlen(uri), "\t", 1);
    at = strlen(uri) + 1;
  }
  is_good = is_good && sink_write(sink, at, result->body.data, result->body.size) &&
            sink_end(sink, format, terminal_is_text(result->body));
  /* What standard output does not take is told when the program ends, once for all subcommands. */
  bool is_told_later = !sink->named && ferror(stdout) != 0;
  if (!is_good && !is_told_later) complain(observing->client.command, "%s", sink->reason);
  return is_good;
}

static void show_number(struct observing *observing, copal_bytes body) {
  double value;
  bool is_readable = reading_of(body, &value);
  if (is_readable) {
    plot_add(&observing->chart.plot, value);
    chart_draw(&observing->chart);
  } else if (!observing->is_unreadable && !observing->client.settings->quiet) {
    char size[32];
    chart_clear(&observing->chart);
    remark("a value of %s without a number is not drawn", value_size_text(body.size, size, sizeof size));
  }
  observing->is_unreadable = !is_readable;
}

static struct notice notice_of(const struct observing *observing, const struct observation *observation,
                               const copal_result *result) {
  struct notice notice = {.uri = observation->target.text,
                          .peer = observation->target.name,
                          .names_uri = observing->count > 1,
                          .since = COPAL_NEVER};
  if (observation->latest != COPAL_NEVER) notice.since = copal_now() - observation->latest;
  if (result == NULL || result->rx == NULL) return notice;
  notice.message = &result->rx->message;
  notice.body = result->body;
  notice.body_size = result->body_size;
  return notice;
}

static void report_state(const struct observing *observing, const struct observation *observation,
                         const copal_result *result) {
  struct asked asked = question_asked(&observation->question);
  struct outcome outcome = outcome_of(result);
  if (observing->sink.named) outcome.body = (copal_bytes){NULL, 0};
  if (observation->latest != COPAL_NEVER) {
    outcome.since_last = copal_now() - observation->latest;
    outcome.round_trip = COPAL_NEVER; /* it answers nothing that was just asked */
  }
  report_notification(&asked, &outcome);
}

static void report_error(const struct observation *observation, const copal_result *result, copal_error error,
                         copal_time retry_in) {
  char reason[FAILURE_TEXT_MAX];
  struct asked asked = question_asked(&observation->question);
  struct outcome outcome = {.round_trip = COPAL_NEVER, .status = status_of_error(error)};
  if (result != NULL) outcome = outcome_of(result);
  question_failure(&observation->question, error, result, reason, sizeof reason);
  outcome.error = error;
  outcome.error_text = reason;
  outcome.retry_in = retry_in;
  report_notification(&asked, &outcome);
}

/* --- What goes wrong ----------------------------------------------------------------------------- */

static void tell_loss(struct observing *observing, const struct observation *observation, const copal_result *result,
                      copal_error error) {
  struct notice notice = notice_of(observing, observation, NULL);
  if (observing->client.settings->json) report_error(observation, result, error, observation->delay);
  if (observing->client.settings->quiet) return;
  char since[32], delay[32];
  chart_clear(&observing->chart);
  remark("no sign of %s for %s: asking again in %s", observation->target.name,
         value_duration_text(notice.since, since, sizeof since),
         value_duration_text(observation->delay, delay, sizeof delay));
}

static void tell_return(struct observing *observing, const struct observation *observation) {
  if (observing->client.settings->quiet) return;
  char silence[32];
  chart_clear(&observing->chart);
  remark("%s is back after %s", observation->target.name,
         value_duration_text(copal_now() - observation->latest, silence, sizeof silence));
}

static void tell_failure(struct observing *observing, const struct observation *observation, const copal_result *result,
                         copal_error error) {
  chart_clear(&observing->chart);
  if (observing->client.settings->json) report_error(observation, result, error, 0);
  /* Whoever interrupts the reading of standard input knows why it ended. */
  bool is_known = error == COPAL_ERR_BODY_READ && interrupt_signal() != 0;
  if (is_known || observing->client.settings->json || observing->client.settings->quiet) return;
  char reason[FAILURE_TEXT_MAX];
  question_failure(&observation->question, error, result, reason, sizeof reason);
  complain(observing->client.command, "%s", reason);
}

static void tell_end(const struct observation *observation, const copal_result *result) {
  if (observation->states > 0) {
    remark("the server has ended the observation");
  } else if (COPAL_CODE_CLASS(result->rx->message.code) == 2) {
    /* RFC 7641 4.1: "A server that is unable or unwilling to add a new entry to the list of observers of a resource MAY
     * silently ignore the registration request and process the GET request as usual." */
    remark("the server does not offer observation of this resource: this is its state now");
  }
}

/* --- The end ------------------------------------------------------------------------------------- */

/* Until the servers have answered the deregistrations, none is to be asked anything else, or somebody is impatient. */
static void say_farewell(struct observing *observing) {
  struct client *client = &observing->client;
  chart_draw(&observing->chart);
  bool is_told = false;
  for (size_t i = 0; i < observing->count; ++i) {
    struct observation *observation = &observing->observations[i];
    if (observation->phase == PHASE_ENDED) continue;
    bool is_silent = observation->states == 0 && interrupt_signal() == 0 && observing->status != STATUS_LOCAL;
    observation_end(observation);
    is_told = true;
    if (!is_silent) continue;
    observation->status = STATUS_TIMEOUT;
    tell_failure(observing, observation, NULL, COPAL_ERR_TIMEOUT);
  }
  copal_time begin = copal_now();
  client->done = false;
  while (is_told && !client->done && copal_now() - begin < FAREWELL_TIME) {
    int result = copal_process(client->endpoint, LOOK_TIME, NULL);
    if (result < 0 && result != COPAL_ERR_INTERRUPTED) return;
    run_hooks(observing);
    is_told = copal_endpoint_usage(client->endpoint).exchanges > 0;
  }
}

/* The commands that run may end, and with them the one that is to have the last value. Who interrupts has no use for
 * that one, and waits no longer than for a farewell. */
static void await_hooks(struct observing *observing) {
  bool is_hurried = interrupt_signal() != 0;
  copal_time begin = copal_now();
  observing->client.done = false;
  for (size_t i = 0; is_hurried && i < observing->count; ++i) hook_drop(&observing->hooks[i]);
  while (run_hooks(observing), hooks_are_busy(observing)) {
    if (observing->client.done || (is_hurried && copal_now() - begin >= FAREWELL_TIME)) return;
    if (!wait_until(observing, is_hurried ? begin + FAREWELL_TIME : COPAL_NEVER)) return;
  }
}

/* Of several, the first that did not go well. */
static enum status outcome(struct observing *observing) {
  if (observing->status == STATUS_LOCAL) return STATUS_LOCAL;
  for (size_t i = 0; i < observing->count; ++i) {
    if (observing->observations[i].status != STATUS_SUCCESS) return observing->observations[i].status;
  }
  for (size_t i = 0; i < observing->count; ++i) {
    if (observing->hooks[i].failed > 0) return STATUS_LOCAL;
  }
  return STATUS_SUCCESS;
}

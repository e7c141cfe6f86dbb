/* Requests under way, one or several, on one endpoint. Memory is taken once, for as many requests as may be under way
 * at a time. What is sent when is not known here, nor what is shown. */
#include "cli/ask/run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/terminal.h"

enum { NO_RESPONSE_BLOCK_MAX = 1024 /* RFC 7959 2.2 */ };

static enum status check(const struct command *command, const struct settings *settings);
static copal_time pace_of(const struct settings *settings);
static bool take_memory(struct run *run, const struct settings *settings);
static enum status open_goals(struct run *run);
static enum status open_goal(struct run *run, size_t index);
static enum status open_bodies(struct slot *slot);
static bool fits_one_message(const struct question *question);

enum status run_open(struct run *run, const struct command *command, const struct settings *settings) {
  enum status status = check(command, settings);
  if (status != STATUS_SUCCESS) return status;
  run->code = command->code;
  run->goals_count = settings->operands_count;
  run->schedule = schedule_begin(run->goals_count, settings->repeat, pace_of(settings));
  run->several = schedule_is_several(&run->schedule);
  if (!take_memory(run, settings)) {
    complain(command->name, "not enough memory for %" PRIu32 " requests at a time: a smaller --parallel needs less",
             settings->parallel);
    return STATUS_LOCAL;
  }
  status = client_open(&run->client, command->name, settings);
  if (status == STATUS_SUCCESS) status = open_goals(run);
  if (status == STATUS_SUCCESS && !settings->json && !sink_open(&run->output, NULL)) {
    complain(command->name, "%s", run->output.reason);
    status = STATUS_LOCAL;
  }
  run->totals = totals_begin(copal_now());
  return status;
}

enum status run_close(struct run *run, enum status status) {
  for (uint32_t i = 0; i < run->slots_count; ++i) {
    if (run->slots[i].used) run_release(&run->slots[i]);
  }
  if (run->broken && status == STATUS_SUCCESS) status = STATUS_LOCAL;
  status = client_close(&run->client, status);
  free(run->slots);
  free(run->goals);
  run->slots = NULL;
  run->slots_count = 0;
  return status;
}

struct slot *run_free_slot(const struct run *run) {
  if (run->under_way == run->slots_count) return NULL;
  for (uint32_t i = 0; i < run->slots_count; ++i) {
    if (!run->slots[i].used) return &run->slots[i];
  }
  return NULL;
}

enum status run_prepare(struct slot *slot) {
  struct run *run = slot->run;
  struct goal *goal = slot->goal;
  slot->used = true;
  slot->answers = 0;
  slot->headed = false;
  slot->status = STATUS_LOCAL;
  slot->question.sink = NULL;
  slot->sink.named = false;
  goal->writing = true;
  ++run->under_way;
  enum status status = question_build(&slot->question, &run->client, &goal->target, run->code);
  return status == STATUS_SUCCESS ? open_bodies(slot) : status;
}

void run_release(struct slot *slot) {
  struct run *run = slot->run;
  struct sink *sink = slot->question.sink;
  const char *command = run->client.command;
  if (sink != NULL) {
    sink_tell_partial(sink, command);
    sink_give_up(sink);
  }
  if (slot->sink.named && !sink_close(&slot->sink)) {
    complain(command, "%s", slot->sink.reason);
    run->broken = true;
  }
  question_close(&slot->question);
  slot->question.sink = NULL;
  slot->goal->writing = false;
  slot->used = false;
  --run->under_way;
}

struct sink *run_sink(const struct slot *slot) {
  if (slot->question.sink != NULL) return slot->question.sink;
  return slot->run->client.settings->json ? NULL : &slot->run->output;
}

static enum status check(const struct command *command, const struct settings *settings) {
  const char *wrong = NULL;
  if (settings->operands_count > GOALS_MAX) {
    wrong = "more than 4096 URIs at a time";
  } else if (settings->parallel == 0) {
    wrong = "--parallel is a number from 1 to 1024";
  } else if (settings->parallel > 1 && (settings->token != NULL || settings->no_token)) {
    wrong = "--parallel needs a token for each request: leave --token and --no-token out";
  }
  if (wrong == NULL) return STATUS_SUCCESS;
  complain(command->name, "%s", wrong);
  return STATUS_USAGE;
}

/* What has no end floods nobody, a terminal with failures included, unless it is told to. */
static copal_time pace_of(const struct settings *settings) {
  if (settings->pace != COPAL_NEVER) return settings->pace;
  return settings->repeat == 0 ? COPAL_SECOND : 0;
}

/* Zeroes that nobody has touched cost nothing: of a slot, that is most of its room for a body. */
static bool take_memory(struct run *run, const struct settings *settings) {
  uint64_t requests = (uint64_t)run->goals_count * settings->repeat;
  run->slots_count = settings->parallel;
  if (settings->repeat != 0 && requests < run->slots_count) run->slots_count = (uint32_t)requests;
  assert(run->goals_count > 0 && run->slots_count > 0);
  run->goals = calloc(run->goals_count, sizeof *run->goals);
  run->slots = calloc(run->slots_count, sizeof *run->slots);
  if (run->goals == NULL || run->slots == NULL) {
    run->slots_count = 0;
    return false;
  }
  for (uint32_t i = 0; i < run->slots_count; ++i) run->slots[i].run = run;
  return true;
}

static enum status open_goals(struct run *run) {
  for (size_t i = 0; i < run->goals_count; ++i) {
    enum status status = open_goal(run, i);
    if (status != STATUS_SUCCESS) return status;
  }
  for (size_t i = 0; i < run->goals_count; ++i) {
    struct goal *goal = &run->goals[i];
    goal->error = client_look_up(&run->client, &goal->target, goal->reason, sizeof goal->reason);
    if (goal->error != COPAL_ERR_URI_SCHEME) continue;
    complain(run->client.command, "%s", goal->reason);
    return STATUS_USAGE;
  }
  return STATUS_SUCCESS;
}

static enum status open_goal(struct run *run, size_t index) {
  const struct client *client = &run->client;
  struct goal *goal = &run->goals[index];
  struct question *question = &run->slots[0].question;
  enum status status = client_parse(client, client->settings->operands[index], &goal->target);
  if (status == STATUS_SUCCESS) status = question_build(question, &run->client, &goal->target, run->code);
  if (status == STATUS_SUCCESS) status = goal_set_output(goal, client, &question->view, run->goals_count);
  if (status != STATUS_SUCCESS) return status;
  const struct goal *other = goal_with_same_output(run->goals, index + 1);
  bool is_unix = goal->target.uri.scheme == COPAL_SCHEME_COAP_UNIX;
  if (is_unix != (run->goals[0].target.uri.scheme == COPAL_SCHEME_COAP_UNIX)) {
    complain(client->command, "%s: coap:// and coap+unix:// URIs cannot be asked together", goal->target.text);
    return STATUS_USAGE;
  }
  if (other == NULL) return STATUS_SUCCESS;
  complain(client->command, "%s and %s would both go to %s", other->target.text, goal->target.text, goal->output);
  return STATUS_USAGE;
}

/* Several at a time take turns at standard output: each one's body is gathered first, as it is for a report. */
static enum status open_bodies(struct slot *slot) {
  struct run *run = slot->run;
  struct question *question = &slot->question;
  const struct settings *settings = run->client.settings;
  const char *wrong = NULL;
  if (!question_open(question)) {
    wrong = question->source.reason;
  } else if (run->several && settings->file != NULL && !question->source.seekable) {
    wrong = "what is no file can be read only once: several requests need --file FILE or --data";
  } else if (slot->goal->output[0] != '\0') {
    if (!sink_open(&slot->sink, slot->goal->output)) wrong = slot->sink.reason;
    question->sink = &slot->sink;
  } else if (run->slots_count == 1 && !settings->json) {
    question->sink = &run->output;
  }
  if (wrong != NULL) {
    complain(run->client.command, "%s", wrong);
    return STATUS_LOCAL;
  }
  return settings->no_response && !fits_one_message(question) ? STATUS_USAGE : STATUS_SUCCESS;
}

static bool fits_one_message(const struct question *question) {
  const struct settings *settings = question->client->settings;
  uint32_t limit = settings->block_size != 0 ? settings->block_size : NO_RESPONSE_BLOCK_MAX;
  uint64_t size = question->view.payload.size;
  if (settings->file != NULL) size = question->source.size;
  if (size <= limit || size == COPAL_SIZE_UNKNOWN) return true;
  complain(question->client->command,
           "--no-response: the payload is larger than a block of %" PRIu32 " bytes, and blocks need responses", limit);
  return false;
}

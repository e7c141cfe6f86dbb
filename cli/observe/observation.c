/* One resource that is observed. The library registers anew when what it was told last is no longer fresh (RFC 7641
 * 3.3.1), and gives up when that is in vain. Here nobody gives up on a server that has answered once: it may be
 * starting anew, and has forgotten its observers then. */
#include "cli/observe/observation.h"

#include <sys/random.h>

#include "cli/ask/failure.h"
#include "cli/show/terminal.h"

#define DELAY_MAX (30 * COPAL_SECOND)

enum { TOKEN_SIZE = 8 };

static enum status build(struct observation *observation, uint8_t code);
static enum status look_up(struct observation *observation);
static copal_call_options plan(struct observation *observation);
static void told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context);
static void note_state(struct observation *observation, const copal_result *result);
static void fail(struct observation *observation, const copal_result *result, copal_error error);
static uint32_t random_number(void);

copal_time observation_delay(unsigned attempts, uint32_t random) {
  copal_time delay = attempts < 5 ? COPAL_SECOND << attempts : DELAY_MAX;
  return delay + delay / 2 / 1000 * (random % 1000);
}

enum status observation_open(struct observation *observation, const char *operand, uint8_t code) {
  struct client *client = observation->client;
  observation->again = COPAL_NEVER;
  observation->latest = COPAL_NEVER;
  observation->phase = PHASE_ENDED;
  enum status status = client_parse(client, operand, &observation->target);
  /* Before the name is looked up too: so a failure of that tells what was asked. */
  if (status == STATUS_SUCCESS) status = build(observation, code);
  if (status == STATUS_SUCCESS) status = look_up(observation);
  if (status == STATUS_SUCCESS) status = build(observation, code);
  if (status != STATUS_SUCCESS) return status;
  if (observation->question.group) {
    complain(client->command, "%s is a group: an observation is of one server's resource", observation->target.name);
    return STATUS_USAGE;
  }
  if (question_open(&observation->question)) return STATUS_SUCCESS;
  complain(client->command, "%s", observation->question.source.reason);
  return STATUS_LOCAL;
}

void observation_close(struct observation *observation) { question_close(&observation->question); }

void observation_begin(struct observation *observation) {
  copal_call_options options = plan(observation);
  observation->phase = PHASE_ASKING;
  observation->again = COPAL_NEVER;
  copal_error error = copal_call_begin(observation->client->endpoint, &options, &observation->call);
  if (error != COPAL_OK) fail(observation, NULL, error);
}

copal_time observation_deadline(const struct observation *observation) { return observation->again; }

/* RFC 7641 3.3.1: "To make sure it has a current representation and/or to re-register its interest in a resource, a
 * client MAY issue a new GET request with the same token as the original at any time." */
void observation_work(struct observation *observation, copal_time now) {
  if (now < observation->again) return;
  if (observation->phase == PHASE_TOLD) {
    (void)copal_call_cancel(observation->client->endpoint, observation->call, false);
  }
  observation_begin(observation);
}

void observation_end(struct observation *observation) {
  bool under_way = observation->phase == PHASE_ASKING || observation->phase == PHASE_TOLD;
  if (under_way) (void)copal_call_cancel(observation->client->endpoint, observation->call, true);
  observation->phase = PHASE_ENDED;
  observation->again = COPAL_NEVER;
}

/* RFC 7641 3.1: the token is the observation's name. It stays the same, so that a server which has not forgotten us
 * does not have us twice. */
static enum status build(struct observation *observation, uint8_t code) {
  struct question *question = &observation->question;
  enum status status = question_build(question, observation->client, &observation->target, code);
  if (status != STATUS_SUCCESS) return status;
  uint8_t token[TOKEN_SIZE];
  bool has_token = question->view.token.size > 0 || observation->client->settings->no_token;
  if (!has_token && getrandom(token, sizeof token, 0) == (ssize_t)sizeof token) {
    copal_message_set_token(&question->message, token, sizeof token);
  }
  question->view = copal_message_view(&question->message);
  return STATUS_SUCCESS;
}

static enum status look_up(struct observation *observation) {
  struct client *client = observation->client;
  char reason[FAILURE_TEXT_MAX];
  copal_error error = client_look_up(client, &observation->target, reason, sizeof reason);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  enum status status = error == COPAL_ERR_URI_SCHEME ? STATUS_USAGE : status_of_error(error);
  if (status == STATUS_USAGE || !client->settings->json) {
    complain(client->command, "%s", reason);
    return status;
  }
  struct asked asked = question_asked(&observation->question);
  struct outcome outcome = {.round_trip = COPAL_NEVER, .error = error, .error_text = reason, .status = status};
  report_notification(&asked, &outcome);
  return status;
}

static copal_call_options plan(struct observation *observation) {
  copal_call_options options = question_call(&observation->question);
  options.handler = told;
  options.context = observation;
  options.observe = true;
  return options;
}

static void told(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct observation *observation = context;
  trace_settle(&observation->client->trace);
  if (observation->phase == PHASE_ENDED) return;
  if (result->error == COPAL_OK) {
    note_state(observation, result);
  } else if (result->last) {
    fail(observation, result, result->error);
  } else {
    observation->listener(observation, OBSERVATION_MISSED, result, result->error);
  }
}

static void note_state(struct observation *observation, const copal_result *result) {
  copal_time now = copal_now(), renew = observation->client->settings->renew;
  bool goes_on = result->observed && !result->last;
  if (observation->attempts > 0) observation->listener(observation, OBSERVATION_RETURNED, result, COPAL_OK);
  observation->attempts = 0;
  observation->phase = goes_on ? PHASE_TOLD : result->last ? PHASE_ENDED : PHASE_ASKING;
  observation->again = goes_on && renew < COPAL_NEVER - now ? now + renew : COPAL_NEVER;
  observation->status = status_of_code(result->rx->message.code);
  observation->listener(observation, OBSERVATION_STATE, result, COPAL_OK);
  observation->latest = now;
  ++observation->states;
}

/* Only a server that has answered is waited for: anything else is a failure like any request's. */
static void fail(struct observation *observation, const copal_result *result, copal_error error) {
  observation->status = status_of_error(error);
  bool is_remote = error == COPAL_ERR_TIMEOUT || error == COPAL_ERR_UNREACHABLE || error == COPAL_ERR_RESET;
  if (observation->states == 0 || !is_remote) {
    observation->phase = PHASE_ENDED;
    observation->again = COPAL_NEVER;
    observation->listener(observation, OBSERVATION_FAILED, result, error);
    return;
  }
  observation->phase = PHASE_LOST;
  observation->delay = observation_delay(observation->attempts++, random_number());
  observation->again = copal_now() + observation->delay;
  observation->listener(observation, OBSERVATION_LOST, result, error);
}

static uint32_t random_number(void) {
  uint32_t number = 0;
  return getrandom(&number, sizeof number, 0) == (ssize_t)sizeof number ? number : 0;
}

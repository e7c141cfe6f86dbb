/* copal observe: a resource's state now and whenever it changes, until somebody has enough. RFC 7641; section 3.6 for
 * the end: the server is told. */
#include <signal.h>

#include "cli/ask/inquiry.h"
#include "cli/ask/interrupt.h"
#include "cli/show/response.h"
#include "cli/show/terminal.h"

/* How long the server may take to hear that it is over. */
#define FAREWELL_TIME (2 * COPAL_SECOND)
#define LOOK_TIME (10 * COPAL_MILLISECOND)

/* An observation under way. */
struct observation {
  struct inquiry inquiry;
  copal_call call;
  uint32_t notifications;
  bool ended; /* by the server, or because it failed */
  enum status status;
};

static enum status watch(struct observation *observation);
static void notified(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context);
static enum status show(struct observation *observation, const copal_result *result);
static void tell_end(const struct observation *observation, const copal_result *result);
static void say_farewell(struct observation *observation);

enum status observe_run(const struct command *command, const struct settings *settings) {
  static struct observation observation;
  struct inquiry *inquiry = &observation.inquiry;
  uint8_t code = settings->method == OBSERVE_FETCH ? COPAL_FETCH : COPAL_GET;
  enum status status = inquiry_open(inquiry, command, code, settings);
  if (status == STATUS_SUCCESS && inquiry->group) {
    complain(command->name, "%s is a group: an observation is of one server's resource", inquiry->target.name);
    status = STATUS_USAGE;
  }
  if (status == STATUS_SUCCESS) {
    interrupt_watch(&inquiry->client);
    /* Whoever reads our output may have enough: the server is to be told then too. */
    signal(SIGPIPE, SIG_IGN);
    status = watch(&observation);
    interrupt_release();
  }
  return inquiry_close(inquiry, status);
}

static enum status watch(struct observation *observation) {
  struct inquiry *inquiry = &observation->inquiry;
  copal_call_options options = inquiry_call(inquiry);
  options.handler = notified;
  options.context = observation;
  options.observe = true;
  copal_error error = copal_call_begin(inquiry->client.endpoint, &options, &observation->call);
  if (error != COPAL_OK) return inquiry_failed(inquiry, error);
  enum status status = client_wait(&inquiry->client, inquiry->client.settings->duration);
  if (observation->ended || status != STATUS_SUCCESS) return status == STATUS_SUCCESS ? observation->status : status;
  bool silent = observation->notifications == 0 && interrupt_signal() == 0;
  say_farewell(observation);
  if (silent) return inquiry_failed(inquiry, COPAL_ERR_TIMEOUT);
  return observation->status == STATUS_LOCAL ? STATUS_LOCAL : STATUS_SUCCESS;
}

static void notified(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct observation *observation = context;
  struct inquiry *inquiry = &observation->inquiry;
  const struct settings *settings = inquiry->client.settings;
  trace_settle(&inquiry->client.trace);
  /* Several may come in one pass. */
  if (inquiry->client.done) return;
  if (result->error == COPAL_OK) {
    observation->status = show(observation, result);
    ++observation->notifications;
  } else {
    observation->status = inquiry_failed(inquiry, result->error);
  }
  if (result->last) {
    if (result->error == COPAL_OK && !settings->quiet) tell_end(observation, result);
    observation->ended = true;
  }
  bool enough = settings->notifications != 0 && observation->notifications >= settings->notifications;
  if (result->last || enough || observation->status == STATUS_LOCAL) client_finish(&inquiry->client);
}

static enum status show(struct observation *observation, const copal_result *result) {
  struct inquiry *inquiry = &observation->inquiry;
  struct sink *sink = &inquiry->sink;
  const copal_view *message = &result->rx->message;
  struct answer answer = {
      .message = message, .body = result->body, .body_size = result->body_size, .round_trip = COPAL_NEVER};
  bool is_answer = observation->notifications == 0 && result->rx->time > result->began;
  if (is_answer) answer.round_trip = result->rx->time - result->began;
  enum status status = response_show(&answer, inquiry->client.settings);
  /* 2.03 says that the state is one of those that the request's ETags name. */
  if (status != STATUS_SUCCESS || message->code == COPAL_VALID) return status;
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (!sink_write(sink, 0, result->body.data, result->body.size) ||
      !sink_end(sink, format, terminal_is_text(result->body))) {
    return inquiry_unwritten(inquiry);
  }
  return status;
}

static void tell_end(const struct observation *observation, const copal_result *result) {
  if (observation->notifications > 1) {
    remark("the server has ended the observation");
  } else if (COPAL_CODE_CLASS(result->rx->message.code) == 2) {
    /* RFC 7641 4.1: "A server that is unable or unwilling to add a new entry to the list of observers of a resource MAY
     * silently ignore the registration request and process the GET request as usual." */
    remark("the server does not offer observation of this resource: this is its state now");
  }
}

/* Until the server has answered the deregistration, it is not to be asked anything else, or somebody is impatient. */
static void say_farewell(struct observation *observation) {
  struct client *client = &observation->inquiry.client;
  if (copal_call_cancel(client->endpoint, observation->call, true) != COPAL_OK) return;
  copal_time begin = copal_now();
  client->done = false;
  do {
    int result = copal_process(client->endpoint, LOOK_TIME, NULL);
    if (result < 0 && result != COPAL_ERR_INTERRUPTED) return;
  } while (!client->done && copal_now() - begin < FAREWELL_TIME &&
           copal_endpoint_usage(client->endpoint).exchanges > 0);
}

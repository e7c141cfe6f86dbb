/* copal get, put, post, delete, fetch, patch, ipatch: one call, which takes as many exchanges as its bodies need, and
 * its response or responses shown. */
#include <inttypes.h>
#include <signal.h>

#include "cli/ask/inquiry.h"
#include "cli/ask/interrupt.h"
#include "cli/show/response.h"
#include "cli/show/terminal.h"

/* Requests to a group have no end of their own: they wait as long as answers may be spread (RFC 7252 8.2). */
#define GROUP_TIMEOUT (6 * COPAL_SECOND)

enum {
  NO_RESPONSE = 26,     /* RFC 7967 2.1: it "will request to suppress all response codes defined in [RFC7252]" */
  BLOCK_SIZE_MAX = 1024 /* RFC 7959 2.2 */
};

/* One request under way. */
struct question {
  struct inquiry inquiry;
  unsigned answers;
  enum status status;
};

static enum status ask(struct question *question);
static copal_call_options plan(struct question *question);
static void add_options(struct inquiry *inquiry);
static bool fits_one_message(const struct inquiry *inquiry);
static void answered(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context);
static enum status show(struct inquiry *inquiry, const copal_result *result);
static bool finish_body(struct inquiry *inquiry, const copal_result *result);
static bool shows_progress(const struct inquiry *inquiry);

enum status method_run(const struct command *command, const struct settings *settings) {
  static struct question question;
  struct inquiry *inquiry = &question.inquiry;
  question.status = STATUS_LOCAL;
  enum status status = inquiry_open(inquiry, command, command->code, settings);
  if (status == STATUS_SUCCESS) {
    interrupt_watch(&inquiry->client);
    status = ask(&question);
    interrupt_release();
  }
  progress_clear(&inquiry->progress);
  int signal_number = interrupt_signal();
  if (status != STATUS_SUCCESS || signal_number != 0) sink_tell_partial(&inquiry->sink, command->name);
  status = inquiry_close(inquiry, status);
  if (signal_number != 0) raise(signal_number);
  return status;
}

static enum status ask(struct question *question) {
  struct inquiry *inquiry = &question->inquiry;
  if (inquiry->client.settings->no_response && !fits_one_message(inquiry)) return STATUS_USAGE;
  progress_begin(&inquiry->progress, shows_progress(inquiry), copal_now());
  add_options(inquiry);
  copal_call_options options = plan(question);
  copal_error error = copal_call_begin(inquiry->client.endpoint, &options, NULL);
  if (error != COPAL_OK) return inquiry_failed(inquiry, error);
  enum status status = client_wait(&inquiry->client, COPAL_NEVER);
  return status == STATUS_SUCCESS ? question->status : status;
}

static copal_call_options plan(struct question *question) {
  struct inquiry *inquiry = &question->inquiry;
  copal_call_options options = inquiry_call(inquiry);
  options.handler = answered;
  options.context = question;
  if (!inquiry->group) {
    options.write = inquiry_write;
  } else if (options.timeout == 0) {
    options.timeout = GROUP_TIMEOUT;
  }
  return options;
}

/* Options that are the command's own wish, unless they are given. */
static void add_options(struct inquiry *inquiry) {
  const struct settings *settings = inquiry->client.settings;
  copal_message *message = &inquiry->message;
  if (settings->no_response && !request_gives_option(settings, COPAL_OPTION_NO_RESPONSE)) {
    copal_message_add_uint(message, COPAL_OPTION_NO_RESPONSE, NO_RESPONSE);
  }
  /* RFC 7959 4: "to ask the server to provide a size estimate along with the usual response", for the progress. */
  uint8_t code = copal_message_view(message).code;
  bool reads = code == COPAL_GET || code == COPAL_FETCH;
  if (inquiry->progress.wanted && !inquiry->sink.screen && reads &&
      !request_gives_option(settings, COPAL_OPTION_SIZE2)) {
    copal_message_add_uint(message, COPAL_OPTION_SIZE2, 0);
  }
}

static bool fits_one_message(const struct inquiry *inquiry) {
  const struct settings *settings = inquiry->client.settings;
  uint32_t limit = settings->block_size != 0 ? settings->block_size : BLOCK_SIZE_MAX;
  uint64_t size = copal_message_view(&inquiry->message).payload.size;
  if (settings->file != NULL) size = inquiry->source.size;
  if (size <= limit || size == COPAL_SIZE_UNKNOWN) return true;
  complain(inquiry->client.command,
           "--no-response: the payload is larger than a block of %" PRIu32 " bytes, and blocks need responses", limit);
  return false;
}

static void answered(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct question *question = context;
  struct inquiry *inquiry = &question->inquiry;
  trace_settle(&inquiry->client.trace);
  progress_clear(&inquiry->progress);
  if (result->rx != NULL) {
    enum status status = show(inquiry, result);
    /* Of a group's answers, one good one makes the whole good. */
    if (question->answers++ == 0 || status == STATUS_SUCCESS) question->status = status;
  } else if (question->answers == 0) {
    /* That a request without a response has none is no error, nor that a group's time is over once somebody answered.
     */
    question->status = result->error == COPAL_OK ? STATUS_SUCCESS : inquiry_failed(inquiry, result->error);
  }
  if (result->last) client_finish(&inquiry->client);
}

static enum status show(struct inquiry *inquiry, const copal_result *result) {
  const copal_rx *rx = result->rx;
  char peer[COPAL_ADDRESS_TEXT_MAX];
  copal_address_text(inquiry->client.endpoint, &rx->path.remote, peer, sizeof peer);
  struct answer answer = {&rx->message, result->body, result->body_size, inquiry->group ? peer : NULL, 0};
  if (rx->time > result->began) answer.round_trip = rx->time - result->began;
  /* 2.03 says that what is in the file already is right. */
  bool has_body = COPAL_CODE_CLASS(rx->message.code) == 2 && rx->message.code != COPAL_VALID;
  /* The rest of a text that is on the screen already comes before the status line, else the body comes behind it. */
  bool is_first = has_body && inquiry->sink.spilled;
  bool is_written = !is_first || finish_body(inquiry, result);
  enum status status = response_show(&answer, inquiry->client.settings);
  if (has_body && !is_first) is_written = finish_body(inquiry, result);
  if (is_written) return status;
  return inquiry_unwritten(inquiry);
}

static bool finish_body(struct inquiry *inquiry, const copal_result *result) {
  copal_bytes gathered = result->body;
  if (gathered.size > 0 && !sink_write(&inquiry->sink, 0, gathered.data, gathered.size)) return false;
  uint32_t format = copal_find_uint(&result->rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  return sink_end(&inquiry->sink, format, false);
}

static bool shows_progress(const struct inquiry *inquiry) {
  const struct settings *settings = inquiry->client.settings;
  return !settings->quiet && settings->verbose == 0 && !inquiry->group && terminal_is(stderr);
}

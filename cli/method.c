/* copal get, put, post, delete, fetch, patch, ipatch: one request, and its response or responses shown.
 *
 * Usually that is a call, which fetches and sends bodies in blocks by itself. Who gives a Block option of his own asks
 * for that very block, in one exchange; and to a request without a response nothing is awaited. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/inquiry.h"
#include "cli/interrupt.h"
#include "cli/response.h"
#include "cli/terminal.h"

/* Requests to a group have no end of their own: they wait as long as answers may be spread (RFC 7252 8.2). */
#define GROUP_TIMEOUT (6 * COPAL_SECOND)
/* How often a message that nothing is told of is looked at. */
#define LOOK_TIME (10 * COPAL_MILLISECOND)

/* RFC 7967 2.1: "an option value of 26 (binary: 00011010) will request to suppress all response codes". WHOLE_MAX is
 * the size of the largest block, RFC 7959 2.2. */
enum { NO_RESPONSE = 26, WHOLE_MAX = 1024 };

/* One request under way. */
struct question {
  struct inquiry inquiry;
  unsigned answers;
  enum status status;
};

static enum status ask(struct question *question);
static enum status send_call(struct question *question);
static enum status send_single(struct question *question);
static enum status send_unanswered(struct question *question);
static enum status await_acknowledgement(struct question *question, copal_tx tx);
static void called(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context);
static void answered(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error, void *context);
static void show(struct question *question, const copal_rx *rx, const struct answer *answer);
static void fail(struct question *question, copal_error error);
static bool take_payload(struct inquiry *inquiry);
static bool wants_one_block(const struct settings *settings);
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
  const struct settings *settings = inquiry->client.settings;
  progress_begin(&inquiry->progress, shows_progress(inquiry), copal_now());
  if (settings->no_response) return send_unanswered(question);
  enum status status = wants_one_block(settings) ? send_single(question) : send_call(question);
  if (status == STATUS_SUCCESS) status = client_wait(&inquiry->client, COPAL_NEVER);
  return status == STATUS_SUCCESS ? question->status : status;
}

static enum status send_call(struct question *question) {
  struct inquiry *inquiry = &question->inquiry;
  copal_call_options options = inquiry_call(inquiry);
  options.handler = called;
  options.context = question;
  if (inquiry->group) {
    /* Several bodies may come at a time: each is gathered. */
    if (options.timeout == 0) options.timeout = GROUP_TIMEOUT;
  } else {
    options.write = inquiry_write;
    /* RFC 7959 4: "to ask the server to provide a size estimate along with the usual response", for the progress. */
    bool reads = inquiry->message.buffer[1] == COPAL_GET || inquiry->message.buffer[1] == COPAL_FETCH;
    if (inquiry->progress.wanted && !inquiry->sink.screen && reads &&
        !request_gives_option(inquiry->client.settings, COPAL_OPTION_SIZE2)) {
      copal_message_add_uint(&inquiry->message, COPAL_OPTION_SIZE2, 0);
    }
  }
  copal_error error = copal_call_begin(inquiry->client.endpoint, &options, NULL);
  return error == COPAL_OK ? STATUS_SUCCESS : inquiry_failed(inquiry, error);
}

static enum status send_single(struct question *question) {
  struct inquiry *inquiry = &question->inquiry;
  if (!take_payload(inquiry)) return STATUS_LOCAL;
  copal_time timeout = inquiry->client.settings->timeout;
  if (inquiry->group && timeout == COPAL_NEVER) timeout = GROUP_TIMEOUT;
  copal_error error = copal_request_send(inquiry->client.endpoint, &inquiry->message, &inquiry->target.address, timeout,
                                         answered, question, NULL);
  return error == COPAL_OK ? STATUS_SUCCESS : inquiry_failed(inquiry, error);
}

/* RFC 7967 2.1: "When No-Response is used with value 26 in a request, the client endpoint SHOULD cease listening to
 * response(s) to the particular request." */
static enum status send_unanswered(struct question *question) {
  struct inquiry *inquiry = &question->inquiry;
  if (!take_payload(inquiry)) return STATUS_LOCAL;
  if (!request_gives_option(inquiry->client.settings, COPAL_OPTION_NO_RESPONSE)) {
    copal_message_add_uint(&inquiry->message, COPAL_OPTION_NO_RESPONSE, NO_RESPONSE);
  }
  copal_tx tx;
  copal_error error = copal_send(inquiry->client.endpoint, &inquiry->message, &inquiry->target.address, &tx);
  return error == COPAL_OK ? await_acknowledgement(question, tx) : inquiry_failed(inquiry, error);
}

/* Until a NON is sent, or a CON acknowledged. A server that does not know the option may answer with that at once. */
static enum status await_acknowledgement(struct question *question, copal_tx tx) {
  struct inquiry *inquiry = &question->inquiry;
  const struct client *client = &inquiry->client;
  copal_time begin = copal_now();
  copal_tx_info info;
  while (!client->done && copal_now() - begin < client->settings->timeout) {
    copal_rx rx;
    int result = copal_process(client->endpoint, LOOK_TIME, &rx);
    if (result == 1 && copal_same_tx(rx.request, tx)) {
      answered(client->endpoint, tx, &rx, COPAL_OK, question);
      return question->status;
    }
    if (result < 0 && result != COPAL_ERR_INTERRUPTED) return inquiry_failed(inquiry, (copal_error)result);
    if (copal_tx_get(client->endpoint, tx, &info) != COPAL_OK) break;
    if (info.state == COPAL_TX_UNREACHED) return inquiry_failed(inquiry, COPAL_ERR_UNREACHABLE);
    if (info.state == COPAL_TX_REJECTED) return inquiry_failed(inquiry, COPAL_ERR_RESPONSE_REJECTED);
    if (info.state == COPAL_TX_UNACKNOWLEDGED) break;
    if (info.response_type == COPAL_RST) return inquiry_failed(inquiry, COPAL_ERR_RESET);
    if (info.type == COPAL_NON && info.transmissions > 0) return STATUS_SUCCESS;
    if (info.type == COPAL_CON && info.response_type == COPAL_ACK) return STATUS_SUCCESS;
  }
  return client->done ? STATUS_LOCAL : inquiry_failed(inquiry, COPAL_ERR_TIMEOUT);
}

static void called(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  (void)endpoint, (void)call;
  struct question *question = context;
  if (result->error == COPAL_OK) {
    struct answer answer = {.message = &result->rx->message, .body = result->body, .body_size = result->body_size};
    if (result->rx->time > result->began) answer.round_trip = result->rx->time - result->began;
    show(question, result->rx, &answer);
  } else {
    fail(question, result->error);
  }
  if (result->last) client_finish(&question->inquiry.client);
}

static void answered(copal_endpoint *endpoint, copal_tx request, const copal_rx *rx, copal_error error, void *context) {
  (void)endpoint, (void)request;
  struct question *question = context;
  struct client *client = &question->inquiry.client;
  if (rx != NULL) {
    struct answer answer = {.message = &rx->message, .body = rx->message.payload};
    answer.body_size = answer.body.size;
    if (rx->time > client->trace.first_sent) answer.round_trip = rx->time - client->trace.first_sent;
    show(question, rx, &answer);
    if (question->inquiry.group) return;
  } else {
    fail(question, error);
  }
  client_finish(client);
}

static void show(struct question *question, const copal_rx *rx, const struct answer *answer) {
  struct inquiry *inquiry = &question->inquiry;
  char peer[COPAL_ADDRESS_TEXT_MAX];
  copal_address_text(inquiry->client.endpoint, &rx->path.remote, peer, sizeof peer);
  struct answer shown = *answer;
  shown.peer = inquiry->group ? peer : NULL;
  progress_clear(&inquiry->progress);
  enum status status = response_show(&shown, inquiry->client.settings);
  /* 2.03 says that what is in the file already is right. */
  if (status == STATUS_SUCCESS && rx->message.code != COPAL_VALID) {
    struct sink *sink = &inquiry->sink;
    uint32_t format = copal_find_uint(&rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
    bool written = answer->body.size == 0 || sink_write(sink, 0, answer->body.data, answer->body.size);
    if (!written || !sink_end(sink, format, false)) {
      complain(inquiry->client.command, "%s", sink->reason);
      status = STATUS_LOCAL;
    }
  }
  /* Of a group's answers, one good one makes the whole good. */
  if (question->answers++ == 0 || status == STATUS_SUCCESS) question->status = status;
}

static void fail(struct question *question, copal_error error) {
  progress_clear(&question->inquiry.progress);
  /* That a group's time is over is no failure once somebody answered. */
  if (question->answers == 0) question->status = inquiry_failed(&question->inquiry, error);
}

/* Puts a body that is read from a file into the one message that there is to be. */
static bool take_payload(struct inquiry *inquiry) {
  if (inquiry->client.settings->file == NULL) return true;
  uint8_t payload[WHOLE_MAX + 1];
  uint64_t size = source_read(&inquiry->source, 0, payload, sizeof payload);
  if (size == COPAL_SIZE_UNKNOWN) {
    complain(inquiry->client.command, "%s", inquiry->source.reason);
    return false;
  }
  if (size > WHOLE_MAX) {
    complain(inquiry->client.command, "%s is larger than a block of %d bytes, which is all that one message takes",
             inquiry->source.path, WHOLE_MAX);
    return false;
  }
  copal_message_set_payload(&inquiry->message, payload, (size_t)size);
  return true;
}

static bool wants_one_block(const struct settings *settings) {
  return request_gives_option(settings, COPAL_OPTION_BLOCK1) || request_gives_option(settings, COPAL_OPTION_BLOCK2) ||
         request_gives_option(settings, COPAL_OPTION_Q_BLOCK1) || request_gives_option(settings, COPAL_OPTION_Q_BLOCK2);
}

static bool shows_progress(const struct inquiry *inquiry) {
  const struct settings *settings = inquiry->client.settings;
  return !settings->quiet && !settings->verbose && !inquiry->group && terminal_is(stderr);
}

/* What a request came to, as JSON. Knows no endpoint; what peers said is escaped by show/json.h. */
#include "cli/show/report.h"

#include <stdio.h>

#include "cli/show/body.h"
#include "cli/show/json_coap.h"

enum { DECIMALS = 6 };

static void report(const char *kind, const struct asked *asked, const struct outcome *outcome);
static void add_seconds(struct json *json, const char *key, copal_time duration);
static void add_request(struct json *json, const struct asked *asked);
static void add_response(struct json *json, const struct outcome *outcome);
static void add_options(struct json *json, const copal_view *message);
static void add_content_format(struct json *json, const copal_view *message);

struct outcome outcome_of(const copal_result *result) {
  struct outcome outcome = {
      .body = result->body,
      .body_size = result->body_size,
      .round_trip = COPAL_NEVER,
      .error = result->error,
      .exchanges = result->exchanges,
      .transmissions = result->transmissions,
      .retransmissions = result->retransmissions,
      .blocks_out = result->blocks_out,
      .blocks_in = result->blocks_in,
      .status = status_of_error(result->error),
  };
  if (result->rx == NULL) return outcome;
  outcome.message = &result->rx->message;
  outcome.status = status_of_code(result->rx->message.code);
  outcome.round_trip = result->rx->time > result->began ? result->rx->time - result->began : 0;
  return outcome;
}

void report_response(const struct asked *asked, const struct outcome *outcome) { report("response", asked, outcome); }

void report_notification(const struct asked *asked, const struct outcome *outcome) {
  report("notification", asked, outcome);
}

void report_pong(const struct asked *asked, const struct outcome *outcome) { report("pong", asked, outcome); }

static void report(const char *kind, const struct asked *asked, const struct outcome *outcome) {
  struct json json;
  json_begin(&json, stdout);
  json_text(&json, "kind", outcome->error == COPAL_OK ? kind : "error");
  add_request(&json, asked);
  json_text(&json, "peer", outcome->peer != NULL ? outcome->peer : asked->peer);
  uint32_t sequence = UINT32_MAX;
  if (outcome->message != NULL) {
    add_response(&json, outcome);
    sequence = copal_find_uint(outcome->message, COPAL_OPTION_OBSERVE, UINT32_MAX);
  }
  if (sequence != UINT32_MAX) json_uint(&json, "sequence", sequence);
  if (outcome->round_trip != COPAL_NEVER) add_seconds(&json, "round_trip_s", outcome->round_trip);
  if (outcome->since_last > 0) add_seconds(&json, "since_last_s", outcome->since_last);
  json_uint(&json, "transmissions", outcome->transmissions);
  json_uint(&json, "retransmissions", outcome->retransmissions);
  if (asked->message != NULL) {
    json_object(&json, "blocks");
    json_uint(&json, "requests", outcome->exchanges);
    json_uint(&json, "sent", outcome->blocks_out);
    json_uint(&json, "received", outcome->blocks_in);
    json_close(&json);
  }
  if (outcome->error != COPAL_OK) {
    char name[JSON_ERROR_NAME_MAX];
    const char *text = outcome->error_text != NULL ? outcome->error_text : copal_error_text(outcome->error);
    json_error(&json, json_error_name(outcome->error, name), text);
  }
  if (outcome->retry_in > 0) add_seconds(&json, "retry_in_s", outcome->retry_in);
  json_uint(&json, "status", (uint64_t)outcome->status);
  json_end(&json);
}

static void add_seconds(struct json *json, const char *key, copal_time duration) {
  json_real(json, key, (double)duration / (double)COPAL_SECOND, DECIMALS);
}

static void add_request(struct json *json, const struct asked *asked) {
  json_object(json, "request");
  json_text(json, "method", asked->message != NULL ? copal_code_name(asked->message->code) : "PING");
  json_text(json, "uri", asked->uri);
  json_text(json, "type", asked->message != NULL ? copal_type_name(asked->message->type) : "CON");
  json_array(json, "options");
  if (asked->message != NULL) add_options(json, asked->message);
  json_close(json);
  json_close(json);
}

static void add_response(struct json *json, const struct outcome *outcome) {
  const copal_view *message = outcome->message;
  char code[8];
  snprintf(code, sizeof code, "%d.%02d", COPAL_CODE_CLASS(message->code), COPAL_CODE_DETAIL(message->code));
  json_object(json, "response");
  json_text(json, "code", code);
  json_text(json, "name", copal_code_name(message->code));
  json_text(json, "type", copal_type_name(message->type));
  json_hex(json, "token", message->token);
  json_array(json, "options");
  add_options(json, message);
  json_close(json);
  add_content_format(json, message);
  json_uint(json, "size", outcome->body_size);
  /* An empty body is there, too, but for 2.03, which says that the client has it. */
  bool is_elsewhere = outcome->body.data == NULL && outcome->body_size > 0;
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (!is_elsewhere && message->code != COPAL_VALID) body_json(json, outcome->body, format);
  json_close(json);
}

static void add_options(struct json *json, const copal_view *message) {
  copal_options walk = copal_options_of(message);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    json_object(json, NULL);
    json_option(json, &option);
    json_close(json);
  }
}

static void add_content_format(struct json *json, const copal_view *message) {
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (format >= COPAL_FORMAT_NONE) {
    json_null(json, "content_format");
    return;
  }
  json_object(json, "content_format");
  json_uint(json, "number", format);
  json_text(json, "name", copal_content_format_name((uint16_t)format));
  json_close(json);
}

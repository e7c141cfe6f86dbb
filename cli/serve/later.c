/* Answers that are owed. Reads no clock: the caller says what time it is. */
#include "cli/serve/later.h"

#include <string.h>

/* An owed answer that finds no room on the endpoint is tried again after this. */
#define RETRY_DELAY (100 * COPAL_MILLISECOND)

enum { RETRY_AFTER_SECONDS = 5 }; /* what a client is told */

static bool leave_unanswered(copal_request *request);
void later_end(struct later *later, copal_time end) {
  later->is_ending = true;
  for (size_t i = 0; i < LATER_MAX; ++i) {
    if (later->owed[i].endpoint == NULL || later->owed[i].due <= end) continue;
    later->owed[i].due = 0;
    later->owed[i].is_refused = true;
  }
}

/* Who gets no acknowledgement asks again, and finds another server then. Who would not gets a refusal instead. */
static bool leave_unanswered(copal_request *request) {
  copal_deferred deferred;
  if (copal_request_rx(request)->type != COPAL_CON || copal_defer(request, &deferred) != COPAL_OK) return false;
  copal_deferred_drop(copal_request_endpoint(request), deferred);
  return true;
}

static size_t free_place(const struct later *later);
static copal_error answer(copal_endpoint *endpoint, copal_deferred deferred, const char *text);
static copal_error refuse(copal_endpoint *endpoint, copal_deferred deferred);

void later_owe(struct later *later, copal_request *request, copal_time due) {
  if (later->is_ending && leave_unanswered(request)) return;
  size_t place = later->is_ending ? LATER_MAX : free_place(later);
  if (place < LATER_MAX && copal_defer(request, &later->owed[place].deferred) == COPAL_OK) {
    later->owed[place].endpoint = copal_request_endpoint(request);
    later->owed[place].due = due;
    later->owed[place].is_refused = false;
    return;
  }
  /* RFC 7252 5.9.3.4: 5.03 "uses the Max-Age Option … to indicate the number of seconds after which to retry". */
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_SERVICE_UNAVAILABLE);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, RETRY_AFTER_SECONDS);
}

copal_time later_deadline(const struct later *later) {
  copal_time deadline = COPAL_NEVER;
  for (size_t i = 0; i < LATER_MAX; ++i) {
    if (later->owed[i].endpoint != NULL && later->owed[i].due < deadline) deadline = later->owed[i].due;
  }
  return deadline;
}

void later_work(struct later *later, copal_time now, const char *text) {
  for (size_t i = 0; i < LATER_MAX; ++i) {
    if (later->owed[i].endpoint == NULL || later->owed[i].due > now) continue;
    copal_error error = later->owed[i].is_refused ? refuse(later->owed[i].endpoint, later->owed[i].deferred)
                                                  : answer(later->owed[i].endpoint, later->owed[i].deferred, text);
    if (error == COPAL_OK || error == COPAL_ERR_STALE) {
      later->owed[i].endpoint = NULL;
    } else {
      later->owed[i].due = now + RETRY_DELAY;
    }
  }
}

static size_t free_place(const struct later *later) {
  size_t place = 0;
  while (place < LATER_MAX && later->owed[place].endpoint != NULL) ++place;
  return place;
}

static copal_error answer(copal_endpoint *endpoint, copal_deferred deferred, const char *text) {
  uint8_t buffer[256];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_add_uint(&response, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  copal_message_set_payload(&response, text, strlen(text));
  return copal_deferred_reply(endpoint, deferred, &response);
}

static copal_error refuse(copal_endpoint *endpoint, copal_deferred deferred) {
  uint8_t buffer[64];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_SERVICE_UNAVAILABLE);
  copal_message_add_uint(&response, COPAL_OPTION_MAX_AGE, RETRY_AFTER_SECONDS);
  return copal_deferred_reply(endpoint, deferred, &response);
}

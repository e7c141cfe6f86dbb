/* What an endpoint decided, from its counters: they are all that it tells. Pure: prints nothing.
 *
 * A counter is told once, at the place that says most: what is rejected because it is malformed is one decision. */
#include "cli/show/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The text as it grows. */
struct words {
  char *buffer;
  size_t capacity, size;
};

static void tell_received(struct words *words, const copal_view *view, const copal_counters *moved);
static void tell_message(struct words *words, const copal_view *view, const copal_counters *moved);
static const char *rejection_of(const copal_view *view);
static const char *silence_of(const copal_view *view);
static void tell_limits(struct words *words, const copal_counters *moved);
static copal_counters difference(const copal_counters *before, const copal_counters *after);
static void add(struct words *words, uint64_t count, const char *text);

const char *decision_text(enum decision_subject subject, const copal_view *view, const copal_counters *before,
                          const copal_counters *after, char *buffer, size_t capacity) {
  struct words words = {.buffer = buffer, .capacity = capacity};
  copal_counters moved = difference(before, after);
  buffer[0] = '\0';
  switch (subject) {
    case DECISION_RECEIVED: tell_received(&words, view, &moved); break;
    case DECISION_UNDELIVERED:
      add(&words, moved.unreachable,
          "unreachable: nothing listens there, or no route leads there; it is not sent again");
      break;
    case DECISION_TIME: add(&words, moved.unreachable, "unreachable: it is not sent again"); break;
  }
  add(&words, moved.given_up, "gave up: no answer after the last retransmission");
  add(&words, moved.unverified, "the address was not verified: a small answer goes instead of the one that was held");
  tell_limits(&words, &moved);
  return buffer;
}

static void tell_received(struct words *words, const copal_view *view, const copal_counters *moved) {
  if (view == NULL) {
    if (moved->malformed > 0) {
      add(words, 1, moved->rejected > 0 ? "malformed: rejected with a Reset" : "malformed: dropped in silence");
    } else {
      add(words, moved->ignored, "ignored: its source cannot be answered");
    }
    return;
  }
  tell_message(words, view, moved);
  add(words, moved->verified, "the peer's address is verified now");
  add(words, moved->held, "the answer is held until the peer's address is verified");
  add(words, moved->observers_gone, "the observer is forgotten");
}

static void tell_message(struct words *words, const copal_view *view, const copal_counters *moved) {
  bool is_request = copal_code_is_request(view->code);
  if (moved->duplicates > 0) {
    add(words, 1,
        moved->repeated > 0       ? "duplicate: the reply is repeated"
        : view->type == COPAL_CON ? "duplicate: not processed again, and there is no reply yet"
                                  : "duplicate: ignored");
  } else if (moved->rate_limited > 0) {
    add(words, 1, "rate limited: refused with 4.29");
  } else if (moved->replies_full > 0) {
    add(words, 1, "refused: no room to remember its reply");
  } else if (moved->challenged > 0) {
    add(words, 1, "refused for want of room, until the peer's address is verified");
  } else if (moved->requests > 0) {
    add(words, moved->requests, "processed");
  } else if (moved->responses > 0) {
    add(words, 1, "accepted: the response to our request");
  } else if (moved->resets > 0) {
    add(words, 1, "accepted: ends our message with this ID");
  } else if (moved->rejected > 0) {
    add(words, 1, rejection_of(view));
  } else if (moved->ignored > 0) {
    add(words, 1, silence_of(view));
  } else if (moved->peers_full > 0) {
    add(words, 1, "dropped: every peer record is busy");
  } else if (view->type == COPAL_ACK && view->code == COPAL_EMPTY) {
    add(words, 1, "accepted: our message with this ID has arrived");
  } else if (is_request) {
    add(words, 1, "refused before it was processed");
  }
}

static const char *rejection_of(const copal_view *view) {
  if (view->code == COPAL_EMPTY) return "a ping: answered with a Reset";
  if (copal_code_is_request(view->code)) return "rejected with a Reset";
  if (copal_code_is_response(view->code)) return "unknown token: rejected with a Reset";
  return "code of a reserved class: rejected with a Reset";
}

static const char *silence_of(const copal_view *view) {
  if (view->type == COPAL_ACK || view->type == COPAL_RST) {
    if (copal_code_is_request(view->code)) return "ignored: no request comes in such a message";
    return "ignored: no message of ours with this ID waits for it";
  }
  if (copal_code_is_response(view->code)) return "unknown token: ignored";
  return "ignored";
}

/* Limits that were reached, which are no decision about this message alone. */
static void tell_limits(struct words *words, const copal_counters *moved) {
  add(words, moved->outbox_full, "a reply is dropped: the outbox is full");
  add(words, moved->peers_evicted, "an idle peer made room");
  add(words, moved->replies_evicted, "a remembered reply made room before its time");
  add(words, moved->receptions_full, "the reply is not kept: no room");
  add(words, moved->transfers_evicted, "another body in blocks made room before its time");
  add(words, moved->transfers_full, "refused: no room for its body in blocks");
  add(words, moved->observers_full, "not observed: no room for another observer");
}

static copal_counters difference(const copal_counters *before, const copal_counters *after) {
  copal_counters moved;
#define SUBTRACT(name, text) moved.name = after->name - before->name;
  COPAL_COUNTERS(SUBTRACT)
#undef SUBTRACT
  return moved;
}

/* Nothing for a count of 0. */
static void add(struct words *words, uint64_t count, const char *text) {
  if (count == 0 || words->size >= words->capacity) return;
  char times[32] = "";
  if (count > 1) snprintf(times, sizeof times, " (%" PRIu64 " times)", count);
  int size = snprintf(words->buffer + words->size, words->capacity - words->size, "%s%s%s", words->size > 0 ? "; " : "",
                      text, times);
  if (size > 0) words->size += (size_t)size;
}

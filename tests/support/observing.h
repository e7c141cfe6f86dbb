/* A dialogue in which the client observes. */
#ifndef COPAL_TESTS_SUPPORT_OBSERVING_H
#define COPAL_TESTS_SUPPORT_OBSERVING_H

#include "support/dialogue.h"

static const copal_call_options OBSERVE = {.observe = true};

/* A GET for /temperature is under way, and that is its first answer. */
static inline struct talk *observing(const char *first) {
  struct talk *talk = talk_open_roomy();
  talk_begin(talk, COPAL_CON, COPAL_GET, "temperature", 0, &OBSERVE);
  asks(talk, "CON GET observe:0 /temperature");
  answers(talk, first);
  return talk;
}

/* An ACK or a Reset for the server's last message went out, and nothing else. */
static inline void answered_by(struct talk *talk, copal_type type) {
  const struct bare_sent *sent = bare_out_one(talk->bare);
  assert_int_equal(sent->view.type, type);
  assert_int_equal(sent->view.code, COPAL_EMPTY);
  assert_int_equal(sent->view.message_id, talk->own_mid - 1);
}

#endif

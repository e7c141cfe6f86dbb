/* What passes between a client and a server, in order, each datagram copied. */
#ifndef COPAL_TESTS_PLUGTEST_WIRE_H
#define COPAL_TESTS_PLUGTEST_WIRE_H

#include "copal/copal.h"
#include "plugtest/words.h"

enum { WIRE_MAX = 2000 };

struct passed {
  bool outgoing; /* from the client */
  bool again;    /* the same bytes passed that way before: a retransmission, or what answers one */
  bool lost;     /* it did not arrive */
  bool by_hand;  /* the test itself sent it, and knows */
  copal_time time;
  uint8_t *bytes;
  size_t size;
  copal_view view;
};

struct wire {
  struct passed passed[WIRE_MAX];
  size_t count;
  size_t looked_at; /* of these */
};

/* Notes a datagram. One that is no message fails the test. */
void wire_note(struct wire *wire, bool outgoing, bool lost, copal_time time, const void *bytes, size_t size);

/* The next that was not looked at; NULL when all were. Retransmissions are passed over, unless they are wanted: a
 * machine that is slow for a moment has more of them. */
const struct passed *wire_next(struct wire *wire, bool again_wanted);

/* A datagram in words: "client: CON GET /test", "server: again ACK 2.05 cf:0 + lost". */
void wire_words(const struct passed *passed, char *text, size_t capacity);

/* Forgets all. */
void wire_clear(struct wire *wire);

#endif

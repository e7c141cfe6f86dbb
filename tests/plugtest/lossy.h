/* A relay between a client and a server that loses what it is told to lose: the plugtests' CoAP_CFG_LOSSY. Whatever
 * comes to it goes to the server, and whatever the server sends goes to the last client. It runs in the test's own
 * process, when it is asked to. */
#ifndef COPAL_TESTS_PLUGTEST_LOSSY_H
#define COPAL_TESTS_PLUGTEST_LOSSY_H

#include "plugtest/wire.h"

enum { LOSSES_MAX = 8 };

struct lossy {
  struct wire *wire; /* what passes, and what is lost, is noted here */
  int client_side, server_side;
  copal_address address; /* where clients send to */
  copal_address client;
  const char *losses[LOSSES_MAX]; /* patterns of fnmatch for wire_words; each is used once */
};

/* Opens a relay to a server on loopback. */
void lossy_open(struct lossy *lossy, struct wire *wire, const copal_address *server);
void lossy_close(struct lossy *lossy);

/* Loses the next datagram that fits. pattern is borrowed. */
void lossy_lose(struct lossy *lossy, const char *pattern);

/* Passes on what has come. */
void lossy_pump(struct lossy *lossy);

#endif

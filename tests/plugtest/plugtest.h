/* The frame of the plugtests (ETSI CoAP#4): a client of ours, a server, and what passes between them.
 *
 *   const struct passed *request = client_sends(bench, "CON GET /test");
 *   const struct passed *response = server_sends(bench, "ACK 2.05 cf:0 +");
 *
 * Expectations are patterns of fnmatch in the words of words.h; they come in the order in which datagrams passed. */
#ifndef COPAL_TESTS_PLUGTEST_PLUGTEST_H
#define COPAL_TESTS_PLUGTEST_PLUGTEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "copal/net.h"
#include "plugtest/lossy.h"
#include "plugtest/server.h"
#include "plugtest/wire.h"

enum { BODY_MAX = 1 << 14, ACK_TIMEOUT_MS = 300 };

/* What the client's call was told last. */
struct told {
  unsigned count, heard; /* times: it was told, and the test took note */
  copal_error error;
  uint8_t code;
  bool last;
  bool observed;
  uint8_t body[BODY_MAX];
  size_t size;
};

struct bench {
  bool is_ours;     /* the server, */
  const char *peer; /* and whose else it is: "copal", "libcoap", "node" */
  copal_endpoint *client;
  copal_call call;
  struct told told;
  uint8_t gathered[BODY_MAX];
  struct server server;
  copal_address remote; /* where the client sends to: the server, or the relay */
  struct lossy lossy;
  int hand; /* a plain socket, for messages that no client of ours sends; -1 when it is not used */
  uint16_t hand_mid;
  struct wire wire;
};

/* --- The tests ---------------------------------------------------------------------------------- */

enum {
  AS_SERVER = 1,
  AS_CLIENT = 2,
  LOSSY = 4,
  UNCONFIRMED = 8 /* another server is to notify without confirmation */
};

struct plugtest {
  const char *id;
  const char *what;
  void (*run)(struct bench *bench);
  unsigned roles;      /* whose behaviour it checks, and what it needs */
  const char *options; /* of our server */
  /* With another server: NULL where it does as it should; "no: …" why it cannot, and the test does not run; "but: …"
   * what it does not as it should, for which the test has an exception. */
  const char *libcoap, *node;
};

/* Runs the tests, each with a server and a client of its own, and notes the results for scripts/conformance. Arguments,
 * if any: another server's name, "libcoap" or "node", its port, and the port of one that notifies without confirmation.
 * Returns main's result. */
int plugtest_run(const struct plugtest *tests, size_t count, int argc, char **argv);

/* --- What passes -------------------------------------------------------------------------------- */

/* The next datagram, which must be the client's, or the server's, and fit. */
const struct passed *client_sends(struct bench *bench, const char *pattern);
const struct passed *server_sends(struct bench *bench, const char *pattern);

/* Nothing passes for so long. */
void nothing_passes(struct bench *bench, copal_time duration);

/* Makes passes of the client, and of the relay, for so long. */
void let_pass(struct bench *bench, copal_time duration);

/* What has passed so far is not looked at any more. */
void skip_what_passed(struct bench *bench);

void assert_same_mid(const struct passed *a, const struct passed *b);
void assert_other_mid(const struct passed *a, const struct passed *b);
void assert_same_token(const struct passed *a, const struct passed *b);
void assert_same_format(const struct passed *a, const struct passed *b);
void assert_payload(const struct passed *passed, const char *text);
uint32_t observe_of(const struct passed *passed);
copal_bytes option_of(const struct passed *passed, uint16_t number);

/* --- Our client --------------------------------------------------------------------------------- */

/* What a request has beside its words. */
struct wish {
  const void *payload;
  size_t size;
  uint16_t block_size;
  bool observe, no_token;
  struct told *told; /* where the call's results go; NULL: bench->told */
};

/* Begins a call; what it is told stands in bench->told. wish may be NULL. */
void ask(struct bench *bench, const char *words, const struct wish *wish);

/* A call that takes one exchange: it sends what is said, and the server answers as it must, with the same token, and to
 * a CON in the acknowledgement, to a NON with a NON. Returns the answer. */
const struct passed *exchange(struct bench *bench, const char *words, const char *pattern);

/* Waits until the call has been told once more, and of that code. */
void told(struct bench *bench, uint8_t code);

/* A client that has forgotten everything, on the port of the one before. */
void restart_client(struct bench *bench);

/* --- By hand ------------------------------------------------------------------------------------ */

/* From here on the client is a plain socket. Sends a message with the next message ID; returns what passed. */
const struct passed *hand_sends(struct bench *bench, const char *words);

/* Sends an empty ACK or RST for a datagram. */
void hand_settles(struct bench *bench, copal_type type, const struct passed *passed);

/* --- Others ------------------------------------------------------------------------------------- */

/* Another client changes something at the server: "PUT /obs cf:0 +on". Waits for a success. */
void meanwhile(struct bench *bench, const char *words);

/* The resource gets a body of that size that it did not have before: ours by itself, others by a PUT. */
void change(struct bench *bench, const char *resource, size_t size);

/* Has our server do what /actions offers: "obs change". */
void action(struct bench *bench, const char *line);

#endif

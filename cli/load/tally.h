/* What is counted under load. */
#ifndef COPAL_CLI_LOAD_TALLY_H
#define COPAL_CLI_LOAD_TALLY_H

#include <stdint.h>

/* X(name, what it counts): how requests ended. Each that counts ends in one of these ways. */
#define TALLY_ENDS(X)                                  \
  X(responses, "responses")                            \
  X(timeouts, "without a response in time")            \
  X(resets, "answered with a Reset")                   \
  X(unreachable, "unreachable: nothing listens there") \
  X(broken, "with blocks that do not make a whole")    \
  X(unfinished, "still under way at the end")

/* X(name, what it counts): messages, of all requests. */
#define TALLY_MESSAGES(X)                                           \
  X(retransmissions, "requests sent again")                         \
  X(acknowledgements, "empty ACKs, whose responses come apart")     \
  X(duplicates, "responses that had come before, or came too late") \
  X(mismatched, "responses and ACKs to nothing that was asked")     \
  X(malformed, "datagrams that are no CoAP message")                \
  X(pings, "pings answered, by which a server verifies an address")

#define TALLY_FIELD(name, text) uint64_t name;
struct tally {
  uint64_t requests; /* that count: begun when it was time to count */
  uint64_t in_time;  /* responses, to whatever request, that came in that time */
  uint64_t unsent;   /* due in that time at the rate, and never sent */
  TALLY_ENDS(TALLY_FIELD)
  TALLY_MESSAGES(TALLY_FIELD)
  uint64_t exchanges;     /* responses, blocks counted each */
  uint64_t body_sent;     /* bytes of payloads, */
  uint64_t body_received; /* of whole responses */
  uint64_t codes[256];    /* of the responses */
};
#undef TALLY_FIELD

#endif

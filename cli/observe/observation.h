/* One resource that is observed: asked for, told of, and asked for again where its server was lost. Shows nothing. */
#ifndef COPAL_CLI_OBSERVE_OBSERVATION_H
#define COPAL_CLI_OBSERVE_OBSERVATION_H

#include "cli/ask/question.h"

/* What has happened. */
enum observation_event {
  OBSERVATION_STATE,    /* a state came; result->last: the server tells no more */
  OBSERVATION_RETURNED, /* as the state of a server that was lost will be told next; latest is still the one before */
  OBSERVATION_MISSED,   /* one state could not be had: the next may */
  OBSERVATION_LOST,     /* the server does not answer: it will be asked again after `delay` */
  OBSERVATION_FAILED    /* it is over: nobody has answered, or what came is of no use */
};

struct observation;

/* result is the call's, NULL where none could be begun; error is why, where something failed. */
typedef void observation_listener(struct observation *observation, enum observation_event event,
                                  const copal_result *result, copal_error error);

enum observation_phase {
  PHASE_ASKING, /* a request is under way */
  PHASE_TOLD,   /* the server tells of changes */
  PHASE_LOST,   /* asks again at `again` */
  PHASE_ENDED
};

struct observation {
  struct client *client;
  observation_listener *listener;
  void *context; /* the listener's */
  struct target target;
  enum observation_phase phase;
  copal_call call;
  copal_time again;  /* when to ask again; COPAL_NEVER */
  copal_time delay;  /* of the latest loss */
  copal_time latest; /* when the latest state came; COPAL_NEVER: none has */
  unsigned attempts; /* in vain, in a row */
  uint32_t states;
  enum status status;
  struct question question;
};

/* How long to wait before the attempt after so many in vain: from 1 s on twice as long each time, at most 30 s, and up
 * to half as much again, so that not all clients of a server ask it at once when it is back. random is any number. */
copal_time observation_delay(unsigned attempts, uint32_t random);

/* Looks the operand's host up, builds the request and opens its body; observation is all zeroes but for client,
 * listener and context. STATUS_SUCCESS, or a complaint has been made. Close it in either case. */
enum status observation_open(struct observation *observation, const char *operand, uint8_t code);
void observation_close(struct observation *observation);

/* Begins it. What happens then, and where it cannot begin, the listener is told. */
void observation_begin(struct observation *observation);

/* When observation_work has something to do. */
copal_time observation_deadline(const struct observation *observation);

void observation_work(struct observation *observation, copal_time now);

/* Ends it, and tells the server. */
void observation_end(struct observation *observation);

#endif

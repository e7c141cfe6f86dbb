/* The operations of a client. RFC 7959 2.3: "a single REST operation can be split into multiple CoAP message
 * exchanges." One record for each call of the application: its request, how far the bodies have come either way, and
 * what the server is known to want. Pure: this composes the next request and says what a response means. Who sends it,
 * and when an exchange ends, is the endpoint's. The request's body is upload.h's, the response's download.h's. */
#ifndef COPAL_REST_OPERATIONS_H
#define COPAL_REST_OPERATIONS_H

#include "base/hash.h"
#include "base/slab.h"
#include "base/store.h"
#include "base/table.h"
#include "base/timer.h"
#include "copal/rest.h"
#include "rest/freshness.h"
#include "rest/gaps.h"
#include "rest/qblock.h"
#include "rest/window.h"

enum { ECHO_SIZE_MAX = 40, REQUEST_TAG_SIZE = 3, PIPELINE_MAX = 7 };

/* What is to be done after a response. */
enum step {
  STEP_SEND,    /* the operation goes on: compose and send */
  STEP_WAIT,    /* it goes on by its timer, or by the next message that comes */
  STEP_DELIVER, /* the response is the result */
  STEP_FAIL     /* there will be no result */
};

/* The request's body on its way. */
struct upload {
  copal_reader *read; /* or NULL: the body lies behind the request's head */
  uint64_t total;     /* its size, or COPAL_SIZE_UNKNOWN */
  uint64_t offset;    /* of the block that was sent last */
  uint32_t size;      /* of that block */
  uint32_t blocks;    /* that were made */
  uint8_t szx;
  bool in_blocks;
  bool more;      /* that block is not the last */
  bool restarted; /* after 4.08 */
};

/* The response's body on its way. */
struct download {
  copal_writer *write; /* of a successful response; or NULL: gather it */
  uint8_t *buffer;
  size_t capacity;
  uint64_t size;     /* of what has come */
  uint32_t expected; /* size of the whole, as the server reckons; 0: it has not said */
  uint32_t blocks;   /* that it came in */
  uint32_t content_format;
  uint8_t etag[8];
  uint8_t etag_size; /* 0: it has none */
  uint8_t szx;
  uint8_t class; /* of the response's code */
  bool in_blocks;
  bool writing;   /* write takes this body */
  bool written;   /* write has taken something */
  bool restarted; /* since the body changed */
};

/* A block that was asked for ahead. */
struct pipelined {
  copal_tx exchange; /* none once it has come: */
  uint32_t answer;   /* it is in the store */
};

/* Those behind the one that the operation's exchange asks for: pipeline.h. */
struct pipeline {
  struct pipelined blocks[PIPELINE_MAX]; /* a ring, */
  uint8_t first, count;
  uint8_t szx;   /* in blocks of that size */
  uint8_t limit; /* for now */
  uint8_t most;
};

/* Whether and how far a transfer goes by Q-Block: quick.h. */
enum quick_state {
  QUICK_OFF,
  QUICK_OFFERED,  /* with a confirmable request, whose answer tells whether the server knows it */
  QUICK_SENDING,  /* the request's body */
  QUICK_FETCHING, /* the response's */
};

struct quick {
  copal_time gap;               /* between sets */
  copal_time resume_at;         /* when the next set may go, or what was not answered again; 0: that is to be decided */
  uint64_t total;               /* bytes of the response's body */
  uint32_t token;               /* the last four bytes of its tokens; */
  uint32_t requests;            /* the first four count */
  uint32_t next, end;           /* sending: the next block, and where the set ends that may go */
  uint32_t again[QBLOCK_SET];   /* sending: blocks that the server lacks */
  uint32_t lowest;              /* of them, */
  struct gaps gaps;             /* fetching: what has come */
  uint32_t told;                /* fetching: gaps before this block were asked for */
  uint16_t first_mid, last_mid; /* of the latest burst */
  uint8_t again_count, again_at;
  uint8_t repeats; /* times that the server lacked the lowest */
  uint8_t tries;   /* since anything came */
  uint8_t state;   /* enum quick_state */
  bool asks;       /* fetching: a request is to go */
  bool restarted;  /* after a 4.08 that says no more */
};

struct operation {
  struct timer timer;
  copal_call_handler *handler;
  void *context;
  void *body_context;
  copal_time timeout;    /* of a round: of the whole, or of an observation's each state; 0 for none */
  copal_time expires_at; /* the end of this round, or COPAL_NEVER */
  copal_time began;      /* first transmission; COPAL_NEVER before */
  copal_time asked;      /* that of the latest request */
  copal_time renew_at;   /* of an observation */
  copal_tx exchange;     /* whose response the operation waits for, or none */
  copal_tx observation;  /* whose token the notifications have, or none */
  struct upload upload;
  struct download download;
  struct pipeline pipeline;
  struct quick quick;
  struct freshness freshness;
  uint32_t generation;
  uint32_t next, previous; /* who shares its registration: a ring */
  uint32_t alike;          /* hash of what it observes */
  uint32_t peer;
  uint32_t request;   /* slot in the store: the request as it was given, whole where its body is in it */
  uint32_t head_size; /* of the request without payload */
  uint32_t exchanges; /* requests so far */
  uint32_t retransmissions;
  uint32_t tag;          /* its Request-Tag, if it needs one */
  uint8_t transmissions; /* of the latest request, as it was last looked at */
  uint8_t echo[ECHO_SIZE_MAX];
  uint8_t echo_size;  /* 0: none */
  uint8_t token[8];   /* of an observation, made by the engine */
  uint8_t token_size; /* 0: as in the request */
  uint8_t szx_wanted; /* of the response, where block sizes are negotiated early */
  bool negotiates;    /* szx_wanted is to be told to the server, */
  bool insists;       /* rather than the request be sent without it */
  bool used;
  bool timed;       /* the timer is set */
  bool found;       /* by its tokens: it is in the index */
  bool repeated;    /* with an Echo value, and the response is not here yet */
  bool downloading; /* the request is done, and blocks of the response are fetched */
  bool plain;       /* the request has Block options of its own: they are left alone */
  bool multicast;
  bool con;
  bool reads; /* GET or FETCH: it may be repeated */
  bool no_token;
  bool observe;      /* as was asked for */
  bool registering;  /* the exchange is to begin or renew an observation */
  bool listed;       /* its registration may be joined: it is in the index */
  bool follows;      /* it is told by the registration of another, and sends requests without Observe */
  bool is_next;      /* to be told in this round */
  bool unanswered;   /* RFC 7967: no response is wanted */
  bool acknowledged; /* the latest request, by an empty ACK */
};

struct operations {
  struct operation *records;
  struct slab slab;
  struct store *store; /* of requests */
  uint8_t *scratch;    /* where requests are composed, */
  uint8_t *block;      /* and where their bodies are read to */
  struct timer_queue timers;
  struct table index;  /* by peer, of those that have bursts */
  struct table shared; /* by what is asked of whom, of those that have a registration */
  uint32_t turn;       /* of a round of those who share one: who is told next, or INDEX_NONE */
  bool round_ends;     /* as their registration does */
  struct hash_key key;
  uint32_t message_size_max;
  uint32_t tag; /* the next operation's */
  uint8_t nstart;
  bool in_body; /* the application reads or writes a body */
};

void operations_init(struct operations *operations, struct layout *layout, const copal_config *config,
                     struct store *store, struct hash_key key, copal_time now);

/* A record for what is asked for; nothing is checked but what concerns the request. COPAL_ERR_CALLS_FULL,
 * _MESSAGES_FULL, _MESSAGE_SIZE, _OPTION_VALUE (block_size). */
copal_error operation_take(struct operations *operations, const copal_call_options *options, uint32_t *index);

/* Gives a record back. */
void operation_give(struct operations *operations, struct operation *operation);

/* The record that a handle names, or NULL. */
struct operation *operation_of(const struct operations *operations, copal_call call);

copal_call operation_handle(const struct operations *operations, const struct operation *operation);

/* Whether the next request is confirmable whatever the application's was. */
static inline bool operation_is_probing(const struct operation *operation) {
  return operation->quick.state == QUICK_OFFERED;
}

/* Has an operation do something at that time, instead of whenever it was to; and no more. */
void operation_schedule(struct operations *operations, struct operation *operation, copal_time deadline);
void operation_rest(struct operations *operations, struct operation *operation);

/* Takes one that is to do something by now, or NULL. */
struct operation *operations_take_due(struct operations *operations, copal_time now);

/* Has responses to a burst found by their token, of which this is the end; 0 is none. */
void operation_name(struct operations *operations, struct operation *operation, uint32_t token);

/* The operation in whose burst to a peer a token was sent, or NULL. */
struct operation *operations_by_token(const struct operations *operations, uint32_t peer, copal_bytes token);

/* A walk over the operations that have bursts to a peer. */
struct operation *operations_next_of(const struct operations *operations, uint32_t peer, struct table_walk *walk);
struct table_walk operations_walk(const struct operations *operations, uint32_t peer);

/* Begins a request: its options, its Echo value and that token. */
void operation_begin_message(const struct operations *operations, const struct operation *operation, copal_bytes token,
                             copal_message *message);

/* Whether there is an observation by which it is told of changes: its own, or that of another. */
static inline bool operation_is_observed(const struct operation *operation) {
  return operation->follows || !copal_tx_none(operation->observation);
}

/* Whether the next request has no token, as was asked for: not while an observation has that. */
bool operation_is_tokenless(const struct operation *operation);

/* Whether the next request has the token of the one before: that of an observation, and among confirmable ones that of
 * an upload, and that of a response whose request may not be executed again. Some servers (node-coap) tell by the token
 * alone what belongs together. Where the message ID does not tell answers apart, a late one to one block could be taken
 * for that to another. Not beside an observation, which has the token. */
bool operation_keeps_token(const struct operation *operation);

/* Writes the next request. COPAL_ERR_MESSAGE_SIZE, _BODY_READ, _BODY_SIZE. */
copal_error operation_compose(struct operations *operations, struct operation *operation, copal_message *message);

/* Writes the request for the block behind those that have been asked for. Errors as operation_compose. */
copal_error operation_compose_ahead(struct operations *operations, struct operation *operation, copal_message *message);

/* Writes the request that ends an observation. COPAL_ERR_MESSAGE_SIZE. */
copal_error operation_compose_end(struct operations *operations, struct operation *operation, copal_message *message);

/* What the response to its request means for an operation. error is set where it fails. */
enum step operation_receive(struct operations *operations, struct operation *operation, const copal_view *response,
                            copal_error *error);

/* What a notification means, which is newer than all before: what was under way is over. */
enum step operation_notified(struct operations *operations, struct operation *operation, const copal_view *response,
                             copal_error *error);

/* Begins anew with the registration of the observation. */
void operation_renew(struct operation *operation);

#endif

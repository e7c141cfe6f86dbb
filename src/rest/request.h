/* A request on its way through a handler. It lives on the stack of the endpoint's dispatch; the reply is built straight
 * into the memory that keeps it for duplicates. */
#ifndef COPAL_REST_REQUEST_H
#define COPAL_REST_REQUEST_H

#include "engine/deferred.h"
#include "rest/routes.h"
#include "rest/transfers.h"
#include "rest/wanted.h"

enum { ETAG_SIZE_MAX = 8 };

/* A Block option of the request. */
struct request_block {
  copal_block block;
  bool present;
};

struct copal_request {
  copal_rx rx;
  copal_message reply;
  struct reply *entry; /* where it is remembered, and the reply kept; NULL where nobody waits for that */
  uint8_t *room;       /* where the reply is built */
  size_t room_size;
  const struct routes *routes;
  uint32_t route;                      /* index, or INDEX_NONE for none */
  const struct route_handler *handler; /* NULL before it is known */
  struct engine *engine;
  struct deferreds *deferreds;
  struct transfers *transfers;
  const struct incoming *incoming;
  struct request_block block1, block2;
  struct request_block qblock1;   /* of a body that comes in any order */
  struct wanted wanted;           /* by Q-Block2; its first block is that of block2, too */
  const struct transfer_key *key; /* of a reply that comes late, whose request is gone; else NULL */
  copal_part part;
  void *state;     /* of a body in one message, for part.state */
  uint32_t upload; /* the transfer whose bytes are the payload, or INDEX_NONE */
  uint16_t reply_mid;
  uint8_t etag[ETAG_SIZE_MAX]; /* the resource's version, if it has a version function */
  uint8_t etag_size;
  bool replied, deferred;
  bool handled;      /* the handler was called */
  bool challenged;   /* and the client given an Echo value, to come again with */
  bool in_blocks;    /* the reply's payload is the wanted block already */
  bool quick;        /* a reply in blocks goes by Q-Block2 */
  bool silent;       /* nothing is to be said, but that it was received */
  bool notification; /* the handler is called for observers: nothing is known of the client but its request */
};

/* Begins the reply anew: type, message ID and token are set, nothing else is. */
void request_begin_reply(struct copal_request *request, uint8_t code);

/* Gives a reply that was begun its problem as payload. False when there is no room, or nothing is said. */
bool request_put_problem(copal_message *reply, const copal_problem *problem);

/* Replies 4.01 with an Echo value: echo.c. */
void request_challenge(struct copal_request *request);

/* A code's name, for a problem's title. */
copal_bytes request_title(uint8_t code);

/* Finds the handler, calls it, and sees that there is a reply or a deferral afterwards. */
void request_dispatch(struct copal_request *request);

/* Lets go of what the request held, when its reply is done. */
void request_end(struct copal_request *request);

/* Replies with the list of routes: GET /.well-known/core. core.c */
void request_reply_core(struct copal_request *request);

/* --- Conditions: conditions.c ------------------------------------------------------------------- */

/* Whether the request's formats and preconditions permit the handler to be called; where not, it is answered. */
bool request_is_acceptable(struct copal_request *request);
bool request_preconditions_hold(struct copal_request *request);

/* Gives the reply its ETag, and makes 2.03 of a 2.05 whose ETag the client has. */
void request_validate(struct copal_request *request);

/* --- Bodies: intake.c, reply.c ------------------------------------------------------------------ */

/* A Block option's value, or UINT32_MAX for none. */
struct request_block request_block_of(uint32_t value);

/* Hashes of what makes the request one with its other blocks. */
struct transfer_key request_transfer_key(const struct copal_request *request);

/* A new transfer of the request's, and one that goes on with it: as transfers_begin, transfer_touch. */
uint32_t request_begin_transfer(const struct copal_request *request, enum transfer_kind kind);
void request_touch_transfer(const struct copal_request *request, uint32_t index);

/* Takes the block of a body that came with the request. Whether the handler is to be called now, with the whole body or
 * with a part; where not, the request is answered. */
bool request_take_block(struct copal_request *request);

/* The same for a block that may come in any order: gather.c. */
bool request_gather(struct copal_request *request);
void request_finish_gathering(struct copal_request *request);
void request_end_gathering(struct copal_request *request);

/* Answers a block that is not taken. false. */
bool request_refuse_block(struct copal_request *request, copal_code code);

/* The same for want of room: who is not verified may show his address, and come again. */
bool request_refuse_room(struct copal_request *request);

/* Notes what the handler is to see of a body. */
void request_describe_part(struct copal_request *request, uint64_t offset, bool last, void **state);

/* Tells the client which block of its body the reply answers; more: that it is not the final response. */
void request_add_block1(struct copal_request *request, bool more);

/* Tells a client whose message is too large which blocks would have room beside its options, and of how large a body,
 * where blocks are taken at all. */
void request_propose_blocks(struct copal_request *request);

/* Notes after the handler what becomes of the upload, and tells the client which block it was. */
void request_finish_block(struct copal_request *request);

/* Replies with the wanted block of a reply that is kept. False when none is. */
bool request_reply_kept(struct copal_request *request);

/* Keeps the reply as it is, unless it is kept, for whoever asks for it again by a block of the same body. */
void request_keep_reply(struct copal_request *request);

/* Sees that the blocks that are wanted beside the reply's go out, too; skipped: how many of them the reply has.
 * False where there are none. */
bool request_begin_burst(struct copal_request *request, uint32_t skipped);

/* Builds a reply that comes late from a response that the application wrote: its options, and the wanted block of its
 * payload, which is kept. request has its key. */
copal_error request_reply_late(struct copal_request *request, const copal_message *response);

/* After a reply that came late to a request by Q-Block, and is sent: it is kept for whoever sends the request's blocks
 * again: gather.c. */
void request_settle_late(struct copal_request *request);

/* Cuts a payload that was set by hand down to the wanted block. */
void request_cut_reply(struct copal_request *request);

#endif

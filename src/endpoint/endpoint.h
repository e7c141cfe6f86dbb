/* The endpoint: the tables of all layers side by side, and what the files of this folder share. It is the conductor:
 * the only place that knows in which order the layers are called. */
#ifndef COPAL_ENDPOINT_ENDPOINT_H
#define COPAL_ENDPOINT_ENDPOINT_H

#include "endpoint/outbox.h"
#include "endpoint/paths.h"
#include "endpoint/verify.h"
#include "engine/deferred.h"
#include "engine/engine.h"
#include "rest/observers.h"
#include "rest/operations.h"
#include "rest/routes.h"
#include "rest/transfers.h"

/* Whom to call with an exchange's end; beside the exchange of the same index. */
struct call {
  copal_response_handler *handler;
  void *context;
};

/* Transmissions that failed, for copal_endpoint_event. */
struct failure {
  copal_tx tx;
  copal_error error;
};

struct failures {
  struct failure *records;
  uint32_t capacity, tail, count;
};

struct copal_endpoint {
  struct engine engine;
  struct deferreds deferreds;
  struct routes routes;
  struct transfers transfers;
  struct observers observers;
  struct paths paths;
  struct outbox outbox;
  struct verifications verifications;
  struct call *calls;
  struct operations operations;
  struct failures failures;
  copal_rx waiting; /* a message that the application has not taken yet */
  bool has_waiting;
  copal_stateless_handler *stateless;
  void *stateless_context;
  struct hash_key stateless_key; /* of the seals in tokens */
  bool in_handler;               /* the application is being called: no datagram may pass meanwhile */
  void *host;                    /* of a hosted endpoint: net/ */
  copal_time (*clock)(void);     /* of a hosted endpoint */
};

/* A datagram on its way in. */
struct arrival {
  struct incoming incoming;
  copal_view view;
  struct path path;
  const copal_datagram *datagram;
};

/* Moves the endpoint's time, which never goes back. */
void endpoint_advance(copal_endpoint *endpoint, copal_time now);

/* Lets go of what the last output gave out. What is given out from now on stays: output_at is now, or COPAL_NEVER where
 * nothing will be. */
void endpoint_release(copal_endpoint *endpoint, copal_time output_at);

/* Moves a hosted endpoint's time to its clock's, for a call that brings no time. */
void endpoint_read_clock(copal_endpoint *endpoint);

/* A peer's local address is lost: from now on the system chooses. */
void endpoint_unbind(copal_endpoint *endpoint, const copal_path *path);

/* The peer at the other end of a path, made if it is new; INDEX_NONE when every record is busy. */
uint32_t endpoint_peer(copal_endpoint *endpoint, const struct path *path);

/* A request whose answer comes late. */
struct late {
  struct reply_key key;
  struct path path;
  copal_bytes token; /* for a response that has none */
  uint32_t peer;     /* or INDEX_NONE */
};

/* Answers a request that is not acknowledged yet, and keeps the answer for duplicates: late.c.
 * COPAL_ERR_MESSAGE_SIZE, COPAL_ERR_MESSAGES_FULL. */
copal_error endpoint_piggyback(copal_endpoint *endpoint, const struct late *late, copal_bytes message);

/* --- Verified addresses: verify.c --------------------------------------------------------------- */

/* Whether an address is known to receive what is sent to it, or nothing is limited anyway. */
bool endpoint_is_verified(const copal_endpoint *endpoint, uint32_t peer);

/* Whether a reply of that many bytes may go to the sender of a request, as far as his address is verified. */
bool endpoint_may_answer(const copal_endpoint *endpoint, const struct arrival *arrival, size_t reply_size);

/* Holds the reply that stands behind the request's entry back until the address is verified, and closes the entry: the
 * reply is a late one then. Where there is no room for it, the request is told so. */
void endpoint_hold_answer(copal_endpoint *endpoint, struct arrival *arrival, struct reply *entry,
                          const struct copal_request *request);

/* The same in parts, for answers that come late. */
bool endpoint_may_send(const copal_endpoint *endpoint, uint32_t peer, size_t request_size, size_t size);

/* Holds a copy of a response back until the address is verified. The deferred record is the verification's from then
 * on. False when there is no room for it. */
bool endpoint_hold(copal_endpoint *endpoint, uint32_t deferred, copal_bytes message);

/* Writes what an address that is not verified may be told instead of a message, without a token: 4.01 with an Echo
 * value or, since a request that executes something must not be sent again, the message's code and Location. */
copal_bytes endpoint_write_small(copal_endpoint *endpoint, uint32_t peer, bool executed, copal_bytes message,
                                 uint8_t buffer[SMALL_SIZE]);

/* Has a peer verified, unless it is or that is under way. False: there is no room for it, or so much is under way. */
bool endpoint_verify(copal_endpoint *endpoint, uint32_t peer, uint32_t quarters);

/* Whether that is under way. */
bool endpoint_is_verifying(const copal_endpoint *endpoint, uint32_t peer);

/* A peer is verified by a request: what was held back for it goes. */
void endpoint_note_verified(copal_endpoint *endpoint, uint32_t peer);

/* A Reset from a peer, or INDEX_NONE, belongs to nothing that was sent. */
void endpoint_note_stray(copal_endpoint *endpoint, uint32_t peer);

/* --- Answers ------------------------------------------------------------------------------------ */

/* Answers a request that was deferred: piggybacked as long as its ACK has not gone, else as a message of that type. The
 * token is the request's where message has none: late.c. Errors as copal_send. */
copal_error endpoint_answer_late(copal_endpoint *endpoint, const struct deferred *deferred, copal_bytes message,
                                 copal_type type);

/* Sends the empty ACK of a request that is answered later: late.c. */
void endpoint_acknowledge(copal_endpoint *endpoint, const struct deferred *deferred);

/* Answers a request that came to a group, some time within the leisure, if there is anything to say: answer.c.
 * no_response is the request's option. */
void endpoint_answer_group(copal_endpoint *endpoint, const struct transmission *transmission, uint8_t no_response);

/* Answers with an empty ACK or a Reset; a full outbox is counted. */
void endpoint_answer_empty(copal_endpoint *endpoint, const struct path *path, copal_type type, uint16_t mid);

/* Puts a kept reply into the outbox; a full one is counted. */
void endpoint_answer(copal_endpoint *endpoint, const struct path *path, struct reply *reply);

/* The entry of a message among the replies, or NULL. */
struct reply *endpoint_find_reply(copal_endpoint *endpoint, const struct reply_key *key);

/* Keeps a message for the application until it takes it: events.c. Nothing waits there yet. */
void endpoint_hand_out(copal_endpoint *endpoint, const copal_rx *rx);

/* Tells the owner of an exchange how it ended: events.c. rx is NULL without a message. A call is ended with that. */
void endpoint_tell(copal_endpoint *endpoint, uint32_t index, const copal_rx *rx, copal_error error);

/* The handler of an exchange whose end nobody waits for: events.c. */
void endpoint_ignore_end(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error, void *context);

/* Whether a response's token is one that carries the client's state, and which: stateless.c. */
bool endpoint_stateless_state(const copal_endpoint *endpoint, const struct arrival *arrival, copal_bytes *state);
void endpoint_tell_stateless(copal_endpoint *endpoint, const copal_rx *rx, copal_bytes state);

/* --- Q-Block transfers: qserver.c, qclient.c ---------------------------------------------------- */

/* Does what a transfer is to do by now: one at a time, false when there is none. */
bool endpoint_run_transfer(copal_endpoint *endpoint);
bool endpoint_run_operation(copal_endpoint *endpoint);

/* A Reset belongs to no exchange: perhaps to a message of a transfer, which then ends. */
bool endpoint_note_reset(copal_endpoint *endpoint, const struct arrival *arrival);

/* The operation in whose burst a response's token was sent, or NULL; and the response for it. */
struct operation *endpoint_burst_operation(copal_endpoint *endpoint, const struct arrival *arrival);
void endpoint_tell_operation(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx);

/* Has an operation go on by its timer, or by what comes under one of its tokens. */
void endpoint_wait_operation(copal_endpoint *endpoint, struct operation *operation);

/* Does what a response means for an operation; or ends it: operations.c. */
void endpoint_follow_operation(copal_endpoint *endpoint, struct operation *operation, const copal_rx *rx,
                               enum step step, copal_error error);
void endpoint_fail_operation(copal_endpoint *endpoint, struct operation *operation, copal_error error);

/* A Reset is for a message of an operation's burst. */
bool endpoint_note_burst_reset(copal_endpoint *endpoint, const struct arrival *arrival);

/* An operation's request was acknowledged, and its response is to follow. */
void endpoint_note_acknowledged(copal_endpoint *endpoint, uint32_t exchange);

/* A request for an endpoint with resources: answer.c. */
void endpoint_serve(copal_endpoint *endpoint, struct arrival *arrival);

/* Does what a request's Observe option asks for, after its handler, and before its reply is closed: observe.c. */
void endpoint_observe(copal_endpoint *endpoint, const struct arrival *arrival, struct copal_request *request);

/* A reply is not sent as it is, for want of a verified address: where it has registered an observer, there is none. The
 * token is the request's. */
void endpoint_withdraw(copal_endpoint *endpoint, uint32_t peer, copal_bytes token, copal_bytes reply);

/* Gives a reply or a notification an Observe option with a new number. */
void endpoint_add_observe(copal_endpoint *endpoint, copal_message *message, uint32_t *number);

/* Takes an observer off the list, and with it what is on its way: notify.c. */
void endpoint_forget_observer(copal_endpoint *endpoint, uint32_t index);

/* Brings an exchange that is just to be transmitted up to date, if it is a notification: notify.c. */
void endpoint_refresh(copal_endpoint *endpoint, uint32_t index);

/* Begins notifications, at most count_max. False when there is nothing to do, or no room: notify.c. */
bool endpoint_notify(copal_endpoint *endpoint, size_t count_max);

/* When endpoint_notify is to be called next. */
copal_time endpoint_notify_at(const copal_endpoint *endpoint);

/* Answers a request without asking anybody, saying what is wrong or NULL: answer.c. */
void endpoint_refuse(copal_endpoint *endpoint, struct arrival *arrival, uint8_t code, const copal_problem *problem);

/* The reception record of an arrival. */
void endpoint_rx(copal_endpoint *endpoint, const struct arrival *arrival, copal_rx *rx);

#endif

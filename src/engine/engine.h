/* The engine: who still owes whom an answer, and by when. Sans-I/O; it knows peers by index, and neither sockets, nor
 * addresses, nor resources. It calls nobody: receive.c gives verdicts, transmit.c says what is to be sent or has
 * failed, and the endpoint acts on them. RFC 7252 section 4. */
#ifndef COPAL_ENGINE_ENGINE_H
#define COPAL_ENGINE_ENGINE_H

#include <assert.h>

#include "base/random.h"
#include "copal/copal.h"
#include "engine/exchanges.h"
#include "engine/peers.h"
#include "engine/replies.h"

/* The tables, each with a file of its own, and what they share. */
struct engine {
  struct peers peers;
  struct exchanges exchanges;
  struct replies idempotent, unsafe;
  struct random random;
  struct hash_key key;
  struct hash_key seal_key; /* for what is given away signed: apart from the tables' */
  copal_parameters parameters;
  copal_time transmit_span, exchange_lifetime, non_lifetime;
  copal_time now;           /* the latest that the endpoint was told */
  copal_time refused_until; /* till then, refusals of what may not be executed twice may be among the other replies */
  uint32_t message_size_max;
  uint32_t peer_replies_max;
  uint32_t peer_rate; /* requests a second, 0 for no limit */
  bool raw;
  bool trusting; /* no address needs to be verified */
  copal_counters counters;
};

void engine_init(struct engine *engine, struct layout *layout, const copal_config *config, struct hash_key key,
                 const uint8_t seed[RANDOM_SEED_SIZE], copal_time now);

/* --- Sending: transmit.c ---------------------------------------------------------------------- */

/* What is wanted of a message to be sent. */
struct transmission {
  uint32_t peer;
  uint8_t type;        /* COPAL_CON or COPAL_NON, whatever the message says */
  copal_bytes message; /* encoded */
  copal_bytes token;   /* where the message has none: a response's, or one that means something to the sender */
  bool multicast;
  bool no_token;    /* of a request without a token: it gets none */
  bool goes_on;     /* a block after the first: it may have an ID before its time, see decision 0013 */
  bool in_burst;    /* a NON request of several that go at once: it has a token, its owner knows its responses by that,
                       and nothing is kept of it once it is sent */
  uint8_t flags;    /* EXCHANGE_CALL, EXCHANGE_RECORD or none; with EXCHANGE_RESPONDED no response is waited for. A
                       response that is a call is a notification */
  copal_time delay; /* before the first transmission */
  copal_time timeout; /* of a call, COPAL_NEVER: its lifetime */
};

/* Takes a message for transmission; its type is CON or NON. Errors as copal_send. */
copal_error engine_send(struct engine *engine, const struct transmission *transmission, uint32_t *index);

/* What a timer brought about. */
enum due_kind {
  DUE_NOTHING,  /* no timer is due any more */
  DUE_TRANSMIT, /* send the exchange's bytes */
  DUE_FAILED    /* the exchange failed, or was not to be answered (COPAL_OK): tell, then engine_end */
};

struct due {
  enum due_kind kind;
  uint32_t exchange;
  copal_error error;
};

/* Takes what is due, one exchange a call. */
void engine_due(struct engine *engine, copal_time now, struct due *due);

/* Puts another message in the place of one that is just to be transmitted, DUE_TRANSMIT: RFC 7641 4.5.2. Timer and
 * counter are retained. COPAL_ERR_MESSAGE_IDS_SPENT, COPAL_ERR_MESSAGES_FULL, COPAL_ERR_MESSAGE_SIZE: it is the old one
 * that goes. */
copal_error engine_supersede(struct engine *engine, uint32_t index, copal_bytes message);

/* Marks an exchange as failed, for the reasons that come from outside: unreachable, cancelled. */
void engine_fail(struct engine *engine, uint32_t index, enum exchange_state state);

/* Ends what was told to its owner: a call is forgotten, a record stays for its lifetime. */
void engine_end(struct engine *engine, uint32_t index);

/* A call whose response has come, or whose time to wait for another one is over, is not over: until then, more may come
 * with its token (RFC 7641). */
void engine_observe(struct engine *engine, uint32_t index, copal_time until);

/* Forgets an exchange whatever its state. */
void engine_forget(struct engine *engine, uint32_t index);

/* The exchange passes its turn with its peer on to the next one that waits. */
void engine_pass_turn(struct engine *engine, uint32_t index);

/* Sets the timer of an exchange that has none, no later than its expiry. */
void engine_set_timer(struct engine *engine, uint32_t index, copal_time deadline);

/* When the record of an exchange may go: RFC 7252 4.8.2. */
copal_time engine_lifetime_end(const struct engine *engine, const struct exchange *exchange);

/* --- Receiving: receive.c --------------------------------------------------------------------- */

/* A message as it came in. */
struct incoming {
  const copal_view *view;
  copal_bytes datagram;
  uint64_t identity;    /* hash of the path it came along */
  uint32_t fingerprint; /* hash of its bytes; of what comes in an ACK, neither is needed */
  uint32_t peer;        /* INDEX_NONE: nobody we know */
  uint32_t unbound;     /* another record of the same remote, to whom we sent and who may be answering; or INDEX_NONE */
  bool multicast;
  struct reply_key key; /* of its entry among the replies; receive.c fills it for CON and NON */
};

enum verdict_kind {
  VERDICT_IGNORE,       /* drop in silence */
  VERDICT_REJECT,       /* answer with a Reset: a CON, or a notification of what was forgotten */
  VERDICT_REPEAT,       /* a duplicate: repeat the reply */
  VERDICT_REQUEST,      /* a new request */
  VERDICT_RESPONSE,     /* the response to an exchange; an ACK may carry it */
  VERDICT_ACKNOWLEDGED, /* an empty ACK for an exchange */
  VERDICT_RESET,        /* a Reset for an exchange */
  VERDICT_UNMATCHED     /* raw endpoints: a well-formed message that belongs to nothing known */
};

struct verdict {
  enum verdict_kind kind;
  uint32_t exchange;   /* RESPONSE, ACKNOWLEDGED, RESET */
  struct reply *reply; /* REPEAT */
  bool late;           /* RESET: the exchange had ended before; RESPONSE: an earlier one was refused */
};

/* Decides what a decoded message is, and does what follows for the exchange that it answers. */
struct verdict engine_receive(struct engine *engine, struct incoming *incoming, copal_time now);

/* Whether a request must not be executed twice. */
bool engine_is_unsafe(const struct engine *engine, const copal_view *request);

/* Notes that a peer is where its address says. */
void engine_verify(struct engine *engine, uint32_t peer);

/* Whether a peer is known to be there, or need not be. */
static inline bool engine_is_verified(const struct engine *engine, uint32_t peer) {
  assert(peer != INDEX_NONE);
  return engine->trusting || (engine->peers.records[peer].flags & PEER_VERIFIED) != 0;
}

/* Whether a peer is to be verified before a request of its that must not be executed twice is remembered: the last
 * quarter of the memory for these is for addresses that are. */
bool engine_must_verify(struct engine *engine, uint32_t peer);

/* Closes an entry among the replies to idempotent requests that refuses one of the others: there it can make room, and
 * still its duplicates are recognised. */
void engine_remember_refusal(struct engine *engine, struct reply *reply, size_t size);

/* Has the processor fetch what the search for a duplicate of a message with that code begins with. */
void engine_prefetch_reply(const struct engine *engine, uint8_t code, uint64_t identity, uint32_t fingerprint);

/* What tells a message from others of its sender: a hash of its bytes. */
static inline uint32_t engine_fingerprint(const struct engine *engine, copal_bytes datagram) {
  return (uint32_t)hash_bytes(&engine->key, datagram.data, datagram.size);
}

/* The replies among which a message's answer is kept: requests that are not idempotent have their own. */
static inline struct replies *engine_replies(struct engine *engine, const struct reply_key *key) {
  return key->unsafe ? &engine->unsafe : &engine->idempotent;
}

/* An entry for a new message, with room for a reply of size_max bytes; NULL when it cannot be remembered. */
struct reply *engine_remember(struct engine *engine, const struct incoming *incoming, size_t size_max);

#endif

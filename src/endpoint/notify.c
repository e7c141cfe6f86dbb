/* Notifications: a resource that has changed is asked once for its new state, and that one message goes to all who
 * observe it, as fast as each of them may be sent to. RFC 7641 sections 4.2 to 4.5. */
#include <assert.h>

#include "base/text.h"
#include "endpoint/endpoint.h"
#include "rest/request.h"
#include "rest/variant.h"

#define RETRY_AFTER (100 * COPAL_MILLISECOND) /* where neither an answer nor a timer says that there is room again */

static void notification_over(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error,
                              void *context);

/* --- What has changed ----------------------------------------------------------------------------- */

static bool hash_path(copal_endpoint *endpoint, const char *path, uint64_t *hash) {
  struct observers *observers = &endpoint->observers;
  if (observers->observed_slab.count == 0) return false;
  copal_message message;
  copal_message_init(&message, observers->path_room, endpoint->engine.message_size_max, COPAL_NON, COPAL_GET);
  if (copal_path_to_options(path, text_size(path), COPAL_OPTION_URI_PATH, &message) != COPAL_OK) return false;
  copal_view view = copal_message_view(&message);
  *hash = variant_path(&observers->key, &view);
  return true;
}

size_t copal_notify(copal_endpoint *endpoint, const char *path) {
  uint64_t hash;
  return endpoint != NULL && hash_path(endpoint, path, &hash) ? observed_change(&endpoint->observers, hash) : 0;
}

size_t copal_notify_end(copal_endpoint *endpoint, const char *path, copal_code code) {
  uint64_t hash;
  return endpoint != NULL && hash_path(endpoint, path, &hash) ? observed_end(&endpoint->observers, hash, (uint8_t)code)
                                                              : 0;
}

/* --- The new state --------------------------------------------------------------------------------- */

static void try_again_later(copal_endpoint *endpoint) {
  struct observers *observers = &endpoint->observers;
  if (observers->retry_at == COPAL_NEVER) observers->retry_at = endpoint->engine.now + RETRY_AFTER;
}

/* The next notification that is over makes room. */
static void wait_for_room(copal_endpoint *endpoint) {
  endpoint->observers.blocked = true;
  try_again_later(endpoint);
}

static void call_handler(copal_endpoint *endpoint, uint32_t index, struct copal_request *request) {
  bool outer = endpoint->in_handler;
  endpoint->in_handler = true;
  endpoint->observers.making = index;
  request_dispatch(request);
  endpoint->observers.making = INDEX_NONE;
  endpoint->in_handler = outer;
}

/* RFC 7641 4.2: "The Content-Format specified in a 2.xx notification MUST be the same as the one used in the initial
 * response to the GET request." */
static bool has_same_format(struct observed *observed, const copal_view *reply) {
  uint32_t format = copal_find_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (reply->code == COPAL_VALID) return true;
  if (observed->format == OBSERVED_FORMAT_OPEN) observed->format = format;
  return observed->format == format;
}

/* What the handler made becomes a notification: with the Observe option, or the last one, without. */
static void finish(copal_endpoint *endpoint, uint32_t index, struct copal_request *request) {
  struct observed *observed = &endpoint->observers.observed[index];
  copal_view reply = copal_message_view(&request->reply);
  bool goes_on = COPAL_CODE_CLASS(reply.code) == 2;
  /* RFC 7641 4.2: "If the server is unable to continue sending notifications in this format, it SHOULD send a
   * notification with a 4.06 (Not Acceptable) response code". */
  if (goes_on && !has_same_format(observed, &reply)) {
    goes_on = false;
    copal_reply_code(request, COPAL_NOT_ACCEPTABLE);
  }
  if (goes_on) endpoint_add_observe(endpoint, &request->reply, &observed->number);
  /* RFC 7641 4.2: "a non-2.xx notification MUST NOT include an Observe Option", and the server "subsequently MUST
   * remove the associated entry from the list of observers". */
  if (!goes_on) {
    copal_message_delete(&request->reply, COPAL_OPTION_OBSERVE);
    observed->end_code = copal_message_view(&request->reply).code;
    observed_detach(&endpoint->observers, index);
  }
}

static void make_by_handler(copal_endpoint *endpoint, uint32_t index, copal_message *message) {
  struct engine *engine = &endpoint->engine;
  struct observers *observers = &endpoint->observers;
  struct observed *observed = &observers->observed[index];
  struct incoming incoming = {.peer = INDEX_NONE, .unbound = INDEX_NONE};
  struct copal_request request = {.rx = {.endpoint = endpoint, .time = engine->now, .type = COPAL_NON},
                                  .room = observers->room,
                                  .room_size = engine->message_size_max - observed->token_size_max,
                                  .routes = &endpoint->routes,
                                  .route = INDEX_NONE,
                                  .engine = engine,
                                  .deferreds = &endpoint->deferreds,
                                  .transfers = &endpoint->transfers,
                                  .incoming = &incoming,
                                  .notification = true};
  incoming.datagram = (copal_bytes){store_bytes(&engine->exchanges.store, observed->request), observed->request_size};
  incoming.view = &request.rx.message;
  copal_error error = copal_decode(incoming.datagram.data, incoming.datagram.size, &request.rx.message);
  assert(error == COPAL_OK);
  (void)error;
  request.rx.has_responded = true;
  call_handler(endpoint, index, &request);
  /* Unless the handler itself has ended it. */
  if ((observed->flags & OBSERVED_ENDING) == 0) finish(endpoint, index, &request);
  *message = request.reply;
}

/* Who observed a variant is told nothing more. */
static void forget_all(copal_endpoint *endpoint, uint32_t index) {
  const struct observed *observed = &endpoint->observers.observed[index];
  for (uint32_t count = observed->count; count > 0; --count) endpoint_forget_observer(endpoint, observed->cursor);
}

/* A state that is larger than what may be kept ends the observations. */
static void give_up(copal_endpoint *endpoint, uint32_t index) {
  struct observers *observers = &endpoint->observers;
  struct observed *observed = &observers->observed[index];
  if ((observed->flags & OBSERVED_ENDING) == 0) {
    observed->end_code = COPAL_SERVICE_UNAVAILABLE;
    observed_detach(observers, index);
  }
  endpoint->engine.counters.observers_full += observed->count;
  observed_keep_end(observers, &endpoint->engine, index);
}

/* Makes the newest state of the variant that has waited longest for it. False when there is no room for it now. */
static bool make_next(copal_endpoint *endpoint) {
  struct observers *observers = &endpoint->observers;
  struct engine *engine = &endpoint->engine;
  uint32_t index = observers->make;
  struct observed *observed = &observers->observed[index];
  observed_rest(observers, index);
  if ((observed->flags & OBSERVED_ENDING) != 0) {
    if (observed->end_code == COPAL_EMPTY)
      forget_all(endpoint, index);
    else
      observed_keep_end(observers, engine, index);
    return true;
  }
  copal_message message;
  make_by_handler(endpoint, index, &message);
  if ((observed->flags & OBSERVED_TO_MAKE) != 0) return true; /* the handler has ended it: it is made anew */
  if (observed_keep(observers, engine, index, (copal_bytes){message.buffer, message.size})) return true;
  if (!observed_may_keep(observers, engine, index, message.size)) {
    give_up(endpoint, index);
    return true;
  }
  observed_make_later(observers, index);
  return false;
}

/* --- To each observer ------------------------------------------------------------------------------ */

/* Notifications leave a quarter of the exchanges, and of the memory for messages, to everybody else; but there may
 * always be one. */
static bool has_room(const struct engine *engine, size_t size) {
  const struct slab *exchanges = &engine->exchanges.slab;
  const struct store *store = &engine->exchanges.store;
  size_t store_size = (size_t)store->page_count * store->page_size;
  if (exchanges->count == 0) return true;
  return exchanges->count < exchanges->count_max - exchanges->count_max / 4 &&
         store->used + size <= store_size - store_size / 4;
}

/* RFC 7641 7: "Without client authentication, a server therefore MUST strictly limit the number of notifications that
 * it sends between receiving acknowledgements that confirm the actual interest of the client in the data". An address
 * that is not verified is sent nothing else before its first acknowledgement, which verifies it. */
static copal_time confirm_every(const copal_endpoint *endpoint, const struct observer *observer) {
  const struct observed *observed = &endpoint->observers.observed[observer->observed];
  bool each = (observed->flags & OBSERVED_ENDING) != 0 || !endpoint_is_verified(endpoint, observer->peer);
  return each ? 0 : observed->confirm_every;
}

static bool is_due(const copal_endpoint *endpoint, const struct observer *observer) {
  return observer_is_due(observer, confirm_every(endpoint, observer), endpoint->engine.now);
}

static bool is_wanting(const copal_endpoint *endpoint, const struct observer *observer) {
  const struct observers *observers = &endpoint->observers;
  /* RFC 7641 4.5.1: servers "MUST strictly limit the number of simultaneous outstanding notifications/responses that
   * they transmit to a given client to NSTART". The engine counts by client; of one observation there is never more
   * than one. */
  if (observer->exchange != INDEX_NONE) return false;
  if (observer->sent != observers->observed[observer->observed].state) return true;
  return (observer->flags & OBSERVER_UNCONFIRMED) != 0 && is_due(endpoint, observer);
}

/* RFC 7641 4.4: "The sequence number selected for a notification MUST be greater than that of any preceding
 * notification sent to the same client with the same token for the same resource." So a state that is told once more
 * gets a new one, which does for all who are told it once more. */
static void renumber(copal_endpoint *endpoint, uint32_t variant) {
  struct observers *observers = &endpoint->observers;
  struct observed *observed = &observers->observed[variant];
  copal_bytes old = observed_message(&endpoint->engine, observed);
  copal_message message;
  uint32_t number;
  copal_error error =
      copal_message_copy(&message, observers->room, endpoint->engine.message_size_max, old.data, old.size);
  assert(error == COPAL_OK);
  (void)error;
  endpoint_add_observe(endpoint, &message, &number);
  copal_bytes renumbered = {message.buffer, message.size};
  if (observed_rewrite(observers, &endpoint->engine, variant, renumbered)) observed->number = number;
}

/* An observer that is free is visited if it wants something, or when it will. */
static void attend(copal_endpoint *endpoint, uint32_t index) {
  struct observers *observers = &endpoint->observers;
  const struct observer *observer = &observers->records[index];
  if (is_wanting(endpoint, observer))
    observers_again(observers, index);
  else if (observer->exchange == INDEX_NONE && (observer->flags & OBSERVER_UNCONFIRMED) != 0)
    observer_note_non(observers, index, confirm_every(endpoint, observer), endpoint->engine.now);
}

/* RFC 7641 4.2: "Each such notification response (including the initial response) MUST echo the token specified by
 * the client in the GET request." */
static copal_error send(copal_endpoint *endpoint, uint32_t index) {
  struct engine *engine = &endpoint->engine;
  struct observer *observer = &endpoint->observers.records[index];
  const struct observed *observed = &endpoint->observers.observed[observer->observed];
  bool con = is_due(endpoint, observer);
  if (observer->sent == observed->state && observer->number == observed->number) renumber(endpoint, observer->observed);
  struct transmission transmission = {.peer = observer->peer,
                                      .type = con ? COPAL_CON : COPAL_NON,
                                      .message = observed_message(engine, observed),
                                      .token = {observer->token, observer->token_size},
                                      .flags = EXCHANGE_CALL,
                                      .timeout = COPAL_NEVER};
  if (!has_room(engine, transmission.message.size + transmission.token.size)) return COPAL_ERR_EXCHANGES_FULL;
  uint32_t exchange;
  copal_error error = engine_send(engine, &transmission, &exchange);
  if (error != COPAL_OK) return error;
  observer->exchange = exchange;
  observer->sent = observed->state;
  observer->number = observed->number;
  if (con)
    observer_note_con(&endpoint->observers, index, engine->now);
  else
    observer_note_non(&endpoint->observers, index, confirm_every(endpoint, observer), engine->now);
  endpoint->calls[exchange] = (struct call){notification_over, observer};
  ++engine->counters.notifications;
  return COPAL_OK;
}

/* A state may have grown since the registration, or the registration's own answer wait for the address to be verified:
 * what comes unasked is no larger than what may be answered. RFC 9175 2.4. */
static bool may_send(const copal_endpoint *endpoint, const struct observer *observer) {
  const struct observed *observed = &endpoint->observers.observed[observer->observed];
  return endpoint_may_send(endpoint, observer->peer, 0, (size_t)observed->message_size + observer->token_size);
}

static void visit_again_later(copal_endpoint *endpoint, uint32_t variant) {
  struct observers *observers = &endpoint->observers;
  observers->observed[variant].unsent = observers->unsent = true;
  try_again_later(endpoint);
}

/* Who does not answer pings is no observer any more: he is asked once. */
static void verify_first(copal_endpoint *endpoint, uint32_t index) {
  struct observer *observer = &endpoint->observers.records[index];
  bool asked = (observer->flags & OBSERVER_ASKED) != 0;
  observer->flags |= OBSERVER_ASKED;
  if (asked ? endpoint_is_verifying(endpoint, observer->peer)
            : endpoint_verify(endpoint, observer->peer, VERIFY_REPEATABLE)) {
    visit_again_later(endpoint, observer->observed);
    return;
  }
  ++endpoint->engine.counters.observers_gone;
  endpoint_forget_observer(endpoint, index);
}

/* Has the processor fetch what the next observers' notifications need, all at once: where there are many, that is a
 * wait for memory each. */
static void look_ahead(const copal_endpoint *endpoint, size_t count_max) {
  const struct observers *observers = &endpoint->observers;
  const struct observed *observed = &observers->observed[observers->send];
  uint32_t index = observed->cursor;
  for (size_t i = 0; i < count_max && i < observed->unvisited; ++i) {
    const struct observer *observer = &observers->records[index];
    const struct engine *engine = &endpoint->engine;
    exchange_prefetch_mid(&engine->exchanges, observer->peer, engine->peers.records[observer->peer].next_mid);
    prefetch(&endpoint->paths.records[observer->peer]);
    index = observer->next;
  }
}

/* Visits observers until so many have been sent something. Returns how many it were. Each is visited once for each
 * state, whoever it is that has a notification on its way still. */
static size_t send_some(copal_endpoint *endpoint, size_t count_max) {
  struct observers *observers = &endpoint->observers;
  size_t count = 0;
  while (count < count_max && observers->send != INDEX_NONE) {
    uint32_t variant = observers->send, index = observers_next(observers, variant);
    if (index == INDEX_NONE) {
      observed_rest(observers, variant);
      continue;
    }
    if (!is_wanting(endpoint, &observers->records[index])) continue;
    if (!may_send(endpoint, &observers->records[index])) {
      verify_first(endpoint, index);
      continue;
    }
    copal_error error = send(endpoint, index);
    if (error == COPAL_OK) {
      ++count;
    } else if (error == COPAL_ERR_MESSAGE_IDS_SPENT) {
      visit_again_later(endpoint, variant);
    } else {
      assert(error == COPAL_ERR_EXCHANGES_FULL || error == COPAL_ERR_MESSAGES_FULL);
      observers_again(observers, index);
      wait_for_room(endpoint);
      break;
    }
  }
  observed_turn(observers);
  return count;
}

/* --- What ends a notification ----------------------------------------------------------------------- */

/* Called once with the end of each: COPAL_OK for an ACK, COPAL_ERR_TIMEOUT also when a NON's interval is over. */
static void notification_over(copal_endpoint *endpoint, copal_tx tx, const copal_rx *rx, copal_error error,
                              void *context) {
  (void)rx;
  struct observers *observers = &endpoint->observers;
  struct observer *observer = (struct observer *)context;
  const struct observed *observed = &observers->observed[observer->observed];
  uint32_t index = (uint32_t)(observer - observers->records);
  bool con = (exchange_at(&endpoint->engine.exchanges, tx.index)->flags & EXCHANGE_CON) != 0;
  observer->exchange = INDEX_NONE;
  observers->blocked = false;
  /* RFC 7641 4.5: "If a client rejects a confirmable or non-confirmable notification with a Reset message, or if the
   * last attempt to retransmit a confirmable notification times out, then the client is considered no longer interested
   * and the server MUST remove the associated entry from the list of observers." */
  bool gone = error == COPAL_ERR_UNREACHABLE || (error == COPAL_ERR_TIMEOUT && con);
  bool was_last =
      (observed->flags & (OBSERVED_ENDING | OBSERVED_TO_MAKE)) == OBSERVED_ENDING && observer->sent == observed->state;
  if (gone) ++endpoint->engine.counters.observers_gone;
  if (gone || was_last || error == COPAL_ERR_RESET)
    observers_give(observers, &endpoint->engine, index);
  else
    attend(endpoint, index);
}

void endpoint_forget_observer(copal_endpoint *endpoint, uint32_t index) {
  struct observer *observer = &endpoint->observers.records[index];
  uint32_t exchange = observer->exchange;
  observer->exchange = INDEX_NONE;
  if (exchange != INDEX_NONE) {
    engine_fail(&endpoint->engine, exchange, EXCHANGE_UNREACHED);
    engine_forget(&endpoint->engine, exchange);
    endpoint->observers.blocked = false;
  }
  observers_give(&endpoint->observers, &endpoint->engine, index);
}

/* --- The way out ------------------------------------------------------------------------------------- */

/* RFC 7641 4.4: "if a notification is retransmitted, the server MUST update the value of the option to the sequence
 * number that is current at that time before retransmission." So what is no longer the newest state gives way to it,
 * number and all: 4.5.2. The last message of an observation is confirmable, and waits for its own turn. */
void endpoint_refresh(copal_endpoint *endpoint, uint32_t index) {
  struct engine *engine = &endpoint->engine;
  uint8_t flags = exchange_at(&engine->exchanges, index)->flags;
  if ((flags & EXCHANGE_CALL) == 0 || endpoint->calls[index].handler != notification_over) return;
  struct observer *observer = (struct observer *)endpoint->calls[index].context;
  const struct observed *observed = &endpoint->observers.observed[observer->observed];
  if (observer->sent == observed->state) return;
  if ((observed->flags & OBSERVED_ENDING) != 0 && (flags & EXCHANGE_CON) == 0) return;
  /* Where the newest state may not go, or has no room, the old one goes once more with its own number: the current one
   * is the newest state's, which would be no newer when it follows. */
  if (!may_send(endpoint, observer)) return;
  if (engine_supersede(engine, index, observed_message(engine, observed)) != COPAL_OK) return;
  observer->sent = observed->state;
  observer->number = observed->number;
  ++engine->counters.notifications;
}

/* Those who are owed a confirmable notification by now are visited. True when there was any. */
static bool wake(copal_endpoint *endpoint, size_t count_max) {
  struct observers *observers = &endpoint->observers;
  size_t count = 0;
  for (uint32_t index; count < count_max; ++count) {
    index = timer_take_due(&observers->timers, endpoint->engine.now);
    if (index == INDEX_NONE) break;
    observers->records[index].flags &= (uint8_t)~OBSERVER_TIMED;
    attend(endpoint, index);
  }
  return count > 0;
}

/* Where there was no room, or no message ID. */
static void try_again(copal_endpoint *endpoint) {
  struct observers *observers = &endpoint->observers;
  if (endpoint->engine.now < observers->retry_at) return;
  observers->retry_at = COPAL_NEVER;
  observers->blocked = false;
  if (!observers->unsent) return;
  observers->unsent = false;
  for (uint32_t index = 0; index < observers->observed_slab.fresh; ++index) {
    const struct observed *observed = &observers->observed[index];
    if (observed->unsent && (observed->flags & OBSERVED_TO_MAKE) == 0) observed_visit(observers, index);
  }
}

/* RFC 7641 4.3.1: "the server MUST keep the resource state that is observed by the client as closely in sync with
 * the actual resource state as possible." */
bool endpoint_notify(copal_endpoint *endpoint, size_t count_max) {
  struct observers *observers = &endpoint->observers;
  if (endpoint_notify_at(endpoint) > endpoint->engine.now) return false;
  try_again(endpoint);
  bool woken = wake(endpoint, count_max), made = false;
  if (observers->makes > 0 && observers->make != INDEX_NONE) {
    --observers->makes;
    made = make_next(endpoint);
    if (!made) wait_for_room(endpoint);
  }
  if (observers->send != INDEX_NONE) look_ahead(endpoint, count_max);
  bool sent = send_some(endpoint, count_max) > 0;
  if (observers->make == INDEX_NONE && observers->send == INDEX_NONE) observers->blocked = false;
  return woken || made || sent;
}

copal_time endpoint_notify_at(const copal_endpoint *endpoint) {
  const struct observers *observers = &endpoint->observers;
  bool is_idle = observers->make == INDEX_NONE && observers->send == INDEX_NONE;
  if (!is_idle) return observers->blocked ? observers->retry_at : 0;
  copal_time timer = timer_earliest(&observers->timers);
  return observers->unsent && observers->retry_at < timer ? observers->retry_at : timer;
}

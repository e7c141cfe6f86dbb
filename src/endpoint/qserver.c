/* The server's half of Q-Block transfers, as far as it does something on its own: the further blocks of a reply go out
 * in sets, and a client whose blocks have stopped coming is told which are missing. RFC 9177 section 7.2. */
#include <assert.h>

#include "endpoint/endpoint.h"
#include "rest/burst.h"
#include "rest/gather.h"

enum { VERIFY_TRIES = 32, VERIFY_PER_TIMEOUT = 8 };

/* --- Sending ------------------------------------------------------------------------------------ */

static copal_error send(copal_endpoint *endpoint, const struct transfer *transfer, const copal_message *message,
                        copal_type type, uint16_t *mid) {
  struct transmission transmission = {.peer = transfer->peer,
                                      .type = (uint8_t)type,
                                      .message = {message->buffer, message->size},
                                      .timeout = COPAL_NEVER};
  uint32_t index;
  copal_error error = engine_send(&endpoint->engine, &transmission, &index);
  if (error == COPAL_OK) *mid = exchange_at(&endpoint->engine.exchanges, index)->mid;
  return error;
}

/* --- Blocks of a reply -------------------------------------------------------------------------- */

/* RFC 9175 2.4: amplification. Many blocks for one request go to nobody who may be another. */
static bool is_held(copal_endpoint *endpoint, uint32_t index) {
  struct transfers *transfers = &endpoint->transfers;
  struct transfer *transfer = &transfers->records[index];
  if (endpoint_is_verified(endpoint, transfer->peer)) return false;
  if (++transfer->as.out.tries > VERIFY_TRIES) {
    transfer_rest(transfers, index);
    return true;
  }
  copal_time wait = endpoint->engine.parameters.ack_timeout / VERIFY_PER_TIMEOUT;
  endpoint_verify(endpoint, transfer->peer, VERIFY_REPEATABLE);
  transfer_schedule(transfers, index, transfer->peer, endpoint->engine.now + wait);
  return true;
}

static copal_error send_block(copal_endpoint *endpoint, uint32_t index, uint32_t number, copal_bytes token,
                              bool is_first) {
  struct transfer *transfer = &endpoint->transfers.records[index];
  struct burst *burst = &transfer->as.out;
  copal_message message;
  uint16_t mid;
  copal_error error = burst_write(&endpoint->transfers, index, number, token, endpoint->operations.scratch,
                                  endpoint->engine.message_size_max, &message);
  if (error != COPAL_OK) return error;
  error = send(endpoint, transfer, &message, burst->con ? COPAL_CON : COPAL_NON, &mid);
  if (error != COPAL_OK) return error;
  burst->last_mid = mid;
  if (is_first) burst->first_mid = mid;
  burst_sent(&endpoint->transfers, index, endpoint->engine.now);
  return COPAL_OK;
}

/* Where there is no room, more comes. */
static bool is_passing(copal_error error) {
  return error == COPAL_OK || error == COPAL_ERR_EXCHANGES_FULL || error == COPAL_ERR_MESSAGES_FULL ||
         error == COPAL_ERR_MESSAGE_IDS_SPENT;
}

/* What cannot be written at all is asked for in vain. */
static void send_blocks(copal_endpoint *endpoint, uint32_t index) {
  struct transfers *transfers = &endpoint->transfers;
  struct transfer *transfer = &transfers->records[index];
  copal_time now = endpoint->engine.now;
  uint32_t number;
  copal_bytes token;
  copal_error error = COPAL_OK;
  if (is_held(endpoint, index)) return;
  for (bool is_first = true; error == COPAL_OK && burst_next(transfers, index, now, &number, &token); is_first = false)
    error = send_block(endpoint, index, number, token, is_first);
  transfer_touch(transfers, index, endpoint_is_verified(endpoint, transfer->peer), now);
  if (!is_passing(error) || !burst_goes_on(transfers, index))
    transfer_rest(transfers, index);
  else
    transfer_schedule(transfers, index, transfer->peer,
                      error == COPAL_OK ? transfer->as.out.resume_at : qblock_retry(now));
}

/* --- Blocks of a request ------------------------------------------------------------------------ */

static void write_missing(copal_endpoint *endpoint, const struct gathering *in, copal_message *message) {
  copal_message_init(message, endpoint->operations.scratch, endpoint->engine.message_size_max, COPAL_NON, COPAL_EMPTY);
  copal_message_set_token(message, in->token, in->token_size);
  gather_write_missing(in, gather_set_end(in), message);
}

/* RFC 9177 7.2: "If not all of the MAX_PAYLOADS_SET were received, the server SHOULD delay for NON_RECEIVE_TIMEOUT …
 * before sending the 4.08"; "If the repeat response count of the 4.08 (Request Entity Incomplete) exceeds
 * NON_MAX_RETRANSMIT, the server SHOULD discard the partial body and stop requesting the missing payloads." */
static void tell_missing(copal_endpoint *endpoint, uint32_t index) {
  struct transfers *transfers = &endpoint->transfers;
  struct transfer *transfer = &transfers->records[index];
  struct gathering *in = &transfer->as.in;
  const struct engine *engine = &endpoint->engine;
  unsigned tries_max = engine->parameters.max_retransmit;
  if (in->tries >= tries_max) {
    transfer_drop(transfers, index);
    return;
  }
  ++in->tries;
  copal_message message;
  if (in->can_tell) {
    write_missing(endpoint, in, &message);
    if (endpoint_may_send(endpoint, transfer->peer, in->request_size, message.size * tries_max)) {
      if (send(endpoint, transfer, &message, COPAL_NON, &in->mid) != COPAL_OK) ++endpoint->engine.counters.outbox_full;
    } else {
      endpoint_verify(endpoint, transfer->peer, VERIFY_REPEATABLE);
    }
  }
  transfer_schedule(transfers, index, transfer->peer, engine->now + qblock_wait(&engine->parameters, in->tries));
}

/* --- Events ------------------------------------------------------------------------------------- */

bool endpoint_run_transfer(copal_endpoint *endpoint) {
  uint32_t index = transfers_take_due(&endpoint->transfers, endpoint->engine.now);
  if (index == INDEX_NONE) return false;
  bool outer = endpoint->in_handler;
  endpoint->in_handler = true; /* whoever took an upload in parts may be told that it is over */
  if (endpoint->transfers.records[index].kind == TRANSFER_KEPT)
    send_blocks(endpoint, index);
  else
    tell_missing(endpoint, index);
  endpoint->in_handler = outer;
  return true;
}

/* Whether a message ID is one of those from first to last, which may wrap. */
static bool is_within(uint16_t mid, uint16_t first, uint16_t last) {
  return (uint16_t)(mid - first) <= (uint16_t)(last - first);
}

static bool is_rejected(const struct transfer *transfer, uint16_t mid) {
  if (transfer->peer == INDEX_NONE) return false;
  if (transfer->kind == TRANSFER_GATHERED) return transfer->as.in.tries > 0 && transfer->as.in.mid == mid;
  const struct burst *burst = &transfer->as.out;
  return is_within(mid, burst->first_mid, burst->last_mid);
}

/* RFC 9177 4.3: the client that stops "MUST 'forget' all tracked tokens associated with the body's Request-Tag so that
 * a Reset message is generated for the invalid token in the 4.08 (Request Entity Incomplete) response. On receipt of
 * the Reset message, the server SHOULD delete the partial body." */
bool endpoint_note_reset(copal_endpoint *endpoint, const struct arrival *arrival) {
  struct transfers *transfers = &endpoint->transfers;
  uint64_t identity = arrival->incoming.identity;
  struct table_walk walk = transfers_walk(identity);
  uint32_t index;
  while ((index = transfers_next_of(transfers, identity, &walk)) != INDEX_NONE)
    if (is_rejected(&transfers->records[index], arrival->view.message_id)) break;
  if (index == INDEX_NONE) return false;
  bool outer = endpoint->in_handler;
  endpoint->in_handler = true;
  if (transfers->records[index].kind == TRANSFER_GATHERED)
    transfer_drop(transfers, index);
  else
    transfer_rest(transfers, index);
  endpoint->in_handler = outer;
  return true;
}

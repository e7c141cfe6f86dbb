/* What puts servers under load, against a server that lies: the input is a script of requests, of answers by Block1,
 * Block2 and Observe to tokens and message IDs that were used, that are or that never were, and of time. A slot is
 * taken while it is idle and not twice; what is under way ends once, answered or given up; no message is sent more
 * often than the retransmissions allow, all of them decode, and blocks are those that the body has. */
#undef NDEBUG
#include "cli/load/observers.h"
#include "cli/load/transfer.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
  CLIENTS = 2,
  WINDOW = 3,
  OBSERVERS = 2,
  SLOTS = CLIENTS * WINDOW + OBSERVERS,
  MESSAGE_MAX = 200,
  BODY_MAX = 300
};
enum { KEPT = 4 };

struct fuzz {
  struct script script;
  struct flight flight;
  struct observers observers;
  struct plan plan;
  copal_time now;
  uint8_t whole[MESSAGE_MAX], body[BODY_MAX];
  uint8_t tokens[KEPT][FLIGHT_TOKEN_SIZE]; /* of the latest messages, */
  uint16_t mids[KEPT];
  uint32_t clients[KEPT];
  unsigned sent;
  unsigned sent_of_slot[SLOTS]; /* copies of the present message */
};

static struct fuzz fuzz;

static bool is_under_way(uint32_t slot) {
  uint8_t state = fuzz.flight.slots[slot].state;
  return state == SLOT_WAITING || state == SLOT_EXPECTING;
}

static void check_slots(void) {
  uint32_t under_way = 0, idle = 0, requests = CLIENTS * WINDOW;
  for (uint32_t i = 0; i < SLOTS; ++i) under_way += is_under_way(i);
  assert(fuzz.flight.under_way == under_way);
  bool listed[SLOTS] = {false};
  for (uint32_t i = 0; i < fuzz.flight.idle_count; ++i) {
    uint32_t slot = fuzz.flight.idle[(fuzz.flight.idle_first + i) % requests];
    assert(slot < requests && !listed[slot] && !is_under_way(slot));
    listed[slot] = true;
  }
  for (uint32_t i = 0; i < requests; ++i) idle += !is_under_way(i);
  assert(fuzz.flight.idle_count == idle);
  assert((flight_deadline(&fuzz.flight) == COPAL_NEVER) == (under_way == 0));
}

static void transmit(uint32_t index) {
  const struct slot *slot = &fuzz.flight.slots[index];
  unsigned at = fuzz.sent++ % KEPT;
  flight_token(&fuzz.flight, index, fuzz.tokens[at]);
  fuzz.mids[at] = slot->mid;
  fuzz.clients[at] = flight_client(&fuzz.flight, index);
  assert(fuzz.clients[at] < flight_clients(&fuzz.flight));
  assert(++fuzz.sent_of_slot[index] <= fuzz.plan.patience.retransmit + 1);
  if (index >= CLIENTS * WINDOW) return;
  size_t room = transfer_size_max(&fuzz.plan);
  uint8_t *message = (uint8_t *)malloc(room);
  assert(message != NULL);
  size_t size = transfer_write(&slot->transfer, &fuzz.plan, fuzz.tokens[at], slot->mid, message);
  copal_view view;
  assert(size > 0 && size <= room && copal_decode(message, size, &view) == COPAL_OK);
  assert(view.message_id == slot->mid && view.token.size == FLIGHT_TOKEN_SIZE);
  copal_option option;
  if (copal_find(&view, COPAL_OPTION_BLOCK1, &option)) {
    copal_block block = copal_block_of(copal_option_uint(&option));
    size_t offset = (size_t)block.number << (block.szx + 4);
    assert(offset + view.payload.size <= fuzz.plan.body_size);
    assert(memcmp(view.payload.data, fuzz.body + offset, view.payload.size) == 0);
    assert(block.more == (offset + view.payload.size < fuzz.plan.body_size));
  }
  free(message);
}

static void begin(uint32_t index) {
  if (index == FLIGHT_NONE) return;
  assert(index < SLOTS && !is_under_way(index));
  fuzz.flight.slots[index].transfer = transfer_begin(&fuzz.plan);
  flight_begin(&fuzz.flight, index, fuzz.now, fuzz.now);
  fuzz.sent_of_slot[index] = 0;
  transmit(index);
}

static void begin_observer(void) {
  begin(fuzz.observers.leaving ? observers_next_to_leave(&fuzz.observers, &fuzz.flight)
                               : observers_next_to_register(&fuzz.observers, &fuzz.flight));
}

/* --- Answers ------------------------------------------------------------------------------------------------- */

static void take_response(const copal_view *message) {
  uint32_t index;
  if (flight_by_token(&fuzz.flight, message->token, &index) != MATCH_FOUND) return;
  assert(index < SLOTS && fuzz.flight.slots[index].state != SLOT_IDLE);
  if (index >= CLIENTS * WINDOW) {
    observers_take(&fuzz.observers, &fuzz.flight, index, message, fuzz.now, true);
    return;
  }
  switch (transfer_next(&fuzz.flight.slots[index].transfer, &fuzz.plan, message)) {
    case TRANSFER_MORE:
      flight_continue(&fuzz.flight, index, fuzz.now);
      fuzz.sent_of_slot[index] = 0;
      transmit(index);
      break;
    case TRANSFER_DONE:
    case TRANSFER_BROKEN: flight_end(&fuzz.flight, index, SLOT_IDLE); break;
  }
}

static void answer(void) {
  static const uint8_t codes[] = {COPAL_CONTENT, COPAL_CONTINUE, COPAL_CHANGED, COPAL_NOT_FOUND};
  uint8_t kind = script_byte(&fuzz.script), with = script_byte(&fuzz.script), buffer[64];
  unsigned at = (kind >> 2) % KEPT;
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, (copal_type)(kind >> 6 & 3), codes[kind & 3]);
  fuzz.tokens[at][kind % FLIGHT_TOKEN_SIZE] ^= (uint8_t)((with & 128) != 0 ? script_byte(&fuzz.script) : 0);
  copal_message_set_token(&response, fuzz.tokens[at], FLIGHT_TOKEN_SIZE - (with >> 6 & 1));
  uint32_t value = (uint32_t)script_byte(&fuzz.script) << (with & 8);
  if ((with & 1) != 0) copal_message_add_uint(&response, COPAL_OPTION_BLOCK1, value);
  if ((with & 2) != 0) copal_message_add_uint(&response, COPAL_OPTION_BLOCK2, value);
  if ((with & 4) != 0) copal_message_add_uint(&response, COPAL_OPTION_OBSERVE, value);
  buffer[3] = with;
  assert(response.error == COPAL_OK);
  copal_view view = copal_message_view(&response);
  take_response(&view);
}

static void answer_empty(void) {
  uint8_t kind = script_byte(&fuzz.script);
  unsigned at = kind % KEPT;
  uint32_t client = (kind & 4) != 0 ? kind >> 4 : fuzz.clients[at], index;
  uint16_t mid = (uint16_t)(fuzz.mids[at] + ((kind & 8) != 0 ? kind >> 5 : 0));
  if (flight_by_mid(&fuzz.flight, client, mid, &index) != MATCH_FOUND) return;
  assert(index < SLOTS && is_under_way(index) && fuzz.flight.slots[index].mid == mid);
  if ((kind & 64) != 0)
    flight_acknowledge(&fuzz.flight, index);
  else
    flight_end(&fuzz.flight, index, SLOT_IDLE);
}

static void pass_time(void) {
  static const copal_time units[] = {COPAL_MILLISECOND, 50 * COPAL_MILLISECOND, COPAL_SECOND, 100 * COPAL_SECOND};
  uint8_t kind = script_byte(&fuzz.script);
  uint32_t index;
  enum flight_due due;
  fuzz.now += units[kind & 3] * (kind >> 2);
  while ((due = flight_next_due(&fuzz.flight, fuzz.now, &index)) != DUE_NOTHING) {
    assert(index < SLOTS && is_under_way(index));
    if (due == DUE_AGAIN)
      transmit(index);
    else
      flight_end(&fuzz.flight, index, SLOT_IDLE);
  }
  for (uint32_t i = 0; i < SLOTS; ++i)
    if (is_under_way(i)) assert(fuzz.flight.slots[i].give_up + fuzz.flight.tick > fuzz.now);
}

/* --- A script ------------------------------------------------------------------------------------------------ */

static void plan(void) {
  static const uint8_t methods[] = {COPAL_GET, COPAL_PUT, COPAL_POST, COPAL_FETCH};
  uint8_t kind = script_byte(&fuzz.script), token[FLIGHT_TOKEN_SIZE] = {0};
  copal_message message;
  fuzz.plan = (struct plan){.method = methods[kind & 3], .szx = kind >> 2 & 3, .body = fuzz.body, .whole = fuzz.whole};
  fuzz.plan.non = (kind & 16) != 0;
  fuzz.plan.body_size = fuzz.plan.method == COPAL_GET ? 0 : script_byte(&fuzz.script);
  for (size_t i = 0; i < BODY_MAX; ++i) fuzz.body[i] = (uint8_t)(i * 7 + i / 251);
  copal_message_init(&message, fuzz.whole, sizeof fuzz.whole, COPAL_CON, fuzz.plan.method);
  copal_message_set_token(&message, token, sizeof token);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "x");
  if ((kind & 32) != 0) copal_message_add_uint(&message, COPAL_OPTION_BLOCK2, fuzz.plan.szx);
  fuzz.plan.head_size = message.size;
  if (fuzz.plan.body_size <= (size_t)16 << fuzz.plan.szx)
    copal_message_set_payload(&message, fuzz.body, fuzz.plan.body_size);
  assert(message.error == COPAL_OK);
  fuzz.plan.whole_size = message.size;
  fuzz.plan.patience = (struct patience){2 * COPAL_SECOND, 30 * COPAL_SECOND, kind >> 6, fuzz.plan.non};
}

static void step(void) {
  switch (script_below(&fuzz.script, 8)) {
    case 0:
    case 1: begin(flight_take(&fuzz.flight)); break;
    case 2: begin_observer(); break;
    case 3:
    case 4: answer(); break;
    case 5: answer_empty(); break;
    case 6: pass_time(); break;
    case 7:
      if (fuzz.observers.next != fuzz.observers.count) break;
      fuzz.observers.leaving = true;
      fuzz.observers.next = 0;
      break;
  }
  check_slots();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND};
  plan();
  fuzz.flight =
      (struct flight){.patience = fuzz.plan.patience, .clients = CLIENTS, .window = WINDOW, .observers = OBSERVERS};
  assert(flight_open(&fuzz.flight, 1, fuzz.now) && observers_open(&fuzz.observers, OBSERVERS));
  while (!script_ended(&fuzz.script)) step();
  fuzz.now += 1000 * COPAL_SECOND;
  pass_time();
  check_slots();
  assert(fuzz.flight.under_way == 0);
  observers_close(&fuzz.observers);
  flight_close(&fuzz.flight);
  return 0;
}

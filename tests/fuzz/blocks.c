/* Which blocks make a body: the input is a script of several clients' blocks, by Block1 and Q-Block1, interleaved,
 * repeated, late, mutilated, with the tags, formats and addresses of others. No two bodies have a byte in common by
 * more than chance. What reaches a handler must be bytes that one client sent under one Request-Tag, from the first to
 * the end that it gave; what a client gets of an answer is of the answer to its own body. Memory stays within its
 * limits, and at the end nothing is left. RFC 7959 2.3, 2.5; RFC 9175 3; RFC 9177 4.3. */
#undef NDEBUG
#include "copal/rest.h"
#include "endpoint/endpoint.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEERS = 3, FORMATS = 2, BODIES_MAX = 32, BODY_MAX = 512, UNIT = 16, MESSAGE_MAX = 256, KEPT = 8, BATCH = 3 };
enum { OWED_MAX = 4, QUIET_STEPS_MAX = 2000000, TOKEN_SIZE = 3, TOKEN_MARK = 0xb1 };

/* What was sent under a tag from one address in one format: all this may be put together. */
struct sent {
  uint8_t units[BODY_MAX / UNIT + 1];
  uint8_t ends[BODY_MAX / 8 + 1]; /* bit by size: a last block ended there */
};

/* A body, told by its number, which is its Request-Tag. */
struct body {
  struct sent sent[PEERS][FORMATS];
  size_t size;
  uint32_t next; /* block that it would send next */
  uint8_t peer, method, szx;
  bool in_parts, quick;
};

struct datagram {
  uint8_t bytes[MESSAGE_MAX];
  size_t size;
  uint8_t peer;
};

/* A body in parts on its way in. */
struct intake {
  size_t size;
};

struct fuzz {
  struct script script;
  copal_config config;
  copal_endpoint *endpoint;
  copal_time now;
  struct body bodies[BODIES_MAX];
  unsigned count;
  struct datagram kept[KEPT];
  unsigned kept_count;
  copal_deferred owed[OWED_MAX];
  uint8_t owed_for[OWED_MAX];
  unsigned owed_count;
  uint16_t mid, out_mids[PEERS];
  uint8_t policy; /* of the handlers */
  int intakes;
};

static struct fuzz fuzz;

static const uint16_t formats[FORMATS] = {COPAL_TEXT_PLAIN, COPAL_OCTET_STREAM};

static copal_path path_of(unsigned peer) {
  copal_path path = {.local = {.bytes = {192, 0, 2, 1}, .port = 5683, .family = COPAL_FAMILY_IPV4}};
  path.remote = (copal_address){.bytes = {192, 0, 2, 77}, .port = 5683, .family = COPAL_FAMILY_IPV4};
  path.remote.port = (uint16_t)(path.remote.port + peer);
  return path;
}

static uint8_t peer_of(const copal_path *path) { return (uint8_t)(path->remote.port - 5683); }

/* --- What bodies and answers consist of ----------------------------------------------------------- */

static uint8_t byte_at(unsigned number, size_t position) {
  uint32_t value = ((uint32_t)number + 1) * 0x9e3779b1u ^ (uint32_t)position * 0x85ebca6bu;
  value ^= value >> 15;
  return (uint8_t)(value * 0xc2b2ae35u >> 24);
}

/* The answer to a body is told by its number, too. */
static unsigned answer_to(unsigned number) { return number + BODIES_MAX; }

static size_t answer_size(unsigned number) { return number % 7 * 60; }

static void check_bytes(unsigned number, const uint8_t *bytes, size_t offset, size_t size) {
  for (size_t i = 0; i < size; ++i) assert(bytes[i] == byte_at(number, offset + i));
}

/* --- The application ------------------------------------------------------------------------------ */

/* The body that a request is about, which must be of that request's kind. */
static unsigned number_of(const copal_request *request) {
  const copal_view *view = &copal_request_rx(request)->message;
  copal_option tag, path;
  assert(copal_find(view, COPAL_OPTION_REQUEST_TAG, &tag) && tag.size == 1 && tag.value[0] < fuzz.count);
  const struct body *body = &fuzz.bodies[tag.value[0]];
  assert(view->code == body->method && copal_find(view, COPAL_OPTION_URI_PATH, &path));
  assert((path.value[0] == 'p') == body->in_parts);
  return tag.value[0];
}

static const struct sent *sent_of(const copal_request *request, unsigned number) {
  const copal_rx *rx = copal_request_rx(request);
  uint32_t format = copal_find_uint(&rx->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  return &fuzz.bodies[number].sent[peer_of(&rx->path)][format == formats[1]];
}

static void check_was_sent(const struct sent *sent, size_t offset, size_t size, bool last) {
  for (size_t at = offset / UNIT; at * UNIT < offset + size; ++at) assert(sent->units[at] != 0);
  size_t end = offset + size;
  assert(!last || (sent->ends[end / 8] >> end % 8 & 1) != 0);
}

static uint64_t read_answer(void *context, uint64_t offset, void *buffer, size_t size) {
  unsigned number = *(const unsigned *)context;
  size_t total = answer_size(number), at = offset < total ? (size_t)offset : total;
  size_t part = total - at < size ? total - at : size;
  for (size_t i = 0; i < part; ++i) ((uint8_t *)buffer)[i] = byte_at(answer_to(number), at + i);
  return part;
}

static void answer(copal_request *request, unsigned number) {
  uint8_t bytes[BODY_MAX];
  size_t size = (size_t)read_answer(&number, 0, bytes, sizeof bytes);
  switch (fuzz.policy % 6) {
    case 0:
    case 1: copal_reply(request, COPAL_CHANGED, COPAL_FORMAT_NONE, bytes, size); break;
    case 2:
      copal_message_set_code(copal_reply_message(request), COPAL_CHANGED);
      copal_reply_reader(request, COPAL_SIZE_UNKNOWN, read_answer, &number);
      break;
    case 3: copal_reply_code(request, COPAL_DELETED); break;
    case 4: copal_reply_code(request, COPAL_FORBIDDEN); break;
    case 5:
      if (fuzz.owed_count == OWED_MAX || copal_defer(request, &fuzz.owed[fuzz.owed_count]) != COPAL_OK) break;
      fuzz.owed_for[fuzz.owed_count++] = (uint8_t)number;
      break;
  }
}

static void take_whole(copal_request *request, void *context) {
  copal_bytes payload = copal_request_rx(request)->message.payload;
  unsigned number = number_of(request);
  (void)context;
  check_bytes(number, payload.data, 0, payload.size);
  check_was_sent(sent_of(request, number), 0, payload.size, true);
  answer(request, number);
}

static void take_part(copal_request *request, void *context) {
  copal_part part = copal_request_part(request);
  unsigned number = number_of(request);
  struct intake *intake = (struct intake *)*part.state;
  (void)context;
  assert((intake == NULL) == (part.offset == 0));
  if (intake == NULL) {
    *part.state = intake = (struct intake *)calloc(1, sizeof *intake);
    assert(intake != NULL);
    ++fuzz.intakes;
  }
  assert(intake->size == part.offset);
  check_bytes(number, part.data, (size_t)part.offset, part.size);
  check_was_sent(sent_of(request, number), (size_t)part.offset, part.size, part.last);
  intake->size += part.size;
  bool refuses = fuzz.policy % 6 == 4;
  if (!part.last && !refuses) return;
  --fuzz.intakes;
  free(intake);
  answer(request, number);
}

static void abandon(void *context, void *state) {
  (void)context;
  assert(state != NULL);
  --fuzz.intakes;
  free(state);
}

static void pay(void) {
  if (fuzz.owed_count == 0) return;
  uint8_t buffer[BODY_MAX + 64], bytes[BODY_MAX];
  unsigned last = fuzz.owed_count - 1, number = fuzz.owed_for[last];
  size_t size = (size_t)read_answer(&number, 0, bytes, sizeof bytes);
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CHANGED);
  copal_message_set_payload(&response, bytes, size);
  if (copal_deferred_reply(fuzz.endpoint, fuzz.owed[last], &response) != COPAL_OK)
    assert(copal_deferred_drop(fuzz.endpoint, fuzz.owed[last]) == COPAL_OK);
  --fuzz.owed_count;
}

/* --- The clients ---------------------------------------------------------------------------------- */

static void input(const struct datagram *datagram) {
  uint8_t *copy = (uint8_t *)malloc(datagram->size); /* of exactly its size, for the sanitizer */
  assert(copy != NULL);
  memcpy(copy, datagram->bytes, datagram->size);
  copal_datagram in = {copy, datagram->size, path_of(datagram->peer)};
  assert(copal_endpoint_input(fuzz.endpoint, fuzz.now, &in, 1) == 1);
  free(copy);
}

static void begin_body(void) {
  uint8_t kind = script_byte(&fuzz.script), size = script_byte(&fuzz.script);
  if (fuzz.count == BODIES_MAX) return;
  struct body *body = &fuzz.bodies[fuzz.count++];
  body->peer = kind % PEERS;
  body->szx = kind >> 2 & 3;
  body->method = (kind & 16) != 0 ? COPAL_POST : COPAL_PUT;
  body->in_parts = (kind & 32) != 0;
  body->quick = (kind & 64) != 0;
  body->size = (size_t)size * 2;
}

static struct body *choose_body(uint8_t kind) {
  return fuzz.count == 0 ? NULL : &fuzz.bodies[fuzz.count - 1 - (kind & 3) % fuzz.count];
}

static void begin_request(struct datagram *datagram, copal_message *message, const struct body *body, uint8_t kind) {
  uint8_t number = (uint8_t)(body - fuzz.bodies), token[TOKEN_SIZE] = {number, TOKEN_MARK, kind};
  copal_type type = (kind & 4) != 0 ? COPAL_NON : COPAL_CON;
  copal_message_init(message, datagram->bytes, sizeof datagram->bytes, type, body->method);
  ++fuzz.mid;
  datagram->bytes[2] = (uint8_t)(fuzz.mid >> 8);
  datagram->bytes[3] = (uint8_t)fuzz.mid;
  copal_message_set_token(message, token, sizeof token);
  copal_message_add_text(message, COPAL_OPTION_URI_PATH, body->in_parts ? "p" : "w");
  copal_message_add(message, COPAL_OPTION_REQUEST_TAG, &number, 1);
}

static void send(struct datagram *datagram, const copal_message *message) {
  assert(message->error == COPAL_OK);
  datagram->size = message->size;
  fuzz.kept[fuzz.kept_count++ % KEPT] = *datagram;
  input(datagram);
}

static void note_sent(struct sent *sent, size_t offset, size_t size, bool last) {
  for (size_t at = offset / UNIT; at * UNIT < offset + size; ++at) sent->units[at] = 1;
  if (last) sent->ends[(offset + size) / 8] |= (uint8_t)(1 << (offset + size) % 8);
}

/* A block of a body as its client would send it, but for what the script changes in it. */
static void send_block(void) {
  uint8_t kind = script_byte(&fuzz.script), change = script_byte(&fuzz.script);
  struct body *body = choose_body(kind);
  if (body == NULL) return;
  uint8_t szx = (change & 7) == 1 ? change >> 3 & 3 : body->szx;
  uint32_t number = (change & 7) == 2 ? change >> 3 : body->next;
  size_t offset = (size_t)number << (szx + 4), block = (size_t)16 << szx;
  size_t left = offset < body->size ? body->size - offset : 0, size = left < block ? left : block;
  bool more = left > block, other_format = (change & 7) == 6;
  if ((change & 7) == 3) more = !more;
  if ((change & 7) == 4 && size > 0) --size;
  struct datagram datagram = {.peer = body->peer};
  if ((change & 7) == 5) datagram.peer = (change >> 3) % PEERS;
  if (offset + size > BODY_MAX) return;

  copal_message message;
  begin_request(&datagram, &message, body, kind);
  copal_message_add_uint(&message, COPAL_OPTION_CONTENT_FORMAT, formats[other_format]);
  copal_message_add_uint(&message, body->quick ? COPAL_OPTION_Q_BLOCK1 : COPAL_OPTION_BLOCK1,
                         copal_block_value((copal_block){number, more, szx}));
  if (body->quick || (kind & 8) != 0) copal_message_add_uint(&message, COPAL_OPTION_SIZE1, (uint32_t)body->size);
  if (body->quick && (kind & 16) != 0) copal_message_add_uint(&message, COPAL_OPTION_Q_BLOCK2, 8u | szx);
  uint8_t payload[BODY_MAX];
  for (size_t i = 0; i < size; ++i) payload[i] = byte_at((unsigned)(body - fuzz.bodies), offset + i);
  copal_message_set_payload(&message, payload, size);
  note_sent(&body->sent[datagram.peer][other_format], offset, size, !more);
  if ((change & 7) != 2) ++body->next;
  if (!more) body->next = 0;
  send(&datagram, &message);
}

/* Asks for a block of what a body was answered with. */
static void ask(void) {
  uint8_t kind = script_byte(&fuzz.script), block = script_byte(&fuzz.script);
  const struct body *body = choose_body(kind);
  if (body == NULL) return;
  struct datagram datagram = {.peer = (kind & 128) != 0 ? block % PEERS : body->peer};
  copal_message message;
  begin_request(&datagram, &message, body, kind);
  copal_message_add_uint(&message, COPAL_OPTION_CONTENT_FORMAT, formats[0]);
  bool several = body->quick && (kind & 32) != 0;
  uint32_t value = copal_block_value((copal_block){1 + (block & 31), several, block >> 5 & 3});
  copal_message_add_uint(&message, body->quick ? COPAL_OPTION_Q_BLOCK2 : COPAL_OPTION_BLOCK2, value);
  send(&datagram, &message);
}

static void send_again(void) {
  uint8_t kind = script_byte(&fuzz.script);
  struct datagram datagram = fuzz.kept[kind % KEPT];
  if (datagram.size == 0) return;
  if ((kind & 8) != 0) datagram.bytes[2] ^= 0x40; /* as another message */
  input(&datagram);
}

static void send_reset(void) {
  uint8_t kind = script_byte(&fuzz.script);
  uint16_t mid = (uint16_t)(fuzz.out_mids[kind % PEERS] - (kind >> 4));
  struct datagram reset = {{(kind & 8) != 0 ? 0x60 : 0x70, 0, (uint8_t)(mid >> 8), (uint8_t)mid}, 4, kind % PEERS};
  input(&reset);
}

/* --- What comes out ------------------------------------------------------------------------------- */

static void check_response(const copal_view *view) {
  copal_option option;
  assert(view->token.size == TOKEN_SIZE && view->token.data[1] == TOKEN_MARK && view->token.data[0] < fuzz.count);
  unsigned number = view->token.data[0];
  if (view->code != COPAL_CHANGED) return;
  bool in_blocks = copal_find(view, COPAL_OPTION_BLOCK2, &option) || copal_find(view, COPAL_OPTION_Q_BLOCK2, &option);
  copal_block block = copal_block_of(in_blocks ? copal_option_uint(&option) : 0);
  size_t offset = (size_t)block.number << (block.szx + 4);
  check_bytes(answer_to(number), view->payload.data, offset, view->payload.size);
  if (view->payload.size > 0) assert(block.more == (offset + view->payload.size < answer_size(number)));
}

static void output(void) {
  copal_datagram datagrams[BATCH];
  size_t count;
  do {
    count = copal_endpoint_output(fuzz.endpoint, fuzz.now, datagrams, BATCH);
    for (size_t i = 0; i < count; ++i) {
      copal_view view;
      assert(datagrams[i].size <= fuzz.config.message_size_max);
      assert(copal_decode(datagrams[i].data, datagrams[i].size, &view) == COPAL_OK);
      fuzz.out_mids[peer_of(&datagrams[i].path)] = view.message_id;
      if (view.code != COPAL_EMPTY) check_response(&view);
    }
  } while (count == BATCH);
}

static void check_usage(void) {
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.transfers <= fuzz.config.transfers_max && usage.bodies_size <= fuzz.config.bodies_size);
  assert(usage.exchanges <= fuzz.config.exchanges_max && usage.messages_size <= fuzz.config.messages_size);
  assert(usage.replies_size <= fuzz.config.replies_size && usage.deferred <= fuzz.config.deferred_max);
  assert(usage.deferred >= fuzz.owed_count); /* others wait for their addresses to be verified */
  assert(fuzz.intakes >= 0 && (uint32_t)fuzz.intakes <= usage.transfers);
}

/* --- A script ------------------------------------------------------------------------------------- */

static void pass_time(void) {
  uint8_t kind = script_byte(&fuzz.script);
  copal_time deadline = copal_endpoint_deadline(fuzz.endpoint);
  if ((kind & 3) == 0)
    fuzz.now += (copal_time)kind * COPAL_MILLISECOND;
  else if ((kind & 3) == 1)
    fuzz.now += (copal_time)kind * COPAL_SECOND;
  else if (deadline != COPAL_NEVER && deadline > fuzz.now)
    fuzz.now = deadline;
}

static void step(void) {
  uint8_t kind = script_byte(&fuzz.script);
  switch (kind & 15) {
    case 0:
    case 1: begin_body(); break;
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7: send_block(); break;
    case 8:
    case 9: ask(); break;
    case 10: send_again(); break;
    case 11: send_reset(); break;
    case 12:
    case 13: pass_time(); break;
    case 14: pay(); break;
    case 15: fuzz.policy = kind >> 4; break;
  }
  if ((kind & 128) == 0) output();
  check_usage();
}

static void come_to_rest(void) {
  while (fuzz.owed_count > 0) pay();
  for (unsigned i = 0; copal_endpoint_deadline(fuzz.endpoint) != COPAL_NEVER; ++i) {
    assert(i < QUIET_STEPS_MAX); /* room for a set of confirmable blocks is looked for 64 times a second */
    copal_time deadline = copal_endpoint_deadline(fuzz.endpoint);
    if (deadline > fuzz.now) fuzz.now = deadline;
    output();
  }
  output();
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.transfers == 0 && usage.bodies_size == 0 && usage.exchanges == 0 && usage.messages_size == 0);
  assert(usage.deferred == 0);
  assert(fuzz.intakes == 0);
  for (uint32_t i = 0; i < usage.peers; ++i) assert((fuzz.endpoint->engine.peers.records[i].flags & PEER_BUSY) == 0);
}

static void configure(void) {
  uint8_t kind = script_byte(&fuzz.script), sizes = script_byte(&fuzz.script);
  copal_config *config = &fuzz.config;
  *config = copal_config_small();
  config->transfers_max = 1 + (kind & 3);
  config->peer_transfers_max = 1 + (kind >> 2 & 1);
  config->bodies_size = (kind & 8) != 0 ? 1024 : 2048;
  config->amplification_max = (kind & 16) != 0 ? 3 : 0;
  config->exchanges_max = (kind & 32) != 0 ? 8 : 2;
  config->replies_size = (kind & 64) != 0 ? 4096 : 1024;
  config->deferred_max = OWED_MAX;
  config->body_size_max = BODY_MAX;
  config->message_size_max = (kind & 128) != 0 ? 256 : 160;
  config->messages_size = (sizes & 1) != 0 ? 4096 : 1024;
  config->peer_replies_max = 1 + (sizes >> 1 & 15);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t seed[32] = {7};
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND};
  configure();
  size_t need = copal_endpoint_size(&fuzz.config);
  void *memory = calloc(1, need);
  assert(need > 0 && memory != NULL);
  fuzz.endpoint = copal_endpoint_init(memory, need, &fuzz.config, seed, fuzz.now);
  assert(fuzz.endpoint != NULL);
  static const copal_code methods[] = {COPAL_PUT, COPAL_POST};
  for (int i = 0; i < 2; ++i) {
    assert(copal_route(fuzz.endpoint, methods[i], "/w", take_whole, NULL) == COPAL_OK);
    assert(copal_route(fuzz.endpoint, methods[i], "/p", take_part, NULL) == COPAL_OK);
    assert(copal_route_parts(fuzz.endpoint, methods[i], "/p", abandon) == COPAL_OK);
  }
  while (fuzz.script.at != fuzz.script.end) step();
  come_to_rest();
  free(memory);
  return 0;
}

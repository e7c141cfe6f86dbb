/* Bodies in blocks at a server, against clients that are honest, or not: the input is a script of blocks by Block1,
 * Block2, Q-Block1 and Q-Block2, of Resets and of time, against tables so small that each gets full. A handler is
 * called with whole bodies, or with their parts in order; a block of a reply has the bytes of its place, and the ETag
 * and the size of its body; an address that is not verified gets little. At the end all must come to rest. */
#undef NDEBUG
#include "copal/rest.h"
#include "endpoint/endpoint.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEERS = 3, MESSAGE_MAX = 256, BODY_MAX = 512, BATCH = 3, QUIET_STEPS_MAX = 100000 };

struct fuzz {
  struct script script;
  copal_config config;
  copal_endpoint *endpoint;
  copal_time now;
  uint16_t mid;
  uint8_t policy;   /* of the handlers */
  size_t size;      /* of what they reply */
  uint64_t in, out; /* bytes, of the address that answers nothing */
  uint16_t out_mids[PEERS];
};

static struct fuzz fuzz;

static uint8_t byte_at(uint64_t position) { return (uint8_t)(position * 7 + position / 251 + 1); }

static copal_path path_of(unsigned number) {
  copal_path path = {.local = {.bytes = {192, 0, 2, 1}, .port = 5683, .family = COPAL_FAMILY_IPV4}};
  path.remote = (copal_address){.bytes = {192, 0, 2, 77}, .port = 5683, .family = COPAL_FAMILY_IPV4};
  path.remote.port = (uint16_t)(path.remote.port + number % PEERS);
  return path;
}

/* --- The application ---------------------------------------------------------------------------- */

static void check_bytes(const uint8_t *bytes, uint64_t offset, size_t size) {
  for (size_t i = 0; i < size; ++i) assert(bytes[i] == byte_at(offset + i));
}

static uint64_t read(void *context, uint64_t offset, void *buffer, size_t size) {
  (void)context;
  uint8_t *bytes = (uint8_t *)buffer;
  if ((fuzz.policy & 8) != 0) return COPAL_SIZE_UNKNOWN;
  if (offset > fuzz.size) return 0;
  if (size > fuzz.size - offset) size = fuzz.size - (size_t)offset;
  for (size_t i = 0; i < size; ++i) bytes[i] = byte_at(offset + i);
  return size;
}

static void serve(copal_request *request, void *context) {
  (void)context;
  uint8_t body[BODY_MAX + 64];
  copal_bytes payload = copal_request_rx(request)->message.payload;
  check_bytes(payload.data, 0, payload.size);
  for (size_t i = 0; i < sizeof body; ++i) body[i] = byte_at(i);
  switch (fuzz.policy & 7) {
    case 0:
    case 1: copal_reply(request, COPAL_CONTENT, 42, body, fuzz.size); break;
    case 2: copal_reply_reader(request, fuzz.size, read, NULL); break;
    case 3: copal_reply_reader(request, COPAL_SIZE_UNKNOWN, read, NULL); break;
    case 4: copal_reply_code(request, COPAL_CHANGED); break;
    case 5: copal_reply_code(request, COPAL_FORBIDDEN); break;
    case 6: copal_message_set_payload(copal_reply_message(request), body, fuzz.size < 128 ? fuzz.size : 128); break;
    case 7: break;
  }
}

static void serve_part(copal_request *request, void *context) {
  (void)context;
  copal_part part = copal_request_part(request);
  uintptr_t taken = (uintptr_t)*part.state;
  if (part.offset == 0) taken = 0;
  assert(part.offset == taken);
  check_bytes(part.data, part.offset, part.size);
  *part.state = (void *)(taken + part.size);
  if (part.last || (fuzz.policy & 7) == 5) copal_reply_code(request, COPAL_CHANGED);
}

static void abandon(void *context, void *state) { (void)context, (void)state; }

/* --- Datagrams in --------------------------------------------------------------------------------- */

static void input(unsigned peer, const uint8_t *bytes, size_t size) {
  uint8_t *copy = (uint8_t *)malloc(size); /* of exactly its size, for the sanitizer */
  assert(copy != NULL);
  memcpy(copy, bytes, size);
  copal_datagram datagram = {copy, size, path_of(peer)};
  assert(copal_endpoint_input(fuzz.endpoint, fuzz.now, &datagram, 1) == 1);
  if (peer % PEERS == 0) fuzz.in += size;
  free(copy);
}

static void add_block(copal_message *message, uint16_t number, uint32_t block, uint8_t flags) {
  copal_message_add_uint(message, number, copal_block_value((copal_block){block, (flags & 1) != 0, flags >> 1 & 7}));
}

static void add_upload(copal_message *message, bool quick, uint8_t number, uint8_t shape) {
  uint32_t total = (uint32_t)script_byte(&fuzz.script) * 2, size = 16u << (shape & 3), offset = (number & 31) * size;
  uint32_t left = offset < total ? total - offset : 0;
  bool more = left > size;
  add_block(message, quick ? COPAL_OPTION_Q_BLOCK1 : COPAL_OPTION_BLOCK1, number & 31,
            (uint8_t)((shape & 3) << 1 | (more != ((shape & 128) != 0))));
  if ((shape & 4) == 0) copal_message_add_uint(message, COPAL_OPTION_SIZE1, total);
  if ((shape & 8) == 0) copal_message_add(message, COPAL_OPTION_REQUEST_TAG, &shape, (shape & 16) != 0);
  uint8_t payload[128];
  for (size_t i = 0; i < sizeof payload; ++i) payload[i] = byte_at(offset + i);
  copal_message_set_payload(message, payload, (left < size ? left : size) - ((shape & 64) != 0 && left > 0));
}

static void request(void) {
  static const uint8_t methods[] = {COPAL_GET, COPAL_PUT, COPAL_POST, COPAL_FETCH};
  uint8_t kind = script_byte(&fuzz.script), with = script_byte(&fuzz.script), number = script_byte(&fuzz.script),
          buffer[MESSAGE_MAX];
  uint8_t token[12] = {kind, with};
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, (kind & 4) != 0 ? COPAL_NON : COPAL_CON, methods[kind & 3]);
  copal_message_set_token(&message, token, (kind & 24) == 24 ? 12 : kind >> 3 & 3);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, (kind & 32) != 0 ? "p" : "a");
  if ((with & 1) != 0) add_upload(&message, (with & 2) != 0, number, script_byte(&fuzz.script));
  for (uint8_t i = 0; i < (with >> 2 & 3); ++i)
    add_block(&message, (with & 16) != 0 ? COPAL_OPTION_BLOCK2 : COPAL_OPTION_Q_BLOCK2,
              (number & 31u) + i * (uint32_t)(with >> 5), script_byte(&fuzz.script));
  if (message.error != COPAL_OK) return;
  uint16_t mid = (kind & 0xc0) == 0xc0 ? fuzz.mid : ++fuzz.mid;
  buffer[2] = (uint8_t)(mid >> 8);
  buffer[3] = (uint8_t)mid;
  input(kind >> 6, buffer, message.size);
}

static void reset(void) {
  uint8_t kind = script_byte(&fuzz.script);
  uint16_t mid = (uint16_t)(fuzz.out_mids[kind % PEERS] - (kind >> 4));
  uint8_t bytes[4] = {(kind & 8) != 0 ? 0x60 : 0x70, 0, (uint8_t)(mid >> 8), (uint8_t)mid};
  if (kind % PEERS > 0) input(kind, bytes, sizeof bytes); /* the first address answers nothing */
}

/* --- What comes out ------------------------------------------------------------------------------- */

static void check_block(const copal_view *view) {
  copal_option option, etag;
  bool quick = copal_find(view, COPAL_OPTION_Q_BLOCK2, &option);
  if (!quick && !copal_find(view, COPAL_OPTION_BLOCK2, &option)) return;
  copal_block block = copal_block_of(copal_option_uint(&option));
  if (COPAL_CODE_CLASS(view->code) == 2)
    check_bytes(view->payload.data, (uint64_t)block.number << (block.szx + 4), view->payload.size);
  if (block.more) assert(view->payload.size == (size_t)16 << block.szx);
  if (!quick) return;
  uint32_t total = copal_find_uint(view, COPAL_OPTION_SIZE2, UINT32_MAX);
  if (block.number == 0) assert(copal_find(view, COPAL_OPTION_ETAG, &etag));
  if (total != UINT32_MAX)
    assert(block.more == (((uint64_t)block.number << (block.szx + 4)) + view->payload.size < total));
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
      check_block(&view);
      unsigned peer = (unsigned)(datagrams[i].path.remote.port - 5683);
      fuzz.out_mids[peer] = view.message_id;
      /* Pings are not counted: they are few. */
      if (peer == 0 && view.code != COPAL_EMPTY) fuzz.out += datagrams[i].size;
    }
  } while (count == BATCH);
}

static void check(void) {
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.transfers <= fuzz.config.transfers_max && usage.bodies_size <= fuzz.config.bodies_size);
  assert(usage.exchanges <= fuzz.config.exchanges_max && usage.messages_size <= fuzz.config.messages_size);
  for (uint32_t i = 0; i < usage.transfers; ++i) {
    const struct transfer *transfer = &fuzz.endpoint->transfers.records[i];
    assert(!transfer->timed || transfer->peer != INDEX_NONE);
  }
}

/* RFC 9175 2.4, for an address that never answered: three times what came from there, or 136 bytes for a request. */
static void check_amplification(void) {
  uint64_t requests = copal_endpoint_counters(fuzz.endpoint)->datagrams_in;
  assert(fuzz.out <= fuzz.in * fuzz.config.amplification_max + requests * 136);
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
  switch (kind & 7) {
    case 0:
    case 1:
    case 2:
    case 3: request(); break;
    case 4: reset(); break;
    case 5:
    case 6: pass_time(); break;
    case 7:
      fuzz.policy = script_byte(&fuzz.script);
      fuzz.size = (size_t)(kind >> 3) * 17;
      break;
  }
  if ((kind & 128) == 0) output();
  check();
}

static void come_to_rest(void) {
  for (unsigned i = 0; copal_endpoint_deadline(fuzz.endpoint) != COPAL_NEVER; ++i) {
    assert(i < QUIET_STEPS_MAX);
    copal_time deadline = copal_endpoint_deadline(fuzz.endpoint);
    if (deadline > fuzz.now) fuzz.now = deadline;
    output();
  }
  output();
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.transfers == 0 && usage.bodies_size == 0 && usage.exchanges == 0 && usage.messages_size == 0);
  for (uint32_t i = 0; i < usage.peers; ++i) assert((fuzz.endpoint->engine.peers.records[i].flags & PEER_BUSY) == 0);
}

static void configure(void) {
  uint8_t kind = script_byte(&fuzz.script);
  copal_config *config = &fuzz.config;
  *config = copal_config_small();
  config->exchanges_max = 1 + (kind & 7);
  config->transfers_max = 1 + (kind >> 3 & 3);
  config->peer_transfers_max = 1 + (kind >> 5 & 1);
  config->body_size_max = BODY_MAX;
  config->bodies_size = (kind & 64) != 0 ? 1024 : 2048;
  config->messages_size = (kind & 128) != 0 ? 512 : 2048;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t seed[32] = {3};
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND, .size = 300};
  configure();
  size_t need = copal_endpoint_size(&fuzz.config);
  void *memory = calloc(1, need);
  assert(need > 0 && memory != NULL);
  fuzz.endpoint = copal_endpoint_init(memory, need, &fuzz.config, seed, fuzz.now);
  assert(fuzz.endpoint != NULL);
  static const copal_code methods[] = {COPAL_GET, COPAL_PUT, COPAL_POST, COPAL_FETCH};
  for (int i = 0; i < 4; ++i) assert(copal_route(fuzz.endpoint, methods[i], "/a", serve, NULL) == COPAL_OK);
  for (int i = 1; i < 3; ++i) {
    assert(copal_route(fuzz.endpoint, methods[i], "/p", serve_part, NULL) == COPAL_OK);
    assert(copal_route_parts(fuzz.endpoint, methods[i], "/p", abandon) == COPAL_OK);
  }
  while (fuzz.script.at != fuzz.script.end) step();
  come_to_rest();
  check_amplification();
  free(memory);
  return 0;
}

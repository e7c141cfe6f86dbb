/* Calls against a server that is honest, or not: the input is a script of calls, of answers to what they send, of time
 * and of cancellations, against tables so small that each gets full. Every call ends once and is never told of anything
 * afterwards; no body is larger than its room; a writer gets its parts in order and without gaps; a body that comes
 * whole from an honest server is the server's; nothing is registered for twice. At the end all must come to rest. */
#undef NDEBUG
#include "copal/rest.h"
#include "endpoint/endpoint.h"
#include "fuzz/script.h"
#include "rest/sharing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLS = 4, KEPT = 4, DATAGRAM_MAX = 320, ROOM_MAX = 600, CANARY = 0xca, QUIET_STEPS_MAX = 100000 };

/* --- The state that it drives ------------------------------------------------------------------- */

/* A call of the application, and what it may still be told. */
struct caller {
  copal_call call;
  bool open, observe, multicast;
  uint64_t source_size; /* of the request's body */
  uint64_t taken;       /* by the writer */
  size_t capacity;
  uint8_t room[ROOM_MAX + 1];
};

struct sent {
  copal_path path;
  size_t size;
  uint8_t bytes[DATAGRAM_MAX];
};

struct fuzz {
  struct script script;
  copal_config config;
  copal_endpoint *endpoint;
  copal_time now;
  struct caller callers[CALLS];
  struct sent sent[KEPT]; /* requests, the latest ones */
  size_t sent_count;
  uint16_t own_mid;
  uint8_t policy; /* of the handler */
  unsigned depth;
};

static struct fuzz fuzz;

static uint8_t byte_at(uint64_t position) { return (uint8_t)(position * 11 + position / 256); }

static copal_address remote_of(unsigned number) {
  copal_address remote = {.bytes = {192, 0, 2, 77}, .port = 5683, .family = COPAL_FAMILY_IPV4};
  if (number % 4 == 1) remote.port = 40000;
  if (number % 4 == 2) remote = (copal_address){.bytes = {224, 0, 1, 187}, .port = 5683, .family = COPAL_FAMILY_IPV4};
  return remote;
}

/* --- The application ---------------------------------------------------------------------------- */

static void begin(void);
static void cancel(unsigned number);

static uint64_t read(void *context, uint64_t offset, void *buffer, size_t size) {
  const struct caller *caller = (const struct caller *)context;
  uint8_t *bytes = (uint8_t *)buffer;
  assert(offset <= caller->source_size && size > 0);
  if (caller->source_size % 64 == 63) return COPAL_SIZE_UNKNOWN;
  if (size > caller->source_size - offset) size = (size_t)(caller->source_size - offset);
  for (size_t i = 0; i < size; ++i) bytes[i] = byte_at(offset + i);
  return size;
}

static bool write(void *context, uint64_t offset, const void *data, size_t size) {
  struct caller *caller = (struct caller *)context;
  assert(caller->open && (data != NULL || size == 0));
  if (offset == 0) caller->taken = 0;
  assert(offset == caller->taken);
  caller->taken += size;
  return caller->taken < ROOM_MAX;
}

static void check_room(const struct caller *caller) {
  for (size_t i = caller->capacity; i <= ROOM_MAX; ++i) assert(caller->room[i] == CANARY);
}

static void on_result(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct caller *caller = (struct caller *)context;
  assert(endpoint == fuzz.endpoint && caller->open);
  assert(caller->call.generation == 0 || caller->call.generation == call.generation);
  assert(result->error == COPAL_OK || result->rx == NULL);
  assert(!result->observed || caller->observe);
  if (!result->last) assert(result->observed || caller->multicast);
  check_room(caller);
  if (result->body.data == caller->room) assert(result->body.size <= caller->capacity);
  if (result->body.size > 0) assert(result->body_size == result->body.size);
  if (result->rx != NULL && result->body.size == 0 && result->body_size > 0) assert(result->body_size == caller->taken);
  volatile uint8_t sum = 0; /* every byte may be read */
  for (size_t i = 0; i < result->body.size; ++i) sum = (uint8_t)(sum + result->body.data[i]);
  caller->open = !result->last;
  if (fuzz.depth > 2) return;
  ++fuzz.depth;
  if (fuzz.policy % 3 == 1) cancel(fuzz.policy >> 2);
  if (fuzz.policy % 3 == 2) begin();
  --fuzz.depth;
}

static void begin(void) {
  static const uint8_t methods[] = {COPAL_GET, COPAL_PUT, COPAL_POST, COPAL_FETCH};
  static const copal_time timeouts[] = {0, COPAL_SECOND, 100 * COPAL_SECOND, 1};
  static const uint16_t block_sizes[] = {0, 16, 32, 64, 128};
  struct caller *caller = fuzz.callers;
  while (caller->open)
    if (++caller == fuzz.callers + CALLS) return;
  uint8_t kind = script_byte(&fuzz.script), shape = script_byte(&fuzz.script), sizes = script_byte(&fuzz.script),
          buffer[ROOM_MAX];
  copal_address remote = remote_of(kind >> 6);
  bool multicast = copal_address_is_multicast(&remote);
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, (shape & 1) != 0 || multicast ? COPAL_NON : COPAL_CON,
                     methods[kind & 3]);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "a");
  if ((shape & 2) != 0) copal_message_set_token(&message, "t", 1);
  if ((kind & 63) == 63) copal_message_add_uint(&message, COPAL_OPTION_NO_RESPONSE, 26);
  if ((kind & 63) == 62) copal_message_add_uint(&message, COPAL_OPTION_BLOCK2, shape);
  uint8_t body[256];
  for (size_t i = 0; i < sizeof body; ++i) body[i] = byte_at(i);
  if ((shape & 4) != 0) copal_message_set_payload(&message, body, sizes);
  *caller = (struct caller){.open = true,
                            .observe = (shape & 8) != 0,
                            .multicast = multicast,
                            .source_size = (uint64_t)sizes * 3,
                            .capacity = sizes >> 4 == 15 ? ROOM_MAX : (size_t)(sizes >> 4) * 32};
  memset(caller->room, CANARY, sizeof caller->room);
  copal_call_options options = {.message = &message,
                                .remote = &remote,
                                .handler = on_result,
                                .context = caller,
                                .timeout = timeouts[kind >> 4 & 3],
                                .read = (shape & 16) != 0 ? read : NULL,
                                .size = (shape & 32) != 0 ? COPAL_SIZE_UNKNOWN : caller->source_size,
                                .write = (shape & 64) != 0 ? write : NULL,
                                .body_context = caller,
                                .buffer = caller->capacity > 0 ? caller->room : NULL,
                                .capacity = caller->capacity,
                                .block_size = block_sizes[(kind & 8) != 0 ? 1 + (sizes & 3) : 0],
                                .ahead = sizes >> 1 & 7,
                                .observe = caller->observe,
                                .q_block = (kind & 4) != 0,
                                .no_token = (shape & 128) != 0};
  caller->open = copal_call_begin(fuzz.endpoint, &options, &caller->call) == COPAL_OK;
}

static void cancel(unsigned number) {
  struct caller *caller = &fuzz.callers[number % CALLS];
  copal_error error = copal_call_cancel(fuzz.endpoint, caller->call, (number & 4) != 0);
  assert(error == (caller->open ? COPAL_OK : COPAL_ERR_STALE));
  assert(copal_call_cancel(fuzz.endpoint, caller->call, false) == COPAL_ERR_STALE);
  caller->open = false;
}

/* --- The server --------------------------------------------------------------------------------- */

static void input(const copal_path *path, const uint8_t *bytes, size_t size) {
  uint8_t *copy = (uint8_t *)malloc(size); /* of exactly its size, for the sanitizer */
  assert(copy != NULL);
  memcpy(copy, bytes, size);
  copal_datagram datagram = {copy, size, *path};
  assert(copal_endpoint_input(fuzz.endpoint, fuzz.now, &datagram, 1) == 1);
  copal_event event;
  assert(!copal_endpoint_event(fuzz.endpoint, &event)); /* calls have no events */
  free(copy);
}

static void add_block(copal_message *response, uint16_t number, const copal_view *request, uint8_t kind) {
  copal_block block = copal_block_of(copal_find_uint(request, number, kind >> 6));
  if ((kind & 1) != 0) block.more = !block.more;
  if ((kind & 2) != 0 && block.szx > 0) --block.szx;
  if ((kind & 4) != 0) block.number += kind >> 5;
  if ((kind & 8) != 0) block.szx = 7;
  copal_message_add_uint(response, number, copal_block_value(block));
  if (number == COPAL_OPTION_Q_BLOCK2) copal_message_add_uint(response, COPAL_OPTION_SIZE2, kind & 0xc0 ? kind : 100);
  if (number != COPAL_OPTION_BLOCK2 && number != COPAL_OPTION_Q_BLOCK2) return;
  uint8_t bytes[128];
  uint64_t offset = (uint64_t)block.number << (block.szx + 4);
  size_t size = (size_t)16 << (block.szx & 3);
  for (size_t i = 0; i < size; ++i) bytes[i] = byte_at(offset + i);
  copal_message_set_payload(response, bytes, size - ((kind & 16) != 0 ? kind >> 5 : 0));
}

/* An answer to one of the latest requests: as an honest server would give it, but for what the script bends. */
static void answer(void) {
  static const uint8_t codes[] = {COPAL_CONTENT,
                                  COPAL_CONTINUE,
                                  COPAL_CHANGED,
                                  COPAL_UNAUTHORIZED,
                                  COPAL_REQUEST_ENTITY_INCOMPLETE,
                                  COPAL_REQUEST_ENTITY_TOO_LARGE,
                                  COPAL_NOT_FOUND,
                                  COPAL_VALID};
  if (fuzz.sent_count == 0) return;
  uint8_t which = script_byte(&fuzz.script), with = script_byte(&fuzz.script), value = script_byte(&fuzz.script),
          buffer[DATAGRAM_MAX];
  const struct sent *sent = &fuzz.sent[which % KEPT < fuzz.sent_count ? which % KEPT : 0];
  copal_view request;
  assert(copal_decode(sent->bytes, sent->size, &request) == COPAL_OK);
  copal_type type = (which & 16) != 0 ? ((which & 4) != 0 ? COPAL_CON : COPAL_NON) : COPAL_ACK;
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, type, codes[which >> 5]);
  copal_message_set_token(&response, request.token.data, request.token.size);
  copal_option option;
  bool quick =
      copal_find(&request, COPAL_OPTION_Q_BLOCK1, &option) || copal_find(&request, COPAL_OPTION_Q_BLOCK2, &option);
  uint16_t upload = quick ? COPAL_OPTION_Q_BLOCK1 : COPAL_OPTION_BLOCK1;
  uint16_t download = quick ? COPAL_OPTION_Q_BLOCK2 : COPAL_OPTION_BLOCK2;
  if ((with & 1) != 0) add_block(&response, upload, &request, (with & 64) != 0 ? value : 0);
  if ((with & 2) != 0) add_block(&response, download, &request, (with & 64) != 0 ? value : value & 0xc1);
  if ((with & 4) != 0) copal_message_add_uint(&response, COPAL_OPTION_OBSERVE, value);
  if ((with & 8) != 0) copal_message_add(&response, COPAL_OPTION_ETAG, &value, 1);
  if ((with & 16) != 0) copal_message_add(&response, COPAL_OPTION_ECHO, sent->bytes, 1 + value % 40);
  if ((with & 32) != 0) copal_message_add_uint(&response, COPAL_OPTION_MAX_AGE, value >> 4);
  bool lists = quick && codes[which >> 5] == COPAL_REQUEST_ENTITY_INCOMPLETE;
  if ((with & 128) != 0) copal_message_add_uint(&response, COPAL_OPTION_CONTENT_FORMAT, lists ? 272 : value & 1);
  uint8_t list[4] = {lists ? script_byte(&fuzz.script) : 0, (uint8_t)(value + 1), (uint8_t)(value + 3),
                     (uint8_t)(value | 24)};
  if ((with & 2) == 0) copal_message_set_payload(&response, lists ? list : sent->bytes, lists ? value % 5 : value % 40);
  uint16_t mid = type == COPAL_ACK ? request.message_id : fuzz.own_mid++;
  buffer[2] = (uint8_t)(mid >> 8);
  buffer[3] = (uint8_t)mid;
  copal_path path = sent->path;
  if (copal_address_is_multicast(&path.remote)) path.remote = remote_of(0);
  path.local = (copal_address){.bytes = {192, 0, 2, 1}, .port = 5683, .family = COPAL_FAMILY_IPV4};
  input(&path, buffer, response.size);
}

/* An empty ACK or a Reset, or an ICMP error. */
static void answer_empty(void) {
  if (fuzz.sent_count == 0) return;
  uint8_t which = script_byte(&fuzz.script);
  const struct sent *sent = &fuzz.sent[which % KEPT < fuzz.sent_count ? which % KEPT : 0];
  if ((which & 8) != 0) {
    copal_endpoint_unreachable(fuzz.endpoint, fuzz.now, &sent->path, sent->bytes, sent->size);
    return;
  }
  uint8_t bytes[4] = {(which & 16) != 0 ? 0x70 : 0x60, 0, sent->bytes[2], sent->bytes[3]};
  copal_path path = sent->path;
  if (!copal_address_is_multicast(&path.remote)) input(&path, bytes, sizeof bytes);
}

/* --- Time --------------------------------------------------------------------------------------- */

static void output(void) {
  copal_datagram datagrams[3];
  size_t count;
  do {
    count = copal_endpoint_output(fuzz.endpoint, fuzz.now, datagrams, 3);
    for (size_t i = 0; i < count; ++i) {
      copal_view view;
      assert(datagrams[i].size <= fuzz.config.message_size_max);
      assert(copal_decode(datagrams[i].data, datagrams[i].size, &view) == COPAL_OK);
      if (!copal_code_is_request(view.code)) continue;
      memmove(fuzz.sent + 1, fuzz.sent, sizeof fuzz.sent - sizeof *fuzz.sent);
      fuzz.sent[0] = (struct sent){.path = datagrams[i].path, .size = datagrams[i].size};
      memcpy(fuzz.sent[0].bytes, datagrams[i].data, datagrams[i].size);
      if (fuzz.sent_count < KEPT) ++fuzz.sent_count;
    }
  } while (count == 3);
}

static void pass_time(void) {
  uint8_t kind = script_byte(&fuzz.script);
  copal_time deadline = copal_endpoint_deadline(fuzz.endpoint);
  if ((kind & 3) == 0)
    fuzz.now += (copal_time)kind * COPAL_MILLISECOND;
  else if ((kind & 3) == 1)
    fuzz.now += (copal_time)kind * COPAL_SECOND;
  else if (deadline != COPAL_NEVER && deadline > fuzz.now)
    fuzz.now = deadline;
  output();
}

/* RFC 7641 3.1: "A client MUST aggregate such requests and MUST NOT register more than once for the same target
 * resource." */
static void check_registrations(void) {
  struct operations *operations = &fuzz.endpoint->operations;
  const struct path *paths = fuzz.endpoint->paths.records;
  uint32_t listed = 0;
  for (uint32_t i = 0; i < operations->slab.fresh; ++i) {
    struct operation *operation = &operations->records[i];
    if (!operation->used) continue;
    bool registers = operation->registering || !copal_tx_none(operation->observation);
    assert(registers == operation->listed && !(registers && operation->follows));
    if (!registers) continue;
    ++listed;
    struct table_walk walk =
        sharing_walk(operations, operation, path_hash(&fuzz.endpoint->paths, &paths[operation->peer]));
    const struct operation *other;
    while ((other = sharing_next(operations, operation, &walk)) != NULL)
      assert(other == operation || !path_is_to_same(&paths[other->peer], &paths[operation->peer]));
  }
  assert(listed == operations->shared.count && operations->turn == INDEX_NONE);
}

static void check_usage(void) {
  check_registrations();
  uint32_t open = 0;
  for (size_t i = 0; i < CALLS; ++i) {
    open += fuzz.callers[i].open;
    if (fuzz.callers[i].open) check_room(&fuzz.callers[i]);
  }
  assert(copal_endpoint_usage(fuzz.endpoint).calls == open);
}

/* Observations go on until they are cancelled or nobody answers; all else ends of itself. */
static void come_to_rest(void) {
  fuzz.script.at = fuzz.script.end;
  fuzz.policy = 0;
  for (unsigned step = 0; copal_endpoint_deadline(fuzz.endpoint) != COPAL_NEVER; ++step) {
    assert(step < QUIET_STEPS_MAX);
    copal_time deadline = copal_endpoint_deadline(fuzz.endpoint);
    if (deadline > fuzz.now) fuzz.now = deadline;
    output();
  }
  fuzz.now += COPAL_SECOND;
  output();
  check_usage();
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.calls == 0 && usage.exchanges == 0 && usage.messages_size == 0);
  for (uint32_t i = 0; i < usage.peers; ++i) assert((fuzz.endpoint->engine.peers.records[i].flags & PEER_BUSY) == 0);
}

/* --- A script ----------------------------------------------------------------------------------- */

static void step(void) {
  switch (script_byte(&fuzz.script) % 12) {
    case 0:
    case 1: begin(); break;
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7: answer(); break;
    case 8: answer_empty(); break;
    case 9: pass_time(); break;
    case 10: cancel(script_byte(&fuzz.script)); break;
    case 11: fuzz.policy = script_byte(&fuzz.script); break;
  }
  output();
  check_usage();
}

static void configure(void) {
  uint8_t kind = script_byte(&fuzz.script);
  copal_config *config = &fuzz.config;
  *config = copal_config_small();
  config->calls_max = 1 + (kind & 3);
  config->exchanges_max = 1 + (kind >> 2 & 7);
  config->peers_max = 1 + (kind >> 5 & 1);
  config->message_size_max = (kind & 64) != 0 ? 64 : 256;
  config->messages_size = (kind & 128) != 0 ? 2048 : 512;
  config->parameters.probing_rate = 0;
  config->parameters.nstart = (kind & 16) != 0 ? 5 : 1;
  config->parameters.max_retransmit = kind & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t seed[32] = {2};
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND};
  configure();
  size_t need = copal_endpoint_size(&fuzz.config);
  void *memory = calloc(1, need);
  assert(need > 0 && memory != NULL);
  fuzz.endpoint = copal_endpoint_init(memory, need, &fuzz.config, seed, fuzz.now);
  assert(fuzz.endpoint != NULL);
  while (fuzz.script.at != fuzz.script.end) step();
  come_to_rest();
  free(memory);
  return 0;
}

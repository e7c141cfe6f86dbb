/* Any request at a server with routes of every kind: the input is a script of datagrams, made of arbitrary bytes or of
 * arbitrary options, of several peers, of time, and of what an application does between. A handler is called only with
 * what its route promises: formats, preconditions, parameters. A datagram has one reply at most, of the size that its
 * sender is good for; nothing is sent to who did not ask, nor with a token that nobody gave. Memory stays within its
 * limits, and when all lifetimes are over nothing is left. */
#undef NDEBUG
#include "copal/rest.h"
#include "endpoint/endpoint.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PEERS = 4, SILENT = 0, DATAGRAM_MAX = 300, KEPT = 4, BATCH = 3, OWED_MAX = 3, BODY_SIZE = 700 };
enum { TOKENS_MAX = 256, QUIET_STEPS_MAX = 2000000, SEPARATE_MAX = 32 };

struct datagram {
  uint8_t bytes[DATAGRAM_MAX];
  size_t size;
  uint8_t peer;
};

/* A token that a peer gave with a request, by its hash. */
struct given {
  uint32_t hash;
  uint8_t peer;
};

struct fuzz {
  struct script script;
  copal_config config;
  copal_endpoint *endpoint;
  copal_time now;
  struct datagram kept[KEPT];
  unsigned kept_count;
  struct given given[TOKENS_MAX];
  unsigned given_count;
  bool heard[PEERS];
  uint16_t mid, out_mids[PEERS];
  uint16_t separate[SEPARATE_MAX]; /* message IDs of confirmable messages to the silent peer */
  unsigned separate_count;
  copal_deferred owed[OWED_MAX];
  unsigned owed_count;
  uint64_t in, out, requests; /* of the peer that answers nothing: bytes, and datagrams */
  uint8_t policy;             /* of the handlers */
  uint8_t version;            /* of the resource that has one; even: there is none */
  int parts;                  /* bodies in parts that have begun and not ended */
};

static struct fuzz fuzz;

static copal_path path_of(unsigned peer) {
  copal_path path = {.local = {.bytes = {192, 0, 2, 1}, .port = 5683, .family = COPAL_FAMILY_IPV4}};
  path.remote = (copal_address){.bytes = {192, 0, 2, 77}, .port = 5683, .family = COPAL_FAMILY_IPV4};
  path.remote.port = (uint16_t)(path.remote.port + peer % PEERS);
  return path;
}

static uint8_t peer_of(const copal_path *path) { return (uint8_t)(path->remote.port - 5683); }

/* --- Replies ---------------------------------------------------------------------------------------- */

static const uint8_t body[BODY_SIZE];

static uint64_t read_body(void *context, uint64_t offset, void *buffer, size_t size) {
  (void)context;
  if ((fuzz.policy & 128) != 0) return COPAL_SIZE_UNKNOWN;
  size_t left = offset < BODY_SIZE ? BODY_SIZE - (size_t)offset : 0, part = left < size ? left : size;
  memset(buffer, 0, part);
  return part;
}

static void defer(copal_request *request) {
  if (fuzz.owed_count == OWED_MAX || copal_defer(request, &fuzz.owed[fuzz.owed_count]) != COPAL_OK)
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
  else
    ++fuzz.owed_count;
}

static void reply(copal_request *request, uint32_t format) {
  size_t size = (size_t)(fuzz.policy >> 4) * 46;
  copal_code code = copal_request_rx(request)->message.code == COPAL_GET ? COPAL_CONTENT : COPAL_CHANGED;
  switch (fuzz.policy & 15) {
    case 0: copal_reply_code(request, COPAL_FORBIDDEN); break;
    case 1: copal_reply_problem(request, COPAL_CONFLICT, "no"); break;
    case 2: copal_reply_text(request, "text"); break;
    case 3: break; /* no reply at all */
    case 4: defer(request); break;
    case 5: copal_reply_reader(request, COPAL_SIZE_UNKNOWN, read_body, NULL); break;
    case 6: copal_reply_reader(request, size, read_body, NULL); break;
    case 7: copal_message_set_payload(copal_reply_message(request), body, size); break;
    case 8:
      copal_message_add(copal_reply_message(request), COPAL_OPTION_ETAG, "etag", 4);
      copal_reply_body(request, body, size);
      break;
    case 9:
      if (copal_request_is_fresh(request, 10 * COPAL_SECOND)) copal_reply_code(request, code);
      break;
    case 10: /* another resource changes meanwhile */
      copal_notify(fuzz.endpoint, "/observed");
      copal_reply_code(request, code);
      break;
    case 11: copal_notify_end(fuzz.endpoint, "/observed", COPAL_NOT_FOUND); /* fall through */
    default: copal_reply(request, code, format, body, size); break;
  }
}

/* --- Handlers, and what they may rely on -------------------------------------------------------------- */

static const uint16_t offers[] = {COPAL_TEXT_PLAIN, COPAL_JSON}, takes[] = {COPAL_OCTET_STREAM, COPAL_CBOR};

static uint32_t format_of(const copal_request *request) {
  return copal_find_uint(&copal_request_rx(request)->message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
}

static void serve_offers(copal_request *request, void *context) {
  uint32_t format = copal_request_format(request);
  (void)context;
  assert(format == offers[0] || format == offers[1]);
  reply(request, format);
}

static void serve_takes(copal_request *request, void *context) {
  uint32_t format = format_of(request);
  (void)context;
  assert(format == takes[0] || format == takes[1] || format == COPAL_FORMAT_NONE);
  reply(request, COPAL_FORMAT_NONE);
}

static size_t tell_version(copal_request *request, uint8_t etag[8], void *context) {
  (void)request, (void)context;
  etag[0] = fuzz.version;
  return fuzz.version % 2;
}

/* RFC 7252 5.10.8, once more. */
static void serve_version(copal_request *request, void *context) {
  copal_options walk = copal_options_of(&copal_request_rx(request)->message);
  copal_option option;
  bool exists = fuzz.version % 2 != 0, conditional = false, matched = false;
  (void)context;
  while (copal_options_next(&walk, &option)) {
    if (option.number == COPAL_OPTION_IF_NONE_MATCH) assert(!exists);
    if (option.number != COPAL_OPTION_IF_MATCH) continue;
    conditional = true;
    if (exists && (option.size == 0 || (option.size == 1 && option.value[0] == fuzz.version))) matched = true;
  }
  assert(!conditional || matched);
  reply(request, COPAL_FORMAT_NONE);
}

static void serve_parameter(copal_request *request, void *context) {
  copal_bytes value = copal_request_parameter(request, "x");
  copal_option segment;
  const copal_view *view = &copal_request_rx(request)->message;
  unsigned count = 0;
  copal_options walk = copal_options_of(view);
  (void)context;
  while (copal_options_next(&walk, &segment))
    if (segment.number == COPAL_OPTION_URI_PATH && ++count == 2) break;
  assert(count == 2 && value.size == segment.size && (value.size == 0 || value.data == segment.value));
  assert(copal_request_parameter(request, "y").size == 0);
  reply(request, COPAL_FORMAT_NONE);
}

/* As many segments as the path has behind the route's own, and no byte that is not escaped as it must be. */
static void serve_tail(copal_request *request, void *context) {
  char tail[64];
  copal_option option;
  unsigned segments = 0, slashes = 0;
  copal_options walk = copal_options_of(&copal_request_rx(request)->message);
  (void)context;
  while (copal_options_next(&walk, &option)) segments += option.number == COPAL_OPTION_URI_PATH;
  copal_error error = copal_request_tail(request, tail, sizeof tail);
  assert(error == COPAL_OK || error == COPAL_ERR_SPACE);
  for (const char *at = tail; error == COPAL_OK && *at != 0; ++at) {
    slashes += *at == '/';
    assert(*at > ' ' && *at < 127 && strchr("\"<>\\^`{|}?#[]@!$&'()*+,;=:", *at) == NULL);
  }
  assert(error != COPAL_OK || segments < 2 || slashes == segments - 2);
  reply(request, COPAL_FORMAT_NONE);
}

static void serve_any(copal_request *request, void *context) {
  (void)context;
  copal_bytes value;
  if (copal_request_query(request, "q", &value)) assert(value.size <= DATAGRAM_MAX);
  reply(request, COPAL_OCTET_STREAM);
}

static void serve_part(copal_request *request, void *context) {
  (void)context;
  copal_part part = copal_request_part(request);
  uintptr_t taken = (uintptr_t)*part.state;
  assert(part.offset + 1 == (taken == 0 ? 1 : taken)); /* one more than has come, so that it is never NULL again */
  if (taken == 0) ++fuzz.parts;
  *part.state = (void *)(part.offset + part.size + 1);
  bool refuses = (fuzz.policy & 15) == 0;
  if (!part.last && !refuses) return;
  --fuzz.parts;
  reply(request, COPAL_FORMAT_NONE);
}

static void abandon(void *context, void *state) {
  (void)context;
  assert(state != NULL);
  --fuzz.parts;
}

/* --- Datagrams in ------------------------------------------------------------------------------------ */

static uint32_t hash_token(copal_bytes token) {
  uint32_t hash = 2166136261u + (uint32_t)token.size;
  for (size_t i = 0; i < token.size; ++i) hash = (hash ^ token.data[i]) * 16777619u;
  return hash;
}

static bool is_given(uint8_t peer, copal_bytes token) {
  for (unsigned i = 0; i < fuzz.given_count; ++i)
    if (fuzz.given[i].peer == peer && fuzz.given[i].hash == hash_token(token)) return true;
  return false;
}

static void note_request(uint8_t peer, copal_bytes token) {
  if (is_given(peer, token)) return;
  assert(fuzz.given_count < TOKENS_MAX);
  fuzz.given[fuzz.given_count++] = (struct given){hash_token(token), peer};
}

/* Of addresses: what was held back for one goes when that is known. */
static uint64_t count_settled(void) {
  const copal_counters *counters = copal_endpoint_counters(fuzz.endpoint);
  return counters->verified + counters->unverified;
}

static void input(const struct datagram *datagram) {
  uint8_t *copy = (uint8_t *)malloc(datagram->size > 0 ? datagram->size : 1); /* of exactly its size */
  copal_view view;
  if (fuzz.given_count == TOKENS_MAX) fuzz.script.at = fuzz.script.end;
  assert(copy != NULL);
  memcpy(copy, datagram->bytes, datagram->size);
  copal_datagram in = {copy, datagram->size, path_of(datagram->peer)};
  bool good = copal_decode(copy, datagram->size, &view) == COPAL_OK;
  if (fuzz.given_count < TOKENS_MAX) {
    if (good && copal_code_is_request(view.code)) note_request(datagram->peer, view.token);
    fuzz.heard[datagram->peer] = true;
    if (datagram->peer == SILENT) fuzz.in += datagram->size, ++fuzz.requests;
    uint32_t waiting = fuzz.endpoint->outbox.waiting;
    uint64_t settled = count_settled();
    assert(copal_endpoint_input(fuzz.endpoint, fuzz.now, &in, 1) == 1);
    /* RFC 7252 4.2: "recipients of Acknowledgement and Reset messages MUST NOT respond with either". */
    bool answerable = good ? view.type <= COPAL_NON : datagram->size >= 4 && copy[0] >> 4 == 4;
    if (count_settled() == settled) assert(fuzz.endpoint->outbox.waiting <= waiting + answerable);
  }
  free(copy);
}

static void send(struct datagram *datagram) {
  fuzz.kept[fuzz.kept_count++ % KEPT] = *datagram;
  input(datagram);
}

static void send_bytes(void) {
  uint8_t kind = script_byte(&fuzz.script), size = script_byte(&fuzz.script);
  struct datagram datagram = {.peer = 1 + kind % (PEERS - 1), .size = size};
  for (size_t i = 0; i < size; ++i) datagram.bytes[i] = script_byte(&fuzz.script);
  send(&datagram);
}

static void add_option(copal_message *message, uint8_t peer) {
  static const uint16_t numbers[] = {
      COPAL_OPTION_IF_MATCH, COPAL_OPTION_ETAG,        COPAL_OPTION_IF_NONE_MATCH,  COPAL_OPTION_OBSERVE,
      COPAL_OPTION_URI_PATH, COPAL_OPTION_ACCEPT,      COPAL_OPTION_CONTENT_FORMAT, COPAL_OPTION_URI_QUERY,
      COPAL_OPTION_BLOCK2,   COPAL_OPTION_BLOCK1,      COPAL_OPTION_SIZE2,          COPAL_OPTION_SIZE1,
      COPAL_OPTION_ECHO,     COPAL_OPTION_NO_RESPONSE, COPAL_OPTION_REQUEST_TAG,    COPAL_OPTION_Q_BLOCK1,
      COPAL_OPTION_Q_BLOCK2, COPAL_OPTION_URI_HOST,    COPAL_OPTION_PROXY_SCHEME,   65000};
  uint8_t kind = script_byte(&fuzz.script), size = kind >> 5 & 3, value[4];
  uint16_t number = numbers[(kind & 31) % (sizeof numbers / sizeof *numbers)];
  for (uint8_t i = 0; i < size; ++i) value[i] = script_byte(&fuzz.script);
  /* Who answers nothing returns no Echo value and is sent no notifications. */
  if (peer == SILENT && (number == COPAL_OPTION_ECHO || number == COPAL_OPTION_OBSERVE)) return;
  copal_message_add_raw(message, number, value, size);
}

static void send_request(void) {
  static const char *const paths[] = {"offers", "takes", "version",     "observed", "parts",    "p",
                                      "tail",   "any",   ".well-known", "nowhere",  "observed", "any"};
  uint8_t kind = script_byte(&fuzz.script), shape = script_byte(&fuzz.script), more = script_byte(&fuzz.script);
  struct datagram datagram = {.peer = kind % PEERS};
  uint8_t token[9] = {shape, more};
  copal_message message;
  copal_message_init(&message, datagram.bytes, sizeof datagram.bytes, (kind & 4) != 0 ? COPAL_NON : COPAL_CON,
                     (uint8_t)(1 + (kind >> 3 & 7)));
  if ((kind & 128) == 0) ++fuzz.mid;
  datagram.bytes[2] = (uint8_t)(fuzz.mid >> 8);
  datagram.bytes[3] = (uint8_t)fuzz.mid;
  copal_message_set_token(&message, token, (shape & 15) < 10 ? shape & 3 : shape & 15 & 9);
  const char *path = paths[(shape >> 4) % (sizeof paths / sizeof *paths)];
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  if (path[0] == '.') copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "core");
  if (path[0] == 'p' && path[1] == 0) {
    uint8_t segment = script_byte(&fuzz.script);
    copal_message_add_raw(&message, COPAL_OPTION_URI_PATH, &segment, segment & 1);
    copal_message_add_text(&message, COPAL_OPTION_URI_PATH, "q");
  }
  for (uint8_t i = 0; i < (more & 7); ++i) add_option(&message, datagram.peer);
  copal_message_set_payload(&message, body, (size_t)(more >> 3) * 8);
  if (message.error != COPAL_OK) return;
  datagram.size = message.size;
  send(&datagram);
}

static void send_again(void) {
  uint8_t kind = script_byte(&fuzz.script), at = script_byte(&fuzz.script);
  struct datagram datagram = fuzz.kept[kind % KEPT];
  if (datagram.size == 0) return;
  /* Changed, and from another. */
  if ((kind & 8) != 0 && datagram.peer != SILENT) datagram.bytes[at % datagram.size] ^= (uint8_t)(1 << (kind >> 5));
  if ((kind & 16) != 0 && datagram.peer != SILENT) datagram.peer = 1 + at % (PEERS - 1);
  input(&datagram);
}

static void send_reply(void) {
  uint8_t kind = script_byte(&fuzz.script), peer = kind % PEERS;
  uint16_t mid = (uint16_t)(fuzz.out_mids[peer] - (kind >> 4));
  struct datagram reset = {{(kind & 8) != 0 ? 0x60 : 0x70, 0, (uint8_t)(mid >> 8), (uint8_t)mid}, 4, peer};
  if (peer != SILENT) input(&reset);
}

/* --- What comes out ------------------------------------------------------------------------------------ */

/* Whether the silent peer was sent that message ID lately. */
static bool is_repeated(uint16_t mid) {
  for (unsigned i = 0; i < SEPARATE_MAX; ++i)
    if (fuzz.separate[i] == mid) return true;
  fuzz.separate[fuzz.separate_count++ % SEPARATE_MAX] = mid;
  return false;
}

static void check_datagram(const copal_datagram *datagram) {
  copal_view view;
  uint8_t peer = peer_of(&datagram->path);
  assert(peer < PEERS && fuzz.heard[peer] && datagram->size <= fuzz.config.message_size_max);
  assert(copal_decode(datagram->data, datagram->size, &view) == COPAL_OK);
  assert(view.code == COPAL_EMPTY || copal_code_is_response(view.code));
  assert(view.code == COPAL_EMPTY || is_given(peer, view.token));
  if (view.code != COPAL_EMPTY) assert(view.type != COPAL_RST);
  /* Pings and empty ACKs are not counted, which are few, nor repetitions of a small separate answer, whose ACK would
   * verify the address. */
  bool repeated =
      peer == SILENT && view.type == COPAL_CON && is_repeated(view.message_id) && datagram->size <= SMALL_SIZE;
  if (peer == SILENT && view.code != COPAL_EMPTY && !repeated) fuzz.out += datagram->size;
  fuzz.out_mids[peer] = view.message_id;
}

static void output(void) {
  copal_datagram datagrams[BATCH];
  size_t count;
  do {
    count = copal_endpoint_output(fuzz.endpoint, fuzz.now, datagrams, BATCH);
    for (size_t i = 0; i < count; ++i) check_datagram(&datagrams[i]);
  } while (count == BATCH);
}

static void check(void) {
  const copal_config *config = &fuzz.config;
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.peers <= config->peers_max && usage.exchanges <= config->exchanges_max);
  assert(usage.deferred <= config->deferred_max && usage.messages_size <= config->messages_size);
  assert(usage.transfers <= config->transfers_max && usage.bodies_size <= config->bodies_size);
  assert(usage.observed <= config->observed_max && usage.observers <= config->observers_max);
  assert(usage.replies_size <= config->replies_size);
  assert(fuzz.parts >= 0 && (uint32_t)fuzz.parts <= usage.transfers);
  /* RFC 9175 2.4: three times what came from an address that never answered, or 136 bytes for a request. */
  if (config->amplification_max > 0) assert(fuzz.out <= fuzz.in * config->amplification_max + fuzz.requests * 136);
}

/* --- A script ------------------------------------------------------------------------------------------ */

static void pay(void) {
  if (fuzz.owed_count == 0) return;
  uint8_t kind = script_byte(&fuzz.script), buffer[BODY_SIZE + 64];
  copal_deferred deferred = fuzz.owed[--fuzz.owed_count];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_set_payload(&response, body, (size_t)kind * 2);
  if ((kind & 1) != 0 || copal_deferred_reply(fuzz.endpoint, deferred, &response) != COPAL_OK)
    assert(copal_deferred_drop(fuzz.endpoint, deferred) == COPAL_OK);
  assert(copal_deferred_drop(fuzz.endpoint, deferred) == COPAL_ERR_STALE);
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
}

static void step(void) {
  uint8_t kind = script_byte(&fuzz.script);
  switch (kind & 15) {
    case 0: send_bytes(); break;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6: send_request(); break;
    case 7: send_again(); break;
    case 8:
    case 9: send_reply(); break;
    case 10: pass_time(); break;
    case 11: pay(); break;
    case 12: copal_notify(fuzz.endpoint, "/observed"); break;
    case 13: copal_notify_end(fuzz.endpoint, "/observed", COPAL_NOT_FOUND); break;
    case 14: fuzz.version = script_byte(&fuzz.script); break;
    case 15: fuzz.policy = script_byte(&fuzz.script); break;
  }
  if ((kind & 128) == 0) output();
  check();
}

static void wait_for_all(void) {
  copal_time deadline;
  for (unsigned i = 0; (deadline = copal_endpoint_deadline(fuzz.endpoint)) != COPAL_NEVER; ++i) {
    assert(i < QUIET_STEPS_MAX); /* room for a set of confirmable blocks is looked for 64 times a second */
    if (deadline > fuzz.now) fuzz.now = deadline;
    output();
  }
  fuzz.now += 365 * 86400 * COPAL_SECOND;
  output();
  check();
}

/* Observers are told that it is over; the rest ends of itself. */
static void come_to_rest(void) {
  fuzz.script.at = fuzz.script.end;
  fuzz.policy = 2;
  while (fuzz.owed_count > 0) pay();
  copal_notify_end(fuzz.endpoint, "/observed", COPAL_NOT_FOUND);
  wait_for_all();
  copal_usage usage = copal_endpoint_usage(fuzz.endpoint);
  assert(usage.exchanges == 0 && usage.deferred == 0 && usage.receptions == 0 && usage.messages_size == 0);
  assert(usage.transfers == 0 && usage.bodies_size == 0 && usage.observed == 0 && usage.observers == 0);
  assert(fuzz.parts == 0);
  for (uint32_t i = 0; i < usage.peers; ++i) assert((fuzz.endpoint->engine.peers.records[i].flags & PEER_BUSY) == 0);
}

static void configure(void) {
  uint8_t kind = script_byte(&fuzz.script), sizes = script_byte(&fuzz.script);
  copal_config *config = &fuzz.config;
  *config = copal_config_small();
  config->routes_max = 32;
  config->amplification_max = (kind & 1) != 0 ? 3 : 0;
  config->peers_max = (kind & 2) != 0 ? 2 : 8;
  config->exchanges_max = (kind & 4) != 0 ? 2 : 16;
  config->deferred_max = (kind & 8) != 0 ? 1 : OWED_MAX;
  config->peer_rate = (kind & 16) != 0 ? 1 : 0;
  config->transfers_max = 1 + (kind >> 5 & 3);
  config->message_size_max = (kind & 128) != 0 ? 256 : 96;
  config->messages_size = (sizes & 1) != 0 ? 8192 : 512;
  config->replies_size = (sizes & 2) != 0 ? 8192 : 1024;
  config->outbox_max = (sizes & 4) != 0 ? 8 : 1;
  config->observers_max = (sizes & 8) != 0 ? 8 : 1;
  config->parameters.nstart = (sizes & 16) != 0 ? 3 : 1;
  config->parameters.ack_delay = (sizes & 32) != 0 ? 500 * COPAL_MILLISECOND : 0;
  config->peer_transfers_max = 1 + (sizes >> 6 & 1);
  config->bodies_size = (sizes & 128) != 0 ? 2048 : 512;
}

static void route(copal_code method, const char *pattern, copal_handler *handler) {
  assert(copal_route(fuzz.endpoint, method, pattern, handler, NULL) == COPAL_OK);
}

static void open_routes(void) {
  copal_endpoint *endpoint = fuzz.endpoint;
  for (copal_code method = COPAL_GET; method <= COPAL_DELETE; ++method) {
    route(method, "/version", serve_version);
    route(method, "/tail/*", serve_tail);
    route(method, "/any", serve_any);
  }
  route(COPAL_FETCH, "/any", serve_any);
  route(COPAL_GET, "/offers", serve_offers);
  route(COPAL_FETCH, "/offers", serve_offers);
  route(COPAL_PUT, "/takes", serve_takes);
  route(COPAL_POST, "/takes", serve_takes);
  route(COPAL_GET, "/observed", serve_any);
  route(COPAL_FETCH, "/observed", serve_any);
  route(COPAL_GET, "/p/{x}/q", serve_parameter);
  route(COPAL_PUT, "/parts", serve_part);
  route(COPAL_POST, "/parts", serve_part);
  assert(copal_route_offers(endpoint, "/offers", offers, 2) == COPAL_OK);
  assert(copal_route_takes(endpoint, COPAL_PUT, "/takes", takes, 2) == COPAL_OK);
  assert(copal_route_takes(endpoint, COPAL_POST, "/takes", takes, 2) == COPAL_OK);
  assert(copal_route_version(endpoint, "/version", tell_version, NULL) == COPAL_OK);
  assert(copal_route_observable(endpoint, "/observed", (fuzz.config.outbox_max & 8) * COPAL_SECOND) == COPAL_OK);
  assert(copal_route_parts(endpoint, COPAL_PUT, "/parts", abandon) == COPAL_OK);
  assert(copal_route_parts(endpoint, COPAL_POST, "/parts", abandon) == COPAL_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t seed[32] = {9};
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND};
  configure();
  size_t need = copal_endpoint_size(&fuzz.config);
  void *memory = calloc(1, need);
  assert(need > 0 && memory != NULL);
  fuzz.endpoint = copal_endpoint_init(memory, need, &fuzz.config, seed, fuzz.now);
  assert(fuzz.endpoint != NULL);
  open_routes();
  while (fuzz.script.at != fuzz.script.end) step();
  come_to_rest();
  free(memory);
  return 0;
}

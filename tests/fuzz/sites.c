/* Any request at what "copal serve" serves by itself: the plugtests' resources and the demonstration's store. The input
 * is a script of requests, in blocks or not, with conditions, formats, queries and payloads, and of time. Every answer
 * decodes; what the store gives is what was put there last, under that name; an exhibit is no larger than it may be. */
#undef NDEBUG
#include "cli/serve/demo_store.h"
#include "cli/serve/plugtest.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 600, BATCH = 4, NAMES = 4, BODY_MAX = 260, EXHIBITS = 3 };

/* What the store should have under a name. */
struct kept {
  bool is_there;
  uint32_t format;
  uint8_t body[BODY_MAX];
  size_t size;
};

struct fuzz {
  struct script script;
  copal_endpoint *endpoint;
  copal_time now;
  uint16_t mid;
  struct kept kept[NAMES];
};

/* The request that is under way, as far as it is about a name in the store. */
struct about {
  uint8_t method;
  int name; /* -1: about something else */
  struct kept kept;
};

static struct fuzz fuzz;
static struct plugtest plugtest;
static struct demo_store demo_store = DEMO_STORE_INITIAL;

static const struct exhibit_kind kinds[EXHIBITS] = {
    {"/test", "title=\"one\"", EXHIBIT_PUT | EXHIBIT_DELETE | EXHIBIT_RETURNS, 0, 30},
    {"/obs", "title=\"two\";obs", EXHIBIT_PUT | EXHIBIT_DELETE | EXHIBIT_OBSERVABLE, 30 * COPAL_SECOND, 12},
    {"/large", "title=\"three\"", EXHIBIT_PUT | EXHIBIT_ABSENT, 0, 1700},
};

static const char *const paths[] = {"test",         "obs",   "large",   "separate", "query",       "location-query",
                                    "multi-format", "store", "actions", "counter",  ".well-known", "large-create",
                                    "large-post",   "store", "store",   "store"};

static uint8_t body_byte(uint8_t seed, size_t at) { return (uint8_t)(seed * 31 + at); }

/* --- Requests ------------------------------------------------------------------------------------------------ */

static void add_options(copal_message *message, uint8_t kind, struct about *about) {
  uint8_t value[8] = {script_byte(&fuzz.script)};
  switch (kind & 7) {
    case 0: copal_message_add_uint(message, COPAL_OPTION_ACCEPT, value[0]); break;
    case 1: copal_message_add(message, COPAL_OPTION_IF_MATCH, value, value[0] & 7); break;
    case 2: copal_message_add(message, COPAL_OPTION_IF_NONE_MATCH, NULL, 0); break;
    case 3: copal_message_add(message, COPAL_OPTION_ETAG, value, 1 + (value[0] & 7)); break;
    case 4: copal_message_add_uint(message, COPAL_OPTION_OBSERVE, value[0] & 1); break;
    case 5: copal_message_add_uint(message, COPAL_OPTION_BLOCK2, value[0]); break;
    case 6: copal_message_add(message, COPAL_OPTION_URI_QUERY, "a=b", value[0] & 3); break;
    case 7:
      about->kept.format = value[0];
      copal_message_add_uint(message, COPAL_OPTION_CONTENT_FORMAT, value[0]);
      break;
  }
}

static void add_path(copal_message *message, uint8_t choice, struct about *about) {
  const char *path = paths[choice & 15];
  char name[2] = {(char)('a' + (choice >> 4) % NAMES), '\0'};
  copal_message_add_text(message, COPAL_OPTION_URI_PATH, path);
  if (strcmp(path, ".well-known") == 0) copal_message_add_text(message, COPAL_OPTION_URI_PATH, "core");
  if (strcmp(path, "large-create") == 0 && choice >= 128) {
    uint8_t segment = script_byte(&fuzz.script);
    copal_message_add_raw(message, COPAL_OPTION_URI_PATH, &segment, 1);
  }
  if (strcmp(path, "store") != 0 || choice >= 192) return;
  copal_message_add_text(message, COPAL_OPTION_URI_PATH, name);
  about->name = name[0] - 'a';
}

/* A payload: of /actions its words, which the script has, else bytes of a pattern. */
static void add_payload(copal_message *message, uint8_t choice, struct about *about) {
  uint8_t size = script_byte(&fuzz.script), seed = script_byte(&fuzz.script);
  bool has_words = strcmp(paths[choice & 15], "actions") == 0;
  about->kept.size = size;
  for (size_t i = 0; i < size; ++i) about->kept.body[i] = has_words ? script_byte(&fuzz.script) : body_byte(seed, i);
  copal_message_set_payload(message, about->kept.body, size);
}

/* --- Answers ------------------------------------------------------------------------------------------------- */

static void check_answer(const struct about *about, const copal_view *answer) {
  copal_option option;
  if (about->name < 0 || copal_find(answer, COPAL_OPTION_BLOCK2, &option)) return;
  struct kept *kept = &fuzz.kept[about->name];
  if (answer->code == COPAL_CONTENT && about->method == COPAL_GET) {
    uint32_t format = copal_find_uint(answer, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
    assert(kept->is_there && kept->size == answer->payload.size && kept->format == format);
    assert(kept->size == 0 || memcmp(kept->body, answer->payload.data, kept->size) == 0);
  }
  if (answer->code == COPAL_NOT_FOUND && about->method == COPAL_GET) assert(!kept->is_there);
  if (about->method == COPAL_PUT && (answer->code == COPAL_CREATED || answer->code == COPAL_CHANGED)) {
    assert(kept->is_there == (answer->code == COPAL_CHANGED));
    *kept = about->kept;
    kept->is_there = true;
  }
  if (about->method == COPAL_DELETE && answer->code == COPAL_DELETED) kept->is_there = false;
}

static void output(const struct about *about) {
  copal_datagram datagrams[BATCH];
  size_t count;
  later_work(&plugtest.later, fuzz.now, "later\n");
  do {
    count = copal_endpoint_output(fuzz.endpoint, fuzz.now, datagrams, BATCH);
    for (size_t i = 0; i < count; ++i) {
      copal_view view;
      assert(copal_decode(datagrams[i].data, datagrams[i].size, &view) == COPAL_OK);
      bool answers = about != NULL && view.type == COPAL_ACK && view.message_id == fuzz.mid;
      if (answers) check_answer(about, &view);
    }
  } while (count == BATCH);
  demo_store_settle(&demo_store);
}

static void ask(void) {
  uint8_t kind = script_byte(&fuzz.script), choice = script_byte(&fuzz.script), options = script_byte(&fuzz.script);
  uint8_t buffer[MESSAGE_MAX], token = kind;
  struct about about = {.method = (uint8_t)(1 + (kind & 3)), .name = -1, .kept = {.format = COPAL_FORMAT_NONE}};
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, about.method);
  copal_message_set_token(&message, &token, 1);
  add_path(&message, choice, &about);
  for (; (options & 3) != 0; --options) add_options(&message, script_byte(&fuzz.script), &about);
  if ((kind & 4) != 0) add_payload(&message, choice, &about);
  if ((kind & 8) != 0) { /* a block of something: nobody knows what the store has then */
    copal_message_add_uint(&message, COPAL_OPTION_BLOCK1, script_byte(&fuzz.script));
    fuzz.script.at = about.name >= 0 ? fuzz.script.end : fuzz.script.at;
    about.name = -1;
  }
  if (message.error != COPAL_OK) return;
  ++fuzz.mid;
  buffer[2] = (uint8_t)(fuzz.mid >> 8);
  buffer[3] = (uint8_t)fuzz.mid;
  uint8_t *copy = exact_copy(buffer, message.size);
  copal_path path = {.local = {.bytes = {192, 0, 2, 1}, .port = 5683, .family = COPAL_FAMILY_IPV4}};
  path.remote = (copal_address){.bytes = {192, 0, 2, 77}, .port = 4000, .family = COPAL_FAMILY_IPV4};
  copal_datagram datagram = {copy, message.size, path};
  assert(copal_endpoint_input(fuzz.endpoint, fuzz.now, &datagram, 1) == 1);
  free(copy);
  output(&about);
}

/* --- A script ------------------------------------------------------------------------------------------------ */

static void open_plugtest(void) {
  plugtest.exhibition = (struct exhibition){.version = 1};
  plugtest.delay = COPAL_SECOND;
  plugtest.counter = plugtest.created_count = 0;
  plugtest.later = (struct later){0};
  plugtest.exhibits_count = EXHIBITS;
  static const struct exhibit_kind created = {"/large-create/{name}", NULL, EXHIBIT_ABSENT, 0, 0};
  for (size_t i = 0; i < EXHIBITS; ++i) exhibit_init(&plugtest.exhibits[i], &kinds[i], &plugtest.exhibition);
  for (size_t i = 0; i < PLUGTEST_CREATED_MAX; ++i) exhibit_init(&plugtest.created[i], &created, &plugtest.exhibition);
  for (size_t i = 0; i < EXHIBITS; ++i) assert(exhibit_attach(&plugtest.exhibits[i], fuzz.endpoint) == COPAL_OK);
  assert(plugtest_core_attach(&plugtest, fuzz.endpoint) == COPAL_OK);
  assert(plugtest_block_attach(&plugtest, fuzz.endpoint) == COPAL_OK);
  assert(plugtest_actions_attach(&plugtest, fuzz.endpoint) == COPAL_OK);
  audience_add(&plugtest.exhibition.audience, fuzz.endpoint);
}

static copal_config config_of(uint8_t kind) {
  copal_config config = copal_config_small();
  config.routes_max = 48;
  config.message_size_max = (kind & 1) != 0 ? 1152 : 256;
  config.messages_size = config.bodies_size = 16384;
  config.replies_size = 32768;
  config.peer_replies_max = 64;
  config.body_size_max = 4096;
  config.transfers_max = 4;
  config.deferred_max = 2;
  config.amplification_max = 0;
  return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t seed[32] = {11};
  fuzz = (struct fuzz){.script = script_begin(data, size), .now = 1000 * COPAL_SECOND};
  copal_config config = config_of(script_byte(&fuzz.script));
  size_t need = copal_endpoint_size(&config);
  void *memory = calloc(1, need);
  assert(need > 0 && memory != NULL);
  fuzz.endpoint = copal_endpoint_init(memory, need, &config, seed, fuzz.now);
  assert(fuzz.endpoint != NULL);
  for (size_t i = 0; i < STORE_ENTRIES_MAX; ++i) demo_store.store.entries[i].name[0] = '\0';
  demo_store.store.version = demo_store.store.last_name = 0;
  assert(demo_store_attach(&demo_store, fuzz.endpoint) == COPAL_OK);
  open_plugtest();
  while (!script_ended(&fuzz.script)) {
    if (script_below(&fuzz.script, 8) == 7) {
      fuzz.now += (copal_time)script_byte(&fuzz.script) * COPAL_SECOND;
      output(NULL);
    } else {
      ask();
    }
    for (size_t i = 0; i < EXHIBITS; ++i) assert(plugtest.exhibits[i].size <= EXHIBIT_SIZE_MAX);
  }
  free(memory);
  return 0;
}

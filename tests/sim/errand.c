/* See transfer.h. A call ends once: with the right body, or with an error that something accounts for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/transfer.h"

enum { MESSAGE_OVERHEAD = 96, BREAKS_PERMILLE = 30, SHORT_OF_ROOM_PERMILLE = 20 };

const struct errand_manner *errand_manner(enum errand_kind kind) {
  static const struct errand_manner manners[ERRAND_KINDS] = {
      [ERRAND_GET] = {COPAL_GET, NULL, false, true},         [ERRAND_PUT] = {COPAL_PUT, NULL, true, false},
      [ERRAND_DELETE] = {COPAL_DELETE, NULL, false, false},  [ERRAND_MAKE] = {COPAL_POST, "/make", true, true},
      [ERRAND_LATER] = {COPAL_POST, "/later", true, true},   [ERRAND_TAKE] = {COPAL_POST, "/take", true, true},
      [ERRAND_STORE] = {COPAL_PUT, "/store", true, true},    [ERRAND_SEARCH] = {COPAL_FETCH, "/search", true, true},
      [ERRAND_SELECT] = {COPAL_FETCH, "/search", true, true}};
  return &manners[kind];
}

/* --- Bodies on their way ------------------------------------------------------------------------ */

static uint64_t give(void *context, uint64_t offset, void *buffer, size_t size) {
  const struct errand *errand = (const struct errand *)context;
  size_t left = offset < errand->upload.size ? errand->upload.size - (size_t)offset : 0;
  size_t part = left < size ? left : size;
  if (offset + part > errand->breaks_at) return COPAL_SIZE_UNKNOWN;
  body_write(&errand->upload, (size_t)offset, (uint8_t *)buffer, part);
  return part;
}

static bool take(void *context, uint64_t offset, const void *data, size_t size) {
  struct errand *errand = (struct errand *)context;
  struct world *world = &errand->trial->world;
  CHECK(world, !errand->ended && (offset == 0 || offset == errand->taken_size));
  if (offset + size > errand->breaks_at) return false;
  CHECK(world, offset + size <= errand->taken_size_max);
  if (size > 0) memcpy(errand->taken + offset, data, size);
  errand->taken_size = (size_t)offset + size;
  return true;
}

/* --- How it ended ------------------------------------------------------------------------------- */

/* A document was given as it stood at one moment of the call, never a mix of two. */
static bool is_a_version(const struct errand *errand, const uint8_t *data, size_t size) {
  const struct document *document = &errand->trial->documents[errand->document];
  for (size_t i = errand->version; i < document->count; ++i)
    if (document->versions[i].size != DOCUMENT_GONE && body_is(&document->versions[i], data, size)) return true;
  return false;
}

static bool was_gone(const struct errand *errand) {
  const struct document *document = &errand->trial->documents[errand->document];
  for (size_t i = errand->version; i < document->count; ++i)
    if (document->versions[i].size == DOCUMENT_GONE) return true;
  return false;
}

static bool has_changed(const struct errand *errand) {
  return errand->trial->documents[errand->document].count - 1 > errand->version;
}

/* Of what must not be done again, an address that cannot be verified in time is told no more than that it is done. */
static bool may_be_withheld(const struct errand *errand, size_t size) {
  const struct node *archive = errand->trial->archive;
  return size == 0 && errand_manner(errand->kind)->method == COPAL_POST && archive->config.amplification_max > 0 &&
         copal_endpoint_counters(archive->endpoint)->unverified > 0;
}

static void check_success(struct errand *errand, const copal_result *result) {
  struct world *world = &errand->trial->world;
  const struct errand_manner *manner = errand_manner(errand->kind);
  const uint8_t *data = errand->by_writer ? errand->taken : result->body.data;
  size_t size = errand->by_writer ? errand->taken_size : result->body.size;
  if (errand->by_writer) CHECK(world, result->body.size == 0);
  CHECK(world, result->body_size == size);
  if (errand->kind == ERRAND_GET)
    CHECK(world, result->rx->message.code == COPAL_CONTENT && is_a_version(errand, data, size));
  else if (manner->answers)
    CHECK(world, body_is(&errand->answer, data, size) || may_be_withheld(errand, size));
  else
    CHECK(world, size == 0);
  if (manner->method == COPAL_POST) CHECK(world, errand->executions == 1);
  if (errand->kind != ERRAND_GET) CHECK(world, errand->executions >= 1);
}

/* Whether a response that is no success has its reason. */
static bool is_accounted_for(const struct errand *errand, uint8_t code) {
  const struct trial *trial = errand->trial;
  bool may_be_full = !trial->plan->is_ample;
  copal_time lifetime = copal_exchange_lifetime(&trial->plan->config.parameters);
  switch ((copal_code)code) {
    case COPAL_NOT_FOUND: return errand->kind == ERRAND_GET && was_gone(errand);
    /* The next block lies behind the end of what the document is by now. */
    case COPAL_BAD_REQUEST: return errand->kind == ERRAND_GET && has_changed(errand);
    case COPAL_FORBIDDEN: return errand->refusals > 0;
    case COPAL_REQUEST_ENTITY_TOO_LARGE: return errand->upload.size > trial->plan->config.body_size_max;
    /* What nobody asks for is forgotten after a while. */
    case COPAL_REQUEST_ENTITY_INCOMPLETE: return may_be_full || trial->world.now - errand->began > lifetime;
    case COPAL_INTERNAL_SERVER_ERROR:
    case COPAL_SERVICE_UNAVAILABLE: return may_be_full;
    default: return false;
  }
}

static bool is_error_accounted_for(const struct errand *errand, copal_error error) {
  const struct trial *trial = errand->trial;
  switch (error) {
    case COPAL_ERR_TIMEOUT: return !trial->peace;
    case COPAL_ERR_BODY_CHANGED: return errand->kind == ERRAND_GET && has_changed(errand);
    case COPAL_ERR_BODY_SIZE: return !errand->by_writer && errand->taken_size_max < trial->plan->document_size_max;
    case COPAL_ERR_BODY_READ: return errand->by_reader && errand->breaks_at < errand->upload.size;
    case COPAL_ERR_BODY_WRITE: return errand->by_writer && errand->breaks_at != SIZE_MAX;
    case COPAL_ERR_CALLS_FULL:
    case COPAL_ERR_EXCHANGES_FULL:
    case COPAL_ERR_MESSAGES_FULL: return !trial->plan->is_ample;
    default: return false;
  }
}

static void end(struct errand *errand) {
  errand->ended = true;
  free(errand->taken);
  errand->taken = NULL;
  ++errand->trial->ended;
  --errand->trial->outstanding[errand->client];
}

static void explain(const struct errand *errand, copal_error error, uint8_t code) {
  print_error("errand %u of kind %d, upload %zu, answer %zu, executed %u times: %s, %d.%02d\n",
              (unsigned)errand->number, (int)errand->kind, errand->upload.size, errand->answer.size,
              (unsigned)errand->executions, copal_error_name(error), code >> 5, code & 31);
}

static void end_in_failure(struct errand *errand, copal_error error, uint8_t code) {
  bool good = error == COPAL_OK ? is_accounted_for(errand, code) : is_error_accounted_for(errand, error);
  if (!good) explain(errand, error, code);
  CHECK(&errand->trial->world, good);
  ++errand->trial->failures;
  end(errand);
}

static void on_result(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct errand *errand = (struct errand *)context;
  struct world *world = &errand->trial->world;
  (void)endpoint;
  CHECK(world, !errand->ended && result->last && !result->observed);
  CHECK(world, call.index == errand->call.index && call.generation == errand->call.generation);
  CHECK(world, (result->rx != NULL) == (result->error == COPAL_OK));
  if (result->error != COPAL_OK || COPAL_CODE_CLASS(result->rx->message.code) != 2) {
    end_in_failure(errand, result->error, result->rx == NULL ? 0 : result->rx->message.code);
    return;
  }
  check_success(errand, result);
  errand->succeeded = true;
  ++errand->trial->successes;
  end(errand);
}

/* --- How it begins ------------------------------------------------------------------------------ */

static size_t size_below(struct chance *chance, size_t limit) {
  /* Half of them small: many fit one message. */
  return (size_t)chance_below(chance, chance_hits(chance, 500) ? limit : (limit < 100 ? limit : 100));
}

static void describe(struct errand *errand) {
  struct trial *trial = errand->trial;
  struct chance *chance = &trial->world.chance;
  const struct errand_manner *manner = errand_manner(errand->kind);
  errand->upload.name = chance_draw(chance);
  errand->answer.name = chance_draw(chance);
  if (manner->uploads) errand->upload.size = size_below(chance, trial->plan->upload_size_max + 1);
  if (errand->kind == ERRAND_PUT) errand->upload.size += sizeof errand->upload.name; /* not to be confused */
  if (manner->answers) errand->answer.size = size_below(chance, trial->plan->answer_size_max + 1);
  errand->version = trial->documents[errand->document].count - 1;
  errand->by_writer = chance_hits(chance, 500);
  errand->taken_size_max = trial->plan->document_size_max + trial->plan->answer_size_max;
  errand->breaks_at = SIZE_MAX;
  if (trial->peace) return;
  /* What is too large for an archive that gathers. */
  if (manner->uploads && chance_hits(chance, 20)) errand->upload.size = trial->plan->config.body_size_max + 1;
  if (chance_hits(chance, BREAKS_PERMILLE)) errand->breaks_at = (size_t)chance_below(chance, 1000);
  if (!errand->by_writer && chance_hits(chance, SHORT_OF_ROOM_PERMILLE)) errand->taken_size_max = 40;
}

static void write_request(const struct errand *errand, copal_message *message, uint8_t *buffer, size_t capacity) {
  const struct errand_manner *manner = errand_manner(errand->kind);
  char path[32], query[16];
  if (manner->path == NULL) document_path(path, errand->document);
  const char *text = manner->path != NULL ? manner->path : path;
  bool is_con = chance_hits(&errand->trial->world.chance, 850);
  snprintf(query, sizeof query, "n=%u", (unsigned)errand->number);
  copal_message_init(message, buffer, capacity, is_con ? COPAL_CON : COPAL_NON, manner->method);
  copal_error error = copal_path_to_options(text, strlen(text), COPAL_OPTION_URI_PATH, message);
  assert_int_equal(error, COPAL_OK);
  if (errand->kind != ERRAND_PUT) copal_message_add_text(message, COPAL_OPTION_URI_QUERY, query);
  if (manner->uploads) copal_message_add_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_OCTET_STREAM);
}

/* The body goes with the request where that holds it, and is read otherwise. */
static void choose_source(struct errand *errand, copal_message *message, copal_call_options *options) {
  struct trial *trial = errand->trial;
  static uint8_t bytes[1 << 16];
  size_t room = trial->plan->client.message_size_max - MESSAGE_OVERHEAD;
  errand->by_reader = errand->upload.size > room || chance_hits(&trial->world.chance, 500);
  if (!errand->by_reader) {
    body_write(&errand->upload, 0, bytes, errand->upload.size);
    copal_message_set_payload(message, bytes, errand->upload.size);
    return;
  }
  options->read = give;
  options->size = chance_hits(&trial->world.chance, 500) ? errand->upload.size : COPAL_SIZE_UNKNOWN;
}

static copal_error begin(struct errand *errand) {
  struct trial *trial = errand->trial;
  struct chance *chance = &trial->world.chance;
  uint8_t buffer[2048];
  copal_message message;
  copal_call_options options = {.message = &message,
                                .remote = &trial->archive->address,
                                .handler = on_result,
                                .context = errand,
                                .body_context = errand,
                                .ahead = (uint8_t)(errand->number % 8)};
  write_request(errand, &message, buffer, sizeof buffer);
  if (errand_manner(errand->kind)->uploads) choose_source(errand, &message, &options);
  size_t largest =
      errand->upload.size > trial->plan->document_size_max ? errand->upload.size : trial->plan->document_size_max;
  if (chance_hits(chance, 500)) options.block_size = (uint16_t)(16u << chance_below(chance, 7));
  if (options.block_size > 0 && options.block_size < largest / 64) options.block_size = 0;
  options.q_block = chance_hits(chance, trial->plan->q_block_permille);
  if (!trial->peace && chance_hits(chance, 100)) options.timeout = chance_below(chance, 60 * COPAL_SECOND);
  errand->taken = malloc(errand->taken_size_max);
  assert_non_null(errand->taken);
  if (errand->by_writer) {
    options.write = take;
  } else {
    options.buffer = errand->taken;
    options.capacity = errand->taken_size_max;
  }
  return copal_call_begin(trial->clients[errand->client]->endpoint, &options, &errand->call);
}

struct errand *errand_issue(struct trial *trial, uint32_t client, enum errand_kind kind, uint32_t document) {
  CHECK(&trial->world, trial->issued < ERRANDS_MAX);
  struct errand *errand = &trial->errands[trial->issued];
  *errand = (struct errand){.trial = trial,
                            .began = trial->world.now,
                            .number = trial->issued++,
                            .client = client,
                            .kind = kind,
                            .document = document};
  ++trial->outstanding[client];
  describe(errand);
  copal_error error = begin(errand);
  if (error != COPAL_OK) end_in_failure(errand, error, 0);
  return errand;
}

void errand_cancel(struct errand *errand) {
  copal_endpoint *endpoint = errand->trial->clients[errand->client]->endpoint;
  CHECK(&errand->trial->world, copal_call_cancel(endpoint, errand->call, false) == COPAL_OK);
  ++errand->trial->cancellations;
  end(errand);
}

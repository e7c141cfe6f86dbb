/* See transfer.h. Every body that comes must be the one that its errand sent, whole and in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/transfer.h"

enum { KINDS = 5, BODY_MAX = 1 << 16, REFUSAL_PERMILLE = 5 };

/* How a document is given, which is the first segment of its path: the library hashes it, a function tells its version,
 * the reply has an ETag, it is read, or it is read and nobody knows its size. */
enum document_kind { HASHED, VERSIONED, TAGGED, READ, STREAMED };

static const char *const patterns[KINDS] = {"/hashed/{d}", "/versioned/{d}", "/tagged/{d}", "/read/{d}",
                                            "/streamed/{d}"};

static struct trial *trial_of(void *context) { return (struct trial *)context; }

static struct errand *errand_of(struct trial *trial, const copal_request *request) {
  copal_bytes value;
  char text[16] = {0};
  CHECK(&trial->world, copal_request_query(request, "n", &value) && value.size < sizeof text);
  memcpy(text, value.data, value.size);
  unsigned long number = strtoul(text, NULL, 10);
  CHECK(&trial->world, number < trial->issued);
  return &trial->errands[number];
}

/* --- Documents ---------------------------------------------------------------------------------- */

static uint32_t number_of(const struct trial *trial, const copal_request *request) {
  copal_bytes value = copal_request_parameter(request, "d");
  CHECK(&trial->world, value.size == 1 && value.data[0] >= '0' && value.data[0] < '0' + DOCUMENTS);
  return (uint32_t)(value.data[0] - '0');
}

static struct document *document_of(struct trial *trial, const copal_request *request) {
  return &trial->documents[number_of(trial, request)];
}

static const struct body *present(const struct document *document) { return &document->versions[document->count - 1]; }

static void append(struct document *document, struct body body) {
  document->versions = realloc(document->versions, (document->count + 1) * sizeof body);
  assert_non_null(document->versions);
  document->versions[document->count++] = body;
}

void archive_change(struct trial *trial, uint32_t document) {
  struct chance *chance = &trial->world.chance;
  struct body body = {.name = chance_draw(chance),
                      .size = (size_t)chance_below(chance, trial->plan->document_size_max + 1)};
  if (!trial->peace && chance_hits(chance, 100)) body.size = DOCUMENT_GONE;
  append(&trial->documents[document], body);
}

static size_t tell_version(copal_request *request, uint8_t etag[8], void *context) {
  const struct body *body = present(document_of(trial_of(context), request));
  if (body->size == DOCUMENT_GONE) return 0;
  memcpy(etag, &body->name, 8);
  return 8;
}

static uint64_t read_body(void *context, uint64_t offset, void *buffer, size_t size) {
  const struct body *body = (const struct body *)context;
  if (offset >= body->size) return 0;
  size_t left = body->size - (size_t)offset, part = left < size ? left : size;
  body_write(body, (size_t)offset, (uint8_t *)buffer, part);
  return part;
}

static copal_error give_body(copal_request *request, enum document_kind kind, const struct body *body) {
  static uint8_t bytes[BODY_MAX];
  struct body copy = *body;
  copal_message *reply = copal_reply_message(request);
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_OCTET_STREAM);
  if (kind == TAGGED || kind == READ) copal_message_add(reply, COPAL_OPTION_ETAG, &body->name, 8);
  if (kind == READ) return copal_reply_reader(request, body->size, read_body, &copy);
  if (kind == STREAMED) return copal_reply_reader(request, COPAL_SIZE_UNKNOWN, read_body, &copy);
  body_write(body, 0, bytes, body->size);
  return copal_reply_body(request, bytes, body->size);
}

/* A body is kept by the archive if it is not asked for block by block. */
static void check_given(const struct trial *trial, copal_error error) {
  CHECK(&trial->world, error == COPAL_OK || (error == COPAL_ERR_MESSAGE_SIZE && !trial->plan->is_ample));
}

static void give_document(copal_request *request, void *context) {
  struct trial *trial = trial_of(context);
  uint32_t number = number_of(trial, request);
  const struct body *body = present(&trial->documents[number]);
  if (body->size == DOCUMENT_GONE)
    copal_reply_code(request, COPAL_NOT_FOUND);
  else
    check_given(trial, give_body(request, (enum document_kind)(number % KINDS), body));
}

static void execute(struct errand *errand, const copal_request *request) {
  copal_bytes payload = copal_request_rx(request)->message.payload;
  CHECK(&errand->trial->world, body_is(&errand->upload, payload.data, payload.size));
  ++errand->executions;
  /* RFC 7252 4.5: "The recipient … SHOULD process any request or response in the message only once." */
  if (errand_manner(errand->kind)->method == COPAL_POST) CHECK(&errand->trial->world, errand->executions == 1);
}

/* A PUT's errand is known by its body alone: nothing but their Request-Tags tells two of a client's apart. */
static struct errand *sender_of(struct trial *trial, const copal_request *request) {
  copal_bytes payload = copal_request_rx(request)->message.payload;
  for (uint32_t i = 0; i < trial->issued; ++i) {
    struct errand *errand = &trial->errands[i];
    if (errand->kind != ERRAND_PUT || errand->document != number_of(trial, request)) continue;
    if (body_is(&errand->upload, payload.data, payload.size)) return errand;
  }
  CHECK(&trial->world, false && "a body that somebody sent");
  return NULL;
}

static void replace_document(copal_request *request, void *context) {
  struct trial *trial = trial_of(context);
  struct errand *errand = sender_of(trial, request);
  execute(errand, request);
  append(document_of(trial, request), errand->upload);
  copal_reply_code(request, COPAL_CHANGED);
}

static void delete_document(copal_request *request, void *context) {
  struct trial *trial = trial_of(context);
  ++errand_of(trial, request)->executions;
  append(document_of(trial, request), (struct body){.size = DOCUMENT_GONE});
  copal_reply_code(request, COPAL_DELETED);
}

/* --- Bodies that are gathered ------------------------------------------------------------------- */

static void give_answer(copal_request *request, const struct errand *errand, copal_code code, bool is_read) {
  static uint8_t bytes[BODY_MAX];
  struct body answer = errand->answer;
  copal_error error;
  body_write(&answer, 0, bytes, answer.size);
  if (is_read) {
    copal_message_set_code(copal_reply_message(request), (uint8_t)code);
    error = copal_reply_reader(request, COPAL_SIZE_UNKNOWN, read_body, &answer);
  } else {
    error = copal_reply(request, code, COPAL_OCTET_STREAM, bytes, answer.size);
  }
  check_given(errand->trial, error);
}

static void make(copal_request *request, void *context) {
  struct errand *errand = errand_of(trial_of(context), request);
  execute(errand, request);
  give_answer(request, errand, COPAL_CREATED, false);
}

static void search(copal_request *request, void *context) {
  struct errand *errand = errand_of(trial_of(context), request);
  execute(errand, request);
  give_answer(request, errand, COPAL_CONTENT, errand->kind == ERRAND_SELECT);
}

static void make_later(copal_request *request, void *context) {
  struct trial *trial = trial_of(context);
  struct errand *errand = errand_of(trial, request);
  struct owed owed = {.number = errand->number};
  if (trial->owed_count == OWED_MAX || copal_defer(request, &owed.deferred) != COPAL_OK) {
    CHECK(&trial->world, !trial->plan->is_ample);
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
    return;
  }
  execute(errand, request);
  owed.at = trial->world.now + chance_below(&trial->world.chance, 2 * COPAL_SECOND);
  trial->owed[trial->owed_count++] = owed;
}

static bool pay(struct trial *trial, const struct owed *owed) {
  static uint8_t buffer[BODY_MAX + 16], bytes[BODY_MAX];
  const struct errand *errand = &trial->errands[owed->number];
  copal_endpoint *endpoint = trial->archive->endpoint;
  copal_message response;
  body_write(&errand->answer, 0, bytes, errand->answer.size);
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CREATED);
  copal_message_set_payload(&response, bytes, errand->answer.size);
  copal_error error = copal_deferred_reply(endpoint, owed->deferred, &response);
  CHECK(&trial->world, error == COPAL_OK || (!trial->plan->is_ample && error != COPAL_ERR_STALE));
  if (error != COPAL_ERR_MESSAGE_SIZE) return error == COPAL_OK;
  /* There is no room to keep it. */
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_INTERNAL_SERVER_ERROR);
  return copal_deferred_reply(endpoint, owed->deferred, &response) == COPAL_OK;
}

copal_time archive_next_payment(const struct trial *trial) {
  copal_time next = COPAL_NEVER;
  for (size_t i = 0; i < trial->owed_count; ++i)
    if (trial->owed[i].at < next) next = trial->owed[i].at;
  return next;
}

void archive_pay(struct trial *trial) {
  for (size_t i = 0; i < trial->owed_count; ++i) {
    if (trial->owed[i].at > trial->world.now) continue;
    if (pay(trial, &trial->owed[i]))
      trial->owed[i--] = trial->owed[--trial->owed_count];
    else
      trial->owed[i].at = trial->world.now + COPAL_SECOND;
  }
}

/* --- Bodies in parts ---------------------------------------------------------------------------- */

/* One body on its way in. */
struct intake {
  struct errand *errand;
  uint64_t size; /* of the parts so far */
};

static struct intake *begin_intake(struct errand *errand) {
  struct intake *intake = malloc(sizeof *intake);
  assert_non_null(intake);
  *intake = (struct intake){.errand = errand};
  ++errand->trial->intakes;
  return intake;
}

static void end_intake(struct intake *intake) {
  --intake->errand->trial->intakes;
  free(intake);
}

static void abandon(void *context, void *state) {
  struct intake *intake = (struct intake *)state;
  CHECK(&trial_of(context)->world, intake != NULL && intake->size < intake->errand->upload.size);
  ++trial_of(context)->abandoned;
  end_intake(intake);
}

static void take_part(copal_request *request, void *context) {
  struct trial *trial = trial_of(context);
  struct errand *errand = errand_of(trial, request);
  copal_part part = copal_request_part(request);
  ++trial->parts;
  CHECK(&trial->world, (*part.state == NULL) == (part.offset == 0));
  if (*part.state == NULL) *part.state = begin_intake(errand);
  struct intake *intake = (struct intake *)*part.state;
  CHECK(&trial->world, intake->errand == errand && intake->size == part.offset);
  CHECK(&trial->world, body_has(&errand->upload, (size_t)part.offset, part.data, part.size));
  CHECK(&trial->world, part.total == errand->upload.size || part.total == COPAL_SIZE_UNKNOWN);
  intake->size += part.size;
  if (part.last) {
    CHECK(&trial->world, intake->size == errand->upload.size);
    end_intake(intake);
    ++errand->executions;
    if (errand->kind == ERRAND_TAKE) CHECK(&trial->world, errand->executions == 1);
    give_answer(request, errand, COPAL_CHANGED, false);
  } else if (!trial->peace && chance_hits(&trial->world.chance, REFUSAL_PERMILLE)) {
    end_intake(intake);
    ++errand->refusals;
    copal_reply_code(request, COPAL_FORBIDDEN);
  }
}

/* --- Opening and closing ------------------------------------------------------------------------ */

static void route(struct trial *trial, copal_code method, const char *pattern, copal_handler *handler) {
  assert_int_equal(copal_route(trial->archive->endpoint, method, pattern, handler, trial), COPAL_OK);
}

void archive_open(struct trial *trial) {
  copal_endpoint *endpoint = trial->archive->endpoint;
  for (int kind = 0; kind < KINDS; ++kind) {
    route(trial, COPAL_GET, patterns[kind], give_document);
    route(trial, COPAL_PUT, patterns[kind], replace_document);
    route(trial, COPAL_DELETE, patterns[kind], delete_document);
    if (kind != VERSIONED && kind != STREAMED) continue;
    assert_int_equal(copal_route_version(endpoint, patterns[kind], tell_version, trial), COPAL_OK);
  }
  route(trial, COPAL_POST, "/make", make);
  route(trial, COPAL_POST, "/later", make_later);
  route(trial, COPAL_FETCH, "/search", search);
  route(trial, COPAL_POST, "/take", take_part);
  route(trial, COPAL_PUT, "/store", take_part);
  assert_int_equal(copal_route_parts(endpoint, COPAL_POST, "/take", abandon), COPAL_OK);
  assert_int_equal(copal_route_parts(endpoint, COPAL_PUT, "/store", abandon), COPAL_OK);
  for (uint32_t i = 0; i < DOCUMENTS; ++i) archive_change(trial, i);
}

void archive_close(struct trial *trial) {
  for (uint32_t i = 0; i < DOCUMENTS; ++i) free(trial->documents[i].versions);
}

void document_path(char path[32], uint32_t document) {
  const char *pattern = patterns[document % KINDS];
  size_t size = strlen(pattern) - strlen("{d}");
  memcpy(path, pattern, size);
  path[size] = (char)('0' + document);
  path[size + 1] = 0;
}

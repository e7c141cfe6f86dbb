/* A resource with a body. Conditions, blocks and observers are the library's; a resource's version is its ETag. */
#include "cli/serve/exhibit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void get(copal_request *request, void *context);
static void put(copal_request *request, void *context);
static void delete_exhibit(copal_request *request, void *context);
static size_t version_of(copal_request *request, uint8_t etag[8], void *context);
static size_t etag_bytes(const struct exhibit *exhibit, uint8_t etag[8]);
static void write_lines(struct exhibit *exhibit, size_t size);
static void change(struct exhibit *exhibit);

void exhibit_init(struct exhibit *exhibit, const struct exhibit_kind *kind, struct exhibition *exhibition) {
  exhibit->kind = kind;
  exhibit->exhibition = exhibition;
  exhibit->is_given = false;
  exhibit->format = COPAL_TEXT_PLAIN;
  exhibit->version = ++exhibition->version;
  write_lines(exhibit, kind->size);
  if ((kind->abilities & EXHIBIT_ABSENT) != 0) exhibit->version = 0;
}

copal_error exhibit_attach(struct exhibit *exhibit, copal_endpoint *endpoint) {
  const struct exhibit_kind *kind = exhibit->kind;
  copal_error error = copal_route(endpoint, COPAL_GET, kind->path, get, exhibit);
  if (error == COPAL_OK && (kind->abilities & EXHIBIT_PUT) != 0) {
    error = copal_route(endpoint, COPAL_PUT, kind->path, put, exhibit);
  }
  if (error == COPAL_OK && (kind->abilities & EXHIBIT_DELETE) != 0) {
    error = copal_route(endpoint, COPAL_DELETE, kind->path, delete_exhibit, exhibit);
  }
  if (error == COPAL_OK && (kind->abilities & EXHIBIT_OBSERVABLE) != 0) {
    error = copal_route_observable(endpoint, kind->path, kind->confirm_every);
  }
  if (error == COPAL_OK) error = copal_route_version(endpoint, kind->path, version_of, exhibit);
  if (error == COPAL_OK) error = copal_route_attributes(endpoint, kind->path, kind->attributes);
  return error;
}

bool exhibit_set(struct exhibit *exhibit, uint32_t format, const void *body, size_t size) {
  if (size > EXHIBIT_SIZE_MAX) return false;
  if (size > 0) memcpy(exhibit->body, body, size);
  exhibit->size = size;
  exhibit->format = format;
  exhibit->is_given = true;
  change(exhibit);
  return true;
}

bool exhibit_fill(struct exhibit *exhibit, size_t size) {
  if (size > EXHIBIT_SIZE_MAX) return false;
  change(exhibit);
  write_lines(exhibit, size);
  exhibit->is_given = false;
  return true;
}

void exhibit_format(struct exhibit *exhibit, uint32_t format) {
  exhibit->format = format;
  change(exhibit);
}

void exhibit_delete(struct exhibit *exhibit) {
  if ((exhibit->kind->abilities & EXHIBIT_RETURNS) != 0) {
    exhibit_reset(exhibit);
  } else {
    exhibit->version = 0;
    audience_end(&exhibit->exhibition->audience, exhibit->kind->path, COPAL_NOT_FOUND);
  }
}

void exhibit_reset(struct exhibit *exhibit) {
  exhibit_init(exhibit, exhibit->kind, exhibit->exhibition);
  if (exhibit->version == 0) {
    audience_end(&exhibit->exhibition->audience, exhibit->kind->path, COPAL_NOT_FOUND);
  } else {
    audience_notify(&exhibit->exhibition->audience, exhibit->kind->path);
  }
}

void exhibit_reply(copal_request *request, const struct exhibit *exhibit) {
  if (exhibit->version == 0) {
    copal_reply_code(request, COPAL_NOT_FOUND);
    return;
  }
  uint32_t wanted = copal_request_format(request);
  if (wanted != COPAL_FORMAT_NONE && wanted != exhibit->format) {
    copal_reply_code(request, COPAL_NOT_ACCEPTABLE);
    return;
  }
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CONTENT);
  if (exhibit->format != COPAL_FORMAT_NONE) {
    copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, exhibit->format);
  }
  copal_time interval = exhibit->exhibition->interval;
  /* An observer that hears nothing for this long has lost us (RFC 7641 3.3.1): two changes, in whole seconds. */
  if ((exhibit->kind->abilities & EXHIBIT_OBSERVABLE) != 0 && interval != 0 && interval < 3600 * COPAL_SECOND) {
    copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, (uint32_t)(2 * interval / COPAL_SECOND + 1));
  }
  copal_reply_body(request, exhibit->body, exhibit->size);
}

void exhibit_reply_too_large(copal_request *request) {
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_REQUEST_ENTITY_TOO_LARGE);
  copal_message_add_uint(reply, COPAL_OPTION_SIZE1, EXHIBIT_SIZE_MAX);
}

static void get(copal_request *request, void *context) { exhibit_reply(request, (const struct exhibit *)context); }

static void put(copal_request *request, void *context) {
  struct exhibit *exhibit = context;
  const copal_view *message = &copal_request_rx(request)->message;
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  bool is_new = exhibit->version == 0;
  if (!exhibit_set(exhibit, format, message->payload.data, message->payload.size)) {
    exhibit_reply_too_large(request);
    return;
  }
  uint8_t etag[8];
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, is_new ? COPAL_CREATED : COPAL_CHANGED);
  copal_message_add(reply, COPAL_OPTION_ETAG, etag, etag_bytes(exhibit, etag));
}

static void delete_exhibit(copal_request *request, void *context) {
  exhibit_delete((struct exhibit *)context);
  copal_reply_code(request, COPAL_DELETED);
}

static size_t version_of(copal_request *request, uint8_t etag[8], void *context) {
  (void)request;
  return etag_bytes((const struct exhibit *)context, etag);
}

static size_t etag_bytes(const struct exhibit *exhibit, uint8_t etag[8]) {
  if (exhibit->version == 0) return 0;
  for (int i = 0; i < 4; ++i) etag[i] = (uint8_t)(exhibit->version >> (24 - 8 * i));
  return 4;
}

/* Lines of 64 bytes with path, version and number, so that a wrong, old or misplaced block shows. */
static void write_lines(struct exhibit *exhibit, size_t size) {
  char line[80];
  exhibit->size = size;
  for (size_t at = 0, number = 0; at < size; ++number) {
    int head = snprintf(line, sizeof line, "%s %" PRIu32 " %zu ", exhibit->kind->path, exhibit->version, number);
    size_t filled = (size_t)head < 63 ? (size_t)head : 63;
    memset(line + filled, '.', 63 - filled);
    line[63] = '\n';
    size_t part = size - at < 64 ? size - at : 64;
    memcpy(exhibit->body + at, line, part);
    at += part;
  }
}

static void change(struct exhibit *exhibit) {
  exhibit->version = ++exhibit->exhibition->version;
  audience_notify(&exhibit->exhibition->audience, exhibit->kind->path);
}

/* A resource with a body, as the plugtests have many: GET reads it, PUT replaces it, DELETE deletes it, observers are
 * told of changes. What it can and what it is at first stands in a table. */
#ifndef COPAL_CLI_SERVE_EXHIBIT_H
#define COPAL_CLI_SERVE_EXHIBIT_H

#include "cli/serve/audience.h"

enum { EXHIBIT_SIZE_MAX = 65536 };

/* What a resource can, beside GET. */
enum {
  EXHIBIT_PUT = 1,
  EXHIBIT_DELETE = 2,
  EXHIBIT_RETURNS = 4,    /* deleted, it is at once what it was at first */
  EXHIBIT_ABSENT = 8,     /* at first it does not exist */
  EXHIBIT_OBSERVABLE = 16 /* and it changes by itself */
};

struct exhibit_kind {
  const char *path;
  const char *attributes;
  uint32_t abilities;
  copal_time confirm_every; /* of notifications, as copal_route_observable */
  uint32_t size;            /* of its body at first */
};

/* What exhibits share. */
struct exhibition {
  struct audience audience;
  copal_time interval; /* from one change of what is observed to the next; 0: there are none */
  uint32_t version;    /* of the latest change */
};

struct exhibit {
  const struct exhibit_kind *kind;
  struct exhibition *exhibition;
  uint8_t body[EXHIBIT_SIZE_MAX];
  size_t size;
  uint32_t format;  /* a Content-Format, or COPAL_FORMAT_NONE */
  uint32_t version; /* 0: it does not exist */
  bool is_given;    /* somebody has set its body, which then stays */
};

/* Makes it what it is at first. Tells nobody. */
void exhibit_init(struct exhibit *exhibit, const struct exhibit_kind *kind, struct exhibition *exhibition);

/* Registers its methods. Errors as copal_route. */
copal_error exhibit_attach(struct exhibit *exhibit, copal_endpoint *endpoint);

/* Gives it a body; false where that is too large. Observers are told, here and in what follows. */
bool exhibit_set(struct exhibit *exhibit, uint32_t format, const void *body, size_t size);

/* Gives it a body of its own making of that size; false where that is too large. */
bool exhibit_fill(struct exhibit *exhibit, size_t size);

/* Gives its body another Content-Format. */
void exhibit_format(struct exhibit *exhibit, uint32_t format);

/* It exists no more; with EXHIBIT_RETURNS, it is what it was at first. */
void exhibit_delete(struct exhibit *exhibit);

/* Makes it what it was at first. */
void exhibit_reset(struct exhibit *exhibit);

/* Answers a GET: the body as far as the request's Accept permits, 4.04 where it does not exist. */
void exhibit_reply(copal_request *request, const struct exhibit *exhibit);

/* Answers a request whose body is larger than EXHIBIT_SIZE_MAX. */
void exhibit_reply_too_large(copal_request *request);

#endif

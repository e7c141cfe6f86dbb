/* What the hosts do: requests, each known by a number that decides everything about it, what it asks for and how it is
 * to be answered; and what servers owe. A request ends exactly once, by its own answer or by a failure that something
 * accounts for. */
#ifndef COPAL_SIM_WORK_H
#define COPAL_SIM_WORK_H

#include "copal/rest.h"
#include "program/scene.h"
#include "sim/body.h"

enum { REQUESTS_KEPT = 1 << 20, OWED_MAX = 512, QUERY_SIZE = 17, NAMES_MAX = 24 };

/* X(name, text): how a request may end. */
#define ENDS(X)               \
  X(ANSWERED, "answered")     \
  X(REFUSED, "refused")       \
  X(TIMED_OUT, "timed out")   \
  X(RESET, "reset")           \
  X(UNREACHED, "unreachable") \
  X(REJECTED, "rejected")     \
  X(BROKEN, "body broken")    \
  X(MANGLED, "mangled")       \
  X(CANCELLED, "cancelled")   \
  X(CRASHED, "crashed")

#define END_ENUM(name, text) END_##name,
enum end { ENDS(END_ENUM) END_COUNT };
#undef END_ENUM

struct request {
  struct scene *scene;
  uint32_t number, life; /* of the client */
  uint32_t server_life;  /* in which it was executed, */
  uint16_t source;       /* as coming from there */
  uint8_t client, server, kind, method;
  uint8_t executions;
  bool is_con, is_call, is_quick, ended, is_dropped, is_late;
  copal_time began;    /* the scene's time */
  copal_time executed; /* the server's */
  copal_tx tx;
  copal_call call;
  uint8_t *buffer; /* for an answer in blocks */
};

/* A response that a server owes. */
struct owed {
  copal_deferred deferred;
  uint32_t life, number, next; /* of the free ones */
};

struct share {
  struct chance chance;
  copal_time retry_at;
  uint32_t outstanding;
};

struct work {
  struct request *requests; /* a ring */
  uint32_t issued, ended;
  uint64_t ends[END_COUNT], kinds[KIND_COUNT];
  uint64_t executions, repeats, refusals, group_answers, stateless_answers;
  struct share shares[HOSTS_MAX];
  struct owed owed[OWED_MAX];
  uint32_t owed_free, owed_count;
  uint64_t name; /* of the seed: requests' names derive from it */
};

struct work *work_begin(void);
void work_end(struct work *work);
void work_reset(struct scene *scene);

/* Has all who ask ask as much as they may, until so many requests have been made. Returns when they may ask again. */
copal_time work_ask(struct scene *scene, uint32_t issued_max);

/* A host forgets its requests. */
void work_crash(struct scene *scene, struct host *host);

/* What a request's answer is to be, and what it uploads. */
struct body request_answer(const struct request *request);
struct body request_upload(const struct request *request);

/* The request that a message is of: NULL if it is none, which only damage accounts for. */
struct request *request_of(struct scene *scene, const copal_view *message);

/* Writes what names a request. */
void request_write_query(const struct request *request, uint8_t query[QUERY_SIZE]);

/* It has been executed by a server that has just received it so. */
void request_executed(struct request *request, struct host *server, const copal_rx *rx);

/* Its end: by a response, or an error. */
void request_close(struct request *request, copal_error error, const copal_view *response, copal_bytes body);

/* --- Servers: serve.c ------------------------------------------------------------------------------- */

void serve_begin(struct host *host);

/* --- Sending: ask.c --------------------------------------------------------------------------------- */

/* Sends it on its way; an error says that it has not begun. */
copal_error ask(struct request *request);

/* Calls it back. */
void ask_cancel(struct request *request);

#endif

/* What a simulation of transfers is about: clients with errands, each a call, and an archive that serves them. The
 * archive's documents change; its other resources know from an errand's number what is to come and what to answer. */
#ifndef COPAL_SIM_TRANSFER_H
#define COPAL_SIM_TRANSFER_H

#include "copal/rest.h"
#include "sim/body.h"
#include "sim/world.h"

enum { CLIENTS = 3, ERRANDS_MAX = 1024, DOCUMENTS = 10, OWED_MAX = 64 };

enum errand_kind {
  ERRAND_GET, /* a document */
  ERRAND_PUT,
  ERRAND_DELETE,
  ERRAND_MAKE,   /* POST, gathered */
  ERRAND_LATER,  /* POST, answered later */
  ERRAND_TAKE,   /* POST, taken in parts */
  ERRAND_STORE,  /* PUT, taken in parts */
  ERRAND_SEARCH, /* FETCH */
  ERRAND_SELECT, /* FETCH, whose answer is read */
  ERRAND_KINDS
};

/* What a run is made of. */
struct plan {
  copal_config config; /* the archive's */
  copal_config client; /* the clients' */
  size_t document_size_max;
  size_t upload_size_max, answer_size_max; /* what the archive has room for */
  uint32_t errands;                        /* under bad conditions */
  uint32_t outstanding_max;                /* of one client */
  uint32_t q_block_permille;               /* of the calls: RFC 9177 */
  bool is_ample;                           /* nothing ever gets full */
};

struct trial;

/* One call, from its beginning to its only end. */
struct errand {
  struct trial *trial;
  uint32_t number, client;
  enum errand_kind kind;
  copal_call call;
  copal_time began;
  struct body upload, answer;
  uint32_t document;
  size_t version;                    /* of the document when it began */
  uint32_t executions;               /* bodies that came whole */
  uint32_t refusals;                 /* bodies that the archive did not want to its end */
  uint8_t *taken;                    /* where its response's body comes to */
  size_t taken_size, taken_size_max; /* how far it has come; how much may */
  size_t breaks_at;                  /* where reader or writer fails, or SIZE_MAX */
  bool by_reader, by_writer;
  bool ended, succeeded;
};

struct document {
  struct body *versions; /* the last is the present one; of size DOCUMENT_GONE: there is none */
  size_t count;
};

#define DOCUMENT_GONE SIZE_MAX

/* A response that the archive owes. */
struct owed {
  copal_time at;
  copal_deferred deferred;
  uint32_t number;
};

struct trial {
  struct world world;
  const struct plan *plan;
  struct node *archive, *clients[CLIENTS];
  struct errand errands[ERRANDS_MAX];
  uint32_t issued, ended, outstanding[CLIENTS];
  uint32_t successes, failures, cancellations; /* how they ended */
  struct document documents[DOCUMENTS];
  struct owed owed[OWED_MAX];
  size_t owed_count;
  size_t intakes; /* bodies in parts that have begun and not ended */
  uint32_t parts, abandoned;
  bool peace; /* nothing is lost, and no document changes of itself */
};

/* --- The archive: archive.c --------------------------------------------------------------------- */

void archive_open(struct trial *trial);
void archive_close(struct trial *trial);

/* A document gets another version. */
void archive_change(struct trial *trial, uint32_t document);

/* When the archive is to pay what it owes, and doing so. */
copal_time archive_next_payment(const struct trial *trial);
void archive_pay(struct trial *trial);

/* --- Errands: errand.c -------------------------------------------------------------------------- */

/* How a kind asks: its method and, but for documents, its path. */
struct errand_manner {
  uint8_t method;
  const char *path;
  bool uploads, answers;
};

const struct errand_manner *errand_manner(enum errand_kind kind);

/* Writes a document's path. */
void document_path(char path[32], uint32_t document);

/* Sends a client off; an errand that cannot begin has ended. */
struct errand *errand_issue(struct trial *trial, uint32_t client, enum errand_kind kind, uint32_t document);

/* Calls one back. */
void errand_cancel(struct errand *errand);

#endif

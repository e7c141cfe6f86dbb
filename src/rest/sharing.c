/* See sharing.h. */
#include "rest/sharing.h"

#include <assert.h>

#include "rest/upload.h"
#include "rest/variant.h"

static uint32_t index_of(const struct operations *operations, const struct operation *operation) {
  return (uint32_t)(operation - operations->records);
}

static copal_view head_of(const struct operations *operations, const struct operation *operation) {
  copal_view view;
  copal_error error = copal_decode(store_bytes(operations->store, operation->request), operation->head_size, &view);
  assert(error == COPAL_OK);
  (void)error;
  return view;
}

/* --- Finding ------------------------------------------------------------------------------------ */

struct table_walk sharing_walk(struct operations *operations, struct operation *operation, uint32_t where) {
  copal_view head = head_of(operations, operation);
  operation->alike = (uint32_t)hash_words(&operations->key, variant_target(&operations->key, &head), where);
  return table_walk(operation->alike);
}

struct operation *sharing_next(struct operations *operations, const struct operation *operation,
                               struct table_walk *walk) {
  copal_view wanted = head_of(operations, operation);
  uint32_t index;
  while ((index = table_next(&operations->shared, walk)) != INDEX_NONE) {
    const struct operation *other = &operations->records[index];
    copal_view head = head_of(operations, other);
    if (variant_is_same_target(&wanted, &head) && upload_is_same(operations, operation, other))
      return &operations->records[index];
  }
  return NULL;
}

void sharing_open(struct operations *operations, struct operation *operation) {
  table_insert(&operations->shared, operation->alike, index_of(operations, operation));
  operation->listed = true;
}

/* --- The ring ----------------------------------------------------------------------------------- */

void sharing_join(struct operations *operations, struct operation *operation, struct operation *holder) {
  uint32_t index = index_of(operations, operation);
  assert(holder->listed && operation->next == index);
  operation->registering = false;
  operation->follows = true;
  operation->next = index_of(operations, holder);
  operation->previous = holder->previous;
  operations->records[operation->previous].next = index;
  holder->previous = index;
}

static void unlist(struct operations *operations, struct operation *operation) {
  if (operation->listed) table_remove(&operations->shared, operation->alike, index_of(operations, operation));
  operation->listed = false;
}

void sharing_leave(struct operations *operations, struct operation *operation) {
  uint32_t index = index_of(operations, operation);
  if (operations->turn == index) operations->turn = operation->next == index ? INDEX_NONE : operation->next;
  operations->records[operation->next].previous = operation->previous;
  operations->records[operation->previous].next = operation->next;
  operation->next = operation->previous = index;
  operation->follows = false;
  unlist(operations, operation);
}

struct operation *sharing_heir(const struct operations *operations, const struct operation *operation) {
  bool alone = operation->next == index_of(operations, operation);
  return operation->listed && !alone ? sharing_beside(operations, operation) : NULL;
}

/* --- Passing on --------------------------------------------------------------------------------- */

/* RFC 7641 3.6: "All other options MUST be identical to those in the registration request except for the set of ETag
 * Options." So the request goes with the registration; not with its body, if somebody reads that who is gone then: the
 * heir has it whole, with a request that asks the same. */
static void pass_request(struct operation *holder, struct operation *heir) {
  bool is_read = holder->upload.read != NULL;
  if (is_read && heir->upload.read == NULL) return;
  uint32_t request = heir->request;
  heir->request = holder->request;
  heir->head_size = holder->head_size;
  holder->request = request;
  if (!is_read) {
    heir->upload.read = NULL;
    heir->upload.total = holder->upload.total;
  }
  heir->szx_wanted = holder->szx_wanted;
  heir->negotiates = holder->negotiates;
  heir->insists = holder->insists;
  heir->con = holder->con;
  heir->no_token = holder->no_token;
}

static void pass_exchange(struct operation *holder, struct operation *heir) {
  struct upload own = heir->upload;
  heir->exchange = holder->exchange;
  holder->exchange = (copal_tx){0, 0};
  heir->upload = holder->upload;
  heir->upload.read = own.read;
  heir->upload.total = own.total;
  heir->tag = holder->tag;
  heir->registering = true;
  heir->repeated = holder->repeated;
  heir->downloading = false;
  holder->registering = false;
}

void sharing_pass_on(struct operations *operations, struct operation *holder, struct operation *heir) {
  assert(sharing_heir(operations, holder) == heir);
  uint32_t peer = heir->peer;
  heir->peer = holder->peer;
  holder->peer = peer;
  pass_request(holder, heir);
  /* A deregistration has no body then. */
  if (holder->upload.in_blocks) heir->upload.in_blocks = true;
  heir->token_size = holder->token_size;
  memcpy(heir->token, holder->token, sizeof heir->token);
  heir->echo_size = holder->echo_size;
  memcpy(heir->echo, holder->echo, sizeof heir->echo);
  heir->freshness = holder->freshness;
  heir->renew_at = holder->renew_at;
  heir->observation = holder->observation;
  holder->observation = (copal_tx){0, 0};
  if (holder->registering) pass_exchange(holder, heir);
  heir->follows = false;
  unlist(operations, holder);
  sharing_open(operations, heir);
}

/* --- A round ------------------------------------------------------------------------------------ */

void sharing_begin_round(struct operations *operations, struct operation *holder, bool ends) {
  assert(operations->turn == INDEX_NONE && holder->listed);
  struct operation *each = holder;
  do {
    each->is_next = true;
    each = sharing_beside(operations, each);
  } while (each != holder);
  if (ends) unlist(operations, holder);
  operations->turn = index_of(operations, holder);
  operations->round_ends = ends;
}

/* Who has come since stands behind all who are to be told, and is not marked. */
struct operation *sharing_take(struct operations *operations) {
  struct operation *operation = operations->turn == INDEX_NONE ? NULL : &operations->records[operations->turn];
  if (operation == NULL || !operation->is_next) {
    operations->turn = INDEX_NONE;
    return NULL;
  }
  operation->is_next = false;
  operations->turn = operation->next;
  if (operations->round_ends) sharing_leave(operations, operation);
  return operation;
}

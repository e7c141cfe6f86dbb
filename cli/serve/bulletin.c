/* That something has changed. Knows no resource. */
#include "cli/serve/bulletin.h"

#include <assert.h>

void bulletin_subscribe(struct bulletin *bulletin, struct bulletin_reader *reader, copal_endpoint *endpoint) {
  if (reader->endpoint != NULL) return;
  reader->endpoint = endpoint;
  reader->issue = atomic_load(&bulletin->issue);
  pthread_mutex_lock(&bulletin->lock);
  assert(bulletin->count < BULLETIN_READERS_MAX);
  bulletin->readers[bulletin->count++] = reader;
  pthread_mutex_unlock(&bulletin->lock);
}

void bulletin_post(struct bulletin *bulletin, struct bulletin_reader *reader) {
  unsigned before = atomic_fetch_add(&bulletin->issue, 1);
  /* What others have posted meanwhile is still to be read. */
  if (before == reader->issue) ++reader->issue;
  pthread_mutex_lock(&bulletin->lock);
  for (size_t i = 0; i < bulletin->count; ++i) {
    if (bulletin->readers[i] != reader) copal_wake(bulletin->readers[i]->endpoint);
  }
  pthread_mutex_unlock(&bulletin->lock);
}

bool bulletin_read(struct bulletin *bulletin, struct bulletin_reader *reader) {
  unsigned issue = atomic_load(&bulletin->issue);
  if (issue == reader->issue) return false;
  reader->issue = issue;
  return true;
}

/* Whose address a peer is: the map between paths, which the host knows, and peer indexes, which the engine knows. */
#ifndef COPAL_ENDPOINT_PATHS_H
#define COPAL_ENDPOINT_PATHS_H

#include "base/hash.h"
#include "base/layout.h"
#include "base/table.h"
#include "copal/copal.h"

/* A path in 40 bytes: one for every peer. */
struct path {
  uint8_t remote[16];
  uint8_t local[16];
  uint32_t scope; /* of the remote address, and of a link-local local one */
  uint16_t port;
  uint8_t families; /* remote in the low half, local in the high one */
  uint8_t socket;
};

struct paths {
  struct path *records; /* by peer index */
  struct table index;   /* by remote address and socket */
  struct hash_key key;
};

void paths_init(struct paths *paths, struct layout *layout, uint32_t count_max, struct hash_key key);

struct path path_pack(const copal_path *path);

/* Writes all of unpacked. */
void path_unpack(const struct path *path, copal_path *unpacked);

/* A hash that stands for the whole path. */
uint64_t path_identity(const struct paths *paths, const struct path *path);

/* What a path is looked up by: a hash of its remote end. */
uint32_t path_hash(const struct paths *paths, const struct path *path);

/* Whether two paths lead to the same remote end. */
bool path_is_to_same(const struct path *a, const struct path *b);

/* Both, for little more than one. Returns the identity. */
uint64_t path_hashes(const struct paths *paths, const struct path *path, uint32_t *remote);

/* The likely peer for a path's hash, or INDEX_NONE; it may be another one. For who wants to look ahead. */
static inline uint32_t paths_guess(const struct paths *paths, uint32_t hash) {
  struct table_walk walk = table_walk(hash);
  return table_next(&paths->index, &walk);
}

/* The peer at the other end of a path with that hash, or INDEX_NONE. A path without local address finds any peer with
 * that remote address. unbound is set to the record of that remote, if any, whose local address is not known: we sent
 * to it, and it has not answered yet. */
uint32_t paths_find(const struct paths *paths, const struct path *path, uint32_t hash, uint32_t *unbound);

/* Gives a peer without local address the one of that path: it answered there. */
void paths_bind(struct paths *paths, uint32_t peer, const struct path *path);

/* Makes a peer one without local address again. */
void paths_unbind(struct paths *paths, uint32_t peer);

/* Gives a peer its path, or takes it away. */
void paths_set(struct paths *paths, uint32_t peer, const struct path *path);
void paths_clear(struct paths *paths, uint32_t peer);

#endif

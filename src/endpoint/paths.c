/* See paths.h. */
#include "endpoint/paths.h"

void paths_init(struct paths *paths, struct layout *layout, uint32_t count_max, struct hash_key key) {
  paths->records = (struct path *)layout_take(layout, count_max, sizeof(struct path));
  table_init(&paths->index, layout, count_max);
  paths->key = key;
}

static uint8_t local_family(const struct path *path) { return path->families >> 4; }

struct path path_pack(const copal_path *path) {
  struct path packed = {.scope = path->remote.scope != 0 ? path->remote.scope : path->local.scope,
                        .port = path->remote.port,
                        .families = (uint8_t)(path->remote.family | path->local.family << 4),
                        .socket = (uint8_t)path->socket};
  memcpy(packed.remote, path->remote.bytes, sizeof packed.remote);
  memcpy(packed.local, path->local.bytes, sizeof packed.local);
  return packed;
}

/* RFC 4007: which addresses mean something only with an interface: link-local ones, and groups up to that scope. */
static bool has_scope(const uint8_t bytes[16], uint8_t family) {
  if (family != COPAL_FAMILY_IPV6) return false;
  return (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) || (bytes[0] == 0xff && (bytes[1] & 0x0f) <= 2);
}

static void unpack_address(copal_address *address, const uint8_t bytes[16], uint8_t family, uint16_t port,
                           uint32_t scope) {
  memcpy(address->bytes, bytes, sizeof address->bytes);
  address->scope = has_scope(bytes, family) ? scope : 0;
  address->port = port;
  address->family = family;
}

void path_unpack(const struct path *path, copal_path *unpacked) {
  unpack_address(&unpacked->remote, path->remote, path->families & 15, path->port, path->scope);
  unpack_address(&unpacked->local, path->local, local_family(path), 0, path->scope);
  unpacked->socket = path->socket;
}

/* In words; of IPv4 the second one is empty, and what follows tells the family. */
static void hash_address(struct hash_state *state, const uint8_t bytes[16], uint8_t family) {
  uint64_t words[2];
  memcpy(words, bytes, sizeof words);
  hash_add(state, words[0]);
  if (family != COPAL_FAMILY_IPV4) hash_add(state, words[1]);
}

static struct hash_state hash_remote(const struct paths *paths, const struct path *path) {
  struct hash_state state = hash_begin(&paths->key);
  hash_address(&state, path->remote, path->families & 15);
  hash_add(&state, (uint64_t)path->scope << 32 | (uint64_t)path->port << 16 | (uint64_t)path->socket << 8 |
                       (path->families & 15));
  return state;
}

uint64_t path_hashes(const struct paths *paths, const struct path *path, uint32_t *remote) {
  struct hash_state state = hash_remote(paths, path), ended = state;
  *remote = (uint32_t)hash_end(&ended);
  hash_address(&state, path->local, local_family(path));
  hash_add(&state, local_family(path));
  return hash_end(&state);
}

uint64_t path_identity(const struct paths *paths, const struct path *path) {
  uint32_t remote;
  return path_hashes(paths, path, &remote);
}

uint32_t path_hash(const struct paths *paths, const struct path *path) {
  struct hash_state state = hash_remote(paths, path);
  return (uint32_t)hash_end(&state);
}

bool path_is_to_same(const struct path *a, const struct path *b) {
  return memcmp(a->remote, b->remote, sizeof a->remote) == 0 && a->port == b->port && a->socket == b->socket &&
         (a->families & 15) == (b->families & 15) && a->scope == b->scope;
}

uint32_t paths_find(const struct paths *paths, const struct path *path, uint32_t hash, uint32_t *unbound) {
  uint32_t index;
  struct table_walk walk = table_walk(hash);
  *unbound = INDEX_NONE;
  while ((index = table_next(&paths->index, &walk)) != INDEX_NONE) {
    const struct path *record = &paths->records[index];
    if (!path_is_to_same(record, path)) continue;
    if (local_family(path) == COPAL_FAMILY_NONE) return index;
    if (local_family(record) == COPAL_FAMILY_NONE) *unbound = index;
    if (record->families == path->families && memcmp(record->local, path->local, sizeof record->local) == 0)
      return index;
  }
  return INDEX_NONE;
}

void paths_bind(struct paths *paths, uint32_t peer, const struct path *path) {
  struct path *record = &paths->records[peer];
  memcpy(record->local, path->local, sizeof record->local);
  record->families = path->families;
}

void paths_unbind(struct paths *paths, uint32_t peer) {
  struct path *record = &paths->records[peer];
  memset(record->local, 0, sizeof record->local);
  record->families &= 15;
}

void paths_set(struct paths *paths, uint32_t peer, const struct path *path) {
  paths->records[peer] = *path;
  table_insert(&paths->index, path_hash(paths, path), peer);
}

void paths_clear(struct paths *paths, uint32_t peer) {
  table_remove(&paths->index, path_hash(paths, &paths->records[peer]), peer);
}

/* Paths: packed without loss, found by every part that matters, and a peer that was sent to takes the local address at
 * which it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "endpoint/paths.h"
#include "support/dice.h"

enum { COUNT = 64 };

struct fixture {
  struct paths paths;
  void *memory;
};

static void open_paths(struct fixture *fixture) {
  struct layout counting = {NULL, 0};
  paths_init(&fixture->paths, &counting, COUNT, (struct hash_key){3, 5});
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  paths_init(&fixture->paths, &layout, COUNT, (struct hash_key){3, 5});
}

static copal_path ipv4(uint8_t remote, uint16_t port, uint8_t local) {
  copal_path path = {.remote = {.bytes = {192, 0, 2, remote}, .port = port, .family = COPAL_FAMILY_IPV4}};
  if (local != 0) path.local = (copal_address){.bytes = {192, 0, 2, local}, .family = COPAL_FAMILY_IPV4};
  return path;
}

static copal_path link_local(uint32_t scope) {
  copal_path path = {
      .remote = {.bytes = {0xfe, 0x80, [15] = 1}, .port = 9, .family = COPAL_FAMILY_IPV6, .scope = scope},
      .local = {.bytes = {0xfe, 0x80, [15] = 2}, .family = COPAL_FAMILY_IPV6, .scope = scope}};
  return path;
}

static void set(struct fixture *fixture, uint32_t peer, copal_path path) {
  struct path packed = path_pack(&path);
  paths_set(&fixture->paths, peer, &packed);
}

static uint32_t find(struct fixture *fixture, copal_path path) {
  struct path packed = path_pack(&path);
  uint32_t unbound;
  return paths_find(&fixture->paths, &packed, path_hash(&fixture->paths, &packed), &unbound);
}

static uint32_t find_unbound(struct fixture *fixture, copal_path path) {
  struct path packed = path_pack(&path);
  uint32_t unbound;
  (void)paths_find(&fixture->paths, &packed, path_hash(&fixture->paths, &packed), &unbound);
  return unbound;
}

static void a_path_comes_back_from_its_packed_form(void **state) {
  (void)state;
  copal_path paths[] = {ipv4(1, 5683, 100),
                        ipv4(1, 5683, 0),
                        link_local(7),
                        {.remote = {.bytes = {0, 0, 0, 3}, .family = COPAL_FAMILY_UNIX}, .socket = 2}};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; ++i) {
    paths[i].socket = (uint32_t)i;
    struct path packed = path_pack(&paths[i]);
    copal_path unpacked;
    path_unpack(&packed, &unpacked);
    assert_true(copal_address_equal(&unpacked.remote, &paths[i].remote));
    assert_true(copal_address_equal(&unpacked.local, &paths[i].local));
    assert_int_equal(unpacked.socket, i);
  }
}

static void every_part_of_a_remote_address_matters(void **state) {
  (void)state;
  struct fixture fixture;
  open_paths(&fixture);
  set(&fixture, 3, ipv4(1, 5683, 100));
  set(&fixture, 4, link_local(7));
  assert_int_equal(find(&fixture, ipv4(1, 5683, 100)), 3);
  assert_int_equal(find(&fixture, ipv4(2, 5683, 100)), INDEX_NONE);
  assert_int_equal(find(&fixture, ipv4(1, 5684, 100)), INDEX_NONE);
  assert_int_equal(find(&fixture, link_local(7)), 4);
  assert_int_equal(find(&fixture, link_local(8)), INDEX_NONE);
  copal_path path = ipv4(1, 5683, 100);
  path.socket = 1;
  assert_int_equal(find(&fixture, path), INDEX_NONE);
  path = ipv4(1, 5683, 100);
  path.remote.family = COPAL_FAMILY_UNIX;
  assert_int_equal(find(&fixture, path), INDEX_NONE);
  free(fixture.memory);
}

/* Its hash, of which only 32 bits are kept, finds a record; every part must be that of the record, too. */
static void a_path_with_the_hash_of_another_is_not_taken_for_it(void **state) {
  (void)state;
  struct fixture fixture;
  open_paths(&fixture);
  copal_path first = link_local(7), others[] = {first, first, first, first, first};
  set(&fixture, 4, first);
  others[0].remote.bytes[15] = 9;
  others[1].remote.port = 10;
  others[2].socket = 1;
  others[3].remote.family = COPAL_FAMILY_UNIX;
  others[4].remote.scope = 8;
  struct path packed = path_pack(&first);
  uint32_t hash = path_hash(&fixture.paths, &packed), unbound;
  assert_int_equal(paths_find(&fixture.paths, &packed, hash, &unbound), 4);
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
    packed = path_pack(&others[i]);
    assert_int_equal(paths_find(&fixture.paths, &packed, hash, &unbound), INDEX_NONE);
    assert_int_equal(unbound, INDEX_NONE);
  }
  free(fixture.memory);
}

static copal_address ipv6(uint8_t first, uint8_t second, uint32_t scope) {
  return (copal_address){.bytes = {first, second, [15] = 1}, .family = COPAL_FAMILY_IPV6, .port = 9, .scope = scope};
}

/* RFC 4007 4: a zone is of link-local addresses and of groups up to that scope; a wider group has none, even beside a
 * remote address that has one. */
static void only_addresses_of_a_link_keep_their_interface(void **state) {
  (void)state;
  static const struct {
    uint8_t bytes[2];
    bool has_scope;
  } cases[] = {{{0xfe, 0x80}, true},  {{0xfe, 0xbf}, true}, {{0xfe, 0xc0}, false}, {{0xfe, 0x40}, false},
               {{0xff, 0x01}, true},  {{0xff, 0x12}, true}, {{0xff, 0x05}, false}, {{0xff, 0x0e}, false},
               {{0x20, 0x01}, false}, {{0x00, 0x80}, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    copal_path path = {.remote = ipv6(0xfe, 0x80, 7), .local = ipv6(cases[i].bytes[0], cases[i].bytes[1], 7)};
    struct path packed = path_pack(&path);
    copal_path unpacked;
    path_unpack(&packed, &unpacked);
    assert_int_equal(unpacked.remote.scope, 7);
    assert_int_equal(unpacked.local.scope, cases[i].has_scope ? 7 : 0);
  }
}

static void one_remote_at_two_local_addresses_is_two_peers(void **state) {
  (void)state;
  struct fixture fixture;
  open_paths(&fixture);
  set(&fixture, 1, ipv4(1, 5683, 100));
  set(&fixture, 2, ipv4(1, 5683, 101));
  assert_int_equal(find(&fixture, ipv4(1, 5683, 100)), 1);
  assert_int_equal(find(&fixture, ipv4(1, 5683, 101)), 2);
  assert_int_equal(find(&fixture, ipv4(1, 5683, 102)), INDEX_NONE);
  assert_in_range(find(&fixture, ipv4(1, 5683, 0)), 1, 2); /* without a local address any will do */
  free(fixture.memory);
}

static void a_peer_that_was_sent_to_takes_the_local_address_at_which_it_answers(void **state) {
  (void)state;
  struct fixture fixture;
  open_paths(&fixture);
  set(&fixture, 1, ipv4(1, 5683, 0));
  assert_int_equal(find(&fixture, ipv4(1, 5683, 100)), INDEX_NONE);
  assert_int_equal(find_unbound(&fixture, ipv4(1, 5683, 100)), 1);
  copal_path answer = ipv4(1, 5683, 100);
  struct path packed = path_pack(&answer);
  paths_bind(&fixture.paths, 1, &packed);
  assert_int_equal(find(&fixture, ipv4(1, 5683, 100)), 1);
  assert_int_equal(find_unbound(&fixture, ipv4(1, 5683, 101)), INDEX_NONE); /* it has one now */
  assert_int_equal(find(&fixture, ipv4(1, 5683, 0)), 1);
  copal_path path;
  path_unpack(&fixture.paths.records[1], &path);
  copal_path expected = ipv4(1, 5683, 100);
  assert_true(copal_address_equal(&path.local, &expected.local));
  paths_clear(&fixture.paths, 1);
  assert_int_equal(find(&fixture, ipv4(1, 5683, 100)), INDEX_NONE);
  free(fixture.memory);
}

static void identities_differ_where_paths_do(void **state) {
  (void)state;
  struct fixture fixture;
  open_paths(&fixture);
  copal_path paths[] = {ipv4(1, 1, 100), ipv4(1, 2, 100), ipv4(2, 1, 100),
                        ipv4(1, 1, 101), ipv4(1, 1, 0),   link_local(1)};
  for (size_t a = 0; a < 6; ++a)
    for (size_t b = 0; b < 6; ++b) {
      struct path first = path_pack(&paths[a]), second = path_pack(&paths[b]);
      assert_int_equal(path_identity(&fixture.paths, &first) == path_identity(&fixture.paths, &second), a == b);
    }
  free(fixture.memory);
}

static void random_peers_agree_with_a_model(void **state) {
  (void)state;
  struct fixture fixture;
  open_paths(&fixture);
  struct dice dice = {3};
  int32_t owner[200]; /* by remote port */
  uint16_t port[COUNT];
  for (int i = 0; i < 200; ++i) owner[i] = -1;
  for (int i = 0; i < COUNT; ++i) port[i] = 0;
  for (int i = 0; i < 50000; ++i) {
    uint32_t peer = dice_below(&dice, COUNT);
    uint16_t wanted = (uint16_t)(1 + dice_below(&dice, 199));
    if (port[peer] != 0) {
      paths_clear(&fixture.paths, peer);
      owner[port[peer]] = -1;
      port[peer] = 0;
    } else if (owner[wanted] < 0) {
      set(&fixture, peer, ipv4(1, wanted, 100));
      owner[wanted] = (int32_t)peer;
      port[peer] = wanted;
    }
    wanted = (uint16_t)(1 + dice_below(&dice, 199));
    assert_int_equal(find(&fixture, ipv4(1, wanted, 100)), (uint32_t)owner[wanted]);
  }
  free(fixture.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_path_comes_back_from_its_packed_form),
      cmocka_unit_test(every_part_of_a_remote_address_matters),
      cmocka_unit_test(a_path_with_the_hash_of_another_is_not_taken_for_it),
      cmocka_unit_test(only_addresses_of_a_link_keep_their_interface),
      cmocka_unit_test(one_remote_at_two_local_addresses_is_two_peers),
      cmocka_unit_test(a_peer_that_was_sent_to_takes_the_local_address_at_which_it_answers),
      cmocka_unit_test(identities_differ_where_paths_do),
      cmocka_unit_test(random_peers_agree_with_a_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Names of AF_UNIX peers: a name keeps its number, and when all places are taken the oldest makes room. */
#include "net/names.h"

#include <stdio.h>
#include <string.h>

#include "unit/net/loopback.h"

static struct net_names names;

static int setup(void **state) {
  (void)state;
  memset(&names, 0, sizeof names);
  return 0;
}

static void a_name_keeps_its_address(void **state) {
  (void)state;
  copal_address a = net_name_intern(&names, "/run/a", 6), b = net_name_intern(&names, "/run/b", 6);
  assert_int_equal(a.family, COPAL_FAMILY_UNIX);
  assert_false(copal_address_equal(&a, &b));
  copal_address again = net_name_intern(&names, "/run/a", 6);
  assert_true(copal_address_equal(&a, &again));
  const struct net_name *found = net_name_find(&names, &b);
  assert_non_null(found);
  assert_int_equal(found->size, 6);
  assert_memory_equal(found->text, "/run/b", 6);
}

static void a_name_is_all_its_bytes(void **state) {
  (void)state;
  copal_address one = net_name_intern(&names, "\0a", 2), two = net_name_intern(&names, "\0a\0", 3);
  copal_address three = net_name_intern(&names, "\0b", 2);
  assert_false(copal_address_equal(&one, &two));
  assert_false(copal_address_equal(&one, &three));
  assert_int_equal(net_name_find(&names, &two)->size, 3);
}

static void the_longest_name_fits(void **state) {
  (void)state;
  char longest[NET_NAME_SIZE_MAX];
  memset(longest, 'x', sizeof longest);
  copal_address address = net_name_intern(&names, longest, sizeof longest);
  assert_memory_equal(net_name_find(&names, &address)->text, longest, sizeof longest);
}

static void an_address_that_was_never_given_has_no_name(void **state) {
  (void)state;
  copal_address nobody = {.family = COPAL_FAMILY_UNIX}, unknown = {.bytes = {7}, .family = COPAL_FAMILY_UNIX};
  assert_null(net_name_find(&names, &nobody));
  assert_null(net_name_find(&names, &unknown));
}

static void the_oldest_name_makes_room_and_its_number_is_nobodys(void **state) {
  (void)state;
  copal_address addresses[NET_NAMES_MAX + 1];
  for (int i = 0; i <= NET_NAMES_MAX; ++i) {
    char name[16];
    int size = snprintf(name, sizeof name, "name %d", i);
    addresses[i] = net_name_intern(&names, name, (size_t)size);
  }
  assert_null(net_name_find(&names, &addresses[0]));
  for (int i = 1; i <= NET_NAMES_MAX; ++i) assert_non_null(net_name_find(&names, &addresses[i]));
  copal_address returned = net_name_intern(&names, "name 0", 6);
  assert_false(copal_address_equal(&returned, &addresses[0]));
  assert_non_null(net_name_find(&names, &returned));
  assert_null(net_name_find(&names, &addresses[1]));
}

static void numbers_begin_anew_without_ever_being_none(void **state) {
  (void)state;
  names.last = UINT32_MAX;
  copal_address address = net_name_intern(&names, "a", 1);
  assert_non_null(net_name_find(&names, &address));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_name_keeps_its_address, setup),
      cmocka_unit_test_setup(a_name_is_all_its_bytes, setup),
      cmocka_unit_test_setup(the_longest_name_fits, setup),
      cmocka_unit_test_setup(an_address_that_was_never_given_has_no_name, setup),
      cmocka_unit_test_setup(the_oldest_name_makes_room_and_its_number_is_nobodys, setup),
      cmocka_unit_test_setup(numbers_begin_anew_without_ever_being_none, setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

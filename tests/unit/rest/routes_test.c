/* Routes: which pattern takes which path, against a model that tries every pattern by hand; what cannot be registered;
 * and that a path of 600 segments costs no more than its length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rest/routes.h"
#include "support/dice.h"

struct fixture {
  struct routes routes;
  void *memory;
  uint8_t buffer[2000];
  copal_message message;
};

static void open_routes(struct fixture *fixture, uint32_t count_max) {
  *fixture = (struct fixture){.memory = NULL};
  struct layout counting = {NULL, 0};
  routes_init(&fixture->routes, &counting, count_max, (struct hash_key){3, 5});
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  routes_init(&fixture->routes, &layout, count_max, (struct hash_key){3, 5});
}

static void handler(copal_request *request, void *context) {
  (void)request;
  (void)context;
}

static copal_error add(struct fixture *fixture, copal_code method, const char *pattern) {
  return routes_add(&fixture->routes, method, pattern, handler, NULL);
}

/* A request with a segment for each "/" of path; "" has none. */
static copal_view request(struct fixture *fixture, const char *path) {
  copal_message_init(&fixture->message, fixture->buffer, sizeof fixture->buffer, COPAL_CON, COPAL_GET);
  while (*path == '/') {
    size_t size = strcspn(path + 1, "/");
    copal_message_add(&fixture->message, COPAL_OPTION_URI_PATH, path + 1, size);
    path += 1 + size;
  }
  copal_message_add_text(&fixture->message, COPAL_OPTION_URI_QUERY, "q=/a");
  assert_int_equal(fixture->message.error, COPAL_OK);
  return copal_message_view(&fixture->message);
}

/* The pattern that takes a path, or "none". */
static const char *match(struct fixture *fixture, const char *path) {
  copal_view view = request(fixture, path);
  uint32_t index = routes_match(&fixture->routes, &view);
  return index == INDEX_NONE ? "none" : fixture->routes.records[index].pattern;
}

static void literals_win_over_parameters_and_those_over_tails(void **state) {
  (void)state;
  struct fixture fixture;
  open_routes(&fixture, 20);
  static const char *const patterns[] = {"/",          "/a",       "/a/b",     "/a/{x}", "/a/*",      "/{y}/b",
                                         "/{y}/b/{z}", "/c/{x}/d", "/files/*", "/a//b",  "/{y}/q/r/s"};
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; ++i)
    assert_int_equal(add(&fixture, COPAL_GET, patterns[i]), COPAL_OK);
  static const char *const cases[][2] = {
      {"", "/"},
      {"/a", "/a"},
      {"/a/b", "/a/b"},
      {"/a/c", "/a/{x}"},
      {"/a/c/d", "/a/*"},
      {"/z/b", "/{y}/b"},
      {"/z/b/1", "/{y}/b/{z}"},
      {"/z", "none"},
      {"/c/1/d", "/c/{x}/d"},
      {"/c/1/e", "none"},
      {"/files", "/files/*"},
      {"/files/", "/files/*"},
      {"/files/1/2/3", "/files/*"},
      {"/a//b", "/a//b"},
      {"/a/", "/a/{x}"},
      {"/a//c", "/a/*"},
      {"/a/b/1", "/a/*"}, /* of what is left the nearest tail */
      {"/c/b", "/{y}/b"},
      {"/c/b/d", "/c/{x}/d"},
      {"/", "none"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    assert_string_equal(match(&fixture, cases[i][0]), cases[i][1]);
  free(fixture.memory);
}

static void segments_are_bytes_and_a_slash_within_one_splits_nothing(void **state) {
  (void)state;
  struct fixture fixture;
  open_routes(&fixture, 20);
  assert_int_equal(add(&fixture, COPAL_GET, "/a/b"), COPAL_OK);
  assert_int_equal(add(&fixture, COPAL_GET, "/.."), COPAL_OK);
  copal_message_init(&fixture.message, fixture.buffer, sizeof fixture.buffer, COPAL_CON, COPAL_GET);
  copal_message_add(&fixture.message, COPAL_OPTION_URI_PATH, "a/b", 3);
  copal_view view = copal_message_view(&fixture.message);
  assert_int_equal(routes_match(&fixture.routes, &view), INDEX_NONE);
  copal_message_init(&fixture.message, fixture.buffer, sizeof fixture.buffer, COPAL_CON, COPAL_GET);
  copal_message_add(&fixture.message, COPAL_OPTION_URI_PATH, "a\0", 2);
  view = copal_message_view(&fixture.message);
  assert_int_equal(routes_match(&fixture.routes, &view), INDEX_NONE);
  assert_string_equal(match(&fixture, "/a/.."), "none"); /* ".." goes nowhere */
  assert_string_equal(match(&fixture, "/.."), "/..");
  free(fixture.memory);
}

static void what_cannot_be_registered_is_refused(void **state) {
  (void)state;
  struct fixture fixture;
  open_routes(&fixture, 3);
  assert_int_equal(add(&fixture, COPAL_GET, ""), COPAL_ERR_ROUTE_PATTERN);
  assert_int_equal(add(&fixture, COPAL_GET, "a"), COPAL_ERR_ROUTE_PATTERN);
  assert_int_equal(add(&fixture, COPAL_GET, "/a"), COPAL_OK);
  assert_int_equal(add(&fixture, COPAL_GET, "/a"), COPAL_ERR_ROUTE_PATTERN);
  assert_int_equal(add(&fixture, COPAL_PUT, "/a"), COPAL_OK);
  assert_int_equal(add(&fixture, COPAL_GET, "/{x}"), COPAL_OK);
  assert_int_equal(add(&fixture, COPAL_PUT, "/b"), COPAL_ERR_ROUTES_FULL);
  assert_null(routes_find(&fixture.routes, "/b"));
  assert_null(routes_find(&fixture.routes, "/"));
  assert_null(routes_find(&fixture.routes, "b"));
  assert_non_null(routes_find(&fixture.routes, "/a"));
  free(fixture.memory);

  open_routes(&fixture, 8);
  assert_int_equal(add(&fixture, COPAL_GET, "/{x}/a"), COPAL_OK);
  assert_int_equal(add(&fixture, COPAL_GET, "/{y}/b"), COPAL_ERR_ROUTE_PATTERN); /* one name for one place */
  assert_int_equal(add(&fixture, COPAL_GET, "/{x}/b"), COPAL_OK);
  free(fixture.memory);

  open_routes(&fixture, 0);
  assert_int_equal(add(&fixture, COPAL_GET, "/"), COPAL_ERR_ROUTES_FULL);
  assert_string_equal(match(&fixture, ""), "none");
  free(fixture.memory);
}

static void each_method_has_its_handler(void **state) {
  (void)state;
  struct fixture fixture;
  open_routes(&fixture, 31);
  int contexts[32];
  for (uint8_t method = 1; method < 32; ++method)
    assert_int_equal(routes_add(&fixture.routes, (copal_code)method, "/a", handler, &contexts[method]), COPAL_OK);
  copal_view view = request(&fixture, "/a");
  uint32_t index = routes_match(&fixture.routes, &view);
  for (uint8_t method = 1; method < 32; ++method)
    assert_ptr_equal(routes_handler(&fixture.routes, index, method)->context, &contexts[method]);
  assert_null(routes_handler(&fixture.routes, index, COPAL_CONTENT));
  free(fixture.memory);
}

/* --- Against a model ----------------------------------------------------------------------------- */

/* Whether pattern's segments take path's, and how well: one digit a segment, the smaller the better. */
static bool takes(const char *pattern, const char *path, char *rank) {
  for (;; ++rank) {
    if (strcmp(pattern, "/*") == 0) {
      strcpy(rank, "3");
      return true;
    }
    *rank = 0;
    if (*pattern == 0 || *path == 0) return *pattern == *path;
    size_t a = strcspn(pattern + 1, "/"), b = strcspn(path + 1, "/");
    if (pattern[1] == '{')
      *rank = '2';
    else if (a == b && memcmp(pattern, path, a + 1) == 0)
      *rank = '1';
    else
      return false;
    rank[1] = 0;
    pattern += 1 + a;
    path += 1 + b;
  }
}

static void random_pattern(struct dice *dice, char *text, const char *const *words, uint32_t count) {
  uint32_t segments = dice_below(dice, 5);
  *text = 0;
  for (uint32_t i = 0; i < segments; ++i) strcat(strcat(text, "/"), words[dice_below(dice, count)]);
}

static void random_routes_agree_with_a_model(void **state) {
  (void)state;
  static const char *const words[] = {"a", "b", "{p}"}, *const names[] = {"a", "b", "c"};
  struct dice dice = {77};
  for (int round = 0; round < 300; ++round) {
    struct fixture fixture;
    open_routes(&fixture, 12);
    char patterns[12][40];
    uint32_t count = 0;
    for (int i = 0; i < 12; ++i) {
      random_pattern(&dice, patterns[count], words, 3);
      if (dice_below(&dice, 4) == 0) strcat(patterns[count], "/*");
      const char *pattern = patterns[count][0] == 0 ? "/" : patterns[count];
      if (add(&fixture, COPAL_GET, pattern) == COPAL_OK) ++count;
    }
    for (int i = 0; i < 60; ++i) {
      char path[40], rank[16], best[16] = "9";
      const char *expected = "none";
      random_pattern(&dice, path, names, 3);
      for (uint32_t k = 0; k < count; ++k) {
        if (!takes(patterns[k], path, rank) || strcmp(rank, best) >= 0) continue;
        strcpy(best, rank);
        expected = patterns[k][0] == 0 ? "/" : patterns[k];
      }
      assert_string_equal(match(&fixture, path), expected);
    }
    free(fixture.memory);
  }
}

static void t14_a_path_of_600_segments_ends_where_the_tree_does(void **state) {
  (void)state;
  struct fixture fixture;
  open_routes(&fixture, 40);
  /* Every level has a literal and a parameter, both of which fail at the bottom only. */
  static char patterns[2][80];
  for (int kind = 0; kind < 2; ++kind) {
    char *at = patterns[kind];
    for (int level = 0; level < 12; ++level) at += sprintf(at, "/%s", kind == 0 ? "" : "{p}");
    assert_int_equal(add(&fixture, COPAL_GET, patterns[kind]), COPAL_OK);
  }
  char path[601];
  memset(path, '/', 600);
  path[600] = 0;
  assert_string_equal(match(&fixture, path), "none");
  path[12] = 0;
  assert_string_equal(match(&fixture, path), patterns[0]);
  free(fixture.memory);
}

static void braces_make_a_parameter_only_around_all_of_a_segment(void **state) {
  (void)state;
  struct fixture fixture;
  open_routes(&fixture, 8);
  assert_int_equal(add(&fixture, COPAL_GET, "/{a"), COPAL_OK);
  assert_int_equal(add(&fixture, COPAL_GET, "/{a}b"), COPAL_OK);
  assert_int_equal(add(&fixture, COPAL_GET, "/{"), COPAL_OK);
  assert_string_equal(match(&fixture, "/{a"), "/{a");
  assert_string_equal(match(&fixture, "/{a}b"), "/{a}b");
  assert_string_equal(match(&fixture, "/{"), "/{");
  assert_string_equal(match(&fixture, "/x"), "none");
  assert_int_equal(add(&fixture, COPAL_GET, "/{ab}"), COPAL_OK);
  assert_int_equal(add(&fixture, COPAL_GET, "/{a}"), COPAL_ERR_ROUTE_PATTERN);  /* another name, of another length, */
  assert_int_equal(add(&fixture, COPAL_GET, "/{xy}"), COPAL_ERR_ROUTE_PATTERN); /* or of the same */
  assert_string_equal(match(&fixture, "/x"), "/{ab}");
  free(fixture.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(literals_win_over_parameters_and_those_over_tails),
      cmocka_unit_test(segments_are_bytes_and_a_slash_within_one_splits_nothing),
      cmocka_unit_test(what_cannot_be_registered_is_refused),
      cmocka_unit_test(each_method_has_its_handler),
      cmocka_unit_test(random_routes_agree_with_a_model),
      cmocka_unit_test(t14_a_path_of_600_segments_ends_where_the_tree_does),
      cmocka_unit_test(braces_make_a_parameter_only_around_all_of_a_segment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

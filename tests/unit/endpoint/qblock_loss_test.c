/* Q-Block transfers over a link that loses datagrams: each one in turn, in groups, at random, all in one direction, all
 * from some moment on. A transfer arrives whole or ends with an error, nothing is done twice, and nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/pair.h"

enum { K = 1024 };

struct kind {
  copal_code method;
  const char *path;
  size_t up, down;
  bool writes;
};

static const struct kind kinds[] = {
    {COPAL_GET, "get", 0, 25 * K + 5, false},     {COPAL_GET, "get", 0, 25 * K + 5, true},
    {COPAL_GET, "read", 0, 20 * K, false},        {COPAL_PUT, "put", 25 * K + 5, 0, false},
    {COPAL_POST, "put", 12 * K, 0, false},        {COPAL_PUT, "parts", 25 * K + 5, 0, false},
    {COPAL_POST, "post", 13 * K, 100, false},     {COPAL_POST, "post", 13 * K, 14 * K, true},
    {COPAL_FETCH, "post", 13 * K, 14 * K, false},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct pair *begin(const struct kind *kind) {
  struct pair *pair = pair_open();
  pair_set_body(pair, kind->down, 1);
  pair->talk->source_size = kind->up;
  copal_call_options options = {
      .read = kind->up > 0 ? talk_read : NULL, .size = kind->up, .write = kind->writes ? talk_write : NULL};
  pair_begin(pair, kind->method, kind->path, &options);
  return pair;
}

static bool arrived(struct pair *pair, const struct kind *kind) {
  const struct talk *talk = pair->talk;
  assert_true(talk->last);
  assert_int_equal(talk->count, 1);
  if (kind->method == COPAL_POST) assert_true(pair->executed <= 1);
  if (talk->result.error != COPAL_OK || talk->code == COPAL_UNAUTHORIZED) return false;
  assert_int_equal(COPAL_CODE_CLASS(talk->code), 2);
  assert_int_equal(kind->writes ? talk->taken_size : talk->body_size, kind->down);
  assert_body(kind->writes ? talk->taken : talk->body, 0, kind->down, 1);
  assert_int_equal(pair->stored_size, kind->up);
  assert_body(pair->stored, 0, kind->up, 0);
  return true;
}

static void end(struct pair *pair) {
  assert_pair_is_idle(pair);
  pair_close(pair);
}

/* How many datagrams a transfer has when none is lost. */
static unsigned datagrams_of(const struct kind *kind) {
  struct pair *pair = begin(kind);
  pair_run(pair);
  assert_true(arrived(pair, kind));
  unsigned count = pair->passed;
  end(pair);
  return count;
}

static void with_any_one_datagram_lost_it_arrives(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; ++k) {
    unsigned count = datagrams_of(&kinds[k]);
    assert_true(count > 13);
    for (unsigned n = 1; n <= count; ++n) {
      struct pair *pair = begin(&kinds[k]);
      copal_time began = pair->server->now;
      pair->lose = n;
      pair_run(pair);
      if (!arrived(pair, &kinds[k]))
        fail_msg("kind %d, datagram %u: %s", k, n, copal_error_name(pair->talk->result.error));
      if (pair->server->now - began > 16 * COPAL_SECOND)
        fail_msg("kind %d, datagram %u: took %llu s", k, n,
                 (unsigned long long)((pair->server->now - began) / COPAL_SECOND));
      end(pair);
    }
  }
}

/* And its repetition, too; and a few more after it. */
static void with_groups_of_datagrams_lost_it_arrives(void **state) {
  (void)state;
  static const uint64_t groups[] = {1, 0x3, 0x421, 0x1ff, 0x5555};
  for (int k = 0; k < KINDS; ++k)
    for (size_t g = 0; g < sizeof groups / sizeof *groups; ++g)
      for (unsigned n = 1; n <= 40; ++n) {
        struct pair *pair = begin(&kinds[k]);
        pair->lose = n;
        pair->lose_more = groups[g];
        pair_run(pair);
        bool ok = arrived(pair, &kinds[k]);
        /* A server that cannot verify an address in time says no more than a code: decision 0011. */
        copal_error error = pair->talk->result.error;
        bool refused = !ok && (error == COPAL_ERR_TIMEOUT || error == COPAL_OK);
        if (!ok && !refused) fail_msg("kind %d, group %zu, %u: %s", k, g, n, copal_error_name(error));
        end(pair);
      }
}

/* --- At random ------------------------------------------------------------------------------------------ */

static uint64_t chance;

static bool loses_at_random(struct pair *pair, const copal_view *view, bool to_server) {
  (void)pair, (void)view, (void)to_server;
  chance = chance * 6364136223846793005u + 1442695040888963407u;
  return (chance >> 33) % 100 < 20;
}

static void with_a_fifth_lost_most_arrive_and_others_end_with_an_error(void **state) {
  (void)state;
  unsigned whole = 0, rounds = 0;
  for (int k = 0; k < KINDS; ++k)
    for (unsigned seed = 1; seed <= 30; ++seed, ++rounds) {
      chance = seed * 1000003u + (unsigned)k;
      struct pair *pair = begin(&kinds[k]);
      pair->loses = loses_at_random;
      pair_run(pair);
      assert_true(pair->talk->last);
      if (pair->talk->result.error == COPAL_OK && COPAL_CODE_CLASS(pair->talk->code) == 2) {
        assert_true(arrived(pair, &kinds[k]));
        ++whole;
      }
      pair->loses = NULL;
      end(pair);
    }
  if (whole < rounds * 9 / 10) fail_msg("%u of %u arrived", whole, rounds);
}

/* --- In one direction --------------------------------------------------------------------------------------- */

static bool loses_non_to_client(struct pair *pair, const copal_view *view, bool to_server) {
  (void)pair;
  return !to_server && view->type == COPAL_NON;
}

/* RFC 9177 3: "Even if there is asymmetrical packet loss, a body can still be sent and received by the peer whether the
 * body comprises a single payload or multiple payloads, assuming no recovery is required." */
static void a_body_arrives_though_nothing_comes_back(void **state) {
  (void)state;
  struct kind kind = {COPAL_PUT, "put", 25 * K + 5, 0, false};
  struct pair *pair = begin(&kind);
  copal_time began = pair->server->now;
  pair->loses = loses_non_to_client;
  pair_run_for(pair, 12 * COPAL_SECOND);
  assert_int_equal(pair->executed, 1);
  assert_int_equal(pair->stored_size, 25 * K + 5);
  assert_body(pair->stored, 0, 25 * K + 5, 0);
  /* RFC 9177 7.2: "a delay of NON_TIMEOUT_RANDOM MUST be introduced before sending the next MAX_PAYLOADS_SET, unless a
   * 'Continue' is received". */
  const char *at = strstr(pair->log, "QB1:10/1");
  assert_non_null(at);
  pair_run(pair);
  assert_int_equal(pair->talk->result.error, COPAL_ERR_TIMEOUT);
  assert_true(pair->server->now - began > 60 * COPAL_SECOND);
  assert_int_equal(pair->executed, 1);
  end(pair);
}

static unsigned asked; /* requests for more */

static bool loses_requests_for_more(struct pair *pair, const copal_view *view, bool to_server) {
  (void)pair;
  if (!to_server || view->type != COPAL_NON) return false;
  return ++asked > 1;
}

/* The server goes on by itself where it was told that the whole body is wanted; here it was told so for a set. */
static void a_body_is_given_up_when_nobody_hears_what_is_missing(void **state) {
  (void)state;
  struct kind kind = {COPAL_GET, "get", 0, 25 * K, false};
  struct pair *pair = begin(&kind);
  asked = 0;
  pair->loses = loses_requests_for_more;
  pair_run(pair);
  assert_int_equal(pair->talk->result.error, COPAL_ERR_TIMEOUT);
  /* RFC 9177 7.2: NON_MAX_RETRANSMIT, 4: a Continue, and so many repetitions. */
  assert_int_equal(asked, 1 + 1 + 4);
  end(pair);
}

/* --- When an end goes away ------------------------------------------------------------------------------------- */

static bool loses_all_after_a_while(struct pair *pair, const copal_view *view, bool to_server) {
  (void)view, (void)to_server;
  return pair->passed > 13;
}

static void when_the_other_end_is_gone_both_give_up_in_time(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; ++k) {
    struct pair *pair = begin(&kinds[k]);
    pair->loses = loses_all_after_a_while;
    pair_run(pair);
    assert_int_equal(pair->talk->result.error, COPAL_ERR_TIMEOUT);
    assert_null(pair->talk->result.rx);
    end(pair);
  }
}

static void a_timeout_of_the_whole_is_kept(void **state) {
  (void)state;
  struct pair *pair = pair_open();
  pair_set_body(pair, 25 * K, 1);
  pair_begin(pair, COPAL_GET, "get", &(copal_call_options){.timeout = 10 * COPAL_SECOND});
  copal_time began = pair->server->now;
  pair->loses = loses_all_after_a_while;
  pair_run(pair);
  assert_int_equal(pair->talk->result.error, COPAL_ERR_TIMEOUT);
  assert_true(pair->server->now - began >= 10 * COPAL_SECOND && pair->server->now - began < 11 * COPAL_SECOND);
  end(pair);
}

static void an_upload_in_parts_whose_client_is_gone_is_abandoned(void **state) {
  (void)state;
  struct kind kind = {COPAL_PUT, "parts", 25 * K, 0, false};
  struct pair *pair = begin(&kind);
  pair->loses = loses_all_after_a_while;
  pair_run(pair);
  assert_int_equal(pair->executed, 0);
  assert_pair_is_idle(pair);
  assert_int_equal(pair->abandoned, 1);
  pair_close(pair);
}

/* RFC 9177 4.3: the client that stops "MUST 'forget' all tracked tokens associated with the body's Request-Tag so that
 * a Reset message is generated for the invalid token in the 4.08 … response. On receipt of the Reset message, the
 * server SHOULD delete the partial body." A NON may be ignored as well (RFC 7252 4.3), which it is here: so it ends in
 * time. */
static void a_call_that_is_cancelled_leaves_nothing(void **state) {
  (void)state;
  for (int k = 0; k < KINDS; ++k) {
    struct pair *pair = begin(&kinds[k]);
    pair_run_for(pair, 100 * COPAL_MILLISECOND);
    if (!pair->talk->last)
      assert_int_equal(copal_call_cancel(pair->talk->bare->endpoint, pair->talk->call, false), COPAL_OK);
    end(pair);
  }
}

/* --- When the body changes -------------------------------------------------------------------------------------- */

static void a_body_that_changes_while_it_is_fetched_begins_anew(void **state) {
  (void)state;
  for (int writes = 0; writes < 2; ++writes) {
    struct kind kind = {COPAL_GET, "get", 0, 25 * K, writes != 0};
    struct pair *pair = begin(&kind);
    while (pair->passed < 16) pair_run_for(pair, COPAL_MILLISECOND);
    assert_false(pair->talk->last);
    /* The same client asks anew, and the server keeps a newer version in the place of the one that it sends. */
    pair_set_body(pair, 21 * K, 2);
    uint8_t probe[] = {0x51, 0x01, 0x77, 0x77, 0x99, 0xb3, 'g', 'e', 't', 0xd1, 0x07, 0x06};
    copal_path path = bare_path(PAIR_CLIENT_PORT);
    bare_in_bytes(pair->server, &path, probe, sizeof probe);
    pair_run(pair);
    assert_int_equal(pair->talk->result.error, COPAL_OK);
    size_t size = writes ? pair->talk->taken_size : pair->talk->body_size;
    assert_int_equal(size, 21 * K);
    assert_body(writes ? pair->talk->taken : pair->talk->body, 0, size, 2);
    end(pair);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(with_any_one_datagram_lost_it_arrives),
      cmocka_unit_test(with_groups_of_datagrams_lost_it_arrives),
      cmocka_unit_test(with_a_fifth_lost_most_arrive_and_others_end_with_an_error),
      cmocka_unit_test(a_body_arrives_though_nothing_comes_back),
      cmocka_unit_test(a_body_is_given_up_when_nobody_hears_what_is_missing),
      cmocka_unit_test(when_the_other_end_is_gone_both_give_up_in_time),
      cmocka_unit_test(a_timeout_of_the_whole_is_kept),
      cmocka_unit_test(an_upload_in_parts_whose_client_is_gone_is_abandoned),
      cmocka_unit_test(a_call_that_is_cancelled_leaves_nothing),
      cmocka_unit_test(a_body_that_changes_while_it_is_fetched_begins_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Exchanges: found by peer and message ID and by peer and token, forgotten completely, and their bytes left alone while
 * somebody may be sending them. Against a model that compares every record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/exchanges.h"
#include "message/header.h"
#include "support/dice.h"

enum { COUNT = 40 };

struct fixture {
  struct exchanges exchanges;
  void *memory;
  struct dice dice;
};

static void lay_out(struct fixture *fixture, struct layout *layout) {
  copal_config config = copal_config_small();
  config.exchanges_max = COUNT;
  config.messages_size = COUNT * 64;
  config.message_size_max = 256;
  config.receptions_max = 9;
  exchanges_init(&fixture->exchanges, layout, &config, (struct hash_key){3, 5}, 0);
}

static void open_exchanges(struct fixture *fixture) {
  struct layout counting = {NULL, 0};
  lay_out(fixture, &counting);
  fixture->memory = calloc(1, (size_t)counting.size);
  struct layout layout = {fixture->memory, 0};
  lay_out(fixture, &layout);
  fixture->dice = (struct dice){17};
}

/* A GET with that token. */
static copal_bytes request(uint8_t buffer[64], const uint8_t *token, size_t token_size) {
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, 64, COPAL_CON, COPAL_GET, 0, token, token_size);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, "a", 1);
  return (copal_bytes){buffer, encoder.size};
}

static const copal_bytes OWN_TOKEN = {NULL, 0};

static copal_error take(struct fixture *fixture, uint32_t peer, uint16_t mid, const char *token, uint8_t flags,
                        uint32_t *index) {
  uint8_t buffer[64];
  copal_bytes message = request(buffer, (const uint8_t *)token, strlen(token));
  copal_error error = exchange_take(&fixture->exchanges, peer, message, mid, OWN_TOKEN, flags, index);
  if (error == COPAL_OK) exchange_at(&fixture->exchanges, *index)->state = EXCHANGE_READY;
  return error;
}

static uint32_t by_token(const struct fixture *fixture, uint32_t peer, const char *token) {
  return exchange_by_token(&fixture->exchanges, peer, (copal_bytes){(const uint8_t *)token, strlen(token)});
}

struct model {
  bool used;
  uint32_t peer;
  uint16_t mid;
  char token[16];
  uint8_t flags;
  copal_tx tx;
};

static void assert_agree(const struct fixture *fixture, const struct model *model) {
  for (uint32_t i = 0; i < COUNT; ++i) {
    if (model[i].tx.generation == 0) continue;
    assert_int_equal(exchange_of(&fixture->exchanges, model[i].tx), model[i].used ? i : INDEX_NONE);
    if (!model[i].used) continue;
    assert_int_equal(exchange_by_mid(&fixture->exchanges, model[i].peer, model[i].mid), i);
    uint32_t token_peer = (model[i].flags & EXCHANGE_MULTICAST) != 0 ? INDEX_NONE : model[i].peer;
    bool request = (model[i].flags & EXCHANGE_REQUEST) != 0;
    assert_int_equal(by_token(fixture, token_peer, model[i].token), request ? i : INDEX_NONE);
  }
}

static void random_takes_and_gives_agree_with_a_model(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  struct model model[COUNT] = {{.used = false}};
  uint16_t next = 0;
  for (int i = 0; i < 30000; ++i) {
    if (dice_below(&fixture.dice, 100) < (i / 3000 % 2 == 0 ? 60u : 40u)) {
      struct model one = {true, dice_below(&fixture.dice, 3), ++next, "", EXCHANGE_RECORD, {0, 0}};
      if (dice_below(&fixture.dice, 4) != 0) one.flags |= EXCHANGE_REQUEST;
      if (dice_below(&fixture.dice, 4) == 0) one.flags |= EXCHANGE_MULTICAST;
      snprintf(one.token, sizeof one.token, "t%d", i);
      uint32_t index;
      copal_error error = take(&fixture, one.peer, one.mid, one.token, one.flags, &index);
      if (error != COPAL_OK) continue;
      one.tx = exchange_handle(&fixture.exchanges, index);
      assert_false(model[index].used);
      assert_false(copal_same_tx(one.tx, model[index].tx));
      model[index] = one;
    } else {
      uint32_t index = dice_below(&fixture.dice, COUNT);
      if (!model[index].used) continue;
      exchange_give(&fixture.exchanges, index);
      model[index].used = false;
    }
    if (i % 10 == 0) assert_agree(&fixture, model);
  }
  for (uint32_t i = 0; i < COUNT; ++i)
    if (model[i].used) exchange_give(&fixture.exchanges, i);
  assert_int_equal(fixture.exchanges.slab.count, 0);
  assert_int_equal(fixture.exchanges.mids.count, 0);
  assert_int_equal(fixture.exchanges.tokens.count, 0);
  assert_int_equal(fixture.exchanges.store.used, 0);
  free(fixture.memory);
}

static void type_message_id_and_token_are_stamped_and_nothing_else(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  uint8_t buffer[64];
  copal_bytes message = request(buffer, NULL, 0), token = {(const uint8_t *)"\x01\x02\x03\x04\x05\x06\x07\x08", 8};
  uint32_t index;
  assert_int_equal(exchange_take(&fixture.exchanges, 0, message, 0xabcd, token, EXCHANGE_REQUEST, &index), COPAL_OK);
  const struct exchange *exchange = exchange_at(&fixture.exchanges, index);
  static const uint8_t expected[] = {0x58, 0x01, 0xab, 0xcd, 1, 2, 3, 4, 5, 6, 7, 8, 0xb1, 'a'};
  assert_int_equal(exchange->size, sizeof expected);
  assert_memory_equal(exchange_bytes(&fixture.exchanges, exchange), expected, sizeof expected);
  free(fixture.memory);
}

static void tokens_differ_by_size_and_by_every_byte(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  uint32_t a, b;
  assert_int_equal(take(&fixture, 1, 1, "abcd", EXCHANGE_REQUEST, &a), COPAL_OK);
  assert_int_equal(take(&fixture, 1, 2, "abc", EXCHANGE_REQUEST, &b), COPAL_OK);
  assert_int_equal(by_token(&fixture, 1, "abcd"), a);
  assert_int_equal(by_token(&fixture, 1, "abc"), b);
  assert_int_equal(by_token(&fixture, 1, "abce"), INDEX_NONE);
  assert_int_equal(by_token(&fixture, 1, "abcde"), INDEX_NONE);
  assert_int_equal(by_token(&fixture, 1, ""), INDEX_NONE);
  assert_int_equal(by_token(&fixture, 2, "abcd"), INDEX_NONE);
  assert_int_equal(by_token(&fixture, INDEX_NONE, "abcd"), INDEX_NONE);
  free(fixture.memory);
}

/* Two that the index cannot tell apart for each way of being different; found by trying. */
static void peers_and_ids_of_one_hash_are_told_apart(void **state) {
  (void)state;
  static const struct {
    uint32_t peer;
    uint16_t mid;
  } others[] = {{389332795, 0x1238}, {69269, 0x278}};
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
    struct fixture fixture;
    open_exchanges(&fixture);
    uint32_t first, second;
    assert_int_equal(take(&fixture, 0, 0x1238, "a", 0, &first), COPAL_OK);
    assert_int_equal(exchange_by_mid(&fixture.exchanges, others[i].peer, others[i].mid), INDEX_NONE);
    assert_int_equal(take(&fixture, others[i].peer, others[i].mid, "b", 0, &second), COPAL_OK);
    assert_int_equal(exchange_by_mid(&fixture.exchanges, 0, 0x1238), first);
    assert_int_equal(exchange_by_mid(&fixture.exchanges, others[i].peer, others[i].mid), second);
    exchange_give(&fixture.exchanges, first);
    assert_int_equal(exchange_by_mid(&fixture.exchanges, 0, 0x1238), INDEX_NONE);
    assert_int_equal(exchange_by_mid(&fixture.exchanges, others[i].peer, others[i].mid), second);
    free(fixture.memory);
  }
}

struct hashed {
  uint32_t hash, number;
};

static int compare_hashes(const void *a, const void *b) {
  const struct hashed *left = a, *right = b;
  return left->hash < right->hash ? -1 : left->hash > right->hash;
}

/* Two tokens of 6 digits which the index, as it hashes them for peer 1, cannot tell apart. */
static void find_tokens_of_one_hash(const struct exchanges *exchanges, char first[7], char second[7]) {
  enum { TRIED = 400000 };
  struct hashed *tried = malloc(TRIED * sizeof *tried);
  for (uint32_t number = 0; number < TRIED; ++number) {
    snprintf(first, 7, "%06u", number);
    uint64_t hash = hash_words(&exchanges->key, 1, hash_bytes(&exchanges->key, first, 6));
    tried[number] = (struct hashed){(uint32_t)hash, number};
  }
  qsort(tried, TRIED, sizeof *tried, compare_hashes);
  uint32_t at = 1;
  while (at < TRIED && tried[at].hash != tried[at - 1].hash) ++at;
  assert_true(at < TRIED); /* 18 pairs are to be expected */
  snprintf(first, 7, "%06u", tried[at - 1].number);
  snprintf(second, 7, "%06u", tried[at].number);
  free(tried);
}

static void tokens_of_one_hash_are_told_apart(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  char first[7], second[7];
  find_tokens_of_one_hash(&fixture.exchanges, first, second);
  uint32_t a, b;
  assert_int_equal(take(&fixture, 1, 1, first, EXCHANGE_REQUEST, &a), COPAL_OK);
  assert_int_equal(by_token(&fixture, 1, second), INDEX_NONE);
  assert_int_equal(take(&fixture, 1, 2, second, EXCHANGE_REQUEST, &b), COPAL_OK);
  assert_int_equal(by_token(&fixture, 1, first), a);
  assert_int_equal(by_token(&fixture, 1, second), b);
  free(fixture.memory);
}

/* Such a token names a record, which need not have been given it. */
static void a_token_in_the_form_of_ours_is_not_that_of_the_record_it_names(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  static const uint8_t seed[RANDOM_SEED_SIZE];
  struct random random;
  random_init(&random, seed);
  uint8_t made[EXCHANGE_TOKEN_SIZE], forged[EXCHANGE_TOKEN_SIZE];
  exchange_next_token(&fixture.exchanges, 1, &random, made);
  memcpy(forged, made, sizeof forged);
  forged[0] ^= 1;
  uint32_t index;
  assert_int_equal(take(&fixture, 1, 1, "given", EXCHANGE_REQUEST, &index), COPAL_OK);
  assert_int_equal(exchange_guess(&fixture.exchanges, (copal_bytes){made, sizeof made}), index);
  assert_int_equal(exchange_by_token(&fixture.exchanges, 1, (copal_bytes){made, sizeof made}), INDEX_NONE);
  assert_int_equal(exchange_by_token(&fixture.exchanges, 1, (copal_bytes){forged, sizeof forged}), INDEX_NONE);
  assert_int_equal(by_token(&fixture, 1, "given"), index);
  /* One that names a record which was never used, or is too short to name any, gives no hint. */
  exchange_next_token(&fixture.exchanges, 1, &random, made);
  assert_int_equal(exchange_guess(&fixture.exchanges, (copal_bytes){made, sizeof made}), INDEX_NONE);
  assert_int_equal(exchange_guess(&fixture.exchanges, (copal_bytes){made, sizeof made - 1}), INDEX_NONE);
  free(fixture.memory);
}

/* The application may give a request the very token that would be made for the next one. */
static void a_new_token_is_not_one_that_is_given(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  static const uint8_t seed[RANDOM_SEED_SIZE];
  struct random random, ahead;
  random_init(&random, seed);
  ahead = random;
  uint32_t first, given;
  assert_int_equal(take(&fixture, 1, 1, "first", EXCHANGE_REQUEST, &first), COPAL_OK);
  uint8_t copy[EXCHANGE_TOKEN_SIZE], fresh[EXCHANGE_TOKEN_SIZE], buffer[64];
  exchange_next_token(&fixture.exchanges, 1, &ahead, copy);
  exchange_give(&fixture.exchanges, first);
  copal_bytes message = request(buffer, copy, sizeof copy);
  assert_int_equal(exchange_take(&fixture.exchanges, 1, message, 2, OWN_TOKEN, EXCHANGE_REQUEST, &given), COPAL_OK);
  exchange_at(&fixture.exchanges, given)->state = EXCHANGE_READY;
  assert_int_equal(given, first);

  exchange_next_token(&fixture.exchanges, 1, &random, fresh);
  assert_memory_not_equal(fresh, copy, sizeof copy);
  assert_memory_equal(fresh + 4, copy + 4, 4); /* it names the same record */
  assert_int_equal(exchange_by_token(&fixture.exchanges, 1, (copal_bytes){fresh, sizeof fresh}), INDEX_NONE);
  free(fixture.memory);
}

static void a_full_table_and_a_full_store_are_told_apart_and_cost_nothing(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  uint32_t index, taken = 0;
  copal_error error;
  while ((error = take(&fixture, 0, (uint16_t)taken, "a token of forty bytes, which needs 64..", 0, &index)) ==
         COPAL_OK)
    ++taken;
  assert_int_equal(error, COPAL_ERR_EXCHANGES_FULL);
  assert_int_equal(taken, COUNT);
  for (uint32_t i = 0; i < 10; ++i) exchange_give(&fixture.exchanges, i);
  uint8_t large[200] = {0x40, 0x45};
  large[4] = 0xff;
  copal_bytes message = {large, sizeof large};
  taken = 0;
  while ((error = exchange_take(&fixture.exchanges, 0, message, 1, OWN_TOKEN, 0, &index)) == COPAL_OK) {
    exchange_at(&fixture.exchanges, index)->state = EXCHANGE_READY;
    ++taken;
  }
  assert_int_equal(error, COPAL_ERR_MESSAGES_FULL);
  assert_int_equal(fixture.exchanges.slab.count, COUNT - 10 + taken);
  free(fixture.memory);
}

/* One exchange keeps 8 at most, and all together what the configuration says. */
static void kept_replies_stay_in_order_and_go_with_their_exchange(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  uint32_t index;
  assert_int_equal(take(&fixture, 0, 1, "t", EXCHANGE_RECORD, &index), COPAL_OK);
  size_t used = fixture.exchanges.store.used;
  for (uint8_t i = 0; i < 11; ++i) {
    uint8_t ack[4] = {0x60, 0, 0, i};
    assert_int_equal(exchange_keep(&fixture.exchanges, index, (copal_bytes){ack, 4}, i), i < 8);
  }
  uint32_t other;
  assert_int_equal(take(&fixture, 1, 1, "t", EXCHANGE_RECORD, &other), COPAL_OK);
  for (uint8_t i = 0; i < 2; ++i) {
    uint8_t ack[4] = {0x60, 0, 0, i};
    assert_int_equal(exchange_keep(&fixture.exchanges, other, (copal_bytes){ack, 4}, i), i < 1);
  }
  exchange_give(&fixture.exchanges, other);
  uint32_t kept = exchange_at(&fixture.exchanges, index)->of.receptions;
  for (uint8_t i = 0; i < 8; ++i, kept = fixture.exchanges.receptions[kept].next) {
    const struct reception *reception = &fixture.exchanges.receptions[kept];
    assert_int_equal(store_bytes(&fixture.exchanges.store, reception->message)[3], i);
    assert_int_equal(reception->time, i);
  }
  assert_int_equal(kept, INDEX_NONE);
  exchange_give(&fixture.exchanges, index);
  assert_int_equal(fixture.exchanges.reception_slab.count, 0);
  assert_true(fixture.exchanges.store.used < used);
  assert_int_equal(fixture.exchanges.store.used, 0);
  free(fixture.memory);
}

static void a_reply_is_not_kept_where_the_store_is_full(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  uint32_t index;
  assert_int_equal(take(&fixture, 0, 1, "t", EXCHANGE_RECORD, &index), COPAL_OK);
  while (store_take(&fixture.exchanges.store, 4) != INDEX_NONE) {
  }
  uint8_t ack[4] = {0x60, 0, 0, 1};
  assert_false(exchange_keep(&fixture.exchanges, index, (copal_bytes){ack, 4}, 1));
  assert_int_equal(fixture.exchanges.reception_slab.count, 0);
  assert_int_equal(exchange_at(&fixture.exchanges, index)->of.receptions, INDEX_NONE);
  free(fixture.memory);
}

/* RFC 7252 5.3.2 has responses matched with requests: what we answer is not looked for. */
static void a_response_of_ours_is_not_found_by_its_token(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  static const uint8_t seed[RANDOM_SEED_SIZE];
  struct random random;
  random_init(&random, seed);
  uint8_t token[EXCHANGE_TOKEN_SIZE], buffer[64];
  exchange_next_token(&fixture.exchanges, 1, &random, token);
  uint32_t index;
  copal_bytes message = request(buffer, token, sizeof token);
  assert_int_equal(exchange_take(&fixture.exchanges, 1, message, 1, OWN_TOKEN, 0, &index), COPAL_OK);
  exchange_at(&fixture.exchanges, index)->state = EXCHANGE_READY;
  assert_int_equal(exchange_guess(&fixture.exchanges, (copal_bytes){token, sizeof token}), index);
  assert_int_equal(exchange_by_token(&fixture.exchanges, 1, (copal_bytes){token, sizeof token}), INDEX_NONE);
  free(fixture.memory);
}

/* Of two requests with one token, the older one's record may stay for its lifetime. */
static void the_request_that_awaits_its_response_is_preferred_to_older_records(void **state) {
  (void)state;
  static const enum exchange_state ends[] = {EXCHANGE_UNACKNOWLEDGED, EXCHANGE_UNREACHED, EXCHANGE_REJECTED};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; ++i) {
    struct fixture fixture;
    open_exchanges(&fixture);
    uint32_t older, newer;
    assert_int_equal(take(&fixture, 1, 1, "same", EXCHANGE_REQUEST, &older), COPAL_OK);
    exchange_at(&fixture.exchanges, older)->state = (uint8_t)ends[i];
    assert_int_equal(by_token(&fixture, 1, "same"), older);
    assert_int_equal(take(&fixture, 1, 2, "same", EXCHANGE_REQUEST, &newer), COPAL_OK);
    assert_int_equal(by_token(&fixture, 1, "same"), newer);
    exchange_give(&fixture.exchanges, newer);
    assert_int_equal(by_token(&fixture, 1, "same"), older);
    free(fixture.memory);
  }
}

/* A batch is still being sent while one of it brings another's end about. */
static void bytes_that_were_given_out_stay_until_the_next_output(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  uint32_t sent, older, unsent;
  assert_int_equal(take(&fixture, 0, 1, "older", 0, &older), COPAL_OK);
  assert_int_equal(take(&fixture, 0, 2, "sent", 0, &sent), COPAL_OK);
  assert_int_equal(take(&fixture, 0, 3, "unsent", 0, &unsent), COPAL_OK);
  exchanges_release(&fixture.exchanges, 10);
  exchange_at(&fixture.exchanges, older)->transmissions = exchange_at(&fixture.exchanges, sent)->transmissions = 1;
  exchange_at(&fixture.exchanges, older)->event_at = 9;
  exchange_at(&fixture.exchanges, sent)->event_at = 10;
  const uint8_t *bytes = exchange_bytes(&fixture.exchanges, exchange_at(&fixture.exchanges, sent));
  uint8_t before[14];
  memcpy(before, bytes, sizeof before);
  exchange_give(&fixture.exchanges, older);
  exchange_give(&fixture.exchanges, sent);
  exchange_give(&fixture.exchanges, unsent);
  assert_int_equal(exchange_by_mid(&fixture.exchanges, 0, 2), INDEX_NONE);
  assert_int_equal(fixture.exchanges.slab.count, 1);
  uint32_t index;
  for (uint16_t mid = 10; mid < 10 + COUNT - 1; ++mid)
    assert_int_equal(take(&fixture, 0, mid, "more", 0, &index), COPAL_OK);
  assert_memory_equal(bytes, before, sizeof before);
  assert_int_equal(take(&fixture, 0, 99, "more", 0, &index), COPAL_ERR_EXCHANGES_FULL);
  exchanges_release(&fixture.exchanges, 11);
  assert_int_equal(take(&fixture, 0, 99, "more", 0, &index), COPAL_OK);
  assert_int_equal(index, sent);
  free(fixture.memory);
}

/* Handles of zero, of a generation that wrapped, of records that were never used. */
static void a_handle_names_its_record_alone(void **state) {
  (void)state;
  struct fixture fixture;
  open_exchanges(&fixture);
  uint32_t index;
  assert_int_equal(exchange_of(&fixture.exchanges, (copal_tx){0, 0}), INDEX_NONE);
  assert_int_equal(exchange_of(&fixture.exchanges, (copal_tx){0, 1}), INDEX_NONE);
  assert_int_equal(exchange_of(&fixture.exchanges, (copal_tx){12345, 1}), INDEX_NONE);
  assert_int_equal(take(&fixture, 0, 1, "t", 0, &index), COPAL_OK);
  copal_tx stale = exchange_handle(&fixture.exchanges, index), forged = {stale.index, stale.generation + 7};
  assert_int_equal(exchange_of(&fixture.exchanges, forged), INDEX_NONE);
  exchange_give(&fixture.exchanges, index);
  assert_int_equal(exchange_of(&fixture.exchanges, stale), INDEX_NONE);
  exchange_at(&fixture.exchanges, index)->generation = UINT32_MAX;
  assert_int_equal(take(&fixture, 0, 1, "t", 0, &index), COPAL_OK);
  copal_tx tx = exchange_handle(&fixture.exchanges, index);
  assert_false(copal_tx_none(tx));
  assert_int_equal(exchange_of(&fixture.exchanges, tx), index);
  free(fixture.memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_takes_and_gives_agree_with_a_model),
      cmocka_unit_test(type_message_id_and_token_are_stamped_and_nothing_else),
      cmocka_unit_test(tokens_differ_by_size_and_by_every_byte),
      cmocka_unit_test(peers_and_ids_of_one_hash_are_told_apart),
      cmocka_unit_test(tokens_of_one_hash_are_told_apart),
      cmocka_unit_test(a_token_in_the_form_of_ours_is_not_that_of_the_record_it_names),
      cmocka_unit_test(a_new_token_is_not_one_that_is_given),
      cmocka_unit_test(a_full_table_and_a_full_store_are_told_apart_and_cost_nothing),
      cmocka_unit_test(kept_replies_stay_in_order_and_go_with_their_exchange),
      cmocka_unit_test(a_reply_is_not_kept_where_the_store_is_full),
      cmocka_unit_test(a_response_of_ours_is_not_found_by_its_token),
      cmocka_unit_test(the_request_that_awaits_its_response_is_preferred_to_older_records),
      cmocka_unit_test(bytes_that_were_given_out_stay_until_the_next_output),
      cmocka_unit_test(a_handle_names_its_record_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

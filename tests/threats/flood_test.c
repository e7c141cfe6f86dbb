/* Floods, in virtual time: honest clients with a steady rate of errands of all kinds, and in between what wants to keep
 * them out, much of it under addresses that are not the sender's. Memory cannot grow; what is looked at is that no
 * table holds more than it may, that nine of ten errands are good all the same, that little goes to the addresses that
 * were written, and that in stated time all is as before. The numbers are rows of docs/threats.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "threats/crowd.h"

enum { FLOOD_SIZE_MAX = 512, GOOD_PERCENT = 90 };

/* A datagram of a flood, by its place in it. */
struct drop {
  uint32_t index;
  copal_path path;
  uint8_t bytes[FLOOD_SIZE_MAX];
  size_t size;
};

struct flood {
  void (*write)(struct drop *drop);
  uint32_t count;
  uint32_t per_tick;
};

/* What a server of some hundred clients is given, so that a flood comes to the end of every table. */
static copal_config config_of_hundreds(void) {
  copal_config config = copal_config_default();
  config.peers_max = 1024;
  config.exchanges_max = 1024;
  config.messages_size = 1 << 20;
  config.replies_size = 1 << 20;
  config.outbox_max = 64;
  config.deferred_max = 64;
  config.bodies_size = 256 << 10;
  config.body_size_max = 16 << 10;
  config.transfers_max = 64;
  config.observed_max = 16;
  config.observers_max = 256;
  return config;
}

/* --- Running -------------------------------------------------------------------------------------- */

/* Errands while a flood lasts; it begins anew with each tick. */
static void run(struct crowd *crowd, const struct flood *flood) {
  struct drop drop = {0};
  uint32_t until = 0;
  while (drop.index < flood->count) {
    for (until += flood->per_tick; drop.index < until && drop.index < flood->count; ++drop.index) {
      drop.path = (copal_path){.remote = {.port = 5683, .family = COPAL_FAMILY_IPV4},
                               .local = {.bytes = {192, 0, 2, 100}, .family = COPAL_FAMILY_IPV4}};
      flood->write(&drop);
      crowd_flood(crowd, &drop.path, drop.bytes, drop.size);
    }
    if (crowd->ticks % 250 == 0) {
      crowd_check_bounds(crowd);
      crowd_change(crowd);
      crowd_observe_anew(crowd, crowd->ticks / 250 % CROWD_CLIENTS);
    }
    crowd_tick(crowd, true);
  }
  for (int i = 0; i < 250; ++i) crowd_tick(crowd, false);
  crowd_rest(crowd, 10 * COPAL_SECOND); /* the last errands end */
}

/* A quiet time, in which nothing fails. */
static void run_quiet(struct crowd *crowd) {
  for (int i = 0; i < 10 * CROWD_TICKS_PER_ERRAND; ++i) crowd_tick(crowd, true);
  crowd_change(crowd);
  crowd_rest(crowd, 10 * COPAL_SECOND);
  crowd_check(crowd, 100);
}

/* EXCHANGE_LIFETIME after a flood nothing is left of it: the clients' observations are all there is, and what is
 * remembered of answers until it is overwritten. */
static void check_recovery(struct crowd *crowd) {
  crowd_change(crowd);
  crowd_rest(crowd, 248 * COPAL_SECOND);
  copal_usage usage = copal_endpoint_usage(crowd->server);
  assert_int_equal(usage.exchanges, 0);
  assert_int_equal(usage.deferred, 0);
  assert_int_equal(usage.transfers, 0);
  assert_int_equal(usage.bodies_size, 0);
  bool observed = crowd->kinds == ERRAND_KINDS;
  assert_int_equal(usage.observers, observed ? CROWD_CLIENTS : 0);
  assert_int_equal(usage.observed, observed ? 1 : 0);
  run_quiet(crowd);
}

static void flood(const copal_config *config, unsigned kinds, const struct flood *flood) {
  struct crowd crowd;
  crowd_open(&crowd, config, kinds);
  run_quiet(&crowd);
  run(&crowd, flood);
  crowd_check(&crowd, GOOD_PERCENT);
  crowd_check_bounds(&crowd);
  assert_true(crowd.flood_count == flood->count);
  assert_true(crowd.flood_out <= 136 * crowd.flood_count); /* RFC 9175 2.4 */
  run_quiet(&crowd);
  check_recovery(&crowd);
  crowd_close(&crowd);
}

static void flood_hundreds(const struct flood *with) {
  copal_config config = config_of_hundreds();
  flood(&config, ERRAND_KINDS, with);
}

/* --- Datagrams ------------------------------------------------------------------------------------ */

/* Each from an address of its own. */
static void spoof(struct drop *drop) {
  drop->path.remote.bytes[0] = 10;
  drop->path.remote.bytes[1] = (uint8_t)(drop->index >> 16);
  drop->path.remote.bytes[2] = (uint8_t)(drop->index >> 8);
  drop->path.remote.bytes[3] = (uint8_t)drop->index;
}

/* All from one. */
static void sign(struct drop *drop) { memcpy(drop->path.remote.bytes, (uint8_t[]){198, 51, 100, 7}, 4); }

static copal_message begin(struct drop *drop, copal_type type, copal_code code, const char *path) {
  copal_message message;
  copal_message_init(&message, drop->bytes, sizeof drop->bytes, type, (uint8_t)code);
  copal_message_set_token(&message, "t", 1);
  drop->bytes[2] = (uint8_t)(drop->index >> 8);
  drop->bytes[3] = (uint8_t)drop->index;
  if (path != NULL) copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  return message;
}

static void add_block1(copal_message *message, uint16_t option, copal_block block) {
  static const uint8_t payload[64];
  copal_message_add_uint(message, option, copal_block_value(block));
  copal_message_set_payload(message, payload, (size_t)16 << block.szx);
}

static copal_type con_or_non(const struct drop *drop) { return drop->index % 2 == 0 ? COPAL_CON : COPAL_NON; }

/* T50, T56: nine GETs, and a POST */
static void write_request(struct drop *drop) {
  spoof(drop);
  copal_message message = drop->index % 10 == 9 ? begin(drop, con_or_non(drop), COPAL_POST, "do")
                                                : begin(drop, con_or_non(drop), COPAL_GET, "small");
  drop->size = message.size;
}

static void write_post(struct drop *drop) {
  spoof(drop);
  drop->size = begin(drop, con_or_non(drop), COPAL_POST, "do").size;
}

static void write_upload(struct drop *drop) {
  spoof(drop);
  copal_message message = begin(drop, con_or_non(drop), COPAL_PUT, "take");
  add_block1(&message, COPAL_OPTION_BLOCK1, (copal_block){0, true, 2});
  drop->size = message.size;
}

static void write_quick_upload(struct drop *drop) {
  spoof(drop);
  copal_message message = begin(drop, COPAL_NON, COPAL_PUT, "take");
  copal_message_add_uint(&message, COPAL_OPTION_SIZE1, 6000);
  copal_message_add_uint(&message, COPAL_OPTION_REQUEST_TAG, drop->index);
  add_block1(&message, COPAL_OPTION_Q_BLOCK1, (copal_block){0, true, 2});
  drop->size = message.size;
}

static void write_download(struct drop *drop) {
  spoof(drop);
  drop->size = begin(drop, con_or_non(drop), COPAL_POST, "do-large").size;
}

static void write_large(struct drop *drop) {
  spoof(drop);
  drop->size = begin(drop, con_or_non(drop), COPAL_GET, "large").size;
}

static void write_registration(struct drop *drop) {
  spoof(drop);
  copal_message message = begin(drop, con_or_non(drop), COPAL_GET, "state");
  copal_message_add_uint(&message, COPAL_OPTION_OBSERVE, 0);
  drop->size = message.size;
}

static void write_ping(struct drop *drop) {
  spoof(drop);
  copal_message message;
  copal_message_init(&message, drop->bytes, sizeof drop->bytes, COPAL_CON, COPAL_EMPTY);
  drop->size = message.size;
}

static void write_garbage(struct drop *drop) {
  spoof(drop);
  drop->size = drop->index * 2654435761u >> 26;
  uint64_t state = drop->index;
  for (size_t i = 0; i < drop->size; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    drop->bytes[i] = (uint8_t)(state >> 56);
  }
}

/* All message IDs twice, with other bytes: CON and NON, safe and unsafe. */
static void write_message_id(struct drop *drop) {
  sign(drop);
  copal_message message = begin(drop, con_or_non(drop), drop->index % 4 < 2 ? COPAL_GET : COPAL_POST, "do");
  copal_message_set_payload(&message, &drop->index, sizeof drop->index);
  drop->size = message.size;
}

/* Acknowledgements, Resets and responses that belong to nothing. */
static void write_stray(struct drop *drop) {
  spoof(drop);
  static const copal_type types[] = {COPAL_ACK, COPAL_RST, COPAL_CON, COPAL_NON};
  copal_type type = types[drop->index % 4];
  copal_message message = begin(drop, type, type == COPAL_RST ? COPAL_EMPTY : COPAL_CONTENT, NULL);
  if (type == COPAL_RST) copal_message_set_token(&message, NULL, 0);
  drop->size = message.size;
}

/* By turns, all of them. */
static void write_anything(struct drop *drop) {
  static void (*const writers[])(struct drop * drop) = {
      write_request,      write_post, write_upload,  write_quick_upload, write_download, write_large,
      write_registration, write_ping, write_garbage, write_message_id,   write_stray};
  writers[drop->index % (sizeof writers / sizeof *writers)](drop);
}

/* --- Tests ---------------------------------------------------------------------------------------- */

static void t50_a_million_spoofed_peers(void **state) {
  (void)state;
  copal_config config = copal_config_default();
  flood(&config, ERRAND_KINDS, &(struct flood){write_request, 1000000, 200});
}

static void t50_more_spoofed_peers_than_there_is_room_for(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_request, 200000, 100});
}

static void t51_posts_of_many_take_no_memory_from_honest_ones(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_post, 100000, 50});
}

static void t51_message_ids_of_one_source(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_message_id, 131072, 64});
}

static void t52_uploads_begun_and_dropped(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_upload, 100000, 50});
}

static void t52_uploads_by_q_block_begun_and_dropped(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_quick_upload, 50000, 25});
}

static void t52_answers_in_blocks_that_nobody_fetches(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_download, 50000, 25});
}

static void t53_observers_who_are_not_there(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_registration, 50000, 25});
}

static void t56_requests_for_large_answers(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_large, 100000, 50});
}

static void t58_pings_and_strays(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_ping, 100000, 100});
  flood_hundreds(&(struct flood){write_stray, 100000, 100});
}

static void t59_garbage(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_garbage, 200000, 100});
}

static void t50_all_of_these_at_once(void **state) {
  (void)state;
  flood_hundreds(&(struct flood){write_anything, 220000, 110});
}

/* A microcontroller's limits, four peers and two bodies: whoever asks for little is served. */
static void t50_all_of_these_at_once_on_the_smallest_server(void **state) {
  (void)state;
  copal_config config = copal_config_small();
  config.routes_max = 16; /* the crowd's */
  flood(&config, 1, &(struct flood){write_anything, 110000, 44});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(t50_a_million_spoofed_peers),
      cmocka_unit_test(t50_more_spoofed_peers_than_there_is_room_for),
      cmocka_unit_test(t51_posts_of_many_take_no_memory_from_honest_ones),
      cmocka_unit_test(t51_message_ids_of_one_source),
      cmocka_unit_test(t52_uploads_begun_and_dropped),
      cmocka_unit_test(t52_uploads_by_q_block_begun_and_dropped),
      cmocka_unit_test(t52_answers_in_blocks_that_nobody_fetches),
      cmocka_unit_test(t53_observers_who_are_not_there),
      cmocka_unit_test(t56_requests_for_large_answers),
      cmocka_unit_test(t58_pings_and_strays),
      cmocka_unit_test(t59_garbage),
      cmocka_unit_test(t50_all_of_these_at_once),
      cmocka_unit_test(t50_all_of_these_at_once_on_the_smallest_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

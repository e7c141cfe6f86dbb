/* Verified addresses in a storm: clients that answer pings, that know Echo, that do both or neither, over a network
 * that loses datagrams, at a server whose tables are too small for all of them. Whoever is silent is sent no more than
 * he may be, ever; whoever answers in either way gets what he asked for; and nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/dice.h"
#include "support/verify.h"

enum { CLIENTS = 12, FIRST_PORT = 20000, RESETS = 1, ECHOES = 2 };

struct client {
  int habits;
  uint16_t mid;
  uint8_t echo[12];
  bool has_echo, waits;
  size_t asked, answered, challenged;
  size_t budget, received; /* bytes, as long as it has shown nothing */
  bool shown;
};

struct storm {
  struct server server;
  struct client clients[CLIENTS];
  struct dice dice;
  uint32_t loss; /* in a hundred */
};

static bool is_lost(struct storm *storm) { return dice_below(&storm->dice, 100) < storm->loss; }

static void pass_in(struct storm *storm, size_t index, const uint8_t *bytes, size_t size) {
  struct client *client = &storm->clients[index];
  if (is_lost(storm)) return;
  copal_path path = bare_path((uint16_t)(FIRST_PORT + index));
  if (copal_code_is_request(bytes[1])) client->budget += 3 * size > 136 ? 3 * size : 136;
  if (bytes[0] >> 4 == 7 || client->has_echo) client->shown = true;
  bare_in_bytes(storm->server.bare, &path, bytes, size);
}

/* GET /l or GET /m, CON or NON, with its Echo value if it has one. */
static void ask(struct storm *storm, size_t index) {
  struct client *client = &storm->clients[index];
  uint8_t bytes[64];
  copal_encoder encoder;
  ++client->mid;
  ++client->asked;
  client->waits = true;
  copal_encode_begin(&encoder, bytes, sizeof bytes, dice_below(&storm->dice, 3) == 0 ? COPAL_NON : COPAL_CON, COPAL_GET,
                     client->mid, "\xab", 1);
  copal_encode_option(&encoder, COPAL_OPTION_URI_PATH, dice_below(&storm->dice, 2) == 0 ? "l" : "m", 1);
  if (client->has_echo) copal_encode_option(&encoder, COPAL_OPTION_ECHO, client->echo, sizeof client->echo);
  assert_int_equal(encoder.error, COPAL_OK);
  for (uint32_t copies = 1 + dice_below(&storm->dice, 2); copies > 0; --copies)
    pass_in(storm, index, bytes, encoder.size);
}

static void answer_empty(struct storm *storm, size_t index, copal_type type, uint16_t mid) {
  uint8_t bytes[4] = {(uint8_t)(0x40 | (unsigned)type << 4), 0, (uint8_t)(mid >> 8), (uint8_t)mid};
  pass_in(storm, index, bytes, sizeof bytes);
}

static void take_response(struct storm *storm, size_t index, const struct bare_sent *sent) {
  struct client *client = &storm->clients[index];
  copal_option echo;
  client->waits = false;
  if (sent->view.type == COPAL_CON && client->habits != 0) answer_empty(storm, index, COPAL_ACK, sent->view.message_id);
  if (sent->view.code == COPAL_CONTENT) {
    assert_int_equal(sent->view.payload.size, LARGE);
    ++client->answered;
    return;
  }
  assert_int_equal(sent->view.code, COPAL_UNAUTHORIZED);
  assert_true(copal_find(&sent->view, COPAL_OPTION_ECHO, &echo) && echo.size == sizeof client->echo);
  ++client->challenged;
  if ((client->habits & ECHOES) == 0) return;
  memcpy(client->echo, echo.value, sizeof client->echo);
  client->has_echo = true;
  ask(storm, index);
}

/* What goes out is kept, since the clients' answers bring about more. */
static void deliver(struct storm *storm) {
  struct bare *bare = storm->server.bare;
  bare_out(bare);
  static struct bare_sent sent[BARE_SENT_MAX];
  size_t count = bare->sent_count;
  memcpy(sent, bare->sent, count * sizeof *sent);
  bare->sent_count = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t index = sent[i].path.remote.port - (size_t)FIRST_PORT;
    assert_true(index < CLIENTS);
    struct client *client = &storm->clients[index];
    client->received += sent[i].size;
    if (!client->shown) assert_in_range(client->received, 0, client->budget);
    if (!is_lost(storm)) {
      bool ping = sent[i].view.code == COPAL_EMPTY && sent[i].view.type == COPAL_CON;
      if (ping && (client->habits & RESETS) != 0) answer_empty(storm, index, COPAL_RST, sent[i].view.message_id);
      if (sent[i].view.code != COPAL_EMPTY) take_response(storm, index, &sent[i]);
    }
    free(sent[i].bytes);
  }
}

static void let_pass(struct storm *storm, copal_time time) {
  for (copal_time end = storm->server.bare->now + time; storm->server.bare->now < end;) {
    storm->server.bare->now += 100 * COPAL_MILLISECOND;
    deliver(storm);
  }
}

static void rage(uint64_t seed, uint32_t loss, uint32_t deferred_max) {
  static struct storm storm;
  copal_config config = config_of(deferred_max);
  storm = (struct storm){.dice = {seed}, .loss = loss};
  open_server(&storm.server, &config);
  storm.server.size = LARGE;
  for (size_t i = 0; i < CLIENTS; ++i) storm.clients[i].habits = (int)(i % 4);
  for (int i = 0; i < 400; ++i) {
    ask(&storm, dice_below(&storm.dice, CLIENTS));
    if (dice_below(&storm.dice, 3) > 0) let_pass(&storm, dice_below(&storm.dice, 2000) * COPAL_MILLISECOND);
    if (dice_below(&storm.dice, 20) == 0) let_pass(&storm, 300 * COPAL_SECOND);
    assert_in_range(storm.server.bare->endpoint->verifications.slab.count, 0, deferred_max);
    assert_in_range(storm.server.bare->endpoint->verifications.held_slab.count, 0, deferred_max);
  }
  let_pass(&storm, 400 * COPAL_SECOND);
  assert_idle(&storm.server);
  for (size_t i = 0; i < CLIENTS; ++i) {
    struct client *client = &storm.clients[i];
    if (client->habits == 0) assert_int_equal(client->answered, 0);
    if (client->habits == 0) assert_false(client->shown);
    if (loss == 0) assert_false(client->waits);
  }
  /* In peace, everybody who does either is answered in full. */
  storm.loss = 0;
  for (size_t i = 0; i < CLIENTS; ++i) {
    size_t before = storm.clients[i].answered;
    ask(&storm, i);
    let_pass(&storm, 100 * COPAL_SECOND);
    bool helpless = (storm.clients[i].habits & ECHOES) == 0 && deferred_max == 0;
    if (storm.clients[i].habits != 0 && !helpless) assert_true(storm.clients[i].answered > before);
  }
  bare_close(storm.server.bare);
}

static void without_losses(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 12; ++seed) rage(seed, 0, (uint32_t)(seed % 4));
}

static void with_losses(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 12; ++seed) rage(seed + 100, 25, (uint32_t)(seed % 4));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_losses),
      cmocka_unit_test(with_losses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* See watch.h. A message of a host's is remembered by whom it goes to and its ID. Times are the host's own. */
#include "program/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "program/breaks.h"
#include "program/observe.h"
#include "program/trace.h"
#include "sim/digest.h"

enum { PAGE_MARKS = 128, PAGES = 65536 / PAGE_MARKS, BUCKETS = 64, TURNS_MAX = 64, STRANGERS = 256, LOOK_EVERY = 8 };

/* A message that was sent. */
struct mark {
  copal_time first, last;
  uint32_t digest;
  uint8_t count;
  bool is_notification; /* which may take over another one's timer and counter */
  bool is_second;       /* decision 0006: the remote's other record has used this ID, too; whose is sent again? */
};

struct page {
  struct page *next;
  struct mark marks[PAGE_MARKS];
};

struct turn {
  copal_time at;
  uint32_t token;
  uint16_t mid;
};

/* All that a host has sent to an address. */
struct pair {
  struct pair *next;
  struct page *pages[PAGES];
  struct turn turns[TURNS_MAX];
  uint32_t turns_count;
  uint32_t peer; /* the host behind it, when it was first sent to */
  uint16_t address;
};

/* What a stranger may be sent in all, and in one datagram, and what he was sent. */
struct stranger {
  uint64_t allowed, sent;
  size_t largest;
};

struct watch {
  struct pair *pairs[HOSTS_MAX][BUCKETS];
  struct stranger strangers[HOSTS_MAX][STRANGERS];
  struct page *pages; /* that nobody uses */
  uint64_t seen;
};

/* --- Beginning and end --------------------------------------------------------------------------------- */

struct watch *watch_begin(void) {
  struct watch *watch = calloc(1, sizeof *watch);
  assert(watch != NULL);
  return watch;
}

static void forget_pairs(struct watch *watch, uint32_t host) {
  for (uint32_t bucket = 0; bucket < BUCKETS; ++bucket)
    for (struct pair *pair; (pair = watch->pairs[host][bucket]) != NULL;) {
      watch->pairs[host][bucket] = pair->next;
      for (uint32_t i = 0; i < PAGES; ++i) {
        if (pair->pages[i] == NULL) continue;
        pair->pages[i]->next = watch->pages;
        watch->pages = pair->pages[i];
      }
      free(pair);
    }
}

void watch_end(struct watch *watch) {
  for (uint32_t host = 0; host < HOSTS_MAX; ++host) forget_pairs(watch, host);
  for (struct page *page; (page = watch->pages) != NULL;) {
    watch->pages = page->next;
    free(page);
  }
  free(watch);
}

void watch_reset(struct watch *watch) {
  for (uint32_t host = 0; host < HOSTS_MAX; ++host) forget_pairs(watch, host);
  memset(watch->strangers, 0, sizeof watch->strangers);
}

void watch_forget(struct scene *scene, struct host *host) {
  forget_pairs(scene->watch, host->number);
  memset(scene->watch->strangers[host->number], 0, sizeof scene->watch->strangers[host->number]);
}

static struct pair *find_pair(const struct watch *watch, uint32_t host, uint16_t address) {
  for (struct pair *pair = watch->pairs[host][address % BUCKETS]; pair != NULL; pair = pair->next)
    if (pair->address == address) return pair;
  return NULL;
}

static struct pair *make_pair(struct scene *scene, uint32_t host, const copal_address *address) {
  uint16_t number = scene_address_number(address);
  struct pair *pair = find_pair(scene->watch, host, number);
  if (pair != NULL) return pair;
  pair = calloc(1, sizeof *pair);
  assert(pair != NULL);
  pair->address = number;
  pair->peer = scene_host_of(scene, address);
  pair->next = scene->watch->pairs[host][number % BUCKETS];
  scene->watch->pairs[host][number % BUCKETS] = pair;
  return pair;
}

static struct mark *mark_of(struct watch *watch, struct pair *pair, uint16_t mid) {
  struct page **page = &pair->pages[mid / PAGE_MARKS];
  if (*page == NULL) {
    *page = watch->pages;
    if (*page != NULL) watch->pages = (*page)->next;
    if (*page == NULL) *page = malloc(sizeof **page);
    assert(*page != NULL);
    memset(*page, 0, sizeof **page);
  }
  return &(*page)->marks[mid % PAGE_MARKS];
}

/* --- Turns: NSTART ---------------------------------------------------------------------------------------- */

static void end_turn(struct pair *pair, uint32_t index) { pair->turns[index] = pair->turns[--pair->turns_count]; }

void watch_pardon(struct scene *scene, uint32_t host, uint32_t peer) {
  for (uint32_t bucket = 0; bucket < BUCKETS; ++bucket)
    for (struct pair *pair = scene->watch->pairs[host][bucket]; pair != NULL; pair = pair->next)
      if (peer == NOBODY || pair->peer == peer) pair->turns_count = 0;
}

static uint32_t token_digest(const uint8_t *data, size_t size) {
  size_t token_size = data[0] & 15u;
  return size < 4 + token_size || token_size > 8 ? 0 : (uint32_t)digest_bytes(1, data + 4, token_size);
}

/* Whether it may be that nothing is awaited any more of what was sent at that time; who was away gives up earlier. */
static bool may_be_given_up(const struct host *host, copal_time at, copal_time now) {
  const copal_parameters *parameters = &host->node.config.parameters;
  return host->late_at >= at ||
         now - at >= (((copal_time)2 << parameters->max_retransmit) - 1) * parameters->ack_timeout;
}

/* Decision 0006: what comes to an address of a host's own, and what the host sends without having chosen one, may be
 * two peers' for a while. */
static uint32_t paths_max(const struct scene *scene) { return scene->setting.tells_local ? 2 : 1; }

/* RFC 7252 4.7: "clients (including proxies) MUST strictly limit the number of simultaneous outstanding interactions
 * that they maintain to a given server (including proxies) to NSTART." */
static void take_turn(const struct scene *scene, const struct host *host, struct pair *pair,
                      const copal_datagram *datagram, copal_time now, uint16_t mid) {
  const copal_parameters *parameters = &host->node.config.parameters;
  uint32_t turns_max = parameters->nstart * paths_max(scene);
  for (uint32_t i = 0; i < pair->turns_count; ++i)
    if (pair->turns_count >= turns_max && may_be_given_up(host, pair->turns[i].at, now)) end_turn(pair, i--);
  if (pair->turns_count >= turns_max)
    violation(scene, "nstart", "host %u has %u interactions outstanding, message ID 0x%04x, and begins another, 0x%04x",
              host->number, pair->turns_count, pair->turns[0].mid, mid);
  pair->turns[pair->turns_count++] =
      (struct turn){.at = now, .token = token_digest(datagram->data, datagram->size), .mid = mid};
}

static void note_reply(struct pair *pair, const copal_datagram *datagram, uint8_t type, uint16_t mid) {
  uint32_t token = token_digest(datagram->data, datagram->size);
  for (uint32_t i = 0; i < pair->turns_count; ++i) {
    bool ends = type >= COPAL_ACK ? pair->turns[i].mid == mid : pair->turns[i].token == token;
    if (ends) end_turn(pair, i--);
  }
}

/* --- Retransmission, and message IDs ---------------------------------------------------------------------- */

/* RFC 7252 4.2: "the initial timeout is set to a random duration … between ACK_TIMEOUT and (ACK_TIMEOUT *
 * ACK_RANDOM_FACTOR)"; at each retransmission "the timeout is doubled". So the k-th comes 2^k - 1 initial timeouts
 * after the message. Who was away may be late. */
static void check_retransmission(const struct scene *scene, const struct host *host, const struct mark *mark,
                                 copal_time now, uint16_t mid) {
  const copal_parameters *parameters = &host->node.config.parameters;
  uint32_t k = mark->count;
  if (k > parameters->max_retransmit)
    violation(scene, "retransmission-count", "host %u sends message %u for the %uth time", host->number, mid, k + 1);
  copal_time least = (((copal_time)1 << k) - 1) * parameters->ack_timeout, waited = now - mark->first;
  copal_time most = least / 1000 * parameters->ack_random_permille + 2 * scene->setting.tick + COPAL_MILLISECOND;
  if (mark->is_notification) least = 0;
  if (waited < least || now - mark->last < parameters->ack_timeout)
    violation(scene, "retransmission-early", "host %u sends message %u again after %llu ns, number %u", host->number,
              mid, (unsigned long long)waited, k);
  bool may_be_late = mark->is_notification || mark->is_second || host->late_at >= mark->first;
  if (waited > most && !may_be_late)
    violation(scene, "retransmission-late", "host %u sends message %u again after %llu ns, number %u", host->number,
              mid, (unsigned long long)waited, k);
}

static bool is_notification(const copal_datagram *datagram, uint8_t code) {
  copal_view view;
  copal_option option;
  if (COPAL_CODE_CLASS(code) > 2) return true; /* may be the last one */
  return copal_decode(datagram->data, datagram->size, &view) == COPAL_OK &&
         copal_find(&view, COPAL_OPTION_OBSERVE, &option);
}

static void check_message(struct scene *scene, struct host *host, const copal_datagram *datagram, copal_time now) {
  uint8_t type = datagram->data[0] >> 4 & 3, code = datagram->data[1];
  uint16_t mid = (uint16_t)(datagram->data[2] << 8 | datagram->data[3]);
  struct pair *pair = make_pair(scene, host->number, &datagram->path.remote);
  struct mark *mark = mark_of(scene->watch, pair, mid);
  uint32_t digest = type == COPAL_CON ? (uint32_t)digest_bytes(0, datagram->data, datagram->size) : 0;
  copal_time lifetime = copal_address_is_multicast(&datagram->path.remote)
                            ? copal_non_lifetime(&host->node.config.parameters)
                            : copal_exchange_lifetime(&host->node.config.parameters);
  bool is_forgetful = copal_endpoint_counters(host->node.endpoint)->peers_evicted > 0;
  bool is_alive = mark->count > 0 && now - mark->first < lifetime;
  if (is_alive) {
    /* Pings are all alike. */
    if (type == COPAL_CON && mark->digest == digest && !(is_forgetful && code == COPAL_EMPTY)) {
      check_retransmission(scene, host, mark, now, mid);
      ++mark->count;
      mark->last = now;
      return;
    }
    /* Decision 0004: who has been forgotten may meet an ID again. */
    if (!is_forgetful && paths_max(scene) == 1)
      violation(scene, "message-id", "host %u uses message ID %u again after %llu ns", host->number, mid,
                (unsigned long long)(now - mark->first));
  }
  *mark = (struct mark){.first = now, .last = now, .digest = digest, .count = 1};
  mark->is_second = is_alive && paths_max(scene) > 1;
  mark->is_notification = type == COPAL_CON && code >= 64 && is_notification(datagram, code);
  if (type == COPAL_CON && code != COPAL_EMPTY && !mark->is_notification)
    take_turn(scene, host, pair, datagram, now, mid);
}

/* --- Strangers ---------------------------------------------------------------------------------------------- */

static size_t allowance(size_t size) { return 3 * size > 136 ? 3 * size : 136; }

/* RFC 9175 2.4: "don't send more than three times the number of bytes received until the peer's address is confirmed";
 * "a safe default is sending initial responses no larger than 136 bytes". */
static void check_stranger(const struct scene *scene, const struct host *host, const copal_datagram *datagram) {
  struct stranger *stranger = &scene->watch->strangers[host->number][datagram->path.remote.bytes[15]];
  stranger->sent += datagram->size;
  if (host->node.config.amplification_max == 0 || host->node.config.amplification_max > 3) return;
  if (datagram->size > stranger->largest || stranger->sent > stranger->allowed)
    violation(scene, "amplification", "host %u sends %zu bytes to an address that never answered, %llu in all of %llu",
              host->number, datagram->size, (unsigned long long)stranger->sent, (unsigned long long)stranger->allowed);
}

static void note_stranger(const struct scene *scene, const struct host *host, const copal_datagram *datagram) {
  struct stranger *stranger = &scene->watch->strangers[host->number][datagram->path.remote.bytes[15]];
  size_t allowed = allowance(datagram->size);
  /* What is small goes as a CON, too, whose acknowledgement verifies: an answer, and a notification. */
  stranger->allowed += (host->node.config.parameters.max_retransmit + 2u) * allowed;
  if (allowed > stranger->largest) stranger->largest = allowed;
}

/* --- All together --------------------------------------------------------------------------------------------- */

static bool is_stranger(const copal_address *address) { return address->bytes[12] == STRANGER; }

static void look_at_outward(struct scene *scene, struct host *host, const copal_datagram *datagram, copal_time now) {
  if (++scene->watch->seen % LOOK_EVERY == 0 || scene->broken != NULL) {
    copal_view view;
    if (datagram->size > host->node.config.message_size_max ||
        copal_decode(datagram->data, datagram->size, &view) != COPAL_OK)
      violation(scene, "format", "host %u sends what is no message, of %zu bytes", host->number, datagram->size);
  }
  if (is_stranger(&datagram->path.remote)) check_stranger(scene, host, datagram);
  if ((datagram->data[0] >> 4 & 3) <= COPAL_NON) check_message(scene, host, datagram, now);
  observe_look(scene, host, datagram);
}

/* What a host that is broken would have sent besides. */
static void pretend(struct scene *scene, struct host *host, const copal_datagram *datagram, copal_time now) {
  uint32_t number = (uint32_t)scene->watch->seen;
  copal_datagram other = *datagram;
  uint8_t bytes[4] = {0x40, COPAL_GET, datagram->data[2], datagram->data[3]};
  if (breaks(scene, "retransmit", number)) look_at_outward(scene, host, datagram, now);
  other.data = bytes;
  other.size = sizeof bytes;
  bytes[0] = 0x50;
  if (breaks(scene, "mid", number)) look_at_outward(scene, host, &other, now);
  bytes[0] = 0x40;
  for (uint16_t i = 1; breaks(scene, "crowd", number) && i < TURNS_MAX; ++i) {
    bytes[2] = (uint8_t)(datagram->data[2] + i);
    look_at_outward(scene, host, &other, now);
  }
  bytes[0] = 0x70;
  other.path.remote.bytes[12] = STRANGER;
  if (breaks(scene, "amplify", number)) look_at_outward(scene, host, &other, now);
  bytes[0] = 0x90;
  if (breaks(scene, "garble", number)) look_at_outward(scene, host, &other, now);
}

void watch_datagram(struct node *node, copal_time now, const copal_datagram *datagram, bool outward, void *context) {
  struct scene *scene = (struct scene *)context;
  struct host *host = (struct host *)node; /* its first member */
  if (scene->is_traced) trace_datagram(scene, host, datagram, outward);
  if (outward) {
    look_at_outward(scene, host, datagram, node_time(node, now));
    if (scene->broken != NULL) pretend(scene, host, datagram, node_time(node, now));
    return;
  }
  if (datagram->size < 4) return;
  if (is_stranger(&datagram->path.remote)) note_stranger(scene, host, datagram);
  uint8_t type = datagram->data[0] >> 4 & 3;
  bool is_told = observe_is_told(scene, host, datagram);
  if (type <= COPAL_NON && datagram->data[1] < 64) return;
  struct pair *pair = find_pair(scene->watch, host->number, scene_address_number(&datagram->path.remote));
  if (pair == NULL || pair->turns_count == 0) return;
  /* A newer state makes an end of the requests for the blocks of an older one, and for that of who has joined. */
  if (is_told ||
      (scene->setting.watches > 0 && datagram->data[1] >= 64 && is_notification(datagram, datagram->data[1])))
    pair->turns_count = 0;
  else
    note_reply(pair, datagram, type, (uint16_t)(datagram->data[2] << 8 | datagram->data[3]));
}

void watch_event(struct node *node, const copal_event *event, void *context) {
  (void)event;
  const struct host *host = (const struct host *)node;
  violation((const struct scene *)context, "event", "host %u has an event that nobody asked for", host->number);
}

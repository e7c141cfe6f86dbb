/* See echo.h; and the question that a handler asks: copal_request_is_fresh. It knows an address by its hash alone.
 * RFC 9175 sections 2.2 and 2.3. */
#include "rest/echo.h"

#include "base/seal.h"
#include "rest/request.h"

/* Times travel in 32 bits of about a millisecond each. */
#define ECHO_UNIT ((copal_time)1 << 20)
enum { TIME_SIZE = 4, SEAL_SIZE = 8 };

static void put(uint8_t *at, uint64_t value, int size) {
  for (int i = size; i-- > 0; value >>= 8) at[i] = (uint8_t)value;
}

static uint64_t get(const uint8_t *at, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | at[i];
  return value;
}

/* The whole time is signed, so that a value is not good again when its 32 bits come round. The name keeps what is
 * signed here apart from what else may be signed with the key. */
static uint64_t sign(const struct hash_key *key, uint64_t identity, uint64_t ticks) {
  uint8_t statement[20] = {'E', 'c', 'h', 'o'};
  put(statement + 4, identity, 8);
  put(statement + 12, ticks, 8);
  return seal(key, statement, sizeof statement);
}

/* RFC 9175 6: "Implementations SHOULD NOT put any privacy-sensitive information in the Echo or Request-Tag option
 * values." The time tells since when a server runs. So it travels under a word that only the key makes of the
 * signature. */
static uint32_t veil(const struct hash_key *key, uint64_t signature) {
  uint8_t statement[12] = {'V', 'e', 'i', 'l'};
  put(statement + 4, signature, SEAL_SIZE);
  return (uint32_t)seal(key, statement, sizeof statement);
}

void echo_write(const struct hash_key *key, uint64_t identity, copal_time now, uint8_t value[ECHO_SIZE]) {
  uint64_t ticks = now / ECHO_UNIT;
  uint64_t signature = sign(key, identity, ticks);
  put(value, ticks ^ veil(key, signature), TIME_SIZE);
  put(value + TIME_SIZE, signature, SEAL_SIZE);
}

bool echo_check(const struct hash_key *key, uint64_t identity, copal_time now, copal_time max_age,
                const copal_view *request) {
  copal_option option;
  if (!copal_find(request, COPAL_OPTION_ECHO, &option) || option.size != ECHO_SIZE) return false;
  uint64_t ticks = now / ECHO_UNIT, signature = get(option.value + TIME_SIZE, SEAL_SIZE);
  uint32_t age = (uint32_t)ticks - ((uint32_t)get(option.value, TIME_SIZE) ^ veil(key, signature));
  if (signature != sign(key, identity, ticks - age)) return false;
  /* The first tick may have just begun when the value was made, and the last one may be almost over. */
  return (age + (copal_time)1) * ECHO_UNIT <= max_age;
}

/* RFC 9175 2.3: "If a certain request is required to be fresh, the request does not contain a fresh Echo option value,
 * … the server MUST NOT process the request further and SHOULD send a 4.01 (Unauthorized) response with an Echo
 * option." */
bool copal_request_is_fresh(copal_request *request, copal_time max_age) {
  if (request->notification) return true; /* nobody asks now: the observer was asked when it came */
  const struct engine *engine = request->engine;
  uint64_t identity = request->incoming->identity;
  if (echo_check(&engine->seal_key, identity, engine->now, max_age, &request->rx.message)) return true;
  uint8_t value[ECHO_SIZE];
  echo_write(&engine->seal_key, identity, engine->now, value);
  request_begin_reply(request, COPAL_UNAUTHORIZED);
  copal_message_add(&request->reply, COPAL_OPTION_ECHO, value, sizeof value);
  request->challenged = true;
  return false;
}

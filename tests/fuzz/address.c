/* Any text as an IP address, against the system's own reader, and any address as text: what is written is read again as
 * the same. Zones and ports, too, where an address has them. */
#undef NDEBUG
#include <arpa/inet.h>
#include <stdio.h>

#include "base/ip.h"
#include "copal/net.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 80 };

static void fuzz_parsing(const uint8_t *data, size_t size) {
  char *exact = (char *)exact_copy(data, size), text[TEXT_MAX + 1];
  uint8_t mine[16] = {0}, theirs[16] = {0};
  memcpy(text, exact, size);
  text[size] = '\0';
  bool has_nul = strlen(text) != size;
  bool is_ipv4 = ipv4_parse(exact, size, mine);
  assert(is_ipv4 == (!has_nul && inet_pton(AF_INET, text, theirs) == 1));
  if (is_ipv4) assert(memcmp(mine, theirs, 4) == 0);
  bool is_ipv6 = ipv6_parse(exact, size, mine);
  assert(is_ipv6 == (!has_nul && inet_pton(AF_INET6, text, theirs) == 1));
  if (is_ipv6) assert(memcmp(mine, theirs, 16) == 0);
  free(exact);

  copal_address address;
  bool has_zone = strchr(text, '%') != NULL;
  if (copal_address_parse(text, 1234, &address) == COPAL_OK) {
    assert(address.port == 1234 && (has_zone || is_ipv4 || is_ipv6 || has_nul));
  } else if (!has_zone && !has_nul) {
    assert(!is_ipv4 && !is_ipv6);
  }
}

/* RFC 5952 has one text for each address: the system writes the same, but for "::1.2.3.4", which is deprecated. */
static void fuzz_writing(const uint8_t bytes[16]) {
  char mine[IPV6_TEXT_MAX], theirs[INET6_ADDRSTRLEN];
  uint8_t again[16];
  size_t size = ipv6_write(bytes, mine);
  assert(size < sizeof mine && strlen(mine) == size && ipv6_parse(mine, size, again));
  assert(memcmp(again, bytes, 16) == 0);
  assert(inet_ntop(AF_INET6, bytes, theirs, sizeof theirs) != NULL);
  if (strchr(theirs, '.') == NULL) assert(strcmp(mine, theirs) == 0);
  size = ipv4_write(bytes, mine);
  assert(size < IPV4_TEXT_MAX && inet_ntop(AF_INET, bytes, theirs, sizeof theirs) != NULL);
  assert(strcmp(mine, theirs) == 0);

  copal_address address = {.port = 5683, .family = COPAL_FAMILY_IPV6};
  memcpy(address.bytes, bytes, 16);
  for (size_t capacity = 0; capacity <= 60; ++capacity) {
    char *exact = (char *)malloc(capacity > 0 ? capacity : 1);
    assert(exact != NULL);
    size = copal_address_text(NULL, &address, exact, capacity);
    assert(capacity == 0 ? size == 0 : size < capacity && exact[size] == '\0');
    free(exact);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size <= TEXT_MAX) fuzz_parsing(size > 0 ? data : (const uint8_t *)"", size);
  if (size >= 16) fuzz_writing(data);
  return 0;
}

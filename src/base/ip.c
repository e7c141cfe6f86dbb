/* IP addresses as text. The strict grammar of RFC 3986 3.2.2 on the way in, since lenient readers (octal, "127.1",
 * hexadecimal) make two programs disagree about whom a URI means; the one canonical form of RFC 5952 on the way out.
 *
 * It knows neither brackets nor zones nor ports: those belong to URIs and to the sockets. */
#include "base/ip.h"

#include <assert.h>
#include <string.h>

enum { GROUP_COUNT = 8, NO_GAP = 17 };

static bool parse_octet(const char *text, size_t size, size_t *at, uint8_t *octet);
static size_t parse_group(const char *text, size_t size, unsigned *group);
static bool fill_gap(const uint8_t *bytes, size_t size, size_t gap, uint8_t address[16]);
static unsigned group_at(const uint8_t address[16], size_t index);
static size_t longest_zero_run(const uint8_t address[16], size_t *start);
static bool is_ipv4_mapped(const uint8_t address[16]);
static size_t write_group(unsigned group, char *buffer);
static size_t write_octet(uint8_t octet, char *buffer);

bool ipv4_parse(const char *text, size_t size, uint8_t address[4]) {
  uint8_t octets[4];
  size_t at = 0;
  for (size_t i = 0; i < 4; ++i) {
    if (i > 0) {
      if (at == size || text[at] != '.') return false;
      ++at;
    }
    if (!parse_octet(text, size, &at, &octets[i])) return false;
  }
  if (at != size) return false;
  memcpy(address, octets, sizeof octets);
  return true;
}

bool ipv6_parse(const char *text, size_t size, uint8_t address[16]) {
  uint8_t bytes[16];
  size_t count = 0, gap = NO_GAP, at = 0;
  if (size >= 2 && text[0] == ':' && text[1] == ':') {
    gap = 0;
    at = 2;
  }
  while (at < size) {
    unsigned group;
    size_t digits = parse_group(text + at, size - at, &group);
    if (digits == 0 || count == sizeof bytes) return false;
    if (at + digits < size && text[at + digits] == '.') {
      if (count > 12 || !ipv4_parse(text + at, size - at, bytes + count)) return false;
      count += 4;
      break;
    }
    bytes[count++] = (uint8_t)(group >> 8);
    bytes[count++] = (uint8_t)group;
    at += digits;
    if (at == size) break;
    if (text[at++] != ':' || at == size) return false;
    if (text[at] != ':') continue;
    if (gap != NO_GAP) return false;
    gap = count;
    ++at;
  }
  return fill_gap(bytes, count, gap, address);
}

size_t ipv4_write(const uint8_t address[4], char *buffer) {
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i) {
    if (i > 0) buffer[size++] = '.';
    size += write_octet(address[i], buffer + size);
  }
  buffer[size] = '\0';
  assert(size < IPV4_TEXT_MAX);
  return size;
}

size_t ipv6_write(const uint8_t address[16], char *buffer) {
  /* RFC 5952 5: "For these addresses, mixed notation is RECOMMENDED if the following condition is met: the address can
   * be distinguished as having IPv4 addresses embedded in the lower 32 bits solely from the address field through the
   * use of a well-known prefix." */
  if (is_ipv4_mapped(address)) {
    memcpy(buffer, "::ffff:", 7);
    return 7 + ipv4_write(address + 12, buffer + 7);
  }
  size_t run_start, run_count = longest_zero_run(address, &run_start);
  size_t size = 0;
  for (size_t i = 0; i < GROUP_COUNT; ++i) {
    /* RFC 5952 4.2.2: "The symbol "::" MUST NOT be used to shorten just one 16-bit 0 field." */
    if (run_count > 1 && i == run_start) {
      buffer[size++] = ':';
      buffer[size++] = ':';
      i += run_count - 1;
      continue;
    }
    if (i > 0 && buffer[size - 1] != ':') buffer[size++] = ':';
    size += write_group(group_at(address, i), buffer + size);
  }
  buffer[size] = '\0';
  assert(size < IPV6_TEXT_MAX);
  return size;
}

/* RFC 3986 3.2.2, dec-octet: no leading zero, at most 255. */
static bool parse_octet(const char *text, size_t size, size_t *at, uint8_t *octet) {
  size_t start = *at;
  unsigned value = 0;
  while (*at < size && text[*at] >= '0' && text[*at] <= '9') {
    value = value * 10 + (unsigned)(text[*at] - '0');
    if (value > 255) return false;
    ++*at;
    if (*at - start > 1 && text[start] == '0') return false;
  }
  *octet = (uint8_t)value;
  return *at > start;
}

/* One to four hexadecimal digits; returns how many there were. */
static size_t parse_group(const char *text, size_t size, unsigned *group) {
  size_t count = 0;
  *group = 0;
  while (count < size && count < 4) {
    char c = text[count];
    unsigned digit;
    if (c >= '0' && c <= '9') {
      digit = (unsigned)(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = (unsigned)(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = (unsigned)(c - 'A') + 10;
    } else {
      break;
    }
    *group = *group << 4 | digit;
    ++count;
  }
  return count;
}

/* Puts zeros where "::" stood. It must stand for one group at least: the ABNF has at most 7 groups beside it. */
static bool fill_gap(const uint8_t *bytes, size_t size, size_t gap, uint8_t address[16]) {
  if (gap == NO_GAP) {
    if (size != 16) return false;
    memcpy(address, bytes, 16);
    return true;
  }
  if (size > 14) return false;
  memset(address, 0, 16);
  memcpy(address, bytes, gap);
  memcpy(address + 16 - (size - gap), bytes + gap, size - gap);
  return true;
}

static unsigned group_at(const uint8_t address[16], size_t index) {
  return (unsigned)address[2 * index] << 8 | address[2 * index + 1];
}

/* RFC 5952 4.2.3: the longest run is shortened; "When the length of the consecutive 16-bit 0 fields are equal (i.e.,
 * 2001:db8:0:0:1:0:0:1), the first sequence of zero bits MUST be shortened." */
static size_t longest_zero_run(const uint8_t address[16], size_t *start) {
  size_t longest = 0, count = 0;
  *start = 0;
  for (size_t i = 0; i < GROUP_COUNT; ++i) {
    count = group_at(address, i) == 0 ? count + 1 : 0;
    if (count > longest) {
      longest = count;
      *start = i + 1 - count;
    }
  }
  return longest;
}

static bool is_ipv4_mapped(const uint8_t address[16]) {
  static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return memcmp(address, prefix, sizeof prefix) == 0;
}

/* RFC 5952 4.1 and 4.3: leading zeros MUST be suppressed, letters MUST be lowercase. */
static size_t write_group(unsigned group, char *buffer) {
  size_t size = 0;
  for (int shift = 12; shift >= 0; shift -= 4) {
    if (group >> shift == 0 && shift > 0) continue;
    buffer[size++] = "0123456789abcdef"[group >> shift & 15];
  }
  return size;
}

static size_t write_octet(uint8_t octet, char *buffer) {
  size_t size = 0;
  if (octet >= 100) buffer[size++] = (char)('0' + octet / 100);
  if (octet >= 10) buffer[size++] = (char)('0' + octet / 10 % 10);
  buffer[size++] = (char)('0' + octet % 10);
  return size;
}

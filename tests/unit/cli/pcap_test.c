/* Captures made byte by byte: every link type, both byte orders, and every length field lying. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>
#include <string.h>

#include "cli/capture/pcap.h"

/* A capture under construction. */
struct capture {
  uint8_t bytes[4096];
  size_t size;
  bool big_endian;
};

static void put(struct capture *capture, const void *bytes, size_t size) {
  assert_true(size <= sizeof capture->bytes - capture->size);
  memcpy(capture->bytes + capture->size, bytes, size);
  capture->size += size;
}

static void put_uint32(struct capture *capture, uint32_t value) {
  uint8_t bytes[4];
  for (int i = 0; i < 4; ++i) bytes[i] = (uint8_t)(value >> (capture->big_endian ? 24 - 8 * i : 8 * i));
  put(capture, bytes, 4);
}

static void begin(struct capture *capture, uint32_t magic, uint32_t link_type) {
  capture->size = 0;
  put_uint32(capture, magic);
  put(capture, "\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12);
  put_uint32(capture, 65535);
  put_uint32(capture, link_type);
}

static void frame(struct capture *capture, const void *bytes, size_t captured, size_t original) {
  put_uint32(capture, 1700000000);
  put_uint32(capture, 123456);
  put_uint32(capture, (uint32_t)captured);
  put_uint32(capture, (uint32_t)original);
  put(capture, bytes, captured);
}

/* Reads from a heap block of exactly that size, so that a sanitizer sees every step outside. */
static enum pcap_result first(const struct capture *capture, struct pcap_datagram *datagram, uint8_t payload[64]) {
  uint8_t *exact = malloc(capture->size > 0 ? capture->size : 1);
  assert_non_null(exact);
  memcpy(exact, capture->bytes, capture->size);
  struct pcap pcap;
  enum pcap_result result = pcap_open(&pcap, exact, capture->size);
  if (result == PCAP_OK) result = pcap_next(&pcap, datagram);
  if (result == PCAP_OK) {
    assert_true(datagram->frame.size <= 64);
    memcpy(payload, datagram->frame.data, datagram->frame.size);
  }
  free(exact);
  return result;
}

#define MICRO 0xa1b2c3d4u
#define NANO 0xa1b23c4du

#define ETHERNET "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
/* 192.0.2.1:49152 to 192.0.2.2:5683 with the datagram 40 01 7d 34. */
#define IPV4 "\x45\x00\x00\x20\x00\x00\x00\x00\x40\x11\x00\x00\xc0\x00\x02\x01\xc0\x00\x02\x02"
#define UDP "\xc0\x00\x16\x33\x00\x0c\x00\x00\x40\x01\x7d\x34"
/* 2001:db8::1 to ff02::fd. */
#define IPV6_ADDRESSES                                               \
  "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" \
  "\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xfd"
#define IPV6 "\x60\x00\x00\x00\x00\x0c\x11\x40" IPV6_ADDRESSES
#define SIZE(text) (sizeof(text) - 1)

static void assert_read(const struct capture *capture, uint16_t family) {
  struct pcap_datagram datagram;
  uint8_t payload[64];
  assert_int_equal(first(capture, &datagram, payload), PCAP_OK);
  assert_int_equal(datagram.frame.source.family, family);
  assert_int_equal(datagram.frame.source.port, 49152);
  assert_int_equal(datagram.frame.destination.port, 5683);
  assert_int_equal(datagram.number, 1);
  assert_int_equal(datagram.frame.missing, 0);
  assert_int_equal(datagram.frame.size, 4);
  assert_memory_equal(payload, "\x40\x01\x7d\x34", 4);
  if (family == COPAL_FAMILY_IPV4) {
    assert_memory_equal(datagram.frame.source.bytes, "\xc0\x00\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_memory_equal(datagram.frame.destination.bytes, "\xc0\x00\x02\x02", 4);
  } else {
    assert_memory_equal(datagram.frame.source.bytes, IPV6_ADDRESSES, 16);
    assert_memory_equal(datagram.frame.destination.bytes, &IPV6_ADDRESSES[16], 16);
  }
}

static void every_link_type_is_read(void **state) {
  (void)state;
  static const struct {
    uint32_t link_type;
    const char *bytes;
    size_t size;
    uint16_t family;
  } cases[] = {
#define CASE(link, bytes, family) {link, bytes, SIZE(bytes), family}
      CASE(1, ETHERNET "\x08\x00" IPV4 UDP, COPAL_FAMILY_IPV4),
      CASE(1, ETHERNET "\x86\xdd" IPV6 UDP, COPAL_FAMILY_IPV6),
      CASE(1, ETHERNET "\x81\x00\x00\x05\x08\x00" IPV4 UDP, COPAL_FAMILY_IPV4),
      CASE(1, ETHERNET "\x88\xa8\x00\x05\x81\x00\x00\x06\x86\xdd" IPV6 UDP, COPAL_FAMILY_IPV6),
      CASE(1, ETHERNET "\x08\x00" IPV4 UDP "\0\0\0\0\0\0", COPAL_FAMILY_IPV4), /* padded to 60 bytes */
      CASE(113, "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00\x08\x00" IPV4 UDP, COPAL_FAMILY_IPV4),
      CASE(276, "\x86\xdd\x00\x00\x00\x00\x00\x01\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00" IPV6 UDP,
           COPAL_FAMILY_IPV6),
      CASE(0, "\x02\x00\x00\x00" IPV4 UDP, COPAL_FAMILY_IPV4),
      CASE(108, "\x00\x00\x00\x1e" IPV6 UDP, COPAL_FAMILY_IPV6),
      CASE(101, IPV4 UDP, COPAL_FAMILY_IPV4),
      CASE(101, IPV6 UDP, COPAL_FAMILY_IPV6),
      CASE(12, IPV4 UDP, COPAL_FAMILY_IPV4),
      CASE(228, IPV4 UDP, COPAL_FAMILY_IPV4),
      CASE(229, IPV6 UDP, COPAL_FAMILY_IPV6),
#undef CASE
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    for (int variant = 0; variant < 4; ++variant) {
      struct capture capture = {.big_endian = variant & 1};
      begin(&capture, variant & 2 ? NANO : MICRO, cases[i].link_type);
      frame(&capture, cases[i].bytes, cases[i].size, cases[i].size);
      assert_read(&capture, cases[i].family);
    }
  }
}

static void time_is_read_in_both_resolutions(void **state) {
  (void)state;
  struct pcap_datagram datagram;
  uint8_t payload[64];
  struct capture capture = {.size = 0};
  begin(&capture, MICRO, 101);
  frame(&capture, IPV4 UDP, SIZE(IPV4 UDP), SIZE(IPV4 UDP));
  assert_int_equal(first(&capture, &datagram, payload), PCAP_OK);
  assert_int_equal(datagram.seconds, 1700000000);
  assert_int_equal(datagram.nanoseconds, 123456000);
  begin(&capture, NANO, 101);
  frame(&capture, IPV4 UDP, SIZE(IPV4 UDP), SIZE(IPV4 UDP));
  assert_int_equal(first(&capture, &datagram, payload), PCAP_OK);
  assert_int_equal(datagram.nanoseconds, 123456);
}

/* RFC 8200 4: extension headers stand between the IPv6 header and UDP. */
static void extension_headers_are_skipped(void **state) {
  (void)state;
  static const char *const chains[] = {
      "\x00"
      "\x11\x00\x01\x04\x00\x00\x00\x00", /* hop by hop */
      "\x3c"
      "\x2b\x00\x01\x04\x00\x00\x00\x00"
      "\x11\x00\x00\x00\x00\x00\x00\x00", /* two */
      "\x3c"
      "\x11\x01\x01\x0c\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00", /* a long one */
      "\x2c"
      "\x11\x00\x00\x00\x00\x00\x00\x07"
      "", /* atomic */
      "\x33"
      "\x11\x01\x00\x00\x00\x00\x00\x01"
      "\x00\x00\x00\x01", /* authentication */
  };
  static const size_t sizes[] = {8, 16, 16, 8, 12};
  for (size_t i = 0; i < sizeof chains / sizeof chains[0]; ++i) {
    uint8_t bytes[128] = "\x60\x00\x00\x00\x00\x00\x00\x40";
    bytes[5] = (uint8_t)(sizes[i] + 12);
    bytes[6] = (uint8_t)chains[i][0];
    memcpy(bytes + 8, IPV6_ADDRESSES, 32);
    memcpy(bytes + 40, chains[i] + 1, sizes[i]);
    memcpy(bytes + 40 + sizes[i], UDP, SIZE(UDP));
    struct capture capture = {.size = 0};
    begin(&capture, MICRO, 101);
    frame(&capture, bytes, 40 + sizes[i] + SIZE(UDP), 40 + sizes[i] + SIZE(UDP));
    assert_read(&capture, COPAL_FAMILY_IPV6);
  }
}

static void what_is_no_whole_udp_datagram_is_skipped(void **state) {
  (void)state;
  static const struct {
    const char *why;
    size_t at;
    uint8_t value;
  } changes[] = {
      {"TCP", 9, 6},
      {"more fragments", 6, 0x20},
      {"a later fragment", 7, 1},
      {"an IPv4 header below its minimum", 0, 0x44},
      {"an IPv4 header beyond its packet", 0, 0x4f},
      {"IP version 5", 0, 0x55},
      {"an IPv4 total below its header", 3, 19},
      {"an IPv4 total beyond the frame", 2, 1},
      {"a UDP length below its header", 20 + 5, 7},
      {"a UDP length beyond the packet", 20 + 4, 1},
  };
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; ++i) {
    uint8_t bytes[SIZE(IPV4 UDP)];
    memcpy(bytes, IPV4 UDP, sizeof bytes);
    bytes[changes[i].at] = changes[i].value;
    struct capture capture = {.size = 0};
    begin(&capture, MICRO, 101);
    frame(&capture, bytes, sizeof bytes, sizeof bytes);
    frame(&capture, IPV4 UDP, sizeof bytes, sizeof bytes);
    struct pcap pcap;
    struct pcap_datagram datagram;
    assert_int_equal(pcap_open(&pcap, capture.bytes, capture.size), PCAP_OK);
    if (pcap_next(&pcap, &datagram) != PCAP_OK || datagram.number != 2) fail_msg("%s was read", changes[i].why);
    assert_int_equal(pcap_next(&pcap, &datagram), PCAP_END);
    assert_int_equal(pcap.frames, 2);
    assert_int_equal(pcap.skipped, 1);
  }
}

static void a_true_ipv6_fragment_is_skipped(void **state) {
  (void)state;
  struct capture capture = {.size = 0};
  struct pcap_datagram datagram;
  uint8_t payload[64];
  static const char bytes[] = "\x60\x00\x00\x00\x00\x14\x2c\x40" IPV6_ADDRESSES "\x11\x00\x00\x01\x00\x00\x00\x07" UDP;
  begin(&capture, MICRO, 101);
  frame(&capture, bytes, SIZE(bytes), SIZE(bytes));
  assert_int_equal(first(&capture, &datagram, payload), PCAP_END);
}

static void a_datagram_cut_off_by_the_capture_says_how_much_is_missing(void **state) {
  (void)state;
  struct capture capture = {.size = 0};
  struct pcap_datagram datagram;
  uint8_t payload[64];
  begin(&capture, MICRO, 1);
  static const char bytes[] = ETHERNET "\x08\x00" IPV4 UDP "\0\0\0\0\0\0";
  frame(&capture, bytes, SIZE(bytes) - 9, SIZE(bytes)); /* 6 of padding and 3 of the datagram */
  assert_int_equal(first(&capture, &datagram, payload), PCAP_OK);
  assert_int_equal(datagram.frame.size, 1);
  assert_int_equal(datagram.frame.missing, 3);
}

static void an_empty_capture_ends_at_once(void **state) {
  (void)state;
  struct capture capture = {.size = 0};
  struct pcap_datagram datagram;
  uint8_t payload[64];
  begin(&capture, MICRO, 1);
  assert_int_equal(first(&capture, &datagram, payload), PCAP_END);
}

static void other_files_are_told_apart(void **state) {
  (void)state;
  struct pcap pcap;
  assert_int_equal(pcap_open(&pcap, (const uint8_t *)"", 0), PCAP_NOT_PCAP);
  assert_int_equal(pcap_open(&pcap, (const uint8_t *)"text, and more of it than a header", 34), PCAP_NOT_PCAP);

  struct capture capture = {.size = 0};
  begin(&capture, MICRO, 105);
  assert_int_equal(pcap_open(&pcap, capture.bytes, capture.size), PCAP_LINK_TYPE);
}

static void a_frame_length_beyond_the_file_ends_the_capture(void **state) {
  (void)state;
  static const uint32_t lengths[] = {33, 0x7fffffff, 0xfffffff0u, 0xffffffffu};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
    struct capture capture = {.size = 0};
    struct pcap_datagram datagram;
    uint8_t payload[64];
    begin(&capture, MICRO, 101);
    put_uint32(&capture, 0);
    put_uint32(&capture, 0);
    put_uint32(&capture, lengths[i]);
    put_uint32(&capture, lengths[i]);
    put(&capture, IPV4 UDP, SIZE(IPV4 UDP));
    assert_int_equal(first(&capture, &datagram, payload), PCAP_CUT);
  }
}

/* Cut at every byte, a capture of one frame is CUT or at its END, never a datagram. */
static void a_file_cut_anywhere_is_never_read_past_its_end(void **state) {
  (void)state;
  struct capture capture = {.size = 0};
  struct pcap_datagram datagram;
  uint8_t payload[64];
  begin(&capture, MICRO, 1);
  static const char bytes[] = ETHERNET "\x81\x00\x00\x05\x86\xdd" IPV6 UDP;
  frame(&capture, bytes, SIZE(bytes), SIZE(bytes));
  size_t whole = capture.size;
  for (capture.size = 0; capture.size < whole; ++capture.size) {
    enum pcap_result expected = capture.size < 4 ? PCAP_NOT_PCAP : capture.size == 24 ? PCAP_END : PCAP_CUT;
    assert_int_equal(first(&capture, &datagram, payload), expected);
  }
}

/* Frames shortened to every size, with their true size still said: whatever is read lies in the frame. */
static void a_frame_cut_anywhere_is_never_read_past_its_end(void **state) {
  (void)state;
  static const char bytes[] = ETHERNET "\x08\x00" IPV4 UDP;
  for (size_t captured = 0; captured < SIZE(bytes); ++captured) {
    struct capture capture = {.size = 0};
    struct pcap_datagram datagram;
    uint8_t payload[64];
    begin(&capture, MICRO, 1);
    frame(&capture, bytes, captured, SIZE(bytes));
    enum pcap_result result = first(&capture, &datagram, payload);
    bool has_udp = captured >= SIZE(bytes) - 4;
    assert_int_equal(result, has_udp ? PCAP_OK : PCAP_END);
    if (has_udp) assert_int_equal(datagram.frame.size + datagram.frame.missing, 4);
  }
}

/* Every byte of a good capture, changed to every value: the reader ends, and stays inside. */
static void any_byte_may_lie(void **state) {
  (void)state;
  static const char bytes[] = ETHERNET
      "\x81\x00\x00\x05\x86\xdd"
      "\x60\x00\x00\x00\x00\x14\x00\x40" IPV6_ADDRESSES "\x11\x00\x01\x04\x00\x00\x00\x00" UDP;
  struct capture capture = {.size = 0};
  begin(&capture, MICRO, 1);
  frame(&capture, bytes, SIZE(bytes), SIZE(bytes));
  size_t read = 0;
  for (size_t at = 0; at < capture.size; ++at) {
    uint8_t kept = capture.bytes[at];
    for (int value = 0; value < 256; ++value) {
      struct pcap_datagram datagram;
      uint8_t payload[64];
      capture.bytes[at] = (uint8_t)value;
      if (first(&capture, &datagram, payload) == PCAP_OK) ++read;
    }
    capture.bytes[at] = kept;
  }
  assert_true(read > capture.size); /* most addresses and times may be anything */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_link_type_is_read),
      cmocka_unit_test(time_is_read_in_both_resolutions),
      cmocka_unit_test(extension_headers_are_skipped),
      cmocka_unit_test(what_is_no_whole_udp_datagram_is_skipped),
      cmocka_unit_test(a_true_ipv6_fragment_is_skipped),
      cmocka_unit_test(a_datagram_cut_off_by_the_capture_says_how_much_is_missing),
      cmocka_unit_test(an_empty_capture_ends_at_once),
      cmocka_unit_test(other_files_are_told_apart),
      cmocka_unit_test(a_frame_length_beyond_the_file_ends_the_capture),
      cmocka_unit_test(a_file_cut_anywhere_is_never_read_past_its_end),
      cmocka_unit_test(a_frame_cut_anywhere_is_never_read_past_its_end),
      cmocka_unit_test(any_byte_may_lie),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

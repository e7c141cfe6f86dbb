/* pcapng captures made block by block: both byte orders, several sections and interfaces, clocks, and lengths that lie.
 */
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

/* 192.0.2.1:49152 to 192.0.2.2:5683 with the datagram 40 01 7d 34. */
static const uint8_t packet[] = {0x45, 0, 0, 0x20, 0,    0,    0x40, 0,    64, 17, 0, 0, 192,  0,    2,    1,
                                 192,  0, 2, 2,    0xc0, 0x00, 0x16, 0x33, 0,  12, 0, 0, 0x40, 0x01, 0x7d, 0x34};

/* A capture under construction. */
struct capture {
  uint8_t bytes[4096];
  size_t size, block;
  bool big_endian;
};

static void put(struct capture *capture, const void *bytes, size_t size) {
  assert_true(size <= sizeof capture->bytes - capture->size);
  memcpy(capture->bytes + capture->size, bytes, size);
  capture->size += size;
}

static void put_number(struct capture *capture, uint64_t value, int size) {
  uint8_t bytes[8];
  for (int i = 0; i < size; ++i) bytes[i] = (uint8_t)(value >> (capture->big_endian ? 8 * (size - 1 - i) : 8 * i));
  put(capture, bytes, (size_t)size);
}

static void begin_block(struct capture *capture, uint32_t type) {
  capture->block = capture->size;
  put_number(capture, type, 4);
  put_number(capture, 0, 4);
}

static void end_block(struct capture *capture) {
  while (capture->size % 4 != 0) put(capture, "", 1);
  size_t size = capture->size + 4 - capture->block, end = capture->size;
  put_number(capture, size, 4);
  capture->size = capture->block + 4;
  put_number(capture, size, 4);
  capture->size = end + 4;
}

static void section(struct capture *capture, bool big_endian) {
  capture->big_endian = big_endian;
  begin_block(capture, 0x0a0d0d0a);
  put_number(capture, 0x1a2b3c4d, 4);
  put_number(capture, 1, 2);
  put_number(capture, 0, 2);
  put_number(capture, UINT64_MAX, 8);
  end_block(capture);
}

/* resolution 0: without the option, so microseconds. */
static void interface(struct capture *capture, uint32_t link_type, uint8_t resolution, int64_t offset) {
  begin_block(capture, 1);
  put_number(capture, link_type, 2);
  put_number(capture, 0, 2);
  put_number(capture, 65535, 4);
  put_number(capture, 2, 2); /* if_name */
  put_number(capture, 3, 2);
  put(capture, "lo0", 4);
  if (resolution != 0) {
    put_number(capture, 9, 2);
    put_number(capture, 1, 2);
    put(capture, &resolution, 1);
    put(capture, "\0\0", 3);
  }
  put_number(capture, 14, 2);
  put_number(capture, 8, 2);
  put_number(capture, (uint64_t)offset, 8);
  put_number(capture, 0, 4);
  end_block(capture);
}

static void enhanced(struct capture *capture, uint32_t number, uint64_t time) {
  begin_block(capture, 6);
  put_number(capture, number, 4);
  put_number(capture, time >> 32, 4);
  put_number(capture, time & UINT32_MAX, 4);
  put_number(capture, sizeof packet, 4);
  put_number(capture, sizeof packet, 4);
  put(capture, packet, sizeof packet);
  end_block(capture);
}

/* Reads from a heap block of exactly that size, so that a sanitizer sees every step outside. Returns how it ends. */
static enum pcap_result read_all(const struct capture *capture, struct pcap *pcap, struct pcap_datagram *last,
                                 uint32_t *count) {
  uint8_t *exact = malloc(capture->size > 0 ? capture->size : 1);
  assert_non_null(exact);
  memcpy(exact, capture->bytes, capture->size);
  *count = 0;
  enum pcap_result result = pcap_open(pcap, exact, capture->size);
  for (struct pcap_datagram next; result == PCAP_OK && (result = pcap_next(pcap, &next)) == PCAP_OK; ++*count) {
    assert_int_equal(next.frame.size, 4);
    assert_memory_equal(next.frame.data, "\x40\x01\x7d\x34", 4);
    assert_int_equal(next.frame.source.port, 49152);
    *last = next;
  }
  free(exact);
  return result;
}

static void frames_of_both_byte_orders_are_read(void **state) {
  (void)state;
  for (int big_endian = 0; big_endian < 2; ++big_endian) {
    static const struct {
      uint8_t resolution;
      int64_t offset;
      uint64_t time, seconds;
      uint32_t nanoseconds;
    } clocks[] = {
        {0, 0, 1700000000123456, 1700000000, 123456000},     {6, 3600, 1700000000123456, 1700003600, 123456000},
        {9, -1, 1700000000123456789, 1699999999, 123456789}, {0x81, 0, 3400000001, 1700000000, 500000000},
        {99, 0, 1700000000123456, 1700000000, 123456000},
    };
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; ++i) {
      static struct pcap pcap;
      struct capture capture = {.size = 0};
      struct pcap_datagram datagram;
      uint32_t count;
      section(&capture, big_endian != 0);
      interface(&capture, 101, clocks[i].resolution, clocks[i].offset);
      enhanced(&capture, 0, clocks[i].time);
      assert_int_equal(read_all(&capture, &pcap, &datagram, &count), PCAP_END);
      assert_int_equal(count, 1);
      assert_int_equal(datagram.seconds, clocks[i].seconds);
      assert_true(datagram.nanoseconds + 2 >= clocks[i].nanoseconds &&
                  datagram.nanoseconds <= clocks[i].nanoseconds + 2);
    }
  }
}

static void each_section_has_interfaces_of_its_own(void **state) {
  (void)state;
  static struct pcap pcap;
  struct capture capture = {.size = 0};
  struct pcap_datagram datagram;
  uint32_t count;
  section(&capture, false);
  interface(&capture, 105, 0, 0); /* IEEE 802.11: not read */
  interface(&capture, 101, 0, 0);
  enhanced(&capture, 0, 0);
  enhanced(&capture, 1, 0);
  enhanced(&capture, 2, 0); /* of no interface */
  section(&capture, true);
  interface(&capture, 101, 0, 0);
  enhanced(&capture, 0, 0);
  enhanced(&capture, 1, 0);
  assert_int_equal(read_all(&capture, &pcap, &datagram, &count), PCAP_END);
  assert_int_equal(count, 2);
  assert_int_equal(datagram.number, 4);
  assert_int_equal(pcap.frames, 5);
  assert_int_equal(pcap.skipped, 3);
}

static void more_interfaces_than_there_is_room_for_are_passed_over(void **state) {
  (void)state;
  static struct pcap pcap;
  struct capture capture = {.size = 0};
  struct pcap_datagram datagram;
  uint32_t count;
  section(&capture, false);
  for (int i = 0; i < PCAP_INTERFACES_MAX + 2; ++i) {
    begin_block(&capture, 1);
    put_number(&capture, 101, 4);
    put_number(&capture, 0, 4);
    end_block(&capture);
  }
  enhanced(&capture, PCAP_INTERFACES_MAX - 1, 0);
  enhanced(&capture, PCAP_INTERFACES_MAX, 0);
  assert_int_equal(read_all(&capture, &pcap, &datagram, &count), PCAP_END);
  assert_int_equal(count, 1);
}

static void simple_obsolete_and_unknown_blocks_are_read_or_passed_over(void **state) {
  (void)state;
  static struct pcap pcap;
  struct capture capture = {.size = 0};
  struct pcap_datagram datagram;
  uint32_t count;
  section(&capture, true);
  interface(&capture, 101, 0, 0);
  begin_block(&capture, 3);
  put_number(&capture, sizeof packet, 4);
  put(&capture, packet, sizeof packet);
  end_block(&capture);
  begin_block(&capture, 5); /* statistics */
  put_number(&capture, 0, 8);
  end_block(&capture);
  begin_block(&capture, 2);
  put_number(&capture, 0, 2);
  put_number(&capture, 77, 2);
  put_number(&capture, 0, 8);
  put_number(&capture, sizeof packet, 4);
  put_number(&capture, sizeof packet, 4);
  put(&capture, packet, sizeof packet);
  end_block(&capture);
  assert_int_equal(read_all(&capture, &pcap, &datagram, &count), PCAP_END);
  assert_int_equal(count, 2);
}

/* Cut at every byte, it ends with what was whole; only between blocks is that no damage. */
static void a_capture_that_is_cut_off_says_so(void **state) {
  (void)state;
  static struct pcap pcap;
  struct capture capture = {.size = 0};
  struct pcap_datagram datagram;
  uint32_t count;
  section(&capture, false);
  size_t first = capture.size;
  interface(&capture, 101, 0, 0);
  size_t second = capture.size;
  enhanced(&capture, 0, 0);
  for (size_t size = 4; size < capture.size; ++size) {
    struct capture part = capture;
    part.size = size;
    bool is_whole = size == first || size == second;
    assert_int_equal(read_all(&part, &pcap, &datagram, &count), is_whole ? PCAP_END : PCAP_CUT);
    assert_int_equal(count, 0);
  }
}

/* Every 32 bits of it replaced by what no length may be: whatever is read is the packet, and reading ends. */
static void lengths_that_lie_lead_nowhere(void **state) {
  (void)state;
  static const uint32_t lies[] = {0, 1, 4, 11, 12, 13, 0x7ffffffc, 0xfffffffc, 0xffffffff};
  static struct pcap pcap;
  struct capture capture = {.size = 0};
  section(&capture, false);
  interface(&capture, 101, 9, 0);
  size_t end = capture.size + 28;
  enhanced(&capture, 0, 0);
  for (size_t at = 0; at < end; at += 4) {
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; ++i) {
      struct capture lying = capture;
      struct pcap_datagram datagram;
      uint32_t count;
      lying.size = at;
      put_number(&lying, lies[i], 4);
      lying.size = capture.size;
      assert_int_not_equal(read_all(&lying, &pcap, &datagram, &count), PCAP_OK);
      assert_true(count <= 1);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frames_of_both_byte_orders_are_read),
      cmocka_unit_test(each_section_has_interfaces_of_its_own),
      cmocka_unit_test(more_interfaces_than_there_is_room_for_are_passed_over),
      cmocka_unit_test(simple_obsolete_and_unknown_blocks_are_read_or_passed_over),
      cmocka_unit_test(a_capture_that_is_cut_off_says_so),
      cmocka_unit_test(lengths_that_lie_lead_nowhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is recorded is read back: addresses, ports, bytes, times, and checksums that are right. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/capture/pcap.h"
#include "cli/capture/record.h"
#include "cli/capture/whole.h"

static const char path[] = "record_test.pcap";

static copal_address parse(const char *text, uint16_t port) {
  copal_address address;
  assert_int_equal(copal_address_parse(text, port, &address), COPAL_OK);
  return address;
}

/* Whether 16-bit words and a pseudo header add up to what RFC 1071 wants of a whole packet: all ones. */
static bool adds_up(uint32_t start, const uint8_t *bytes, size_t size) {
  uint64_t sum = start;
  for (size_t i = 0; i < size; ++i) sum += (uint64_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

static void checksums_are_right(void **state) {
  (void)state;
  static uint8_t packet[RECORD_PACKET_MAX], payload[RECORD_PAYLOAD_MAX + 20];
  for (size_t i = 0; i < sizeof payload; ++i) payload[i] = (uint8_t)(255 - i % 7);
  const size_t sizes[] = {0, 1, 2, 3, 4, 1001, 65000, RECORD_PAYLOAD_MAX, sizeof payload};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    size_t carried = sizes[i] < RECORD_PAYLOAD_MAX ? sizes[i] : RECORD_PAYLOAD_MAX;
    copal_bytes bytes = {payload, sizes[i]};
    copal_address from = parse("192.0.2.1", 49152), to = parse("192.0.2.2", 5683);
    assert_int_equal(record_packet(&from, &to, bytes, packet), 28 + carried);
    assert_true(adds_up(0, packet, 20));
    assert_true(adds_up(17 + (uint32_t)carried + 8, packet + 12, 8 + 8 + carried));
    from = parse("2001:db8::1", 49152);
    to = parse("ff02::fd", 5683);
    assert_int_equal(record_packet(&from, &to, bytes, packet), 48 + carried);
    assert_true(adds_up(17 + (uint32_t)carried + 8, packet + 8, 32 + 8 + carried));
  }
}

/* What was recorded last, read. */
static uint32_t read_back(struct pcap_datagram *last, uint8_t **data) {
  struct pcap pcap;
  size_t size;
  uint32_t count = 0;
  assert_true(whole_read("test", path, 1 << 20, data, &size));
  assert_int_equal(pcap_open(&pcap, *data, size), PCAP_OK);
  for (struct pcap_datagram datagram; pcap_next(&pcap, &datagram) == PCAP_OK; ++count) *last = datagram;
  assert_int_equal(pcap.frames, count);
  return count;
}

static copal_trace event_of(copal_trace_kind kind, const copal_address *remote, const copal_address *local) {
  copal_trace event = {.time = copal_now(), .kind = kind};
  event.datagram = (copal_datagram){.data = (const uint8_t *)"\x40\x01\x7d\x34", .size = 4};
  event.datagram.path.remote = *remote;
  if (local != NULL) event.datagram.path.local = *local;
  return event;
}

/* Each is in the file before the next one comes. */
static void what_is_recorded_is_read_back_at_once(void **state) {
  (void)state;
  static struct record record;
  struct pcap_datagram datagram;
  uint8_t *data;
  copal_endpoint *endpoint = copal_open("coap://127.0.0.1:0", NULL);
  copal_address own, peer = parse("127.0.0.2", 5000), local = parse("127.0.0.3", 0), other = parse("2001:db8::1", 5001);
  assert_int_equal(copal_local_address(endpoint, &own), COPAL_OK);
  assert_true(record_open(&record, "test", path));

  copal_trace event = event_of(COPAL_TRACE_SENT, &peer, NULL);
  record_datagram(&record, endpoint, &event);
  assert_int_equal(read_back(&datagram, &data), 1);
  assert_true(copal_address_equal(&datagram.frame.source, &own));
  assert_true(copal_address_equal(&datagram.frame.destination, &peer));
  assert_memory_equal(datagram.frame.data, "\x40\x01\x7d\x34", 4);
  assert_true(datagram.seconds + 1 >= (uint64_t)time(NULL) - 60 && datagram.seconds <= (uint64_t)time(NULL) + 1);
  free(data);

  event = event_of(COPAL_TRACE_RECEIVED, &peer, &local);
  record_datagram(&record, endpoint, &event);
  assert_int_equal(read_back(&datagram, &data), 2);
  local.port = own.port;
  assert_true(copal_address_equal(&datagram.frame.source, &peer));
  assert_true(copal_address_equal(&datagram.frame.destination, &local));
  free(data);

  event = event_of(COPAL_TRACE_DECIDED, &peer, &local);
  record_datagram(&record, endpoint, &event);
  event = event_of(COPAL_TRACE_RECEIVED, &other, NULL);
  record_datagram(&record, endpoint, &event);
  assert_int_equal(read_back(&datagram, &data), 3);
  assert_true(copal_address_equal(&datagram.frame.source, &other));
  assert_int_equal(datagram.frame.destination.family, COPAL_FAMILY_IPV6);
  free(data);

  assert_true(record_close(&record));
  copal_close(endpoint);
  unlink(path);
}

static void the_system_tells_which_address_an_unbound_socket_sends_from(void **state) {
  (void)state;
  static struct record record;
  struct pcap_datagram datagram;
  uint8_t *data;
  copal_endpoint *endpoint = copal_open("coap://0.0.0.0:0", NULL);
  copal_address peer = parse("127.0.0.1", 5000);
  assert_true(record_open(&record, "test", path));
  copal_trace event = event_of(COPAL_TRACE_SENT, &peer, NULL);
  record_datagram(&record, endpoint, &event);
  assert_int_equal(read_back(&datagram, &data), 1);
  assert_memory_equal(datagram.frame.source.bytes, "\x7f\x00\x00\x01", 4);
  free(data);
  assert_true(record_close(&record));
  copal_close(endpoint);
  unlink(path);
}

static void a_socket_with_a_name_stands_on_the_loopback_network(void **state) {
  (void)state;
  static struct record record;
  struct pcap_datagram datagram;
  uint8_t *data;
  copal_address named = {.bytes = {7}, .family = COPAL_FAMILY_UNIX}, unnamed = {.family = COPAL_FAMILY_NONE};
  assert_true(record_open(&record, "test", path));
  copal_trace event = event_of(COPAL_TRACE_RECEIVED, &named, NULL);
  record_datagram(&record, NULL, &event);
  assert_int_equal(read_back(&datagram, &data), 1);
  assert_memory_equal(datagram.frame.source.bytes, "\x7f\x00\x00\x01", 4);
  assert_int_equal(datagram.frame.destination.port, 5683);
  assert_int_equal(datagram.frame.source.port, 49159);
  free(data);
  event = event_of(COPAL_TRACE_RECEIVED, &unnamed, NULL);
  record_datagram(&record, NULL, &event);
  assert_int_equal(read_back(&datagram, &data), 2);
  free(data);
  assert_true(record_close(&record));
  unlink(path);
}

static void a_file_that_takes_nothing_is_told_once_and_left(void **state) {
  (void)state;
  static struct record record;
  copal_address peer = parse("127.0.0.1", 5000);
  copal_trace event = event_of(COPAL_TRACE_SENT, &peer, NULL);
  assert_false(record_open(&record, "test", "/no/such/folder/file"));
  assert_true(record_open(&record, "test", "/dev/full"));
  record_datagram(&record, NULL, &event);
  assert_null(record.file);
  record_datagram(&record, NULL, &event);
  assert_false(record_close(&record));
  static struct record none;
  assert_true(record_close(&none));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checksums_are_right),
      cmocka_unit_test(what_is_recorded_is_read_back_at_once),
      cmocka_unit_test(the_system_tells_which_address_an_unbound_socket_sends_from),
      cmocka_unit_test(a_socket_with_a_name_stands_on_the_loopback_network),
      cmocka_unit_test(a_file_that_takes_nothing_is_told_once_and_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Any bytes as a frame of any kind of link, and any datagram written as a packet and read again. What is read lies in
 * the frame; what was written comes back, with its addresses. */
#undef NDEBUG
#include "cli/capture/frame.h"
#include "cli/capture/record.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINK_RAW = 101 };

static void fuzz_frame(uint8_t kind, copal_bytes bytes) {
  static const uint32_t links[] = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 105};
  uint32_t link = links[kind % (sizeof links / sizeof *links)];
  size_t missing = (kind & 128) != 0 ? kind : 0;
  struct frame frame = {.size = 0};
  bool read = frame_read(link, bytes, missing, &frame);
  if (link == 105) assert(!frame_link_known(link) && !read);
  if (!read || frame.is_fragment) return;
  assert(frame.size <= bytes.size && frame.missing <= missing);
  if (frame.size > 0) assert(frame.data >= bytes.data && frame.data + frame.size <= bytes.data + bytes.size);
  assert(frame.source.family == frame.destination.family);
  assert(frame.source.family == COPAL_FAMILY_IPV4 || frame.source.family == COPAL_FAMILY_IPV6);
}

/* The port is the last one that the input has; the addresses are its first bytes. */
static void fuzz_packet(uint8_t kind, copal_bytes bytes) {
  static uint8_t packet[RECORD_PACKET_MAX];
  copal_family family = (kind & 1) != 0 ? COPAL_FAMILY_IPV6 : COPAL_FAMILY_IPV4;
  size_t address_size = (kind & 1) != 0 ? 16 : 4;
  copal_address source = {.port = kind, .family = (uint16_t)family}, destination = source;
  if (bytes.size < 2 * address_size) return;
  memcpy(source.bytes, bytes.data, address_size);
  memcpy(destination.bytes, bytes.data + address_size, address_size);
  destination.port = 5683;
  copal_bytes payload = {bytes.data + 2 * address_size, bytes.size - 2 * address_size};
  size_t size = record_packet(&source, &destination, payload, packet);
  uint8_t *exact = exact_copy(packet, size);
  struct frame frame;
  assert(frame_read(LINK_RAW, (copal_bytes){exact, size}, 0, &frame) && !frame.is_fragment && frame.missing == 0);
  assert(frame.size == payload.size && (frame.size == 0 || memcmp(frame.data, payload.data, frame.size) == 0));
  assert(copal_address_equal(&frame.source, &source) && copal_address_equal(&frame.destination, &destination));
  free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0 || size > 2048) return 0;
  uint8_t *copy = exact_copy(data + 1, size - 1);
  fuzz_frame(data[0], (copal_bytes){copy, size - 1});
  fuzz_packet(data[0], (copal_bytes){copy, size - 1});
  free(copy);
  return 0;
}

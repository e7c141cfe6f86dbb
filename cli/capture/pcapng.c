/* The blocks of a pcapng capture (draft-ietf-opsawg-pcapng). Sections may follow one another, each in its own byte
 * order and with interfaces of its own; blocks that are not known are passed over. Knows no frame's contents. */
#include "cli/capture/pcapng.h"

#include <string.h>

enum { BLOCK_INTERFACE = 1, BLOCK_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6 };
enum { BLOCK_SIZE_MIN = 12, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

/* Of links that are not read. */
#define LINK_UNKNOWN UINT32_MAX

/* The inside of a block: what is between its head and its tail. */
struct block {
  uint32_t type;
  const uint8_t *at;
  size_t size;
};

static enum pcap_result next_block(struct pcap *pcap, struct block *block);
static void add_interface(struct pcap *pcap, const struct block *block);
static void read_options(const struct pcap *pcap, const uint8_t *at, size_t size, struct pcap_interface *interface);
static uint64_t ticks_of(uint8_t resolution);
static bool read_packet(const struct pcap *pcap, const struct block *block, struct capture_frame *frame);
static bool read_simple(const struct pcap *pcap, const struct block *block, struct capture_frame *frame);
static void read_time(const struct pcap_interface *interface, uint64_t time, struct capture_frame *frame);
static uint32_t get_uint32(const struct pcap *pcap, const uint8_t *at);
static uint32_t get_uint16(const struct pcap *pcap, const uint8_t *at);

bool pcapng_is_one(const uint8_t *data, size_t size) { return size >= 4 && memcmp(data, "\x0a\x0d\x0d\x0a", 4) == 0; }

enum pcap_result pcapng_next(struct pcap *pcap, struct capture_frame *frame) {
  struct block block;
  enum pcap_result result;
  while ((result = next_block(pcap, &block)) == PCAP_OK) {
    *frame = (struct capture_frame){.link_type = LINK_UNKNOWN};
    switch (block.type) {
      case PCAPNG_MAGIC: pcap->interfaces_count = 0; break;
      case BLOCK_INTERFACE: add_interface(pcap, &block); break;
      case BLOCK_ENHANCED:
      case BLOCK_PACKET: return read_packet(pcap, &block, frame) ? PCAP_OK : PCAP_CUT;
      case BLOCK_SIMPLE: return read_simple(pcap, &block, frame) ? PCAP_OK : PCAP_CUT;
    }
  }
  return result;
}

/* Every block is at least 12 bytes long, so the file ends. */
static enum pcap_result next_block(struct pcap *pcap, struct block *block) {
  size_t left = pcap->size - pcap->at;
  const uint8_t *at = pcap->data + pcap->at;
  if (left == 0) return PCAP_END;
  if (left < BLOCK_SIZE_MIN) return PCAP_CUT;
  if (pcapng_is_one(at, left)) {
    /* Its own number tells the byte order of all that follows. */
    if (memcmp(at + 8, "\x1a\x2b\x3c\x4d", 4) != 0 && memcmp(at + 8, "\x4d\x3c\x2b\x1a", 4) != 0) return PCAP_CUT;
    pcap->big_endian = at[8] == 0x1a;
  }
  block->type = get_uint32(pcap, at);
  uint32_t size = get_uint32(pcap, at + 4);
  if (size < BLOCK_SIZE_MIN || size % 4 != 0 || size > left) return PCAP_CUT;
  block->at = at + 8;
  block->size = size - BLOCK_SIZE_MIN;
  pcap->at += size;
  return PCAP_OK;
}

/* The number of an interface is its place: one that cannot be read keeps it. */
static void add_interface(struct pcap *pcap, const struct block *block) {
  struct pcap_interface interface = {.link_type = LINK_UNKNOWN, .ticks = 1000000};
  if (pcap->interfaces_count == PCAP_INTERFACES_MAX) return;
  if (block->size >= 8) {
    interface.link_type = get_uint16(pcap, block->at);
    read_options(pcap, block->at + 8, block->size - 8, &interface);
  }
  pcap->interfaces[pcap->interfaces_count++] = interface;
}

static void read_options(const struct pcap *pcap, const uint8_t *at, size_t size, struct pcap_interface *interface) {
  while (size >= 4) {
    uint32_t code = get_uint16(pcap, at), length = get_uint16(pcap, at + 2);
    size_t padded = 4 + (((size_t)length + 3) & ~(size_t)3);
    if (code == 0 || padded > size) return;
    if (code == OPTION_RESOLUTION && length == 1) interface->ticks = ticks_of(at[4]);
    if (code == OPTION_OFFSET && length == 8) {
      uint64_t low = get_uint32(pcap, at + (pcap->big_endian ? 8 : 4));
      uint64_t high = get_uint32(pcap, at + (pcap->big_endian ? 4 : 8));
      interface->offset = (int64_t)(high << 32 | low);
    }
    at += padded;
    size -= padded;
  }
}

/* A power of ten, or of two where the highest bit is set. What no clock has is taken for microseconds. */
static uint64_t ticks_of(uint8_t resolution) {
  uint64_t ticks = 1;
  unsigned exponent = resolution & 0x7f;
  if ((resolution & 0x80) != 0) return exponent < 64 ? (uint64_t)1 << exponent : 1000000;
  if (exponent > 18) return 1000000;
  for (unsigned i = 0; i < exponent; ++i) ticks *= 10;
  return ticks;
}

/* An enhanced packet block, or the obsolete packet block, which has a count of drops beside the interface. */
static bool read_packet(const struct pcap *pcap, const struct block *block, struct capture_frame *frame) {
  if (block->size < 20) return false;
  bool obsolete = block->type == BLOCK_PACKET;
  uint32_t number = obsolete ? get_uint16(pcap, block->at) : get_uint32(pcap, block->at);
  uint32_t captured = get_uint32(pcap, block->at + 12), original = get_uint32(pcap, block->at + 16);
  if (captured > block->size - 20) return false;
  frame->bytes = (copal_bytes){block->at + 20, captured};
  frame->missing = original > captured ? original - captured : 0;
  if (number >= pcap->interfaces_count) return true;
  const struct pcap_interface *interface = &pcap->interfaces[number];
  frame->link_type = interface->link_type;
  read_time(interface, (uint64_t)get_uint32(pcap, block->at + 4) << 32 | get_uint32(pcap, block->at + 8), frame);
  return true;
}

/* It has no time, and is of the first interface. */
static bool read_simple(const struct pcap *pcap, const struct block *block, struct capture_frame *frame) {
  if (block->size < 4) return false;
  uint32_t original = get_uint32(pcap, block->at);
  size_t captured = original < block->size - 4 ? original : block->size - 4;
  frame->bytes = (copal_bytes){block->at + 4, captured};
  frame->missing = original - captured;
  if (pcap->interfaces_count > 0) frame->link_type = pcap->interfaces[0].link_type;
  return true;
}

static void read_time(const struct pcap_interface *interface, uint64_t time, struct capture_frame *frame) {
  frame->seconds = time / interface->ticks + (uint64_t)interface->offset;
  double fraction = (double)(time % interface->ticks) / (double)interface->ticks;
  uint32_t nanoseconds = (uint32_t)(fraction * 1e9 + 0.5);
  frame->nanoseconds = nanoseconds < 1000000000 ? nanoseconds : 999999999;
}

static uint32_t get_uint32(const struct pcap *pcap, const uint8_t *at) {
  if (pcap->big_endian) return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
  return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static uint32_t get_uint16(const struct pcap *pcap, const uint8_t *at) {
  return pcap->big_endian ? (uint32_t)at[0] << 8 | at[1] : (uint32_t)at[1] << 8 | at[0];
}

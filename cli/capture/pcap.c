/* UDP datagrams out of a capture in memory: classic pcap here, pcapng's blocks in pcapng.c, frames in frame.c. */
#include "cli/capture/pcap.h"

#include <string.h>

#include "cli/capture/pcapng.h"

enum { FILE_HEADER_SIZE = 24, FRAME_HEADER_SIZE = 16 };

static bool read_magic(struct pcap *pcap);
static enum pcap_result next_frame(struct pcap *pcap, struct capture_frame *frame);
static uint32_t file_uint32(const struct pcap *pcap, size_t at);

enum pcap_result pcap_open(struct pcap *pcap, const uint8_t *data, size_t size) {
  memset(pcap, 0, sizeof *pcap);
  pcap->data = data;
  pcap->size = size;
  pcap->is_ng = pcapng_is_one(data, size);
  if (pcap->is_ng) return PCAP_OK;
  if (!read_magic(pcap)) return PCAP_NOT_PCAP;
  if (size < FILE_HEADER_SIZE) return PCAP_CUT;
  /* The upper bits tell of a frame check sequence at the end, which the lengths of IP leave out anyway. */
  pcap->interfaces[0].link_type = file_uint32(pcap, 20) & 0xffff;
  pcap->interfaces_count = 1;
  pcap->at = FILE_HEADER_SIZE;
  return frame_link_known(pcap->interfaces[0].link_type) ? PCAP_OK : PCAP_LINK_TYPE;
}

enum pcap_result pcap_next(struct pcap *pcap, struct pcap_datagram *datagram) {
  struct capture_frame frame;
  enum pcap_result result;
  while ((result = pcap->is_ng ? pcapng_next(pcap, &frame) : next_frame(pcap, &frame)) == PCAP_OK) {
    memset(datagram, 0, sizeof *datagram);
    datagram->number = ++pcap->frames;
    datagram->seconds = frame.seconds;
    datagram->nanoseconds = frame.nanoseconds;
    if (frame_read(frame.link_type, frame.bytes, frame.missing, &datagram->frame)) return PCAP_OK;
    ++pcap->skipped;
    pcap->fragments += datagram->frame.is_fragment;
  }
  return result;
}

bool pcap_is_one(const uint8_t *data, size_t size) {
  struct pcap pcap = {.data = data, .size = size};
  return pcapng_is_one(data, size) || read_magic(&pcap);
}

const char *pcap_result_text(enum pcap_result result) {
  switch (result) {
    case PCAP_OK: return "is fine";
    case PCAP_END: return "is at its end";
    case PCAP_CUT: return "is cut off or damaged";
    case PCAP_NOT_PCAP: return "is no pcap or pcapng file";
    case PCAP_LINK_TYPE: return "was captured on a kind of link that is not supported";
  }
  return "is not understood";
}

static bool read_magic(struct pcap *pcap) {
  if (pcap->size < 4) return false;
  uint64_t ticks = 1000000;
  switch (file_uint32(pcap, 0)) {
    case 0xa1b2c3d4u: break;
    case 0xa1b23c4du: ticks = 1000000000; break;
    case 0xd4c3b2a1u: pcap->big_endian = true; break;
    case 0x4d3cb2a1u:
      pcap->big_endian = true;
      ticks = 1000000000;
      break;
    default: return false;
  }
  pcap->interfaces[0].ticks = ticks;
  return true;
}

static enum pcap_result next_frame(struct pcap *pcap, struct capture_frame *frame) {
  size_t left = pcap->size - pcap->at;
  if (left == 0) return PCAP_END;
  if (left < FRAME_HEADER_SIZE) return PCAP_CUT;
  uint32_t captured = file_uint32(pcap, pcap->at + 8), original = file_uint32(pcap, pcap->at + 12);
  if (captured > left - FRAME_HEADER_SIZE) return PCAP_CUT;
  frame->link_type = pcap->interfaces[0].link_type;
  frame->seconds = file_uint32(pcap, pcap->at);
  frame->nanoseconds = file_uint32(pcap, pcap->at + 4);
  if (pcap->interfaces[0].ticks == 1000000 && frame->nanoseconds < 1000000) frame->nanoseconds *= 1000;
  if (frame->nanoseconds > 999999999) frame->nanoseconds = 999999999;
  frame->bytes = (copal_bytes){pcap->data + pcap->at + FRAME_HEADER_SIZE, captured};
  frame->missing = original > captured ? original - captured : 0;
  pcap->at += FRAME_HEADER_SIZE + (size_t)captured;
  return PCAP_OK;
}

static uint32_t file_uint32(const struct pcap *pcap, size_t at) {
  const uint8_t *byte = pcap->data + at;
  if (pcap->big_endian) {
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
  }
  return (uint32_t)byte[3] << 24 | (uint32_t)byte[2] << 16 | (uint32_t)byte[1] << 8 | byte[0];
}

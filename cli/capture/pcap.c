/* UDP datagrams out of a classic pcap capture in memory. One window of bytes shrinks from the frame to the UDP payload;
 * nothing outside it is ever read. Knows no CoAP. */
#include "cli/capture/pcap.h"

#include <string.h>

enum { FILE_HEADER_SIZE = 24, FRAME_HEADER_SIZE = 16, PROTOCOL_UDP = 17 };

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88a8 };

/* Numbers of the "LINKTYPE" list; what comes before IP in each. */
enum {
  LINK_NULL = 0,
  LINK_ETHERNET = 1,
  LINK_RAW_BSD = 12,
  LINK_RAW_OPENBSD = 14,
  LINK_RAW = 101,
  LINK_LOOP = 108,
  LINK_COOKED = 113,
  LINK_IPV4 = 228,
  LINK_IPV6 = 229,
  LINK_COOKED_2 = 276
};

/* The bytes that are left of a frame. */
struct window {
  const uint8_t *at;
  size_t size;
  size_t missing; /* that the frame had on the wire and the capture has not */
};

static bool link_known(uint32_t link_type);
static bool read_frame(const struct pcap *pcap, struct window *window, struct pcap_datagram *datagram);
static bool read_link(const struct pcap *pcap, struct window *window);
static bool read_ethertype(struct window *window, size_t header_size, size_t type_at);
static bool read_ip(struct window *window, struct pcap_datagram *datagram);
static bool read_ipv4(struct window *window, struct pcap_datagram *datagram);
static bool read_ipv6(struct window *window, struct pcap_datagram *datagram);
static bool skip_extensions(struct window *window, uint8_t next);
static bool read_udp(struct window *window, struct pcap_datagram *datagram);
static bool skip(struct window *window, size_t size);
static bool limit(struct window *window, size_t size);
static uint32_t file_uint32(const struct pcap *pcap, size_t at);
static uint32_t big_uint16(const uint8_t *at);

enum pcap_result pcap_open(struct pcap *pcap, const uint8_t *data, size_t size) {
  memset(pcap, 0, sizeof *pcap);
  pcap->data = data;
  pcap->size = size;
  if (size < 4) return PCAP_NOT_PCAP;
  switch (file_uint32(pcap, 0)) {
    case 0xa1b2c3d4u: break;
    case 0xa1b23c4du: pcap->nanoseconds = true; break;
    case 0xd4c3b2a1u: pcap->big_endian = true; break;
    case 0x4d3cb2a1u: pcap->big_endian = pcap->nanoseconds = true; break;
    case 0x0a0d0d0au: return PCAP_NEWER;
    default: return PCAP_NOT_PCAP;
  }
  if (size < FILE_HEADER_SIZE) return PCAP_CUT;
  /* The upper bits tell of a frame check sequence at the end, which the lengths of IP leave out anyway. */
  pcap->link_type = file_uint32(pcap, 20) & 0xffff;
  pcap->at = FILE_HEADER_SIZE;
  return link_known(pcap->link_type) ? PCAP_OK : PCAP_LINK_TYPE;
}

enum pcap_result pcap_next(struct pcap *pcap, struct pcap_datagram *datagram) {
  while (pcap->at < pcap->size) {
    if (pcap->size - pcap->at < FRAME_HEADER_SIZE) return PCAP_CUT;
    uint32_t captured = file_uint32(pcap, pcap->at + 8), original = file_uint32(pcap, pcap->at + 12);
    size_t left = pcap->size - pcap->at - FRAME_HEADER_SIZE;
    if (captured > left) return PCAP_CUT;
    memset(datagram, 0, sizeof *datagram);
    datagram->seconds = file_uint32(pcap, pcap->at);
    datagram->nanoseconds = file_uint32(pcap, pcap->at + 4);
    if (!pcap->nanoseconds && datagram->nanoseconds < 1000000) datagram->nanoseconds *= 1000;
    if (datagram->nanoseconds > 999999999) datagram->nanoseconds = 999999999;
    struct window window = {pcap->data + pcap->at + FRAME_HEADER_SIZE, captured, 0};
    if (original > captured) window.missing = original - captured;
    pcap->at += FRAME_HEADER_SIZE + (size_t)captured;
    datagram->frame = ++pcap->frames;
    if (read_frame(pcap, &window, datagram)) return PCAP_OK;
    ++pcap->skipped;
  }
  return PCAP_END;
}

const char *pcap_result_text(enum pcap_result result) {
  switch (result) {
    case PCAP_OK: return "is fine";
    case PCAP_END: return "is at its end";
    case PCAP_CUT: return "is cut off or damaged";
    case PCAP_NOT_PCAP: return "is no pcap file";
    case PCAP_NEWER: return "is a pcapng file: convert it with \"editcap -F pcap\" or \"tcpdump -r FILE -w FILE\"";
    case PCAP_LINK_TYPE: return "was captured on a kind of link that is not supported";
  }
  return "is not understood";
}

static bool link_known(uint32_t link_type) {
  switch (link_type) {
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_LOOP:
    case LINK_COOKED:
    case LINK_IPV4:
    case LINK_IPV6:
    case LINK_COOKED_2: return true;
    default: return false;
  }
}

static bool read_frame(const struct pcap *pcap, struct window *window, struct pcap_datagram *datagram) {
  if (!read_link(pcap, window)) return false;
  if (!read_ip(window, datagram)) return false;
  if (!read_udp(window, datagram)) return false;
  datagram->data = window->at;
  datagram->size = window->size;
  datagram->missing = window->missing;
  return true;
}

static bool read_link(const struct pcap *pcap, struct window *window) {
  switch (pcap->link_type) {
    case LINK_ETHERNET: return read_ethertype(window, 14, 12);
    case LINK_COOKED: return read_ethertype(window, 16, 14);
    case LINK_COOKED_2: return read_ethertype(window, 20, 0);
    /* An address family, whose number differs from system to system: the IP version says as much. */
    case LINK_NULL:
    case LINK_LOOP: return skip(window, 4);
    default: return true;
  }
}

static bool read_ethertype(struct window *window, size_t header_size, size_t type_at) {
  if (window->size < header_size) return false;
  uint32_t type = big_uint16(window->at + type_at);
  if (!skip(window, header_size)) return false;
  while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) {
    if (window->size < 4) return false;
    type = big_uint16(window->at + 2);
    if (!skip(window, 4)) return false;
  }
  return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6;
}

static bool read_ip(struct window *window, struct pcap_datagram *datagram) {
  if (window->size == 0) return false;
  uint8_t version = window->at[0] >> 4;
  if (version == 4) return read_ipv4(window, datagram);
  return version == 6 && read_ipv6(window, datagram);
}

static bool read_ipv4(struct window *window, struct pcap_datagram *datagram) {
  if (window->size < 20) return false;
  const uint8_t *header = window->at;
  size_t header_size = (size_t)(header[0] & 15) * 4;
  size_t total = big_uint16(header + 2);
  bool fragment = (big_uint16(header + 6) & 0x3fff) != 0; /* more to come, or not the first */
  if (header_size < 20 || header[9] != PROTOCOL_UDP || fragment) return false;
  /* A card that splits packets itself shows them with a total of 0: then the frame's size is all there is. */
  if (total != 0 && !limit(window, total)) return false;
  datagram->source.family = datagram->destination.family = COPAL_FAMILY_IPV4;
  memcpy(datagram->source.bytes, header + 12, 4);
  memcpy(datagram->destination.bytes, header + 16, 4);
  return skip(window, header_size);
}

static bool read_ipv6(struct window *window, struct pcap_datagram *datagram) {
  if (window->size < 40) return false;
  const uint8_t *header = window->at;
  size_t payload = big_uint16(header + 4);
  datagram->source.family = datagram->destination.family = COPAL_FAMILY_IPV6;
  memcpy(datagram->source.bytes, header + 8, 16);
  memcpy(datagram->destination.bytes, header + 24, 16);
  if (!skip(window, 40)) return false;
  if (payload != 0 && !limit(window, payload)) return false;
  return skip_extensions(window, header[6]);
}

/* RFC 8200 4: extension headers before UDP; every one takes bytes from the window, so the loop ends. */
static bool skip_extensions(struct window *window, uint8_t next) {
  enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION = 60 };
  while (next != PROTOCOL_UDP) {
    if (window->size < 8) return false;
    const uint8_t *header = window->at;
    size_t size;
    switch (next) {
      case HOP_BY_HOP:
      case ROUTING:
      case DESTINATION: size = ((size_t)header[1] + 1) * 8; break;
      case AUTHENTICATION: size = ((size_t)header[1] + 2) * 4; break;
      case FRAGMENT:
        if ((big_uint16(header + 2) & 0xfff9) != 0) return false; /* all but the reserved bits: a true fragment */
        size = 8;
        break;
      default: return false;
    }
    next = header[0];
    if (!skip(window, size)) return false;
  }
  return true;
}

static bool read_udp(struct window *window, struct pcap_datagram *datagram) {
  if (window->size < 8) return false;
  const uint8_t *header = window->at;
  size_t size = big_uint16(header + 4);
  datagram->source.port = (uint16_t)big_uint16(header);
  datagram->destination.port = (uint16_t)big_uint16(header + 2);
  if (size != 0 && !limit(window, size)) return false;
  return skip(window, 8);
}

static bool skip(struct window *window, size_t size) {
  if (window->size < size) return false;
  window->at += size;
  window->size -= size;
  return true;
}

/* A length field says how long the window really is. Bytes that the capture lacks are missing only where the field
 * counts them; bytes beyond it are padding. False when the field contradicts what the frame had on the wire. */
static bool limit(struct window *window, size_t size) {
  if (size <= window->size) {
    window->size = size;
    window->missing = 0;
    return true;
  }
  if (size - window->size > window->missing) return false;
  window->missing = size - window->size;
  return true;
}

static uint32_t file_uint32(const struct pcap *pcap, size_t at) {
  const uint8_t *byte = pcap->data + at;
  if (pcap->big_endian) {
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
  }
  return (uint32_t)byte[3] << 24 | (uint32_t)byte[2] << 16 | (uint32_t)byte[1] << 8 | byte[0];
}

static uint32_t big_uint16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

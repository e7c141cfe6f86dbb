/* The UDP datagram in a captured frame. One window of bytes shrinks from the frame to the UDP payload; nothing outside
 * it is ever read. Knows no file format and no CoAP. */
#include "cli/capture/frame.h"

#include <string.h>

enum { PROTOCOL_UDP = 17 };

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

static bool read_link(uint32_t link_type, struct window *window);
static bool read_ethertype(struct window *window, size_t header_size, size_t type_at);
static bool read_ip(struct window *window, struct frame *frame);
static bool read_ipv4(struct window *window, struct frame *frame);
static bool read_ipv6(struct window *window, struct frame *frame);
static bool skip_extensions(struct window *window, struct frame *frame, uint8_t next);
static bool read_udp(struct window *window, struct frame *frame);
static bool skip(struct window *window, size_t size);
static bool limit(struct window *window, size_t size);
static uint32_t big_uint16(const uint8_t *at);

bool frame_link_known(uint32_t link_type) {
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

bool frame_read(uint32_t link_type, copal_bytes bytes, size_t missing, struct frame *frame) {
  struct window window = {bytes.data, bytes.size, missing};
  *frame = (struct frame){.is_fragment = false};
  if (!frame_link_known(link_type) || !read_link(link_type, &window)) return false;
  if (!read_ip(&window, frame) || !read_udp(&window, frame)) return false;
  frame->data = window.at;
  frame->size = window.size;
  frame->missing = window.missing;
  return true;
}

static bool read_link(uint32_t link_type, struct window *window) {
  switch (link_type) {
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

static bool read_ip(struct window *window, struct frame *frame) {
  if (window->size == 0) return false;
  uint8_t version = window->at[0] >> 4;
  if (version == 4) return read_ipv4(window, frame);
  return version == 6 && read_ipv6(window, frame);
}

static bool read_ipv4(struct window *window, struct frame *frame) {
  if (window->size < 20) return false;
  const uint8_t *header = window->at;
  size_t header_size = (size_t)(header[0] & 15) * 4;
  size_t total = big_uint16(header + 2);
  bool fragment = (big_uint16(header + 6) & 0x3fff) != 0; /* more to come, or not the first */
  if (header_size < 20 || header[9] != PROTOCOL_UDP) return false;
  frame->is_fragment = fragment;
  if (fragment) return false;
  /* A card that splits packets itself shows them with a total of 0: then the frame's size is all there is. */
  if (total != 0 && !limit(window, total)) return false;
  frame->source.family = frame->destination.family = COPAL_FAMILY_IPV4;
  memcpy(frame->source.bytes, header + 12, 4);
  memcpy(frame->destination.bytes, header + 16, 4);
  return skip(window, header_size);
}

static bool read_ipv6(struct window *window, struct frame *frame) {
  if (window->size < 40) return false;
  const uint8_t *header = window->at;
  size_t payload = big_uint16(header + 4);
  frame->source.family = frame->destination.family = COPAL_FAMILY_IPV6;
  memcpy(frame->source.bytes, header + 8, 16);
  memcpy(frame->destination.bytes, header + 24, 16);
  if (!skip(window, 40)) return false;
  if (payload != 0 && !limit(window, payload)) return false;
  return skip_extensions(window, frame, header[6]);
}

/* RFC 8200 4: extension headers before UDP; every one takes bytes from the window, so the loop ends. */
static bool skip_extensions(struct window *window, struct frame *frame, uint8_t next) {
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
        /* All but the reserved bits: one that is the whole packet is none. */
        frame->is_fragment = (big_uint16(header + 2) & 0xfff9) != 0;
        if (frame->is_fragment) return false;
        size = 8;
        break;
      default: return false;
    }
    next = header[0];
    if (!skip(window, size)) return false;
  }
  return true;
}

static bool read_udp(struct window *window, struct frame *frame) {
  if (window->size < 8) return false;
  const uint8_t *header = window->at;
  size_t size = big_uint16(header + 4);
  frame->source.port = (uint16_t)big_uint16(header);
  frame->destination.port = (uint16_t)big_uint16(header + 2);
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

static uint32_t big_uint16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

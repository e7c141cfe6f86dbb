/* The UDP datagram in a captured frame. Pure.
 *
 * Ethernet with VLAN tags, Linux cooked 1 and 2, raw IP, BSD loopback; IPv4 and IPv6 with extension headers. A frame is
 * somebody else's: every length in it is checked. */
#ifndef COPAL_CLI_CAPTURE_FRAME_H
#define COPAL_CLI_CAPTURE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copal/copal.h"

struct frame {
  copal_address source, destination;
  const uint8_t *data; /* the UDP payload, in the frame */
  size_t size;
  size_t missing;   /* bytes that the payload had on the wire and the capture has not */
  bool is_fragment; /* no payload: the frame has a part of an IP packet with UDP */
};

/* Whether frames of that kind of link, a number of the LINKTYPE list, can be read. */
bool frame_link_known(uint32_t link_type);

/* Reads a frame, of which as many bytes are missing at the end. False where it has no readable UDP. */
bool frame_read(uint32_t link_type, copal_bytes bytes, size_t missing, struct frame *frame);

#endif

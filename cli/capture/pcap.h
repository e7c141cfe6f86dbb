/* UDP datagrams out of a classic pcap capture in memory. Pure: opens no file and decodes no CoAP.
 *
 * Both byte orders, microseconds and nanoseconds; Ethernet with VLAN tags, Linux cooked 1 and 2, raw IP, BSD loopback;
 * IPv4 and IPv6 with extension headers. A capture is somebody else's: every length in it is checked. */
#ifndef COPAL_CLI_CAPTURE_PCAP_H
#define COPAL_CLI_CAPTURE_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copal/copal.h"

enum pcap_result {
  PCAP_OK,       /* pcap_open: readable; pcap_next: a datagram */
  PCAP_END,      /* no more */
  PCAP_CUT,      /* the file ends in the middle of a frame, or a frame's length makes no sense: no more */
  PCAP_NOT_PCAP, /* something else */
  PCAP_NEWER,    /* pcapng, another format */
  PCAP_LINK_TYPE /* frames of a link type that is not read */
};

/* A capture being read. */
struct pcap {
  const uint8_t *data;
  size_t size, at;
  uint32_t link_type;
  uint32_t frames;  /* read so far */
  uint32_t skipped; /* of these: no UDP, fragments, cut off before their UDP payload */
  bool big_endian, nanoseconds;
};

struct pcap_datagram {
  copal_address source, destination;
  const uint8_t *data; /* in the capture */
  size_t size;
  size_t missing;   /* bytes that the datagram had and the capture has not */
  uint32_t frame;   /* counted from 1 */
  uint32_t seconds; /* since 1970 */
  uint32_t nanoseconds;
};

/* data is borrowed as long as pcap is used. */
enum pcap_result pcap_open(struct pcap *pcap, const uint8_t *data, size_t size);

/* Steps to the next UDP datagram, skipping everything else. PCAP_OK, PCAP_END or PCAP_CUT. */
enum pcap_result pcap_next(struct pcap *pcap, struct pcap_datagram *datagram);

/* What is wrong, as a clause. */
const char *pcap_result_text(enum pcap_result result);

#endif

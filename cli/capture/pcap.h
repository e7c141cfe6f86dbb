/* UDP datagrams out of a pcap or pcapng capture in memory. Pure: opens no file and decodes no CoAP.
 *
 * Classic pcap of both byte orders, with microseconds and nanoseconds; pcapng with any sections and interfaces. A
 * capture is somebody else's: every length in it is checked. */
#ifndef COPAL_CLI_CAPTURE_PCAP_H
#define COPAL_CLI_CAPTURE_PCAP_H

#include "cli/capture/frame.h"

enum { PCAP_INTERFACES_MAX = 64 };

enum pcap_result {
  PCAP_OK,       /* pcap_open: readable; pcap_next: a datagram */
  PCAP_END,      /* no more */
  PCAP_CUT,      /* the file ends in the middle of a frame, or a length in it makes no sense: no more */
  PCAP_NOT_PCAP, /* something else */
  PCAP_LINK_TYPE /* classic pcap, with frames of a link type that is not read */
};

/* What frames came from. */
struct pcap_interface {
  uint32_t link_type;
  uint64_t ticks; /* of its clock in a second */
  int64_t offset; /* of its times, in seconds */
};

/* A capture being read. */
struct pcap {
  const uint8_t *data;
  size_t size, at;
  bool big_endian, is_ng;
  struct pcap_interface interfaces[PCAP_INTERFACES_MAX]; /* pcapng: of this section, further ones are not read */
  size_t interfaces_count;
  uint32_t frames;    /* read so far */
  uint32_t skipped;   /* of these: no UDP, or cut off before their UDP payload */
  uint32_t fragments; /* of those: parts of IP packets, which are not put together */
};

struct pcap_datagram {
  struct frame frame;
  uint32_t number;  /* of the frame, counted from 1 */
  uint64_t seconds; /* since 1970 */
  uint32_t nanoseconds;
};

/* data is borrowed as long as pcap is used. */
enum pcap_result pcap_open(struct pcap *pcap, const uint8_t *data, size_t size);

/* Steps to the next UDP datagram, skipping everything else. PCAP_OK, PCAP_END or PCAP_CUT. */
enum pcap_result pcap_next(struct pcap *pcap, struct pcap_datagram *datagram);

/* Whether data begins as a capture does. */
bool pcap_is_one(const uint8_t *data, size_t size);

/* What is wrong, as a clause. */
const char *pcap_result_text(enum pcap_result result);

#endif

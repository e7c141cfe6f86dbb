/* The blocks of a pcapng capture. For pcap.c. */
#ifndef COPAL_CLI_CAPTURE_PCAPNG_H
#define COPAL_CLI_CAPTURE_PCAPNG_H

#include "cli/capture/pcap.h"

enum { PCAPNG_MAGIC = 0x0a0d0d0a };

/* A frame as the file has it. */
struct capture_frame {
  copal_bytes bytes;
  size_t missing;
  uint32_t link_type;
  uint64_t seconds;
  uint32_t nanoseconds;
};

/* Steps to the next frame. PCAP_OK, PCAP_END or PCAP_CUT. */
enum pcap_result pcapng_next(struct pcap *pcap, struct capture_frame *frame);

/* Whether data begins with a section. */
bool pcapng_is_one(const uint8_t *data, size_t size);

#endif

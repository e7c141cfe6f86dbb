/* What an endpoint sends and receives as a pcap file: the --pcap of who asks and who serves. */
#ifndef COPAL_CLI_CAPTURE_RECORD_H
#define COPAL_CLI_CAPTURE_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "copal/net.h"

/* The largest payload of UDP over IPv4. */
enum { RECORD_PAYLOAD_MAX = 65507, RECORD_PACKET_MAX = RECORD_PAYLOAD_MAX + 48 };

/* A file being written; several endpoints may share it. */
struct record {
  FILE *file; /* NULL: nothing is recorded, or no longer */
  const char *path;
  uint64_t epoch; /* of the monotonic clock, in ns since 1970 */
  uint32_t packets;
  copal_address remote, source; /* the latest peer, and the address that the system has for it */
};

/* Opens the file, "-" for standard output, and writes its header. False after a complaint of the command. */
bool record_open(struct record *record, const char *command, const char *path);

/* Adds a datagram that was sent or received; what has been decided of it is left out. Each is in the file before the
 * next one comes: who is interrupted leaves a whole file. */
void record_datagram(struct record *record, const copal_endpoint *endpoint, const copal_trace *event);

/* Ends it. False after a complaint: not everything could be written. */
bool record_close(struct record *record);

/* One packet: an IPv4 or IPv6 header, as source's family has it, a UDP header, and as much of the payload as UDP
 * carries. Returns its size. */
size_t record_packet(const copal_address *source, const copal_address *destination, copal_bytes payload,
                     uint8_t packet[RECORD_PACKET_MAX]);

#endif

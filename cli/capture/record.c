/* What an endpoint sends and receives as a pcap file, with times in nanoseconds. A socket gives no IP headers, so they
 * are made anew: addresses and ports are the true ones. AF_UNIX has none, and gets some of the loopback network.
 * Knows no CoAP. RFC 791, RFC 8200, RFC 768, RFC 1071. */
#include "cli/capture/record.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/show/terminal.h"

enum { LINK_RAW = 101, PROTOCOL_UDP = 17, HOPS = 64, IPV4_SIZE = 20, IPV6_SIZE = 40, UDP_SIZE = 8, PORT_COAP = 5683 };

static void put(struct record *record, const void *bytes, size_t size);
static copal_address local_address(struct record *record, const copal_endpoint *endpoint, const copal_path *path);
static copal_address source_towards(struct record *record, const copal_address *remote);
static copal_address stand_in(const copal_address *address);
static bool has_ip(const copal_address *address);
static void put_ipv4(uint8_t *at, const copal_address *source, const copal_address *destination, size_t size);
static void put_ipv6(uint8_t *at, const copal_address *source, const copal_address *destination, size_t size);
static void put_udp(uint8_t *at, const copal_address *source, const copal_address *destination, size_t size);
static uint32_t sum(uint32_t before, const uint8_t *bytes, size_t size);
static uint16_t checksum(uint32_t sum);
static void put_uint16(uint8_t *at, size_t value);

bool record_open(struct record *record, const char *command, const char *path) {
  /* Nanoseconds, version 2.4, in this machine's byte order. */
  static const struct {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, size_max, link_type;
  } header = {0xa1b23c4d, 2, 4, 0, 0, RECORD_PACKET_MAX, LINK_RAW};
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t time = (uint64_t)now.tv_sec * COPAL_SECOND + (uint64_t)now.tv_nsec;
  *record = (struct record){.path = path, .epoch = time - copal_now()};
  record->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
  if (record->file == NULL) {
    complain(command, "cannot open %s: %s", path, strerror(errno));
    return false;
  }
  put(record, &header, sizeof header);
  return record->file != NULL;
}

void record_datagram(struct record *record, const copal_endpoint *endpoint, const copal_trace *event) {
  static uint8_t packet[RECORD_PACKET_MAX];
  if (record->file == NULL || event->kind == COPAL_TRACE_DECIDED) return;
  const copal_path *path = &event->datagram.path;
  copal_address local = local_address(record, endpoint, path), remote = stand_in(&path->remote);
  bool sent = event->kind == COPAL_TRACE_SENT;
  copal_bytes payload = {event->datagram.data, event->datagram.size};
  size_t size = record_packet(sent ? &local : &remote, sent ? &remote : &local, payload, packet);
  uint64_t time = record->epoch + event->time;
  size_t whole = size + (payload.size > RECORD_PAYLOAD_MAX ? payload.size - RECORD_PAYLOAD_MAX : 0);
  uint32_t head[] = {(uint32_t)(time / COPAL_SECOND), (uint32_t)(time % COPAL_SECOND), (uint32_t)size, (uint32_t)whole};
  uint8_t frame[sizeof head];
  memcpy(frame, head, sizeof head);
  ++record->packets;
  put(record, frame, sizeof frame);
  put(record, packet, size);
  if (record->file != NULL && fflush(record->file) != 0) put(record, NULL, 0);
}

bool record_close(struct record *record) {
  if (record->file == NULL) return record->path == NULL;
  bool is_written = fflush(record->file) == 0;
  if (record->file != stdout && fclose(record->file) != 0) is_written = false;
  if (!is_written) complain("", "cannot write %s: %s", record->path, strerror(errno));
  record->file = NULL;
  return is_written;
}

size_t record_packet(const copal_address *source, const copal_address *destination, copal_bytes payload,
                     uint8_t packet[RECORD_PACKET_MAX]) {
  bool ipv6 = source->family == COPAL_FAMILY_IPV6;
  size_t size = payload.size < RECORD_PAYLOAD_MAX ? payload.size : RECORD_PAYLOAD_MAX;
  uint8_t *udp = packet + (ipv6 ? IPV6_SIZE : IPV4_SIZE);
  if (size > 0) memcpy(udp + UDP_SIZE, payload.data, size);
  if (ipv6) {
    put_ipv6(packet, source, destination, UDP_SIZE + size);
  } else {
    put_ipv4(packet, source, destination, UDP_SIZE + size);
  }
  put_udp(udp, source, destination, UDP_SIZE + size);
  return (size_t)(udp - packet) + UDP_SIZE + size;
}

/* One failure ends the recording, and is told once. */
static void put(struct record *record, const void *bytes, size_t size) {
  if (record->file == NULL) return;
  if (ferror(record->file) == 0 && fwrite(bytes, 1, size, record->file) == size && size > 0) return;
  complain("", "cannot write %s: %s; it holds what came before", record->path, strerror(errno));
  if (record->file != stdout) fclose(record->file);
  record->file = NULL;
}

/* Where the datagram came to or left from. The socket tells its port, and its address where it is bound to one; else
 * the system tells which one it takes towards that peer. */
static copal_address local_address(struct record *record, const copal_endpoint *endpoint, const copal_path *path) {
  static const uint8_t any[16] = {0};
  copal_address bound = {.family = COPAL_FAMILY_NONE}, local = path->local;
  if (!has_ip(&path->remote)) {
    return (copal_address){.bytes = {127, 0, 0, 1}, .port = PORT_COAP, .family = COPAL_FAMILY_IPV4};
  }
  bool is_known = endpoint != NULL && copal_local_address(endpoint, &bound) == COPAL_OK;
  if (local.family != path->remote.family && is_known && bound.family == path->remote.family &&
      memcmp(bound.bytes, any, sizeof any) != 0) {
    local = bound;
  }
  if (local.family != path->remote.family) local = source_towards(record, &path->remote);
  local.port = bound.port;
  return local;
}

/* Connecting a datagram socket sends nothing: it only chooses the way. Where there is none, it is the loopback address.
 */
static copal_address source_towards(struct record *record, const copal_address *remote) {
  if (copal_address_equal(&record->remote, remote)) return record->source;
  bool ipv6 = remote->family == COPAL_FAMILY_IPV6;
  struct sockaddr_storage storage = {.ss_family = ipv6 ? AF_INET6 : AF_INET};
  struct sockaddr_in *in = (struct sockaddr_in *)&storage;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
  if (ipv6) {
    memcpy(&in6->sin6_addr, remote->bytes, 16);
    in6->sin6_scope_id = remote->scope;
    in6->sin6_port = htons(remote->port);
  } else {
    memcpy(&in->sin_addr, remote->bytes, 4);
    in->sin_port = htons(remote->port);
  }
  copal_address source = ipv6 ? (copal_address){.bytes = {[15] = 1}, .family = COPAL_FAMILY_IPV6}
                              : (copal_address){.bytes = {127, 0, 0, 1}, .family = COPAL_FAMILY_IPV4};
  socklen_t size = ipv6 ? sizeof *in6 : sizeof *in;
  int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&storage, size) == 0 &&
      getsockname(fd, (struct sockaddr *)&storage, &size) == 0) {
    memcpy(source.bytes, ipv6 ? (const void *)&in6->sin6_addr : &in->sin_addr, ipv6 ? 16 : 4);
  }
  if (fd >= 0) close(fd);
  record->remote = *remote;
  record->source = source;
  return source;
}

/* A socket's name is a number here: each gets a port of its own. */
static copal_address stand_in(const copal_address *address) {
  enum { PORT_FIRST = 49152, PORTS = 16384 };
  if (has_ip(address)) return *address;
  uint32_t number;
  memcpy(&number, address->bytes, sizeof number);
  return (copal_address){
      .bytes = {127, 0, 0, 1}, .port = (uint16_t)(PORT_FIRST + number % PORTS), .family = COPAL_FAMILY_IPV4};
}

static bool has_ip(const copal_address *address) {
  return address->family == COPAL_FAMILY_IPV4 || address->family == COPAL_FAMILY_IPV6;
}

static void put_ipv4(uint8_t *at, const copal_address *source, const copal_address *destination, size_t size) {
  memset(at, 0, IPV4_SIZE);
  at[0] = 0x45;
  put_uint16(at + 2, IPV4_SIZE + size);
  at[6] = 0x40; /* RFC 791 3.1: "Don't Fragment" */
  at[8] = HOPS;
  at[9] = PROTOCOL_UDP;
  memcpy(at + 12, source->bytes, 4);
  memcpy(at + 16, destination->bytes, 4);
  put_uint16(at + 10, checksum(sum(0, at, IPV4_SIZE)));
}

static void put_ipv6(uint8_t *at, const copal_address *source, const copal_address *destination, size_t size) {
  memset(at, 0, IPV6_SIZE);
  at[0] = 0x60;
  put_uint16(at + 4, size);
  at[6] = PROTOCOL_UDP;
  at[7] = HOPS;
  memcpy(at + 8, source->bytes, 16);
  memcpy(at + 24, destination->bytes, 16);
}

/* RFC 768: the checksum is that "of a pseudo header of information from the IP header, the UDP header, and the data";
 * RFC 8200 8.1 for the addresses of IPv6. */
static void put_udp(uint8_t *at, const copal_address *source, const copal_address *destination, size_t size) {
  size_t address_size = source->family == COPAL_FAMILY_IPV6 ? 16 : 4;
  put_uint16(at, source->port);
  put_uint16(at + 2, destination->port);
  put_uint16(at + 4, size);
  put_uint16(at + 6, 0);
  uint32_t total = sum(PROTOCOL_UDP + (uint32_t)size, source->bytes, address_size);
  total = sum(total, destination->bytes, address_size);
  uint16_t result = checksum(sum(total, at, size));
  /* RFC 768: "If the computed checksum is zero, it is transmitted as all ones". */
  put_uint16(at + 6, result == 0 ? 0xffff : result);
}

/* RFC 1071: 16-bit words, the last one filled up with a zero. 65,555 bytes cannot overflow it. */
static uint32_t sum(uint32_t before, const uint8_t *bytes, size_t size) {
  uint32_t total = before;
  for (size_t i = 0; i + 1 < size; i += 2) total += (uint32_t)bytes[i] << 8 | bytes[i + 1];
  return size % 2 == 0 ? total : total + ((uint32_t)bytes[size - 1] << 8);
}

static uint16_t checksum(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

static void put_uint16(uint8_t *at, size_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

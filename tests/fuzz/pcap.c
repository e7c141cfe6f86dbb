/* Fuzzing the reader of captures, pcap and pcapng. Whatever a file says of lengths: datagrams lie within it, in order,
 * times are times, and it comes to an end.
 *
 * Built with clang -fsanitize=fuzzer,address,undefined; seeds are in corpus/pcap. */
#include <stdlib.h>

#include "cli/capture/pcap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds) abort();
}

static bool is_ip(const copal_address *address) {
  return address->family == COPAL_FAMILY_IPV4 || address->family == COPAL_FAMILY_IPV6;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct pcap pcap;
  enum pcap_result result = pcap_open(&pcap, data, size);
  require(result != PCAP_END && (result != PCAP_OK || pcap_is_one(data, size)));
  if (result != PCAP_OK) return 0;
  struct pcap_datagram datagram;
  uint32_t datagrams = 0;
  const uint8_t *before = data;
  unsigned sum = 0;
  while ((result = pcap_next(&pcap, &datagram)) == PCAP_OK) {
    const struct frame *frame = &datagram.frame;
    require(frame->data >= before && (size_t)(frame->data - data) <= size);
    require(frame->size <= size - (size_t)(frame->data - data));
    require(is_ip(&frame->source) && frame->source.family == frame->destination.family && !frame->is_fragment);
    require(datagram.nanoseconds < 1000000000);
    require(datagram.number == pcap.frames && datagram.number > datagrams);
    for (size_t i = 0; i < frame->size; ++i) sum += frame->data[i];
    before = frame->data;
    ++datagrams;
  }
  require(result == PCAP_END || result == PCAP_CUT);
  require(pcap.frames == datagrams + pcap.skipped && pcap.fragments <= pcap.skipped && sum <= 255 * size);
  return 0;
}

/* What a library has to do in the codec benchmark: decode messages and walk over their options, and build them. */
#ifndef COPAL_BENCH_CODEC_H
#define COPAL_BENCH_CODEC_H

#include <stddef.h>
#include <stdint.h>

enum { CODEC_OPTIONS_MAX = 8, CODEC_SIZE_MAX = 1200 };

struct codec_option {
  uint16_t number;
  uint16_t size;
  const uint8_t *value;
};

/* A typical message: its parts, and the bytes that they encode to. */
struct codec_sample {
  const char *name;
  uint8_t type, code;
  uint16_t message_id;
  uint8_t token_size;
  uint8_t token[8];
  struct codec_option options[CODEC_OPTIONS_MAX];
  size_t options_count;
  const uint8_t *payload;
  size_t payload_size;
  const uint8_t *bytes;
  size_t size;
};

/* Does it `times` times. The result is a sum over what was seen, equal for all libraries that see the same. */
typedef uint64_t codec_work(const struct codec_sample *sample, size_t times);

/* What a message decodes to, as a sum: each option's number and size, code, message ID and payload size. */
static inline uint64_t codec_sum_message(uint8_t code, uint16_t message_id, size_t payload_size) {
  return code + (uint64_t)message_id + payload_size;
}
static inline uint64_t codec_sum_option(uint32_t number, size_t size, const uint8_t *value) {
  return (uint64_t)number * 3 + size + (size > 0 ? value[0] : 0);
}

/* A column of the comparison. */
struct codec_rival {
  const char *name;      /* "libcoap: kept PDU" */
  const char *operation; /* "decode" or "encode" */
  codec_work *work;
  int sum_is_size; /* encode: the result is the sum of the encoded sizes */
};

/* The other libraries; count 0 where there is none. */
const struct codec_rival *codec_rivals(size_t *count);

#endif

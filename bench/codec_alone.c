/* In place of codec_libcoap.c where there is no libcoap. */
#include "bench/codec.h"

const struct codec_rival *codec_rivals(size_t *count) {
  *count = 0;
  return NULL;
}

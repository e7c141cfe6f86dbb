/* The payload application/missing-blocks+cbor-seq: block numbers as a sequence of CBOR unsigned integers. Pure. RFC
 * 9177 section 5, RFC 8742, RFC 8949 section 3. */
#ifndef COPAL_REST_MISSING_H
#define COPAL_REST_MISSING_H

#include "copal/message.h"

enum { MISSING_FORMAT = 272, MISSING_NUMBER_SIZE_MAX = 5 };

/* Writes numbers, which ascend, as far as they fit. Returns the bytes written. */
size_t missing_write(const uint32_t *numbers, size_t count, uint8_t *buffer, size_t capacity);

/* Reads the first count_max numbers, without the repeated ones. Returns how many; 0 where anything is wrong with any of
 * the sequence. */
size_t missing_read(copal_bytes sequence, uint32_t *numbers, size_t count_max);

#endif

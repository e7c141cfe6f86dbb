/* A short number that stands for bytes: other bytes have another one. No protection against who wants two alike. */
#ifndef COPAL_CLI_SERVE_FINGERPRINT_H
#define COPAL_CLI_SERVE_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

/* Of bytes behind those that before stands for; 0 begins. */
uint64_t fingerprint(uint64_t before, const void *bytes, size_t size);

#endif

/* What a part of a datagram says, in words. */
#ifndef COPAL_CLI_CAPTURE_DESCRIBE_H
#define COPAL_CLI_CAPTURE_DESCRIBE_H

#include "cli/capture/dissect.h"

enum { DESCRIBE_TEXT_MAX = 1200 };

/* Writes text without control characters; request is whether the message is one, which decides what Observe says.
 * Returns buffer. */
const char *describe_part(const struct part *part, bool request, char *buffer, size_t capacity);

/* "0.01 GET", "2.05 Content", "1.07". Returns buffer. */
const char *describe_code(uint8_t code, char *buffer, size_t capacity);

#endif

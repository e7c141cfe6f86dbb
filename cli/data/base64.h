/* Base64 with the URL-safe alphabet (RFC 4648 5), as it is read. */
#ifndef COPAL_CLI_DATA_BASE64_H
#define COPAL_CLI_DATA_BASE64_H

#include <stdbool.h>

#include "copal/message.h"

/* Writes the bytes that a text without padding stands for, which are fewer: into buffer, which may be the text itself.
 * False where it is no such text. */
bool base64_read(copal_bytes text, uint8_t *buffer, size_t *size);

#endif

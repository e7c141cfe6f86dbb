/* A file read whole. */
#ifndef COPAL_CLI_CAPTURE_WHOLE_H
#define COPAL_CLI_CAPTURE_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a file of at most so many bytes, "-" for standard input. The caller frees *data. False after a complaint of the
 * command. */
bool whole_read(const char *command, const char *path, size_t size_max, uint8_t **data, size_t *size);

#endif

/* Content-Formats of files, by what their names end in. */
#ifndef COPAL_CLI_SERVE_EXTENSION_H
#define COPAL_CLI_SERVE_EXTENSION_H

#include <stdint.h>

/* The Content-Format of a file of this name; application/octet-stream where the ending tells nothing. */
uint16_t extension_format(const char *name);

/* What a new file's name is to end in, so that it has this Content-Format: ".json"; "" where nothing does. */
const char *extension_for(uint32_t format);

#endif

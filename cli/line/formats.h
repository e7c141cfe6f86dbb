/* The names of Content-Formats as people type them: "json", "cbor", "link". */
#ifndef COPAL_CLI_LINE_FORMATS_H
#define COPAL_CLI_LINE_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

enum { FORMAT_NAME_MAX = 80 };

/* Begins as all zeroes. */
struct format_walk {
  size_t index;
  char name[FORMAT_NAME_MAX];
};

/* The next short name: all but those that would name another format. False past the last. */
bool format_next(struct format_walk *walk);

/* The name nearest to a mistyped one, short or a whole media type, in buffer; NULL where none is near. */
const char *format_near(const char *typed, char buffer[FORMAT_NAME_MAX]);

#endif

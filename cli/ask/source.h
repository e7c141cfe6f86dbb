/* A request's body as it is read from a file or a pipe, part by part. */
#ifndef COPAL_CLI_ASK_SOURCE_H
#define COPAL_CLI_ASK_SOURCE_H

#include <sys/types.h>

#include "copal/rest.h"

/* Of what cannot be read twice, such as a pipe, so many bytes are kept: a server may want them in smaller blocks. */
enum { SOURCE_WINDOW_SIZE = 65536 };

struct source {
  const char *path; /* "standard input", where it is that */
  int fd;
  bool seekable;    /* a regular file */
  bool ended;       /* nothing more is to come behind the window */
  off_t begin;      /* of a regular file: where the body begins */
  uint64_t size;    /* COPAL_SIZE_UNKNOWN for a pipe */
  char reason[300]; /* why the last read failed, a sentence without a full stop */

  uint64_t window_at; /* of a pipe: offset of the bytes that are kept */
  size_t window_size;
  uint8_t window[SOURCE_WINDOW_SIZE];
};

/* Opens a file; "-" is standard input. False, with the reason in source->reason. */
bool source_open(struct source *source, const char *path);

/* A copal_reader; context is the struct source. */
uint64_t source_read(void *context, uint64_t offset, void *buffer, size_t size);

/* One that was never opened, all zeroes, may be closed. */
void source_close(struct source *source);

#endif

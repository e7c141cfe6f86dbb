/* Responses' bodies on their way to a file, to a program or to a person, part by part. */
#ifndef COPAL_CLI_ASK_SINK_H
#define COPAL_CLI_ASK_SINK_H

#include <stdio.h>
#include <sys/types.h>

#include "cli/line/status.h"
#include "copal/rest.h"

/* What a person is shown readable has to be gathered first: up to this. */
enum { SINK_SCREEN_SIZE = 65536 };

struct sink {
  const char *path; /* "standard output", where it is that */
  FILE *stream;
  bool screen;      /* a person looks at it: gathered, then shown */
  bool spilled;     /* more than can be gathered: text is shown as it comes */
  bool named;       /* a file that was opened here */
  bool created;     /* which was not there before */
  bool filled;      /* it has a whole body */
  bool rewindable;  /* a body that begins anew can be written anew */
  off_t begin;      /* where the present body begins */
  uint64_t size;    /* bytes of the present body, so far */
  uint8_t last;     /* the latest byte */
  char reason[300]; /* why the last write failed, a sentence without a full stop */

  size_t held_size;
  uint8_t held[SINK_SCREEN_SIZE]; /* gathered; of spilled text, a character that is not whole yet */
};

/* Where bodies go: a file, or standard output for NULL and "-". What is in a file stays there until a body comes.
 * False, with the reason in sink->reason. */
bool sink_open(struct sink *sink, const char *path);

/* A copal_writer; context is the struct sink. */
bool sink_write(void *context, uint64_t offset, const void *data, size_t size);

/* Whether writing that far makes the screen show something. */
bool sink_shows(const struct sink *sink, uint64_t end);

/* The body is whole. On a screen it is shown now, readable for its Content-Format; with line true, a line
 * feed stands behind it elsewhere too. Another body may follow. False, with the reason in sink->reason. */
bool sink_end(struct sink *sink, uint32_t content_format, bool line);

/* Nothing more of the present body will come: what there is of it stays. Another body may follow. */
void sink_give_up(struct sink *sink);

/* Closes the file. One that was made here and got nothing is removed; the file keeps a part of a body that is not
 * whole. False, with the reason in sink->reason. */
bool sink_close(struct sink *sink);

/* Tells on standard error what there is of a body that is not whole. */
void sink_tell_partial(const struct sink *sink, const char *command);

#endif

/* What a folder holds, as link format (RFC 6690): each file with its Content-Format and size, each folder with a "/" at
 * its end, in order of names. The latest one is kept, so that a client that fetches it in blocks gets them of one. */
#ifndef COPAL_CLI_SERVE_LISTING_H
#define COPAL_CLI_SERVE_LISTING_H

#include "cli/serve/folder.h"
#include "copal/copal.h"

enum { LISTING_SIZE_MAX = 1 << 20, LISTING_LINKS_MAX = 1 << 15 };

/* All zero is none. 2.5 MiB, of which little is touched where folders are small. */
struct listing {
  struct place place;
  bool is_valid;
  copal_time made;
  uint64_t version;
  size_t size;
  char text[LISTING_SIZE_MAX];

  /* while it is being made */
  size_t links_size, links_count;
  struct listing_link {
    const char *text;
    size_t size;
  } order[LISTING_LINKS_MAX];
  char links[LISTING_SIZE_MAX];
};

/* Lists an open folder, which is closed. False and errno where it cannot be read; EFBIG where it holds more than a
 * listing can. */
bool listing_make(struct listing *listing, int fd, const struct place *place, copal_time now);

/* Whether it is of that place and not older than age_max. */
bool listing_is(const struct listing *listing, const struct place *place, copal_time now, copal_time age_max);

#endif

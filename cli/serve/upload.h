/* Files that clients write: each under a hidden name beside its place until it is whole, then renamed to that place. So
 * nobody ever sees a half-written one. Functions set errno where they fail. */
#ifndef COPAL_CLI_SERVE_UPLOAD_H
#define COPAL_CLI_SERVE_UPLOAD_H

#include "cli/serve/folder.h"

enum { UPLOADS_MAX = 64, UPLOAD_NAME_SIZE = 32 };

struct upload {
  bool taken;
  int above, file; /* descriptors of the folder, and of the file in it */
  char name[UPLOAD_NAME_SIZE];
  struct place place; /* which it is to have */
};

/* All zero is none. */
struct uploads {
  struct upload items[UPLOADS_MAX];
};

/* Begins a file for a place. NULL where the folder above is not there; ENFILE where UPLOADS_MAX are under way. */
struct upload *upload_begin(struct uploads *uploads, const struct folder *folder, const struct place *place);

bool upload_write(struct upload *upload, uint64_t offset, const void *data, size_t size);

/* Gives the file its place, over a file that is there; with only_new, EEXIST where one is. *created tells whether none
 * was. The upload is over, and where it failed all is as it was. */
bool upload_finish(struct upload *upload, bool only_new, bool *created);

/* Removes what was written. */
void upload_drop(struct upload *upload);
void upload_drop_all(struct uploads *uploads);

#endif

/* Files that clients write. Knows no CoAP. A name that is hidden begins with ".", and such names are not served. */
#include "cli/serve/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

static struct upload *free_upload(struct uploads *uploads);
static int open_hidden(struct upload *upload);
static bool put_in_place(const struct upload *upload, bool only_new, bool *created);
static void end(struct upload *upload);

struct upload *upload_begin(struct uploads *uploads, const struct folder *folder, const struct place *place) {
  struct upload *upload = free_upload(uploads);
  if (upload == NULL) {
    errno = ENFILE;
    return NULL;
  }
  upload->above = folder_open_above(folder, place);
  if (upload->above < 0) return NULL;
  upload->file = open_hidden(upload);
  if (upload->file < 0) {
    int error = errno;
    close(upload->above);
    errno = error;
    return NULL;
  }
  upload->place = *place;
  upload->taken = true;
  return upload;
}

bool upload_write(struct upload *upload, uint64_t offset, const void *data, size_t size) {
  const uint8_t *at = data;
  while (size > 0) {
    ssize_t written = pwrite(upload->file, at, size, (off_t)offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    at += written;
    offset += (uint64_t)written;
    size -= (size_t)written;
  }
  return true;
}

bool upload_finish(struct upload *upload, bool only_new, bool *created) {
  bool done = put_in_place(upload, only_new, created);
  int error = errno;
  if (!done) unlinkat(upload->above, upload->name, 0);
  end(upload);
  errno = error;
  return done;
}

void upload_drop(struct upload *upload) {
  unlinkat(upload->above, upload->name, 0);
  end(upload);
}

void upload_drop_all(struct uploads *uploads) {
  for (size_t i = 0; i < UPLOADS_MAX; ++i) {
    if (uploads->items[i].taken) upload_drop(&uploads->items[i]);
  }
}

static struct upload *free_upload(struct uploads *uploads) {
  for (size_t i = 0; i < UPLOADS_MAX; ++i) {
    if (!uploads->items[i].taken) return &uploads->items[i];
  }
  return NULL;
}

static int open_hidden(struct upload *upload) {
  uint64_t number;
  if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) return -1;
  snprintf(upload->name, sizeof upload->name, ".copal-%016" PRIx64, number);
  return openat(upload->above, upload->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

static bool put_in_place(const struct upload *upload, bool only_new, bool *created) {
  const char *name = place_name(&upload->place);
  struct stat status;
  *created = fstatat(upload->above, name, &status, AT_SYMLINK_NOFOLLOW) != 0;
  if (*created && errno != ENOENT) return false;
  if (!*created && (only_new || !S_ISREG(status.st_mode))) {
    errno = EEXIST;
    return false;
  }
  return renameat(upload->above, upload->name, upload->above, name) == 0;
}

static void end(struct upload *upload) {
  close(upload->file);
  close(upload->above);
  upload->taken = false;
}

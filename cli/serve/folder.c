/* Files below a served folder. Knows no CoAP. Each name is opened below the folder before it with O_NOFOLLOW, and no
 * name is ".." (place.h): so nothing that stands in the folder, links included, leads out of it. */
#include "cli/serve/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/serve/fingerprint.h"

static int open_below(int root, const char *path, size_t size);
static bool is_served(const struct stat *status, const struct place *place);

bool folder_open(struct folder *folder, const char *path) {
  folder->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return folder->root >= 0;
}

void folder_close(struct folder *folder) { close(folder->root); }

int folder_open_at(const struct folder *folder, const struct place *place, struct stat *status) {
  int above = folder_open_above(folder, place);
  if (above < 0) return -1;
  const char *name = place->size > 0 ? place_name(place) : ".";
  /* Non-blocking: a FIFO must not make the server wait. */
  int fd = openat(above, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  int error = errno;
  close(above);
  if (fd >= 0 && fstat(fd, status) == 0 && is_served(status, place)) return fd;
  if (fd >= 0) {
    close(fd);
    error = ENOENT;
  }
  errno = error;
  return -1;
}

int folder_open_above(const struct folder *folder, const struct place *place) {
  size_t size = (size_t)(place_name(place) - place->text);
  return open_below(folder->root, place->text, size);
}

bool folder_status(const struct folder *folder, const struct place *place, struct stat *status) {
  int above = folder_open_above(folder, place);
  if (above < 0) return false;
  const char *name = place->size > 0 ? place_name(place) : ".";
  bool found = fstatat(above, name, status, AT_SYMLINK_NOFOLLOW) == 0;
  int error = errno;
  close(above);
  errno = error;
  if (!found || is_served(status, place)) return found;
  errno = ENOENT;
  return false;
}

bool folder_delete(const struct folder *folder, const struct place *place) {
  struct stat status;
  if (!folder_status(folder, place, &status)) return false;
  if (place->size == 0) {
    errno = EACCES;
    return false;
  }
  int above = folder_open_above(folder, place);
  if (above < 0) return false;
  bool deleted = unlinkat(above, place_name(place), S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) == 0;
  int error = errno;
  close(above);
  errno = error;
  return deleted;
}

uint64_t folder_version(const struct stat *status) {
  uint64_t parts[] = {(uint64_t)status->st_dev, (uint64_t)status->st_ino, (uint64_t)status->st_size,
                      (uint64_t)status->st_mtim.tv_sec, (uint64_t)status->st_mtim.tv_nsec};
  return fingerprint(0, parts, sizeof parts);
}

/* The folder at the first size bytes of a path, each name with a "/" behind it. */
static int open_below(int root, const char *path, size_t size) {
  int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (size_t begin = 0; at >= 0 && begin < size;) {
    char name[256];
    const char *slash = memchr(path + begin, '/', size - begin);
    size_t name_size = (size_t)(slash - (path + begin));
    memcpy(name, path + begin, name_size);
    name[name_size] = '\0';
    int below = openat(at, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    close(at);
    errno = error;
    at = below;
    begin += name_size + 1;
  }
  return at;
}

/* Devices, sockets and links are not; nor is a file whose path ends in "/". */
static bool is_served(const struct stat *status, const struct place *place) {
  return S_ISDIR(status->st_mode) || (S_ISREG(status->st_mode) && !place->is_folder);
}

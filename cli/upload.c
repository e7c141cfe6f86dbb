/* A request's body, read part by part: memory stays the same, however large it is. Knows no endpoint. */
#include "cli/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/interrupt.h"

static uint64_t read_file(struct upload *upload, uint64_t offset, uint8_t *buffer, size_t size);
static uint64_t read_stream(struct upload *upload, uint64_t offset, uint8_t *buffer, size_t size);
static bool fill_window(struct upload *upload);
static bool fail(struct upload *upload, const char *verb);

bool upload_open(struct upload *upload, const char *path) {
  memset(upload, 0, offsetof(struct upload, window));
  bool standard_input = strcmp(path, "-") == 0;
  upload->path = standard_input ? "standard input" : path;
  upload->fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  upload->size = COPAL_SIZE_UNKNOWN;
  if (upload->fd < 0) return fail(upload, "open");
  struct stat status;
  if (fstat(upload->fd, &status) != 0) return fail(upload, "read");
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return fail(upload, "read");
  }
  if (!S_ISREG(status.st_mode)) return true;
  /* Standard input may stand anywhere in a file. */
  off_t begin = lseek(upload->fd, 0, SEEK_CUR);
  if (begin < 0) return fail(upload, "read");
  upload->seekable = true;
  upload->begin = begin;
  upload->size = status.st_size > begin ? (uint64_t)(status.st_size - begin) : 0;
  return true;
}

uint64_t upload_read(void *context, uint64_t offset, void *buffer, size_t size) {
  struct upload *upload = context;
  if (upload->seekable) return read_file(upload, offset, buffer, size);
  uint64_t done = 0;
  /* By halves of the window, so that there is always room to keep something. */
  while (done < size) {
    size_t part = size - done < UPLOAD_WINDOW_SIZE / 2 ? (size_t)(size - done) : UPLOAD_WINDOW_SIZE / 2;
    uint64_t got = read_stream(upload, offset + done, (uint8_t *)buffer + done, part);
    if (got == COPAL_SIZE_UNKNOWN) return got;
    done += got;
    if (got < part) break;
  }
  return done;
}

void upload_close(struct upload *upload) {
  if (upload->fd > STDIN_FILENO) close(upload->fd);
  upload->fd = -1;
}

static uint64_t read_file(struct upload *upload, uint64_t offset, uint8_t *buffer, size_t size) {
  size_t done = 0;
  if (offset >= upload->size) return 0;
  if (size > upload->size - offset) size = (size_t)(upload->size - offset);
  while (done < size) {
    ssize_t got = pread(upload->fd, buffer + done, size - done, upload->begin + (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      fail(upload, "read");
      return COPAL_SIZE_UNKNOWN;
    }
    if (got == 0) {
      snprintf(upload->reason, sizeof upload->reason, "%s became shorter while it was read", upload->path);
      return COPAL_SIZE_UNKNOWN;
    }
    done += (size_t)got;
  }
  return done;
}

static uint64_t read_stream(struct upload *upload, uint64_t offset, uint8_t *buffer, size_t size) {
  if (offset < upload->window_at) {
    snprintf(upload->reason, sizeof upload->reason,
             "the server wants the body from its beginning again, and %s cannot be read twice: use a file",
             upload->path);
    return COPAL_SIZE_UNKNOWN;
  }
  while (!upload->ended && upload->window_at + upload->window_size < offset + size) {
    if (!fill_window(upload)) return COPAL_SIZE_UNKNOWN;
  }
  uint64_t end = upload->window_at + upload->window_size;
  if (offset >= end) return 0;
  if (size > end - offset) size = (size_t)(end - offset);
  memcpy(buffer, upload->window + (offset - upload->window_at), size);
  return size;
}

static bool fill_window(struct upload *upload) {
  if (upload->window_size == UPLOAD_WINDOW_SIZE) {
    upload->window_size = UPLOAD_WINDOW_SIZE / 2;
    upload->window_at += UPLOAD_WINDOW_SIZE / 2;
    memmove(upload->window, upload->window + UPLOAD_WINDOW_SIZE / 2, UPLOAD_WINDOW_SIZE / 2);
  }
  ssize_t got;
  do {
    got = read(upload->fd, upload->window + upload->window_size, UPLOAD_WINDOW_SIZE - upload->window_size);
  } while (got < 0 && errno == EINTR && interrupt_signal() == 0);
  if (got < 0) return fail(upload, "read");
  upload->ended = got == 0;
  upload->window_size += (size_t)got;
  return true;
}

/* False, so that a caller may return it. */
static bool fail(struct upload *upload, const char *verb) {
  snprintf(upload->reason, sizeof upload->reason, "cannot %s %s: %s", verb, upload->path, strerror(errno));
  return false;
}

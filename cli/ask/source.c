/* A request's body, read part by part: memory stays the same, however large it is. Knows no endpoint. */
#include "cli/ask/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask/interrupt.h"

static uint64_t read_file(struct source *source, uint64_t offset, uint8_t *buffer, size_t size);
static uint64_t read_stream(struct source *source, uint64_t offset, uint8_t *buffer, size_t size);
static bool fill_window(struct source *source);
static bool fail(struct source *source, const char *verb);

bool source_open(struct source *source, const char *path) {
  memset(source, 0, offsetof(struct source, window));
  bool standard_input = strcmp(path, "-") == 0;
  source->path = standard_input ? "standard input" : path;
  source->fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  source->size = COPAL_SIZE_UNKNOWN;
  if (source->fd < 0) return fail(source, "open");
  struct stat status;
  if (fstat(source->fd, &status) != 0) return fail(source, "read");
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return fail(source, "read");
  }
  if (!S_ISREG(status.st_mode)) return true;
  /* Standard input may stand anywhere in a file. */
  off_t begin = lseek(source->fd, 0, SEEK_CUR);
  if (begin < 0) return fail(source, "read");
  source->seekable = true;
  source->begin = begin;
  source->size = status.st_size > begin ? (uint64_t)(status.st_size - begin) : 0;
  return true;
}

uint64_t source_read(void *context, uint64_t offset, void *buffer, size_t size) {
  struct source *source = context;
  if (source->seekable) return read_file(source, offset, buffer, size);
  uint64_t done = 0;
  /* By halves of the window, so that there is always room to keep something. */
  while (done < size) {
    size_t part = size - done < SOURCE_WINDOW_SIZE / 2 ? (size_t)(size - done) : SOURCE_WINDOW_SIZE / 2;
    uint64_t got = read_stream(source, offset + done, (uint8_t *)buffer + done, part);
    if (got == COPAL_SIZE_UNKNOWN) return got;
    done += got;
    if (got < part) break;
  }
  return done;
}

void source_close(struct source *source) {
  if (source->fd > STDIN_FILENO) close(source->fd);
  source->fd = -1;
}

static uint64_t read_file(struct source *source, uint64_t offset, uint8_t *buffer, size_t size) {
  size_t done = 0;
  if (offset >= source->size) return 0;
  if (size > source->size - offset) size = (size_t)(source->size - offset);
  while (done < size) {
    ssize_t got = pread(source->fd, buffer + done, size - done, source->begin + (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      fail(source, "read");
      return COPAL_SIZE_UNKNOWN;
    }
    if (got == 0) {
      snprintf(source->reason, sizeof source->reason, "%s became shorter while it was read", source->path);
      return COPAL_SIZE_UNKNOWN;
    }
    done += (size_t)got;
  }
  return done;
}

static uint64_t read_stream(struct source *source, uint64_t offset, uint8_t *buffer, size_t size) {
  if (offset < source->window_at) {
    snprintf(source->reason, sizeof source->reason,
             "the server wants the body from its beginning again, and %s cannot be read twice: use a file",
             source->path);
    return COPAL_SIZE_UNKNOWN;
  }
  while (!source->ended && source->window_at + source->window_size < offset + size) {
    if (!fill_window(source)) return COPAL_SIZE_UNKNOWN;
  }
  uint64_t end = source->window_at + source->window_size;
  if (offset >= end) return 0;
  if (size > end - offset) size = (size_t)(end - offset);
  memcpy(buffer, source->window + (offset - source->window_at), size);
  return size;
}

static bool fill_window(struct source *source) {
  if (source->window_size == SOURCE_WINDOW_SIZE) {
    source->window_size = SOURCE_WINDOW_SIZE / 2;
    source->window_at += SOURCE_WINDOW_SIZE / 2;
    memmove(source->window, source->window + SOURCE_WINDOW_SIZE / 2, SOURCE_WINDOW_SIZE / 2);
  }
  ssize_t got;
  do {
    got = read(source->fd, source->window + source->window_size, SOURCE_WINDOW_SIZE - source->window_size);
  } while (got < 0 && errno == EINTR && interrupt_signal() == 0);
  if (got < 0) return fail(source, "read");
  source->ended = got == 0;
  source->window_size += (size_t)got;
  return true;
}

/* False, so that a caller may return it. */
static bool fail(struct source *source, const char *verb) {
  snprintf(source->reason, sizeof source->reason, "cannot %s %s: %s", verb, source->path, strerror(errno));
  return false;
}

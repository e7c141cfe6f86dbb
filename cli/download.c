/* Responses' bodies, written part by part: memory stays the same, however large they are. Knows no endpoint.
 *
 * A file is opened before anything is asked, so that nothing is asked in vain, but emptied only when a body comes. */
#include "cli/download.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/response.h"
#include "cli/terminal.h"

static bool open_file(struct download *download, const char *path);
static bool find_begin(struct download *download);
static bool begin_body(struct download *download);
static bool hold(struct download *download, const uint8_t *data, size_t size);
static bool spill(struct download *download);
static bool fail(struct download *download, const char *verb);

bool download_open(struct download *download, const char *path) {
  memset(download, 0, offsetof(struct download, held));
  download->named = path != NULL && strcmp(path, "-") != 0;
  download->path = download->named ? path : "standard output";
  download->stream = stdout;
  download->screen = !download->named && terminal_is(stdout);
  if (download->named && !open_file(download, path)) return false;
  return download->screen || find_begin(download);
}

bool download_write(void *context, uint64_t offset, const void *data, size_t size) {
  struct download *download = context;
  if (offset == 0 && !begin_body(download)) return false;
  assert(offset == download->size);
  if (size == 0) return true;
  if (download->screen) {
    if (!hold(download, data, size)) return false;
  } else if (fwrite(data, 1, size, download->stream) != size) {
    return fail(download, "write");
  }
  download->size += size;
  download->last = ((const uint8_t *)data)[size - 1];
  return true;
}

bool download_shows(const struct download *download, uint64_t end) {
  return download->screen && end > DOWNLOAD_SCREEN_SIZE;
}

bool download_end(struct download *download, uint32_t content_format, bool line) {
  copal_bytes held = {download->held, download->held_size};
  if (download->size == 0 && !begin_body(download)) return false;
  if (download->spilled) {
    terminal_text(stdout, held, true);
    if (download->last != '\n') fputc('\n', stdout);
  } else if (download->screen) {
    response_show_body(held, content_format);
  } else if (line && download->size > 0 && download->last != '\n') {
    fputc('\n', download->stream);
    ++download->size;
  }
  if (fflush(download->stream) != 0) return fail(download, "write");
  download->begin += (off_t)download->size;
  download->filled = true;
  download->size = 0;
  download->held_size = 0;
  download->spilled = false;
  return true;
}

bool download_close(struct download *download) {
  if (!download->named || download->stream == NULL) return true;
  FILE *stream = download->stream;
  download->stream = NULL;
  if (download->created && !download->filled && download->size == 0) unlink(download->path);
  return fclose(stream) == 0 || fail(download, "write");
}

void download_tell_partial(const struct download *download, const char *command) {
  if (download->size == 0) return;
  if (download->screen) {
    complain(command, "the body is not whole: its first %" PRIu64 " bytes came", download->size);
  } else {
    complain(command, "%s holds only the first %" PRIu64 " bytes of the body", download->path, download->size);
  }
}

static bool open_file(struct download *download, const char *path) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    download->created = fd >= 0;
    /* A link that leads to no file yet: only without O_EXCL is that file made. */
    if (fd < 0 && errno == EEXIST) fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  }
  download->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
  return download->stream != NULL || fail(download, "open");
}

/* Standard output may stand anywhere in a file, and appends to it where the shell said ">>". */
static bool find_begin(struct download *download) {
  int fd = fileno(download->stream);
  struct stat status;
  if (fstat(fd, &status) != 0) return fail(download, "write");
  if (!S_ISREG(status.st_mode)) return true;
  bool appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
  download->begin = appends ? status.st_size : lseek(fd, 0, SEEK_CUR);
  download->rewindable = download->begin >= 0;
  return true;
}

/* A body begins, or begins anew because it changed while it was fetched. */
static bool begin_body(struct download *download) {
  bool again = download->size > 0;
  download->size = 0;
  if (download->screen && !download->spilled) {
    download->held_size = 0;
    return true;
  }
  if (again && !download->rewindable) {
    snprintf(download->reason, sizeof download->reason,
             "the body changed while it was fetched, and %s has its beginning already: use --output", download->path);
    return false;
  }
  if (!download->rewindable || (!again && !download->named)) return true;
  if (fflush(download->stream) != 0 || ftruncate(fileno(download->stream), download->begin) != 0 ||
      fseeko(download->stream, download->begin, SEEK_SET) != 0) {
    return fail(download, "write");
  }
  return true;
}

static bool hold(struct download *download, const uint8_t *data, size_t size) {
  while (size > 0) {
    size_t room = sizeof download->held - download->held_size;
    if ((room == 0 || download->spilled) && !spill(download)) return false;
    room = sizeof download->held - download->held_size;
    size_t part = size < room ? size : room;
    memcpy(download->held + download->held_size, data, part);
    download->held_size += part;
    data += part;
    size -= part;
  }
  return true;
}

/* Shows what is held, but for a character at its end that is not whole. */
static bool spill(struct download *download) {
  size_t rest = terminal_unfinished((copal_bytes){download->held, download->held_size});
  copal_bytes whole = {download->held, download->held_size - rest};
  if (!download->spilled && !terminal_is_text(whole)) {
    snprintf(download->reason, sizeof download->reason,
             "the body is binary and too large to be shown: write it to a file with --output FILE");
    return false;
  }
  download->spilled = true;
  terminal_text(stdout, whole, true);
  memmove(download->held, download->held + whole.size, rest);
  download->held_size = rest;
  return true;
}

/* False, so that a caller may return it. */
static bool fail(struct download *download, const char *verb) {
  snprintf(download->reason, sizeof download->reason, "cannot %s %s: %s", verb, download->path, strerror(errno));
  return false;
}

/* Responses' bodies, written part by part: memory stays the same, however large they are. Knows no endpoint.
 *
 * A file is opened before anything is asked, so that nothing is asked in vain, but emptied only when a body comes. */
#include "cli/ask/sink.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/show/response.h"
#include "cli/show/terminal.h"

static bool open_file(struct sink *sink, const char *path);
static bool find_begin(struct sink *sink);
static bool begin_body(struct sink *sink);
static bool hold(struct sink *sink, const uint8_t *data, size_t size);
static bool spill(struct sink *sink);
static bool fail(struct sink *sink, const char *verb);

bool sink_open(struct sink *sink, const char *path) {
  memset(sink, 0, offsetof(struct sink, held));
  sink->named = path != NULL && strcmp(path, "-") != 0;
  sink->path = sink->named ? path : "standard output";
  sink->stream = stdout;
  sink->screen = !sink->named && terminal_is_read();
  if (sink->named && !open_file(sink, path)) return false;
  return sink->screen || find_begin(sink);
}

bool sink_write(void *context, uint64_t offset, const void *data, size_t size) {
  struct sink *sink = context;
  if (offset == 0 && !begin_body(sink)) return false;
  assert(offset == sink->size);
  if (size == 0) return true;
  if (sink->screen) {
    if (!hold(sink, data, size)) return false;
  } else if (fwrite(data, 1, size, sink->stream) != size) {
    return fail(sink, "write");
  }
  sink->size += size;
  sink->last = ((const uint8_t *)data)[size - 1];
  return true;
}

bool sink_shows(const struct sink *sink, uint64_t end) { return sink->screen && end > SINK_SCREEN_SIZE; }

bool sink_end(struct sink *sink, uint32_t content_format, bool line) {
  copal_bytes held = {sink->held, sink->held_size};
  if (sink->size == 0 && !begin_body(sink)) return false;
  if (sink->spilled) {
    terminal_text(stdout, held, true);
    if (sink->last != '\n') fputc('\n', stdout);
  } else if (sink->screen) {
    response_show_body(held, content_format);
  } else if (line && sink->size > 0 && sink->last != '\n') {
    fputc('\n', sink->stream);
    ++sink->size;
  }
  if (terminal_flush(sink->stream) != 0) return fail(sink, "write");
  sink->begin += (off_t)sink->size;
  sink->filled = true;
  sink->size = 0;
  sink->held_size = 0;
  sink->spilled = false;
  return true;
}

void sink_give_up(struct sink *sink) {
  sink->begin += (off_t)sink->size;
  sink->filled = sink->filled || sink->size > 0;
  sink->size = 0;
  sink->held_size = 0;
  sink->spilled = false;
}

bool sink_close(struct sink *sink) {
  if (!sink->named || sink->stream == NULL) return true;
  FILE *stream = sink->stream;
  sink->stream = NULL;
  if (sink->created && !sink->filled && sink->size == 0) unlink(sink->path);
  return fclose(stream) == 0 || fail(sink, "write");
}

void sink_tell_partial(const struct sink *sink, const char *command) {
  if (sink->size == 0 || (sink->screen && sink->reason[0] != '\0')) return;
  if (sink->spilled) fputc('\n', stdout);
  /* What standard output did not take is told when the program ends, and how much it took is not known. */
  if (terminal_flush(stdout) != 0 || (!sink->named && terminal_failure() != 0)) return;
  if (sink->screen) {
    complain(command, "the body is not whole: its first %" PRIu64 " bytes came", sink->size);
  } else {
    complain(command, "%s %s only the first %" PRIu64 " bytes of the body", sink->path, sink->named ? "holds" : "got",
             sink->size);
  }
}

static bool open_file(struct sink *sink, const char *path) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    sink->created = fd >= 0;
    /* A link that leads to no file yet: only without O_EXCL is that file made. */
    if (fd < 0 && errno == EEXIST) fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  }
  sink->stream = fd >= 0 ? fdopen(fd, "wb") : NULL;
  return sink->stream != NULL || fail(sink, "open");
}

/* Standard output may stand anywhere in a file, and appends to it where the shell said ">>". */
static bool find_begin(struct sink *sink) {
  int fd = fileno(sink->stream);
  struct stat status;
  if (fstat(fd, &status) != 0) return fail(sink, "write");
  if (!S_ISREG(status.st_mode)) return true;
  bool appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
  sink->begin = appends ? status.st_size : lseek(fd, 0, SEEK_CUR);
  sink->rewindable = sink->begin >= 0;
  return true;
}

/* A body begins, or begins anew because it changed while it was fetched. */
static bool begin_body(struct sink *sink) {
  bool again = sink->size > 0;
  sink->size = 0;
  if (sink->screen && !sink->spilled) {
    sink->held_size = 0;
    return true;
  }
  if (again && !sink->rewindable) {
    snprintf(sink->reason, sizeof sink->reason,
             "the body changed while it was fetched, and %s has its beginning already: use --output", sink->path);
    return false;
  }
  if (!sink->rewindable || (!again && !sink->named)) return true;
  if (fflush(sink->stream) != 0 || ftruncate(fileno(sink->stream), sink->begin) != 0 ||
      fseeko(sink->stream, sink->begin, SEEK_SET) != 0) {
    return fail(sink, "write");
  }
  return true;
}

static bool hold(struct sink *sink, const uint8_t *data, size_t size) {
  while (size > 0) {
    size_t room = sizeof sink->held - sink->held_size;
    if ((room == 0 || sink->spilled) && !spill(sink)) return false;
    room = sizeof sink->held - sink->held_size;
    size_t part = size < room ? size : room;
    memcpy(sink->held + sink->held_size, data, part);
    sink->held_size += part;
    data += part;
    size -= part;
  }
  return true;
}

/* Shows what is held, but for a character at its end that is not whole. */
static bool spill(struct sink *sink) {
  size_t rest = terminal_unfinished((copal_bytes){sink->held, sink->held_size});
  copal_bytes whole = {sink->held, sink->held_size - rest};
  if (!sink->spilled && !terminal_is_text(whole)) {
    snprintf(sink->reason, sizeof sink->reason,
             "the body is binary and too large to be shown: write it to a file with --output FILE");
    return false;
  }
  sink->spilled = true;
  terminal_text(stdout, whole, true);
  memmove(sink->held, sink->held + whole.size, rest);
  sink->held_size = rest;
  return true;
}

/* False, so that a caller may return it. */
static bool fail(struct sink *sink, const char *verb) {
  snprintf(sink->reason, sizeof sink->reason, "cannot %s %s: %s", verb, sink->path, strerror(errno));
  return false;
}

/* copal serve DIR: the files of a folder as resources. GET reads a file or lists a folder; what writes is in
 * files_write.c. Knows no file but through folder.h and listing.h. A file's version is its status hashed, a folder's
 * its list hashed. */
#include "cli/serve/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/serve/extension.h"
#include "cli/serve/site.h"
#include "cli/show/terminal.h"

/* How old a list may be: for who asks for it, and for who fetches its blocks one by one. A change that is known of
 * makes it invalid at once. */
#define LIST_AGE COPAL_SECOND
#define LIST_BLOCK_AGE (60 * COPAL_SECOND)

static size_t version_of(copal_request *request, uint8_t etag[8], void *context);
static void get(copal_request *request, void *context);
static void get_file(copal_request *request, const char *name, int fd, const struct stat *status);
static uint64_t read_file(void *context, uint64_t offset, void *buffer, size_t size);
static void get_folder(copal_request *request, struct files *files, const struct place *place, int fd);
static bool list(copal_request *request, struct files *files, const struct place *place, int fd);
static bool accepts(copal_request *request, uint32_t format);
static void watch_for(copal_request *request, struct files *files, const struct place *place,
                      const struct stat *status);
static void tell(const struct place *place, bool is_gone);

/* Each thread has its own; what clients write comes with one thread only. */
static _Thread_local struct files *the_files;

static enum status files_open(const struct settings *settings) {
  const char *path = settings->operands[0];
  the_files = calloc(1, sizeof *the_files);
  if (the_files == NULL || !folder_open(&the_files->folder, path)) {
    complain("serve", "cannot open %s: %s", path, strerror(errno));
    free(the_files);
    return STATUS_LOCAL;
  }
  the_files->is_writable = settings->write;
  watch_open(&the_files->watch);
  return STATUS_SUCCESS;
}

static copal_error files_attach(copal_endpoint *endpoint) {
  copal_error error = copal_route(endpoint, COPAL_GET, "/*", get, the_files);
  if (error == COPAL_OK) error = copal_route_attributes(endpoint, "/*", "title=\"Files\";ct=40");
  if (error == COPAL_OK) error = copal_route_version(endpoint, "/*", version_of, the_files);
  if (error == COPAL_OK) error = copal_route_observable(endpoint, "/*", 0);
  if (error == COPAL_OK) error = files_write_attach(the_files, endpoint);
  audience_add(&the_files->audience, endpoint);
  return error;
}

static copal_time files_deadline(void) { return COPAL_NEVER; }

static int files_descriptor(void) { return the_files->watch.descriptor; }

static void files_work(copal_time now) {
  (void)now;
  watch_work(&the_files->watch, tell);
}

static void files_close(void) {
  upload_drop_all(&the_files->uploads);
  watch_close(&the_files->watch);
  folder_close(&the_files->folder);
  free(the_files);
}

const struct site files_site = {
    .open = files_open,
    .attach = files_attach,
    .deadline = files_deadline,
    .descriptor = files_descriptor,
    .work = files_work,
    .close = files_close,
};

/* --- For files_write.c ------------------------------------------------------------------------ */

bool files_locate(copal_request *request, struct place *place) {
  const char *wrong = place_find(place, &copal_request_rx(request)->message);
  if (wrong == NULL) return true;
  copal_reply_problem(request, COPAL_NOT_FOUND, wrong);
  return false;
}

void files_reply_error(copal_request *request, int error) {
  static const struct {
    int error;
    copal_code code;
  } codes[] = {
      {ENOENT, COPAL_NOT_FOUND},
      {ENOTDIR, COPAL_NOT_FOUND},
      {ELOOP, COPAL_NOT_FOUND}, /* a symbolic link */
      {EACCES, COPAL_FORBIDDEN},
      {EPERM, COPAL_FORBIDDEN},
      {EROFS, COPAL_FORBIDDEN},
      {EEXIST, COPAL_CONFLICT},
      {EISDIR, COPAL_CONFLICT},
      {ENOTEMPTY, COPAL_CONFLICT},
      {ENAMETOOLONG, COPAL_BAD_REQUEST},
      {EFBIG, COPAL_REQUEST_ENTITY_TOO_LARGE},
      {ENOSPC, COPAL_REQUEST_ENTITY_TOO_LARGE},
      {EDQUOT, COPAL_REQUEST_ENTITY_TOO_LARGE},
      {EMFILE, COPAL_SERVICE_UNAVAILABLE},
      {ENFILE, COPAL_SERVICE_UNAVAILABLE},
  };
  copal_code code = COPAL_INTERNAL_SERVER_ERROR;
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; ++i) {
    if (codes[i].error == error) code = codes[i].code;
  }
  /* Why there is nothing is nobody's business. */
  if (code == COPAL_NOT_FOUND) {
    copal_reply_code(request, code);
  } else {
    copal_reply_problem(request, code, strerror(error));
  }
}

void files_changed(struct files *files, const struct place *place, bool is_gone) {
  struct place above;
  place_parent(place, &above);
  files->listing.is_valid = false;
  /* What happens in a folder that is watched is told once. */
  if (!watch_has(&files->watch, &above)) tell(place, is_gone);
}

size_t files_etag(uint64_t version, uint8_t etag[8]) {
  for (int i = 0; i < 8; ++i) etag[i] = (uint8_t)(version >> (56 - 8 * i));
  return 8;
}

/* --- Reading ---------------------------------------------------------------------------------- */

static size_t version_of(copal_request *request, uint8_t etag[8], void *context) {
  struct files *files = context;
  struct place place;
  struct stat status;
  if (place_find(&place, &copal_request_rx(request)->message) != NULL) return 0;
  int fd = folder_open_at(&files->folder, &place, &status);
  if (fd < 0) return 0;
  if (S_ISDIR(status.st_mode)) {
    return list(request, files, &place, fd) ? files_etag(files->listing.version, etag) : 0;
  }
  close(fd);
  return files_etag(folder_version(&status), etag);
}

static void get(copal_request *request, void *context) {
  struct files *files = context;
  struct place place;
  struct stat status;
  if (!files_locate(request, &place)) return;
  int fd = folder_open_at(&files->folder, &place, &status);
  if (fd < 0) {
    files_reply_error(request, errno);
    return;
  }
  watch_for(request, files, &place, &status);
  if (S_ISDIR(status.st_mode)) {
    get_folder(request, files, &place, fd);
  } else {
    get_file(request, place_name(&place), fd, &status);
    close(fd);
  }
}

static void get_file(copal_request *request, const char *name, int fd, const struct stat *status) {
  uint32_t format = extension_format(name);
  if (!accepts(request, format)) return;
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CONTENT);
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, format);
  copal_reply_reader(request, (uint64_t)status->st_size, read_file, &fd);
}

static uint64_t read_file(void *context, uint64_t offset, void *buffer, size_t size) {
  const int *fd = context;
  size_t done = 0;
  while (done < size) {
    ssize_t got = pread(*fd, (uint8_t *)buffer + done, size - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return COPAL_SIZE_UNKNOWN;
    if (got == 0) break;
    done += (size_t)got;
  }
  return done;
}

static void get_folder(copal_request *request, struct files *files, const struct place *place, int fd) {
  if (!accepts(request, COPAL_LINK_FORMAT)) {
    close(fd);
  } else if (list(request, files, place, fd)) {
    copal_reply(request, COPAL_CONTENT, COPAL_LINK_FORMAT, files->listing.text, files->listing.size);
  } else if (errno == EFBIG) {
    copal_reply_problem(request, COPAL_INTERNAL_SERVER_ERROR, "the folder holds more than can be listed");
  } else {
    files_reply_error(request, errno);
  }
}

/* Brings a folder's list up to date. fd is closed. */
static bool list(copal_request *request, struct files *files, const struct place *place, int fd) {
  uint32_t block = copal_find_uint(&copal_request_rx(request)->message, COPAL_OPTION_BLOCK2, 0);
  copal_time now = copal_now(), age_max = copal_block_of(block).number > 0 ? LIST_BLOCK_AGE : LIST_AGE;
  if (!listing_is(&files->listing, place, now, age_max)) return listing_make(&files->listing, fd, place, now);
  close(fd);
  return true;
}

/* Whether what there is will do; where not, the request is answered. */
static bool accepts(copal_request *request, uint32_t format) {
  uint32_t wanted = copal_request_format(request);
  if (wanted == COPAL_FORMAT_NONE || wanted == format) return true;
  copal_reply_code(request, COPAL_NOT_ACCEPTABLE);
  return false;
}

/* --- Observing -------------------------------------------------------------------------------- */

/* An observer is to learn of what others do to the file, too. */
static void watch_for(copal_request *request, struct files *files, const struct place *place,
                      const struct stat *status) {
  if (copal_find_uint(&copal_request_rx(request)->message, COPAL_OPTION_OBSERVE, 1) != 0) return;
  struct place above;
  place_parent(place, &above);
  watch_add(&files->watch, &files->folder, S_ISDIR(status->st_mode) ? place : &above);
}

/* Both ways to write a folder's path are told, and that what is in the folder above has changed. */
static void tell(const struct place *place, bool is_gone) {
  static const char *const ends[] = {"", "/"};
  char path[PLACE_URI_MAX + 1];
  struct place above;
  place_parent(place, &above);
  the_files->listing.is_valid = false;
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; ++i) {
    place_uri(place, ends[i], path, sizeof path);
    if (is_gone) {
      audience_end(&the_files->audience, path, COPAL_NOT_FOUND);
    } else {
      audience_notify(&the_files->audience, path);
    }
    place_uri(&above, ends[i], path, sizeof path);
    audience_notify(&the_files->audience, path);
  }
}

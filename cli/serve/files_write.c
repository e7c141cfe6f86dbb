/* copal serve DIR: PUT writes a file, POST to a folder creates one in it, DELETE deletes. Bodies come in parts, of any
 * size, and are written as they come; the library looks at conditions before the first part and the last. RFC 7252
 * sections 5.8.2 to 5.8.4. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cli/serve/extension.h"
#include "cli/serve/files.h"

static void put(copal_request *request, void *context);
static void post(copal_request *request, void *context);
static void delete_place(copal_request *request, void *context);
static void abandon(void *context, void *state);
static bool may_write(copal_request *request, const struct files *files);
static struct upload *begin_put(copal_request *request, struct files *files);
static struct upload *begin_post(copal_request *request, struct files *files);
static bool enter_new_name(struct files *files, struct place *place, uint32_t format);
static struct upload *begin(copal_request *request, struct files *files, const struct place *place);
static void take_part(copal_request *request, struct files *files, struct upload *upload);
static void finish(copal_request *request, struct files *files, struct upload *upload);
static void add_version(copal_message *reply, const struct files *files, const struct place *place);
static void add_location(copal_message *reply, const struct place *place);

copal_error files_write_attach(struct files *files, copal_endpoint *endpoint) {
  copal_error error = copal_route(endpoint, COPAL_PUT, "/*", put, files);
  if (error == COPAL_OK) error = copal_route_parts(endpoint, COPAL_PUT, "/*", abandon);
  if (error == COPAL_OK) error = copal_route(endpoint, COPAL_POST, "/*", post, files);
  if (error == COPAL_OK) error = copal_route_parts(endpoint, COPAL_POST, "/*", abandon);
  if (error == COPAL_OK) error = copal_route(endpoint, COPAL_DELETE, "/*", delete_place, files);
  return error;
}

static void put(copal_request *request, void *context) {
  struct files *files = context;
  struct upload *upload = *copal_request_part(request).state;
  if (upload == NULL) upload = begin_put(request, files);
  if (upload != NULL) take_part(request, files, upload);
}

static void post(copal_request *request, void *context) {
  struct files *files = context;
  struct upload *upload = *copal_request_part(request).state;
  if (upload == NULL) upload = begin_post(request, files);
  if (upload != NULL) take_part(request, files, upload);
}

/* RFC 7252 5.8.4: "A 2.02 (Deleted) Response Code SHOULD be used on success or in case the resource did not exist
 * before the request." */
static void delete_place(copal_request *request, void *context) {
  struct files *files = context;
  struct place place;
  if (!may_write(request, files) || !files_locate(request, &place)) return;
  bool deleted = folder_delete(&files->folder, &place);
  if (!deleted && errno != ENOENT) {
    files_reply_error(request, errno);
    return;
  }
  copal_reply_code(request, COPAL_DELETED);
  if (deleted) files_changed(files, &place, true);
}

static void abandon(void *context, void *state) {
  (void)context;
  if (state != NULL) upload_drop((struct upload *)state);
}

static bool may_write(copal_request *request, const struct files *files) {
  if (files->is_writable) return true;
  copal_reply_problem(request, COPAL_FORBIDDEN, "read-only: the server was started without --write");
  return false;
}

static struct upload *begin_put(copal_request *request, struct files *files) {
  struct place place;
  struct stat status;
  if (!may_write(request, files) || !files_locate(request, &place)) return NULL;
  bool is_folder = place.is_folder || place.size == 0;
  if (!is_folder) is_folder = folder_status(&files->folder, &place, &status) && S_ISDIR(status.st_mode);
  if (!is_folder) return begin(request, files, &place);
  copal_reply_problem(request, COPAL_CONFLICT, "a folder cannot be written: PUT to a name in it");
  return NULL;
}

static struct upload *begin_post(copal_request *request, struct files *files) {
  struct place place;
  struct stat status;
  if (!may_write(request, files) || !files_locate(request, &place)) return NULL;
  if (!folder_status(&files->folder, &place, &status)) {
    files_reply_error(request, errno);
    return NULL;
  }
  if (!S_ISDIR(status.st_mode)) {
    copal_reply_code(request, COPAL_METHOD_NOT_ALLOWED);
    return NULL;
  }
  const copal_view *message = &copal_request_rx(request)->message;
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  if (enter_new_name(files, &place, format)) return begin(request, files, &place);
  files_reply_error(request, errno);
  return NULL;
}

/* A name that no file has, drawn at random: counting would meet all files that were created so. */
static bool enter_new_name(struct files *files, struct place *place, uint32_t format) {
  struct place folder = *place;
  for (int tries = 0; tries < 8; ++tries) {
    uint32_t number;
    char name[32];
    struct stat status;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) return false;
    snprintf(name, sizeof name, "%08" PRIx32 "%s", number, extension_for(format));
    *place = folder;
    if (!place_enter(place, name)) {
      errno = ENAMETOOLONG;
      return false;
    }
    if (!folder_status(&files->folder, place, &status)) return errno == ENOENT;
  }
  errno = EEXIST;
  return false;
}

static struct upload *begin(copal_request *request, struct files *files, const struct place *place) {
  struct upload *upload = upload_begin(&files->uploads, &files->folder, place);
  if (upload == NULL) files_reply_error(request, errno);
  *copal_request_part(request).state = upload;
  return upload;
}

static void take_part(copal_request *request, struct files *files, struct upload *upload) {
  copal_part part = copal_request_part(request);
  if (!upload_write(upload, part.offset, part.data, part.size)) {
    files_reply_error(request, errno);
    upload_drop(upload);
    *part.state = NULL;
  } else if (part.last) {
    *part.state = NULL;
    finish(request, files, upload);
  }
}

static void finish(copal_request *request, struct files *files, struct upload *upload) {
  bool created, is_post = copal_request_rx(request)->message.code == COPAL_POST;
  struct place place = upload->place;
  if (!upload_finish(upload, is_post, &created)) {
    files_reply_error(request, errno);
    return;
  }
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, created ? COPAL_CREATED : COPAL_CHANGED);
  if (is_post) {
    add_location(reply, &place);
  } else {
    add_version(reply, files, &place);
  }
  files_changed(files, &place, false);
}

/* RFC 7252 5.8.2 and 5.8.3 leave to the server whether to tell; a client that knows the ETag can go on with If-Match.
 */
static void add_version(copal_message *reply, const struct files *files, const struct place *place) {
  uint8_t etag[8];
  struct stat status;
  if (!folder_status(&files->folder, place, &status)) return;
  copal_message_add(reply, COPAL_OPTION_ETAG, etag, files_etag(folder_version(&status), etag));
}

static void add_location(copal_message *reply, const struct place *place) {
  for (const char *name = place->text; name != NULL;) {
    const char *slash = strchr(name, '/');
    size_t size = slash != NULL ? (size_t)(slash - name) : strlen(name);
    copal_message_add(reply, COPAL_OPTION_LOCATION_PATH, name, size);
    name = slash != NULL ? slash + 1 : NULL;
  }
}

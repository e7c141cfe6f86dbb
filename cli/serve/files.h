/* What the files of "copal serve DIR" share: files.c reads, files_write.c writes. */
#ifndef COPAL_CLI_SERVE_FILES_H
#define COPAL_CLI_SERVE_FILES_H

#include "cli/serve/audience.h"
#include "cli/serve/listing.h"
#include "cli/serve/upload.h"
#include "cli/serve/watch.h"
#include "copal/net.h"

/* One for all endpoints of the server. */
struct files {
  struct folder folder;
  bool is_writable;
  struct audience audience;
  struct watch watch;
  struct listing listing;
  struct uploads uploads;
};

/* Registers PUT, POST and DELETE. Errors as copal_route. */
copal_error files_write_attach(struct files *files, copal_endpoint *endpoint);

/* Where the request's path leads. Where it cannot lead to a file, false, and the request is answered. */
bool files_locate(copal_request *request, struct place *place);

/* Answers that the system refused. */
void files_reply_error(copal_request *request, int error);

/* Tells observers of a change that the server itself has made. */
void files_changed(struct files *files, const struct place *place, bool is_gone);

/* Writes a version as an ETag; returns its size. */
size_t files_etag(uint64_t version, uint8_t etag[8]);

#endif

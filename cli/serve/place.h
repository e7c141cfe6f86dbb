/* Where a request's Uri-Path leads below a served folder. Pure functions: no file is looked at. */
#ifndef COPAL_CLI_SERVE_PLACE_H
#define COPAL_CLI_SERVE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "copal/message.h"

/* Room for a path of any datagram that the command's endpoints take, and for the same percent-encoded. */
enum { PLACE_TEXT_MAX = 2048, PLACE_URI_MAX = 3 * PLACE_TEXT_MAX + 2 };

/* All zero is the folder itself. */
struct place {
  char text[PLACE_TEXT_MAX]; /* names joined by "/", of which none is empty or begins with "." */
  size_t size;
  bool is_folder; /* the path ended in "/" */
};

/* Takes the place from a request's Uri-Path. Returns NULL, or what is wrong with the path: a name that no served file
 * can have. So a place never leads out of the folder. */
const char *place_find(struct place *place, const copal_view *request);

/* Goes down to a name. False where it is too long, or one that no served file can have. */
bool place_enter(struct place *place, const char *name);

/* The place above; that of the folder itself is the folder itself. */
void place_parent(const struct place *place, struct place *parent);

/* The last name; "" for the folder itself. */
const char *place_name(const struct place *place);

/* Whether both are the same place, ended in "/" or not. */
bool place_equal(const struct place *a, const struct place *b);

/* Writes the path as it stands in a URI, "/a/b%20c"; "/" for the folder itself. With end, which may be "", behind it.
 * capacity is at least PLACE_URI_MAX and the end's size (assert). Returns the length. */
size_t place_uri(const struct place *place, const char *end, char *buffer, size_t capacity);

/* Whether files of this name are served: it is not empty, does not begin with "." and has no "/". */
bool place_serves(const char *name, size_t size);

#endif

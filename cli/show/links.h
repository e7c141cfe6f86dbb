/* A link-format document (RFC 6690) as a tree for people, and as JSON for programs. */
#ifndef COPAL_CLI_SHOW_LINKS_H
#define COPAL_CLI_SHOW_LINKS_H

#include <stdio.h>

#include "cli/show/json.h"
#include "copal/message.h"

enum { LINK_FILTERS_MAX = 4 };

/* What is shown of a document; all of it where filters is NULL. */
struct link_filters {
  const char *arguments[LINK_FILTERS_MAX]; /* RFC 6690 4.1, "rt=temp*"; NULL behind the last */
};

/* Whether a document is link format all through. */
bool links_check(copal_bytes document);

/* Writes the paths' segments as a tree, a link's attributes in a column beside it; below a root of that name, unless
 * root is NULL. Returns how many links there were, or COPAL_ERR_LINK_SYNTAX, with nothing written, for what is not link
 * format, or COPAL_ERR_MEMORY. */
int links_print(FILE *stream, copal_bytes document, const char *root, const struct link_filters *filters);

/* Writes an array of {"target", "attributes"}, up to the place that is not link format. An attribute is a string, true
 * where it has no value, and an array of these where it stands more than once. */
void links_json(struct json *json, const char *key, copal_bytes document, const struct link_filters *filters);

#endif

/* A link-format document (RFC 6690) as a list for people. */
#ifndef COPAL_CLI_SHOW_LINKS_H
#define COPAL_CLI_SHOW_LINKS_H

#include <stdio.h>

#include "copal/message.h"

/* Writes one line a link, `before` in front of it: target and attributes in columns. Returns how many links there were,
 * or COPAL_ERR_LINK_SYNTAX after those before the place that is not link format. */
int links_print(FILE *stream, copal_bytes document, const char *before);

#endif

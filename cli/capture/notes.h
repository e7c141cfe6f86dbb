/* What is remarkable about a datagram that decodes: rules that its fields break, and what recipients do about it. */
#ifndef COPAL_CLI_CAPTURE_NOTES_H
#define COPAL_CLI_CAPTURE_NOTES_H

#include "cli/capture/dissect.h"

enum { NOTES_MAX = 3 }; /* about one part */

struct note {
  const char *text;
  const char *section; /* "RFC 7252 4.2" */
};

/* What has to be known of the parts before. */
struct notes {
  uint8_t type;
  bool has_option;
  uint16_t number; /* of the latest option */
};

/* Looks at the next part; notes is all zeroes at the first. Returns how many notes there are about it. */
size_t notes_take(struct notes *notes, const struct part *part, const struct note *found[NOTES_MAX]);

#endif

/* The URIs that a command line asks, and the files that their answers go to. */
#ifndef COPAL_CLI_ASK_GOAL_H
#define COPAL_CLI_ASK_GOAL_H

#include "cli/ask/client.h"
#include "copal/message.h"

enum { GOALS_MAX = 4096, GOAL_REASON_MAX = 640, GOAL_NAME_MAX = 200, GOAL_OUTPUT_MAX = 4096 };

struct goal {
  struct target target;
  copal_error error;            /* of looking its host up */
  char reason[GOAL_REASON_MAX]; /* of that, a sentence */
  char output[GOAL_OUTPUT_MAX]; /* the file that its bodies go to; "" for standard output */
  bool writing;                 /* a request is under way that writes it */
};

/* The name of the file for a request's answer: the last part of its path that is not empty, "index" where there is
 * none. Only letters, digits, "-", "_", ".", and what UTF-8 has besides, pass; the rest becomes "_", and so does a dot
 * at the beginning: no name leads out of a folder, or hides in it. name holds GOAL_NAME_MAX bytes. */
void goal_name(const copal_view *request, char *name);

/* Decides where the bodies of a request go, one of count: --output names a folder where there are several URIs.
 * STATUS_SUCCESS, or a complaint has been made. */
enum status goal_set_output(struct goal *goal, const struct client *client, const copal_view *request, size_t count);

/* The goal among those before the last one that has the same file, or NULL. */
const struct goal *goal_with_same_output(const struct goal *goals, size_t count);

#endif

/* Answers that are owed: requests that were postponed until a time. */
#ifndef COPAL_CLI_SERVE_LATER_H
#define COPAL_CLI_SERVE_LATER_H

#include "copal/rest.h"

enum { LATER_MAX = 64 };

/* All zero owes nothing. */
struct later {
  struct {
    copal_endpoint *endpoint; /* NULL: the place is free */
    copal_deferred deferred;
    copal_time due;
    bool is_refused; /* it is answered 5.03 */
  } owed[LATER_MAX];
  bool is_ending; /* nothing is postponed any more */
};

/* Postpones a request's answer until due. Where there is no room for another one, the request is answered 5.03. */
void later_owe(struct later *later, copal_request *request, copal_time due);

/* When the next answer is due; COPAL_NEVER when none is owed. */
copal_time later_deadline(const struct later *later);

/* Sends the answers that are due: 2.05 with this text. */
void later_work(struct later *later, copal_time now, const char *text);

/* Postpones nothing from now on, and refuses at once what would be due after end: it is not waited for. */
void later_end(struct later *later, copal_time end);

#endif

/* Why a request failed, in words: what was tried, what came, what to do. Pure: it knows no endpoint and prints nothing.
 */
#include "cli/ask/failure.h"

#include <stdio.h>

#include "cli/line/value.h"

/* A sentence for each error that says all with the peer's name, which stands where it has "%s". */
static const struct {
  copal_error error;
  const char *before, *after;
} sentences[] = {
    {COPAL_ERR_RESET, "",
     " answered with a Reset: it has no use for this message; \"copal ping\" tells whether it speaks CoAP"},
    {COPAL_ERR_UNREACHABLE, "",
     " is unreachable: nothing listens there, or no route leads there; are address and port right, and is a server"
     " running?"},
    {COPAL_ERR_RESPONSE_REJECTED, "the response from ",
     " is rejected: a critical option in it is not understood, or malformed, or it is larger than a datagram may be"
     " here; --verbose shows it"},
    {COPAL_ERR_MULTICAST_CON, "", " is a group: a request to a group is non-confirmable, add --non"},
    {COPAL_ERR_MESSAGE_SIZE, "the request is larger than a datagram to ",
     " may be: send a smaller payload; to a single server, --file sends a larger one in blocks"},
    {COPAL_ERR_SPACE, "the request is larger than a datagram to ",
     " may be: send a smaller payload; to a single server, --file sends a larger one in blocks"},
    {COPAL_ERR_BODY_SIZE, "a body to or from ",
     " is larger than there is room for here, or has more blocks than can be numbered: a large one belongs into a file,"
     " with --output or --file"},
    {COPAL_ERR_BODY_CHANGED, "what ",
     " sends changed while its blocks were fetched, again and again: try later, or with a larger --block-size"},
    {COPAL_ERR_BODY_BLOCKS, "the blocks from ",
     " do not make a whole: one is missing, or is not the one that was asked for; --verbose shows them"},
    {COPAL_ERR_TOKEN_IN_USE, "a request to ", " has this token already: leave the choice to the command"},
};

static void write_timeout(const struct attempt *attempt, char *text, size_t capacity);

void failure_text(const struct attempt *attempt, copal_error error, char *text, size_t capacity) {
  if (error == COPAL_ERR_TIMEOUT) {
    write_timeout(attempt, text, capacity);
    return;
  }
  for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; ++i) {
    if (sentences[i].error != error) continue;
    snprintf(text, capacity, "%s%s%s", sentences[i].before, attempt->peer, sentences[i].after);
    return;
  }
  snprintf(text, capacity, "cannot send to %s: %s", attempt->peer, copal_error_text(error));
}

static void write_timeout(const struct attempt *attempt, char *text, size_t capacity) {
  char waited[32] = "0 s", tried[96];
  if (attempt->asked != COPAL_NEVER && attempt->now > attempt->asked) {
    value_duration_text(attempt->now - attempt->asked, waited, sizeof waited);
  }
  snprintf(tried, sizeof tried, "%u transmission%s in %s", attempt->transmissions,
           attempt->transmissions == 1 ? "" : "s", waited);
  if (attempt->group) {
    snprintf(text, capacity, "nobody in the group %s answered within %s: is a server on this network in it?",
             attempt->peer, waited);
  } else if (attempt->asked == COPAL_NEVER) {
    snprintf(text, capacity, "the request to %s was not sent in time: others were under way; try a longer --timeout",
             attempt->peer);
  } else if (attempt->acknowledged) {
    snprintf(text, capacity, "%s acknowledged the request but sent no response within %s: try a longer --timeout",
             attempt->peer, waited);
  } else if (attempt->exchanges > 1 && attempt->limit > 0 && attempt->transmissions <= 1) {
    /* Answers came to the end, or may have. */
    value_duration_text(attempt->limit, waited, sizeof waited);
    snprintf(text, capacity, "%s had not sent all within %s: try a longer --timeout", attempt->peer, waited);
  } else if (attempt->exchanges > 1) {
    snprintf(text, capacity, "no answer from %s after %s, where it had answered before: try again", attempt->peer,
             tried);
  } else if (attempt->non) {
    snprintf(text, capacity,
             "no answer from %s to a non-confirmable request within %s: it may be lost, and without --non it is sent"
             " again",
             attempt->peer, waited);
  } else {
    snprintf(text, capacity, "no answer from %s after %s: is a server running there?", attempt->peer, tried);
  }
}

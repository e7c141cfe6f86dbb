/* Requests under way, one or several, on one endpoint: whom they ask, and a slot for each. */
#ifndef COPAL_CLI_ASK_RUN_H
#define COPAL_CLI_ASK_RUN_H

#include "cli/ask/goal.h"
#include "cli/ask/question.h"
#include "cli/ask/schedule.h"
#include "cli/line/command.h"
#include "cli/show/totals.h"

struct run;

/* Room for one request under way. */
struct slot {
  struct run *run;
  struct goal *goal;
  uint32_t round;     /* which time its URI is asked, from 0 */
  unsigned answers;   /* so far; a group gives several */
  enum status status; /* of the first answer, or of a better one */
  bool used;
  bool headed; /* it has been said whose answer follows */
  struct sink sink;
  struct question question;
};

struct run {
  struct client client;
  struct schedule schedule;
  struct totals totals;
  struct goal *goals;
  size_t goals_count;
  struct slot *slots; /* as many as may be under way, and no more, however many requests are made */
  uint32_t slots_count;
  uint32_t under_way;
  uint8_t code;       /* the method */
  bool several;       /* more than one request is made */
  bool broken;        /* nothing more is to be asked: it could not be written, say */
  bool waits;         /* it has been said that message IDs are waited for */
  struct sink output; /* standard output */
};

/* Opens a client, looks at all URIs and looks their hosts up; run is all zeroes. What is wrong with any of them is
 * found before anything is sent, but a host that is not found is only its own requests' failure. STATUS_SUCCESS, or a
 * complaint has been made. Close it in either case. */
enum status run_open(struct run *run, const struct command *command, const struct settings *settings);

/* Frees everything. Returns status, or STATUS_LOCAL. */
enum status run_close(struct run *run, enum status status);

/* A slot that is free, or NULL. */
struct slot *run_free_slot(const struct run *run);

/* Makes a slot ready for a request to its goal: built, with its bodies opened. STATUS_SUCCESS, or a complaint has been
 * made. Release it in either case. */
enum status run_prepare(struct slot *slot);

/* Gives a slot back. What came of a body that is not whole is told. */
void run_release(struct slot *slot);

/* Where the response's body goes; NULL: nowhere but into a report. */
struct sink *run_sink(const struct slot *slot);

#endif

/* What a load is to be, from the command line: whom to ask, for what, how often, and the request as bytes. */
#ifndef COPAL_CLI_LOAD_PLAN_H
#define COPAL_CLI_LOAD_PLAN_H

#include "cli/ask/client.h"
#include "cli/ask/request.h"
#include "cli/load/flight.h"

enum { PLAN_REQUESTS_MAX = 16000000 };

struct plan {
  struct target target;
  uint8_t method; /* its code */
  bool non;
  uint32_t clients, window, sources;
  uint32_t in_flight;          /* at once */
  uint32_t rate;               /* a second; 0: a closed loop */
  uint64_t requests;           /* 0: no limit */
  copal_time duration, warmup; /* duration is that of what counts; COPAL_NEVER: no limit */
  struct patience patience;

  uint8_t *body; /* of the request */
  size_t body_size;
  uint8_t szx;                  /* of the blocks that it goes in, where it is larger than one: 16 << szx bytes */
  uint8_t *whole;               /* the request, with a token of zeroes, and with the body where that fits a block */
  size_t whole_size, head_size; /* of it, and of what is before the body */

  uint32_t observers;
  uint8_t *registration; /* a GET with Observe 0, likewise; */
  uint8_t *farewell;     /* and with Observe 1 */
  size_t registration_size, farewell_size;
};

/* All from the settings; plan is all zeroes. STATUS_SUCCESS, or a complaint has been made. Close it in either case. */
enum status plan_open(struct plan *plan, const char *command, const struct settings *settings);
void plan_close(struct plan *plan);

#endif

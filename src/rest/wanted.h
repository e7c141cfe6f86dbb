/* Which blocks of a response a request asks for with its Q-Block2 options: the rest of a set, single ones that were
 * lost, or to go on with the next set. At most one set at a time. Pure. RFC 9177 section 4.4. */
#ifndef COPAL_REST_WANTED_H
#define COPAL_REST_WANTED_H

#include "copal/message.h"
#include "rest/qblock.h"

struct wanted {
  uint32_t numbers[QBLOCK_SET]; /* ascending */
  uint8_t count;                /* 0: there is no such option */
  uint8_t szx;
  bool several; /* options */
  bool goes_on; /* a set from its beginning on, and then the ones after it */
};

/* Reads the options. False where they are not as they must be: 4.00. */
bool wanted_read(const copal_view *request, struct wanted *wanted);

/* What a single option asks for. */
void wanted_by(struct wanted *wanted, copal_block block);

#endif

/* Whether a message's critical options permit it to be processed. RFC 7252 sections 5.4.1, 5.4.3, 5.4.5. */
#ifndef COPAL_MESSAGE_CRITICAL_H
#define COPAL_MESSAGE_CRITICAL_H

#include "copal/message.h"

/* Whether whoever processes the message understands a critical option. */
typedef bool critical_understood(uint16_t number);

enum { CRITICAL_NONE = -1 };

/* The number of the first critical option that is not understood, has an illegal size, or is repeated and may not be;
 * CRITICAL_NONE when all is well. Elective options are nobody's concern here: who reads them ignores what is illegal.
 */
int32_t critical_refused(const copal_view *view, critical_understood *understood);

/* Understands all that the registry lists. */
bool critical_registered(uint16_t number);

#endif

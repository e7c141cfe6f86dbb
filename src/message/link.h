/* What the parts of the link-format code share: characters and names. RFC 6690 section 2. */
#ifndef COPAL_MESSAGE_LINK_H
#define COPAL_MESSAGE_LINK_H

#include "copal/message.h"

/* ptokenchar: what a value without quotes is made of. */
bool link_is_token(uint8_t byte);

/* parmname of RFC 5987, and the "*" that a name may end in. */
bool link_is_name(uint8_t byte);

/* What may stand between "<" and ">". */
bool link_is_target(uint8_t byte);

/* Letter case ignored, RFC 5234 2.3. */
bool link_name_equal(copal_bytes name, copal_bytes other);

/* The next byte of a value, its escape resolved, or -1 at the end. *at is a position in value. */
int link_value_next(const copal_link_parameter *parameter, size_t *at);

#endif

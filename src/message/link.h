/* What the parts of the link-format code share: characters and names. RFC 6690 section 2. */
#ifndef COPAL_MESSAGE_LINK_H
#define COPAL_MESSAGE_LINK_H

#include "copal/uri.h"

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

/* Takes a parameter whose ";" is off already, or stands nowhere. False and no more where there is none. */
bool link_parameter_take(copal_bytes *text, copal_link_parameter *parameter);

/* As copal_link_matches, for a link in parts: its attributes lack their first ";". */
bool link_matches(copal_bytes target, copal_bytes attributes, copal_bytes argument);

#endif

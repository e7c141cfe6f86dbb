/* Which responses a client has no interest in. RFC 7967 section 2. */
#ifndef COPAL_MESSAGE_SILENCE_H
#define COPAL_MESSAGE_SILENCE_H

#include "copal/message.h"

enum { NO_RESPONSE_CLASSES = 1 << 1 | 1 << 3 | 1 << 4, NO_RESPONSE_ABSENT = 0xff };

/* A request's No-Response option, as far as there are such classes; an illegal one, which is elective, is none. */
static inline uint8_t message_no_response(const copal_view *request) {
  uint32_t value = copal_find_uint(request, COPAL_OPTION_NO_RESPONSE, UINT32_MAX);
  return (uint8_t)(value == UINT32_MAX ? NO_RESPONSE_ABSENT : value & NO_RESPONSE_CLASSES);
}

/* Whether the client does not want a response of that code. RFC 7967 2.1: a bit for each class. 2.31 is no response
 * to the whole request, and a client that sends blocks needs it. And: "The server MUST send back responses of the
 * classes for which the client has not expressed any disinterest." */
static inline bool message_is_unwanted(uint8_t no_response, uint8_t code) {
  return no_response != NO_RESPONSE_ABSENT && code != COPAL_CONTINUE &&
         (no_response >> (COPAL_CODE_CLASS(code) - 1) & 1);
}

#endif

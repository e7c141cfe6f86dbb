/* Names of codes and types, from the list in the header. RFC 7252 sections 3 and 12.1, and the codes' own RFCs. */
#include <assert.h>

#include "copal/message.h"

const char *copal_code_name(uint8_t code) {
#define CODE_CASE(name, class_, detail, text) \
  case COPAL_CODE(class_, detail): return text;
  switch (code) { COPAL_CODES(CODE_CASE) }
#undef CODE_CASE
  return NULL;
}

const char *copal_type_name(uint8_t type) {
  static const char *const names[] = {"CON", "NON", "ACK", "RST"};
  assert(type < sizeof names / sizeof names[0]);
  return names[type];
}

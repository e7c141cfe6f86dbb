/* Exit statuses from response codes and from the library's errors. Knows no output. */
#include "cli/line/status.h"

#include "copal/message.h"

enum status status_of_code(uint8_t code) {
  switch (COPAL_CODE_CLASS(code)) {
    case 2: return STATUS_SUCCESS;
    case 4: return STATUS_CLIENT_ERROR;
    case 5: return STATUS_SERVER_ERROR;
    default: return STATUS_MALFORMED;
  }
}

enum status status_of_error(copal_error error) {
  /* Ranges of error.h, whose values never change: -1 to -12 is what is wrong with a datagram. */
  if (error <= COPAL_ERR_DATAGRAM_SHORT && error >= COPAL_ERR_EMPTY_NOT_EMPTY) return STATUS_MALFORMED;
  if (error <= COPAL_ERR_URI_SYNTAX && error >= COPAL_ERR_URI_COMPONENT) return STATUS_USAGE;
  if (error == COPAL_ERR_URI_UTF8) return STATUS_USAGE;
  if (error == COPAL_ERR_MULTICAST_CON) return STATUS_USAGE;
  if (error == COPAL_ERR_TIMEOUT) return STATUS_TIMEOUT;
  if (error == COPAL_ERR_RESET) return STATUS_RESET;
  if (error == COPAL_ERR_UNREACHABLE || error == COPAL_ERR_RESOLVE) return STATUS_UNREACHABLE;
  if (error == COPAL_ERR_RESPONSE_REJECTED) return STATUS_MALFORMED;
  if (error == COPAL_ERR_BODY_CHANGED || error == COPAL_ERR_BODY_BLOCKS) return STATUS_MALFORMED;
  return error == COPAL_OK ? STATUS_SUCCESS : STATUS_LOCAL;
}

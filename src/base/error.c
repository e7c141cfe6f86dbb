/* Error names and texts, both from the one list in error.h. */
#include "copal/error.h"

const char *copal_error_text(copal_error error) {
#define COPAL_ERROR_CASE(name, value, text) \
  case COPAL_ERR_##name: return text;
  switch (error) {
    case COPAL_OK: return "success";
    case COPAL_ERROR_LAST_: break; COPAL_ERRORS(COPAL_ERROR_CASE)
  }
#undef COPAL_ERROR_CASE
  return "unknown error";
}

const char *copal_error_name(copal_error error) {
#define COPAL_ERROR_CASE(name, value, text) \
  case COPAL_ERR_##name: return "COPAL_ERR_" #name;
  switch (error) {
    case COPAL_OK: return "COPAL_OK";
    case COPAL_ERROR_LAST_: break; COPAL_ERRORS(COPAL_ERROR_CASE)
  }
#undef COPAL_ERROR_CASE
  return "COPAL_ERR_UNKNOWN";
}

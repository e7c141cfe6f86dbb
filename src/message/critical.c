/* See critical.h. */
#include "message/critical.h"

bool critical_registered(uint16_t number) { return copal_option_by_number(number) != NULL; }

/* RFC 7252 5.4.1: "unrecognized options of class "elective" MUST be silently ignored." */
int32_t critical_refused(const copal_view *view, critical_understood *understood) {
  copal_options walk = copal_options_of(view);
  copal_option option;
  uint32_t previous = UINT32_MAX;
  while (copal_options_next(&walk, &option)) {
    uint32_t last = previous;
    previous = option.number;
    if (!copal_option_is_critical(option.number)) continue;
    if (!understood(option.number)) return option.number;
    const copal_option_info *info = copal_option_by_number(option.number);
    if (info == NULL) continue;
    /* RFC 7252 5.4.3: a value of illegal length "MUST be treated like an unrecognized option"; 5.4.5: "each
     * supernumerary option occurrence … MUST be treated like an unrecognized option". */
    if (option.size < info->size_min || option.size > info->size_max) return option.number;
    if (last == option.number && !info->repeatable) return option.number;
  }
  return CRITICAL_NONE;
}

/* Hop-Limit: how many proxies a request may still pass, so that one that goes in circles comes to an end. RFC 8768
 * section 3. */
#include "copal/message.h"

enum { HOPS_INITIAL = 16, HOPS_MAX = 255 };

bool copal_hop_limit_is_legal(const copal_view *request) {
  copal_option option;
  if (!copal_find(request, COPAL_OPTION_HOP_LIMIT, &option)) return true;
  uint32_t hops = copal_option_uint(&option);
  return hops >= 1 && hops <= HOPS_MAX;
}

/* RFC 8768 3: "If no initial value is explicitly provided, the default initial Hop-Limit value of 16 MUST be used."
 * "Otherwise, a CoAP proxy that understands the Hop-Limit option MUST decrement the value of the option by 1 prior to
 * forwarding it." "CoAP requests MUST NOT be forwarded if the Hop-Limit option is set to '0' after decrement." */
copal_error copal_message_hop(copal_message *message) {
  if (message->error != COPAL_OK) return message->error;
  copal_view view = copal_message_view(message);
  copal_option option;
  uint8_t hops = HOPS_INITIAL;
  if (copal_find(&view, COPAL_OPTION_HOP_LIMIT, &option)) {
    if (!copal_hop_limit_is_legal(&view)) return COPAL_ERR_OPTION_VALUE;
    hops = (uint8_t)(copal_option_uint(&option) - 1);
    if (hops == 0) return COPAL_ERR_HOP_LIMIT;
  }
  copal_message_replace(message, COPAL_OPTION_HOP_LIMIT, &hops, sizeof hops);
  return message->error;
}

/* See wanted.h. */
#include "rest/wanted.h"

#include "rest/window.h"

/* RFC 9177 4.4: "If the request includes multiple Q-Block2 options and these options overlap … the server MUST only
 * send back one instance of that block. This behavior is meant to prevent amplification attacks." RFC 9177 7.2: "The
 * sending of a set of missing blocks of a body is restricted to those in a MAX_PAYLOADS_SET at a time." */
static void add(struct wanted *wanted, uint32_t number) {
  bool known = wanted->count > 0 && number <= wanted->numbers[wanted->count - 1];
  if (!known && wanted->count < QBLOCK_SET) wanted->numbers[wanted->count++] = number;
}

/* RFC 9177 4.4: with the M bit set, a NUM that is a multiple of MAX_PAYLOADS asks for a set and those after it, and any
 * other for "that block and for all of the remaining blocks in the current MAX_PAYLOADS_SET". */
static void add_set(struct wanted *wanted, uint32_t number) {
  uint32_t end = qblock_set_of(number) + QBLOCK_SET;
  for (; number < end && number <= BLOCK_NUMBER_MAX; ++number) add(wanted, number);
}

static void add_option(struct wanted *wanted, copal_block block) {
  wanted->szx = block.szx;
  wanted->several = wanted->count > 0;
  wanted->goes_on = block.more && block.number % QBLOCK_SET == 0 && !wanted->several;
  if (block.more)
    add_set(wanted, block.number);
  else
    add(wanted, block.number);
}

void wanted_by(struct wanted *wanted, copal_block block) {
  *wanted = (struct wanted){.count = 0};
  add_option(wanted, block);
}

/* RFC 9177 4.4: "The missing block numbers requested by the client MUST have an increasing block number in each
 * additional Q-Block2 option with no duplicates. The server SHOULD respond with a 4.00 (Bad Request) to requests not
 * adhering to this behavior." */
bool wanted_read(const copal_view *request, struct wanted *wanted) {
  *wanted = (struct wanted){.count = 0};
  if (!copal_may_have(request, COPAL_OPTION_Q_BLOCK2)) return true;
  copal_options walk = copal_options_of(request);
  copal_option option;
  uint32_t last = 0;
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_Q_BLOCK2) continue;
    copal_block block = copal_block_of(copal_option_uint(&option));
    if (block.szx == BLOCK_SZX_RESERVED) return false;
    if (wanted->count > 0 && (block.number <= last || block.szx != wanted->szx)) return false;
    last = block.number;
    add_option(wanted, block);
  }
  return true;
}

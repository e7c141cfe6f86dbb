/* What is remarkable about a datagram that decodes. Knows the rules for types, codes and options, and no application.
 */
#include "cli/capture/notes.h"

enum { SZX_RESERVED = 7 };

/* RFC 7252 4.2: rejected "where the message is Empty, uses a code with a reserved class (1, 6, or 7)". */
static const struct note reserved_class = {"code of a reserved class: recipients reject the message", "RFC 7252 4.2"};

/* RFC 7252 4.2: "Rejecting an Acknowledgement or Reset message (including the case where the Acknowledgement carries a
 * request or a code with a reserved class, or the Reset message is not Empty) is effected by silently ignoring it." */
static const struct note ack_request = {"an Acknowledgement carries no request: recipients ignore it", "RFC 7252 4.2"};
static const struct note rst_not_empty = {"a Reset is Empty: recipients ignore this one", "RFC 7252 4.2"};

/* RFC 7252 4.3: "A Non-confirmable message always carries either a request or response and MUST NOT be Empty." */
static const struct note non_empty = {"a Non-confirmable message is not Empty: recipients reject it", "RFC 7252 4.3"};

/* RFC 7252 5.4.1, 5.4.3 and 5.4.5: one that is not understood, has an illegal length or is one too many is ignored, or,
 * where it is critical, has the message rejected. */
static const struct note critical_unknown = {
    "unregistered and critical: who does not understand it rejects the message", "RFC 7252 5.4.1"};
static const struct note critical_length = {"its length is illegal, and it is critical: the message is rejected",
                                            "RFC 7252 5.4.3"};
static const struct note elective_length = {"its length is illegal: the option is ignored", "RFC 7252 5.4.3"};
static const struct note critical_repeated = {"it may not be repeated, and is critical: the message is rejected",
                                              "RFC 7252 5.4.5"};
static const struct note elective_repeated = {"it may not be repeated: this one is ignored", "RFC 7252 5.4.5"};

/* RFC 7959 2.2: "The value 7 for SZX (which would indicate a block size of 2048) is reserved, i.e., MUST NOT be sent
 * and MUST lead to a 4.00 Bad Request response code upon reception in a request." */
static const struct note block_reserved = {"block size 7 is reserved: a request is answered with 4.00", "RFC 7959 2.2"};

static const struct note *note_of_code(const struct notes *notes, uint8_t code);
static bool is_block(uint16_t number);

size_t notes_take(struct notes *notes, const struct part *part, const struct note *found[NOTES_MAX]) {
  size_t count = 0;
  const copal_option *option = &part->option;
  if (part->offset == 0 && part->bytes.size > 0) notes->type = part->bytes.data[0] >> 4 & 3;
  if (part->kind == PART_CODE) {
    found[0] = note_of_code(notes, part->bytes.data[0]);
    return found[0] != NULL ? 1 : 0;
  }
  if (part->kind == PART_VALUE) {
    bool is_reserved = is_block(option->number) && (option->value[option->size - 1] & 7) == SZX_RESERVED;
    if (is_reserved) found[count++] = &block_reserved;
    return count;
  }
  if (part->kind != PART_OPTION) return 0;
  const copal_option_info *info = copal_option_by_number(option->number);
  bool critical = copal_option_is_critical(option->number);
  bool repeated = notes->has_option && notes->number == option->number;
  if (info == NULL && critical) found[count++] = &critical_unknown;
  if (copal_option_check(option->number, option->size) != COPAL_OK) {
    found[count++] = critical ? &critical_length : &elective_length;
  }
  if (info != NULL && !info->repeatable && repeated) {
    found[count++] = critical ? &critical_repeated : &elective_repeated;
  }
  notes->has_option = true;
  notes->number = option->number;
  return count;
}

static const struct note *note_of_code(const struct notes *notes, uint8_t code) {
  if (code == COPAL_EMPTY) return notes->type == COPAL_NON ? &non_empty : NULL;
  if (notes->type == COPAL_RST) return &rst_not_empty;
  if (copal_code_is_request(code)) return notes->type == COPAL_ACK ? &ack_request : NULL;
  return copal_code_is_response(code) ? NULL : &reserved_class;
}

static bool is_block(uint16_t number) {
  return number == COPAL_OPTION_BLOCK1 || number == COPAL_OPTION_BLOCK2 || number == COPAL_OPTION_Q_BLOCK1 ||
         number == COPAL_OPTION_Q_BLOCK2;
}

/* A datagram taken apart: every byte of it belongs to one part. What copal_decode refuses comes apart as far as it can
 * be read. Pure functions. RFC 7252 section 3, RFC 8974 section 2.1. */
#ifndef COPAL_CLI_CAPTURE_DISSECT_H
#define COPAL_CLI_CAPTURE_DISSECT_H

#include "copal/message.h"

/* What the bytes of a part are. */
enum part_kind {
  PART_FIRST, /* version, type and token length */
  PART_CODE,
  PART_MESSAGE_ID,
  PART_TOKEN_SIZE, /* the token's extended length */
  PART_TOKEN,
  PART_OPTION, /* an option's delta and length, extended ones included */
  PART_VALUE,  /* its value, where that has any bytes */
  PART_MARKER,
  PART_PAYLOAD,
  PART_WRONG, /* what breaks a rule; without any bytes where the datagram ends too early */
  PART_REST   /* what is behind it: not read */
};

struct part {
  enum part_kind kind;
  size_t offset; /* in the datagram */
  copal_bytes bytes;
  uint32_t delta;       /* PART_OPTION */
  copal_option option;  /* PART_OPTION, PART_VALUE */
  copal_error error;    /* PART_WRONG: as copal_decode has it; of several that are wrong, the first */
  size_t size_promised; /* PART_WRONG: of a token or a value that is cut off, the bytes that it should have */
};

/* A walk over the parts, in order. */
struct dissection {
  copal_bytes datagram;
  size_t at;
  enum part_kind next;
  uint32_t number; /* of the latest option */
  copal_option option;
  copal_error header_error; /* of a header whose other fields can be read all the same */
  copal_error error;        /* of the part that was wrong, COPAL_OK before */
};

/* Begins a walk. */
struct dissection dissect(copal_bytes datagram);

/* Steps to the next part; false at the end. */
bool dissect_next(struct dissection *dissection, struct part *part);

/* What a datagram with an error breaks. */
struct rule {
  copal_error error;
  const char *section; /* "RFC 7252 3.1" */
  const char *text;    /* what stands there, verbatim */
};

/* The rule of an error that copal_decode returns; NULL of another one. */
const struct rule *dissect_rule(copal_error error);

#endif

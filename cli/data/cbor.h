/* CBOR (RFC 8949) as heads, one after the other: what a data item is and, of strings, its bytes. What items stand in
 * which is the caller's to follow. Reading and writing are libcbor's; a build without it has no_cbor.c. */
#ifndef COPAL_CLI_DATA_CBOR_H
#define COPAL_CLI_DATA_CBOR_H

#include <stdbool.h>
#include <stdint.h>

#include "copal/message.h"

/* How deep items may stand in each other, tags included. */
enum { CBOR_NESTING_MAX = 64 };

enum cbor_kind {
  CBOR_UINT,
  CBOR_NEGATIVE, /* -1 - number */
  CBOR_BYTES,
  CBOR_TEXT, /* as it came: it need not be UTF-8 */
  CBOR_ARRAY,
  CBOR_MAP,
  CBOR_TAGGED, /* the item that is tagged follows */
  CBOR_SIMPLE,
  CBOR_REAL,
  CBOR_BREAK
};

/* Simple values, RFC 8949 3.3. */
enum { CBOR_FALSE = 20, CBOR_TRUE = 21, CBOR_NULL = 22, CBOR_UNDEFINED = 23 };

struct cbor_head {
  enum cbor_kind kind;
  bool indefinite;   /* string, array or map, which goes on until a break */
  uint64_t number;   /* an integer, a tag's or a simple value's number, how many items or pairs follow */
  double real;       /* of a floating-point number of any size */
  copal_bytes bytes; /* of a string; points into what is read */
};

/* Whether this build reads and writes CBOR at all. */
bool cbor_is_built(void);

/* Takes the next head off the front of rest. False where none is, with what is left untouched: rest is empty, or what
 * it holds is not well-formed. */
bool cbor_read(copal_bytes *rest, struct cbor_head *head);

/* Writes items in preferred serialization (RFC 8949 4.1). What does not fit sets full, and is not written. */
struct cbor_writer {
  uint8_t *buffer;
  size_t capacity;
  size_t size;
  bool full;
};

void cbor_write_uint(struct cbor_writer *writer, uint64_t number);
void cbor_write_negative(struct cbor_writer *writer, uint64_t number); /* -1 - number */
void cbor_write_bytes(struct cbor_writer *writer, copal_bytes bytes);
void cbor_write_text(struct cbor_writer *writer, copal_bytes text);
void cbor_write_array(struct cbor_writer *writer, size_t count);
void cbor_write_map(struct cbor_writer *writer, size_t count); /* of pairs */
void cbor_write_simple(struct cbor_writer *writer, uint8_t number);
void cbor_write_real(struct cbor_writer *writer, double real);

#endif

/* In place of cbor.c where the build has no libcbor: nothing is read, and nothing can be written. */
#include "cli/data/cbor.h"

bool cbor_is_built(void) { return false; }

bool cbor_read(copal_bytes *rest, struct cbor_head *head) {
  (void)rest;
  *head = (struct cbor_head){.kind = CBOR_BREAK};
  return false;
}

void cbor_write_uint(struct cbor_writer *writer, uint64_t number) {
  (void)number;
  writer->full = true;
}

void cbor_write_negative(struct cbor_writer *writer, uint64_t number) {
  (void)number;
  writer->full = true;
}

void cbor_write_bytes(struct cbor_writer *writer, copal_bytes bytes) {
  (void)bytes;
  writer->full = true;
}

void cbor_write_text(struct cbor_writer *writer, copal_bytes text) {
  (void)text;
  writer->full = true;
}

void cbor_write_array(struct cbor_writer *writer, size_t count) {
  (void)count;
  writer->full = true;
}

void cbor_write_map(struct cbor_writer *writer, size_t count) {
  (void)count;
  writer->full = true;
}

void cbor_write_simple(struct cbor_writer *writer, uint8_t number) {
  (void)number;
  writer->full = true;
}

void cbor_write_real(struct cbor_writer *writer, double real) {
  (void)real;
  writer->full = true;
}

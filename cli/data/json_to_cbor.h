/* JSON as it is written on a command line, as CBOR (RFC 8949 6.2). */
#ifndef COPAL_CLI_DATA_JSON_TO_CBOR_H
#define COPAL_CLI_DATA_JSON_TO_CBOR_H

#include "cli/data/cbor.h"

/* Writes a JSON text (json_reader_check) in preferred serialization; of SenML, fields by their numbers and data as
 * bytes. NULL, or why it cannot be written. */
const char *json_to_cbor(copal_bytes text, bool is_senml, struct cbor_writer *writer);

#endif

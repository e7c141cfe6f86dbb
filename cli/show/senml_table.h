/* Sensor measurements (SenML, RFC 8428) as a table for people. */
#ifndef COPAL_CLI_SHOW_SENML_TABLE_H
#define COPAL_CLI_SHOW_SENML_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "copal/message.h"

/* Writes a line a record: name, time, value, unit, base values worked in. bytes are JSON or CBOR that was checked.
 * False, with nothing written and the reason in wrong, where they are no SenML or hold no records. */
bool senml_table(FILE *stream, copal_bytes bytes, bool is_cbor, const char **wrong);

#endif

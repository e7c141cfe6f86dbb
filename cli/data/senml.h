/* Sensor measurement lists (SenML, RFC 8428), from JSON or CBOR, record by record, base values already worked in. */
#ifndef COPAL_CLI_DATA_SENML_H
#define COPAL_CLI_DATA_SENML_H

#include <stdbool.h>

#include "cli/data/cbor_walk.h"
#include "cli/data/json_reader.h"

enum senml_kind { SENML_NOTHING, SENML_NUMBER, SENML_TEXT, SENML_BOOL, SENML_DATA };

/* A resolved record. Texts are UTF-8 and live until the next one is read. */
struct senml_record {
  copal_bytes name, unit;
  double time; /* seconds: from 2^28 on since 1970, below that relative to now */
  enum senml_kind kind;
  double number;
  bool truth, has_sum;
  double sum;
  copal_bytes text; /* of SENML_TEXT, and of SENML_DATA its bytes */
};

/* Texts of the field that is read, and of those that hold for the following records. */
enum senml_text { SENML_BASE_NAME, SENML_BASE_UNIT, SENML_NAME, SENML_UNIT, SENML_VALUE, SENML_TEXTS };

struct senml_reader {
  bool is_cbor;
  union {
    struct json_reader json;
    struct cbor_walk cbor;
  } from;
  uint8_t *room; /* where texts are kept: room for each of as many bytes as there are to read */
  size_t room_size;
  size_t sizes[SENML_TEXTS];
  double base_time, base_value, base_sum;
  bool begun;
  const char *wrong;
};

/* False where there is no memory; end it in either case. */
bool senml_begin(struct senml_reader *reader, copal_bytes bytes, bool is_cbor);
void senml_end(struct senml_reader *reader);

/* The next record that has more than base fields. 1 a record, 0 at the end, -1 where it is no SenML: reader->wrong says
 * why. */
int senml_next(struct senml_reader *reader, struct senml_record *record);

/* How CBOR knows a field that JSON knows by this name. */
enum senml_label { SENML_LABEL_NAME, SENML_LABEL_NUMBER, SENML_LABEL_DATA /* a number, and its base64 is bytes */ };
enum senml_label senml_label(copal_bytes name, int *number);

#endif

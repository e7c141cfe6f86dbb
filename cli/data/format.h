/* What a Content-Format says of how bytes are to be read. */
#ifndef COPAL_CLI_DATA_FORMAT_H
#define COPAL_CLI_DATA_FORMAT_H

#include <stdint.h>

enum data_kind {
  DATA_OTHER, /* nothing that is known here, or compressed */
  DATA_LINKS,
  DATA_JSON,
  DATA_CBOR,
  DATA_CBOR_SEQUENCE,
  DATA_SENML_JSON,
  DATA_SENML_CBOR
};

/* By the registered name, its suffix included: "application/problem+json" is JSON. */
enum data_kind data_kind_of(uint32_t content_format);

#endif

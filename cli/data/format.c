/* What a Content-Format says of how bytes are to be read: a media type's own name, or its suffix (RFC 6838 4.2.8). */
#include "cli/data/format.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "copal/message.h"

enum { TYPE_SIZE_MAX = 100 };

static bool ends_with(const char *text, const char *end);

enum data_kind data_kind_of(uint32_t content_format) {
  const char *name = content_format < COPAL_FORMAT_NONE ? copal_content_format_name((uint16_t)content_format) : NULL;
  if (name == NULL || strchr(name, '@') != NULL) return DATA_OTHER;
  char type[TYPE_SIZE_MAX];
  snprintf(type, sizeof type, "%.*s", (int)strcspn(name, "; "), name);
  if (strcmp(type, "application/link-format") == 0) return DATA_LINKS;
  if (ends_with(type, "/cbor-seq") || ends_with(type, "+cbor-seq")) return DATA_CBOR_SEQUENCE;
  if (ends_with(type, "/senml+json") || ends_with(type, "/sensml+json")) return DATA_SENML_JSON;
  if (ends_with(type, "/senml+cbor") || ends_with(type, "/sensml+cbor")) return DATA_SENML_CBOR;
  if (ends_with(type, "/json") || ends_with(type, "+json")) return DATA_JSON;
  if (ends_with(type, "/cbor") || ends_with(type, "+cbor")) return DATA_CBOR;
  return DATA_OTHER;
}

static bool ends_with(const char *text, const char *end) {
  size_t size = strlen(text), end_size = strlen(end);
  return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

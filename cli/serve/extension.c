/* Content-Formats of files. Beside a short table it is the registry that knows: most of its subtypes are endings. */
#include "cli/serve/extension.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "copal/message.h"

/* The first ending of a format is the one that new files get. */
static const struct {
  const char *ending;
  uint16_t format;
} endings[] = {
    {".txt", COPAL_TEXT_PLAIN},
    {".text", COPAL_TEXT_PLAIN},
    {".log", COPAL_TEXT_PLAIN},
    {".md", COPAL_TEXT_PLAIN},
    {".csv", COPAL_TEXT_PLAIN},
    {".conf", COPAL_TEXT_PLAIN},
    {".link", COPAL_LINK_FORMAT},
    {".wlnk", COPAL_LINK_FORMAT},
    {".xml", COPAL_XML},
    {".bin", COPAL_OCTET_STREAM},
    {".json", COPAL_JSON},
    {".cbor", COPAL_CBOR},
    {".gif", 21},
    {".jpg", 22},
    {".png", 23},
    {".cborseq", 63},
    {".js", 10002},
    {".css", 20000},
    {".svg", 30000},
    /* RFC 8428 12.3 */
    {".senml", 110},
    {".sensml", 111},
    {".senmlc", 112},
    {".sensmlc", 113},
    {".senmle", 114},
    {".sensmle", 115},
    {".senmlx", 310},
    {".sensmlx", 311},
};

enum { ENDINGS = sizeof endings / sizeof endings[0] };

uint16_t extension_format(const char *name) {
  const char *dot = strrchr(name, '.');
  if (dot == NULL || dot == name) return COPAL_OCTET_STREAM;
  for (size_t i = 0; i < ENDINGS; ++i) {
    if (strcasecmp(endings[i].ending, dot) == 0) return endings[i].format;
  }
  /* "a.50" is no JSON: digits are a number only to who types one. */
  if (dot[1] >= '0' && dot[1] <= '9') return COPAL_OCTET_STREAM;
  int format = copal_content_format_by_name(dot + 1);
  return format >= 0 ? (uint16_t)format : COPAL_OCTET_STREAM;
}

const char *extension_for(uint32_t format) {
  for (size_t i = 0; i < ENDINGS; ++i) {
    if (endings[i].format == format && format != COPAL_OCTET_STREAM) return endings[i].ending;
  }
  return "";
}

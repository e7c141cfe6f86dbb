/* Where a request's Uri-Path leads. Option values are compared byte by byte, and each is one name or none: a "/" or an
 * encoded one within a value never separates. RFC 7252 sections 5.10.1 and 6.4. */
#include "cli/serve/place.h"

#include <assert.h>
#include <string.h>

static bool append(struct place *place, const char *name, size_t size);
static bool is_unreserved(char c);

const char *place_find(struct place *place, const copal_view *request) {
  *place = (struct place){.size = 0};
  copal_options walk = copal_options_of(request);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (option.number != COPAL_OPTION_URI_PATH) continue;
    /* An empty segment is what ends "/a/": nothing may follow it. */
    if (place->is_folder) return "an empty name in the path";
    if (option.size == 0) {
      place->is_folder = true;
      continue;
    }
    const char *name = (const char *)option.value;
    /* RFC 7252 5.10.1: "The value of a Uri-Path Option MUST NOT be "." or ".."." Other names that begin so are hidden
     * files. */
    if (name[0] == '.') return "names that begin with a dot are not served";
    if (!place_serves(name, option.size)) return "a name with a slash or a NUL in the path";
    if (!append(place, name, option.size)) return "a path that is too long";
  }
  return NULL;
}

bool place_enter(struct place *place, const char *name) {
  size_t size = strlen(name);
  place->is_folder = false;
  return place_serves(name, size) && append(place, name, size);
}

void place_parent(const struct place *place, struct place *parent) {
  *parent = (struct place){.is_folder = true};
  size_t size = (size_t)(place_name(place) - place->text);
  if (size > 0) --size;
  memcpy(parent->text, place->text, size);
  parent->size = size;
}

const char *place_name(const struct place *place) {
  const char *slash = strrchr(place->text, '/');
  return slash != NULL ? slash + 1 : place->text;
}

bool place_equal(const struct place *a, const struct place *b) {
  return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

size_t place_uri(const struct place *place, const char *end, char *buffer, size_t capacity) {
  static const char digits[] = "0123456789ABCDEF";
  size_t size = 0, end_size = strlen(end);
  assert(capacity >= PLACE_URI_MAX + end_size);
  buffer[size++] = '/';
  for (size_t i = 0; i < place->size; ++i) {
    char c = place->text[i];
    if (is_unreserved(c) || c == '/') {
      buffer[size++] = c;
      continue;
    }
    buffer[size++] = '%';
    buffer[size++] = digits[(unsigned char)c >> 4];
    buffer[size++] = digits[(unsigned char)c & 15];
  }
  memcpy(buffer + size, end, end_size + 1);
  return size + end_size;
}

bool place_serves(const char *name, size_t size) {
  return size > 0 && name[0] != '.' && memchr(name, '/', size) == NULL && memchr(name, '\0', size) == NULL;
}

static bool append(struct place *place, const char *name, size_t size) {
  size_t separator = place->size > 0 ? 1 : 0;
  if (size > 255 || PLACE_TEXT_MAX - place->size <= separator + size) return false;
  if (separator > 0) place->text[place->size++] = '/';
  memcpy(place->text + place->size, name, size);
  place->size += size;
  place->text[place->size] = '\0';
  return true;
}

/* RFC 3986 2.3. */
static bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/* The registry of options, from the list in the header: by number, by name, in order, and the sizes that are legal.
 *
 * Must not know messages. Sources: RFC 7252 section 12.2, and the options' own RFCs. */
#include "copal/message.h"

/* Each option's place in the table, so that a number leads there without a search. */
#define OPTION_PLACE(id, number, name, format, min, max, repeatable, initial) PLACE_##id,
enum place { COPAL_OPTIONS(OPTION_PLACE) PLACE_COUNT };
#undef OPTION_PLACE

#define OPTION_ENTRY(id, number, name, format, min, max, repeatable, initial) \
  {name, initial, number, min, max, COPAL_FORMAT_##format, repeatable},
static const copal_option_info registry[PLACE_COUNT] = {COPAL_OPTIONS(OPTION_ENTRY)};
#undef OPTION_ENTRY

/* What the first drafts of CoAP called these options, or the options whose work they have taken over. Programs written
 * for those drafts, and their users, still say so. */
static const struct {
  const char *name;
  enum place place;
} former_names[] = {
    {"Content-Type", PLACE_CONTENT_FORMAT},
    {"Location", PLACE_LOCATION_PATH},
    {"Uri-Authority", PLACE_URI_HOST},
    {"Uri-Scheme", PLACE_PROXY_SCHEME},
};

static bool same_name(const char *a, const char *b);

const copal_option_info *copal_option_by_number(uint16_t number) {
#define OPTION_CASE(id, number, name, format, min, max, repeatable, initial) \
  case number: return &registry[PLACE_##id];
  switch (number) { COPAL_OPTIONS(OPTION_CASE) }
#undef OPTION_CASE
  return NULL;
}

const copal_option_info *copal_option_by_name(const char *name) {
  for (size_t index = 0; index < PLACE_COUNT; ++index) {
    if (same_name(name, registry[index].name)) return &registry[index];
  }
  for (size_t index = 0; index < sizeof former_names / sizeof former_names[0]; ++index) {
    if (same_name(name, former_names[index].name)) return &registry[former_names[index].place];
  }
  return NULL;
}

const copal_option_info *copal_option_at(size_t index) { return index < PLACE_COUNT ? &registry[index] : NULL; }

copal_error copal_option_check(uint16_t number, size_t size) {
  const copal_option_info *info = copal_option_by_number(number);
  if (info == NULL || (size >= info->size_min && size <= info->size_max)) return COPAL_OK;
  return COPAL_ERR_OPTION_VALUE;
}

static char fold(char letter) {
  if (letter >= 'A' && letter <= 'Z') return (char)(letter - 'A' + 'a');
  return letter == '_' ? '-' : letter;
}

static bool same_name(const char *a, const char *b) {
  while (*a != '\0' && fold(*a) == fold(*b)) {
    ++a;
    ++b;
  }
  return *a == '\0' && *b == '\0';
}

/* Whether a link passes a query's filter. RFC 6690 section 4.1.
 *
 * Values are compared as they are read, with escapes resolved on the way, so nothing is copied. The argument comes
 * percent-decoded: that is what a Uri-Query option holds. */
#include <assert.h>
#include <string.h>

#include "message/link.h"

/* The argument taken apart: `name`, `name=text` or `name=text*`. */
typedef struct filter {
  copal_bytes name;
  copal_bytes text;
  bool has_text, prefix;
} filter;

static filter filter_of(copal_bytes argument);
static bool asks_for_target(const filter *wanted);
static bool parameters_match(copal_link_parameter *parameter, copal_bytes rest, const filter *wanted);
static bool target_matches(copal_bytes target, const filter *wanted);
static bool value_matches(const copal_link_parameter *parameter, const filter *wanted);
static bool any_item_matches(const copal_link_parameter *parameter, const filter *wanted);
static bool is_one_of(copal_bytes name, const char *const *names, size_t count);
static copal_bytes bytes_of(const char *text);

/* RFC 6690 4.1: "Note that relation-type target attributes can contain multiple values, and each value MUST be treated
 * as a separate target attribute when matching." And ct, which RFC 7252 7.2.1 makes a list of Content-Formats. */
static const char *const lists[] = {"rt", "if", "rel", "rev", "ct"};

/* RFC 5988 5.3 and 5.4: "occurrences after the first MUST be ignored by parsers". RFC 6690 3 has rt, if and sz not
 * appear more than once. Others, such as hreflang, may be repeated. */
static const char *const only_first[] = {"rel", "media", "title", "title*", "type", "rt", "if", "sz"};

bool copal_link_matches(const copal_link *link, copal_bytes argument) {
  assert(link != NULL && (argument.data != NULL || argument.size == 0));
  filter wanted = filter_of(argument);
  if (asks_for_target(&wanted)) return target_matches(link->target, &wanted);
  copal_bytes rest = link->parameters;
  copal_link_parameter parameter;
  return copal_link_parameter_next(&rest, &parameter) > 0 && parameters_match(&parameter, rest, &wanted);
}

bool link_matches(copal_bytes target, copal_bytes attributes, copal_bytes argument) {
  filter wanted = filter_of(argument);
  if (asks_for_target(&wanted)) return target_matches(target, &wanted);
  copal_link_parameter parameter;
  return link_parameter_take(&attributes, &parameter) && parameters_match(&parameter, attributes, &wanted);
}

/* RFC 6690 4.1: "The search name "href" refers to the URI-reference between the "<" and ">" characters of a link." */
static bool asks_for_target(const filter *wanted) { return link_name_equal(wanted->name, bytes_of("href")); }

/* Looks at one parameter, and then at the rest of them. */
static bool parameters_match(copal_link_parameter *parameter, copal_bytes rest, const filter *wanted) {
  bool list = is_one_of(wanted->name, lists, sizeof lists / sizeof *lists);
  bool first_counts = is_one_of(wanted->name, only_first, sizeof only_first / sizeof *only_first);
  do {
    if (!link_name_equal(parameter->name, wanted->name)) continue;
    if (!wanted->has_text) return true;
    if (list ? any_item_matches(parameter, wanted) : value_matches(parameter, wanted)) return true;
    if (first_counts) return false;
  } while (copal_link_parameter_next(&rest, parameter) > 0);
  return false;
}

static filter filter_of(copal_bytes argument) {
  filter result = {.name = argument};
  size_t at = 0;
  while (at < argument.size && argument.data[at] != '=') ++at;
  if (at == argument.size) return result;
  result.name.size = at;
  result.has_text = true;
  result.text = (copal_bytes){argument.data + at + 1, argument.size - at - 1};
  result.prefix = result.text.size > 0 && result.text.data[result.text.size - 1] == '*';
  if (result.prefix) --result.text.size;
  return result;
}

static bool target_matches(copal_bytes target, const filter *wanted) {
  if (!wanted->has_text) return true;
  if (wanted->prefix ? target.size < wanted->text.size : target.size != wanted->text.size) return false;
  return wanted->text.size == 0 || memcmp(target.data, wanted->text.data, wanted->text.size) == 0;
}

/* RFC 6690 3: "When the values of attributes are compared, they MUST be compared as strings." */
static bool value_matches(const copal_link_parameter *parameter, const filter *wanted) {
  size_t at = 0;
  for (size_t i = 0; i < wanted->text.size; ++i) {
    if (link_value_next(parameter, &at) != wanted->text.data[i]) return false;
  }
  return wanted->prefix || link_value_next(parameter, &at) < 0;
}

/* Items are separated by spaces. A value without any is there nevertheless, as one empty item. */
static bool any_item_matches(const copal_link_parameter *parameter, const filter *wanted) {
  size_t at = 0, item_count = 0, matched = 0;
  bool matching = true, inside = false;
  for (;;) {
    int byte = link_value_next(parameter, &at);
    if (byte >= 0 && byte != ' ') {
      if (!inside) ++item_count;
      inside = true;
      if (matched < wanted->text.size) {
        matching = matching && byte == wanted->text.data[matched++];
      } else {
        matching = matching && wanted->prefix;
      }
      continue;
    }
    if (inside && matching && matched == wanted->text.size) return true;
    if (byte < 0) return item_count == 0 && wanted->text.size == 0;
    inside = false;
    matching = true;
    matched = 0;
  }
}

static bool is_one_of(copal_bytes name, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (link_name_equal(name, bytes_of(names[i]))) return true;
  }
  return false;
}

static copal_bytes bytes_of(const char *text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  return (copal_bytes){(const uint8_t *)text, size};
}

/* Reads a link-format document, link by link and parameter by parameter, straight from its bytes. RFC 6690 section 2,
 * with quoted-string of RFC 2616 2.2.
 *
 * It knows no attribute's meaning: what is unknown is handed out like the rest. Blanks between elements are taken,
 * since people write documents in several lines; everything else that the grammar does not have is an error. */
#include "message/link.h"

#include <assert.h>
#include <limits.h>

#include "message/percent.h"

static void skip_blanks(copal_bytes *text);
static bool begins(copal_bytes text, char byte);
static void advance(copal_bytes *text, size_t size);
static bool take_target(copal_bytes *text, copal_bytes *target);
static bool take_parameter(copal_bytes *text, copal_link_parameter *parameter);
static bool take_name(copal_bytes *text, copal_bytes *name);
static bool take_token(copal_bytes *text, copal_bytes *token);
static bool take_quoted(copal_bytes *text, copal_bytes *value);

int copal_link_next(copal_bytes *document, copal_link *link) {
  assert(document != NULL && link != NULL);
  copal_bytes rest = *document;
  skip_blanks(&rest);
  if (rest.size == 0) {
    *document = rest;
    return 0;
  }
  copal_link found;
  if (!take_target(&rest, &found.target)) return COPAL_ERR_LINK_SYNTAX;
  found.parameters = (copal_bytes){rest.data, 0};
  skip_blanks(&rest);
  while (begins(rest, ';')) {
    copal_link_parameter parameter;
    if (!take_parameter(&rest, &parameter)) return COPAL_ERR_LINK_SYNTAX;
    found.parameters.size = (size_t)(rest.data - found.parameters.data);
    skip_blanks(&rest);
  }
  if (rest.size > 0) {
    if (!begins(rest, ',')) return COPAL_ERR_LINK_SYNTAX;
    /* A comma with no link after it stays, so that the next call meets it and fails. */
    copal_bytes following = rest;
    advance(&following, 1);
    skip_blanks(&following);
    if (following.size > 0) rest = following;
  }
  *document = rest;
  *link = found;
  return 1;
}

int copal_link_parameter_next(copal_bytes *parameters, copal_link_parameter *parameter) {
  assert(parameters != NULL && parameter != NULL);
  copal_bytes rest = *parameters;
  skip_blanks(&rest);
  if (rest.size == 0) {
    *parameters = rest;
    return 0;
  }
  copal_link_parameter found;
  if (!take_parameter(&rest, &found)) return COPAL_ERR_LINK_SYNTAX;
  *parameters = rest;
  *parameter = found;
  return 1;
}

bool copal_link_find(const copal_link *link, const char *name, copal_link_parameter *parameter) {
  assert(link != NULL && name != NULL && parameter != NULL);
  copal_bytes wanted = {(const uint8_t *)name, 0};
  while (name[wanted.size] != '\0') ++wanted.size;
  copal_bytes rest = link->parameters;
  copal_link_parameter candidate;
  while (copal_link_parameter_next(&rest, &candidate) > 0) {
    if (!link_name_equal(candidate.name, wanted)) continue;
    *parameter = candidate;
    return true;
  }
  return false;
}

int copal_link_unescape(const copal_link_parameter *parameter, char *buffer, size_t capacity) {
  assert(parameter != NULL && (buffer != NULL || capacity == 0));
  size_t size = 0, at = 0, room = capacity < INT_MAX ? capacity : INT_MAX;
  for (int byte; (byte = link_value_next(parameter, &at)) >= 0; ++size) {
    if (size == room) return COPAL_ERR_SPACE;
    buffer[size] = (char)byte;
  }
  return (int)size;
}

bool link_is_token(uint8_t byte) {
  if (is_alpha(byte) || is_digit(byte)) return true;
  return byte > ' ' && byte < 0x7f && byte != '"' && byte != ',' && byte != ';' && byte != '\\';
}

bool link_is_name(uint8_t byte) {
  if (is_alpha(byte) || is_digit(byte)) return true;
  switch (byte) {
    case '!':
    case '#':
    case '$':
    case '&':
    case '+':
    case '-':
    case '.':
    case '^':
    case '_':
    case '`':
    case '|':
    case '~': return true;
    default: return false;
  }
}

/* Wider than a URI-Reference: RFC 6690 2 has percent-encodings decoded when it converts, and templates stand in
 * documents of today. What would end the target early, or break a line, stays out. */
bool link_is_target(uint8_t byte) { return byte > ' ' && byte != 0x7f && byte != '<' && byte != '>' && byte != '"'; }

bool link_name_equal(copal_bytes name, copal_bytes other) {
  if (name.size != other.size) return false;
  for (size_t i = 0; i < name.size; ++i) {
    if (to_lower(name.data[i]) != to_lower(other.data[i])) return false;
  }
  return true;
}

int link_value_next(const copal_link_parameter *parameter, size_t *at) {
  copal_bytes value = parameter->value;
  if (*at < value.size && parameter->quoted && value.data[*at] == '\\' && value.size - *at > 1) ++*at;
  return *at < value.size ? value.data[(*at)++] : -1;
}

static void skip_blanks(copal_bytes *text) {
  while (begins(*text, ' ') || begins(*text, '\t') || begins(*text, '\r') || begins(*text, '\n')) advance(text, 1);
}

static bool begins(copal_bytes text, char byte) { return text.size > 0 && text.data[0] == (uint8_t)byte; }

static void advance(copal_bytes *text, size_t size) {
  assert(size <= text->size);
  if (size == 0) return;
  text->data += size;
  text->size -= size;
}

static bool take_target(copal_bytes *text, copal_bytes *target) {
  if (!begins(*text, '<')) return false;
  advance(text, 1);
  size_t size = 0;
  while (size < text->size && link_is_target(text->data[size])) ++size;
  *target = (copal_bytes){text->data, size};
  advance(text, size);
  if (!begins(*text, '>')) return false;
  advance(text, 1);
  return true;
}

/* Takes `;name`, `;name=token` or `;name="string"`. */
static bool take_parameter(copal_bytes *text, copal_link_parameter *parameter) {
  if (!begins(*text, ';')) return false;
  advance(text, 1);
  return link_parameter_take(text, parameter);
}

bool link_parameter_take(copal_bytes *text, copal_link_parameter *parameter) {
  skip_blanks(text);
  if (!take_name(text, &parameter->name)) return false;
  parameter->value = (copal_bytes){text->data, 0};
  parameter->has_value = parameter->quoted = false;
  copal_bytes rest = *text;
  skip_blanks(&rest);
  if (!begins(rest, '=')) return true;
  advance(&rest, 1);
  skip_blanks(&rest);
  parameter->has_value = true;
  parameter->quoted = begins(rest, '"');
  *text = rest;
  return parameter->quoted ? take_quoted(text, &parameter->value) : take_token(text, &parameter->value);
}

static bool take_name(copal_bytes *text, copal_bytes *name) {
  size_t size = 0;
  while (size < text->size && link_is_name(text->data[size])) ++size;
  if (size == 0) return false;
  /* RFC 6690 2: ext-name-star, the star follows without "Whitespace". */
  if (size < text->size && text->data[size] == '*') ++size;
  *name = (copal_bytes){text->data, size};
  advance(text, size);
  return true;
}

static bool take_token(copal_bytes *text, copal_bytes *token) {
  size_t size = 0;
  while (size < text->size && link_is_token(text->data[size])) ++size;
  *token = (copal_bytes){text->data, size};
  advance(text, size);
  return size > 0;
}

/* RFC 2616 2.2: any text but quotes, with "\" before a character that shall not count. Control characters other than
 * blanks need that as well. */
static bool take_quoted(copal_bytes *text, copal_bytes *value) {
  advance(text, 1);
  size_t size = 0;
  for (; size < text->size && text->data[size] != '"'; ++size) {
    uint8_t byte = text->data[size];
    bool blank = byte == '\t' || byte == '\r' || byte == '\n';
    if ((byte < ' ' && !blank) || byte == 0x7f) return false;
    if (byte == '\\' && ++size == text->size) return false;
  }
  if (size == text->size) return false;
  *value = (copal_bytes){text->data, size};
  advance(text, size + 1);
  return true;
}

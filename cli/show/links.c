/* A link-format document as a tree. Whatever it holds came from a peer and is written harmlessly.
 *
 * Links are sorted by their paths' segments; then what a line needs to know, how many segments it shares with the line
 * before and which branches go on below it, is told by its neighbours. */
#include "cli/show/links.h"

#include <stdlib.h>
#include <string.h>

#include "cli/show/terminal.h"

enum { DEPTH_MAX = 16, COLUMN_MAX = 44, ATTRIBUTES_MAX = 64 };

/* A link on its way to a line. */
struct leaf {
  copal_link link;
  copal_bytes segments[DEPTH_MAX]; /* the last holds all that is left */
  uint32_t index;                  /* among the document's links */
  uint32_t goes_on;                /* a bit for each depth: there is a sibling below */
  uint8_t depth;                   /* how many segments */
  uint8_t shared;                  /* segments that the line before has too */
};

/* How branches are drawn. */
struct strokes {
  const char *fork, *end, *bar, *blank;
};

static struct leaf *read_leaves(copal_bytes document, const struct link_filters *filters, size_t *count);
static bool passes(const copal_link *link, const struct link_filters *filters);
static void split(struct leaf *leaf);
static int compare(const void *left, const void *right);
static int compare_bytes(copal_bytes left, copal_bytes right);
static void connect(struct leaf *leaves, size_t count);
static size_t draw(FILE *stream, const struct leaf *leaf, bool rooted, size_t column);
static size_t put_branches(FILE *stream, const struct leaf *leaf, unsigned depth, bool rooted);
static size_t put_name(FILE *stream, const struct leaf *leaf, unsigned depth);
static void put_attributes(FILE *stream, copal_bytes parameters);
static void attributes_json(struct json *json, copal_bytes parameters);
static void attribute_json(struct json *json, const char *key, const copal_link_parameter *parameter);
static bool same(copal_bytes left, copal_bytes right);

bool links_check(copal_bytes document) {
  copal_link link;
  int result;
  do {
    result = copal_link_next(&document, &link);
  } while (result > 0);
  return result == 0;
}

int links_print(FILE *stream, copal_bytes document, const char *root, const struct link_filters *filters) {
  if (!links_check(document)) return COPAL_ERR_LINK_SYNTAX;
  size_t count;
  struct leaf *leaves = read_leaves(document, filters, &count);
  if (leaves == NULL) return COPAL_ERR_MEMORY;
  qsort(leaves, count, sizeof *leaves, compare);
  connect(leaves, count);
  size_t column = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t width = draw(NULL, &leaves[i], root != NULL, 0);
    if (width > column) column = width;
  }
  if (root != NULL) {
    fputs(terminal_style(stream, STYLE_BOLD), stream);
    terminal_text(stream, (copal_bytes){(const uint8_t *)root, strlen(root)}, false);
    fprintf(stream, "%s\n", terminal_style(stream, STYLE_PLAIN));
  }
  for (size_t i = 0; i < count; ++i) (void)draw(stream, &leaves[i], root != NULL, column);
  free(leaves);
  return (int)count;
}

void links_json(struct json *json, const char *key, copal_bytes document, const struct link_filters *filters) {
  copal_link link;
  json_array(json, key);
  while (copal_link_next(&document, &link) > 0) {
    if (!passes(&link, filters)) continue;
    json_object(json, NULL);
    json_string(json, "target", link.target);
    attributes_json(json, link.parameters);
    json_close(json);
  }
  json_close(json);
}

/* NULL where there is no memory; else to be freed. */
static struct leaf *read_leaves(copal_bytes document, const struct link_filters *filters, size_t *count) {
  copal_link link;
  copal_bytes rest = document;
  size_t total = 0;
  while (copal_link_next(&rest, &link) > 0) ++total;
  struct leaf *leaves = calloc(total + 1, sizeof *leaves);
  if (leaves == NULL) return NULL;
  *count = 0;
  while (copal_link_next(&document, &link) > 0) {
    if (!passes(&link, filters)) continue;
    struct leaf *leaf = &leaves[*count];
    leaf->link = link;
    leaf->index = (uint32_t)(*count)++;
    split(leaf);
  }
  return leaves;
}

static bool passes(const copal_link *link, const struct link_filters *filters) {
  if (filters == NULL) return true;
  for (size_t i = 0; i < LINK_FILTERS_MAX && filters->arguments[i] != NULL; ++i) {
    const char *argument = filters->arguments[i];
    if (!copal_link_matches(link, (copal_bytes){(const uint8_t *)argument, strlen(argument)})) return false;
  }
  return true;
}

/* "/a/b?c=/" is "/a" and "b?c=/". What is no path stays whole. */
static void split(struct leaf *leaf) {
  copal_bytes target = leaf->link.target;
  size_t begin = 0;
  bool is_path = target.size > 0 && target.data[0] == '/';
  for (size_t at = 1; is_path && at + 1 < target.size && leaf->depth < DEPTH_MAX - 1; ++at) {
    if (target.data[at] == '?') break;
    if (target.data[at] != '/') continue;
    leaf->segments[leaf->depth++] = (copal_bytes){target.data + begin, at - begin};
    begin = at + 1;
  }
  leaf->segments[leaf->depth++] = (copal_bytes){target.data + begin, target.size - begin};
}

static int compare(const void *left, const void *right) {
  const struct leaf *a = left, *b = right;
  for (unsigned depth = 0; depth < a->depth && depth < b->depth; ++depth) {
    int order = compare_bytes(a->segments[depth], b->segments[depth]);
    if (order != 0) return order;
  }
  if (a->depth != b->depth) return a->depth < b->depth ? -1 : 1;
  return a->index < b->index ? -1 : 1;
}

static int compare_bytes(copal_bytes left, copal_bytes right) {
  size_t size = left.size < right.size ? left.size : right.size;
  int order = size > 0 ? memcmp(left.data, right.data, size) : 0;
  if (order != 0 || left.size == right.size) return order;
  return left.size < right.size ? -1 : 1;
}

static void connect(struct leaf *leaves, size_t count) {
  for (size_t i = 1; i < count; ++i) {
    struct leaf *leaf = &leaves[i];
    /* A link has a line even where the one before has the same path. */
    while (leaf->shared < leaf->depth - 1 && leaf->shared < leaves[i - 1].depth &&
           same(leaf->segments[leaf->shared], leaves[i - 1].segments[leaf->shared])) {
      ++leaf->shared;
    }
  }
  for (size_t i = count; i > 1; --i) {
    const struct leaf *below = &leaves[i - 1];
    uint32_t bit = UINT32_C(1) << below->shared;
    leaves[i - 2].goes_on = (below->goes_on & (bit - 1)) | bit;
  }
}

/* Draws a link's line, and before it those of the segments that no line has yet; without a stream, only measures.
 * Returns how wide it is without attributes. */
static size_t draw(FILE *stream, const struct leaf *leaf, bool rooted, size_t column) {
  size_t width = 0;
  for (unsigned depth = leaf->shared; depth < leaf->depth; ++depth) {
    width = put_branches(stream, leaf, depth, rooted) + put_name(stream, leaf, depth);
    if (stream != NULL && depth + 1 < leaf->depth) fputc('\n', stream);
  }
  if (stream == NULL) return width < COLUMN_MAX ? width : COLUMN_MAX;
  if (leaf->link.parameters.size > 0) {
    fprintf(stream, "%*s", column > width ? (int)(column - width) : 0, "");
    put_attributes(stream, leaf->link.parameters);
  }
  fputc('\n', stream);
  return width;
}

static size_t put_branches(FILE *stream, const struct leaf *leaf, unsigned depth, bool rooted) {
  static const struct strokes lines = {"├─ ", "└─ ", "│  ", "   "};
  static const struct strokes letters = {"|- ", "`- ", "|  ", "   "};
  const struct strokes *strokes = terminal_is_utf8() ? &lines : &letters;
  size_t width = 0;
  for (unsigned at = rooted ? 0 : 1; at <= depth; ++at) {
    bool goes_on = (leaf->goes_on >> at & 1) != 0;
    const char *stroke = goes_on ? strokes->bar : strokes->blank;
    if (at == depth) stroke = goes_on ? strokes->fork : strokes->end;
    if (stream != NULL) fputs(stroke, stream);
    width += 3;
  }
  return width;
}

static size_t put_name(FILE *stream, const struct leaf *leaf, unsigned depth) {
  copal_bytes name = leaf->segments[depth];
  bool is_link = depth + 1 == leaf->depth;
  if (stream != NULL) {
    fputs(terminal_style(stream, is_link ? STYLE_BOLD : STYLE_FAINT), stream);
    terminal_text(stream, name, false);
    fprintf(stream, "%s%s", is_link ? "" : "/", terminal_style(stream, STYLE_PLAIN));
  }
  return terminal_width(name) + (is_link ? 0 : 1);
}

static void put_attributes(FILE *stream, copal_bytes parameters) {
  copal_link_parameter parameter;
  while (copal_link_parameter_next(&parameters, &parameter) > 0) {
    fprintf(stream, "  %s", terminal_style(stream, STYLE_KEY));
    terminal_text(stream, parameter.name, false);
    fputs(terminal_style(stream, STYLE_PLAIN), stream);
    if (!parameter.has_value) continue;
    fputs(parameter.quoted ? "=\"" : "=", stream);
    terminal_text(stream, parameter.value, false);
    if (parameter.quoted) fputc('"', stream);
  }
}

static void attributes_json(struct json *json, copal_bytes parameters) {
  /* Of a link with more attributes than fit, the first ones are told. */
  copal_link_parameter all[ATTRIBUTES_MAX];
  bool is_told[ATTRIBUTES_MAX] = {false};
  size_t count = 0;
  while (count < ATTRIBUTES_MAX && copal_link_parameter_next(&parameters, &all[count]) > 0) ++count;
  json_object(json, "attributes");
  for (size_t i = 0; i < count; ++i) {
    char *name = is_told[i] ? NULL : strndup((const char *)all[i].name.data, all[i].name.size);
    if (name == NULL) continue;
    size_t alike = 0;
    for (size_t j = i + 1; j < count; ++j) {
      is_told[j] = is_told[j] || same(all[i].name, all[j].name);
      alike += same(all[i].name, all[j].name) ? 1 : 0;
    }
    if (alike > 0) json_array(json, name);
    attribute_json(json, alike > 0 ? NULL : name, &all[i]);
    for (size_t j = i + 1; alike > 0 && j < count; ++j) {
      if (same(all[i].name, all[j].name)) attribute_json(json, NULL, &all[j]);
    }
    if (alike > 0) json_close(json);
    free(name);
  }
  json_close(json);
}

static void attribute_json(struct json *json, const char *key, const copal_link_parameter *parameter) {
  if (!parameter->has_value) {
    json_bool(json, key, true);
    return;
  }
  char *value = malloc(parameter->value.size + 1);
  int size = value != NULL ? copal_link_unescape(parameter, value, parameter->value.size + 1) : -1;
  if (size >= 0) {
    json_string(json, key, (copal_bytes){(const uint8_t *)value, (size_t)size});
  } else {
    json_null(json, key);
  }
  free(value);
}

static bool same(copal_bytes left, copal_bytes right) { return compare_bytes(left, right) == 0; }

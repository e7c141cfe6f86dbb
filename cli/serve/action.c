/* Commands for the plugtests' resources: a line against the table. Knows no resource. */
#include "cli/serve/action.h"

#include <stdio.h>
#include <string.h>

#include "cli/line/value.h"

enum { WORD_SIZE = 32 };

static const struct {
  const char *words, *help;
} actions[] = {
#define ACTION_ROW(name, words, help) {words, help},
    ACTIONS(ACTION_ROW)
#undef ACTION_ROW
};

static bool fits(copal_bytes line, const char *words, struct action *action, bool *is_wrong);
static bool take_value(const char *name, const char *word, struct action *action);
static copal_bytes next_word(copal_bytes *rest);

bool action_parse(copal_bytes line, struct action *action, char *error, size_t error_capacity) {
  for (unsigned kind = 0; kind < ACTION_KINDS; ++kind) {
    *action = (struct action){.kind = (enum action_kind)kind};
    bool is_wrong = false;
    if (fits(line, actions[kind].words, action, &is_wrong)) return true;
    if (!is_wrong) continue;
    snprintf(error, error_capacity, "a value is wrong: %s", actions[kind].words);
    return false;
  }
  snprintf(error, error_capacity, "no such command: GET /actions lists them");
  return false;
}

bool action_next_line(copal_bytes *text, copal_bytes *line) {
  while (text->size > 0) {
    const uint8_t *feed = memchr(text->data, '\n', text->size);
    size_t size = feed != NULL ? (size_t)(feed - text->data) : text->size;
    *line = (copal_bytes){text->data, size};
    size_t taken = feed != NULL ? size + 1 : size;
    text->data += taken;
    text->size -= taken;
    if (line->size > 0 && line->data[line->size - 1] == '\r') --line->size;
    if (line->size > 0) return true;
  }
  return false;
}

size_t action_help(char *buffer, size_t capacity) {
  size_t size = 0;
  for (unsigned kind = 0; kind < ACTION_KINDS && size < capacity; ++kind) {
    int written = snprintf(buffer + size, capacity - size, "%s: %s\n", actions[kind].words, actions[kind].help);
    size += (size_t)written;
  }
  return size < capacity ? size : capacity - 1;
}

/* Whether a line is what the words say. *is_wrong: the words are there, but a value is none of its kind. */
static bool fits(copal_bytes line, const char *words, struct action *action, bool *is_wrong) {
  copal_bytes pattern = {(const uint8_t *)words, strlen(words)};
  while (pattern.size > 0) {
    char name[WORD_SIZE], word[WORD_SIZE];
    copal_bytes expected = next_word(&pattern);
    snprintf(name, sizeof name, "%.*s", (int)expected.size, (const char *)expected.data);
    if (strcmp(name, "TEXT") == 0) {
      action->text = line;
      return true;
    }
    copal_bytes found = next_word(&line);
    if (found.size == 0 || found.size >= sizeof word) return false;
    /* As text it would be a shorter word, or none: a resource without a name. */
    if (memchr(found.data, '\0', found.size) != NULL) return false;
    memcpy(word, found.data, found.size);
    word[found.size] = '\0';
    bool is_value = name[0] >= 'A' && name[0] <= 'Z';
    if (is_value ? take_value(name, word, action) : strcmp(name, word) == 0) continue;
    *is_wrong = is_value;
    return false;
  }
  return line.size == 0;
}

static bool take_value(const char *name, const char *word, struct action *action) {
  if (strcmp(name, "RESOURCE") == 0) {
    memcpy(action->resource, word, strlen(word) + 1);
    return true;
  }
  if (strcmp(name, "NUMBER") == 0) return value_number(word, UINT32_MAX, &action->number);
  if (strcmp(name, "SECONDS") == 0) return value_duration(word, &action->time);
  if (strcmp(word, "none") == 0) {
    action->number = COPAL_FORMAT_NONE;
    return true;
  }
  int format = copal_content_format_by_name(word);
  action->number = (uint32_t)format;
  return format >= 0;
}

/* Up to the next blank, which is taken, too. */
static copal_bytes next_word(copal_bytes *rest) {
  const uint8_t *blank = rest->size > 0 ? memchr(rest->data, ' ', rest->size) : NULL;
  copal_bytes word = {rest->data, blank != NULL ? (size_t)(blank - rest->data) : rest->size};
  size_t taken = word.size + (blank != NULL ? 1 : 0);
  if (taken > 0) rest->data += taken;
  rest->size -= taken;
  return word;
}

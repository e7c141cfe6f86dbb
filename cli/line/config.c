/* Defaults as text: the configuration file's lines, and the words of COPAL_OPTIONS. Reads no file and no environment,
 * and knows no option by name but the two that make no sense in a file. */
#include "cli/line/config.h"

#include <stdio.h>
#include <string.h>

#include "cli/line/option.h"
#include "cli/line/suggest.h"

/* Where the reader is. */
struct reader {
  const struct command *command;
  const struct command *section; /* NULL above the first */
  struct settings *settings;
  struct settings unused; /* takes what is for other subcommands, so that it is checked all the same */
  char reason[240];
};

static bool read_line(struct reader *reader, char *line);
static bool read_section(struct reader *reader, char *line);
static bool read_pair(struct reader *reader, char *line);
static bool read_value(struct reader *reader, char *text, char **value);
static bool store(struct reader *reader, const char *name, const char *value);
static const struct option_entry *find_anywhere(const char *name);
static bool unknown(struct reader *reader, const char *name);
static bool is_for_the_line_only(const struct option_entry *entry);
static bool is_blank(char character);
static char *skip_blanks(char *text);
static void trim(char *text);

bool config_parse(const struct command *command, const char *name, char *text, size_t size, struct settings *settings,
                  char *error, size_t error_capacity) {
  struct reader reader = {.command = command, .settings = settings, .unused = settings_default()};
  size_t number = 0;
  for (char *line = text, *end = text + size; line < end;) {
    char *next = memchr(line, '\n', (size_t)(end - line));
    if (next == NULL) next = end;
    *next = '\0';
    ++number;
    bool good = strlen(line) == (size_t)(next - line);
    if (!good) snprintf(reader.reason, sizeof reader.reason, "this is no text: there is a byte of zero in it");
    if (!good || !read_line(&reader, line)) {
      snprintf(error, error_capacity, "%s:%zu: %s", name, number, reader.reason);
      return false;
    }
    line = next + 1;
  }
  return true;
}

bool config_split(char *text, char **words, size_t words_max, size_t *count, char *error, size_t error_capacity) {
  *count = 0;
  for (;;) {
    while (is_blank(*text) || *text == '\n') ++text;
    if (*text == '\0') return true;
    if (*count == words_max) {
      snprintf(error, error_capacity, "more than %zu words", words_max);
      return false;
    }
    /* The word shrinks in place where its quotes were. */
    char *word = text, quote = '\0';
    words[(*count)++] = word;
    for (; *text != '\0' && (quote != '\0' || !(is_blank(*text) || *text == '\n')); ++text) {
      if (quote == '\0' && (*text == '\'' || *text == '"')) {
        quote = *text;
      } else if (quote != '\0' && *text == quote) {
        quote = '\0';
      } else {
        *word++ = *text;
      }
    }
    if (quote != '\0') {
      snprintf(error, error_capacity, "the quotation mark %c is not closed", quote);
      return false;
    }
    if (*text != '\0') ++text;
    *word = '\0';
  }
}

static bool read_line(struct reader *reader, char *line) {
  trim(line);
  line = skip_blanks(line);
  if (*line == '\0' || *line == '#') return true;
  return *line == '[' ? read_section(reader, line + 1) : read_pair(reader, line);
}

static bool read_section(struct reader *reader, char *line) {
  char *end = strchr(line, ']');
  char *rest = end != NULL ? skip_blanks(end + 1) : NULL;
  if (end == NULL || (*rest != '\0' && *rest != '#')) {
    snprintf(reader->reason, sizeof reader->reason, "a section is the name of a command in brackets, such as [get]");
    return false;
  }
  *end = '\0';
  reader->section = command_find(line);
  /* A list has a bound, and a section may come twice. */
  reader->unused = settings_default();
  if (reader->section != NULL) return true;
  const char *near = command_near(line);
  snprintf(reader->reason, sizeof reader->reason, "unknown command [%.40s]%s%s%s", line,
           near != NULL ? ": did you mean [" : "", near != NULL ? near : "", near != NULL ? "]?" : "");
  return false;
}

static bool read_pair(struct reader *reader, char *line) {
  char *equals = strchr(line, '=');
  if (equals == NULL) {
    snprintf(reader->reason, sizeof reader->reason,
             "'%.40s' has no value: a line is NAME = VALUE, such as quiet = true", line);
    return false;
  }
  *equals = '\0';
  trim(line);
  char *value;
  return read_value(reader, skip_blanks(equals + 1), &value) && store(reader, line, value);
}

/* Quoted, or up to a comment: a "#" within a word, as in a URI, is no comment. */
static bool read_value(struct reader *reader, char *text, char **value) {
  *value = text;
  if (*text == '"' || *text == '\'') {
    char *end = strchr(text + 1, *text);
    char *rest = end != NULL ? skip_blanks(end + 1) : NULL;
    if (end == NULL || (*rest != '\0' && *rest != '#')) {
      snprintf(reader->reason, sizeof reader->reason,
               "the value begins with a quotation mark and does not end with it");
      return false;
    }
    *end = '\0';
    *value = text + 1;
    return true;
  }
  char *end = text;
  while (*end != '\0' && !(*end == '#' && (end == text || is_blank(end[-1])))) ++end;
  *end = '\0';
  trim(text);
  return true;
}

static bool store(struct reader *reader, const char *name, const char *value) {
  const struct command *section = reader->section;
  const struct command *taker = section != NULL ? section : reader->command;
  const struct option_entry *entry = option_by_name(taker->tables, name, strlen(name));
  const struct option_entry *any = entry != NULL ? entry : find_anywhere(name);
  if (any == NULL) return unknown(reader, name);
  if (is_for_the_line_only(any)) {
    snprintf(reader->reason, sizeof reader->reason, "%s is for the command line only", name);
    return false;
  }
  if (entry == NULL && section != NULL) {
    snprintf(reader->reason, sizeof reader->reason, "copal %s has no option --%s", section->name, name);
    return false;
  }
  if (entry == NULL) return true;
  struct settings *settings = taker == reader->command ? reader->settings : &reader->unused;
  return option_store(entry, settings, name, value, reader->reason, sizeof reader->reason);
}

static const struct option_entry *find_anywhere(const char *name) {
  const struct option_entry *entry = NULL;
  for (const struct command *command = commands; entry == NULL && command->name != NULL; ++command) {
    entry = option_by_name(command->tables, name, strlen(name));
  }
  return entry;
}

static bool unknown(struct reader *reader, const char *name) {
  struct suggestion suggestion = suggestion_for(name);
  for (const struct command *command = commands; command->name != NULL; ++command) {
    const struct option_entry *entry;
    for (size_t i = 0; (entry = option_at(command->tables, i)) != NULL; ++i) suggestion_offer(&suggestion, entry->name);
  }
  const char *near = suggestion.name;
  snprintf(reader->reason, sizeof reader->reason, "unknown option '%.40s'%s%s%s", name,
           near != NULL ? ": did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
  return false;
}

static bool is_for_the_line_only(const struct option_entry *entry) {
  return entry->at == offsetof(struct settings, help) || entry->at == offsetof(struct settings, no_config);
}

static bool is_blank(char character) { return character == ' ' || character == '\t' || character == '\r'; }

static char *skip_blanks(char *text) {
  while (is_blank(*text)) ++text;
  return text;
}

static void trim(char *text) {
  size_t size = strlen(text);
  while (size > 0 && is_blank(text[size - 1])) --size;
  text[size] = '\0';
}

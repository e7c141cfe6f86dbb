/* The command line against option tables. Knows no option by name: all that is known stands in the tables. */
#include "cli/line/arguments.h"

#include <stdio.h>
#include <string.h>

#include "cli/line/command.h"
#include "cli/line/option.h"
#include "cli/line/suggest.h"

enum { NAME_SHOWN_MAX = 64 };

/* Where the parser is. */
struct walk {
  const struct option_entry *const *tables;
  struct settings *settings;
  char **argv;
  int argc, at;
  bool is_general;
  char *error;
  size_t error_capacity;
};

static bool parse(struct walk *walk);
static bool parse_operand(struct walk *walk, char *text);
static bool parse_long(struct walk *walk, const char *text);
static bool parse_letters(struct walk *walk, const char *letters);
static bool take(struct walk *walk, const struct option_entry *entry, const char *shown, const char *value);
static const struct option_entry *find_anywhere(const char *name, size_t name_size);
static const struct option_entry *find_common(struct walk *walk, char letter);
static bool unknown_name(struct walk *walk, const char *typed);
static bool unknown_letter(struct walk *walk, char letter);
static bool has(const struct walk *walk, const struct option_entry *entry);
static bool tell_owners(const struct walk *walk, const char *name, char letter);

bool arguments_parse(const option_tables tables, int argc, char **argv, struct settings *settings, char *error,
                     size_t error_capacity) {
  struct walk walk = {.tables = tables, .settings = settings, .argv = argv, .argc = argc};
  walk.error = error;
  walk.error_capacity = error_capacity;
  return parse(&walk);
}

bool arguments_parse_general(const option_tables tables, int argc, char **argv, struct settings *settings, char *error,
                             size_t error_capacity) {
  struct walk walk = {.tables = tables, .settings = settings, .argv = argv, .argc = argc, .is_general = true};
  walk.error = error;
  walk.error_capacity = error_capacity;
  return parse(&walk);
}

static bool parse(struct walk *walk) {
  bool only_operands = false;
  walk->settings->operands = walk->argv;
  walk->settings->operands_count = 0;
  while (walk->at < walk->argc) {
    char *text = walk->argv[walk->at++];
    if (only_operands || text[0] != '-' || text[1] == '\0') {
      if (!parse_operand(walk, text)) return false;
    } else if (strcmp(text, "--") == 0) {
      only_operands = true;
    } else if (text[1] == '-') {
      if (!parse_long(walk, text + 2)) return false;
    } else if (!parse_letters(walk, text + 1)) {
      return false;
    }
  }
  return true;
}

static bool parse_operand(struct walk *walk, char *text) {
  if (walk->is_general) {
    snprintf(walk->error, walk->error_capacity, "'%s' is no option", text);
    return false;
  }
  /* Operands gather at the front of argv, where everything has been read already. */
  walk->argv[walk->settings->operands_count++] = text;
  return true;
}

static bool parse_long(struct walk *walk, const char *text) {
  const char *equals = strchr(text, '=');
  size_t name_size = equals != NULL ? (size_t)(equals - text) : strlen(text);
  const struct option_entry *entry = option_by_name(walk->tables, text, name_size);
  if (entry == NULL && walk->is_general) entry = find_anywhere(text, name_size);
  char shown[NAME_SHOWN_MAX + 2];
  snprintf(shown, sizeof shown, "--%.*s", (int)(name_size < NAME_SHOWN_MAX ? name_size : NAME_SHOWN_MAX - 1), text);
  if (entry == NULL) return unknown_name(walk, shown + 2);
  return take(walk, entry, shown, equals != NULL ? equals + 1 : NULL);
}

static bool parse_letters(struct walk *walk, const char *letters) {
  for (; *letters != '\0'; ++letters) {
    const struct option_entry *entry =
        walk->is_general ? find_common(walk, *letters) : option_by_letter(walk->tables, *letters);
    if (entry == NULL) return walk->is_general ? false : unknown_letter(walk, *letters);
    const char shown[] = {'-', *letters, '\0'};
    if (option_takes_value(entry)) return take(walk, entry, shown, letters[1] != '\0' ? letters + 1 : NULL);
    if (!take(walk, entry, shown, NULL)) return false;
  }
  return true;
}

/* value NULL: the next argument is the value, unless the option is a flag. shown is the option as it was typed. */
static bool take(struct walk *walk, const struct option_entry *entry, const char *shown, const char *value) {
  if (option_takes_value(entry) && value == NULL) {
    if (walk->at == walk->argc) {
      snprintf(walk->error, walk->error_capacity, "%s needs a value: %s", shown, entry->argument);
      return false;
    }
    value = walk->argv[walk->at++];
  }
  if (walk->is_general && !has(walk, entry)) return true;
  return option_store(entry, walk->settings, shown, value, walk->error, walk->error_capacity);
}

/* An option of any subcommand. */
static const struct option_entry *find_anywhere(const char *name, size_t name_size) {
  const struct option_entry *entry = NULL;
  for (const struct command *command = commands; entry == NULL && command->name != NULL; ++command) {
    entry = option_by_name(command->tables, name, name_size);
  }
  return entry;
}

/* What a letter means for every subcommand that knows it; NULL and an error where they disagree. */
static const struct option_entry *find_common(struct walk *walk, char letter) {
  const struct option_entry *found = option_by_letter(walk->tables, letter);
  for (const struct command *command = commands; command->name != NULL; ++command) {
    const struct option_entry *entry = option_by_letter(command->tables, letter);
    if (entry == NULL) continue;
    if (found == NULL) found = entry;
    if (strcmp(found->name, entry->name) == 0) continue;
    snprintf(walk->error, walk->error_capacity, "-%c is --%s or --%s: write the one that is meant", letter, found->name,
             entry->name);
    return NULL;
  }
  if (found == NULL) snprintf(walk->error, walk->error_capacity, "unknown option -%c", letter);
  return found;
}

static bool has(const struct walk *walk, const struct option_entry *entry) {
  return option_by_name(walk->tables, entry->name, strlen(entry->name)) == entry;
}

static bool unknown_name(struct walk *walk, const char *typed) {
  if (tell_owners(walk, typed, '\0')) return false;
  struct suggestion suggestion = suggestion_for(typed);
  const struct option_entry *entry;
  for (size_t i = 0; (entry = option_at(walk->tables, i)) != NULL; ++i) suggestion_offer(&suggestion, entry->name);
  if (suggestion.name != NULL) {
    snprintf(walk->error, walk->error_capacity, "unknown option --%s: did you mean --%s?", typed, suggestion.name);
  } else {
    snprintf(walk->error, walk->error_capacity, "unknown option --%s", typed);
  }
  return false;
}

static bool unknown_letter(struct walk *walk, char letter) {
  if (!tell_owners(walk, NULL, letter)) {
    snprintf(walk->error, walk->error_capacity, "unknown option -%c", letter);
  }
  return false;
}

/* Who types an option of another subcommand is told of which. */
static bool tell_owners(const struct walk *walk, const char *name, char letter) {
  char owners[120] = "";
  size_t size = 0;
  for (const struct command *command = commands; command->name != NULL; ++command) {
    const struct option_entry *entry =
        name != NULL ? option_by_name(command->tables, name, strlen(name)) : option_by_letter(command->tables, letter);
    if (entry == NULL || size + strlen(command->name) + 3 > sizeof owners) continue;
    size += (size_t)snprintf(owners + size, sizeof owners - size, "%s%s", size > 0 ? ", " : "", command->name);
  }
  if (size == 0) return false;
  const char letter_text[] = {letter, '\0'};
  snprintf(walk->error, walk->error_capacity, "%s%s is an option of %s", name != NULL ? "--" : "-",
           name != NULL ? name : letter_text, owners);
  return true;
}

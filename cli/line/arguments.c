/* The command line against option tables. Knows no option by name: all that is known stands in the tables. */
#include "cli/line/arguments.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/line/suggest.h"
#include "cli/line/value.h"

/* Where the parser is. */
struct walk {
  const struct option_entry *const *tables;
  struct settings *settings;
  char **argv;
  int argc, at;
  char *error;
  size_t error_capacity;
};

static bool parse_long(struct walk *walk, const char *text);
static bool takes_value(const struct option_entry *entry);
static bool parse_letters(struct walk *walk, const char *letters);
static bool take(struct walk *walk, const struct option_entry *entry, const char *shown, const char *value);
static bool store(struct walk *walk, const struct option_entry *entry, const char *shown, const char *value);
static bool store_choice(const struct option_entry *entry, const char *value, uint32_t *choice);
static bool unknown(struct walk *walk, const char *name, size_t name_size);
static const struct option_entry *find_name(const struct walk *walk, const char *name, size_t name_size);
static const struct option_entry *find_letter(const struct walk *walk, char letter);

bool arguments_parse(const option_tables tables, int argc, char **argv, struct settings *settings, char *error,
                     size_t error_capacity) {
  struct walk walk = {.tables = tables, .settings = settings, .argv = argv, .argc = argc};
  walk.error = error;
  walk.error_capacity = error_capacity;
  settings->operands = argv;
  settings->operands_count = 0;
  bool only_operands = false;
  while (walk.at < argc) {
    char *text = argv[walk.at++];
    if (only_operands || text[0] != '-' || text[1] == '\0') {
      /* Operands gather at the front of argv, where everything has been read already. */
      argv[settings->operands_count++] = text;
    } else if (strcmp(text, "--") == 0) {
      only_operands = true;
    } else if (text[1] == '-') {
      if (!parse_long(&walk, text + 2)) return false;
    } else if (!parse_letters(&walk, text + 1)) {
      return false;
    }
  }
  return true;
}

static bool parse_long(struct walk *walk, const char *text) {
  const char *equals = strchr(text, '=');
  size_t name_size = equals != NULL ? (size_t)(equals - text) : strlen(text);
  const struct option_entry *entry = find_name(walk, text, name_size);
  if (entry == NULL) return unknown(walk, text, name_size);
  char shown[40];
  snprintf(shown, sizeof shown, "--%s", entry->name);
  if (!takes_value(entry) && equals != NULL) {
    snprintf(walk->error, walk->error_capacity, "%s takes no value", shown);
    return false;
  }
  return take(walk, entry, shown, equals != NULL ? equals + 1 : NULL);
}

static bool takes_value(const struct option_entry *entry) {
  return entry->kind != OPTION_FLAG && entry->kind != OPTION_LEVEL;
}

static bool parse_letters(struct walk *walk, const char *letters) {
  for (; *letters != '\0'; ++letters) {
    const struct option_entry *entry = find_letter(walk, *letters);
    if (entry == NULL) {
      snprintf(walk->error, walk->error_capacity, "unknown option -%c", *letters);
      return false;
    }
    const char shown[] = {'-', *letters, '\0'};
    if (takes_value(entry)) return take(walk, entry, shown, letters[1] != '\0' ? letters + 1 : NULL);
    if (!take(walk, entry, shown, NULL)) return false;
  }
  return true;
}

/* value NULL: the next argument is the value, unless the option is a flag. shown is the option as it was typed. */
static bool take(struct walk *walk, const struct option_entry *entry, const char *shown, const char *value) {
  if (takes_value(entry) && value == NULL) {
    if (walk->at == walk->argc) {
      snprintf(walk->error, walk->error_capacity, "%s needs a value: %s", shown, entry->argument);
      return false;
    }
    value = walk->argv[walk->at++];
  }
  return store(walk, entry, shown, value);
}

static bool store(struct walk *walk, const struct option_entry *entry, const char *shown, const char *value) {
  char *field = (char *)walk->settings + entry->at;
  switch ((enum option_kind)entry->kind) {
    case OPTION_FLAG: memcpy(field, &(bool){true}, sizeof(bool)); return true;
    case OPTION_LEVEL: {
      uint32_t level;
      memcpy(&level, field, sizeof level);
      level += 1;
      memcpy(field, &level, sizeof level);
      return true;
    }
    case OPTION_TEXT: memcpy(field, &value, sizeof value); return true;
    case OPTION_LIST: {
      struct list list;
      memcpy(&list, field, sizeof list);
      if (list.count == LIST_MAX) {
        snprintf(walk->error, walk->error_capacity, "%s is given more than %d times", shown, LIST_MAX);
        return false;
      }
      list.items[list.count++] = value;
      memcpy(field, &list, sizeof list);
      return true;
    }
    case OPTION_DURATION: {
      copal_time duration;
      if (!value_duration(value, &duration)) {
        snprintf(walk->error, walk->error_capacity, "%s: '%s' is not a number of seconds such as 2 or 0.5", shown,
                 value);
        return false;
      }
      memcpy(field, &duration, sizeof duration);
      return true;
    }
    case OPTION_NUMBER: {
      uint32_t number;
      if (!value_number(value, entry->limit, &number)) {
        snprintf(walk->error, walk->error_capacity, "%s: '%s' is not a number from 0 to %" PRIu32, shown, value,
                 entry->limit);
        return false;
      }
      memcpy(field, &number, sizeof number);
      return true;
    }
    case OPTION_CHOICE: {
      uint32_t choice;
      if (!store_choice(entry, value, &choice)) {
        snprintf(walk->error, walk->error_capacity, "%s: '%s' is not one of %s", shown, value, entry->argument);
        return false;
      }
      memcpy(field, &choice, sizeof choice);
      return true;
    }
  }
  return false;
}

static bool store_choice(const struct option_entry *entry, const char *value, uint32_t *choice) {
  size_t value_size = strlen(value);
  uint32_t position = 0;
  for (const char *word = entry->argument; word != NULL; ++position) {
    const char *bar = strchr(word, '|');
    size_t word_size = bar != NULL ? (size_t)(bar - word) : strlen(word);
    if (word_size == value_size && memcmp(word, value, word_size) == 0) {
      *choice = position;
      return true;
    }
    word = bar != NULL ? bar + 1 : NULL;
  }
  return false;
}

static bool unknown(struct walk *walk, const char *name, size_t name_size) {
  char typed[64];
  snprintf(typed, sizeof typed, "%.*s", (int)(name_size < sizeof typed ? name_size : sizeof typed - 1), name);
  struct suggestion suggestion = suggestion_for(typed);
  for (size_t table = 0; table < TABLES_MAX && walk->tables[table] != NULL; ++table) {
    for (const struct option_entry *entry = walk->tables[table]; entry->name != NULL; ++entry) {
      suggestion_offer(&suggestion, entry->name);
    }
  }
  if (suggestion.name != NULL) {
    snprintf(walk->error, walk->error_capacity, "unknown option --%s: did you mean --%s?", typed, suggestion.name);
  } else {
    snprintf(walk->error, walk->error_capacity, "unknown option --%s", typed);
  }
  return false;
}

static const struct option_entry *find_name(const struct walk *walk, const char *name, size_t name_size) {
  for (size_t table = 0; table < TABLES_MAX && walk->tables[table] != NULL; ++table) {
    for (const struct option_entry *entry = walk->tables[table]; entry->name != NULL; ++entry) {
      if (strlen(entry->name) == name_size && memcmp(entry->name, name, name_size) == 0) return entry;
    }
  }
  return NULL;
}

static const struct option_entry *find_letter(const struct walk *walk, char letter) {
  for (size_t table = 0; table < TABLES_MAX && walk->tables[table] != NULL; ++table) {
    for (const struct option_entry *entry = walk->tables[table]; entry->name != NULL; ++entry) {
      if (entry->letter == letter) return entry;
    }
  }
  return NULL;
}

/* One option: found in the tables, and its value stored in the settings. Knows no option by name: all that is known
 * stands in the tables. */
#include "cli/line/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/line/suggest.h"
#include "cli/line/value.h"

static const char *store_switch(const struct option_entry *entry, const char *value, void *field);
static bool store_more(const char *value, void *field);
static bool store_choice(const struct option_entry *entry, const char *value, void *field);
static const char *nearest_word(const char *words, const char *typed, char *buffer, size_t capacity);

const struct option_entry *option_at(const option_tables tables, size_t index) {
  for (size_t table = 0; table < TABLES_MAX && tables[table] != NULL; ++table) {
    for (const struct option_entry *entry = tables[table]; entry->name != NULL; ++entry) {
      if (index-- == 0) return entry;
    }
  }
  return NULL;
}

const struct option_entry *option_by_name(const option_tables tables, const char *name, size_t name_size) {
  const struct option_entry *entry;
  for (size_t i = 0; (entry = option_at(tables, i)) != NULL; ++i) {
    if (strlen(entry->name) == name_size && memcmp(entry->name, name, name_size) == 0) return entry;
  }
  return NULL;
}

const struct option_entry *option_by_letter(const option_tables tables, char letter) {
  const struct option_entry *entry;
  for (size_t i = 0; (entry = option_at(tables, i)) != NULL; ++i) {
    if (entry->letter == letter) return entry;
  }
  return NULL;
}

bool option_takes_value(const struct option_entry *entry) {
  return entry->kind != OPTION_FLAG && entry->kind != OPTION_LEVEL;
}

bool option_store(const struct option_entry *entry, struct settings *settings, const char *shown, const char *value,
                  char *error, size_t error_capacity) {
  void *field = (char *)settings + entry->at;
  switch ((enum option_kind)entry->kind) {
    case OPTION_FLAG:
    case OPTION_LEVEL: {
      const char *wrong = store_switch(entry, value, field);
      if (wrong == NULL) return true;
      snprintf(error, error_capacity, "%s: '%s' is %s", shown, value, wrong);
      return false;
    }
    case OPTION_TEXT: memcpy(field, &value, sizeof value); return true;
    case OPTION_LIST: {
      if (store_more(value, field)) return true;
      snprintf(error, error_capacity, "%s is given more than %d times", shown, LIST_MAX);
      return false;
    }
    case OPTION_DURATION: {
      copal_time duration;
      if (!value_duration(value, &duration)) {
        snprintf(error, error_capacity, "%s: '%s' is not a number of seconds such as 2 or 0.5", shown, value);
        return false;
      }
      memcpy(field, &duration, sizeof duration);
      return true;
    }
    case OPTION_NUMBER: {
      uint32_t number;
      if (!value_number(value, entry->limit, &number)) {
        snprintf(error, error_capacity, "%s: '%s' is not a number from 0 to %" PRIu32, shown, value, entry->limit);
        return false;
      }
      memcpy(field, &number, sizeof number);
      return true;
    }
    case OPTION_CHOICE: {
      if (store_choice(entry, value, field)) return true;
      char word[40];
      const char *near = nearest_word(entry->argument, value, word, sizeof word);
      snprintf(error, error_capacity, "%s: '%s' is not one of %s%s%s%s", shown, value, entry->argument,
               near != NULL ? ": did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
      return false;
    }
  }
  return false;
}

const char *option_word(const char **words, size_t *word_size) {
  const char *word = *words, *bar = strchr(word, '|');
  *word_size = bar != NULL ? (size_t)(bar - word) : strlen(word);
  *words = bar != NULL ? bar + 1 : NULL;
  return word;
}

/* What is on or off, or, as --verbose, more and more on. Returns what is wrong with the value, or NULL. */
static const char *store_switch(const struct option_entry *entry, const char *value, void *field) {
  bool is_level = entry->kind == OPTION_LEVEL;
  uint32_t level = 0;
  if (value == NULL) {
    if (is_level) memcpy(&level, field, sizeof level);
    level += 1;
  } else if (strcmp(value, "true") == 0) {
    level = 1;
  } else if (strcmp(value, "false") != 0 && !(is_level && value_number(value, 9, &level))) {
    return is_level ? "none of true, false and 0 to 9" : "neither true nor false";
  }
  if (is_level) {
    memcpy(field, &level, sizeof level);
  } else {
    memcpy(field, &(bool){level > 0}, sizeof(bool));
  }
  return NULL;
}

static bool store_more(const char *value, void *field) {
  struct list list;
  memcpy(&list, field, sizeof list);
  if (list.count == LIST_MAX) return false;
  list.items[list.count++] = value;
  memcpy(field, &list, sizeof list);
  return true;
}

static bool store_choice(const struct option_entry *entry, const char *value, void *field) {
  size_t value_size = strlen(value), word_size;
  const char *words = entry->argument;
  for (uint32_t position = 0; words != NULL; ++position) {
    const char *word = option_word(&words, &word_size);
    if (word_size == value_size && memcmp(word, value, word_size) == 0) {
      memcpy(field, &position, sizeof position);
      return true;
    }
  }
  return false;
}

/* Returns buffer, or NULL where no word is near. */
static const char *nearest_word(const char *words, const char *typed, char *buffer, size_t capacity) {
  struct suggestion suggestion = suggestion_for(typed);
  char candidate[40];
  while (words != NULL) {
    size_t word_size;
    const char *word = option_word(&words, &word_size);
    if (word_size >= sizeof candidate || word_size >= capacity) continue;
    memcpy(candidate, word, word_size);
    candidate[word_size] = '\0';
    suggestion_offer(&suggestion, candidate);
    if (suggestion.name != candidate) continue;
    /* The candidate's bytes are the next word's soon. */
    memcpy(buffer, candidate, word_size + 1);
    suggestion.name = buffer;
  }
  return suggestion.name;
}

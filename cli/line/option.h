/* One option: found in the tables, and its value stored in the settings. Knows no option by name. */
#ifndef COPAL_CLI_LINE_OPTION_H
#define COPAL_CLI_LINE_OPTION_H

#include "cli/line/arguments.h"

/* The index-th of all that the tables have, NULL past the last. */
const struct option_entry *option_at(const option_tables tables, size_t index);

/* NULL where the tables have none. */
const struct option_entry *option_by_name(const option_tables tables, const char *name, size_t name_size);
const struct option_entry *option_by_letter(const option_tables tables, char letter);

/* Whether the next word is its value. A flag takes one only behind "=". */
bool option_takes_value(const struct option_entry *entry);

/* Stores value, which is borrowed; NULL is a flag that stands alone. shown is the option as it was typed. False where
 * the value is of the wrong kind: error then says so. */
bool option_store(const struct option_entry *entry, struct settings *settings, const char *shown, const char *value,
                  char *error, size_t error_capacity);

/* The next of the words that "|" separates: "auto|always". *words moves on, and is NULL after the last. Returns the
 * word, *word_size bytes long. */
const char *option_word(const char **words, size_t *word_size);

#endif

/* What completes an argument, told from how the tables write it, and the scripts for shells that are made of that. */
#ifndef COPAL_CLI_COMPLETION_COMPLETION_H
#define COPAL_CLI_COMPLETION_COMPLETION_H

#include "cli/line/command.h"

enum completion {
  COMPLETION_NONE,    /* nobody can know: a number, an address */
  COMPLETION_WORDS,   /* one of completion_words */
  COMPLETION_BEGUN,   /* the same, and more behind it: "Uri-Query=" */
  COMPLETION_FILES,   /* FILE */
  COMPLETION_FOLDERS, /* DIR */
  COMPLETION_PROGRAMS /* COMMAND, which is run */
};

/* The argument of an option, and the operands of a subcommand. */
enum completion completion_of_option(const struct option_entry *entry);
enum completion completion_of_operands(const struct command *command);

/* Prints the words for an argument, as the tables write it, with a blank between them. */
void completion_words(const char *argument);

/* Prints a text in single quotes, with a backslash before each of these characters. A quote in it is closed, escaped
 * and opened again, as all shells understand. */
void completion_quote(const char *text, const char *escaped);

void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif

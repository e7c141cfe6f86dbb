/* The script for fish: a line for each option of a table, for all subcommands that have the table. */
#include <stdio.h>

#include "cli/completion/completion.h"
#include "cli/line/option.h"

static void print_operands(const struct command *command);
static void print_table(const struct option_entry *table);
static bool has_table(const struct command *command, const struct option_entry *table);
static void print_action(enum completion completion, const char *argument);

/* What completion_quote escapes: fish reads "\\" and "\'" in single quotes. */
static const char escaped[] = "\\";

void completion_fish(void) {
  fputs(
      "# Completes copal's command line in fish. Made by: copal completion fish\n"
      "function __copal_begins\n"
      "    test (count (commandline -opc)) -eq 1\n"
      "end\n"
      "function __copal_is\n"
      "    set -l words (commandline -opc)\n"
      "    test (count $words) -ge 2; and contains -- (string lower -- $words[2]) $argv\n"
      "end\n"
      "complete -c copal -f\n"
      "complete -c copal -n __copal_begins -l help -d 'the commands'\n"
      "complete -c copal -n __copal_begins -l version -d 'the version'\n",
      stdout);
  for (const struct command *command = commands; command->name != NULL; ++command) {
    printf("complete -c copal -n __copal_begins -a %s -d ", command->name);
    completion_quote(command->summary, escaped);
    printf("\n");
    print_operands(command);
  }
  for (const struct option_title *title = option_titles; title->table != NULL; ++title) print_table(title->table);
}

static void print_operands(const struct command *command) {
  enum completion completion = completion_of_operands(command);
  if (completion == COMPLETION_NONE) return;
  printf("complete -c copal -n '__copal_is %s'", command->name);
  print_action(completion, command->operands);
  printf("\n");
}

static void print_table(const struct option_entry *table) {
  for (const struct option_entry *entry = table; entry->name != NULL; ++entry) {
    printf("complete -c copal -n '__copal_is");
    for (const struct command *command = commands; command->name != NULL; ++command) {
      if (has_table(command, table)) printf(" %s", command->name);
    }
    printf("' -l %s", entry->name);
    if (entry->letter != '\0') printf(" -s %c", entry->letter);
    if (option_takes_value(entry)) {
      printf(" -r");
      print_action(completion_of_option(entry), entry->argument);
    }
    printf(" -d ");
    completion_quote(entry->help, escaped);
    printf("\n");
  }
}

static bool has_table(const struct command *command, const struct option_entry *table) {
  for (size_t i = 0; i < TABLES_MAX && command->tables[i] != NULL; ++i) {
    if (command->tables[i] == table) return true;
  }
  return false;
}

static void print_action(enum completion completion, const char *argument) {
  switch (completion) {
    case COMPLETION_NONE: break;
    case COMPLETION_WORDS:
    case COMPLETION_BEGUN:
      printf(" -f -a '");
      completion_words(argument);
      printf("'");
      break;
    case COMPLETION_FILES: printf(" -F"); break;
    case COMPLETION_FOLDERS: printf(" -f -a '(__fish_complete_directories)'"); break;
    case COMPLETION_PROGRAMS: printf(" -f -a '(__fish_complete_command)'"); break;
  }
}

/* What --help prints, made from the tables: nothing about an option is said twice. */
#include <stdio.h>
#include <string.h>

#include "cli/line/command.h"
#include "cli/show/terminal.h"

static void print_options(const struct option_entry *table);
static void print_statuses(void);

void help_command(const struct command *command) {
  printf("%sUsage: copal %s [OPTION...]%s%s%s\n", terminal_style(stdout, STYLE_BOLD), command->name,
         command->operands[0] != '\0' ? " " : "", command->operands, terminal_style(stdout, STYLE_PLAIN));
  printf("%s.\n\n", command->summary);
  for (size_t table = 0; table < TABLES_MAX && command->tables[table] != NULL; ++table) {
    print_options(command->tables[table]);
  }
  printf("\nFor example:\n%s\n", command->example);
  print_statuses();
}

void help_all(void) {
  printf("%sUsage: copal COMMAND [OPTION...] [ARGUMENT...]%s\n", terminal_style(stdout, STYLE_BOLD),
         terminal_style(stdout, STYLE_PLAIN));
  printf("       copal coap://HOST/PATH         (the same as copal get)\n\n");
  printf("CoAP (RFC 7252) on the command line.\n\n");
  for (const struct command *command = commands; command->name != NULL; ++command) {
    printf("  %-9s %s\n", command->name, command->summary);
  }
  printf("\n\"copal COMMAND --help\" tells the options of a command, \"copal --version\" the version.\n\n");
  printf("For example:\n  copal serve --bind coap://127.0.0.1 &\n  copal coap://127.0.0.1/hello\n\n");
  print_statuses();
}

static void print_options(const struct option_entry *table) {
  for (const struct option_entry *entry = table; entry->name != NULL; ++entry) {
    char left[64];
    const char letter[] = {'-', entry->letter, ',', ' ', '\0'};
    snprintf(left, sizeof left, "%s--%s%s%s", entry->letter != '\0' ? letter : "    ", entry->name,
             entry->argument != NULL ? " " : "", entry->argument != NULL ? entry->argument : "");
    printf("  %-31s %s\n", left, entry->help);
  }
}

static void print_statuses(void) {
  static const struct {
    int value;
    const char *meaning;
  } list[] = {
#define STATUS_ROW(name, value, meaning) {value, meaning},
      STATUSES(STATUS_ROW)
#undef STATUS_ROW
  };
  printf("Exit status:");
  size_t column = strlen("Exit status:");
  for (size_t i = 0; i < sizeof list / sizeof list[0]; ++i) {
    char item[64];
    int size = snprintf(item, sizeof item, " %d %s%s", list[i].value, list[i].meaning,
                        i + 1 < sizeof list / sizeof list[0] ? "," : ".");
    column += (size_t)size;
    if (column > 79) {
      printf("\n            ");
      column = strlen("Exit status:") + (size_t)size;
    }
    printf("%s", item);
  }
  printf("\n");
}

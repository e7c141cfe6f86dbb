/* The script for zsh: _arguments with a specification for each option. */
#include <stdio.h>
#include <string.h>

#include "cli/completion/completion.h"
#include "cli/line/option.h"

enum { TEXT_MAX = 240 };

static void print_command(const struct command *command);
static void print_option(const struct option_entry *entry);
static void print_forms(const struct option_entry *entry);
static void print_action(enum completion completion, const char *argument);

/* What ends a part of a specification. */
static const char escaped[] = "\\[]:";

void completion_zsh(void) {
  fputs(
      "#compdef copal\n"
      "# Completes copal's command line in zsh. Made by: copal completion zsh\n"
      "_copal() {\n"
      "  local curcontext=$curcontext state line\n"
      "  typeset -A opt_args\n"
      "  _arguments -C '--help[the commands]' '--version[the version]' '1:command:->command' '*::argument:->argument'\n"
      "  case $state in\n"
      "    command)\n"
      "      local -a commands=(\n",
      stdout);
  for (const struct command *command = commands; command->name != NULL; ++command) {
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "%s:%s", command->name, command->summary);
    printf("        ");
    completion_quote(text, "\\");
    printf("\n");
  }
  fputs(
      "      )\n"
      "      _describe command commands ;;\n"
      "    argument)\n"
      "      case ${words[1]:l} in\n",
      stdout);
  for (const struct command *command = commands; command->name != NULL; ++command) print_command(command);
  fputs(
      "      esac ;;\n"
      "  esac\n"
      "}\n"
      "if [[ ${funcstack[1]} == _copal ]]; then\n"
      "  _copal \"$@\"\n"
      "else\n"
      "  compdef _copal copal\n"
      "fi\n",
      stdout);
}

static void print_command(const struct command *command) {
  const struct option_entry *entry;
  printf("        %s)\n          _arguments -s -S", command->name);
  for (size_t i = 0; (entry = option_at(command->tables, i)) != NULL; ++i) print_option(entry);
  printf(" \\\n            '*:");
  for (const char *at = command->operands; *at != '\0'; ++at) {
    if (strchr(escaped, *at) != NULL) printf("\\");
    printf("%c", *at);
  }
  printf(":");
  print_action(completion_of_operands(command), command->operands);
  printf("' ;;\n");
}

/* '*' where it may be repeated, else what is given already is not offered again: '(-a --accept)'{-a+,--accept=}'...' */
static void print_option(const struct option_entry *entry) {
  char text[TEXT_MAX];
  bool repeats = entry->kind == OPTION_LIST || entry->kind == OPTION_LEVEL;
  printf(" \\\n            ");
  if (repeats) {
    printf("'*'");
  } else if (entry->letter != '\0') {
    printf("'(-%c --%s)'", entry->letter, entry->name);
  }
  print_forms(entry);
  printf("'['");
  snprintf(text, sizeof text, "%s", entry->help);
  completion_quote(text, escaped);
  printf("']");
  if (option_takes_value(entry)) {
    printf(":%s:", entry->name);
    print_action(completion_of_option(entry), entry->argument);
  }
  printf("'");
}

static void print_forms(const struct option_entry *entry) {
  const char *end = option_takes_value(entry) ? "=" : "";
  if (entry->letter != '\0') {
    printf("{-%c%s,--%s%s}", entry->letter, option_takes_value(entry) ? "+" : "", entry->name, end);
  } else {
    printf("--%s%s", entry->name, end);
  }
}

static void print_action(enum completion completion, const char *argument) {
  switch (completion) {
    case COMPLETION_NONE: break;
    case COMPLETION_WORDS:
      printf("(");
      completion_words(argument);
      printf(")");
      break;
    case COMPLETION_BEGUN:
      printf("{compadd -S \"\" -- ");
      completion_words(argument);
      printf("}");
      break;
    case COMPLETION_FILES: printf("_files"); break;
    case COMPLETION_FOLDERS: printf("_files -/"); break;
    case COMPLETION_PROGRAMS: printf("_command_names -e"); break;
  }
}

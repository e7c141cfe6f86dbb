/* The script for bash. A value is completed by the option before it, also where bash has cut "--name=value" at "=". */
#include <stdio.h>

#include "cli/completion/completion.h"
#include "cli/line/option.h"

static void print_command(const struct command *command);
static void print_value(const struct option_entry *entry);
static void print_action(enum completion completion, const char *argument);

void completion_bash(void) {
  fputs(
      "# Completes copal's command line in bash. Made by: copal completion bash\n"
      "_copal() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
      "  local options='' words='' kind=''\n"
      "  COMPREPLY=()\n"
      "  if [[ $current == = ]]; then\n"
      "    current=''\n"
      "  elif [[ $previous == = && $COMP_CWORD -gt 2 ]]; then\n"
      "    previous=${COMP_WORDS[COMP_CWORD-2]}\n"
      "  fi\n"
      "  if [[ $COMP_CWORD == 1 ]]; then\n"
      "    kind=words words='",
      stdout);
  completion_words("[COMMAND]");
  fputs(
      " --help --version'\n"
      "  else\n"
      "    case $command in\n",
      stdout);
  for (const struct command *command = commands; command->name != NULL; ++command) print_command(command);
  fputs(
      "    esac\n"
      "  fi\n"
      "  [[ $current == -* && $kind != value ]] && kind=words words=$options\n"
      "  case $kind in\n"
      "    words) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
      "    begun)\n"
      "      compopt -o nospace 2>/dev/null\n"
      "      COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
      "    files)\n"
      "      compopt -o filenames 2>/dev/null\n"
      "      mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;\n"
      "    folders)\n"
      "      compopt -o filenames 2>/dev/null\n"
      "      mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
      "    programs) COMPREPLY=($(compgen -c -- \"$current\")) ;;\n"
      "  esac\n"
      "}\n"
      "complete -F _copal copal\n",
      stdout);
}

static void print_command(const struct command *command) {
  const struct option_entry *entry;
  printf("      %s)\n        options='", command->name);
  for (size_t i = 0; (entry = option_at(command->tables, i)) != NULL; ++i) {
    printf("%s--%s", i > 0 ? " " : "", entry->name);
  }
  printf("'\n        case $previous in\n");
  for (size_t i = 0; (entry = option_at(command->tables, i)) != NULL; ++i) {
    if (option_takes_value(entry)) print_value(entry);
  }
  printf("          *) ");
  print_action(completion_of_operands(command), command->operands);
  printf(" ;;\n        esac ;;\n");
}

static void print_value(const struct option_entry *entry) {
  printf("          --%s", entry->name);
  if (entry->letter != '\0') printf(" | -%c", entry->letter);
  printf(") ");
  if (completion_of_option(entry) == COMPLETION_NONE) {
    printf("kind=value");
  } else {
    print_action(completion_of_option(entry), entry->argument);
  }
  printf(" ;;\n");
}

static void print_action(enum completion completion, const char *argument) {
  switch (completion) {
    case COMPLETION_NONE: printf("kind=''"); break;
    case COMPLETION_WORDS:
    case COMPLETION_BEGUN:
      printf("kind=%s words='", completion == COMPLETION_WORDS ? "words" : "begun");
      completion_words(argument);
      printf("'");
      break;
    case COMPLETION_FILES: printf("kind=files"); break;
    case COMPLETION_FOLDERS: printf("kind=folders"); break;
    case COMPLETION_PROGRAMS: printf("kind=programs"); break;
  }
}

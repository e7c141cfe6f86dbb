/* copal completion: scripts for shells, made from the tables, so that a new option is completed without a word here. */
#include <stdio.h>
#include <string.h>

#include "cli/completion/completion.h"
#include "cli/line/formats.h"
#include "cli/line/option.h"
#include "cli/show/terminal.h"
#include "copal/message.h"

/* How the tables write what is known here. */
static const char formats[] = "FORMAT", option[] = "NAME[=VALUE]", subcommand[] = "[COMMAND]";

static bool has_word(const char *argument);
static const char *next_word(const char **words, size_t *size);
static bool is_literal(const char *word, size_t size);

enum status completion_run(const struct command *command, const struct settings *settings) {
  static const struct {
    const char *shell;
    void (*print)(void);
  } scripts[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
  const char *shell = settings->operands_count == 1 ? settings->operands[0] : "";
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; ++i) {
    if (strcmp(shell, scripts[i].shell) != 0) continue;
    scripts[i].print();
    return STATUS_SUCCESS;
  }
  complain(command->name, "for which shell? One of %s", command->operands);
  return STATUS_USAGE;
}

enum completion completion_of_option(const struct option_entry *entry) {
  const char *argument = entry->argument;
  if (argument == NULL) return COMPLETION_NONE;
  if (strcmp(argument, formats) == 0) return COMPLETION_WORDS;
  if (strcmp(argument, option) == 0) return COMPLETION_BEGUN;
  if (strcmp(argument, "COMMAND") == 0) return COMPLETION_PROGRAMS;
  if (strcmp(argument, "FILE") == 0) return COMPLETION_FILES;
  if (strcmp(argument, "DIR") == 0) return COMPLETION_FOLDERS;
  return has_word(argument) ? COMPLETION_WORDS : COMPLETION_NONE;
}

enum completion completion_of_operands(const struct command *command) {
  if (strcmp(command->operands, subcommand) == 0) return COMPLETION_WORDS;
  if (strstr(command->operands, "FILE") != NULL) return COMPLETION_FILES;
  if (strstr(command->operands, "DIR") != NULL) return COMPLETION_FOLDERS;
  return has_word(command->operands) ? COMPLETION_WORDS : COMPLETION_NONE;
}

void completion_words(const char *argument) {
  const char *gap = "";
  if (strcmp(argument, formats) == 0) {
    for (struct format_walk walk = {0}; format_next(&walk); gap = " ") printf("%s%s", gap, walk.name);
  } else if (strcmp(argument, option) == 0) {
    const copal_option_info *info;
    for (size_t i = 0; (info = copal_option_at(i)) != NULL; ++i, gap = " ") {
      printf("%s%s%s", gap, info->name, info->format != COPAL_FORMAT_EMPTY ? "=" : "");
    }
  } else if (strcmp(argument, subcommand) == 0) {
    for (const struct command *each = commands; each->name != NULL; ++each, gap = " ") printf("%s%s", gap, each->name);
  } else {
    size_t size;
    for (const char *words = argument, *word; (word = next_word(&words, &size)) != NULL;) {
      if (!is_literal(word, size)) continue;
      printf("%s%.*s", gap, (int)size, word);
      gap = " ";
    }
  }
}

void completion_quote(const char *text, const char *escaped) {
  putchar('\'');
  for (; *text != '\0'; ++text) {
    if (*text == '\'') {
      fputs("'\\''", stdout);
      continue;
    }
    if (strchr(escaped, *text) != NULL) putchar('\\');
    putchar(*text);
  }
  putchar('\'');
}

static bool has_word(const char *argument) {
  size_t size;
  for (const char *words = argument, *word; (word = next_word(&words, &size)) != NULL;) {
    if (is_literal(word, size)) return true;
  }
  return false;
}

/* The words of "[URI|all]" are "URI" and "all"; NULL past the last. */
static const char *next_word(const char **words, size_t *size) {
  if (*words == NULL) return NULL;
  const char *word = option_word(words, size);
  while (*size > 0 && *word == '[') ++word, --*size;
  while (*size > 0 && strchr("].", word[*size - 1]) != NULL) --*size;
  return word;
}

/* What is typed as it stands; capitals stand for something else. */
static bool is_literal(const char *word, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (word[i] >= 'A' && word[i] <= 'Z') return false;
  }
  return size > 0;
}

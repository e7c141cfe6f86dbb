/* copal help, and what --help prints: made from the tables, so that nothing about an option is said twice.
 *
 * --help fits a screen: it shows the options that are wanted daily. "copal help COMMAND" shows all of them. */
#include <stdio.h>
#include <string.h>

#include "cli/line/command.h"
#include "cli/line/option.h"
#include "cli/show/terminal.h"

enum { SCREEN_LINES = 24, SCREEN_COLUMNS = 80, LEFT_MAX = 30 };

static void print_head(const struct command *command);
static void print_table(const struct option_entry *table, const char *title);
static const char *title_of(const struct option_entry *table);
static void print_option(const struct option_entry *entry, size_t left_size);
static size_t option_text(const struct option_entry *entry, char *buffer, size_t capacity);
static void print_statuses(void);
static size_t lines_of(const char *text);

enum status help_run(const struct command *command, const struct settings *settings) {
  if (settings->operands_count > 1) {
    complain(command->name, "one command at a time");
    return STATUS_USAGE;
  }
  if (settings->operands_count == 0) {
    help_commands();
    return STATUS_SUCCESS;
  }
  const struct command *subject = command_find(settings->operands[0]);
  if (subject == NULL) return command_unknown(settings->operands[0]);
  print_head(subject);
  for (size_t table = 0; table < TABLES_MAX && subject->tables[table] != NULL; ++table) {
    print_table(subject->tables[table], title_of(subject->tables[table]));
  }
  printf("\nFor example:\n%s\n", subject->example);
  print_statuses();
  return STATUS_SUCCESS;
}

void help_daily(const struct command *command) {
  const struct option_entry *entry;
  size_t left_size = 0, lines = 0;
  for (size_t i = 0; (entry = option_at(command->tables, i)) != NULL; ++i) {
    char left[SCREEN_COLUMNS];
    if (entry->usage != DAILY) continue;
    size_t size = option_text(entry, left, sizeof left);
    if (size > LEFT_MAX) ++lines;
    if (size > left_size && size <= LEFT_MAX) left_size = size;
    ++lines;
  }
  /* The usage, the summary, how to see all, a heading, two lines of statuses; and lines that are empty. */
  lines += 6 + lines_of(command->example);
  const char *gap = lines + 3 <= SCREEN_LINES ? "\n" : "";
  print_head(command);
  fputs(gap, stdout);
  for (size_t i = 0; (entry = option_at(command->tables, i)) != NULL; ++i) {
    if (entry->usage == DAILY) print_option(entry, left_size);
  }
  printf("All options: copal help %s\n%sFor example:\n%s%s", command->name, gap, command->example, gap);
  print_statuses();
}

void help_commands(void) {
  printf("%sUsage: copal COMMAND [OPTION...] [ARGUMENT...]%s\n", terminal_style(stdout, STYLE_BOLD),
         terminal_style(stdout, STYLE_PLAIN));
  printf("       copal [-X METHOD] [OPTION...] coap://HOST/PATH   (GET without -X)\n");
  for (const struct command *command = commands; command->name != NULL; ++command) {
    printf("  %-10s %s\n", command->name, command->summary);
  }
  printf("A command's daily options: copal COMMAND --help; all of them: copal help COMMAND\n");
  printf("For example:\n  copal serve --bind coap://127.0.0.1 &\n  copal coap://127.0.0.1/hello\n");
  print_statuses();
}

static void print_head(const struct command *command) {
  printf("%sUsage: copal %s [OPTION...]%s%s%s\n", terminal_style(stdout, STYLE_BOLD), command->name,
         command->operands[0] != '\0' ? " " : "", command->operands, terminal_style(stdout, STYLE_PLAIN));
  printf("%s.\n", command->summary);
}

static void print_table(const struct option_entry *table, const char *title) {
  printf("\n%s%s:%s\n", terminal_style(stdout, STYLE_BOLD), title, terminal_style(stdout, STYLE_PLAIN));
  for (const struct option_entry *entry = table; entry->name != NULL; ++entry) print_option(entry, LEFT_MAX);
}

static const char *title_of(const struct option_entry *table) {
  for (const struct option_title *title = option_titles; title->table != NULL; ++title) {
    if (title->table == table) return title->title;
  }
  return "Options";
}

/* What is too long for its column has the help below it. */
static void print_option(const struct option_entry *entry, size_t left_size) {
  char left[SCREEN_COLUMNS];
  size_t size = option_text(entry, left, sizeof left);
  if (size > left_size) {
    printf("  %s\n  %*s  %s\n", left, (int)left_size, "", entry->help);
  } else {
    printf("  %-*s  %s\n", (int)left_size, left, entry->help);
  }
}

static size_t option_text(const struct option_entry *entry, char *buffer, size_t capacity) {
  const char letter[] = {'-', entry->letter, ',', ' ', '\0'};
  snprintf(buffer, capacity, "%s--%s%s%s", entry->letter != '\0' ? letter : "    ", entry->name,
           entry->argument != NULL ? " " : "", entry->argument != NULL ? entry->argument : "");
  return strlen(buffer);
}

static void print_statuses(void) {
  static const char heading[] = "Exit status:";
  static const struct {
    int value;
    const char *meaning;
  } list[] = {
#define STATUS_ROW(name, value, meaning) {value, meaning},
      STATUSES(STATUS_ROW)
#undef STATUS_ROW
  };
  printf("%s", heading);
  size_t column = strlen(heading), count = sizeof list / sizeof list[0];
  for (size_t i = 0; i < count; ++i) {
    char item[64];
    size_t size =
        (size_t)snprintf(item, sizeof item, " %d %s%s", list[i].value, list[i].meaning, i + 1 < count ? "," : "");
    if (column + size > SCREEN_COLUMNS) {
      printf("\n%*s", (int)strlen(heading), "");
      column = strlen(heading);
    }
    column += size;
    printf("%s", item);
  }
  printf("\n");
}

static size_t lines_of(const char *text) {
  size_t lines = 0;
  for (; *text != '\0'; ++text) lines += *text == '\n';
  return lines;
}

/* The copal command. This file only finds the subcommand; what each does is in its own file. Public headers only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/line/command.h"
#include "cli/line/suggest.h"
#include "cli/show/terminal.h"

static enum status dispatch(int argc, char **argv);
static enum status run(const struct command *command, int argc, char **argv);
static const struct command *find(const char *name);
static bool names_a_uri(int argc, char **argv);
static enum status unknown_command(const char *name);

int main(int argc, char **argv) {
  terminal_setup(COLOR_AUTO);
  enum status status = dispatch(argc - 1, argv + 1);
  /* A full disk or a closed pipe shows only here: output that nobody got is no success. */
  bool failed = ferror(stdout) != 0;
  if (fflush(stdout) != 0 || failed) {
    complain("", "cannot write to standard output: %s", strerror(errno));
    return STATUS_LOCAL;
  }
  return (int)status;
}

static enum status dispatch(int argc, char **argv) {
  if (argc == 0) {
    help_all();
    return STATUS_USAGE;
  }
  const char *name = argv[0];
  const struct command *command = find(name);
  if (command != NULL) return run(command, argc - 1, argv + 1);
  if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
    printf("copal %s\n", copal_version());
    return STATUS_SUCCESS;
  }
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (strcmp(name, "help") == 0 && argc == 1)) {
    help_all();
    return STATUS_SUCCESS;
  }
  if (strcmp(name, "help") == 0) {
    command = find(argv[1]);
    if (command == NULL) return unknown_command(argv[1]);
    help_command(command);
    return STATUS_SUCCESS;
  }
  if (names_a_uri(argc, argv)) return run(find("get"), argc, argv);
  return unknown_command(name);
}

static enum status run(const struct command *command, int argc, char **argv) {
  struct settings settings = settings_default();
  char error[200];
  bool good = arguments_parse(command->tables, argc, argv, &settings, error, sizeof error);
  terminal_setup((enum color)settings.color);
  terminal_set_pretty((enum pretty)settings.pretty);
  if (!good) {
    complain(command->name, "%s; \"copal %s --help\" lists the options", error, command->name);
    return STATUS_USAGE;
  }
  if (settings.help) {
    help_command(command);
    return STATUS_SUCCESS;
  }
  return command->run(command, &settings);
}

static const struct command *find(const char *name) {
  for (const struct command *command = commands; command->name != NULL; ++command) {
    if (strcmp(command->name, name) == 0) return command;
  }
  return NULL;
}

static bool names_a_uri(int argc, char **argv) {
  for (int i = 0; i < argc; ++i) {
    if (strstr(argv[i], "://") != NULL) return true;
  }
  return false;
}

static enum status unknown_command(const char *name) {
  struct suggestion suggestion = suggestion_for(name);
  for (const struct command *command = commands; command->name != NULL; ++command) {
    suggestion_offer(&suggestion, command->name);
  }
  if (suggestion.name != NULL) {
    complain("", "unknown command '%s': did you mean '%s'?", name, suggestion.name);
  } else {
    complain("", "unknown command '%s': \"copal --help\" lists them", name);
  }
  return STATUS_USAGE;
}

/* The copal command. This file only finds the subcommand; what each does is in its own file. Public headers only. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/line/command.h"
#include "cli/show/terminal.h"

static enum status dispatch(int argc, char **argv);
static enum status run(const struct command *command, int argc, char **argv);
static bool names_a_uri(int argc, char **argv);

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
    help_commands();
    return STATUS_USAGE;
  }
  const char *name = argv[0];
  const struct command *command = command_find(name);
  if (command != NULL) return run(command, argc - 1, argv + 1);
  if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
    printf("copal %s\n", copal_version());
    return STATUS_SUCCESS;
  }
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    help_commands();
    return STATUS_SUCCESS;
  }
  if (names_a_uri(argc, argv)) return run(command_find("get"), argc, argv);
  return command_unknown(name);
}

static enum status run(const struct command *command, int argc, char **argv) {
  struct settings settings = settings_default();
  char error[200];
  bool good = arguments_parse(command->tables, argc, argv, &settings, error, sizeof error);
  terminal_setup((enum color)settings.color);
  if (!good) {
    complain(command->name, "%s; \"copal %s --help\" lists the options", error, command->name);
    return STATUS_USAGE;
  }
  if (settings.help) {
    help_daily(command);
    return STATUS_SUCCESS;
  }
  return command->run(command, &settings);
}

static bool names_a_uri(int argc, char **argv) {
  for (int i = 0; i < argc; ++i) {
    if (strstr(argv[i], "://") != NULL) return true;
  }
  return false;
}

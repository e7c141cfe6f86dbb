/* The copal command. This file only finds the subcommand and its settings; what each does is in its own file. Public
 * headers only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/line/command.h"
#include "cli/line/defaults.h"
#include "cli/show/terminal.h"

static enum status dispatch(int argc, char **argv);
static enum status run(const struct command *command, int argc, char **argv);
static bool parse_ahead(const struct command *command, int argc, char **argv, struct settings *settings, char *error,
                        size_t error_capacity);
static bool is_bare_get(int argc, char **argv);
static const char *take_method(int *argc, char **argv);
static enum status run_method(const char *method, int argc, char **argv);

int main(int argc, char **argv) {
  terminal_setup(COLOR_AUTO);
  enum status status = argc > 0 ? dispatch(argc - 1, argv + 1) : STATUS_USAGE;
  /* A full disk or a closed pipe shows only here: output that nobody got is no success. */
  int failure = terminal_failure();
  if (failure != 0) {
    complain("", "cannot write to standard output: %s", strerror(failure));
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
  const char *method = take_method(&argc, argv);
  if (method != NULL) return run_method(method, argc, argv);
  if (is_bare_get(argc, argv)) return run(command_find("get"), argc, argv);
  return command_unknown(name);
}

static enum status run(const struct command *command, int argc, char **argv) {
  struct settings settings;
  char error[400];
  if (!parse_ahead(command, argc, argv, &settings, error, sizeof error)) {
    terminal_setup((enum color)settings.color);
    complain(command->name, "%s; \"copal %s --help\" lists the options", error, command->name);
    return STATUS_USAGE;
  }
  terminal_setup((enum color)settings.color);
  if (settings.help) {
    help_daily(command);
    return STATUS_SUCCESS;
  }
  /* Defaults first, so that the command line stands over them, and adds to what may be repeated. */
  bool wants_defaults = !settings.no_config;
  settings = settings_default();
  enum status status = STATUS_SUCCESS;
  if (wants_defaults) status = defaults_apply(command, &settings, error, sizeof error);
  if (status == STATUS_SUCCESS && !arguments_parse(command->tables, argc, argv, &settings, error, sizeof error)) {
    status = STATUS_USAGE;
  }
  if (status != STATUS_SUCCESS) {
    complain(command->name, "%s", error);
    return status;
  }
  terminal_setup((enum color)settings.color);
  terminal_set_pretty((enum pretty)settings.pretty);
  return command->run(command, &settings);
}

/* What the command line says by itself; argv, which the parser reorders, stays as it is. */
static bool parse_ahead(const struct command *command, int argc, char **argv, struct settings *settings, char *error,
                        size_t error_capacity) {
  *settings = settings_default();
  char **copy = calloc((size_t)argc + 1, sizeof *copy);
  if (copy == NULL) {
    snprintf(error, error_capacity, "no memory for %d arguments", argc);
    return false;
  }
  memcpy(copy, argv, (size_t)argc * sizeof *copy);
  bool good = arguments_parse(command->tables, argc, copy, settings, error, error_capacity);
  free(copy);
  return good;
}

/* Options and URIs without a command. Any other word in the first place is a command that is mistyped. */
static bool is_bare_get(int argc, char **argv) {
  if (argv[0][0] != '-' && strstr(argv[0], "://") == NULL) return false;
  for (int i = 0; i < argc; ++i) {
    if (strstr(argv[i], "://") != NULL) return true;
  }
  return false;
}

/* Takes "-X METHOD" out of argv, as users of curl type it in place of a subcommand; NULL where there is none. */
static const char *take_method(int *argc, char **argv) {
  for (int i = 0; i < *argc && argv[i] != NULL && strcmp(argv[i], "--") != 0; ++i) {
    const char *method = NULL;
    int taken = 1;
    if (strcmp(argv[i], "-X") == 0 || strcmp(argv[i], "--method") == 0) {
      method = i + 1 < *argc ? argv[i + 1] : "";
      taken = i + 1 < *argc ? 2 : 1;
    } else if (strncmp(argv[i], "-X", 2) == 0) {
      method = argv[i] + 2;
    } else if (strncmp(argv[i], "--method=", 9) == 0) {
      method = argv[i] + 9;
    }
    if (method == NULL) continue;
    memmove(argv + i, argv + i + taken, (size_t)(*argc - i - taken) * sizeof *argv);
    *argc -= taken;
    return method;
  }
  return NULL;
}

static enum status run_method(const char *method, int argc, char **argv) {
  const struct command *command = command_find(method);
  if (command != NULL && command->code != 0) return run(command, argc, argv);
  complain("", "-X takes a method such as GET or PUT, not '%s'", method);
  return STATUS_USAGE;
}

/* The subcommands: what main dispatches to and what help prints. */
#ifndef COPAL_CLI_LINE_COMMAND_H
#define COPAL_CLI_LINE_COMMAND_H

#include "cli/line/arguments.h"
#include "cli/line/settings.h"
#include "cli/line/status.h"

struct command {
  const char *name;
  const char *operands; /* "URI", as the usage line shows it; "a|b" are words to choose from, DIR is a folder */
  const char *summary;  /* one line, without a full stop */
  const char *example;  /* one or two lines, each ended by a line feed */
  option_tables tables;
  enum status (*run)(const struct command *command, const struct settings *settings);
  uint8_t code; /* of a method */
};

/* Ended by a command without a name. */
extern const struct command commands[];

/* By its name, letter case ignored: "GET" is what users of other tools type. NULL where there is none. */
const struct command *command_find(const char *name);

/* The name that is nearest to a mistyped one, NULL where none is near. */
const char *command_near(const char *typed);

/* Complains that there is none of this name, with a suggestion. Returns STATUS_USAGE. */
enum status command_unknown(const char *name);

enum status method_run(const struct command *command, const struct settings *settings);
enum status observe_run(const struct command *command, const struct settings *settings);
enum status ping_run(const struct command *command, const struct settings *settings);
enum status discover_run(const struct command *command, const struct settings *settings);
enum status decode_run(const struct command *command, const struct settings *settings);
enum status serve_run(const struct command *command, const struct settings *settings);
enum status bench_run(const struct command *command, const struct settings *settings);
enum status completion_run(const struct command *command, const struct settings *settings);
enum status help_run(const struct command *command, const struct settings *settings);

/* The daily options of a subcommand, which fit a screen, and all subcommands. */
void help_daily(const struct command *command);
void help_commands(void);

#endif

/* The subcommands: what main dispatches to and what help prints. */
#ifndef COPAL_CLI_LINE_COMMAND_H
#define COPAL_CLI_LINE_COMMAND_H

#include "cli/line/arguments.h"
#include "cli/line/settings.h"
#include "cli/line/status.h"

struct command {
  const char *name;
  const char *operands; /* "URI", as the usage line shows it */
  const char *summary;  /* one line, without a full stop */
  const char *example;  /* lines, each ended by a line feed */
  option_tables tables;
  enum status (*run)(const struct command *command, const struct settings *settings);
  uint8_t code; /* of a method */
};

/* Ended by a command without a name. */
extern const struct command commands[];

enum status method_run(const struct command *command, const struct settings *settings);
enum status observe_run(const struct command *command, const struct settings *settings);
enum status ping_run(const struct command *command, const struct settings *settings);
enum status discover_run(const struct command *command, const struct settings *settings);
enum status decode_run(const struct command *command, const struct settings *settings);
enum status serve_run(const struct command *command, const struct settings *settings);
enum status bench_run(const struct command *command, const struct settings *settings);

/* The help of one subcommand, and of all. */
void help_command(const struct command *command);
void help_all(void);

#endif

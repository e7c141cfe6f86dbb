/* The command line against option tables. */
#ifndef COPAL_CLI_LINE_ARGUMENTS_H
#define COPAL_CLI_LINE_ARGUMENTS_H

#include "cli/line/settings.h"

enum { TABLES_MAX = 10 };

/* The tables that a subcommand takes; NULL after the last. */
typedef const struct option_entry *option_tables[TABLES_MAX];

/* Fills settings from argv, which it reorders: operands point into it. Understands "--name value", "--name=value",
 * "-x value", "-xvalue", flags together as in "-vN", "--flag=false", and "--" before operands that begin with "-". "-"
 * is an operand. False on bad usage: error then says what is wrong, without a full stop. */
bool arguments_parse(const option_tables tables, int argc, char **argv, struct settings *settings, char *error,
                     size_t error_capacity);

/* The same of words that are to hold for all subcommands: an option that only others have is skipped with its value,
 * and an operand is an error. */
bool arguments_parse_general(const option_tables tables, int argc, char **argv, struct settings *settings, char *error,
                             size_t error_capacity);

#endif

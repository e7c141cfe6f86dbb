/* Defaults as text: the configuration file's lines, and the words of COPAL_OPTIONS. Reads no file and no environment.
 */
#ifndef COPAL_CLI_LINE_CONFIG_H
#define COPAL_CLI_LINE_CONFIG_H

#include "cli/line/command.h"

/* Takes a file's text, "name = value" with the long names of options, "# comment" and "[subcommand]", for command.
 * text[size] is '\0', and text is cut to pieces that settings borrow. What stands above the first section is for all
 * subcommands, and skipped where command has no such option. False where a line is wrong, whatever section it stands
 * in: error then says which. */
bool config_parse(const struct command *command, const char *name, char *text, size_t size, struct settings *settings,
                  char *error, size_t error_capacity);

/* Cuts text into words at white space; 'quotes' and "quotes" hold white space together, and nothing else is special.
 * False where there are more than words_max, or a quote is not closed: error then says so. */
bool config_split(char *text, char **words, size_t words_max, size_t *count, char *error, size_t error_capacity);

#endif

/* Commands that change the plugtests' resources from outside, one a line. Pure functions: what a line says. */
#ifndef COPAL_CLI_SERVE_ACTION_H
#define COPAL_CLI_SERVE_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copal/copal.h"

/* X(name, words, help): the list makes the enum, the parser's table and what GET of /actions says. Words in capitals
 * stand for values; TEXT is all that follows. The first that fits is meant. */
#define ACTIONS(X)                                                                          \
  X(COUNTER, "counter set NUMBER", "sets /counter")                                         \
  X(SET, "RESOURCE set TEXT", "gives it this content")                                      \
  X(FORMAT, "RESOURCE format FORMAT", "gives it this Content-Format: a number, json, none") \
  X(SIZE, "RESOURCE size NUMBER", "gives it content of that many bytes")                    \
  X(CHANGE, "RESOURCE change", "gives it other content of the same size")                   \
  X(DELETE, "RESOURCE delete", "deletes it; its observers get 4.04")                        \
  X(RESET, "RESOURCE reset", "makes it what it was at first")                               \
  X(INTERVAL, "interval SECONDS", "how often what is observed changes; 0 for never")        \
  X(DELAY, "separate delay SECONDS", "how long /separate takes")                            \
  X(FORGET, "forget observers", "forgets all observers without telling them")

#define ACTION_ENUM(name, words, help) ACTION_##name,
enum action_kind { ACTIONS(ACTION_ENUM) ACTION_KINDS };
#undef ACTION_ENUM

struct action {
  enum action_kind kind;
  char resource[32]; /* of SET to RESET: a path without its first "/" */
  copal_bytes text;  /* of SET; points into the line */
  uint32_t number;   /* of FORMAT, SIZE and COUNTER */
  copal_time time;   /* of INTERVAL and DELAY */
};

/* Reads one line. False where it is none of the commands: error then says what is wrong. */
bool action_parse(copal_bytes line, struct action *action, char *error, size_t error_capacity);

/* Takes the next line that is not empty off the front of text; false at its end. */
bool action_next_line(copal_bytes *text, copal_bytes *line);

/* The commands with their help, one a line. Returns the length. */
size_t action_help(char *buffer, size_t capacity);

#endif

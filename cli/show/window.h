/* How large the terminal is. It is asked anew each time: people change its size. */
#ifndef COPAL_CLI_SHOW_WINDOW_H
#define COPAL_CLI_SHOW_WINDOW_H

#include <stddef.h>
#include <stdio.h>

struct window {
  size_t columns, rows;
};

/* 80 columns and 24 rows where the stream does not tell. */
struct window window_of(FILE *stream);

#endif

/* A plot on the terminal: redrawn in its place, and moved out of the way of what else is written. */
#ifndef COPAL_CLI_OBSERVE_CHART_H
#define COPAL_CLI_OBSERVE_CHART_H

#include <stdbool.h>

#include "cli/show/plot.h"
#include "cli/show/window.h"

/* All zeroes is one that shows nothing. */
struct chart {
  struct plot plot;
  bool wanted;
  size_t lines;         /* on the terminal now, the cursor behind them */
  uint64_t drawn;       /* values that were added when they were drawn */
  struct window window; /* when they were drawn */
};

/* Whether standard output is a terminal on which the cursor can be moved. */
bool chart_is_possible(void);

void chart_begin(struct chart *chart);

/* Draws it on standard output, in the place of what was there, as large as the terminal is now. Nothing is done where
 * nothing is new. */
void chart_draw(struct chart *chart);

/* Takes it away: before anything else is written. It comes back with the next chart_draw. */
void chart_clear(struct chart *chart);

#endif

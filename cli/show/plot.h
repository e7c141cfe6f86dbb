/* The latest of many values as a line, drawn with Unicode's Braille patterns: eight dots a character. Pure. */
#ifndef COPAL_CLI_SHOW_PLOT_H
#define COPAL_CLI_SHOW_PLOT_H

#include <stddef.h>
#include <stdint.h>

enum {
  PLOT_COLUMNS_MAX = 256, /* a wider terminal has the rest of it free */
  PLOT_ROWS_MAX = 24,
  PLOT_VALUES_MAX = 2 * PLOT_COLUMNS_MAX,
  PLOT_TEXT_MAX = PLOT_ROWS_MAX * (3 * PLOT_COLUMNS_MAX + 2) /* a character of the picture has 3 bytes */
};

/* The latest values, in a ring. All zeroes is one without any. */
struct plot {
  double values[PLOT_VALUES_MAX];
  uint64_t count; /* of all that were added */
};

/* Values that are no finite numbers are not for a plot. */
void plot_add(struct plot *plot, double value);

/* Draws the latest values into buffer, as lines that each end with a line feed: at most rows of them, of at most
 * columns characters. The oldest value stands on the left, the first and the last row have the largest and the smallest
 * value that are drawn beside them, and the last line tells the latest, smallest and largest of these, and how many
 * values there were in all. Where there is no room for a picture that is all. Returns the length, without the NUL
 * behind it. */
size_t plot_draw(const struct plot *plot, size_t columns, size_t rows, char buffer[PLOT_TEXT_MAX]);

#endif

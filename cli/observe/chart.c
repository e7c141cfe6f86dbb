/* A plot on the terminal. What the picture looks like is known to show/plot.h. */
#include "cli/observe/chart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/terminal.h"

enum { ROWS_MAX = 20 };

static bool is_as_drawn(const struct chart *chart, const struct window *window);
static void take_place(const struct chart *chart, bool same);

bool chart_is_possible(void) {
  const char *terminal = getenv("TERM");
  return terminal_is(stdout) && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

void chart_begin(struct chart *chart) { chart->wanted = true; }

void chart_draw(struct chart *chart) {
  if (!chart->wanted) return;
  static char text[PLOT_TEXT_MAX];
  struct window window = window_of(stdout);
  bool same = is_as_drawn(chart, &window);
  if (chart->lines > 0 && same && chart->drawn == chart->plot.count) return;
  /* The last column stays free, because some terminals begin a new line behind it; so does the last row, where the
   * cursor waits, and one above the picture, for the command that made it. */
  size_t columns = window.columns - 1, rows = window.rows > 2 ? window.rows - 2 : 1;
  size_t size = plot_draw(&chart->plot, columns, rows < ROWS_MAX ? rows : ROWS_MAX, text);
  take_place(chart, same);
  chart->lines = 0;
  for (size_t i = 0, line = 0; i < size; ++i) {
    if (text[i] != '\n') continue;
    fwrite(text + line, 1, i - line, stdout);
    fputs("\033[K\n", stdout);
    ++chart->lines;
    line = i + 1;
  }
  fputs("\033[J", stdout);
  terminal_flush(stdout);
  chart->window = window;
  chart->drawn = chart->plot.count;
}

void chart_clear(struct chart *chart) {
  if (chart->lines == 0) return;
  printf("\033[%zuA\r\033[J", chart->lines);
  terminal_flush(stdout);
  chart->lines = 0;
}

static bool is_as_drawn(const struct chart *chart, const struct window *window) {
  return chart->window.columns == window->columns && chart->window.rows == window->rows;
}

/* Where the lines of the last picture are after the terminal has changed its size is known to the terminal alone: then
 * a new one begins at the top. */
static void take_place(const struct chart *chart, bool same) {
  if (chart->lines == 0) return;
  if (same) {
    printf("\033[%zuA\r", chart->lines);
  } else {
    fputs("\033[H\033[J", stdout);
  }
}

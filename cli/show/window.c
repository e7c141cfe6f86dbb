/* How large the terminal is. */
#include "cli/show/window.h"

#include <sys/ioctl.h>

enum { COLUMNS_USUAL = 80, ROWS_USUAL = 24 };

struct window window_of(FILE *stream) {
  struct window window = {COLUMNS_USUAL, ROWS_USUAL};
  struct winsize size;
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0) return window;
  /* A serial line says 0. */
  if (size.ws_col > 0) window.columns = size.ws_col;
  if (size.ws_row > 0) window.rows = size.ws_row;
  return window;
}

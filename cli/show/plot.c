/* Values as a line of dots. Knows no terminal.
 *
 * A character of the Braille patterns (U+2800 to U+28FF) is two dots wide and four high, and its bits are its dots. */
#include "cli/show/plot.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
  DOTS_ACROSS = 2,
  DOTS_DOWN = 4,
  LABEL_WIDTH = 9,
  AXIS_WIDTH = LABEL_WIDTH + 2,
  PICTURE_MIN = 8,
  SUMMARY_MAX = 200
};

/* What is drawn. */
struct picture {
  const struct plot *plot;
  size_t columns, rows; /* characters of the picture alone */
  uint64_t first;       /* value on the left */
  double smallest, largest;
  uint8_t cells[PLOT_ROWS_MAX][PLOT_COLUMNS_MAX];
};

static double value_at(const struct plot *plot, uint64_t index);
static void find_range(struct picture *picture);
static void set_dots(struct picture *picture);
static size_t height_of(const struct picture *picture, double value);
static size_t write_row(const struct picture *picture, size_t row, char *buffer);
static size_t write_summary(const struct picture *picture, size_t columns, char *buffer);
static const char *number_text(double value, char *buffer, size_t capacity);

void plot_add(struct plot *plot, double value) {
  plot->values[plot->count % PLOT_VALUES_MAX] = value;
  ++plot->count;
}

size_t plot_draw(const struct plot *plot, size_t columns, size_t rows, char buffer[PLOT_TEXT_MAX]) {
  struct picture picture = {.plot = plot};
  if (columns > PLOT_COLUMNS_MAX) columns = PLOT_COLUMNS_MAX;
  if (rows > PLOT_ROWS_MAX) rows = PLOT_ROWS_MAX;
  size_t size = 0;
  bool has_room = columns >= AXIS_WIDTH + PICTURE_MIN && rows >= 3;
  picture.columns = has_room ? columns - AXIS_WIDTH : columns;
  picture.rows = has_room ? rows - 1 : 0;
  find_range(&picture);
  if (has_room && plot->count > 0) set_dots(&picture);
  for (size_t row = 0; row < picture.rows; ++row) size += write_row(&picture, row, buffer + size);
  if (rows > 0) size += write_summary(&picture, columns, buffer + size);
  buffer[size] = '\0';
  return size;
}

static double value_at(const struct plot *plot, uint64_t index) { return plot->values[index % PLOT_VALUES_MAX]; }

static void find_range(struct picture *picture) {
  const struct plot *plot = picture->plot;
  uint64_t shown = picture->columns * DOTS_ACROSS;
  picture->first = plot->count > shown ? plot->count - shown : 0;
  if (plot->count == 0) return;
  picture->smallest = picture->largest = value_at(plot, picture->first);
  for (uint64_t i = picture->first; i < plot->count; ++i) {
    double value = value_at(plot, i);
    if (value < picture->smallest) picture->smallest = value;
    if (value > picture->largest) picture->largest = value;
  }
}

/* Between two values that are far apart a column of dots makes the line whole. */
static void set_dots(struct picture *picture) {
  static const uint8_t bits[DOTS_DOWN][DOTS_ACROSS] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  size_t before = height_of(picture, value_at(picture->plot, picture->first));
  for (uint64_t i = picture->first; i < picture->plot->count; ++i) {
    size_t x = (size_t)(i - picture->first), height = height_of(picture, value_at(picture->plot, i));
    size_t low = height, high = height;
    if (height > before) low = before + 1;
    if (height < before) high = before - 1;
    for (size_t y = low; y <= high; ++y) {
      size_t down = picture->rows * DOTS_DOWN - 1 - y;
      picture->cells[down / DOTS_DOWN][x / DOTS_ACROSS] |= bits[down % DOTS_DOWN][x % DOTS_ACROSS];
    }
    before = height;
  }
}

/* In dots from below. Halves, because the difference of two doubles may be none. */
static size_t height_of(const struct picture *picture, double value) {
  size_t highest = picture->rows * DOTS_DOWN - 1;
  double range = picture->largest / 2 - picture->smallest / 2;
  if (range <= 0) return highest / 2;
  double height = (value / 2 - picture->smallest / 2) / range * (double)highest + 0.5;
  return height < (double)highest ? (size_t)height : highest;
}

static size_t write_row(const struct picture *picture, size_t row, char *buffer) {
  char label[LABEL_WIDTH + 24] = "";
  bool has_values = picture->plot->count > 0, is_end = row == 0 || row == picture->rows - 1;
  if (has_values && row == 0) number_text(picture->largest, label, sizeof label);
  if (has_values && row > 0 && is_end) number_text(picture->smallest, label, sizeof label);
  size_t size = (size_t)sprintf(buffer, "%*s %s", LABEL_WIDTH, label, is_end ? "┤" : "│");
  size_t end = picture->columns;
  while (end > 0 && picture->cells[row][end - 1] == 0) --end;
  for (size_t column = 0; column < end; ++column) {
    uint8_t dots = picture->cells[row][column];
    buffer[size++] = (char)0xe2;
    buffer[size++] = (char)(0xa0 | dots >> 6);
    buffer[size++] = (char)(0x80 | (dots & 0x3f));
  }
  buffer[size++] = '\n';
  return size;
}

static size_t write_summary(const struct picture *picture, size_t columns, char *buffer) {
  char line[SUMMARY_MAX] = "no value yet", latest[32], smallest[32], largest[32];
  uint64_t count = picture->plot->count;
  if (count > 0) {
    snprintf(line, sizeof line, "last %s  min %s  max %s  %" PRIu64 " value%s",
             number_text(value_at(picture->plot, count - 1), latest, sizeof latest),
             number_text(picture->smallest, smallest, sizeof smallest),
             number_text(picture->largest, largest, sizeof largest), count, count == 1 ? "" : "s");
  }
  size_t size = strlen(line);
  if (size > columns) size = columns;
  assert(size < sizeof line);
  line[size] = '\n';
  memcpy(buffer, line, size + 1);
  return size + 1;
}

/* At most LABEL_WIDTH characters: fewer digits for what has an exponent. */
static const char *number_text(double value, char *buffer, size_t capacity) {
  for (int digits = 6; digits > 0; --digits) {
    if (snprintf(buffer, capacity, "%.*g", digits, value) <= LABEL_WIDTH) break;
  }
  return buffer;
}

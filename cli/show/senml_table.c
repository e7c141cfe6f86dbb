/* Sensor measurements as a table. Two passes: the first one finds what is wrong and how wide the columns are. */
#include "cli/show/senml_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/data/number.h"
#include "cli/data/senml.h"
#include "cli/show/json.h"
#include "cli/show/terminal.h"

enum { COLUMN_NAME, COLUMN_TIME, COLUMN_VALUE, COLUMN_UNIT, COLUMNS };
enum { WIDTH_MAX = 48 };

/* RFC 8428 4.5.3: "Values greater than or equal to 2**28 represent an absolute time". */
#define ABSOLUTE_FROM 268435456.0
#define YEAR_10000 253402300800.0

static const char *const titles[COLUMNS] = {"name", "time", "value", "unit"};

static long pass(FILE *stream, copal_bytes bytes, bool is_cbor, size_t *widths, const char **wrong);
static void measure(const struct senml_record *record, size_t *widths);
static void put_row(FILE *stream, const struct senml_record *record, const size_t *widths);
static void put_cell(FILE *stream, copal_bytes cell, size_t width, size_t *blanks);
static copal_bytes cell_of(const struct senml_record *record, int column);
static void put_value(FILE *stream, const struct senml_record *record);
static void put_time(FILE *stream, double seconds);

bool senml_table(FILE *stream, copal_bytes bytes, bool is_cbor, const char **wrong) {
  size_t widths[COLUMNS];
  for (int column = 0; column < COLUMNS; ++column) widths[column] = strlen(titles[column]);
  long count = pass(NULL, bytes, is_cbor, widths, wrong);
  if (count == 0) *wrong = "it holds no records";
  if (count <= 0) return false;
  size_t blanks = 0;
  fputs(terminal_style(stream, STYLE_BOLD), stream);
  for (int column = 0; column < COLUMNS; ++column) {
    copal_bytes title = {(const uint8_t *)titles[column], strlen(titles[column])};
    put_cell(stream, title, widths[column], &blanks);
  }
  fprintf(stream, "%s\n", terminal_style(stream, STYLE_PLAIN));
  (void)pass(stream, bytes, is_cbor, widths, wrong);
  return true;
}

/* With a stream, writes the rows; without, measures them. Returns how many there are, or -1. */
static long pass(FILE *stream, copal_bytes bytes, bool is_cbor, size_t *widths, const char **wrong) {
  struct senml_reader reader;
  struct senml_record record;
  int result = -1;
  long count = 0;
  *wrong = "there is not enough memory for it";
  if (senml_begin(&reader, bytes, is_cbor)) {
    while ((result = senml_next(&reader, &record)) > 0) {
      if (stream != NULL) put_row(stream, &record, widths);
      if (stream == NULL) measure(&record, widths);
      ++count;
    }
    *wrong = reader.wrong;
  }
  senml_end(&reader);
  return result < 0 ? -1 : count;
}

static void measure(const struct senml_record *record, size_t *widths) {
  for (int column = 0; column < COLUMNS; ++column) {
    copal_bytes cell = cell_of(record, column);
    size_t width = terminal_width(cell);
    if (width > WIDTH_MAX) width = WIDTH_MAX;
    if (width > widths[column]) widths[column] = width;
    free((void *)(uintptr_t)cell.data);
  }
}

static void put_row(FILE *stream, const struct senml_record *record, const size_t *widths) {
  size_t blanks = 0;
  for (int column = 0; column < COLUMNS; ++column) {
    copal_bytes cell = cell_of(record, column);
    if (column == COLUMN_VALUE) fputs(terminal_style(stream, STYLE_NUMBER), stream);
    put_cell(stream, cell, widths[column], &blanks);
    if (column == COLUMN_VALUE) fputs(terminal_style(stream, STYLE_PLAIN), stream);
    free((void *)(uintptr_t)cell.data);
  }
  fputc('\n', stream);
}

/* Blanks are written only where something follows them. */
static void put_cell(FILE *stream, copal_bytes cell, size_t width, size_t *blanks) {
  if (cell.size > 0) {
    fprintf(stream, "%*s", (int)*blanks, "");
    fwrite(cell.data, 1, cell.size, stream);
    *blanks = 0;
  }
  size_t taken = terminal_width(cell);
  *blanks += (taken < width ? width - taken : 0) + 2;
}

/* What stands in a cell, harmless; free its data. */
static copal_bytes cell_of(const struct senml_record *record, int column) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  if (stream == NULL) return (copal_bytes){NULL, 0};
  if (column == COLUMN_NAME) terminal_text(stream, record->name, false);
  if (column == COLUMN_TIME) put_time(stream, record->time);
  if (column == COLUMN_VALUE) put_value(stream, record);
  if (column == COLUMN_UNIT) terminal_text(stream, record->unit, false);
  fclose(stream);
  return (copal_bytes){(const uint8_t *)text, size};
}

static void put_value(FILE *stream, const struct senml_record *record) {
  char number[NUMBER_TEXT_MAX];
  switch (record->kind) {
    case SENML_NOTHING: break;
    case SENML_NUMBER: fputs(number_text(record->number, false, number), stream); break;
    case SENML_BOOL: fputs(record->truth ? "true" : "false", stream); break;
    case SENML_TEXT: json_quote(stream, record->text); break;
    case SENML_DATA:
      fputs("h'", stream);
      for (size_t i = 0; i < record->text.size; ++i) fprintf(stream, "%02x", record->text.data[i]);
      fputc('\'', stream);
      break;
  }
  if (!record->has_sum) return;
  fprintf(stream, "%ssum %s", record->kind != SENML_NOTHING ? ", " : "", number_text(record->sum, false, number));
}

static void put_time(FILE *stream, double seconds) {
  char number[NUMBER_TEXT_MAX];
  if (seconds == 0) {
    fputs("now", stream);
  } else if (seconds < ABSOLUTE_FROM) {
    fprintf(stream, "%s%s s", seconds > 0 ? "+" : "", number_text(seconds, false, number));
  } else if (seconds >= YEAR_10000) {
    fprintf(stream, "%s s", number_text(seconds, false, number));
  } else {
    /* A double knows these times to less than a millisecond. */
    int64_t milliseconds = (int64_t)(seconds * 1000 + 0.5);
    time_t whole = (time_t)(milliseconds / 1000);
    int rest = (int)(milliseconds % 1000);
    struct tm date;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&whole, &date));
    fputs(text, stream);
    if (rest != 0) fprintf(stream, ".%03d", rest);
    fputc('Z', stream);
  }
}

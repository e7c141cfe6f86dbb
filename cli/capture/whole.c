/* A file read whole, however its size is known. Knows nothing of what is in it. */
#include "cli/capture/whole.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/terminal.h"

static const char *read_stream(FILE *file, size_t size_max, uint8_t **data, size_t *size);

bool whole_read(const char *command, const char *path, size_t size_max, uint8_t **data, size_t *size) {
  bool standard_input = strcmp(path, "-") == 0;
  FILE *file = standard_input ? stdin : fopen(path, "rb");
  if (file == NULL) {
    complain(command, "cannot open %s: %s", path, strerror(errno));
    return false;
  }
  const char *trouble = read_stream(file, size_max, data, size);
  if (!standard_input) fclose(file);
  if (trouble == NULL) return true;
  complain(command, "cannot read %s: %s", standard_input ? "standard input" : path, trouble);
  free(*data);
  return false;
}

/* NULL, or what is wrong. */
static const char *read_stream(FILE *file, size_t size_max, uint8_t **data, size_t *size) {
  size_t capacity = 0;
  *data = NULL;
  *size = 0;
  do {
    if (*size == capacity) {
      if (*size > size_max) return "too large";
      capacity = capacity == 0 ? 65536 : capacity * 2;
      uint8_t *grown = realloc(*data, capacity);
      if (grown == NULL) return "not enough memory";
      *data = grown;
    }
    *size += fread(*data + *size, 1, capacity - *size, file);
  } while (*size == capacity);
  if (ferror(file)) return strerror(errno);
  return *size > size_max ? "too large" : NULL;
}

/* The nearest of several names: edit distance (optimal string alignment). Pure: knows no options. */
#include "cli/line/suggest.h"

#include <string.h>

enum { NAME_MAX_SIZE = 32 };

static size_t smaller(size_t a, size_t b);
static char lower(char character);

size_t suggest_distance(const char *a, const char *b) {
  size_t a_size = strlen(a), b_size = strlen(b);
  if (a_size > NAME_MAX_SIZE || b_size > NAME_MAX_SIZE) return a_size > b_size ? a_size : b_size;
  /* Three rows of the table are enough: a swap of neighbours looks two rows back. */
  size_t rows[3][NAME_MAX_SIZE + 1];
  for (size_t column = 0; column <= b_size; ++column) rows[0][column] = column;
  for (size_t row = 1; row <= a_size; ++row) {
    const size_t *before = rows[(row + 1) % 3], *above = rows[(row + 2) % 3];
    size_t *current = rows[row % 3];
    current[0] = row;
    for (size_t column = 1; column <= b_size; ++column) {
      char x = lower(a[row - 1]), y = lower(b[column - 1]);
      size_t best = above[column - 1] + (x == y ? 0 : 1);
      best = smaller(best, above[column] + 1);
      best = smaller(best, current[column - 1] + 1);
      if (row > 1 && column > 1 && x == lower(b[column - 2]) && lower(a[row - 2]) == y) {
        best = smaller(best, before[column - 2] + 1);
      }
      current[column] = best;
    }
  }
  return rows[a_size % 3][b_size];
}

struct suggestion suggestion_for(const char *typed) {
  /* A third of the letters may be wrong, and one in any case: farther names were hardly meant. */
  struct suggestion suggestion = {typed, NULL, strlen(typed) / 3 + 2};
  return suggestion;
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate) {
  size_t distance = suggest_distance(suggestion->typed, candidate);
  if (distance >= suggestion->distance || distance >= strlen(candidate)) return;
  suggestion->distance = distance;
  suggestion->name = candidate;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static char lower(char character) {
  return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

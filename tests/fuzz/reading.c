/* Any body as one with a number in it: what is found is finite and stays the same whatever stands behind the body, and
 * nothing is read beyond its end. */
#undef NDEBUG
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/observe/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* Of exactly that size, so that a sanitizer sees who reads on. */
  uint8_t *copy = malloc(size > 0 ? size : 1);
  assert(copy != NULL);
  if (size > 0) memcpy(copy, data, size);
  double value = 0, again = 0;
  bool found = reading_of((copal_bytes){copy, size}, &value);
  if (found) assert(isfinite(value));
  free(copy);

  uint8_t *spaced = malloc(size + 2);
  assert(spaced != NULL);
  spaced[0] = ' ';
  if (size > 0) memcpy(spaced + 1, data, size);
  spaced[size + 1] = ' ';
  assert(reading_of((copal_bytes){spaced, size + 2}, &again) == found);
  if (found) assert(value >= again && value <= again);
  free(spaced);
  return 0;
}

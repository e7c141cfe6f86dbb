/* A reader with a planted mistake: behind four bytes that nobody guesses it looks at one byte too many. scripts/fuzz
 * looks for it before anything else and fails where it is not found, because then the search is blind (no feedback
 * leads through the four comparisons) or the sanitizer is off (nothing comes of the byte). It tests no code of ours. */
#undef NDEBUG
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each comparison is a branch of its own, so that every byte guessed is progress that feedback shows. */
static unsigned sum_of(const uint8_t *data, size_t size) {
  unsigned sum = 0;
  if (size < 5) return 0;
  if (data[0] != 'C') return 1;
  if (data[1] != 'o') return 2;
  if (data[2] != 'A') return 3;
  if (data[3] != 'P') return 4;
  for (size_t at = 4; at <= size; ++at) sum += data[at]; /* the mistake */
  return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *copy = exact_copy(data, size);
  unsigned sum = sum_of(copy, size);
  free(copy);
  assert(sum < 256 * (size + 1)); /* the sum is wanted, lest it be left out */
  return 0;
}

/* The nearest of several names to a mistyped one, for "did you mean". Pure functions. */
#ifndef COPAL_CLI_LINE_SUGGEST_H
#define COPAL_CLI_LINE_SUGGEST_H

#include <stddef.h>

/* How many insertions, deletions, replacements and swaps of neighbours turn one name into the other, letter case
 * ignored. Names of more than 32 characters are as far apart as they are long. */
size_t suggest_distance(const char *a, const char *b);

/* The name so far that is nearest to what was typed: candidates are offered one after the other. */
struct suggestion {
  const char *typed;
  const char *name; /* NULL while nothing is near enough to be meant */
  size_t distance;
};

struct suggestion suggestion_for(const char *typed);
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

#endif

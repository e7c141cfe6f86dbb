/* Skipping a test where the machine lacks what it needs. Where COPAL_NO_SKIP=1 says that nothing may be lacking, as in
 * CI, that is a failure. */
#ifndef COPAL_TESTS_SKIP_H
#define COPAL_TESTS_SKIP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline void skip_because(const char *reason) {
  const char *no_skip = getenv("COPAL_NO_SKIP");
  print_message("skipped: %s\n", reason);
  if (no_skip != NULL && strcmp(no_skip, "1") == 0) fail();
  skip();
}

#endif

/* See violation.h. */
#include "program/violation.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "program/scene.h"

void violation(const struct scene *scene, const char *invariant, const char *format, ...) {
  const struct setting *setting = &scene->setting;
  va_list arguments;
  va_start(arguments, format);
  printf("violation: %s\n  ", invariant);
  vprintf(format, arguments);
  va_end(arguments);
  printf("\n  at %" PRIu64 ".%09" PRIu64 " s\n", scene->now / COPAL_SECOND, scene->now % COPAL_SECOND);
  printf("  to replay: copal-sim --seed %" PRIu64 " --exchanges %" PRIu64 " --workload %s", setting->seed,
         setting->exchanges, setting->workload);
  if (setting->hosts_given > 0) printf(" --nodes %u", setting->hosts_given);
  if (scene->broken != NULL) printf(" --break %s", scene->broken);
  printf(" --trace\n");
  fflush(stdout);
  exit(1);
}

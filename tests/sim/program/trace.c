/* See trace.h. */
#include "program/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void print_time(const struct scene *scene) {
  printf("%8" PRIu64 ".%06" PRIu64 " ", scene->now / COPAL_SECOND, scene->now % COPAL_SECOND / COPAL_MICROSECOND);
}

static void print_address(const struct scene *scene, const copal_address *address) {
  uint32_t number = scene_host_of(scene, address);
  if (copal_address_is_multicast(address))
    printf("all");
  else if (address->bytes[12] == STRANGER)
    printf("stranger %u", address->bytes[15]);
  else
    printf("%u%s", address->bytes[15] - 1u, number == NOBODY ? " at an old address" : "");
}

void trace_datagram(const struct scene *scene, const struct host *host, const copal_datagram *datagram, bool outward) {
  copal_view view;
  char line[400];
  print_time(scene);
  printf("%u %s ", host->number, outward ? "->" : "<-");
  print_address(scene, &datagram->path.remote);
  copal_error error = copal_decode(datagram->data, datagram->size, &view);
  if (error == COPAL_OK) copal_text_line(&view, line, sizeof line);
  printf(": %s\n", error == COPAL_OK ? line : copal_error_text(error));
}

void trace_note(const struct scene *scene, const char *format, ...) {
  if (!scene->is_traced) return;
  va_list arguments;
  va_start(arguments, format);
  print_time(scene);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
}

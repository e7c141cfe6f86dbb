/* How long an endpoint for a million exchanges takes to start, and how much of its memory is resident then. Hosted,
 * with its socket, by copal_open; nothing has come yet. */
#include <unistd.h>

#include "bench/measure.h"
#include "copal/net.h"

enum { ROUNDS = 11, EXCHANGES = 1000000 };

/* Resident bytes of the process: the second word of statm. */
static double resident(void) {
  unsigned long all = 0, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%lu %lu", &all, &pages) != 2) abort();
  fclose(file);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

int main(int argc, char **argv) {
  static struct measure time, memory;
  struct measure_options options = measure_options(argc, argv, ROUNDS);
  copal_open_options open_options = copal_open_defaults();
  open_options.config.exchanges_max = open_options.config.peers_max = EXCHANGES;
  open_options.config.messages_size = EXCHANGES * 64u;
  open_options.config.replies_size = EXCHANGES * 96u;
  size_t reserved = copal_endpoint_size(&open_options.config);
  for (unsigned round = 0; round < options.rounds; ++round) {
    double before = resident(), start = measure_now_ns();
    copal_endpoint *endpoint = copal_open("coap://[::]:0", &open_options);
    measure_add(&time, (measure_now_ns() - start) / 1e6);
    if (endpoint == NULL || copal_process(endpoint, 0, NULL) != 0) return 1;
    measure_add(&memory, (resident() - before) / 1024);
    copal_close(endpoint);
  }
  if (!options.json) {
    printf("startup: %.3f ms, %.0f KiB resident of %zu MiB, for %d exchanges\n", measure_median(&time),
           measure_median(&memory), reserved >> 20, EXCHANGES);
    return 0;
  }
  printf("{\"benchmark\":\"startup\",\"of\":\"time\",");
  measure_json(&time, "ms");
  printf("{\"benchmark\":\"startup\",\"of\":\"resident\",");
  measure_json(&memory, "KiB");
  printf("{\"benchmark\":\"startup\",\"of\":\"reserved\",\"unit\":\"MiB\",\"median\":%zu}\n", reserved >> 20);
  return 0;
}

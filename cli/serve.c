/* copal serve: what is to be served, and where. Threads are in cli/serve/crew.c, their loop in cli/serve/worker.c. */
#include <string.h>

#include "cli/line/command.h"
#include "cli/serve/crew.h"
#include "cli/show/terminal.h"

static const struct site *choose_site(const struct command *command, const struct settings *settings);
static bool check(const struct command *command, const struct settings *settings);

enum status serve_run(const struct command *command, const struct settings *settings) {
  const struct site *site = choose_site(command, settings);
  if (site == NULL || !check(command, settings)) return STATUS_USAGE;
  return crew_serve(site, settings);
}

static const struct site *choose_site(const struct command *command, const struct settings *settings) {
  size_t folders = settings->operands_count;
  if (folders > 0 && strstr(settings->operands[0], "://") != NULL) {
    complain(command->name, "'%s' is no folder: addresses are given with --bind URI", settings->operands[0]);
  } else if (folders > 1) {
    complain(command->name, "'%s' is one folder too many", settings->operands[1]);
  } else if (folders > 0 && settings->plugtest) {
    complain(command->name, "--plugtest serves resources of its own, no folder");
  } else if (folders == 0 && settings->write) {
    complain(command->name, "--write needs a folder to write to");
  } else if (settings->threads > 1 && (settings->plugtest || settings->write)) {
    complain(command->name, "--threads: what %s changes belongs to one thread",
             settings->plugtest ? "--plugtest" : "--write");
  } else if (folders > 0) {
    return &files_site;
  } else {
    return settings->plugtest ? &plugtest_site : &demo_site;
  }
  return NULL;
}

static bool check(const struct command *command, const struct settings *settings) {
  const struct list *binds = &settings->binds;
  if (binds->count > BINDS_MAX) {
    complain(command->name, "--bind is given more than %d times", BINDS_MAX);
    return false;
  }
  if (settings->threads == 0) {
    complain(command->name, "--threads is at least 1");
    return false;
  }
  for (size_t i = 0; settings->threads > 1 && i < binds->count; ++i) {
    if (strncmp(binds->items[i], "coap+unix:", strlen("coap+unix:")) != 0) continue;
    complain(command->name, "--threads: %s can only be one thread's", binds->items[i]);
    return false;
  }
  return true;
}

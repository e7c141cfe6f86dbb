/* copal bench: a load on a server, and what came of it. The load is in cli/load. */
#include <stdio.h>

#include "cli/ask/interrupt.h"
#include "cli/line/command.h"
#include "cli/load/report.h"
#include "cli/show/terminal.h"
#include "cli/show/window.h"

enum { LINE_SIZE = 160 };

static void run(struct load *load, bool is_shown);
static int columns(void);

enum status bench_run(const struct command *command, const struct settings *settings) {
  static struct plan plan;
  static struct load load;
  enum status status = plan_open(&plan, command->name, settings);
  if (status == STATUS_SUCCESS) status = load_open(&load, &plan, command->name);
  if (status == STATUS_SUCCESS) {
    interrupt_watch(NULL);
    run(&load, !settings->quiet && terminal_is(stderr));
    interrupt_release();
    if (settings->json) {
      report_json(stdout, &load);
    } else {
      report_text(stdout, &load);
    }
    status = report_status(&load);
  }
  load_close(&load);
  plan_close(&plan);
  return status;
}

static void run(struct load *load, bool is_shown) {
  load_begin(load);
  int width = 0;
  copal_time from = load->now;
  while (load_run(load, from + COPAL_SECOND)) {
    if (is_shown) {
      char line[LINE_SIZE];
      report_line(load, load->now - from, line, sizeof line);
      int size = fprintf(stderr, "\r%-*.*s", width, columns(), line) - 1;
      fflush(stderr);
      if (size > width) width = size;
    }
    from = load->now;
    load_clear_recent(load);
  }
  if (width > 0) fprintf(stderr, "\r%*s\r", width, "");
}

/* The last column stays free: some terminals begin a new line behind it. */
static int columns(void) {
  size_t columns = window_of(stderr).columns;
  return columns > 1 ? (int)columns - 1 : 1;
}

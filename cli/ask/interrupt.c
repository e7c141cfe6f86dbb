/* SIGINT and SIGTERM. A signal handler has no other way to know its client than a variable of the process. */
#include "cli/ask/interrupt.h"

#include <signal.h>
#include <string.h>

static struct client *watched;
static volatile sig_atomic_t caught;

static void set_handler(void (*handler)(int));
static void catch_signal(int signal_number);

void interrupt_watch(struct client *client) {
  watched = client;
  caught = 0;
  set_handler(catch_signal);
}

int interrupt_signal(void) { return caught; }

void interrupt_release(void) {
  set_handler(SIG_DFL);
  watched = NULL;
}

/* Without SA_RESTART: who waits for standard input is to notice. */
static void set_handler(void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

static void catch_signal(int signal_number) {
  caught = signal_number;
  if (watched != NULL) client_finish(watched);
}

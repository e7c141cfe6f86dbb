/* SIGINT and SIGTERM, and signals that only wake. A signal handler has no other way to know its client than a variable
 * of the process. */
#include "cli/ask/interrupt.h"

#include <signal.h>
#include <string.h>

static struct client *watched;
static volatile sig_atomic_t caught;

static void set_handler(int signal_number, void (*handler)(int));
static void catch_signal(int signal_number);
static void wake(int signal_number);

void interrupt_watch(struct client *client) {
  watched = client;
  caught = 0;
  set_handler(SIGINT, catch_signal);
  set_handler(SIGTERM, catch_signal);
}

void interrupt_wake(int signal_number) { set_handler(signal_number, wake); }

int interrupt_signal(void) { return caught; }

void interrupt_release(void) {
  set_handler(SIGINT, SIG_DFL);
  set_handler(SIGTERM, SIG_DFL);
  /* The others find nobody to wake. */
  watched = NULL;
}

/* Without SA_RESTART: who waits for standard input is to notice. */
static void set_handler(int signal_number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, NULL);
}

static void catch_signal(int signal_number) {
  caught = signal_number;
  if (watched != NULL) client_finish(watched);
}

static void wake(int signal_number) {
  (void)signal_number;
  if (watched != NULL) copal_wake(watched->endpoint);
}

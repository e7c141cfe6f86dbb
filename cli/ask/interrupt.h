/* SIGINT and SIGTERM, for subcommands that have something to say or to undo before they end. */
#ifndef COPAL_CLI_ASK_INTERRUPT_H
#define COPAL_CLI_ASK_INTERRUPT_H

#include "cli/ask/client.h"

/* From now on either signal makes client_wait return, and a blocking read fail with EINTR. One client at a time. */
void interrupt_watch(struct client *client);

/* The last signal that came since interrupt_watch; 0 for none. */
int interrupt_signal(void);

/* From now on this signal makes copal_process return, and has no other effect: for what a child or the terminal tells.
 */
void interrupt_wake(int signal_number);

/* The signals do what they usually do again. */
void interrupt_release(void);

#endif

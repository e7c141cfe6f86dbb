/* See server.h. */
#include "plugtest/server.h"

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "copal/net.h"

enum { ARGUMENTS_MAX = 16 };

/* Becomes the server, which prints to output and ends with this process. */
static void become(const char *command, const char *options, int output) {
  char text[512], *rest = text, *arguments[ARGUMENTS_MAX + 1] = {NULL};
  size_t count = 0;
  snprintf(text, sizeof text, "%s serve --plugtest --bind coap://127.0.0.1:0 %s", command, options);
  for (char *word; count < ARGUMENTS_MAX && (word = strtok_r(rest, " ", &rest)) != NULL;) arguments[count++] = word;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  execv(command, arguments);
  perror(command);
  _exit(127);
}

void server_start(struct server *server, const char *options) {
  const char *command = getenv("COPAL");
  if (command == NULL) fail_msg("COPAL is the path of the command");
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  server->process = fork();
  assert_true(server->process >= 0);
  if (server->process == 0) become(command, options, ends[1]);
  close(ends[1]);
  FILE *output = fdopen(ends[0], "r");
  char line[128];
  unsigned port = 0;
  assert_non_null(output);
  if (fgets(line, sizeof line, output) == NULL || sscanf(line, "listening on coap://127.0.0.1:%u", &port) != 1)
    fail_msg("%s serve %s does not listen", command, options);
  fclose(output);
  assert_int_equal(copal_address_parse("127.0.0.1", (uint16_t)port, &server->address), COPAL_OK);
}

void server_stop(struct server *server) {
  int status;
  if (server->process <= 0) return;
  kill(server->process, SIGTERM);
  waitpid(server->process, &status, 0);
  server->process = 0;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("the server ended with status %x", (unsigned)status);
}

/* Commands of --exec, as children of this process. Knows no endpoint.
 *
 * A command need not read its standard input, and nobody must wait for it: that is a file, not a pipe. */
#include "cli/observe/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/show/terminal.h"

enum { CANNOT_RUN = 127 };

static bool fill(struct hook_input *input, const struct hook_news *news);
static bool write_all(int fd, copal_bytes bytes);
static void format_text(const copal_view *message, char *buffer, size_t capacity);
static void copy_value(struct hook_input *input, copal_bytes body);
static bool start(struct hook *hook, char reason[HOOK_REASON_MAX]);
static _Noreturn void become(const char *command, const struct hook_input *input);

void hook_begin(struct hook *hook, const char *command) {
  hook->command = command;
  hook->running = 0;
  hook->waiting.body = -1;
  hook->skipped = 0;
  hook->failed = 0;
}

bool hook_run(struct hook *hook, const struct hook_news *news, char reason[HOOK_REASON_MAX]) {
  if (hook->waiting.body >= 0) ++hook->skipped;
  hook_drop(hook);
  if (!fill(&hook->waiting, news)) {
    snprintf(reason, HOOK_REASON_MAX, "--exec: no room for the value: %s", strerror(errno));
    ++hook->failed;
    return false;
  }
  return hook->running != 0 || start(hook, reason);
}

bool hook_work(struct hook *hook, char reason[HOOK_REASON_MAX]) {
  int result;
  if (hook->running == 0 || waitpid(hook->running, &result, WNOHANG) <= 0) return true;
  hook->running = 0;
  bool good = WIFEXITED(result) && WEXITSTATUS(result) == 0;
  if (WIFSIGNALED(result)) {
    snprintf(reason, HOOK_REASON_MAX, "--exec: the command was ended by signal %d (%s)", WTERMSIG(result),
             strsignal(WTERMSIG(result)));
  } else if (!good) {
    snprintf(reason, HOOK_REASON_MAX, "--exec: the command ended with %d", WEXITSTATUS(result));
  }
  if (!good) ++hook->failed;
  if (hook->waiting.body >= 0 && !start(hook, reason)) return false;
  return good;
}

bool hook_is_busy(const struct hook *hook) { return hook->running != 0; }

void hook_drop(struct hook *hook) {
  if (hook->waiting.body >= 0) close(hook->waiting.body);
  hook->waiting.body = -1;
}

static bool fill(struct hook_input *input, const struct hook_news *news) {
  const copal_view *message = news->message;
  input->body = memfd_create("copal-value", MFD_CLOEXEC);
  if (input->body < 0) return false;
  if (!write_all(input->body, news->body) || lseek(input->body, 0, SEEK_SET) != 0) {
    close(input->body);
    input->body = -1;
    return false;
  }
  snprintf(input->uri, sizeof input->uri, "%s", news->uri);
  snprintf(input->peer, sizeof input->peer, "%s", news->peer);
  snprintf(input->code, sizeof input->code, "%d.%02d", COPAL_CODE_CLASS(message->code),
           COPAL_CODE_DETAIL(message->code));
  snprintf(input->size, sizeof input->size, "%zu", news->body.size);
  format_text(message, input->format, sizeof input->format);
  uint32_t sequence = copal_find_uint(message, COPAL_OPTION_OBSERVE, UINT32_MAX);
  input->sequence[0] = '\0';
  if (sequence != UINT32_MAX) snprintf(input->sequence, sizeof input->sequence, "%" PRIu32, sequence);
  copy_value(input, news->body);
  return true;
}

static bool write_all(int fd, copal_bytes bytes) {
  for (size_t done = 0; done < bytes.size;) {
    ssize_t written = write(fd, bytes.data + done, bytes.size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    done += (size_t)written;
  }
  return true;
}

/* Its name, else its number; "" for none. */
static void format_text(const copal_view *message, char *buffer, size_t capacity) {
  uint32_t format = copal_find_uint(message, COPAL_OPTION_CONTENT_FORMAT, COPAL_FORMAT_NONE);
  const char *name = format < COPAL_FORMAT_NONE ? copal_content_format_name((uint16_t)format) : NULL;
  buffer[0] = '\0';
  if (name != NULL) {
    snprintf(buffer, capacity, "%s", name);
  } else if (format != COPAL_FORMAT_NONE) {
    snprintf(buffer, capacity, "%" PRIu32, format);
  }
}

static void copy_value(struct hook_input *input, copal_bytes body) {
  input->has_value = body.size <= HOOK_VALUE_MAX && terminal_is_text(body);
  if (!input->has_value) return;
  if (body.size > 0 && body.data[body.size - 1] == '\n') --body.size;
  if (body.size > 0) memcpy(input->value, body.data, body.size);
  input->value[body.size] = '\0';
}

static bool start(struct hook *hook, char reason[HOOK_REASON_MAX]) {
  /* What is in the buffers is to be written once, by us, and before what the command writes. */
  fflush(stdout);
  fflush(stderr);
  pid_t child = fork();
  if (child == 0) become(hook->command, &hook->waiting);
  hook_drop(hook);
  if (child > 0) {
    hook->running = child;
    return true;
  }
  snprintf(reason, HOOK_REASON_MAX, "--exec: cannot run a command: %s", strerror(errno));
  ++hook->failed;
  return false;
}

/* In the child. Signals that are handled here have their usual effect there by exec; one that is ignored has not. */
static _Noreturn void become(const char *command, const struct hook_input *input) {
  signal(SIGPIPE, SIG_DFL);
  const struct {
    const char *name, *value;
  } variables[] = {
      {"COPAL_URI", input->uri},       {"COPAL_PEER", input->peer},         {"COPAL_CODE", input->code},
      {"COPAL_FORMAT", input->format}, {"COPAL_SEQUENCE", input->sequence}, {"COPAL_SIZE", input->size},
      {"COPAL_VALUE", input->value},
  };
  /* Where standard input was closed the file may have its place already. */
  bool in_place = input->body == STDIN_FILENO;
  bool good = in_place ? fcntl(STDIN_FILENO, F_SETFD, 0) == 0 : dup2(input->body, STDIN_FILENO) >= 0;
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; ++i) {
    good = good && setenv(variables[i].name, variables[i].value, 1) == 0;
  }
  if (!input->has_value) unsetenv("COPAL_VALUE");
  if (good) execl("/bin/sh", "sh", "-c", command, (char *)NULL);
  _exit(CANNOT_RUN);
}

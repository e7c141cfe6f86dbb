/* The URIs that a command line asks, and the files that their answers go to. Sends nothing and writes no file. */
#include "cli/ask/goal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/show/terminal.h"

static bool is_folder(const char *path);
static bool passes(uint8_t byte);

void goal_name(const copal_view *request, char *name) {
  copal_bytes last = {(const uint8_t *)"index", 5};
  copal_options walk = copal_options_of(request);
  copal_option option;
  while (copal_options_next(&walk, &option)) {
    if (option.number == COPAL_OPTION_URI_PATH && option.size > 0) last = (copal_bytes){option.value, option.size};
  }
  size_t size = last.size < GOAL_NAME_MAX ? last.size : GOAL_NAME_MAX - 1;
  if (size < last.size) size -= terminal_unfinished((copal_bytes){last.data, size});
  for (size_t at = 0; at < size;) {
    size_t character = terminal_character(last.data + at, size - at);
    bool good = character > 1 || (character == 1 && passes(last.data[at]));
    if (character == 0) character = 1;
    for (size_t i = 0; i < character; ++i, ++at) name[at] = good ? (char)last.data[at] : '_';
  }
  if (name[0] == '.') name[0] = '_';
  name[size] = '\0';
}

enum status goal_set_output(struct goal *goal, const struct client *client, const copal_view *request, size_t count) {
  const char *output = client->settings->output;
  goal->output[0] = '\0';
  if (output == NULL || strcmp(output, "-") == 0) return STATUS_SUCCESS;
  size_t output_size = strlen(output);
  bool ends_with_slash = output_size > 0 && output[output_size - 1] == '/';
  bool folder = count > 1 || ends_with_slash;
  if (folder && !is_folder(output)) {
    complain(client->command, "--output %s: %s", output,
             count > 1 ? "the answers of several URIs go to a folder that is there" : "there is no such folder");
    return STATUS_USAGE;
  }
  char name[GOAL_NAME_MAX] = "";
  if (folder) goal_name(request, name);
  int size = snprintf(goal->output, sizeof goal->output, "%s%s%s", output, folder && !ends_with_slash ? "/" : "", name);
  if (size >= 0 && (size_t)size < sizeof goal->output) return STATUS_SUCCESS;
  complain(client->command, "--output is longer than %d characters", GOAL_OUTPUT_MAX - 1);
  return STATUS_USAGE;
}

const struct goal *goal_with_same_output(const struct goal *goals, size_t count) {
  const struct goal *last = &goals[count - 1];
  if (last->output[0] == '\0') return NULL;
  for (const struct goal *goal = goals; goal < last; ++goal) {
    if (strcmp(goal->output, last->output) == 0) return goal;
  }
  return NULL;
}

static bool is_folder(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool passes(uint8_t byte) {
  bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  return is_letter || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.';
}

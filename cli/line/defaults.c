/* Where defaults come from: the configuration file, and COPAL_OPTIONS over it. What stands in them is config.c's. */
#include "cli/line/defaults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/line/config.h"

enum { FILE_SIZE_MAX = 65536, VARIABLE_SIZE_MAX = 8192, WORDS_MAX = 256, PATH_SIZE_MAX = 4096 };

/* What settings borrow. */
static char file_text[FILE_SIZE_MAX + 1];
static char variable_text[VARIABLE_SIZE_MAX];
static char *words[WORDS_MAX];

static enum status apply_file(const struct command *command, struct settings *settings, char *error,
                              size_t error_capacity);
static enum status apply_variable(const struct command *command, struct settings *settings, char *error,
                                  size_t error_capacity);
static bool find_file(char *path, bool *is_named);
static const char *variable(const char *name);
static ssize_t read_file(const char *path);

enum status defaults_apply(const struct command *command, struct settings *settings, char *error,
                           size_t error_capacity) {
  enum status status = apply_file(command, settings, error, error_capacity);
  return status == STATUS_SUCCESS ? apply_variable(command, settings, error, error_capacity) : status;
}

static enum status apply_file(const struct command *command, struct settings *settings, char *error,
                              size_t error_capacity) {
  char path[PATH_SIZE_MAX];
  bool is_named;
  if (!find_file(path, &is_named)) return STATUS_SUCCESS;
  ssize_t size = read_file(path);
  if (size < 0) {
    bool is_absent = errno == ENOENT || errno == ENOTDIR;
    if (is_absent && !is_named) return STATUS_SUCCESS;
    snprintf(error, error_capacity, "the configuration %s cannot be read: %s", path, strerror(errno));
    return STATUS_LOCAL;
  }
  if (size > FILE_SIZE_MAX) {
    snprintf(error, error_capacity, "the configuration %s is larger than %d bytes", path, FILE_SIZE_MAX);
    return STATUS_LOCAL;
  }
  file_text[size] = '\0';
  bool good = config_parse(command, path, file_text, (size_t)size, settings, error, error_capacity);
  return good ? STATUS_SUCCESS : STATUS_USAGE;
}

static enum status apply_variable(const struct command *command, struct settings *settings, char *error,
                                  size_t error_capacity) {
  const char *text = variable("COPAL_OPTIONS");
  if (text == NULL) return STATUS_SUCCESS;
  char reason[240];
  size_t count = 0;
  size_t size = strlen(text) + 1;
  bool good = size <= sizeof variable_text;
  if (good) {
    memcpy(variable_text, text, size);
    good = config_split(variable_text, words, WORDS_MAX, &count, reason, sizeof reason) &&
           arguments_parse_general(command->tables, (int)count, words, settings, reason, sizeof reason);
  } else {
    snprintf(reason, sizeof reason, "longer than %d bytes", VARIABLE_SIZE_MAX - 1);
  }
  if (!good) snprintf(error, error_capacity, "COPAL_OPTIONS: %s", reason);
  return good ? STATUS_SUCCESS : STATUS_USAGE;
}

/* False where there can be none. */
static bool find_file(char *path, bool *is_named) {
  const char *named = variable("COPAL_CONFIG"), *folder = variable("XDG_CONFIG_HOME"), *home = variable("HOME");
  int size = -1;
  *is_named = named != NULL;
  if (named != NULL) {
    size = snprintf(path, PATH_SIZE_MAX, "%s", named);
  } else if (folder != NULL && folder[0] == '/') {
    /* XDG Base Directory Specification: "All paths set in these environment variables must be absolute. If an
     * implementation encounters a relative path [...] it should consider the path invalid and ignore it." */
    size = snprintf(path, PATH_SIZE_MAX, "%s/copal/config", folder);
  } else if (home != NULL) {
    size = snprintf(path, PATH_SIZE_MAX, "%s/.config/copal/config", home);
  }
  return size >= 0 && size < PATH_SIZE_MAX;
}

/* NULL where it is not set, or empty. */
static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

/* How many bytes there are, one more than FILE_SIZE_MAX where there are too many; -1 and errno where it fails. */
static ssize_t read_file(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  size_t size = 0;
  ssize_t got = 1;
  while (got > 0 && size < sizeof file_text) {
    got = read(file, file_text + size, sizeof file_text - size);
    if (got > 0) size += (size_t)got;
  }
  int error = errno;
  close(file);
  errno = error;
  return got < 0 ? -1 : (ssize_t)size;
}

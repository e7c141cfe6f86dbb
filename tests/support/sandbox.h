/* A folder that a test has for itself, and files in it. Everything is a system call by path, so that what is tested is
 * not what tests. */
#ifndef COPAL_TESTS_SANDBOX_H
#define COPAL_TESTS_SANDBOX_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sandbox {
  char path[200];
  char scratch[512];
};

static inline bool sandbox_make(struct sandbox *sandbox) {
  const char *above = getenv("TMPDIR");
  snprintf(sandbox->path, sizeof sandbox->path, "%s/copal-test-XXXXXX", above != NULL ? above : "/tmp");
  return mkdtemp(sandbox->path) != NULL;
}

/* The path of a name in it; valid until the next call. */
static inline const char *sandbox_at(struct sandbox *sandbox, const char *name) {
  snprintf(sandbox->scratch, sizeof sandbox->scratch, "%s/%s", sandbox->path, name);
  return sandbox->scratch;
}

static inline bool sandbox_write(struct sandbox *sandbox, const char *name, const char *text) {
  FILE *file = fopen(sandbox_at(sandbox, name), "w");
  if (file == NULL) return false;
  bool good = fputs(text, file) >= 0;
  return fclose(file) == 0 && good;
}

static inline bool sandbox_folder(struct sandbox *sandbox, const char *name) {
  return mkdir(sandbox_at(sandbox, name), 0777) == 0;
}

/* The text of a file; NULL where there is none. */
static inline const char *sandbox_read(struct sandbox *sandbox, const char *name) {
  FILE *file = fopen(sandbox_at(sandbox, name), "r");
  if (file == NULL) return NULL;
  size_t size = fread(sandbox->scratch, 1, sizeof sandbox->scratch - 1, file);
  sandbox->scratch[size] = '\0';
  fclose(file);
  return sandbox->scratch;
}

/* How many names there are in a folder of it, hidden ones included. */
static inline int sandbox_count(struct sandbox *sandbox, const char *name) {
  DIR *folder = opendir(sandbox_at(sandbox, name));
  int count = 0;
  if (folder == NULL) return -1;
  while (readdir(folder) != NULL) ++count;
  closedir(folder);
  return count - 2;
}

static inline void sandbox_remove(struct sandbox *sandbox) {
  char command[sizeof sandbox->path + 16];
  snprintf(command, sizeof command, "rm -rf '%s'", sandbox->path);
  if (system(command) != 0)
    fprintf(stderr, "%s is left over\n", sandbox->path); /* NOLINT(bugprone-command-processor) */
}

#endif

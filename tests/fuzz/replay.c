/* Runs a fuzz target over its corpus, where there is no libFuzzer: every file as it is, every truncation of it, and
 * every single byte of it inverted. Must not know what the target does with its input. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Longer inputs are replayed but not varied: time grows with the square of their size. */
#define VARIED_SIZE_MAX 2048

static size_t replay_file(const char *path);
static void replay_variations(uint8_t *data, size_t size);
static void run(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
    return 2;
  }
  DIR *corpus = opendir(argv[1]);
  if (!corpus) {
    perror(argv[1]);
    return 1;
  }
  run(NULL, 0);
  size_t files_count = 0;
  for (struct dirent *entry = readdir(corpus); entry; entry = readdir(corpus)) {
    char path[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    files_count += replay_file(path);
  }
  closedir(corpus);
  printf("replayed %zu files of %s\n", files_count, argv[1]);
  return files_count > 0 ? 0 : 1;
}

static size_t replay_file(const char *path) {
  static uint8_t data[1 << 20];
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  size_t size = fread(data, 1, sizeof data, file);
  fclose(file);
  run(data, size);
  if (size <= VARIED_SIZE_MAX) replay_variations(data, size);
  return 1;
}

static void replay_variations(uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    run(data, i);
    data[i] = (uint8_t)~data[i];
    run(data, size);
    data[i] = (uint8_t)~data[i];
  }
}

/* In a block of exactly its size, so that a sanitizer or valgrind sees one byte read too many. */
static void run(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size > 0 ? size : 1);
  if (!copy) abort();
  if (size > 0) memcpy(copy, data, size);
  LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

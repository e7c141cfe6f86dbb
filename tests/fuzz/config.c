/* Any bytes as a configuration, for the subcommand that the first byte chooses, and as COPAL_OPTIONS. Both end in
 * settings that lie in the text, or in an error that names the line. */
#undef NDEBUG
#include "cli/line/config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const char *value, const char *text, size_t size) {
  assert(value == NULL || (value >= text && value + strlen(value) <= text + size));
}

static void check_settings(const struct settings *settings, const char *text, size_t size) {
  check_inside(settings->accept, text, size);
  check_inside(settings->output, text, size);
  check_inside(settings->data, text, size);
  assert(settings->options.count <= LIST_MAX);
  for (size_t i = 0; i < settings->options.count; ++i) check_inside(settings->options.items[i], text, size);
}

static void fuzz_lines(const struct command *command, const uint8_t *data, size_t size) {
  char error[400] = "";
  struct settings settings = settings_default();
  char *text = malloc(size + 1);
  assert(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  if (config_parse(command, "file", text, size, &settings, error, sizeof error)) {
    assert(error[0] == '\0');
  } else {
    assert(strncmp(error, "file:", 5) == 0);
  }
  check_settings(&settings, text, size);
  free(text);
}

static void fuzz_words(const struct command *command, const uint8_t *data, size_t size) {
  char error[400] = "";
  struct settings settings = settings_default();
  char *words[WORDS_MAX], *text = malloc(size + 1);
  size_t count;
  assert(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  bool good = config_split(text, words, WORDS_MAX, &count, error, sizeof error);
  assert(count <= WORDS_MAX && good == (error[0] == '\0'));
  for (size_t i = 0; i < count && good; ++i) check_inside(words[i], text, size);
  if (good) {
    good = arguments_parse_general(command->tables, (int)count, words, &settings, error, sizeof error);
    assert(good == (error[0] == '\0') && settings.operands_count == 0);
    check_settings(&settings, text, size);
  }
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  size_t count = 0;
  while (commands[count].name != NULL) ++count;
  const struct command *command = &commands[data[0] % count];
  fuzz_lines(command, data + 1, size - 1);
  fuzz_words(command, data + 1, size - 1);
  return 0;
}

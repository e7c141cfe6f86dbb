/* Any words as a command line, for the subcommand that the first byte chooses; a line feed ends a word. What is taken
 * lies in the words, and says the same as "name = value" lines would; the request that follows from it is a message
 * that decodes and encodes to its own bytes; the files that its path names, here or in a folder that is served, lead
 * out of no folder. */
#undef NDEBUG
#include <stdio.h>

#include "cli/ask/goal.h"
#include "cli/ask/request.h"
#include "cli/line/command.h"
#include "cli/line/option.h"
#include "cli/serve/place.h"
#include "fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 24, TEXT_MAX = 2048, MESSAGE_MAX = 4096 };

struct line {
  char *words[WORDS_MAX];
  int count;
  const char *text;
  size_t size;
};

static void check_inside(const struct line *line, const char *value) {
  assert(value == NULL || (value >= line->text && value + strlen(value) <= line->text + line->size));
}

static void check_settings(const struct line *line, const struct command *command, const struct settings *settings) {
  const struct option_entry *entry;
  for (size_t i = 0; (entry = option_at(command->tables, i)) != NULL; ++i) {
    const void *field = (const char *)settings + entry->at;
    if (entry->kind == OPTION_TEXT) {
      const char *text;
      memcpy(&text, field, sizeof text);
      check_inside(line, text);
    } else if (entry->kind == OPTION_LIST) {
      const struct list *list = (const struct list *)field;
      assert(list->count <= LIST_MAX);
      for (size_t k = 0; k < list->count; ++k) check_inside(line, list->items[k]);
    } else if (entry->kind == OPTION_NUMBER) {
      uint32_t number;
      memcpy(&number, field, sizeof number);
      struct settings defaults = settings_default();
      assert(number <= entry->limit || memcmp(field, (const char *)&defaults + entry->at, sizeof number) == 0);
    }
  }
  assert(settings->operands_count <= (size_t)line->count);
  for (size_t i = 0; i < settings->operands_count; ++i) check_inside(line, settings->operands[i]);
}

static bool is_ascii(const char *text) {
  while (*text != '\0' && (*text & 0x80) == 0) ++text;
  return *text == '\0';
}

static void check_names(const copal_view *view) {
  static struct place place;
  static char uri[PLACE_URI_MAX + 1];
  char name[GOAL_NAME_MAX];
  goal_name(view, name);
  assert(name[0] != '\0' && name[0] != '.' && strlen(name) < sizeof name && strchr(name, '/') == NULL);
  if (place_find(&place, view) != NULL) return;
  assert(place.size < sizeof place.text && strlen(place.text) == place.size);
  assert(place.text[0] != '.' && place.text[0] != '/' && strstr(place.text, "/.") == NULL);
  assert(strstr(place.text, "//") == NULL);
  size_t size = place_uri(&place, "", uri, sizeof uri);
  uint8_t again[MESSAGE_MAX];
  copal_message message;
  struct place other;
  copal_message_init(&message, again, sizeof again, COPAL_CON, COPAL_GET);
  copal_error error = copal_path_to_options(uri, size, COPAL_OPTION_URI_PATH, &message);
  /* An option may be given any bytes, and be a file's name; RFC 7252 6.4 has no URI for it then. */
  if (error == COPAL_ERR_URI_UTF8 && !is_ascii(place.text)) return;
  assert(error == COPAL_OK);
  copal_view found = copal_message_view(&message);
  assert(place_find(&other, &found) == NULL && place_equal(&place, &other));
}

/* As decode's fuzzing has it: there is one form of every message. */
static void check_message(const copal_message *message) {
  uint8_t *copy = exact_copy(message->buffer, message->size), *again = exact_copy(copy, message->size);
  copal_view view;
  assert(copal_decode(copy, message->size, &view) == COPAL_OK);
  copal_encoder encoder;
  copal_encode_begin(&encoder, again, message->size, (copal_type)view.type, view.code, view.message_id, view.token.data,
                     view.token.size);
  copal_options walk = copal_options_of(&view);
  copal_option option;
  while (copal_options_next(&walk, &option)) copal_encode_option(&encoder, option.number, option.value, option.size);
  copal_encode_payload(&encoder, view.payload.data, view.payload.size);
  assert(encoder.error == COPAL_OK && encoder.size == message->size && memcmp(copy, again, encoder.size) == 0);
  check_names(&view);
  free(copy);
  free(again);
}

static void fill_request(const struct command *command, const struct settings *settings) {
  uint8_t *buffer = (uint8_t *)malloc(MESSAGE_MAX);
  char error[400] = "";
  copal_message message;
  copal_uri uri;
  assert(buffer != NULL);
  copal_message_init(&message, buffer, MESSAGE_MAX, settings->non ? COPAL_NON : COPAL_CON, command->code);
  const char *text = settings->operands_count > 0 ? settings->operands[0] : "";
  bool is_uri = copal_uri_parse(text, strlen(text), &uri) == COPAL_OK;
  if (is_uri && copal_uri_to_options(&uri, &message) != COPAL_OK) message.error = COPAL_OK;
  enum status status = request_fill(&message, settings, error, sizeof error);
  assert(status == STATUS_SUCCESS || error[0] != '\0');
  message.error = COPAL_OK;
  check_message(&message);
  free(buffer);
}

static void fuzz_line(const struct command *command, struct line *line) {
  char error[400] = "";
  struct settings settings = settings_default();
  bool good = arguments_parse(command->tables, line->count, line->words, &settings, error, sizeof error);
  assert(good == (error[0] == '\0') && strlen(error) < sizeof error);
  check_settings(line, command, &settings);
  if (good && command->code != COPAL_EMPTY) fill_request(command, &settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0 || size > TEXT_MAX) return 0;
  size_t count = 0;
  while (commands[count].name != NULL) ++count;
  char *text = (char *)malloc(size);
  assert(text != NULL);
  struct line line = {.text = text, .size = size};
  memcpy(text, data + 1, size - 1);
  text[size - 1] = '\0';
  for (size_t at = 0; at < size && line.count < WORDS_MAX; at += strlen(text + at) + 1) {
    char *end = memchr(text + at, '\n', size - at);
    if (end != NULL) *end = '\0';
    line.words[line.count++] = text + at;
  }
  fuzz_line(&commands[data[0] % count], &line);
  free(text);
  return 0;
}

/* Resources of our own beside those of the plugtests: /actions changes what the others are from outside, /counter tells
 * whether each request was processed once. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/serve/action.h"
#include "cli/serve/plugtest.h"
#include "copal/net.h"

enum { LINES_MAX = 32 };

static void counter_get(copal_request *request, void *context);
static void counter_add(copal_request *request, void *context);
static void actions_list(copal_request *request, void *context);
static void actions_do(copal_request *request, void *context);
static bool read_line(struct plugtest *plugtest, copal_bytes line, struct action *action, char *error, size_t capacity);
static void perform(struct plugtest *plugtest, const struct action *action);
static void perform_on(struct exhibit *exhibit, const struct action *action);
static struct exhibit *exhibit_of(struct plugtest *plugtest, const struct action *action);

static const struct plugtest_route routes[] = {
    {COPAL_GET, "/counter", counter_get, "title=\"GET reads, POST adds one\";rt=\"counter\";ct=0"},
    {COPAL_POST, "/counter", counter_add, NULL},
    {COPAL_GET, "/actions", actions_list, "title=\"GET lists, POST does\";ct=0"},
    {COPAL_POST, "/actions", actions_do, NULL},
};

copal_error plugtest_actions_attach(struct plugtest *plugtest, copal_endpoint *endpoint) {
  copal_error error = plugtest_routes(plugtest, endpoint, routes, sizeof routes / sizeof routes[0]);
  return error == COPAL_OK ? copal_route_observable(endpoint, "/counter", 0) : error;
}

static void counter_get(copal_request *request, void *context) {
  const struct plugtest *plugtest = context;
  char text[16];
  snprintf(text, sizeof text, "%" PRIu32, plugtest->counter);
  copal_reply_text(request, text);
}

static void counter_add(copal_request *request, void *context) {
  struct plugtest *plugtest = context;
  char text[16];
  int size = snprintf(text, sizeof text, "%" PRIu32, ++plugtest->counter);
  copal_reply(request, COPAL_CHANGED, COPAL_TEXT_PLAIN, text, (size_t)size);
  audience_notify(&plugtest->exhibition.audience, "/counter");
}

static void actions_list(copal_request *request, void *context) {
  (void)context;
  char text[2048];
  size_t size = action_help(text, sizeof text);
  copal_reply(request, COPAL_CONTENT, COPAL_TEXT_PLAIN, text, size);
}

/* All lines or none: what is wrong in one of them is found before the first is done. */
static void actions_do(copal_request *request, void *context) {
  struct plugtest *plugtest = context;
  struct action actions[LINES_MAX];
  size_t count = 0;
  copal_bytes text = copal_request_rx(request)->message.payload, line;
  while (action_next_line(&text, &line)) {
    char error[96] = "too many lines", detail[128];
    if (count < LINES_MAX && read_line(plugtest, line, &actions[count], error, sizeof error)) {
      ++count;
      continue;
    }
    snprintf(detail, sizeof detail, "line %zu: %s", count + 1, error);
    copal_reply_problem(request, COPAL_BAD_REQUEST, detail);
    return;
  }
  for (size_t i = 0; i < count; ++i) perform(plugtest, &actions[i]);
  copal_reply_code(request, COPAL_CHANGED);
}

static bool read_line(struct plugtest *plugtest, copal_bytes line, struct action *action, char *error,
                      size_t capacity) {
  if (!action_parse(line, action, error, capacity)) return false;
  if (action->resource[0] == '\0') return true;
  if (exhibit_of(plugtest, action) == NULL) {
    snprintf(error, capacity, "there is no /%s to change", action->resource);
    return false;
  }
  size_t size = action->kind == ACTION_SET ? action->text.size : action->kind == ACTION_SIZE ? action->number : 0;
  if (size <= EXHIBIT_SIZE_MAX) return true;
  snprintf(error, capacity, "a body has at most %d bytes", EXHIBIT_SIZE_MAX);
  return false;
}

static void perform(struct plugtest *plugtest, const struct action *action) {
  switch (action->kind) {
    case ACTION_COUNTER:
      plugtest->counter = action->number;
      audience_notify(&plugtest->exhibition.audience, "/counter");
      return;
    case ACTION_INTERVAL:
      plugtest->exhibition.interval = action->time;
      plugtest->next_change = copal_now() + action->time;
      return;
    case ACTION_DELAY: plugtest->delay = action->time; return;
    case ACTION_FORGET: plugtest_forget(plugtest); return;
    case ACTION_SET:
    case ACTION_FORMAT:
    case ACTION_SIZE:
    case ACTION_CHANGE:
    case ACTION_DELETE:
    case ACTION_RESET: perform_on(exhibit_of(plugtest, action), action); return;
    case ACTION_KINDS: return;
  }
}

static void perform_on(struct exhibit *exhibit, const struct action *action) {
  if (action->kind == ACTION_SET) (void)exhibit_set(exhibit, exhibit->format, action->text.data, action->text.size);
  if (action->kind == ACTION_FORMAT) exhibit_format(exhibit, action->number);
  if (action->kind == ACTION_SIZE) (void)exhibit_fill(exhibit, action->number);
  if (action->kind == ACTION_CHANGE) (void)exhibit_fill(exhibit, exhibit->size);
  if (action->kind == ACTION_DELETE) exhibit_delete(exhibit);
  if (action->kind == ACTION_RESET) exhibit_reset(exhibit);
}

static struct exhibit *exhibit_of(struct plugtest *plugtest, const struct action *action) {
  char path[sizeof action->resource + 1];
  snprintf(path, sizeof path, "/%s", action->resource);
  return plugtest_find(plugtest, path);
}

/* The demonstration's resources: /hello, /counter, /uptime, /async. Those of /store are in demo_store.c. Knows no
 * socket: what the handlers do would be the same on a bare endpoint, but for the clock. */
#include "cli/demo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/demo_store.h"

/* An owed answer that finds no room on the endpoint is tried again after this. */
#define RETRY_DELAY (100 * COPAL_MILLISECOND)

static void hello(copal_request *request, void *context);
static void counter_read(copal_request *request, void *context);
static void counter_add(copal_request *request, void *context);
static void uptime(copal_request *request, void *context);
static void async(copal_request *request, void *context);
static bool accepts_text(copal_request *request);
static void reply_busy(copal_request *request);
static struct demo_later *free_place(struct demo *demo);

static const struct {
  copal_code method;
  const char *pattern;
  copal_handler *handler;
  const char *attributes;
} routes[] = {
    {COPAL_GET, "/hello", hello, "title=\"A greeting\";ct=0"},
    {COPAL_GET, "/counter", counter_read, "title=\"GET reads, POST adds one\";rt=\"counter\";ct=0"},
    {COPAL_POST, "/counter", counter_add, NULL},
    {COPAL_GET, "/uptime", uptime, "title=\"Seconds since the server began\";rt=\"uptime\";ct=0"},
    {COPAL_GET, "/async", async, "title=\"Answers later\";ct=0"},
};

void demo_init(struct demo *demo, copal_time delay) {
  memset(demo, 0, sizeof *demo);
  demo->begin = copal_now();
  demo->delay = delay;
}

copal_error demo_register(struct demo *demo, copal_endpoint *endpoint) {
  copal_error error = COPAL_OK;
  for (size_t i = 0; error == COPAL_OK && i < sizeof routes / sizeof routes[0]; ++i) {
    error = copal_route(endpoint, routes[i].method, routes[i].pattern, routes[i].handler, demo);
    if (error == COPAL_OK && routes[i].attributes != NULL) {
      error = copal_route_attributes(endpoint, routes[i].pattern, routes[i].attributes);
    }
  }
  return error == COPAL_OK ? demo_store_register(&demo->store, endpoint) : error;
}

copal_time demo_deadline(const struct demo *demo) {
  copal_time deadline = COPAL_NEVER;
  for (size_t i = 0; i < DEMO_LATER_MAX; ++i) {
    if (demo->later[i].endpoint != NULL && demo->later[i].due < deadline) deadline = demo->later[i].due;
  }
  return deadline;
}

void demo_work(struct demo *demo, copal_time now) {
  for (size_t i = 0; i < DEMO_LATER_MAX; ++i) {
    struct demo_later *later = &demo->later[i];
    if (later->endpoint == NULL || later->due > now) continue;
    static const char text[] = "this answer took its time\n";
    uint8_t buffer[64];
    copal_message response;
    copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
    copal_message_add_uint(&response, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
    copal_message_set_payload(&response, text, sizeof text - 1);
    copal_error error = copal_deferred_reply(later->endpoint, later->deferred, &response);
    if (error == COPAL_OK || error == COPAL_ERR_STALE) {
      later->endpoint = NULL;
    } else {
      later->due = now + RETRY_DELAY;
    }
  }
}

static void hello(copal_request *request, void *context) {
  (void)context;
  if (accepts_text(request)) copal_reply_text(request, "Hello, constrained world!\n");
}

static void counter_read(copal_request *request, void *context) {
  const struct demo *demo = context;
  char text[16];
  if (!accepts_text(request)) return;
  snprintf(text, sizeof text, "%" PRIu32, demo->counter);
  copal_reply_text(request, text);
}

static void counter_add(copal_request *request, void *context) {
  struct demo *demo = context;
  char text[16];
  if (!accepts_text(request)) return;
  int size = snprintf(text, sizeof text, "%" PRIu32, ++demo->counter);
  copal_reply(request, COPAL_CHANGED, COPAL_TEXT_PLAIN, text, (size_t)size);
}

static void uptime(copal_request *request, void *context) {
  const struct demo *demo = context;
  char text[32];
  if (!accepts_text(request)) return;
  int size = snprintf(text, sizeof text, "%.3f", (double)(copal_now() - demo->begin) / (double)COPAL_SECOND);
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_CONTENT);
  copal_message_add_uint(reply, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 1);
  copal_message_set_payload(reply, text, (size_t)size);
}

static void async(copal_request *request, void *context) {
  struct demo *demo = context;
  if (!accepts_text(request)) return;
  struct demo_later *later = free_place(demo);
  if (later == NULL || copal_defer(request, &later->deferred) != COPAL_OK) {
    reply_busy(request);
    return;
  }
  later->endpoint = copal_request_endpoint(request);
  later->due = copal_now() + demo->delay;
}

/* Whether text will do; where not, the request is answered. RFC 7252 5.10.4: "If the preferred Content-Format cannot be
 * returned, then a 4.06 "Not Acceptable" MUST be sent as a response". */
static bool accepts_text(copal_request *request) {
  const copal_view *message = &copal_request_rx(request)->message;
  if (copal_find_uint(message, COPAL_OPTION_ACCEPT, COPAL_TEXT_PLAIN) == COPAL_TEXT_PLAIN) return true;
  copal_reply_code(request, COPAL_NOT_ACCEPTABLE);
  return false;
}

/* RFC 7252 5.9.3.4: 5.03 "uses the Max-Age Option … to indicate the number of seconds after which to retry". */
static void reply_busy(copal_request *request) {
  copal_message *reply = copal_reply_message(request);
  copal_message_set_code(reply, COPAL_SERVICE_UNAVAILABLE);
  copal_message_add_uint(reply, COPAL_OPTION_MAX_AGE, 5);
}

static struct demo_later *free_place(struct demo *demo) {
  for (size_t i = 0; i < DEMO_LATER_MAX; ++i) {
    if (demo->later[i].endpoint == NULL) return &demo->later[i];
  }
  return NULL;
}

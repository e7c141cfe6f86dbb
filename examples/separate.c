/* A deferred answer: the handler postpones it, the endpoint acknowledges in time, and the response follows on its own
 * when the value is there. A thread of this program asks; the trace shows every message. */
#include <copal/net.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static copal_deferred owed; /* none at first */
static copal_time ready_at = COPAL_NEVER;

/* The sensor takes its time. */
static void measure(copal_request *request, void *context) {
  (void)context;
  if (ready_at != COPAL_NEVER || copal_defer(request, &owed) != COPAL_OK)
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
  else
    ready_at = copal_now() + COPAL_SECOND;
}

static void answer(copal_endpoint *server) {
  uint8_t buffer[64];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_add_uint(&response, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  copal_message_set_payload(&response, "22.3 C", 6);
  copal_error error = copal_deferred_reply(server, owed, &response);
  if (error != COPAL_OK) fprintf(stderr, "server: %s\n", copal_error_text(error));
  ready_at = COPAL_NEVER;
}

static void show(const copal_trace *trace, void *context) {
  copal_view message;
  char line[128];
  (void)context;
  if (trace->kind == COPAL_TRACE_DECIDED) return;
  if (copal_decode(trace->datagram.data, trace->datagram.size, &message) != COPAL_OK) return;
  copal_text_line(&message, line, sizeof line);
  printf("server %s %s\n", trace->kind == COPAL_TRACE_SENT ? "sends" : "receives", line);
}

struct asking {
  copal_endpoint *server;
  copal_address address;
  copal_error error;
  atomic_bool done;
};

static void *ask(void *context) {
  struct asking *asking = context;
  char text[COPAL_ADDRESS_TEXT_MAX], uri[COPAL_ADDRESS_TEXT_MAX + 32];
  copal_response response;
  copal_address_text(asking->server, &asking->address, text, sizeof text);
  snprintf(uri, sizeof uri, "coap://%s/temperature", text);
  asking->error = copal_get(uri, &response);
  if (asking->error == COPAL_OK)
    printf("client has \"%s\" after %.1f s\n", (const char *)response.payload, (double)response.round_trip / 1e9);
  atomic_store(&asking->done, true);
  return NULL;
}

int main(void) {
  copal_open_options options = copal_open_defaults();
  options.trace = show;
  struct asking asking = {.server = copal_open("coap://127.0.0.1:0", &options)};
  pthread_t thread;
  if (copal_local_address(asking.server, &asking.address) != COPAL_OK) return perror("cannot open"), 1;
  copal_route(asking.server, COPAL_GET, "/temperature", measure, NULL);
  if (pthread_create(&thread, NULL, ask, &asking) != 0) return 1;

  int result = 0;
  while (result >= 0 && !atomic_load(&asking.done)) {
    if (copal_now() >= ready_at) answer(asking.server);
    result = copal_process(asking.server, 50 * COPAL_MILLISECOND, NULL);
  }
  pthread_join(thread, NULL);
  copal_close(asking.server);
  if (asking.error != COPAL_OK) fprintf(stderr, "client: %s\n", copal_error_text(asking.error));
  return asking.error == COPAL_OK ? 0 : 1;
}

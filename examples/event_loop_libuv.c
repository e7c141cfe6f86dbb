/* A server in libuv's event loop: one uv_poll_t for copal_fd, one uv_timer_t for copal_timeout. GET /hello is answered
 * at once, GET /slow after 0.7 s, which is after its acknowledgement.
 *
 * usage: event_loop_libuv [SECONDS [URI]]: it ends after SECONDS, or on SIGTERM */
#include <copal/net.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static copal_endpoint *endpoint;
static copal_deferred owed;
static uv_timer_t timer, slow_timer, end_timer;

static void on_timer(uv_timer_t *handle);

/* Lets the endpoint work, and asks it when it wants to be called next. */
static void turn(void) {
  int result = copal_process(endpoint, 0, NULL);
  if (result < 0 && result != COPAL_ERR_INTERRUPTED) fprintf(stderr, "%s\n", copal_error_text(result));
  copal_time timeout = copal_timeout(endpoint);
  uv_timer_stop(&timer);
  if (timeout == COPAL_NEVER) return;
  uv_update_time(timer.loop); /* a timer counts from the loop's time, which may be old */
  uv_timer_start(&timer, on_timer, (timeout + COPAL_MILLISECOND - 1) / COPAL_MILLISECOND, 0);
}

static void on_timer(uv_timer_t *handle) {
  (void)handle;
  turn();
}

static void on_readable(uv_poll_t *handle, int status, int events) {
  (void)handle;
  (void)status;
  (void)events;
  turn();
}

static void on_end(uv_timer_t *handle) { uv_stop(handle->loop); }

static void on_signal(uv_signal_t *handle, int number) {
  (void)number;
  uv_stop(handle->loop);
}

static void answer_slow(uv_timer_t *handle) {
  (void)handle;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_set_payload(&message, "slow from libuv", 15);
  copal_error error = copal_deferred_reply(endpoint, owed, &message);
  printf("answered /slow: %s\n", error == COPAL_OK ? "sent" : copal_error_text(error));
  turn();
}

static void hello(copal_request *request, void *context) {
  (void)context;
  printf("GET /hello\n");
  copal_reply_text(request, "hello from libuv");
}

static void slow(copal_request *request, void *context) {
  (void)context;
  printf("GET /slow\n");
  if (uv_is_active((uv_handle_t *)&slow_timer) || copal_defer(request, &owed) != COPAL_OK)
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
  else
    uv_timer_start(&slow_timer, answer_slow, 700, 0);
}

int main(int argc, char **argv) {
  uv_loop_t *loop = uv_default_loop();
  uv_poll_t poll;
  uv_signal_t terminate;
  char text[COPAL_ADDRESS_TEXT_MAX];
  copal_address address;
  endpoint = copal_open(argc > 2 ? argv[2] : "coap://127.0.0.1:0", NULL);
  if (copal_local_address(endpoint, &address) != COPAL_OK) return perror("cannot open"), 1;
  copal_route(endpoint, COPAL_GET, "/hello", hello, NULL);
  copal_route(endpoint, COPAL_GET, "/slow", slow, NULL);
  copal_address_text(endpoint, &address, text, sizeof text);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("listening on coap://%s\n", text);

  uv_timer_init(loop, &timer);
  uv_timer_init(loop, &slow_timer);
  uv_timer_init(loop, &end_timer);
  uv_timer_start(&end_timer, on_end, (uint64_t)(argc > 1 ? atoi(argv[1]) : 10) * 1000, 0);
  uv_signal_init(loop, &terminate);
  uv_signal_start(&terminate, on_signal, SIGTERM);
  uv_poll_init(loop, &poll, copal_fd(endpoint));
  uv_poll_start(&poll, UV_READABLE, on_readable);
  turn();
  uv_run(loop, UV_RUN_DEFAULT);
  uv_poll_stop(&poll);
  copal_close(endpoint);
  printf("ended\n");
  return 0;
}

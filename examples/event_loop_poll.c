/* A server in an event loop of the program's own, here poll(). GET /hello is answered at once, GET /slow after 0.7 s,
 * which is after its acknowledgement: copal_timeout tells when that is due.
 *
 * usage: event_loop_poll [SECONDS [URI]]: it ends after SECONDS, or on SIGTERM */
#include <copal/net.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static copal_endpoint *endpoint;
static copal_deferred owed; /* none at first */
static copal_time owed_at = COPAL_NEVER;
static volatile sig_atomic_t stopped;

static void stop(int number) {
  (void)number;
  stopped = 1;
  copal_wake(endpoint); /* makes copal_fd readable, so that a poll() that is about to begin ends as well */
}

static void hello(copal_request *request, void *context) {
  (void)context;
  printf("GET /hello\n");
  copal_reply_text(request, "hello from poll");
}

static void slow(copal_request *request, void *context) {
  (void)context;
  printf("GET /slow\n");
  if (owed_at != COPAL_NEVER || copal_defer(request, &owed) != COPAL_OK) {
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
    return;
  }
  owed_at = copal_now() + 700 * COPAL_MILLISECOND;
}

static void answer_slow(void) {
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_set_payload(&message, "slow from poll", 14);
  copal_error error = copal_deferred_reply(endpoint, owed, &message);
  printf("answered /slow: %s\n", error == COPAL_OK ? "sent" : copal_error_text(error));
  owed_at = COPAL_NEVER;
}

/* poll()'s milliseconds until the earliest of what is to come, rounded up lest the loop spin. */
static int wait_ms(copal_time end) {
  copal_time now = copal_now(), wait = end > now ? end - now : 0;
  if (owed_at != COPAL_NEVER && owed_at < now + wait) wait = owed_at > now ? owed_at - now : 0;
  if (copal_timeout(endpoint) < wait) wait = copal_timeout(endpoint);
  return (int)((wait + COPAL_MILLISECOND - 1) / COPAL_MILLISECOND);
}

int main(int argc, char **argv) {
  copal_time end = copal_now() + (copal_time)(argc > 1 ? atoi(argv[1]) : 10) * COPAL_SECOND;
  char text[COPAL_ADDRESS_TEXT_MAX];
  copal_address address;
  endpoint = copal_open(argc > 2 ? argv[2] : "coap://127.0.0.1:0", NULL);
  if (copal_local_address(endpoint, &address) != COPAL_OK) return perror("cannot open"), 1;
  copal_route(endpoint, COPAL_GET, "/hello", hello, NULL);
  copal_route(endpoint, COPAL_GET, "/slow", slow, NULL);
  copal_address_text(endpoint, &address, text, sizeof text);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("listening on coap://%s\n", text);
  signal(SIGTERM, stop);

  struct pollfd polled = {.fd = copal_fd(endpoint), .events = POLLIN};
  while (!stopped && copal_now() < end) {
    poll(&polled, 1, wait_ms(end));
    if (copal_now() >= owed_at) answer_slow();
    int result = copal_process(endpoint, 0, NULL);
    if (result < 0 && result != COPAL_ERR_INTERRUPTED) return fprintf(stderr, "%s\n", copal_error_text(result)), 1;
  }
  copal_close(endpoint);
  printf("ended\n");
  return 0;
}

/* A server in systemd's event loop: one I/O source for copal_fd, one time source for copal_timeout. GET /hello is
 * answered at once, GET /slow after 0.7 s, which is after its acknowledgement.
 *
 * usage: event_loop_sd_event [SECONDS [URI]]: it ends after SECONDS, or on SIGTERM */
#include <copal/net.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <time.h>

/* What the loop may come late, in microseconds; 0 would be a quarter of a second. */
enum { ACCURACY = 1 };

static copal_endpoint *endpoint;
static copal_deferred owed;
static sd_event_source *timer, *slow_timer;

/* Lets the endpoint work, and asks it when it wants to be called next. */
static int turn(void) {
  int result = copal_process(endpoint, 0, NULL);
  if (result < 0 && result != COPAL_ERR_INTERRUPTED) fprintf(stderr, "%s\n", copal_error_text(result));
  copal_time timeout = copal_timeout(endpoint);
  if (timeout == COPAL_NEVER) return sd_event_source_set_enabled(timer, SD_EVENT_OFF);
  sd_event_source_set_time_relative(timer, (timeout + COPAL_MICROSECOND - 1) / COPAL_MICROSECOND);
  return sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t now, void *context) {
  (void)source, (void)now, (void)context;
  return turn();
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *context) {
  (void)source, (void)fd, (void)events, (void)context;
  return turn();
}

static int on_end(sd_event_source *source, uint64_t now, void *context) {
  (void)now, (void)context;
  return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int answer_slow(sd_event_source *source, uint64_t now, void *context) {
  (void)source, (void)now, (void)context;
  uint8_t buffer[64];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_set_payload(&message, "slow from sd-event", 18);
  copal_error error = copal_deferred_reply(endpoint, owed, &message);
  printf("answered /slow: %s\n", error == COPAL_OK ? "sent" : copal_error_text(error));
  return turn();
}

static void hello(copal_request *request, void *context) {
  (void)context;
  printf("GET /hello\n");
  copal_reply_text(request, "hello from sd-event");
}

static void slow(copal_request *request, void *context) {
  (void)context;
  printf("GET /slow\n");
  if (sd_event_source_get_enabled(slow_timer, NULL) > 0 || copal_defer(request, &owed) != COPAL_OK) {
    copal_reply_code(request, COPAL_SERVICE_UNAVAILABLE);
    return;
  }
  sd_event_source_set_time_relative(slow_timer, 700000);
  sd_event_source_set_enabled(slow_timer, SD_EVENT_ONESHOT);
}

int main(int argc, char **argv) {
  uint64_t seconds = (uint64_t)(argc > 1 ? atoi(argv[1]) : 10);
  sd_event *event;
  char text[COPAL_ADDRESS_TEXT_MAX];
  copal_address address;
  sigset_t signals;
  endpoint = copal_open(argc > 2 ? argv[2] : "coap://127.0.0.1:0", NULL);
  if (copal_local_address(endpoint, &address) != COPAL_OK) return perror("cannot open"), 1;
  copal_route(endpoint, COPAL_GET, "/hello", hello, NULL);
  copal_route(endpoint, COPAL_GET, "/slow", slow, NULL);
  copal_address_text(endpoint, &address, text, sizeof text);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("listening on coap://%s\n", text);

  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  if (sd_event_default(&event) < 0 || sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL) < 0 ||
      sd_event_add_io(event, NULL, copal_fd(endpoint), EPOLLIN, on_readable, NULL) < 0 ||
      sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, seconds * 1000000, ACCURACY, on_end, NULL) < 0 ||
      sd_event_add_time(event, &timer, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY, on_timer, NULL) < 0 ||
      sd_event_add_time(event, &slow_timer, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY, answer_slow, NULL) < 0)
    return fprintf(stderr, "no event loop\n"), 1;
  sd_event_source_set_enabled(slow_timer, SD_EVENT_OFF);
  turn();
  int result = sd_event_loop(event);
  copal_close(endpoint);
  printf("ended\n");
  return result;
}

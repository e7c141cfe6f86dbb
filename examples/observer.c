/* Observes a resource and prints each of its states: observer URI [COUNT]. */
#include <copal/net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct watch {
  unsigned left; /* states to wait for */
  bool ok;       /* the last one was a success */
};

static void changed(copal_endpoint *endpoint, copal_call call, const copal_result *result, void *context) {
  struct watch *watch = context;
  const copal_rx *rx = result->rx;
  watch->ok = rx != NULL && COPAL_CODE_CLASS(rx->message.code) == 2;
  if (watch->ok)
    printf("%.*s\n", (int)result->body.size, (const char *)result->body.data);
  else
    fprintf(stderr, "%s\n", rx != NULL ? copal_code_name(rx->message.code) : copal_error_text(result->error));
  fflush(stdout);
  if (!result->last && --watch->left > 0) return;
  if (!result->last) copal_call_cancel(endpoint, call, true);
  copal_stop(endpoint);
}

int main(int argc, char **argv) {
  const char *text = argc > 1 ? argv[1] : "coap://localhost/temperature";
  struct watch watch = {.left = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10};
  copal_endpoint *endpoint = copal_open(NULL, NULL);
  copal_uri uri;
  copal_address remote;
  uint8_t buffer[256], body[4096];
  copal_message message;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_error error = copal_uri_parse(text, strlen(text), &uri);
  if (error == COPAL_OK) error = copal_uri_to_options(&uri, &message);
  if (error == COPAL_OK) error = copal_resolve(endpoint, &uri, &remote);
  copal_call_options options = {.message = &message,
                                .remote = &remote,
                                .handler = changed,
                                .context = &watch,
                                .buffer = body,
                                .capacity = sizeof body,
                                .observe = true};
  if (error == COPAL_OK) error = copal_call_begin(endpoint, &options, NULL);
  int result = error != COPAL_OK ? (int)error : copal_run(endpoint);
  /* The deregistration goes, and its answer comes. */
  if (result == 0) result = copal_process(endpoint, 200 * COPAL_MILLISECOND, NULL);
  copal_close(endpoint);
  if (result < 0) fprintf(stderr, "%s\n", copal_error_text((copal_error)result));
  return result >= 0 && watch.ok ? 0 : 1;
}

/* Records on a raw endpoint, where the application acknowledges: a server that answers at once, later or not at all,
 * and a client that sends and sees what comes back. Both run in this program, each in a thread of its own. */
#include <copal/net.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static copal_endpoint *open_raw(void) {
  copal_open_options options = copal_open_defaults();
  options.config.raw = true;
  return copal_open("coap://127.0.0.1:0", &options);
}

static void print(const char *who, const copal_rx *rx) {
  char line[128];
  copal_text_line(&rx->message, line, sizeof line);
  printf("%s received %s\n", who, line);
}

/* --- Server ------------------------------------------------------------------------------------------- */

static bool path_is(const copal_rx *rx, const char *path) {
  copal_option option;
  return copal_find(&rx->message, COPAL_OPTION_URI_PATH, &option) && option.size == strlen(path) &&
         memcmp(option.value, path, option.size) == 0;
}

static copal_error answer(copal_rx *rx) {
  uint8_t buffer[64];
  copal_message response;
  copal_message_init(&response, buffer, sizeof buffer, COPAL_CON, COPAL_CONTENT);
  copal_message_add_uint(&response, COPAL_OPTION_CONTENT_FORMAT, COPAL_TEXT_PLAIN);
  if (path_is(rx, "now")) {
    copal_message_set_payload(&response, "22.3 C", 6);
    return copal_ack(rx, &response); /* piggybacked: the ACK carries the response */
  }
  if (path_is(rx, "later")) {
    copal_error error = copal_ack(rx, NULL); /* the ACK alone, and then a message of its own */
    copal_message_set_payload(&response, "22.4 C", 6);
    return error == COPAL_OK ? copal_respond(rx, &response, NULL) : error;
  }
  return copal_reset(rx);
}

static void *serve(void *server) {
  copal_rx rx;
  while (copal_process(server, COPAL_NEVER, &rx) > 0) {
    print("server", &rx);
    if (rx.has_responded) continue; /* an ACK: nothing is owed */
    copal_error error = answer(&rx);
    if (error != COPAL_OK) printf("server: %s\n", copal_error_text(error));
  }
  return NULL;
}

/* --- Client ------------------------------------------------------------------------------------------- */

/* Whether this message ends the transmission: a Reset, or the response, piggybacked or separate. */
static bool is_end(copal_rx *rx, copal_tx tx) {
  print("client", rx);
  if (copal_same_tx(rx->request, tx)) {
    if (rx->type == COPAL_CON && copal_ack(rx, NULL) != COPAL_OK) printf("client: cannot acknowledge\n");
    return true;
  }
  if (copal_same_tx(rx->pertains_to, tx)) return rx->type == COPAL_RST; /* an empty ACK: the response follows */
  if (copal_reset(rx) != COPAL_OK) printf("client: nothing to reset\n");
  return false;
}

static bool get(copal_endpoint *client, const copal_address *remote, const char *path) {
  uint8_t buffer[64];
  copal_message message;
  copal_tx tx;
  copal_rx rx;
  copal_message_init(&message, buffer, sizeof buffer, COPAL_CON, COPAL_GET);
  copal_message_add_text(&message, COPAL_OPTION_URI_PATH, path);
  copal_error error = copal_send(client, &message, remote, &tx);
  if (error != COPAL_OK) return printf("client: %s\n", copal_error_text(error)), false;

  printf("client asks for /%s\n", path);
  int result;
  while ((result = copal_process(client, 5 * COPAL_SECOND, &rx)) > 0 && !is_end(&rx, tx)) continue;

  copal_tx_info info;
  if (copal_tx_get(client, tx, &info) == COPAL_OK)
    printf("client: sent %u times, %u replies, %s\n", info.transmissions, info.responses_count,
           info.has_response ? "answered" : "not answered");
  return result > 0;
}

int main(void) {
  copal_endpoint *server = open_raw(), *client = open_raw();
  copal_address remote;
  pthread_t thread;
  if (copal_local_address(server, &remote) != COPAL_OK || client == NULL) return perror("cannot open"), 1;
  if (pthread_create(&thread, NULL, serve, server) != 0) return 1;
  bool ok = get(client, &remote, "now") && get(client, &remote, "later") && get(client, &remote, "nothing");
  copal_wake(server);
  pthread_join(thread, NULL);
  copal_close(client);
  copal_close(server);
  return ok ? 0 : 1;
}

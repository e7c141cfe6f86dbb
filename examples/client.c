/* The three-line client: prints what a GET brings. */
#include <copal/net.h>
#include <stdio.h>

int main(int argc, char **argv) {
  copal_response response;
  copal_error error = copal_get(argc > 1 ? argv[1] : "coap://localhost/hello", &response);
  if (error != COPAL_OK) return fprintf(stderr, "%s\n", copal_error_text(error)), 1;
  fwrite(response.payload, 1, response.payload_size, stdout);
  return 0;
}

/* The five-line server: GET coap://localhost/hello. */
#include <copal/net.h>

static void hello(copal_request *request, void *context) {
  (void)context;
  copal_reply_text(request, "hello");
}

int main(int argc, char **argv) {
  copal_endpoint *endpoint = copal_open(argc > 1 ? argv[1] : "coap://[::]", NULL);
  copal_route(endpoint, COPAL_GET, "/hello", hello, NULL);
  return copal_run(endpoint);
}

/* The same server with libcoap: the same resources and answers, its event loop, its log silent. */
#include <coap3/coap.h>
#include <stdio.h>
#include <string.h>

static coap_resource_t *temperature;

static void answer(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
                   const coap_string_t *query, coap_pdu_t *response) {
  (void)resource, (void)session, (void)request, (void)query;
  coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
  coap_add_option(response, COAP_OPTION_CONTENT_FORMAT, 0, NULL);
  coap_add_data(response, 4, (const uint8_t *)"22.3");
}

static coap_resource_t *add(coap_context_t *context, const char *path, coap_request_t method) {
  coap_resource_t *resource = coap_resource_init(coap_make_str_const(path), 0);
  coap_register_request_handler(resource, method, answer);
  coap_add_resource(context, resource);
  return resource;
}

int main(void) {
  coap_address_t address;
  coap_startup();
  coap_set_log_level(LOG_EMERG);
  coap_address_init(&address);
  address.size = sizeof address.addr.sin6;
  address.addr.sin6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
  coap_context_t *context = coap_new_context(NULL);
  coap_endpoint_t *endpoint = context == NULL ? NULL : coap_new_endpoint(context, &address, COAP_PROTO_UDP);
  if (endpoint == NULL) return 1;
  temperature = add(context, "temperature", COAP_REQUEST_GET);
  coap_resource_set_get_observable(temperature, 1);
  add(context, "count", COAP_REQUEST_POST);

  /* Its functions do not tell which port the system chose. */
  struct sockaddr_in6 bound = {.sin6_port = 0};
  for (int fd = 3; fd < 16; ++fd) {
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) == 0 && bound.sin6_family == AF_INET6) break;
  }
  printf("{\"port\":%u}\n", ntohs(bound.sin6_port));
  fflush(stdout);
  while (coap_io_process(context, COAP_IO_WAIT) >= 0) continue;
  coap_free_context(context);
  return 1;
}

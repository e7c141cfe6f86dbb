/* Opening and closing a hosted endpoint: two blocks of memory, reserved here and committed as they are touched, the
 * seed, the primary socket. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "net/net.h"

copal_open_options copal_open_defaults(void) {
  copal_open_options options = {.config = copal_config_default(), .batch = 32, .segments = true};
  return options;
}

/* --- Memory -------------------------------------------------------------------------------------- */

static void *reserve(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static size_t align(size_t size) { return (size + 63) & ~(size_t)63; }

static struct net *reserve_net(uint32_t batch) {
  size_t header = align(sizeof(struct net)), datagrams = align(batch * sizeof(copal_datagram));
  size_t receiving = align(net_batch_size(batch, true)), sending = align(net_batch_size(batch, false));
  size_t size = header + 2 * datagrams + receiving + sending;
  uint8_t *memory = reserve(size);
  if (memory == NULL) return NULL;
  struct net *net = (struct net *)memory;
  net->size = size;
  net->batch = batch;
  net->epoll = -1;
  for (uint32_t i = 0; i < NET_SOCKETS_MAX; ++i) net->sockets[i].fd = -1;
  for (uint32_t i = 0; i < COPAL_FDS_MAX; ++i) net->watched[i] = (struct pollfd){.fd = -1, .events = POLLIN};
  memory += header;
  net->datagrams_in = (copal_datagram *)memory;
  net->datagrams_out = (copal_datagram *)(memory + datagrams);
  net->receiving = net_batch_init(memory + 2 * datagrams, batch, true);
  net->sending = net_batch_init(memory + 2 * datagrams + receiving, batch, false);
  return net;
}

static void release(struct net *net) {
  for (uint32_t i = 0; i < NET_SOCKETS_MAX; ++i)
    if (net->sockets[i].fd >= 0) net_remove_socket(net, i);
  if (net->bound_name[0] != 0) unlink(net->bound_name);
  if (net->watched[NET_WATCHED_WAKE].fd >= 0) close(net->watched[NET_WATCHED_WAKE].fd);
  if (net->epoll >= 0) close(net->epoll);
  if (net->endpoint != NULL) munmap(net->endpoint, net->endpoint_size);
  munmap(net, net->size);
}

/* --- Parts --------------------------------------------------------------------------------------- */

static copal_error make_endpoint(struct net *net, const copal_open_options *options) {
  uint8_t seed[32];
  size_t size = copal_endpoint_size(&options->config);
  if (size == 0) return COPAL_ERR_CONFIG;
  if (options->seed == NULL && getrandom(seed, sizeof seed, 0) != sizeof seed) return COPAL_ERR_SOCKET;
  void *memory = reserve(size);
  if (memory == NULL) return COPAL_ERR_MEMORY;
  net->endpoint =
      copal_endpoint_init(memory, size, &options->config, options->seed != NULL ? options->seed : seed, copal_now());
  net->endpoint_size = size;
  net->endpoint->host = net;
  net->endpoint->clock = copal_now;
  return COPAL_OK;
}

static copal_error make_wake(struct net *net) {
  int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return fd < 0 ? COPAL_ERR_SOCKET : net_watch(net, NET_WATCHED_WAKE, fd);
}

static copal_error bind_unix(struct net *net, const copal_address *address, int *fd) {
  *fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (*fd < 0) return COPAL_ERR_SOCKET;
  struct sockaddr_storage storage;
  socklen_t size = net_address_to(address, AF_UNIX, &net->names, &storage);
  const struct net_name *name = net_name_find(&net->names, address);
  /* A NUL alone asks the kernel for an abstract name of its choice. */
  if (name->size == 1 && name->text[0] == 0) size = sizeof(sa_family_t);
  if (bind(*fd, (struct sockaddr *)&storage, size) != 0) {
    int cause = errno;
    close(*fd);
    errno = cause;
    return COPAL_ERR_BIND;
  }
  if (name->text[0] != 0 && name->size < sizeof net->bound_name) memcpy(net->bound_name, name->text, name->size);
  return COPAL_OK;
}

static copal_error make_primary(struct net *net, const char *uri, bool reuse_port, int *fd) {
  copal_address address = {.family = COPAL_FAMILY_NONE};
  if (uri != NULL) {
    copal_uri parsed;
    copal_error error = copal_uri_parse(uri, strlen(uri), &parsed);
    if (error == COPAL_OK) error = net_resolve(&parsed, AF_UNSPEC, &net->names, &address);
    if (error != COPAL_OK) return error;
  }
  if (address.family == COPAL_FAMILY_UNIX) return bind_unix(net, &address, fd);
  return net_make_socket(&address, reuse_port, fd);
}

/* --- Open and close ------------------------------------------------------------------------------ */

/* fd below 0: make the primary socket from uri. */
static copal_error open_parts(struct net *net, const copal_open_options *options, const char *uri, int fd) {
  net->trace = options->trace;
  net->trace_context = options->trace_context;
  net->batch_in = options->trace != NULL ? 1 : net->batch;
  net->primary_source = options->primary_source;
  net->segments = options->segments;
  copal_error error = make_endpoint(net, options);
  if (error == COPAL_OK) error = make_wake(net);
  if (error != COPAL_OK) return error;
  bool owned = fd < 0;
  if (owned) error = make_primary(net, uri, options->reuse_port, &fd);
  if (error != COPAL_OK) return error;
  uint32_t index;
  error = net_add_socket(net, fd, true, &index);
  if (error != COPAL_OK && owned) close(fd);
  return error;
}

static copal_endpoint *open_with(copal_open_options *options, const char *uri, int fd) {
  copal_open_options defaults = copal_open_defaults();
  if (options == NULL) options = &defaults;
  options->error = COPAL_OK;
  if (options->batch < 1 || options->batch > NET_BATCH_MAX) {
    options->error = COPAL_ERR_CONFIG;
    return NULL;
  }
  /* No more comes in at once than may be answered at once. */
  uint32_t batch = options->batch;
  if (options->config.outbox_max >= 1 && options->config.outbox_max < batch) batch = options->config.outbox_max;
  struct net *net = reserve_net(batch);
  if (net == NULL) {
    options->error = COPAL_ERR_MEMORY;
    return NULL;
  }
  options->error = open_parts(net, options, uri, fd);
  if (options->error == COPAL_OK) return net->endpoint;
  int cause = errno;
  release(net);
  errno = cause;
  return NULL;
}

copal_endpoint *copal_open(const char *uri, copal_open_options *options) { return open_with(options, uri, -1); }

copal_endpoint *copal_open_fd(int fd, copal_open_options *options) {
  if (fd >= 0) return open_with(options, NULL, fd);
  if (options != NULL) options->error = COPAL_ERR_SOCKET;
  return NULL;
}

void copal_close(copal_endpoint *endpoint) {
  struct net *net = net_of(endpoint);
  if (net == NULL) return;
  assert(!endpoint->in_handler);
  release(net);
}

/* One thread of "copal serve". Knows no resource and no other thread. An example of the library in somebody else's
 * event loop: copal_fds, copal_timeout, copal_process with a timeout of 0. */
#include "cli/serve/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli/show/terminal.h"

static enum status open_one(struct worker *worker, const char *uri, bool fallback);
static void show_datagram(const copal_trace *event, void *context);
static void join_groups(const struct worker *worker, copal_endpoint *endpoint, const copal_address *local);
static enum status process_all(struct worker *worker);
static copal_time sleep_time(const struct worker *worker);
static void finish_one(copal_endpoint *endpoint);

/* Of a batch each: more than a socket's buffer holds, and an end where clients ask faster than they are answered. */
enum { LAST_PASSES_MAX = 64 };

enum status worker_open(struct worker *worker, const char *const *uris, size_t count, bool fallback) {
  enum status status = worker->site->open(worker->settings);
  worker->is_open = status == STATUS_SUCCESS;
  for (size_t i = 0; status == STATUS_SUCCESS && i < count; ++i) status = open_one(worker, uris[i], fallback);
  return status;
}

static enum status open_one(struct worker *worker, const char *uri, bool fallback) {
  const struct settings *settings = worker->settings;
  struct trace *trace = &worker->traces[worker->count];
  trace_begin(trace, settings);
  trace->record = worker->record;
  copal_open_options options = copal_open_defaults();
  /* Who is looked on receives datagrams one by one. */
  if (trace->level > 0 || trace->record != NULL) options.trace = show_datagram;
  options.trace_context = trace;
  options.segments = false; /* a capture beside it shows what clients get */
  options.reuse_port = worker->is_shared || settings->reuse_port;
  if (settings->ack_timeout != COPAL_NEVER) options.config.parameters.ack_timeout = settings->ack_timeout;
  if (settings->retransmit != UINT32_MAX) options.config.parameters.max_retransmit = (uint8_t)settings->retransmit;
  if (worker->site->configure != NULL) worker->site->configure(&options.config);
  if (settings->amplification != UINT32_MAX) options.config.amplification_max = settings->amplification;
  copal_endpoint *endpoint = copal_open(uri, &options);
  if (endpoint == NULL && fallback && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
    uri = "coap://0.0.0.0:5683";
    endpoint = copal_open(uri, &options);
  }
  if (endpoint == NULL && options.error == COPAL_ERR_CONFIG && settings->ack_timeout != COPAL_NEVER) {
    complain("serve", "--ack-timeout is out of range: more than 0 and at most 3600 seconds");
    return STATUS_USAGE;
  }
  if (endpoint == NULL) {
    bool system = options.error == COPAL_ERR_SOCKET || options.error == COPAL_ERR_BIND;
    complain("serve", "%s: %s%s%s%s", uri, copal_error_text(options.error), system ? ": " : "",
             system ? strerror(errno) : "", system && errno == EADDRINUSE ? "; is another server running there?" : "");
    return status_of_error(options.error);
  }
  trace->endpoint = endpoint;
  worker->endpoints[worker->count++] = endpoint;
  copal_error error = worker->site->attach(endpoint);
  if (error == COPAL_OK) return STATUS_SUCCESS;
  complain("serve", "cannot register the resources: %s", copal_error_text(error));
  return STATUS_LOCAL;
}

/* A datagram takes several writes, here and in the recording, and other threads have some to show too. */
static void show_datagram(const copal_trace *event, void *context) {
  flockfile(stderr);
  trace_datagram(event, context);
  funlockfile(stderr);
}

enum status worker_join(const struct worker *worker, char (*uris)[BIND_URI_MAX]) {
  for (size_t i = 0; i < worker->count; ++i) {
    copal_endpoint *endpoint = worker->endpoints[i];
    copal_address local;
    copal_error error = copal_local_address(endpoint, &local);
    if (error != COPAL_OK) {
      complain("serve", "%s (%s)", copal_error_text(error), strerror(errno));
      return STATUS_LOCAL;
    }
    if (local.family == COPAL_FAMILY_IPV4 || local.family == COPAL_FAMILY_IPV6) {
      char text[COPAL_ADDRESS_TEXT_MAX];
      copal_address_text(endpoint, &local, text, sizeof text);
      snprintf(uris[i], BIND_URI_MAX, "coap://%s", text);
      join_groups(worker, endpoint, &local);
    } else {
      snprintf(uris[i], BIND_URI_MAX, "%s", worker->settings->binds.items[i]);
    }
  }
  return STATUS_SUCCESS;
}

/* RFC 7252 12.8: the All CoAP Nodes groups, link-local and site-local for IPv6. Who is bound to one address is not
 * meant by them. */
static void join_groups(const struct worker *worker, copal_endpoint *endpoint, const copal_address *local) {
  static const char *const groups[] = {"224.0.1.187", "ff02::fd", "ff05::fd"};
  static const uint8_t any[sizeof local->bytes] = {0};
  const struct settings *settings = worker->settings;
  if (memcmp(local->bytes, any, sizeof any) != 0) return;
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; ++i) {
    bool ipv6 = strchr(groups[i], ':') != NULL;
    if (ipv6 && local->family == COPAL_FAMILY_IPV4) continue;
    copal_error error = copal_join(endpoint, groups[i], settings->interface);
    if (error == COPAL_OK || settings->quiet) continue;
    if (error == COPAL_ERR_INTERFACE) {
      remark("--interface %s: %s", settings->interface, copal_error_text(error));
    } else if (settings->verbose > 0) {
      remark("group %s is not joined: %s (%s)", groups[i], copal_error_text(error), strerror(errno));
    }
  }
}

enum status worker_pass(struct worker *worker, bool *has_signal) {
  struct pollfd descriptors[2 + BINDS_MAX * COPAL_FDS_MAX];
  /* poll passes over a descriptor that is -1. */
  int own = worker->site->descriptor != NULL ? worker->site->descriptor() : -1;
  descriptors[0] = (struct pollfd){.fd = worker->signals, .events = POLLIN};
  descriptors[1] = (struct pollfd){.fd = own, .events = POLLIN};
  nfds_t count = 2;
  for (size_t i = 0; i < worker->count; ++i) {
    int fds[COPAL_FDS_MAX];
    size_t fds_count = copal_fds(worker->endpoints[i], fds);
    for (size_t j = 0; j < fds_count; ++j) descriptors[count++] = (struct pollfd){.fd = fds[j], .events = POLLIN};
  }
  copal_time sleep = sleep_time(worker);
  struct timespec span = {(time_t)(sleep / COPAL_SECOND), (long)(sleep % COPAL_SECOND)};
  int ready = ppoll(descriptors, count, sleep == COPAL_NEVER ? NULL : &span, NULL);
  if (ready < 0 && errno != EINTR) {
    complain("serve", "cannot wait: %s", strerror(errno));
    return STATUS_LOCAL;
  }
  *has_signal = ready > 0 && descriptors[0].revents != 0;
  return process_all(worker);
}

/* Who is woken while endpoints are at work may have been woken because there is something new to do: once more. */
static enum status process_all(struct worker *worker) {
  bool is_woken = true;
  while (is_woken) {
    is_woken = false;
    worker->site->work(copal_now());
    for (size_t i = 0; i < worker->count; ++i) {
      int result = copal_process(worker->endpoints[i], 0, NULL);
      if (worker->site->settle != NULL) worker->site->settle();
      if (result == COPAL_ERR_INTERRUPTED) is_woken = true;
      if (result >= 0 || result == COPAL_ERR_INTERRUPTED) continue;
      complain("serve", "%s (%s)", copal_error_text((copal_error)result), strerror(errno));
      return STATUS_LOCAL;
    }
  }
  return STATUS_SUCCESS;
}

/* Until the first of all is due. */
static copal_time sleep_time(const struct worker *worker) {
  copal_time deadline = worker->site->deadline(), now = copal_now();
  if (worker->is_ending && worker->end < deadline) deadline = worker->end;
  copal_time shortest = deadline;
  if (deadline != COPAL_NEVER) shortest = deadline > now ? deadline - now : 0;
  for (size_t i = 0; i < worker->count; ++i) {
    copal_time sleep = copal_timeout(worker->endpoints[i]);
    if (sleep < shortest) shortest = sleep;
  }
  return shortest;
}

void worker_prepare(struct worker *worker, copal_time end) {
  worker->is_ending = true;
  worker->end = end;
  if (worker->site->finish != NULL) worker->site->finish(end);
}

bool worker_is_settled(const struct worker *worker) {
  for (size_t i = 0; i < worker->count; ++i) {
    copal_usage usage = copal_endpoint_usage(worker->endpoints[i]);
    if (usage.deferred > 0 || usage.exchanges > 0) return false;
  }
  return true;
}

void worker_finish(const struct worker *worker) {
  for (size_t i = 0; i < worker->count; ++i) finish_one(worker->endpoints[i]);
}

/* A pass with a timeout of 0 sends one batch; one that is woken sends all that is due. */
static void finish_one(copal_endpoint *endpoint) {
  int result = 0;
  for (int pass = 0; pass < LAST_PASSES_MAX && result == 0 && copal_timeout(endpoint) == 0; ++pass)
    result = copal_process(endpoint, 0, NULL);
  copal_wake(endpoint);
  result = copal_process(endpoint, 0, NULL);
  (void)result; /* whatever it says, the end is near */
}

void worker_wake(const struct worker *worker) {
  if (worker->count > 0) copal_wake(worker->endpoints[0]);
}

void worker_state(struct worker *worker) {
  worker->stats = (copal_stats){0};
  for (size_t i = 0; i < worker->count; ++i) {
    copal_stats stats = copal_endpoint_stats(worker->endpoints[i]);
    copal_stats_add(&worker->stats, &stats);
  }
}

void worker_close(struct worker *worker) {
  for (size_t i = 0; i < worker->count; ++i) copal_close(worker->endpoints[i]);
  if (worker->is_open && worker->site->close != NULL) worker->site->close();
}

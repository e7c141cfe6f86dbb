/* copal serve: several endpoints in one loop, all with the resources of one site. Knows no resource. An example of the
 * library in somebody else's event loop: copal_fd, copal_timeout, copal_process with a timeout of 0. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/line/command.h"
#include "cli/serve/audience.h"
#include "cli/serve/site.h"
#include "cli/show/terminal.h"
#include "cli/show/trace.h"

enum { BINDS_MAX = AUDIENCE_MAX };

struct server {
  const struct settings *settings;
  const struct site *site;
  copal_endpoint *endpoints[BINDS_MAX];
  struct trace traces[BINDS_MAX];
  struct record record; /* of all of them */
  size_t count;
  int signals; /* a descriptor that is readable after SIGINT or SIGTERM */
};

static const struct site *choose_site(const struct command *command, const struct settings *settings);
static enum status open_record(struct server *server);
static enum status open_all(struct server *server);
static enum status open_one(struct server *server, const char *uri, bool fallback);
static enum status announce(const struct server *server, copal_endpoint *endpoint, const char *uri);
static void join_groups(const struct server *server, copal_endpoint *endpoint, const copal_address *local);
static bool open_signals(struct server *server);
static enum status loop(struct server *server);
static enum status process_all(struct server *server);
static copal_time sleep_time(const struct server *server);
static void print_counters(const struct server *server);

enum status serve_run(const struct command *command, const struct settings *settings) {
  static struct server server;
  server.settings = settings;
  server.site = choose_site(command, settings);
  if (server.site == NULL) return STATUS_USAGE;
  enum status status = server.site->open(settings);
  if (status != STATUS_SUCCESS) return status;
  status = open_record(&server);
  if (status == STATUS_SUCCESS) status = open_signals(&server) ? open_all(&server) : STATUS_LOCAL;
  if (status == STATUS_SUCCESS) status = loop(&server);
  if (status == STATUS_SUCCESS && settings->verbose > 0 && !settings->quiet) print_counters(&server);
  for (size_t i = 0; i < server.count; ++i) copal_close(server.endpoints[i]);
  if (server.site->close != NULL) server.site->close();
  if (!record_close(&server.record) && status == STATUS_SUCCESS) status = STATUS_LOCAL;
  close(server.signals);
  return status;
}

static const struct site *choose_site(const struct command *command, const struct settings *settings) {
  size_t folders = settings->operands_count;
  if (folders > 0 && strstr(settings->operands[0], "://") != NULL) {
    complain(command->name, "'%s' is no folder: addresses are given with --bind URI", settings->operands[0]);
  } else if (folders > 1) {
    complain(command->name, "'%s' is one folder too many", settings->operands[1]);
  } else if (folders > 0 && settings->plugtest) {
    complain(command->name, "--plugtest serves resources of its own, no folder");
  } else if (folders == 0 && settings->write) {
    complain(command->name, "--write needs a folder to write to");
  } else if (folders > 0) {
    return &files_site;
  } else {
    return settings->plugtest ? &plugtest_site : &demo_site;
  }
  return NULL;
}

/* Standard output is for the addresses that are listened on. */
static enum status open_record(struct server *server) {
  const char *path = server->settings->pcap;
  if (path == NULL) return STATUS_SUCCESS;
  if (strcmp(path, "-") == 0) {
    complain("serve", "--pcap needs a FILE: standard output tells where the server listens");
    return STATUS_USAGE;
  }
  return record_open(&server->record, "serve", path) ? STATUS_SUCCESS : STATUS_LOCAL;
}

static enum status open_all(struct server *server) {
  const struct list *binds = &server->settings->binds;
  if (binds->count > BINDS_MAX) {
    complain("serve", "--bind is given more than %d times", BINDS_MAX);
    return STATUS_USAGE;
  }
  if (binds->count == 0) return open_one(server, "coap://[::]:5683", true);
  enum status status = STATUS_SUCCESS;
  for (size_t i = 0; status == STATUS_SUCCESS && i < binds->count; ++i) {
    status = open_one(server, binds->items[i], false);
  }
  return status;
}

/* With fallback, a system without IPv6 gets IPv4. */
static enum status open_one(struct server *server, const char *uri, bool fallback) {
  const struct settings *settings = server->settings;
  struct trace *trace = &server->traces[server->count];
  trace_begin(trace, settings);
  trace->record = settings->pcap != NULL ? &server->record : NULL;
  copal_open_options options = copal_open_defaults();
  /* Who is looked on receives datagrams one by one. */
  if (trace->level > 0 || trace->record != NULL) options.trace = trace_datagram;
  options.trace_context = trace;
  if (settings->ack_timeout != COPAL_NEVER) options.config.parameters.ack_timeout = settings->ack_timeout;
  if (settings->retransmit != UINT32_MAX) options.config.parameters.max_retransmit = (uint8_t)settings->retransmit;
  if (server->site->configure != NULL) server->site->configure(&options.config);
  uint32_t amplification = server->settings->amplification;
  if (amplification != UINT32_MAX) options.config.amplification_max = amplification;
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
  server->endpoints[server->count++] = endpoint;
  copal_error error = server->site->attach(endpoint);
  if (error != COPAL_OK) {
    complain("serve", "cannot register the resources: %s", copal_error_text(error));
    return STATUS_LOCAL;
  }
  return announce(server, endpoint, uri);
}

static enum status announce(const struct server *server, copal_endpoint *endpoint, const char *uri) {
  copal_address local;
  copal_error error = copal_local_address(endpoint, &local);
  if (error != COPAL_OK) {
    complain("serve", "%s: %s (%s)", uri, copal_error_text(error), strerror(errno));
    return STATUS_LOCAL;
  }
  if (local.family == COPAL_FAMILY_IPV4 || local.family == COPAL_FAMILY_IPV6) {
    char text[COPAL_ADDRESS_TEXT_MAX];
    copal_address_text(endpoint, &local, text, sizeof text);
    join_groups(server, endpoint, &local);
    printf("listening on coap://%s\n", text);
  } else {
    printf("listening on %s\n", uri);
  }
  fflush(stdout);
  return STATUS_SUCCESS;
}

/* RFC 7252 12.8: the All CoAP Nodes groups, link-local and site-local for IPv6. Who is bound to one address is not
 * meant by them. */
static void join_groups(const struct server *server, copal_endpoint *endpoint, const copal_address *local) {
  static const char *const groups[] = {"224.0.1.187", "ff02::fd", "ff05::fd"};
  static const uint8_t any[sizeof local->bytes] = {0};
  const struct settings *settings = server->settings;
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

static bool open_signals(struct server *server) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  server->signals = -1;
  if (sigprocmask(SIG_BLOCK, &set, NULL) == 0) server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (server->signals < 0) complain("serve", "cannot wait for signals: %s", strerror(errno));
  return server->signals >= 0;
}

static enum status loop(struct server *server) {
  struct pollfd descriptors[BINDS_MAX + 2];
  for (size_t i = 0; i < server->count; ++i) {
    descriptors[i] = (struct pollfd){.fd = copal_fd(server->endpoints[i]), .events = POLLIN};
  }
  descriptors[server->count] = (struct pollfd){.fd = server->signals, .events = POLLIN};
  /* poll passes over a descriptor that is -1. */
  int own = server->site->descriptor != NULL ? server->site->descriptor() : -1;
  descriptors[server->count + 1] = (struct pollfd){.fd = own, .events = POLLIN};
  for (;;) {
    copal_time sleep = sleep_time(server);
    struct timespec span = {(time_t)(sleep / COPAL_SECOND), (long)(sleep % COPAL_SECOND)};
    int ready = ppoll(descriptors, server->count + 2, sleep == COPAL_NEVER ? NULL : &span, NULL);
    if (ready < 0 && errno != EINTR) {
      complain("serve", "cannot wait: %s", strerror(errno));
      return STATUS_LOCAL;
    }
    if (ready > 0 && descriptors[server->count].revents != 0) return STATUS_SUCCESS;
    enum status status = process_all(server);
    if (status != STATUS_SUCCESS) return status;
  }
}

static enum status process_all(struct server *server) {
  server->site->work(copal_now());
  for (size_t i = 0; i < server->count; ++i) {
    int result = copal_process(server->endpoints[i], 0, NULL);
    if (result < 0 && result != COPAL_ERR_INTERRUPTED) {
      complain("serve", "%s (%s)", copal_error_text((copal_error)result), strerror(errno));
      return STATUS_LOCAL;
    }
  }
  return STATUS_SUCCESS;
}

/* Until the first of all is due. */
static copal_time sleep_time(const struct server *server) {
  copal_time deadline = server->site->deadline(), now = copal_now();
  copal_time shortest = deadline;
  if (deadline != COPAL_NEVER) shortest = deadline > now ? deadline - now : 0;
  for (size_t i = 0; i < server->count; ++i) {
    copal_time sleep = copal_timeout(server->endpoints[i]);
    if (sleep < shortest) shortest = sleep;
  }
  return shortest;
}

static void print_counters(const struct server *server) {
  for (size_t i = 0; i < server->count; ++i) {
    const copal_counters *counters = copal_endpoint_counters(server->endpoints[i]);
    const char *separator = "";
#define PRINT_COUNTER(name, text)                                         \
  if (counters->name != 0) {                                              \
    fprintf(stderr, "%s%" PRIu64 " %s", separator, counters->name, text); \
    separator = ", ";                                                     \
  }
    COPAL_COUNTERS(PRINT_COUNTER)
#undef PRINT_COUNTER
    fprintf(stderr, "%s\n", separator[0] != '\0' ? "" : "nothing came");
  }
}

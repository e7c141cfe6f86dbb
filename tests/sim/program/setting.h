/* What a seed decides before anything happens: who takes part, with which limits, what they do, and what goes wrong.
 * Times named _every are means; 0 switches the fault off. */
#ifndef COPAL_SIM_SETTING_H
#define COPAL_SIM_SETTING_H

#include <stdio.h>

#include "sim/network.h"

enum { HOSTS_MAX = 32, KIND_NAME_MAX = 16 };

/* X(name, text): the kinds of exchanges. */
#define KINDS(X)                                            \
  X(NOW, "now")           /* one request, piggybacked */    \
  X(LATER, "later")       /* one request, deferred */       \
  X(PING, "ping")         /* an empty CON */                \
  X(DOWNLOAD, "download") /* a call: GET, Block2 */         \
  X(UPLOAD, "upload")     /* a call: POST or PUT, Block1 */ \
  X(SEARCH, "search")     /* a call: FETCH, both */         \
  X(GROUP, "group")       /* a request to all */            \
  X(STATELESS, "stateless")

#define KIND_ENUM(name, text) KIND_##name,
enum kind { KINDS(KIND_ENUM) KIND_COUNT };
#undef KIND_ENUM

struct setting {
  uint64_t seed, exchanges;
  const char *workload;
  uint32_t hosts_given;    /* by the command line; 0: none */
  uint32_t hosts, servers; /* the first ones serve, */
  bool all_ask;            /* and the others ask, or all do */
  bool is_ample;           /* no table ever gets full */
  copal_config server, client;
  uint32_t outstanding_max; /* of one host */
  uint32_t shares[KIND_COUNT], shares_sum;
  uint32_t con_permille, post_permille, call_permille, q_block_permille, cancel_permille;
  uint32_t body_max;
  copal_time pause; /* between a host's requests, at most */
  uint32_t watches; /* observations of each host that asks */
  copal_time change_every, confirm_every;
  copal_time tick; /* the hosts' timers and the network's arrivals are rounded up to this */
  uint32_t batch_max;
  bool tells_local; /* hosts are told to which of their addresses a datagram came */

  struct link link;
  bool is_asymmetric;
  copal_time partition_every, partition_for;
  copal_time crash_every, crash_for;
  uint32_t forget_permille; /* of the crashes: what the host knew is lost */
  copal_time stall_every, stall_for;
  copal_time rebind_every; /* an asking host's address changes */
  uint32_t icmp_permille;  /* of what gets nowhere: its sender is told */
  uint32_t drift_max;      /* of a clock, in ppm */
  copal_time replay_every, forge_every, flood_every, guess_every;
};

/* False for a workload that nobody knows. hosts 0 leaves the number to the seed. */
bool setting_draw(struct setting *setting, uint64_t seed, uint64_t exchanges, const char *workload, uint32_t hosts);

void setting_print(const struct setting *setting, FILE *file);

/* The workloads' names, one after the other, NULL after the last. */
extern const char *const setting_workloads[];

const char *kind_name(enum kind kind);

#endif

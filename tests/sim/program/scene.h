/* All that there is in a run: hosts, the network between them, virtual time, and what is to happen in it. Time jumps
 * from one thing that happens to the next. The scene must not know what the hosts talk about. */
#ifndef COPAL_SIM_SCENE_H
#define COPAL_SIM_SCENE_H

#include "program/setting.h"
#include "program/violation.h"
#include "sim/node.h"

struct scene;
struct watch;
struct work;
struct observe;

/* Something that is to happen. */
struct plan {
  copal_time at;
  uint64_t order;
  void (*act)(struct scene *scene, uint32_t host, uint32_t number);
  uint32_t host, number;
};

#define NOBODY UINT32_MAX /* no host's number */

enum { ARRIVALS_MAX = 256, STRANGER = 0x5a };

struct host {
  struct node node; /* its first member */
  struct scene *scene;
  uint32_t number;
  uint32_t life;      /* it has forgotten everything so often */
  uint8_t generation; /* of its outer address */
  bool is_down;       /* nothing comes, nothing goes, no time passes for it */
  bool is_stalled;    /* the same, but what comes waits */
  bool is_touched;    /* it has something to do at this moment */
  bool asks, serves;
  copal_time deadline;         /* of its endpoint, in the scene's time */
  copal_time late_at;          /* when it last came back late, in its own time */
  struct packet *first, *last; /* what came while it was stalled */
  struct packet *arrivals[ARRIVALS_MAX];
  uint32_t arrivals_count;
};

/* An ICMP error on its way: whose datagram got nowhere, and what of it is quoted. */
struct quote {
  copal_path path;
  uint32_t life;
  size_t size;
  uint8_t data[64];
};

/* A datagram that an adversary remembers. */
struct overheard {
  copal_address source, destination;
  size_t size;
  uint8_t data[256];
};

enum { QUOTES_MAX = 64, OVERHEARD_MAX = 256 };

struct adversary {
  struct overheard overheard[OVERHEARD_MAX]; /* a ring */
  uint64_t next;
};

/* What happened, for people. */
#define TALLIES(X)                     \
  X(datagrams, "sent")                 \
  X(lost, "lost")                      \
  X(duplicated, "duplicated")          \
  X(damaged, "damaged")                \
  X(slipped, "damaged unnoticed")      \
  X(cut_off, "got nowhere")            \
  X(errors_told, "ICMP errors")        \
  X(crashes, "crashes")                \
  X(amnesias, "of them with all lost") \
  X(stalls, "stalls")                  \
  X(rebinds, "addresses changed")      \
  X(partitions, "partitions")          \
  X(replays, "replayed")               \
  X(forgeries, "forged")               \
  X(guesses, "guessed")                \
  X(floods, "requests from strangers") \
  X(states, "states seen")

#define TALLY_FIELD(name, text) uint64_t name;
struct tally {
  TALLIES(TALLY_FIELD)
};
#undef TALLY_FIELD

struct scene {
  struct setting setting;
  copal_time now;
  struct chance chance; /* of what happens; who asks for what has its own */
  struct network network;
  struct host hosts[HOSTS_MAX];
  uint32_t count;
  struct link links[HOSTS_MAX][HOSTS_MAX]; /* from, to */
  bool is_cut[HOSTS_MAX][HOSTS_MAX];
  bool is_calm; /* nothing goes wrong any more */
  copal_time calm_since;
  struct plan *plans; /* a heap, the earliest first */
  size_t plans_count, plans_capacity;
  uint64_t plans_order;
  struct quote quotes[QUOTES_MAX];
  struct watch *watch;
  struct work *work;
  struct observe *observe;
  struct adversary adversary;
  struct tally tally;
  bool is_traced;
  const char *broken; /* what the simulator itself is to do wrong, or NULL */
};

void scene_init(struct scene *scene, const struct setting *setting);
void scene_release(struct scene *scene);

/* Has something happen later. */
void scene_plan(struct scene *scene, copal_time at, void (*act)(struct scene *, uint32_t, uint32_t), uint32_t host,
                uint32_t number);

/* A time after now whose mean is as given. */
copal_time scene_after(struct scene *scene, copal_time mean);

/* Moves to the next thing that happens, but no later than until; false when nothing will. */
bool scene_step(struct scene *scene, copal_time until);

/* A host has something to send. */
static inline void scene_touch(struct host *host) { host->is_touched = true; }

/* Whose address it is, or NOBODY; an outer address that has been given up is nobody's. */
uint32_t scene_host_of(const struct scene *scene, const copal_address *address);

/* A number for an address that can be kept in 16 bits, and tells apart all those of a run. */
uint16_t scene_address_number(const copal_address *address);

/* The address at which others see a host now. */
copal_address scene_address(const struct host *host);

/* Its endpoint begins anew, without any memory. */
void scene_forget(struct scene *scene, struct host *host);

/* A datagram comes to a host from nowhere, as an adversary has it. */
void scene_inject(struct scene *scene, uint32_t host, const copal_address *source, const uint8_t *data, size_t size);

/* Hosts have routes: this is told when one begins. */
void work_begin_life(struct scene *scene, struct host *host);

#endif

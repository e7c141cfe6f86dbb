/* The threads of "copal serve". Each has endpoints of its own at the same addresses (SO_REUSEPORT), among which the
 * system divides the clients: who asks one thread always asks that one, so that what is remembered of a client is where
 * he is. They share nothing but what the site does. The first one is the process's own, and looks after signals. */
#include "cli/serve/crew.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/capture/record.h"
#include "cli/show/terminal.h"

/* How long answers that are owed are waited for, and acknowledgements of those that were given: one that is lost may be
 * sent again. */
#define GRACE (5 * COPAL_SECOND)

struct crew {
  struct worker workers[CREW_MAX];
  pthread_t threads[CREW_MAX]; /* that of the first one is not used */
  size_t uris_count;
  char uris[BINDS_MAX][BIND_URI_MAX];
  copal_time begin;
  struct record record; /* of all threads */

  atomic_bool is_ending; /* what is owed is answered, and then it is over; */
  atomic_bool is_urgent; /* nothing is waited for any more */
  atomic_uint asked;     /* how often the figures were asked for */

  pthread_mutex_t lock;
  pthread_cond_t changed;
  size_t count;       /* workers that are there; */
  size_t ready;       /* workers that have opened all, and can be woken; */
  size_t settled;     /* that owed nothing when they were ending; */
  size_t done;        /* that have left their loops; */
  size_t stated;      /* that have told their figures since they were asked for */
  enum status status; /* the first that is no success */
};

static enum status open_record(struct crew *crew);
static enum status begin(struct crew *crew);
static bool open_signals(struct worker *worker);
static bool start(struct crew *crew, size_t number);
static void *work(void *context);
static void loop(struct crew *crew, struct worker *worker);
static void pass(struct crew *crew, struct worker *worker);
static void wind_up(struct crew *crew, struct worker *worker);
static bool all_are_settled(struct crew *crew, const struct worker *worker, bool *is_settled);
static void look_at_signal(struct crew *crew);
static void end(struct crew *crew, enum status status);
static void wake_all(struct crew *crew);
static void report(struct crew *crew, size_t *count);
static void state(struct crew *crew, struct worker *worker);
static void print_stats(const struct crew *crew);
static void print_counters(const struct crew *crew);

static struct crew the_crew = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

enum status crew_serve(const struct site *site, const struct settings *settings) {
  struct crew *crew = &the_crew;
  struct worker *first = &crew->workers[0];
  crew->begin = copal_now();
  for (size_t i = 0; i < settings->threads; ++i) {
    struct worker *worker = &crew->workers[i];
    *worker = (struct worker){.settings = settings, .site = site, .is_shared = settings->threads > 1, .signals = -1};
  }
  crew->count = 1;
  enum status status = open_record(crew);
  if (status == STATUS_SUCCESS) status = begin(crew);
  if (status == STATUS_SUCCESS) {
    loop(crew, first);
  } else {
    end(crew, status);
  }
  report(crew, &crew->done);
  for (size_t i = 1; i < crew->count; ++i) pthread_join(crew->threads[i], NULL);
  worker_state(first);
  if (crew->status == STATUS_SUCCESS && settings->verbose > 0 && !settings->quiet) print_counters(crew);
  worker_close(first);
  if (first->signals >= 0) close(first->signals);
  if (!record_close(&crew->record) && crew->status == STATUS_SUCCESS) return STATUS_LOCAL;
  return crew->status;
}

/* --- Beginning ---------------------------------------------------------------------------------- */

/* Standard output is for the addresses that are listened on. */
static enum status open_record(struct crew *crew) {
  const struct settings *settings = crew->workers[0].settings;
  if (settings->pcap == NULL) return STATUS_SUCCESS;
  if (strcmp(settings->pcap, "-") == 0) {
    complain("serve", "--pcap needs a FILE: standard output tells where the server listens");
    return STATUS_USAGE;
  }
  if (!record_open(&crew->record, "serve", settings->pcap)) return STATUS_LOCAL;
  for (size_t i = 0; i < settings->threads; ++i) crew->workers[i].record = &crew->record;
  return STATUS_SUCCESS;
}

/* The first one finds out what the addresses are: a port may have been left to the system. */
static enum status begin(struct crew *crew) {
  struct worker *first = &crew->workers[0];
  const struct settings *settings = first->settings;
  static const char *const usual[] = {"coap://[::]:5683"};
  bool is_usual = settings->binds.count == 0;
  if (!open_signals(first)) return STATUS_LOCAL;
  enum status status =
      worker_open(first, is_usual ? usual : settings->binds.items, is_usual ? 1 : settings->binds.count, is_usual);
  crew->uris_count = first->count;
  report(crew, &crew->ready);
  if (status == STATUS_SUCCESS) status = worker_join(first, crew->uris);
  for (size_t i = 1; status == STATUS_SUCCESS && i < settings->threads; ++i) {
    if (!start(crew, i)) return STATUS_LOCAL;
  }
  if (status != STATUS_SUCCESS) return status;
  for (size_t i = 0; i < crew->uris_count; ++i) printf("listening on %s\n", crew->uris[i]);
  fflush(stdout);
  return STATUS_SUCCESS;
}

static bool open_signals(struct worker *worker) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  if (sigprocmask(SIG_BLOCK, &set, NULL) == 0) worker->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (worker->signals < 0) complain("serve", "cannot wait for signals: %s", strerror(errno));
  return worker->signals >= 0;
}

/* One after the other: nothing is opened by two threads at a time. */
static bool start(struct crew *crew, size_t number) {
  int error = pthread_create(&crew->threads[number], NULL, work, &crew->workers[number]);
  if (error != 0) {
    complain("serve", "cannot start a thread: %s", strerror(error));
    return false;
  }
  pthread_mutex_lock(&crew->lock);
  ++crew->count;
  while (crew->ready <= number) pthread_cond_wait(&crew->changed, &crew->lock);
  pthread_mutex_unlock(&crew->lock);
  return !atomic_load(&crew->is_ending);
}

/* --- Working ------------------------------------------------------------------------------------ */

static void *work(void *context) {
  struct crew *crew = &the_crew;
  struct worker *worker = context;
  const char *uris[BINDS_MAX];
  for (size_t i = 0; i < crew->uris_count; ++i) uris[i] = crew->uris[i];
  enum status status = worker_open(worker, uris, crew->uris_count, false);
  if (status != STATUS_SUCCESS) end(crew, status);
  report(crew, &crew->ready);
  loop(crew, worker);
  report(crew, &crew->done);
  /* As long as others are at work they may have something to tell: nobody goes before all are done. */
  pthread_mutex_lock(&crew->lock);
  while (crew->done < crew->count) pthread_cond_wait(&crew->changed, &crew->lock);
  pthread_mutex_unlock(&crew->lock);
  worker_state(worker);
  worker_close(worker);
  return NULL;
}

static void loop(struct crew *crew, struct worker *worker) {
  while (!atomic_load(&crew->is_ending)) pass(crew, worker);
  wind_up(crew, worker);
}

static void pass(struct crew *crew, struct worker *worker) {
  bool has_signal;
  enum status status = worker_pass(worker, &has_signal);
  if (status != STATUS_SUCCESS) end(crew, status);
  if (has_signal) look_at_signal(crew);
  if (worker->stated != atomic_load(&crew->asked)) state(crew, worker);
}

/* Every request that was taken in is answered, as far as GRACE allows. Until all threads are that far each goes on
 * serving its clients, who would otherwise wait for nobody. */
static void wind_up(struct crew *crew, struct worker *worker) {
  bool is_settled = false;
  copal_time end = copal_now() + GRACE;
  if (!atomic_load(&crew->is_urgent)) worker_prepare(worker, end);
  while (!atomic_load(&crew->is_urgent) && !all_are_settled(crew, worker, &is_settled) && copal_now() < end)
    pass(crew, worker);
  worker_finish(worker);
}

/* The last one to be settled tells the others. */
static bool all_are_settled(struct crew *crew, const struct worker *worker, bool *is_settled) {
  bool is_last = false;
  pthread_mutex_lock(&crew->lock);
  if (!*is_settled && worker_is_settled(worker)) {
    *is_settled = true;
    is_last = ++crew->settled == crew->count;
  }
  bool result = crew->settled == crew->count;
  pthread_mutex_unlock(&crew->lock);
  if (is_last) wake_all(crew);
  return result;
}

static void look_at_signal(struct crew *crew) {
  struct signalfd_siginfo info;
  if (read(crew->workers[0].signals, &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo != SIGUSR1) {
    if (atomic_load(&crew->is_ending)) atomic_store(&crew->is_urgent, true);
    end(crew, STATUS_SUCCESS);
    return;
  }
  /* Who asks again before all have answered gets the one answer. */
  pthread_mutex_lock(&crew->lock);
  bool is_new = crew->stated == 0;
  if (is_new) atomic_fetch_add(&crew->asked, 1);
  pthread_mutex_unlock(&crew->lock);
  if (is_new) wake_all(crew);
}

static void end(struct crew *crew, enum status status) {
  pthread_mutex_lock(&crew->lock);
  if (crew->status == STATUS_SUCCESS) crew->status = status;
  pthread_mutex_unlock(&crew->lock);
  if (status != STATUS_SUCCESS) atomic_store(&crew->is_urgent, true);
  atomic_store(&crew->is_ending, true);
  wake_all(crew);
}

/* Who is not ready yet looks before it sleeps. */
static void wake_all(struct crew *crew) {
  pthread_mutex_lock(&crew->lock);
  for (size_t i = 0; i < crew->ready; ++i) worker_wake(&crew->workers[i]);
  pthread_mutex_unlock(&crew->lock);
}

/* That one worker more is that far. */
static void report(struct crew *crew, size_t *count) {
  pthread_mutex_lock(&crew->lock);
  ++*count;
  pthread_cond_broadcast(&crew->changed);
  pthread_mutex_unlock(&crew->lock);
}

/* --- Figures ------------------------------------------------------------------------------------ */

/* Each thread reads its own; the last one prints all. */
static void state(struct crew *crew, struct worker *worker) {
  pthread_mutex_lock(&crew->lock);
  worker->stated = atomic_load(&crew->asked);
  worker_state(worker);
  if (++crew->stated == crew->count) {
    print_stats(crew);
    crew->stated = 0;
  }
  pthread_mutex_unlock(&crew->lock);
}

static void print_stats(const struct crew *crew) {
  char page[COPAL_STATS_TEXT_MAX];
  copal_stats sum = {0};
  double seconds = (double)(copal_now() - crew->begin) / (double)COPAL_SECOND;
  for (size_t i = 0; i < crew->count; ++i) {
    copal_stats_add(&sum, &crew->workers[i].stats);
    if (crew->count == 1) continue;
    copal_stats_text(&crew->workers[i].stats, page, sizeof page);
    fprintf(stderr, "thread %zu of %zu, after %.1f s:\n%s", i + 1, crew->count, seconds, page);
  }
  copal_stats_text(&sum, page, sizeof page);
  fprintf(stderr, "%s, after %.1f s:\n%s", crew->count > 1 ? "all threads" : "the server", seconds, page);
  fflush(stderr);
}

/* In one line, what there is of each. */
static void print_counters(const struct crew *crew) {
  copal_stats sum = {0};
  for (size_t i = 0; i < crew->count; ++i) copal_stats_add(&sum, &crew->workers[i].stats);
  const copal_counters *counters = &sum.counters;
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

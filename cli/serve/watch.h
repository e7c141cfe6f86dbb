/* Changes in a served folder that others make, by inotify: only in folders in which somebody observes something. */
#ifndef COPAL_CLI_SERVE_WATCH_H
#define COPAL_CLI_SERVE_WATCH_H

#include "cli/serve/folder.h"

enum { WATCHES_MAX = 64 };

struct watch {
  int descriptor; /* of inotify; -1: nothing is watched */
  size_t next;    /* which makes room when all are taken */
  struct {
    int number; /* inotify's; 0: free */
    struct place place;
  } items[WATCHES_MAX];
};

/* Told of a file or folder that has changed, or that is gone. */
typedef void watch_told(const struct place *place, bool is_gone);

/* Where the system has no inotify left, nothing is watched. */
void watch_open(struct watch *watch);
void watch_close(struct watch *watch);

/* Watches a folder, if it can be watched. When WATCHES_MAX are, the one that has been watched longest is given up. */
void watch_add(struct watch *watch, const struct folder *folder, const struct place *place);

/* Whether a folder is watched: then all that happens in it is told, whoever does it. */
bool watch_has(const struct watch *watch, const struct place *place);

/* Tells what has happened since the last time. */
void watch_work(struct watch *watch, watch_told *told);

#endif

/* Changes in a served folder. Knows no CoAP. A file counts as changed when who wrote it has closed it, or when another
 * one was renamed to its name: not with each write. */
#include "cli/serve/watch.h"

#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

static size_t find_number(const struct watch *watch, int number);
static void handle(struct watch *watch, const struct inotify_event *event, watch_told *told);

void watch_open(struct watch *watch) { *watch = (struct watch){.descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)}; }

void watch_close(struct watch *watch) {
  if (watch->descriptor >= 0) close(watch->descriptor);
}

void watch_add(struct watch *watch, const struct folder *folder, const struct place *place) {
  static const uint32_t events =
      IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  struct stat status;
  if (watch->descriptor < 0 || watch_has(watch, place)) return;
  int fd = folder_open_at(folder, place, &status);
  if (fd < 0) return;
  /* By number: what stands at the path may be another one by now. */
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int number = inotify_add_watch(watch->descriptor, path, events);
  close(fd);
  if (number < 0) return;
  /* A folder that was renamed keeps its number: the place is the new one. */
  size_t at = find_number(watch, number);
  if (at == WATCHES_MAX) at = find_number(watch, 0);
  if (at == WATCHES_MAX) {
    at = watch->next++ % WATCHES_MAX;
    inotify_rm_watch(watch->descriptor, watch->items[at].number);
  }
  watch->items[at].number = number;
  watch->items[at].place = *place;
}

bool watch_has(const struct watch *watch, const struct place *place) {
  for (size_t i = 0; i < WATCHES_MAX; ++i) {
    if (watch->items[i].number != 0 && place_equal(&watch->items[i].place, place)) return true;
  }
  return false;
}

void watch_work(struct watch *watch, watch_told *told) {
  _Alignas(struct inotify_event) char buffer[4096];
  if (watch->descriptor < 0) return;
  for (;;) {
    ssize_t size = read(watch->descriptor, buffer, sizeof buffer);
    if (size <= 0) return;
    for (const char *at = buffer; at < buffer + size;) {
      const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
      handle(watch, event, told);
      at += sizeof *event + event->len;
    }
  }
}

static size_t find_number(const struct watch *watch, int number) {
  size_t at = 0;
  while (at < WATCHES_MAX && watch->items[at].number != number) ++at;
  return at;
}

static void handle(struct watch *watch, const struct inotify_event *event, watch_told *told) {
  size_t at = find_number(watch, event->wd);
  /* One that was given up, or the note that events were lost: observers of a folder then learn of its next change. */
  if (at == WATCHES_MAX || event->wd <= 0) return;
  struct place place = watch->items[at].place;
  if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) told(&place, true);
  if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0) {
    if ((event->mask & IN_IGNORED) == 0) inotify_rm_watch(watch->descriptor, event->wd);
    watch->items[at].number = 0;
    return;
  }
  if (event->len == 0 || !place_enter(&place, event->name)) return;
  /* A new file is told of when it is closed. */
  if ((event->mask & IN_CREATE) != 0 && (event->mask & IN_ISDIR) == 0) return;
  told(&place, (event->mask & (IN_DELETE | IN_MOVED_FROM)) != 0);
}

/* What a folder holds, as link format. RFC 6690 section 2, and section 3.3 for the sizes. */
#include "cli/serve/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/serve/extension.h"
#include "cli/serve/fingerprint.h"

static bool gather(struct listing *listing, DIR *folder);
static bool add(struct listing *listing, const char *name, const struct stat *status);
static void write_link(copal_link_writer *writer, const struct place *place, const struct stat *status);
static int by_text(const void *a, const void *b);
static void join(struct listing *listing);

bool listing_make(struct listing *listing, int fd, const struct place *place, copal_time now) {
  listing->is_valid = false;
  listing->place = *place;
  listing->links_size = listing->links_count = 0;
  DIR *folder = fdopendir(fd);
  if (folder == NULL) {
    int error = errno;
    close(fd);
    errno = error;
    return false;
  }
  bool gathered = gather(listing, folder);
  int error = errno;
  closedir(folder);
  errno = error;
  if (!gathered) return false;
  qsort(listing->order, listing->links_count, sizeof listing->order[0], by_text);
  join(listing);
  listing->made = now;
  listing->version = fingerprint(0, listing->text, listing->size);
  listing->is_valid = true;
  return true;
}

bool listing_is(const struct listing *listing, const struct place *place, copal_time now, copal_time age_max) {
  return listing->is_valid && place_equal(&listing->place, place) && now - listing->made <= age_max;
}

static bool gather(struct listing *listing, DIR *folder) {
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(folder);
    if (entry == NULL) return errno == 0;
    struct stat status;
    if (!place_serves(entry->d_name, strlen(entry->d_name))) continue;
    /* What is gone already, or is no file, is not listed. */
    if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) continue;
    if (!add(listing, entry->d_name, &status)) {
      errno = EFBIG;
      return false;
    }
  }
}

static bool add(struct listing *listing, const char *name, const struct stat *status) {
  struct place place = listing->place;
  if (listing->links_count == LISTING_LINKS_MAX || !place_enter(&place, name)) return false;
  char *text = listing->links + listing->links_size;
  /* Joined, each link but the first has a comma before it. */
  size_t commas = listing->links_count;
  copal_link_writer writer = {.buffer = text, .capacity = LISTING_SIZE_MAX - listing->links_size - commas};
  write_link(&writer, &place, status);
  if (writer.error != COPAL_OK) return false;
  listing->order[listing->links_count++] = (struct listing_link){text, writer.size};
  listing->links_size += writer.size;
  return LISTING_SIZE_MAX - listing->links_size > listing->links_count;
}

static void write_link(copal_link_writer *writer, const struct place *place, const struct stat *status) {
  char target[PLACE_URI_MAX + 1], number[24];
  bool is_folder = S_ISDIR(status->st_mode);
  size_t size = place_uri(place, is_folder ? "/" : "", target, sizeof target);
  copal_link_write(writer, target, size);
  unsigned format = is_folder ? COPAL_LINK_FORMAT : extension_format(place_name(place));
  int digits = snprintf(number, sizeof number, "%u", format);
  copal_link_write_parameter(writer, "ct", number, (size_t)digits, false);
  if (is_folder) return;
  digits = snprintf(number, sizeof number, "%jd", (intmax_t)status->st_size);
  copal_link_write_parameter(writer, "sz", number, (size_t)digits, false);
}

static int by_text(const void *a, const void *b) {
  const struct listing_link *left = a, *right = b;
  int order = memcmp(left->text, right->text, left->size < right->size ? left->size : right->size);
  return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

static void join(struct listing *listing) {
  listing->size = 0;
  for (size_t i = 0; i < listing->links_count; ++i) {
    if (i > 0) listing->text[listing->size++] = ',';
    memcpy(listing->text + listing->size, listing->order[i].text, listing->order[i].size);
    listing->size += listing->order[i].size;
  }
}

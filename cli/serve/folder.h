/* Files below a served folder. A place never leads out of it: names are opened one by one, and symbolic links are not
 * followed. Functions set errno where they fail. */
#ifndef COPAL_CLI_SERVE_FOLDER_H
#define COPAL_CLI_SERVE_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "cli/serve/place.h"

struct folder {
  int root;
};

/* Opens a folder of the system. */
bool folder_open(struct folder *folder, const char *path);
void folder_close(struct folder *folder);

/* Opens the file or folder at a place for reading, and tells its status; -1 where there is none, or where it is
 * neither (ENOENT). */
int folder_open_at(const struct folder *folder, const struct place *place, struct stat *status);

/* Opens the folder in which a place's last name is or would be. It can do nothing but lead to names. */
int folder_open_above(const struct folder *folder, const struct place *place);

/* The status of the file or folder at a place; false as folder_open_at. */
bool folder_status(const struct folder *folder, const struct place *place, struct stat *status);

/* Deletes a file, or a folder that is empty. ENOENT: there is none. */
bool folder_delete(const struct folder *folder, const struct place *place);

/* A number that changes when the file is another one, or its content does. */
uint64_t folder_version(const struct stat *status);

#endif

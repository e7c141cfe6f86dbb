/* What a load came to: for people, as JSON, and as a line while it is under way. */
#ifndef COPAL_CLI_LOAD_REPORT_H
#define COPAL_CLI_LOAD_REPORT_H

#include <stdio.h>

#include "cli/line/status.h"
#include "cli/load/load.h"

void report_text(FILE *stream, const struct load *load);
void report_json(FILE *stream, const struct load *load);

/* How the command ends: one 2.xx response, or one observer, makes it a success. */
enum status report_status(const struct load *load);

/* "12 s: 312400/s, median 110 us, 99 % in 240 us, 16 under way, 0 sent again" into buffer, of what is recent. */
void report_line(const struct load *load, copal_time span, char *buffer, size_t capacity);

#endif

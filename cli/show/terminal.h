/* What goes to people: colours where they are wanted, text of peers made harmless, and complaints. */
#ifndef COPAL_CLI_SHOW_TERMINAL_H
#define COPAL_CLI_SHOW_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/line/settings.h"
#include "copal/message.h"

enum style {
  STYLE_PLAIN,
  STYLE_GOOD,
  STYLE_WARNING,
  STYLE_BAD,
  STYLE_FAINT,
  STYLE_BOLD,
  STYLE_KEY,
  STYLE_TEXT,
  STYLE_NUMBER
};

/* Decides once whether standard output and standard error get colours. */
void terminal_setup(enum color color);

/* Passes on what was written. Why that failed first for standard output is kept. Returns as fflush. */
int terminal_flush(FILE *stream);

/* Why standard output did not take something, as an errno; 0 where it took everything so far. */
int terminal_failure(void);

/* Whether a stream ends at a person. */
bool terminal_is(FILE *stream);

/* Decides once whether bodies are made readable: where standard output is a terminal, always, or never. */
void terminal_set_pretty(enum pretty pretty);

/* Whether what goes to standard output is for people, and not byte for byte what came. */
bool terminal_is_read(void);

/* Whether people are shown a body by its format; else as text or in hexadecimal. */
bool terminal_is_pretty(void);

/* Whether people's terminals take UTF-8, as the environment says: what is drawn may go beyond ASCII. */
bool terminal_is_utf8(void);

/* The sequence that begins a style on stream, "" where it gets no colours. End it with STYLE_PLAIN. */
const char *terminal_style(FILE *stream, enum style style);

/* Writes bytes that came from somebody else: valid UTF-8 as it is, control characters and everything else as \xNN, so
 * that no peer moves the cursor. With lines true, line feeds and tabs pass. */
void terminal_text(FILE *stream, copal_bytes text, bool lines);

/* Whether bytes are UTF-8 text without control characters other than line feed, carriage return and tab. */
bool terminal_is_text(copal_bytes bytes);

/* How many columns terminal_text takes for a text without line feeds, a character being one wide. */
size_t terminal_width(copal_bytes text);

/* Bytes of the printable UTF-8 character at `at`; 0 where there is none: a control character (C1 ones too, which some
 * terminals obey), or bytes that RFC 3629 forbids. */
size_t terminal_character(const uint8_t *at, size_t left);

/* How many bytes at the end of text begin a UTF-8 character that goes on behind it. */
size_t terminal_unfinished(copal_bytes text);

/* How many bytes of text go into a line of that many columns: up to the last blank that is not between double quotes,
 * up to any blank where that one is in the line's first half, or as much as there is room for. text has no control
 * characters. */
size_t terminal_break(const char *text, size_t size, size_t columns);

/* Writes bytes in hexadecimal with their characters beside them, 16 a line, each line indented. */
void terminal_hex(FILE *stream, copal_bytes bytes, const char *indent);

/* "copal get: no answer from …" on standard error; the formats are printf's. */
void complain(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same after a note that is no failure: "note: …". */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/* Messages in words, for saying what is sent and what is expected:
 *
 *   "CON GET /seg1/seg2 ?first=1&second=2 accept:0"      "ACK 2.05 cf:0 2:0/1/64 +"
 *
 * Options stand in the order of their numbers. "2:0/1/64" is a Block2 option with number, more and size, "1:..." a
 * Block1 option, "at:/a/b" Location-Path, "at?x=1" Location-Query, "+" a payload. */
#ifndef COPAL_TESTS_PLUGTEST_WORDS_H
#define COPAL_TESTS_PLUGTEST_WORDS_H

#include "copal/message.h"

enum { WORDS_MAX = 512 };

/* Writes a message in words. Left out is what any answer may have beside: ETag, Max-Age, Size1 and Size2, Echo,
 * Request-Tag, Uri-Host and Uri-Port. What the options left out say, a test looks up itself. */
void words_of(const copal_view *view, char *text, size_t capacity);

/* Builds the message of such words, in which a payload may be said: "+on". Also "token:0102", "etag:01", "if-match:01"
 * and "none-match". Unknown words fail the test. */
void words_compose(const char *words, copal_message *message, uint8_t *buffer, size_t capacity);

#endif

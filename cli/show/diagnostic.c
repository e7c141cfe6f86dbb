/* CBOR in diagnostic notation. RFC 8949 section 8, with the indicators of 8.1 for what has no length; sequences
 * (RFC 8742) with commas. */
#include "cli/show/diagnostic.h"

#include <inttypes.h>

#include "cli/data/cbor_walk.h"
#include "cli/data/number.h"
#include "cli/show/json.h"
#include "cli/show/terminal.h"

enum { INDENT = 2 };

/* A page under way. */
struct page {
  FILE *stream;
  bool pretty;
  unsigned depth; /* of arrays and maps */
};

static void print(struct page *page, copal_bytes bytes, bool sequence);
static void separate(const struct page *page, const struct cbor_step *step);
static void open(struct page *page, const struct cbor_head *head);
static void close(struct page *page, const struct cbor_step *step);
static void put_scalar(const struct page *page, const struct cbor_head *head, bool is_key);
static void put_plain(FILE *stream, const struct cbor_head *head);
static void put_negative(FILE *stream, uint64_t number);
static void put_simple(FILE *stream, uint64_t number);
static void break_line(const struct page *page);

void diagnostic_print(FILE *stream, copal_bytes bytes, bool sequence) {
  struct page page = {.stream = stream, .pretty = true};
  print(&page, bytes, sequence);
  fputc('\n', stream);
}

void diagnostic_line(FILE *stream, copal_bytes bytes, bool sequence) {
  struct page page = {.stream = stream, .pretty = false};
  print(&page, bytes, sequence);
}

static void print(struct page *page, copal_bytes bytes, bool sequence) {
  struct cbor_walk walk;
  cbor_walk_begin(&walk, bytes, sequence);
  for (;;) {
    struct cbor_step step = cbor_walk_next(&walk);
    switch (step.event) {
      case CBOR_ITEM:
        separate(page, &step);
        if (cbor_holds(&step.head)) {
          open(page, &step.head);
        } else {
          put_scalar(page, &step.head, !step.outermost && step.within == CBOR_MAP && step.index % 2 == 0);
        }
        break;
      case CBOR_CLOSE: close(page, &step); break;
      case CBOR_END:
      case CBOR_WRONG: return;
    }
  }
}

static void separate(const struct page *page, const struct cbor_step *step) {
  if (step->outermost) {
    if (step->index > 0) fputs(page->pretty ? ",\n" : ", ", page->stream);
    return;
  }
  switch (step->within) {
    case CBOR_TAGGED: return;
    case CBOR_BYTES:
    case CBOR_TEXT: fputs(step->index == 0 ? "(_ " : ", ", page->stream); return;
    case CBOR_MAP:
      if (step->index % 2 != 0) {
        fputs(": ", page->stream);
        return;
      }
      break;
    case CBOR_UINT:
    case CBOR_NEGATIVE:
    case CBOR_ARRAY:
    case CBOR_SIMPLE:
    case CBOR_REAL:
    case CBOR_BREAK: break;
  }
  if (step->index > 0) fputs(page->pretty ? "," : ", ", page->stream);
  if (page->pretty) break_line(page);
}

static void open(struct page *page, const struct cbor_head *head) {
  if (head->kind == CBOR_TAGGED) {
    fprintf(page->stream, "%" PRIu64 "(", head->number);
  } else if (head->kind == CBOR_ARRAY || head->kind == CBOR_MAP) {
    fputc(head->kind == CBOR_ARRAY ? '[' : '{', page->stream);
    if (head->indefinite) fputs(page->pretty ? "_" : "_ ", page->stream);
    ++page->depth;
  }
}

static void close(struct page *page, const struct cbor_step *step) {
  const struct cbor_head *head = &step->head;
  if (head->kind == CBOR_ARRAY || head->kind == CBOR_MAP) {
    --page->depth;
    if (page->pretty && step->count > 0) break_line(page);
    fputc(head->kind == CBOR_ARRAY ? ']' : '}', page->stream);
  } else if (head->kind == CBOR_TAGGED || step->count > 0) {
    fputc(')', page->stream);
  } else {
    /* RFC 8949 8.1: "The basic forms ''_ and ""_ can be used instead and are reserved for the case of no chunks
     * only". */
    fputs(head->kind == CBOR_BYTES ? "''_" : "\"\"_", page->stream);
  }
}

static void put_scalar(const struct page *page, const struct cbor_head *head, bool is_key) {
  bool is_string = head->kind == CBOR_TEXT || head->kind == CBOR_BYTES;
  enum style style = is_key ? STYLE_KEY : is_string ? STYLE_TEXT : STYLE_NUMBER;
  if (page->pretty) fputs(terminal_style(page->stream, style), page->stream);
  put_plain(page->stream, head);
  if (page->pretty) fputs(terminal_style(page->stream, STYLE_PLAIN), page->stream);
}

static void put_plain(FILE *stream, const struct cbor_head *head) {
  char number[NUMBER_TEXT_MAX];
  switch (head->kind) {
    case CBOR_UINT: fprintf(stream, "%" PRIu64, head->number); return;
    case CBOR_NEGATIVE: put_negative(stream, head->number); return;
    case CBOR_BYTES:
      fputs("h'", stream);
      for (size_t i = 0; i < head->bytes.size; ++i) fprintf(stream, "%02x", head->bytes.data[i]);
      fputc('\'', stream);
      return;
    case CBOR_TEXT: json_quote(stream, head->bytes); return;
    case CBOR_SIMPLE: put_simple(stream, head->number); return;
    case CBOR_REAL: fputs(number_text(head->real, true, number), stream); return;
    case CBOR_ARRAY:
    case CBOR_MAP:
    case CBOR_TAGGED:
    case CBOR_BREAK: return;
  }
}

/* -1 - number, which may be less than any integer type holds. */
static void put_negative(FILE *stream, uint64_t number) {
  if (number == UINT64_MAX) {
    fputs("-18446744073709551616", stream);
  } else {
    fprintf(stream, "-%" PRIu64, number + 1);
  }
}

static void put_simple(FILE *stream, uint64_t number) {
  switch (number) {
    case CBOR_FALSE: fputs("false", stream); return;
    case CBOR_TRUE: fputs("true", stream); return;
    case CBOR_NULL: fputs("null", stream); return;
    case CBOR_UNDEFINED: fputs("undefined", stream); return;
    default: fprintf(stream, "simple(%" PRIu64 ")", number); return;
  }
}

static void break_line(const struct page *page) { fprintf(page->stream, "\n%*s", (int)page->depth * INDENT, ""); }

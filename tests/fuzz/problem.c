/* Any bytes as problem details. What is taken must hold to what the header says:
 *
 *   - texts lie in the payload and are UTF-8, the options are as many as there is room for;
 *   - what was found, written and read again is the same, and the form written is the shortest: none that was read is
 *     shorter;
 *   - nothing is read from, or written to, beside the bytes given, at every capacity.
 *
 * Whether the bytes are well-formed CBOR is decided here a second time, with a stack of counts instead of calls. */
#undef NDEBUG
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copal/message.h"
#include "message/utf8.h"

enum { NESTING_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is still to come within an item. */
struct frame {
  int major;
  uint64_t count; /* items; of an indefinite one, how many came */
  bool indefinite;
};

/* The map at depth 0, and what is inside at most 16 deep. */
static bool is_well_formed_map(const uint8_t *data, size_t size) {
  struct frame stack[NESTING_MAX + 3];
  int depth = 0;
  size_t at = 0;
  if (size == 0 || data[0] >> 5 != 5) return false;
  do {
    if (at == size) return false;
    struct frame *outer = depth > 0 ? &stack[depth - 1] : NULL;
    uint8_t first = data[at++];
    int major = first >> 5, info = first & 31;
    if (first == 0xff) {
      if (outer == NULL || !outer->indefinite || (outer->major == 5 && outer->count % 2 != 0)) return false;
      --depth;
    } else {
      uint64_t argument = (uint64_t)info;
      bool indefinite = info == 31;
      if (info > 27 && !indefinite) return false;
      if (indefinite && (major < 2 || major > 5)) return false;
      if (info >= 24 && info <= 27) {
        size_t more = (size_t)1 << (info - 24);
        if (more > size - at) return false;
        for (argument = 0; more > 0; --more) argument = argument << 8 | data[at++];
        if (major == 7 && info == 24 && argument < 32) return false;
      }
      bool in_string = outer != NULL && (outer->major == 2 || outer->major == 3);
      if (in_string && (major != outer->major || indefinite)) return false;
      if (!in_string && depth > NESTING_MAX) return false;
      if (outer != NULL && outer->indefinite) ++outer->count;
      if (outer != NULL && !outer->indefinite) --outer->count;
      if ((major == 2 || major == 3) && !indefinite) {
        if (argument > size - at) return false;
        at += argument;
      }
      bool nests = major == 4 || major == 5 || major == 6 || indefinite;
      if (nests) {
        uint64_t count = major == 6 ? 1 : argument;
        if (major == 5 && !indefinite) {
          if (count > size) return false; /* there are not as many */
          count *= 2;
        }
        if (indefinite) count = 0;
        stack[depth++] = (struct frame){major, count, indefinite};
      }
    }
    while (depth > 0 && !stack[depth - 1].indefinite && stack[depth - 1].count == 0) --depth;
  } while (depth > 0);
  return at == size;
}

static void check_text(copal_bytes text, const uint8_t *data, size_t size) {
  if (text.size == 0) return;
  assert(text.data >= data && text.data + text.size <= data + size);
  assert(utf8_valid(text.data, text.size));
}

static bool same_text(copal_bytes a, copal_bytes b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void check_again(const copal_problem *problem, size_t size) {
  int need = copal_problem_write(problem, NULL, 0);
  assert(need >= 0 && (size_t)need <= size);
  if (need == 0) return;
  for (size_t capacity = need > 20 ? (size_t)need - 20 : 0; capacity <= (size_t)need; ++capacity) {
    uint8_t *exact = malloc(capacity > 0 ? capacity : 1);
    assert(exact != NULL);
    int written = copal_problem_write(problem, exact, capacity);
    assert(written == (capacity < (size_t)need ? COPAL_ERR_SPACE : need));
    if (written > 0) {
      copal_problem again;
      assert(copal_problem_read((copal_bytes){exact, (size_t)written}, &again));
      assert(same_text(again.title, problem->title) && same_text(again.detail, problem->detail));
      assert(again.code == problem->code && again.options_count == problem->options_count);
      assert(memcmp(again.options, problem->options, sizeof again.options) == 0);
    }
    free(exact);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  copal_problem problem;
  bool found = copal_problem_read((copal_bytes){data, size}, &problem);
  assert(found == is_well_formed_map(data, size));
  assert(problem.options_count <= COPAL_PROBLEM_OPTIONS_MAX);
  check_text(problem.title, data, size);
  check_text(problem.detail, data, size);
  check_again(&problem, size);
  return 0;
}

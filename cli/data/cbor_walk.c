/* A walk over CBOR: which items stand in which. RFC 8949 3.2 and appendix C; RFC 8742. */
#include "cli/data/cbor_walk.h"

#include <assert.h>

#include "cli/data/utf8.h"

static struct cbor_step outside(struct cbor_walk *walk);
static struct cbor_step item(struct cbor_walk *walk);
static struct cbor_step enter(struct cbor_walk *walk, struct cbor_step step);
static struct cbor_step leave(struct cbor_walk *walk);
static struct cbor_step broken(struct cbor_walk *walk);
static struct cbor_step fail(struct cbor_walk *walk, const char *wrong);
static struct cbor_step step_here(const struct cbor_walk *walk, enum cbor_event event);
static void count(struct cbor_walk *walk);
static struct cbor_level *innermost(struct cbor_walk *walk);
static bool is_full(const struct cbor_level *level);
static bool is_string(const struct cbor_head *head);

void cbor_walk_begin(struct cbor_walk *walk, copal_bytes bytes, bool sequence) {
  walk->rest = bytes;
  walk->sequence = sequence;
  walk->index = 0;
  walk->depth = 0;
  walk->wrong = NULL;
}

struct cbor_step cbor_walk_next(struct cbor_walk *walk) {
  if (walk->wrong != NULL) return step_here(walk, CBOR_WRONG);
  if (walk->depth == 0) return outside(walk);
  return is_full(innermost(walk)) ? leave(walk) : item(walk);
}

bool cbor_walk_check(copal_bytes bytes, bool sequence, const char **wrong) {
  struct cbor_walk walk;
  cbor_walk_begin(&walk, bytes, sequence);
  enum cbor_event event;
  do {
    event = cbor_walk_next(&walk).event;
  } while (event == CBOR_ITEM || event == CBOR_CLOSE);
  *wrong = walk.wrong;
  return event == CBOR_END;
}

bool cbor_holds(const struct cbor_head *head) {
  if (is_string(head)) return head->indefinite;
  return head->kind == CBOR_ARRAY || head->kind == CBOR_MAP || head->kind == CBOR_TAGGED;
}

static struct cbor_step outside(struct cbor_walk *walk) {
  if (walk->rest.size == 0 && (walk->sequence || walk->index > 0)) return step_here(walk, CBOR_END);
  if (walk->index > 0 && !walk->sequence) return fail(walk, "something stands behind the end");
  return item(walk);
}

static struct cbor_step item(struct cbor_walk *walk) {
  struct cbor_step step = step_here(walk, CBOR_ITEM);
  if (walk->rest.size == 0) return fail(walk, "it ends too early");
  if (!cbor_read(&walk->rest, &step.head)) return fail(walk, "an item is cut short, or of no known kind");
  if (step.head.kind == CBOR_BREAK) return broken(walk);
  if (walk->depth > 0 && is_string(&innermost(walk)->head)) {
    /* RFC 8949 3.2.3: "a sequence of zero or more strings of the specified type ("chunks") that have definite
     * lengths". */
    if (step.head.kind != innermost(walk)->head.kind || step.head.indefinite) {
      return fail(walk, "a string has a chunk of another kind");
    }
  }
  /* RFC 8949 3.1: "A string containing an invalid UTF-8 sequence is well-formed but invalid". */
  if (step.head.kind == CBOR_TEXT && !utf8_check(step.head.bytes)) return fail(walk, "a text is not UTF-8");
  if (cbor_holds(&step.head)) return enter(walk, step);
  count(walk);
  return step;
}

static struct cbor_step enter(struct cbor_walk *walk, struct cbor_step step) {
  bool counted = !step.head.indefinite && step.head.kind != CBOR_TAGGED;
  /* Every item takes a byte. */
  if (counted && step.head.number > walk->rest.size) return fail(walk, "it ends too early");
  if (walk->depth == CBOR_NESTING_MAX) return fail(walk, "it nests more than 64 deep");
  walk->levels[walk->depth++] = (struct cbor_level){.head = step.head};
  return step;
}

static struct cbor_step leave(struct cbor_walk *walk) {
  struct cbor_level *level = innermost(walk);
  --walk->depth;
  struct cbor_step step = step_here(walk, CBOR_CLOSE);
  step.head = level->head;
  step.count = level->index;
  count(walk);
  return step;
}

static struct cbor_step broken(struct cbor_walk *walk) {
  const struct cbor_level *level = walk->depth > 0 ? innermost(walk) : NULL;
  if (level == NULL || !level->head.indefinite) return fail(walk, "a break stands where nothing is to be ended");
  if (level->head.kind == CBOR_MAP && level->index % 2 != 0) return fail(walk, "a key has no value");
  return leave(walk);
}

static struct cbor_step fail(struct cbor_walk *walk, const char *wrong) {
  walk->wrong = wrong;
  return step_here(walk, CBOR_WRONG);
}

static struct cbor_step step_here(const struct cbor_walk *walk, enum cbor_event event) {
  struct cbor_step step = {.event = event, .outermost = walk->depth == 0, .index = walk->index};
  if (walk->depth == 0) return step;
  const struct cbor_level *level = &walk->levels[walk->depth - 1];
  step.within = level->head.kind;
  step.index = level->index;
  return step;
}

/* An item is over. */
static void count(struct cbor_walk *walk) {
  if (walk->depth > 0) {
    ++innermost(walk)->index;
  } else {
    ++walk->index;
  }
}

static struct cbor_level *innermost(struct cbor_walk *walk) {
  assert(walk->depth > 0);
  return &walk->levels[walk->depth - 1];
}

static bool is_full(const struct cbor_level *level) {
  if (level->head.indefinite) return false;
  if (level->head.kind == CBOR_TAGGED) return level->index == 1;
  return level->index == (level->head.kind == CBOR_MAP ? 2 * level->head.number : level->head.number);
}

static bool is_string(const struct cbor_head *head) { return head->kind == CBOR_BYTES || head->kind == CBOR_TEXT; }

/* copal serve --plugtest: the site, its resources that are exhibits, and what changes by itself. Beside each group of
 * resources stand the tests that use it. */
#include "cli/serve/plugtest.h"

#include <string.h>

#include "cli/serve/site.h"

enum {
  ALL = EXHIBIT_PUT | EXHIBIT_DELETE,
  LARGE = 5120,
  OBSERVABLE = EXHIBIT_PUT | EXHIBIT_DELETE | EXHIBIT_OBSERVABLE,
  /* Of /obs-pumping, by turns: one fits a block of 64 bytes, one does not fit 1,024. */
  PUMPED_SMALL = 64,
  PUMPED_LARGE = 2048
};

static void path_list(copal_request *request, void *context);
static void reset(copal_request *request, void *context);
static void change_all(void);

static struct plugtest the_plugtest;

static const struct exhibit_kind kinds[] = {
    /* CORE_01 to 08, 10, 12, 15, 18; LINK_08 */
    {"/test", "title=\"Default test resource\";ct=0", ALL | EXHIBIT_RETURNS, 0, 64},
    /* CORE_13 */
    {"/seg1/seg2/seg3", "title=\"Below two segments\";ct=0", 0, 0, 64},
    /* CORE_21, 22, 27 */
    {"/validate", "title=\"Changes with PUT\";ct=0", EXHIBIT_PUT, 0, 64},
    /* CORE_23, 28 */
    {"/create1", "title=\"PUT creates, DELETE deletes\"", ALL | EXHIBIT_ABSENT, 0, 64},
    {"/create2", "title=\"PUT creates, DELETE deletes\"", ALL | EXHIBIT_ABSENT, 0, 64},
    {"/create3", "title=\"PUT creates, DELETE deletes\"", ALL | EXHIBIT_ABSENT, 0, 64},
    /* BLOCK_01, 02, 03, 06; LINK_06 */
    {"/large", "title=\"Large\";rt=\"block\";sz=5120;ct=0", 0, 0, LARGE},
    {"/large-update", "title=\"Large, with PUT\";rt=\"block\";sz=5120;ct=0", EXHIBIT_PUT, 0, LARGE},
    /* OBS_01 to 14 */
    {"/obs", "title=\"Changes by itself\";rt=\"observe\";ct=0", OBSERVABLE, 0, 64},
    {"/obs-non", "title=\"Changes, told without confirmation\";rt=\"observe\";ct=0", OBSERVABLE, 60 * COPAL_SECOND, 64},
    {"/obs-large", "title=\"Changes, in blocks\";rt=\"observe\";ct=0", OBSERVABLE, 0, 2048},
    {"/obs-pumping", "title=\"Changes its size\";rt=\"observe\";ct=0", OBSERVABLE, 0, PUMPED_SMALL},
    /* LINK_02 to 08 */
    {"/link1", "rt=\"Type1 Type2\";if=\"If1\";ct=0", 0, 0, 64},
    {"/link2", "rt=\"Type2 Type3\";if=\"If2\";ct=0", 0, 0, 64},
    {"/link3", "rt=\"Type1 Type3\";if=\"foo\";ct=0", 0, 0, 64},
    {"/untyped", "rt=\"\";ct=0", 0, 0, 64},
    /* LINK_09 */
    {"/path/sub1", "ct=0", 0, 0, 64},
    {"/path/sub2", "ct=0", 0, 0, 64},
    {"/path/sub3", "ct=0", 0, 0, 64},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };
_Static_assert((int)KINDS <= (int)PLUGTEST_EXHIBITS_MAX, "there is a place for each exhibit");

static const struct plugtest_route own_routes[] = {
    {COPAL_GET, "/path", path_list, "title=\"Lists what is below\";ct=40"},
    {COPAL_POST, "/obs-reset", reset, "title=\"POST or PUT: all observers are forgotten\""},
    {COPAL_PUT, "/obs-reset", reset, NULL},
};

static enum status plugtest_open(const struct settings *settings) {
  static const struct exhibit_kind created = {"/large-create/{name}", NULL, EXHIBIT_ABSENT, 0, 0};
  /* ETags go on where those of an earlier run have ended. */
  the_plugtest.exhibition.version = (uint32_t)(copal_now() / COPAL_MILLISECOND);
  the_plugtest.exhibition.interval = settings->change_interval;
  the_plugtest.delay = settings->delay;
  the_plugtest.exhibits_count = KINDS;
  for (size_t i = 0; i < KINDS; ++i) exhibit_init(&the_plugtest.exhibits[i], &kinds[i], &the_plugtest.exhibition);
  for (size_t i = 0; i < PLUGTEST_CREATED_MAX; ++i) {
    exhibit_init(&the_plugtest.created[i], &created, &the_plugtest.exhibition);
  }
  the_plugtest.next_change = copal_now() + the_plugtest.exhibition.interval;
  return STATUS_SUCCESS;
}

/* CORE_09: a postponed answer is a separate one, however short its delay. And large answers are given at once, as the
 * tests expect them, where they would otherwise wait until the client's address is verified. */
static void plugtest_configure(copal_config *config) {
  config->parameters.ack_delay = 0;
  config->amplification_max = 0;
}

static copal_error plugtest_attach(copal_endpoint *endpoint) {
  copal_error error = COPAL_OK;
  for (size_t i = 0; error == COPAL_OK && i < KINDS; ++i) error = exhibit_attach(&the_plugtest.exhibits[i], endpoint);
  if (error == COPAL_OK)
    error = plugtest_routes(&the_plugtest, endpoint, own_routes, sizeof own_routes / sizeof own_routes[0]);
  if (error == COPAL_OK) error = plugtest_core_attach(&the_plugtest, endpoint);
  if (error == COPAL_OK) error = plugtest_block_attach(&the_plugtest, endpoint);
  if (error == COPAL_OK) error = plugtest_actions_attach(&the_plugtest, endpoint);
  audience_add(&the_plugtest.exhibition.audience, endpoint);
  return error;
}

static copal_time plugtest_deadline(void) {
  copal_time answer = later_deadline(&the_plugtest.later);
  copal_time change = the_plugtest.exhibition.interval > 0 ? the_plugtest.next_change : COPAL_NEVER;
  return answer < change ? answer : change;
}

static void plugtest_work(copal_time now) {
  later_work(&the_plugtest.later, now, "this answer was sent separately\n");
  if (the_plugtest.exhibition.interval == 0 || now < the_plugtest.next_change) return;
  the_plugtest.next_change = now + the_plugtest.exhibition.interval;
  change_all();
}

static void plugtest_finish(copal_time end) { later_end(&the_plugtest.later, end); }

const struct site plugtest_site = {
    .open = plugtest_open,
    .configure = plugtest_configure,
    .attach = plugtest_attach,
    .deadline = plugtest_deadline,
    .work = plugtest_work,
    .finish = plugtest_finish,
};

copal_error plugtest_routes(struct plugtest *plugtest, copal_endpoint *endpoint, const struct plugtest_route *routes,
                            size_t count) {
  copal_error error = COPAL_OK;
  for (size_t i = 0; error == COPAL_OK && i < count; ++i) {
    error = copal_route(endpoint, routes[i].method, routes[i].pattern, routes[i].handler, plugtest);
    if (error != COPAL_OK || routes[i].attributes == NULL) continue;
    error = copal_route_attributes(endpoint, routes[i].pattern, routes[i].attributes);
  }
  return error;
}

struct exhibit *plugtest_find(struct plugtest *plugtest, const char *path) {
  for (size_t i = 0; i < plugtest->exhibits_count; ++i) {
    if (strcmp(plugtest->exhibits[i].kind->path, path) == 0) return &plugtest->exhibits[i];
  }
  return NULL;
}

void plugtest_forget(struct plugtest *plugtest) {
  for (size_t i = 0; i < plugtest->exhibits_count; ++i) {
    const struct exhibit_kind *kind = plugtest->exhibits[i].kind;
    if ((kind->abilities & EXHIBIT_OBSERVABLE) != 0) audience_forget(&plugtest->exhibition.audience, kind->path);
  }
  audience_forget(&plugtest->exhibition.audience, "/counter");
}

/* A body that somebody has set stays, and is told again. */
static void change_all(void) {
  for (size_t i = 0; i < the_plugtest.exhibits_count; ++i) {
    struct exhibit *exhibit = &the_plugtest.exhibits[i];
    if ((exhibit->kind->abilities & EXHIBIT_OBSERVABLE) == 0 || exhibit->version == 0) continue;
    if (exhibit->is_given) {
      audience_notify(&the_plugtest.exhibition.audience, exhibit->kind->path);
      continue;
    }
    size_t size = exhibit->size;
    bool is_pumping = strcmp(exhibit->kind->path, "/obs-pumping") == 0;
    if (is_pumping) size = size > PUMPED_SMALL ? PUMPED_SMALL : PUMPED_LARGE;
    (void)exhibit_fill(exhibit, size);
  }
}

static void path_list(copal_request *request, void *context) {
  (void)context;
  static const char links[] = "</path/sub1>;ct=0,</path/sub2>;ct=0,</path/sub3>;ct=0";
  copal_reply(request, COPAL_CONTENT, COPAL_LINK_FORMAT, links, sizeof links - 1);
}

/* OBS_04, as a server that has lost its memory does. */
static void reset(copal_request *request, void *context) {
  plugtest_forget((struct plugtest *)context);
  copal_reply_code(request, COPAL_CHANGED);
}

/* The plugtests TD_COAP_LINK of CoAP#4: what /.well-known/core lists, and how it is filtered (RFC 6690). Above each
 * stands what must be observed. */
#include <stdio.h>

#include "plugtest/plugtest.h"

enum { BOTH = AS_SERVER | AS_CLIENT, TARGETS_MAX = 2048 };

/* GETs a document of links; it may come in blocks. All links are written to targets: " /a /b". */
static void get_links(struct bench *bench, const char *words, char targets[TARGETS_MAX]) {
  char pattern[WORDS_MAX];
  snprintf(pattern, sizeof pattern, "CON GET %s", words);
  ask(bench, pattern, NULL);
  const struct passed *request = client_sends(bench, pattern);
  const struct passed *response = server_sends(bench, "ACK 2.05 cf:40*");
  assert_same_mid(request, response);
  assert_same_token(request, response);
  told(bench, COPAL_CONTENT);
  skip_what_passed(bench);
  copal_bytes document = {bench->told.body, bench->told.size};
  copal_link link;
  size_t size = 0;
  int result;
  targets[0] = '\0';
  while ((result = copal_link_next(&document, &link)) == 1) {
    assert_true(size + link.target.size + 2 < TARGETS_MAX);
    size += (size_t)sprintf(targets + size, " %.*s", (int)link.target.size, (const char *)link.target.data);
  }
  assert_int_equal(result, 0);
}

static bool has_target(const char *targets, const char *target) {
  char all[TARGETS_MAX + 1], one[64];
  snprintf(all, sizeof all, "%s ", targets);
  snprintf(one, sizeof one, " %s ", target);
  return strstr(all, one) != NULL;
}

/* Those of all links that have an attribute of that name. */
static void links_with(struct bench *bench, const char *name, char targets[TARGETS_MAX]) {
  char all[TARGETS_MAX];
  get_links(bench, "/.well-known/core", all);
  copal_bytes document = {bench->told.body, bench->told.size};
  copal_link link;
  copal_link_parameter parameter;
  size_t size = 0;
  targets[0] = '\0';
  while (copal_link_next(&document, &link) == 1) {
    if (!copal_link_find(&link, name, &parameter)) continue;
    size += (size_t)sprintf(targets + size, " %.*s", (int)link.target.size, (const char *)link.target.data);
  }
}

static void filter(struct bench *bench, const char *argument, const char *expected) {
  char words[WORDS_MAX], targets[TARGETS_MAX];
  snprintf(words, sizeof words, "/.well-known/core ?%s", argument);
  get_links(bench, words, targets);
  assert_string_equal(targets, expected);
}

/* With libcoap, whose links are others: two filters instead of one. */
static void filter_either(struct bench *bench, const char *ours, const char *expected, const char *libcoap,
                          const char *libcoap_expected) {
  if (bench->is_ours) {
    filter(bench, ours, expected);
  } else {
    filter(bench, libcoap, libcoap_expected);
  }
}

/* "2.05, CF 40, all links" */
static void link_01(struct bench *bench) {
  static const char *const named[] = {
      "/test",      "/separate",    "/seg1/seg2/seg3", "/query",        "/location-query", "/multi-format", "/validate",
      "/create1",   "/large",       "/large-update",   "/large-create", "/large-post",     "/obs",          "/obs-non",
      "/obs-large", "/obs-pumping", "/link1",          "/link2",        "/link3",          "/path"};
  char targets[TARGETS_MAX];
  get_links(bench, "/.well-known/core", targets);
  for (size_t i = 0; bench->is_ours && i < sizeof named / sizeof *named; ++i)
    if (!has_target(targets, named[i])) fail_msg("%s is not in%s", named[i], targets);
  assert_true(has_target(targets, "/test"));
}

/* "?rt=Type1 -> only links with that rt" */
static void link_02(struct bench *bench) { filter_either(bench, "rt=Type1", " /link1 /link3", "rt=ticks", " /time"); }

/* "?rt=* -> only links having an rt" */
static void link_03(struct bench *bench) {
  char expected[TARGETS_MAX];
  links_with(bench, "rt", expected);
  assert_true(has_target(expected, bench->is_ours ? "/untyped" : "/time"));
  assert_false(has_target(expected, "/test"));
  filter(bench, "rt=*", expected);
}

/* "?rt=Type2 with rt="Type1 Type2","Type2 Type3","Type1 Type3","" -> only groups 1 and 2" */
static void link_04(struct bench *bench) { filter(bench, "rt=Type2", " /link1 /link2"); }

/* "?if=If* -> If1, If2, not foo/none" */
static void link_05(struct bench *bench) { filter_either(bench, "if=If*", " /link1 /link2", "if=clo*", " /time"); }

/* "?sz=* -> only with sz" */
static void link_06(struct bench *bench) { filter(bench, "sz=*", " /large /large-update"); }

/* "?href=/link1 -> only /link1" */
static void link_07(struct bench *bench) { filter(bench, "href=/link1", " /link1"); }

/* "?href=/link* -> link1..3, not /test" */
static void link_08(struct bench *bench) { filter(bench, "href=/link*", " /link1 /link2 /link3"); }

/* "well-known lists /path (ct=40); GET /path -> CF 40 listing /path/sub1..; GET /path/sub1 -> 2.05" */
static void link_09(struct bench *bench) {
  char targets[TARGETS_MAX];
  copal_link link;
  copal_link_parameter format;
  bool found = false;
  get_links(bench, "/.well-known/core", targets);
  copal_bytes document = {bench->told.body, bench->told.size};
  while (!found && copal_link_next(&document, &link) == 1)
    found = link.target.size == 5 && memcmp(link.target.data, "/path", 5) == 0;
  assert_true(found && copal_link_find(&link, "ct", &format));
  assert_int_equal(format.value.size, 2);
  assert_memory_equal(format.value.data, "40", 2);
  get_links(bench, "/path", targets);
  assert_true(has_target(targets, "/path/sub1"));
  exchange(bench, "CON GET /path/sub1", "ACK 2.05 cf:* +");
}

#define NO_FILTER "no: node-coap does not filter links"

static const struct plugtest tests[] = {
    {"TD_COAP_LINK_01", "All links", link_01, BOTH, NULL, NULL, NULL},
    {"TD_COAP_LINK_02", "Links of one resource type", link_02, BOTH, NULL, NULL, NO_FILTER},
    {"TD_COAP_LINK_03", "Links of any resource type", link_03, BOTH, NULL, NULL, NO_FILTER},
    {"TD_COAP_LINK_04", "Links of several resource types", link_04, BOTH, NULL,
     "no: coap-server has no resource of several types", NO_FILTER},
    {"TD_COAP_LINK_05", "Links by the beginning of their interface", link_05, BOTH, NULL, NULL, NO_FILTER},
    {"TD_COAP_LINK_06", "Links of any size", link_06, BOTH, NULL, "no: coap-server has no links with a size",
     NO_FILTER},
    {"TD_COAP_LINK_07", "A link by its target", link_07, BOTH, NULL, NULL, NO_FILTER},
    {"TD_COAP_LINK_08", "Links by the beginning of their target", link_08, BOTH, NULL, NULL, NO_FILTER},
    {"TD_COAP_LINK_09", "Links below a link", link_09, BOTH, NULL, "no: coap-server has no resource that lists links",
     NULL},
};

int main(int argc, char **argv) { return plugtest_run(tests, sizeof tests / sizeof *tests, argc, argv); }

/* The examples of RFC 6690: the documents of section 5 read and written, the filters of 4.1 and 5, and the plugtests'
 * TD_COAP_LINK_01 to 09. Line breaks that the RFC inserts for readability are taken out, as it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "copal/message.h"
#include "copal/uri.h"

static copal_bytes bytes_of(const char *text) { return (copal_bytes){(const uint8_t *)text, strlen(text)}; }

/* The targets of the links that pass, each followed by a blank. argument NULL lets all pass. */
static const char *filtered(const char *text, const char *argument) {
  static char targets[512];
  copal_bytes document = bytes_of(text);
  copal_link link;
  size_t size = 0;
  targets[0] = '\0';
  int result;
  while ((result = copal_link_next(&document, &link)) > 0) {
    if (argument != NULL && !copal_link_matches(&link, bytes_of(argument))) continue;
    size += (size_t)snprintf(targets + size, sizeof targets - size, "%.*s ", (int)link.target.size,
                             (const char *)link.target.data);
  }
  assert_int_equal(result, 0);
  return targets;
}

/* Reads a document and writes what was read. */
static void assert_written_back(const char *text) {
  char written[512];
  copal_link_writer writer = {written, sizeof written, 0, COPAL_OK};
  copal_bytes document = bytes_of(text);
  copal_link link;
  while (copal_link_next(&document, &link) > 0) {
    copal_link_write(&writer, (const char *)link.target.data, link.target.size);
    copal_link_parameter parameter;
    while (copal_link_parameter_next(&link.parameters, &parameter) > 0) {
      char name[32], value[128];
      snprintf(name, sizeof name, "%.*s", (int)parameter.name.size, (const char *)parameter.name.data);
      int size = copal_link_unescape(&parameter, value, sizeof value);
      assert_true(size >= 0);
      const char *given = parameter.has_value ? value : NULL;
      copal_link_write_parameter(&writer, name, given, (size_t)size, parameter.quoted);
    }
  }
  assert_int_equal(writer.error, COPAL_OK);
  assert_int_equal(writer.size, strlen(text));
  assert_memory_equal(written, text, writer.size);
}

static const char section_5_sensors[] = "</sensors/temp>;if=\"sensor\",</sensors/light>;if=\"sensor\"";
static const char section_5_index[] = "</sensors>;ct=40";
static const char section_5_members[] =
    "</sensors/temp>;rt=\"temperature-c\";if=\"sensor\",</sensors/light>;rt=\"light-lux\";if=\"sensor\"";
static const char section_5_several[] = "</sensors/light>;rt=\"light-lux core.sen-light\";if=\"sensor\"";
static const char section_5_anchors[] =
    "</sensors>;ct=40;title=\"Sensor Index\",</sensors/temp>;rt=\"temperature-c\";if=\"sensor\","
    "</sensors/light>;rt=\"light-lux\";if=\"sensor\","
    "<http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\";rel=\"describedby\","
    "</t>;anchor=\"/sensors/temp\";rel=\"alternate\"";
static const char section_5_firmware[] = "</firmware/v2.1>;rt=\"firmware\";sz=262144";

static void section_5_documents_are_read_and_written_back(void **state) {
  (void)state;
  assert_string_equal(filtered(section_5_sensors, NULL), "/sensors/temp /sensors/light ");
  assert_string_equal(filtered(section_5_index, NULL), "/sensors ");
  assert_string_equal(filtered(section_5_anchors, NULL),
                      "/sensors /sensors/temp /sensors/light http://www.example.com/sensors/t123 /t ");
  assert_written_back(section_5_sensors);
  assert_written_back(section_5_index);
  assert_written_back(section_5_members);
  assert_written_back(section_5_several);
  assert_written_back(section_5_anchors);
  assert_written_back(section_5_firmware);
}

/* "Linefeeds are also included in these examples for readability." */
static void section_5_may_be_read_as_it_is_printed(void **state) {
  (void)state;
  static const char printed[] =
      "</sensors>;ct=40;title=\"Sensor Index\",\n"
      "   </sensors/temp>;rt=\"temperature-c\";if=\"sensor\",\n"
      "   </sensors/light>;rt=\"light-lux\";if=\"sensor\",\n"
      "   <http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\"\n"
      "   ;rel=\"describedby\",\n"
      "   </t>;anchor=\"/sensors/temp\";rel=\"alternate\"\n";
  assert_string_equal(filtered(printed, NULL),
                      "/sensors /sensors/temp /sensors/light http://www.example.com/sensors/t123 /t ");
  assert_string_equal(filtered(printed, "rel=describedby"), "http://www.example.com/sensors/t123 ");
}

static void section_5_attributes_have_their_values(void **state) {
  (void)state;
  copal_bytes document = bytes_of(section_5_anchors);
  copal_link link;
  copal_link_parameter parameter;
  assert_int_equal(copal_link_next(&document, &link), 1);
  assert_true(copal_link_find(&link, "title", &parameter));
  assert_true(parameter.quoted);
  assert_int_equal(parameter.value.size, 12);
  assert_memory_equal(parameter.value.data, "Sensor Index", 12);
  assert_true(copal_link_find(&link, "ct", &parameter));
  assert_false(parameter.quoted);
  assert_int_equal(parameter.value.size, 2);
  assert_memory_equal(parameter.value.data, "40", 2);
}

static void section_5_filters(void **state) {
  (void)state;
  assert_string_equal(filtered(section_5_members, "rt=light-lux"), "/sensors/light ");
  assert_string_equal(filtered(section_5_members, "rt=temperature-c"), "/sensors/temp ");
  assert_string_equal(filtered(section_5_several, "rt=light-lux"), "/sensors/light ");
  assert_string_equal(filtered(section_5_several, "rt=core.sen-light"), "/sensors/light ");
  assert_string_equal(filtered(section_5_anchors, "anchor=/sensors/temp"), "http://www.example.com/sensors/t123 /t ");
  assert_string_equal(filtered(section_5_firmware, "rt=firmware"), "/firmware/v2.1 ");
}

/* "The following are examples of valid query URIs". */
static void section_4_1_filters(void **state) {
  (void)state;
  static const char document[] = "</foo>,</foo/bar>,</fo>,</a>;foo=bar,</b>;foo=\"barley\",</c>;foo=ba,</d>;fo=bar";
  assert_string_equal(filtered(document, "href=/foo"), "/foo ");
  assert_string_equal(filtered(document, "href=/foo*"), "/foo /foo/bar ");
  assert_string_equal(filtered(document, "foo=bar"), "/a ");
  assert_string_equal(filtered(document, "foo=bar*"), "/a /b ");
  assert_string_equal(filtered(document, "foo=*"), "/a /b /c ");
}

/* "In the absence of any links, a zero-length payload is returned." */
static void section_4_no_links_is_no_bytes(void **state) {
  (void)state;
  assert_string_equal(filtered("", NULL), "");
  assert_written_back("");
}

static const char plugtest[] =
    "</test>;rt=\"Type0\";ct=0,</link1>;rt=\"Type1 Type2\";if=\"If1\",</link2>;rt=\"Type2 Type3\";if=\"If2\","
    "</link3>;rt=\"Type1 Type3\";if=\"foo\",</link4>;rt=\"\",</link5>;if=\"If1\";sz=100,</large>;sz=1280,</path>;ct=40";

static void plugtest_link_01_lists_all(void **state) {
  (void)state;
  assert_string_equal(filtered(plugtest, NULL), "/test /link1 /link2 /link3 /link4 /link5 /large /path ");
}

static void plugtest_link_02_to_04_filter_by_type(void **state) {
  (void)state;
  assert_string_equal(filtered(plugtest, "rt=Type1"), "/link1 /link3 ");
  assert_string_equal(filtered(plugtest, "rt=*"), "/test /link1 /link2 /link3 /link4 ");
  assert_string_equal(filtered(plugtest, "rt=Type2"), "/link1 /link2 ");
}

static void plugtest_link_05_and_06_filter_by_prefix_and_presence(void **state) {
  (void)state;
  assert_string_equal(filtered(plugtest, "if=If*"), "/link1 /link2 /link5 ");
  assert_string_equal(filtered(plugtest, "sz=*"), "/link5 /large ");
}

static void plugtest_link_07_and_08_filter_by_target(void **state) {
  (void)state;
  assert_string_equal(filtered(plugtest, "href=/link1"), "/link1 ");
  assert_string_equal(filtered(plugtest, "href=/link*"), "/link1 /link2 /link3 /link4 /link5 ");
}

static void plugtest_link_09_finds_a_collection(void **state) {
  (void)state;
  static const char members[] = "</path/sub1>,</path/sub2>,</path/sub3>";
  assert_string_equal(filtered(plugtest, "ct=40"), "/path ");
  assert_string_equal(filtered(members, NULL), "/path/sub1 /path/sub2 /path/sub3 ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(section_5_documents_are_read_and_written_back),
      cmocka_unit_test(section_5_may_be_read_as_it_is_printed),
      cmocka_unit_test(section_5_attributes_have_their_values),
      cmocka_unit_test(section_5_filters),
      cmocka_unit_test(section_4_1_filters),
      cmocka_unit_test(section_4_no_links_is_no_bytes),
      cmocka_unit_test(plugtest_link_01_lists_all),
      cmocka_unit_test(plugtest_link_02_to_04_filter_by_type),
      cmocka_unit_test(plugtest_link_05_and_06_filter_by_prefix_and_presence),
      cmocka_unit_test(plugtest_link_07_and_08_filter_by_target),
      cmocka_unit_test(plugtest_link_09_finds_a_collection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

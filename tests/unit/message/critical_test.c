/* Critical options: which one is refused, and why. RFC 7252 sections 5.4.1, 5.4.3, 5.4.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above */
#include <cmocka.h>

#include "message/critical.h"

static bool understands_uri_path(uint16_t number) { return number == COPAL_OPTION_URI_PATH; }

/* The verdict on a request with one or two options. */
static int32_t refused(critical_understood *understood, const copal_option *options, size_t count) {
  static uint8_t buffer[1024];
  copal_encoder encoder;
  copal_encode_begin(&encoder, buffer, sizeof buffer, COPAL_CON, COPAL_GET, 1, NULL, 0);
  for (size_t i = 0; i < count; ++i)
    copal_encode_option(&encoder, options[i].number, options[i].value, options[i].size);
  assert_int_equal(encoder.error, COPAL_OK);
  copal_view view;
  assert_int_equal(copal_decode(buffer, encoder.size, &view), COPAL_OK);
  return critical_refused(&view, understood);
}

static const uint8_t bytes[300];

/* RFC 7252 5.4.1: "Upon reception, unrecognized options of class "elective" MUST be silently ignored." */
static void elective_options_are_never_refused(void **state) {
  (void)state;
  const copal_option etag_of_9_bytes = {bytes, 9, COPAL_OPTION_ETAG}, unknown = {bytes, 3, 65000};
  assert_int_equal(refused(critical_registered, &etag_of_9_bytes, 1), CRITICAL_NONE);
  assert_int_equal(refused(critical_registered, &unknown, 1), CRITICAL_NONE);
}

static void a_critical_option_that_is_not_understood_is_named(void **state) {
  (void)state;
  const copal_option options[] = {{bytes, 1, COPAL_OPTION_URI_PATH}, {bytes, 1, COPAL_OPTION_ACCEPT}};
  const copal_option unknown = {bytes, 0, 65001};
  assert_int_equal(refused(critical_registered, options, 2), CRITICAL_NONE);
  assert_int_equal(refused(understands_uri_path, options, 2), COPAL_OPTION_ACCEPT);
  assert_int_equal(refused(critical_registered, &unknown, 1), 65001);
}

static bool understands_all(uint16_t number) {
  (void)number;
  return true;
}

/* What the registry does not have, it cannot bound. */
static void an_option_that_only_the_application_knows_is_its_matter(void **state) {
  (void)state;
  const copal_option options[] = {{bytes, 0, 65001}, {bytes, 290, 65001}};
  assert_int_equal(refused(understands_all, options, 2), CRITICAL_NONE);
}

/* RFC 7252 5.4.3: "If the length of an option value in a request is outside the defined range, that option MUST be
 * treated like an unrecognized option". */
static void a_critical_option_of_illegal_size_is_refused(void **state) {
  (void)state;
  const copal_option port = {bytes, 3, COPAL_OPTION_URI_PORT}, query = {bytes, 256, COPAL_OPTION_URI_QUERY},
                     legal_query = {bytes, 255, COPAL_OPTION_URI_QUERY},
                     none_match = {bytes, 1, COPAL_OPTION_IF_NONE_MATCH}, no_host = {bytes, 0, COPAL_OPTION_URI_HOST};
  assert_int_equal(refused(critical_registered, &port, 1), COPAL_OPTION_URI_PORT);
  assert_int_equal(refused(critical_registered, &query, 1), COPAL_OPTION_URI_QUERY);
  assert_int_equal(refused(critical_registered, &legal_query, 1), CRITICAL_NONE);
  assert_int_equal(refused(critical_registered, &none_match, 1), COPAL_OPTION_IF_NONE_MATCH);
  assert_int_equal(refused(critical_registered, &no_host, 1), COPAL_OPTION_URI_HOST);
}

/* RFC 7252 5.4.5: "each supernumerary option occurrence that appears subsequently in the message MUST be treated like
 * an unrecognized option". */
static void a_repeated_option_is_refused_unless_it_may_be(void **state) {
  (void)state;
  const copal_option hosts[] = {{bytes, 1, COPAL_OPTION_URI_HOST}, {bytes, 1, COPAL_OPTION_URI_HOST}};
  const copal_option paths[] = {{bytes, 1, COPAL_OPTION_URI_PATH}, {bytes, 1, COPAL_OPTION_URI_PATH}};
  assert_int_equal(refused(critical_registered, hosts, 1), CRITICAL_NONE);
  assert_int_equal(refused(critical_registered, hosts, 2), COPAL_OPTION_URI_HOST);
  assert_int_equal(refused(critical_registered, paths, 2), CRITICAL_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(elective_options_are_never_refused),
      cmocka_unit_test(a_critical_option_that_is_not_understood_is_named),
      cmocka_unit_test(an_option_that_only_the_application_knows_is_its_matter),
      cmocka_unit_test(a_critical_option_of_illegal_size_is_refused),
      cmocka_unit_test(a_repeated_option_is_refused_unless_it_may_be),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

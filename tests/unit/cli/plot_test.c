/* The picture of a line of values, compared as text. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <float.h>
#include <string.h>

#include "cli/show/plot.h"

static char text[PLOT_TEXT_MAX];

static struct plot plot_of(const double *values, size_t count) {
  struct plot plot = {.count = 0};
  for (size_t i = 0; i < count; ++i) plot_add(&plot, values[i]);
  return plot;
}

static void assert_drawn(const struct plot *plot, size_t columns, size_t rows, const char *expected) {
  size_t size = plot_draw(plot, columns, rows, text);
  assert_int_equal(size, strlen(text));
  assert_string_equal(text, expected);
}

static void a_line_goes_from_the_smallest_to_the_largest_value(void **state) {
  (void)state;
  const double values[] = {0, 1, 2, 3, 4, 5, 6, 7};
  struct plot plot = plot_of(values, 8);
  assert_drawn(&plot, 60, 3,
               "        7 ┤⠀⠀⡠⠊\n"
               "        0 ┤⡠⠊\n"
               "last 7  min 0  max 7  8 values\n");
}

static void values_that_are_far_apart_are_joined(void **state) {
  (void)state;
  const double values[] = {1, 0, 1, 0.5};
  struct plot plot = plot_of(values, 4);
  assert_drawn(&plot, 60, 4,
               "        1 ┤⢱⣷\n"
               "          │⢸⡟\n"
               "        0 ┤⢸⠇\n"
               "last 0.5  min 0  max 1  4 values\n");
}

static void a_value_that_stays_is_a_level_line(void **state) {
  (void)state;
  const double values[] = {21.5, 21.5, 21.5};
  struct plot plot = plot_of(values, 3);
  assert_drawn(&plot, 60, 3,
               "     21.5 ┤\n"
               "     21.5 ┤⠉⠁\n"
               "last 21.5  min 21.5  max 21.5  3 values\n");
}

static void one_value_is_a_dot_and_none_is_told(void **state) {
  (void)state;
  const double values[] = {-3};
  struct plot plot = plot_of(values, 1);
  assert_drawn(&plot, 30, 3,
               "       -3 ┤\n"
               "       -3 ┤⠁\n"
               "last -3  min -3  max -3  1 val\n");
  plot.count = 0;
  assert_drawn(&plot, 30, 3,
               "          ┤\n"
               "          ┤\n"
               "no value yet\n");
}

/* Two values a column: of 20 in 8 columns the last 16 are drawn. */
static void the_latest_values_are_drawn_where_not_all_have_room(void **state) {
  (void)state;
  struct plot plot = {.count = 0};
  for (int i = 0; i < 20; ++i) plot_add(&plot, i);
  assert_drawn(&plot, 19, 3,
               "       19 ┤⠀⠀⠀⠀⣀⠤⠒⠉\n"
               "        4 ┤⣀⠤⠒⠉\n"
               "last 19  min 4  max\n");
}

static void more_values_than_are_kept_are_counted(void **state) {
  (void)state;
  struct plot plot = {.count = 0};
  for (int i = 0; i < 3 * PLOT_VALUES_MAX; ++i) plot_add(&plot, i);
  plot_draw(&plot, PLOT_COLUMNS_MAX, 10, text);
  assert_non_null(strstr(text, "last 1535  min 1046  max 1535  1536 values\n"));
}

static void where_there_is_no_room_there_is_no_picture(void **state) {
  (void)state;
  const double values[] = {1, 2};
  struct plot plot = plot_of(values, 2);
  assert_drawn(&plot, 80, 2, "last 2  min 1  max 2  2 values\n");
  assert_drawn(&plot, 12, 24, "last 2  min \n");
  assert_drawn(&plot, 0, 24, "\n");
  assert_drawn(&plot, 80, 0, "");
}

static void the_largest_picture_fits_its_buffer(void **state) {
  (void)state;
  struct plot plot = {.count = 0};
  for (int i = 0; i < PLOT_VALUES_MAX; ++i) plot_add(&plot, i % 2 == 0 ? -DBL_MAX : DBL_MAX);
  size_t size = plot_draw(&plot, 100000, 100000, text), lines = 0;
  assert_true(size < sizeof text);
  for (size_t i = 0; i < size; ++i) lines += text[i] == '\n';
  assert_int_equal(lines, PLOT_ROWS_MAX);
  assert_non_null(strstr(text, " 1.8e+308 ┤"));
}

static void long_numbers_lose_digits_in_their_labels(void **state) {
  (void)state;
  const double values[] = {123456789, -0.000123456};
  struct plot plot = plot_of(values, 2);
  plot_draw(&plot, 60, 3, text);
  assert_non_null(strstr(text, "1.235e+08 ┤"));
  assert_non_null(strstr(text, "-0.000123 ┤"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_goes_from_the_smallest_to_the_largest_value),
      cmocka_unit_test(values_that_are_far_apart_are_joined),
      cmocka_unit_test(a_value_that_stays_is_a_level_line),
      cmocka_unit_test(one_value_is_a_dot_and_none_is_told),
      cmocka_unit_test(the_latest_values_are_drawn_where_not_all_have_room),
      cmocka_unit_test(more_values_than_are_kept_are_counted),
      cmocka_unit_test(where_there_is_no_room_there_is_no_picture),
      cmocka_unit_test(the_largest_picture_fits_its_buffer),
      cmocka_unit_test(long_numbers_lose_digits_in_their_labels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

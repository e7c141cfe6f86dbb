/* The command line against option tables: the command's own, so that their data is tested too. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "cli/line/arguments.h"
#include "cli/line/command.h"
#include "cli/line/option.h"

static const option_tables tables = {options_payload, options_request, options_transmission, options_verbose,
                                     options_common};

static struct settings settings;
static char error[200];

/* Parses up to 8 words, which NULL ends. */
static bool parse(const char *first, ...) {
  static char words[8][64];
  char *argv[8];
  int argc = 0;
  va_list list;
  va_start(list, first);
  for (const char *word = first; word != NULL; word = va_arg(list, const char *)) {
    assert_true(argc < 8 && strlen(word) < sizeof words[0]);
    strcpy(words[argc], word);
    argv[argc] = words[argc];
    ++argc;
  }
  va_end(list);
  static char *kept[8];
  memcpy(kept, argv, sizeof kept);
  settings = settings_default();
  error[0] = '\0';
  return arguments_parse(tables, argc, kept, &settings, error, sizeof error);
}

static void nothing_leaves_the_defaults(void **state) {
  (void)state;
  char *argv[1] = {NULL};
  settings = settings_default();
  assert_true(arguments_parse(tables, 0, argv, &settings, error, sizeof error));
  assert_int_equal(settings.operands_count, 0);
  assert_true(settings.timeout == COPAL_NEVER);
  assert_true(settings.retransmit == UINT32_MAX);
  assert_false(settings.non);
  assert_null(settings.data);
}

static void a_value_follows_in_every_way_of_writing(void **state) {
  (void)state;
  assert_true(parse("--data", "on", NULL));
  assert_string_equal(settings.data, "on");
  assert_true(parse("--data=on=off", NULL));
  assert_string_equal(settings.data, "on=off");
  assert_true(parse("--data=", NULL));
  assert_string_equal(settings.data, "");
  assert_true(parse("-d", "on", NULL));
  assert_string_equal(settings.data, "on");
  assert_true(parse("-don", NULL));
  assert_string_equal(settings.data, "on");
  assert_true(parse("--data", "--non", NULL));
  assert_string_equal(settings.data, "--non");
  assert_false(settings.non);
}

static void flags_stand_alone_or_together(void **state) {
  (void)state;
  assert_true(parse("-vN", NULL));
  assert_true(settings.verbose && settings.non);
  assert_true(parse("-Nd", "x", NULL));
  assert_true(settings.non);
  assert_string_equal(settings.data, "x");
}

static void operands_and_options_mix(void **state) {
  (void)state;
  assert_true(parse("a", "-v", "b", "--timeout", "2", "-", NULL));
  assert_int_equal(settings.operands_count, 3);
  assert_string_equal(settings.operands[0], "a");
  assert_string_equal(settings.operands[1], "b");
  assert_string_equal(settings.operands[2], "-");
  assert_true(settings.timeout == 2 * COPAL_SECOND);
}

static void two_dashes_end_the_options(void **state) {
  (void)state;
  assert_true(parse("--", "--data", "-v", NULL));
  assert_int_equal(settings.operands_count, 2);
  assert_string_equal(settings.operands[0], "--data");
  assert_false(settings.verbose);
}

static void a_repeated_option_keeps_all_its_values(void **state) {
  (void)state;
  assert_true(parse("-O", "ETag=0x01", "--option=ETag=0x02", "-OIf-None-Match", NULL));
  assert_int_equal(settings.options.count, 3);
  assert_string_equal(settings.options.items[0], "ETag=0x01");
  assert_string_equal(settings.options.items[1], "ETag=0x02");
  assert_string_equal(settings.options.items[2], "If-None-Match");
}

static void a_list_has_a_bound(void **state) {
  (void)state;
  static char word[] = "-Ox";
  char *argv[LIST_MAX + 1];
  for (int i = 0; i <= LIST_MAX; ++i) argv[i] = word;
  settings = settings_default();
  assert_true(arguments_parse(tables, LIST_MAX, argv, &settings, error, sizeof error));
  assert_int_equal(settings.options.count, LIST_MAX);
  for (int i = 0; i <= LIST_MAX; ++i) argv[i] = word;
  settings = settings_default();
  assert_false(arguments_parse(tables, LIST_MAX + 1, argv, &settings, error, sizeof error));
  assert_string_equal(error, "-O is given more than 64 times");
}

static void a_choice_is_one_of_its_words(void **state) {
  (void)state;
  assert_true(parse("--color", "never", NULL));
  assert_int_equal(settings.color, COLOR_NEVER);
  assert_true(parse("--color=always", NULL));
  assert_int_equal(settings.color, COLOR_ALWAYS);
  assert_true(parse("--color=auto", NULL));
  assert_int_equal(settings.color, COLOR_AUTO);
  assert_false(parse("--color=a", NULL));
  assert_false(parse("--color=", NULL));
  assert_false(parse("--color=auto|always", NULL));
  assert_string_equal(error, "--color: 'auto|always' is not one of auto|always|never");
}

static void a_number_stays_in_its_range(void **state) {
  (void)state;
  assert_true(parse("--retransmit", "10", NULL));
  assert_int_equal(settings.retransmit, 10);
  assert_false(parse("--retransmit", "11", NULL));
  assert_string_equal(error, "--retransmit: '11' is not a number from 0 to 10");
  assert_false(parse("--retransmit", "-1", NULL));
}

static void what_is_wrong_is_said(void **state) {
  (void)state;
  assert_false(parse("--ouput", "x", NULL));
  assert_string_equal(error, "unknown option --ouput: did you mean --output?");
  assert_false(parse("--xyzzy-xyzzy", NULL));
  assert_string_equal(error, "unknown option --xyzzy-xyzzy");
  assert_false(parse("--dat=x", NULL));
  assert_string_equal(error, "unknown option --dat: did you mean --data?");
  assert_false(parse("-vX", NULL));
  assert_string_equal(error, "unknown option -X");
  assert_false(parse("--data", NULL));
  assert_string_equal(error, "--data needs a value: TEXT");
  assert_false(parse("-d", NULL));
  assert_string_equal(error, "-d needs a value: TEXT");
  assert_false(parse("--non=yes", NULL));
  assert_string_equal(error, "--non: 'yes' is neither true nor false");
  assert_false(parse("--timeout", "soon", NULL));
  assert_string_equal(error, "--timeout: 'soon' is not a number of seconds such as 2 or 0.5");
}

static void no_command_has_a_name_or_letter_twice(void **state) {
  (void)state;
  for (const struct command *command = commands; command->name != NULL; ++command) {
    const struct option_entry *seen[64];
    size_t count = 0;
    for (size_t table = 0; table < TABLES_MAX && command->tables[table] != NULL; ++table) {
      for (const struct option_entry *entry = command->tables[table]; entry->name != NULL; ++entry) {
        assert_non_null(entry->help);
        assert_int_equal(entry->argument == NULL, entry->kind == OPTION_FLAG || entry->kind == OPTION_LEVEL);
        for (size_t i = 0; i < count; ++i) {
          assert_string_not_equal(seen[i]->name, entry->name);
          if (entry->letter != '\0') assert_int_not_equal(seen[i]->letter, entry->letter);
        }
        seen[count++] = entry;
      }
    }
    assert_true(count > 0);
  }
}

/* What stands in COPAL_OPTIONS is read alike, whichever subcommand it is read for. */
static void a_name_takes_a_value_for_all_commands_or_for_none(void **state) {
  (void)state;
  for (const struct command *command = commands; command->name != NULL; ++command) {
    const struct option_entry *entry;
    for (size_t i = 0; (entry = option_at(command->tables, i)) != NULL; ++i) {
      for (const struct command *other = commands; other->name != NULL; ++other) {
        const struct option_entry *same = option_by_name(other->tables, entry->name, strlen(entry->name));
        if (same == NULL || option_takes_value(same) == option_takes_value(entry)) continue;
        fail_msg("--%s takes a value for one of %s and %s only", entry->name, command->name, other->name);
      }
    }
  }
}

static void every_table_has_a_title(void **state) {
  (void)state;
  for (const struct command *command = commands; command->name != NULL; ++command) {
    for (size_t table = 0; table < TABLES_MAX && command->tables[table] != NULL; ++table) {
      const struct option_title *title = option_titles;
      while (title->table != NULL && title->table != command->tables[table]) ++title;
      if (title->table == NULL) fail_msg("the table %zu of %s has none in option_titles", table, command->name);
    }
  }
}

static bool parse_general(const char *first, const char *second) {
  static char words[2][64];
  char *argv[] = {words[0], words[1]};
  strcpy(words[0], first);
  strcpy(words[1], second != NULL ? second : "");
  settings = settings_default();
  error[0] = '\0';
  return arguments_parse_general(tables, second != NULL ? 2 : 1, argv, &settings, error, sizeof error);
}

static void general_words_may_be_for_other_commands(void **state) {
  (void)state;
  assert_true(parse_general("--timeout", "3"));
  assert_true(settings.timeout == 3 * COPAL_SECOND);
  assert_true(parse_general("--amplification", "7"));
  assert_true(settings.amplification == UINT32_MAX);
  assert_true(parse_general("--plugtest", "-v"));
  assert_int_equal(settings.verbose, 1);
  assert_false(settings.plugtest);
  assert_false(parse_general("--plugtset", NULL));
  assert_false(parse_general("--amplification", NULL));
  assert_string_equal(error, "--amplification needs a value: N");
  assert_false(parse_general("coap://a/", NULL));
  assert_string_equal(error, "'coap://a/' is no option");
}

/* -w is --write to one and --wait SECONDS to another: what follows it cannot be told. */
static void a_general_letter_means_one_thing(void **state) {
  (void)state;
  assert_true(parse_general("-t", "3"));
  assert_true(settings.timeout == 3 * COPAL_SECOND);
  assert_false(parse_general("-w", "3"));
  assert_non_null(strstr(error, "-w is --"));
  assert_non_null(strstr(error, ": write the one that is meant"));
}

static void a_flag_can_be_taken_back(void **state) {
  (void)state;
  assert_true(parse("--non", "--non=false", "-vv", NULL));
  assert_false(settings.non);
  assert_int_equal(settings.verbose, 2);
  assert_true(parse("--non=true", "-vv", "--verbose=false", NULL));
  assert_true(settings.non);
  assert_int_equal(settings.verbose, 0);
  assert_true(parse("--verbose=2", NULL));
  assert_int_equal(settings.verbose, 2);
}

static void an_option_of_others_is_told_whose_it_is(void **state) {
  (void)state;
  assert_false(parse("--amplification", "3", NULL));
  assert_string_equal(error, "--amplification is an option of serve");
  assert_false(parse("-b", "x", NULL));
  assert_non_null(strstr(error, "-b is an option of "));
  assert_non_null(strstr(error, "serve"));
}

static void a_mistyped_word_gets_a_suggestion(void **state) {
  (void)state;
  assert_false(parse("--color=alwais", NULL));
  assert_string_equal(error, "--color: 'alwais' is not one of auto|always|never: did you mean always?");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_leaves_the_defaults),
      cmocka_unit_test(a_value_follows_in_every_way_of_writing),
      cmocka_unit_test(flags_stand_alone_or_together),
      cmocka_unit_test(operands_and_options_mix),
      cmocka_unit_test(two_dashes_end_the_options),
      cmocka_unit_test(a_repeated_option_keeps_all_its_values),
      cmocka_unit_test(a_list_has_a_bound),
      cmocka_unit_test(a_choice_is_one_of_its_words),
      cmocka_unit_test(a_number_stays_in_its_range),
      cmocka_unit_test(what_is_wrong_is_said),
      cmocka_unit_test(no_command_has_a_name_or_letter_twice),
      cmocka_unit_test(a_name_takes_a_value_for_all_commands_or_for_none),
      cmocka_unit_test(every_table_has_a_title),
      cmocka_unit_test(general_words_may_be_for_other_commands),
      cmocka_unit_test(a_general_letter_means_one_thing),
      cmocka_unit_test(a_flag_can_be_taken_back),
      cmocka_unit_test(an_option_of_others_is_told_whose_it_is),
      cmocka_unit_test(a_mistyped_word_gets_a_suggestion),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What can be set on the command line, for all subcommands together, and the tables that say how. */
#ifndef COPAL_CLI_LINE_SETTINGS_H
#define COPAL_CLI_LINE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copal/copal.h"

enum { LIST_MAX = 64 };

/* The values of an option that may be repeated. */
struct list {
  const char *items[LIST_MAX];
  size_t count;
};

enum observe_method { OBSERVE_GET, OBSERVE_FETCH };

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum pretty { PRETTY_AUTO, PRETTY_ALWAYS, PRETTY_NEVER };

/* Of copal bench. */
struct bench_settings {
  uint32_t clients, window;
  uint32_t in_flight; /* 0: as many as there are */
  uint32_t sources;   /* 0: one for each client */
  uint32_t rate;      /* a second; 0: a closed loop */
  uint32_t requests;  /* 0: no limit */
  uint32_t observers;
  uint32_t size;       /* of a payload that is made up; UINT32_MAX: there is none */
  uint32_t method;     /* its code less 1; UINT32_MAX: as it suits the payload */
  copal_time duration; /* COPAL_NEVER: no limit, or as long as it is usual */
  copal_time warmup;
};

/* Texts are borrowed from argv; NULL where the option was not given. */
struct settings {
  char **operands; /* what is not an option, in order */
  size_t operands_count;

  /* common */
  uint32_t color;   /* enum color */
  uint32_t pretty;  /* enum pretty */
  uint32_t verbose; /* how often it was said */
  bool quiet, help, json, no_config;

  /* transmission */
  copal_time timeout;     /* of the whole wait; COPAL_NEVER leaves it to the library */
  copal_time ack_timeout; /* COPAL_NEVER: the library's default */
  uint32_t retransmit;    /* UINT32_MAX: the library's default */
  const char *ack_random; /* a factor; NULL: the library's default */
  copal_time max_latency; /* COPAL_NEVER: the library's default */
  uint32_t probing_rate;  /* UINT32_MAX: the library's default */
  uint32_t nstart;        /* 0: as many as --parallel and --ahead need */

  /* requests */
  struct list options; /* NAME[=VALUE] */
  const char *accept, *format, *token, *output;
  const char *data, *file, *hex, *json_data;
  uint32_t block_size; /* 0: the library's choice */
  uint32_t ahead;      /* blocks */
  bool non, no_token, no_response, q_block;
  struct list if_matches, etags; /* 0xHEX or text */
  bool if_none_match;

  /* several requests */
  uint32_t repeat;   /* 0: until interrupted */
  uint32_t parallel; /* under way at a time; at least 1 */
  copal_time pace;   /* from one round to the next; COPAL_NEVER: as --repeat has it */

  /* observe */
  uint32_t notifications; /* 0: no limit */
  uint32_t method;        /* enum observe_method */
  copal_time duration;    /* COPAL_NEVER: no limit */
  copal_time renew;       /* COPAL_NEVER: when what came is no longer fresh */
  const char *exec;
  bool plot;

  /* ping */
  uint32_t count;
  copal_time interval;

  /* discover */
  copal_time wait;
  const char *rt, *interface_type, *href;
  const char *interface;

  /* decode */
  const char *pcap; /* elsewhere: what is sent and received goes there */
  struct list ports;
  bool raw, brief;

  /* serve */
  struct list binds;
  copal_time delay;
  copal_time change_interval;
  uint32_t amplification; /* UINT32_MAX: as it suits what is served */
  uint32_t threads;
  bool write, plugtest, reuse_port;

  struct bench_settings bench;
};

/* What each option has without being given. */
struct settings settings_default(void);

/* What kind of value an option takes, which decides the type of its field. */
enum option_kind {
  OPTION_FLAG,     /* bool; no value */
  OPTION_LEVEL,    /* uint32_t, how often it was given; no value */
  OPTION_TEXT,     /* const char * */
  OPTION_LIST,     /* struct list; may be repeated */
  OPTION_DURATION, /* copal_time */
  OPTION_NUMBER,   /* uint32_t, at most entry.limit */
  OPTION_CHOICE    /* uint32_t, the position among the words of entry.argument, which "|" separates */
};

/* How often it is wanted: --help shows what is wanted daily, and fits a screen. */
enum option_usage { RARE, DAILY };

/* One option. Tables of these are ended by an entry without a name. */
struct option_entry {
  const char *name; /* without "--" */
  char letter;      /* '\0': none */
  uint8_t kind;     /* enum option_kind */
  const char *argument;
  size_t at; /* offset of the field in struct settings */
  uint32_t limit;
  uint8_t usage; /* enum option_usage */
  const char *help;
};

/* What stands above a table's options in a subcommand's full help. */
struct option_title {
  const struct option_entry *table;
  const char *title;
};

/* One for each table; ended by one without a table. */
extern const struct option_title option_titles[];

extern const struct option_entry options_verbose[];
extern const struct option_entry options_common[];
extern const struct option_entry options_json[];
extern const struct option_entry options_transmission[];
extern const struct option_entry options_request[];
extern const struct option_entry options_conditions[];
extern const struct option_entry options_several[];
extern const struct option_entry options_response[];
extern const struct option_entry options_payload[];
extern const struct option_entry options_observe[];
extern const struct option_entry options_ping[];
extern const struct option_entry options_discover[];
extern const struct option_entry options_decode[];
extern const struct option_entry options_serve[];
extern const struct option_entry options_bench[];

#endif

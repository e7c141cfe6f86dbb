/* One seed's run: a time in which everything goes wrong and nothing may be wrong, a calm in which all must come right,
 * and a silence, after which nothing may be left. */
#ifndef COPAL_SIM_RUN_H
#define COPAL_SIM_RUN_H

#include "program/work.h"

/* What is kept from one run to the next. */
struct stage {
  struct scene scene;
  struct work *work;
  struct watch *watch;
  struct observe *observe;
};

struct stage *stage_begin(void);
void stage_end(struct stage *stage);

/* What happened, of one run or of many. */
struct account {
  uint64_t runs, exchanges;
  uint64_t ends[END_COUNT], kinds[KIND_COUNT];
  uint64_t executions, repeats, refusals, group_answers, stateless_answers;
  struct tally tally;
  copal_time time;
  uint64_t digest; /* of the last run's traffic */
};

/* Runs to the end, or to a violation, which ends the program. */
void run(struct stage *stage, const struct setting *setting, bool is_traced, const char *broken,
         struct account *account);

void account_print(const struct account *account, FILE *file);

#endif

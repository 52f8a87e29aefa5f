/* run_log: what happens in a run, a line of JSON an event. In: facts, events, an outcome. Out: lines, at most a fifth
 * of a second late.
 */
#ifndef LANG_RUN_LOG_H
#define LANG_RUN_LOG_H
#include "steps/turns.h"
#include "tool/record.h"
#include <stdio.h>

typedef struct RunLog {
  FILE *file;
  int64_t steps;             /* that were begun */
  StepTurns last;
  bool open;                 /* a step was begun and is not written: its batch may still complete it */
  int64_t epoch, batch;      /* of it; 0: not known */
  double seconds, flushed;
  Text losses, values, line;
  uint32_t n_losses;
} RunLog;

void run_log_begin(RunLog *l, Arena *a, const Facts *facts);
void run_log_event(RunLog *l, Session *s, const Event *e, double seconds);
void run_log_end(RunLog *l, const Facts *facts);
#endif

/* event: what happens in a run, for whoever keeps a log of it (SessionConfig.heard). Nobody listens in an ordinary run.
 * Out: labels and values that are valid during the call.
 */
#ifndef LANG_EVENT_H
#define LANG_EVENT_H
#include "steps/program.h"

typedef enum {
  EVENT_ROW,        /* a row of a series: its columns */
  EVENT_STEP,       /* a segment moved parameters: the losses that it was for, without labels */
  EVENT_BEGIN,      /* `progress`: a training begins */
  EVENT_BATCH,      /* `progress`: a batch is done; an epoch is */
  EVENT_EPOCH,
  EVENT_PRINT,      /* a print statement: text */
  EVENT_CHECKPOINT  /* a checkpoint was written: text is its path */
} EventKind;

typedef struct Event {
  EventKind kind;
  Loc loc;
  uint32_t n;
  const char *const *label;
  Tensor *const *value;
  const struct Table *table; /* EVENT_ROW */
  const Segment *segment;    /* EVENT_STEP */
  int64_t epoch, batch;      /* from 1; 0: it has none */
  const char *text; size_t length;
} Event;
#endif

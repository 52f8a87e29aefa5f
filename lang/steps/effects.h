/* effects: the steps that act: print, assert, seed, save, load, series, progress, trace. Each constructor makes a Step
 * (in the session's arena) with what it needs; the elaborator gives it to step_effect, which places it and cuts where
 * it must. What an effect needs it names by node: prepare fills in the slots.
 *
 * Effects that only read (print, trace, series, progress) cut nothing. assert, seed, save and load cut: what stands
 * behind them has not happened when they fail. An effect frees what it takes, so that a long run does not grow.
 */
#ifndef LANG_EFFECTS_H
#define LANG_EFFECTS_H
#include "steps/format.h"
#include "steps/program.h"
#include "steps/table.h"

/* A text with what its holes are filled with, by node: known when it has none. */
typedef struct TextValue { Template *text; Needs need; } TextValue;
const TextValue *text_literal(Arena *a, const char *text);
const char *text_known(const TextValue *t);                        /* NULL: of the run */
/* A text that the step writes when it runs; its holes are needs of the step behind those that it has. */
const Template *step_text(Session *s, Step *step, const TextValue *text);
const char *template_text(Arena *a, const Template *m, Tensor *const *value);

/* A line: a text and a newline, by config.print in one call. */
Step *effect_print(Session *s, const TextValue *text, Loc loc);

/* Every element of condition (bool) holds, or the run stops. why: or NULL. */
Step *effect_assert(Session *s, NodeId condition, const TextValue *why, Loc loc);
/* The two sides of the comparison it came from, shown when it fails. */
void effect_assert_sides(Session *s, Step *assertion, NodeId left, NodeId right);

/* Writes the seed's cell (i32[2]: low, high): the value of a known seed, or that of a node of type i32[]. The
 * elaborator reads the cell anew afterwards. */
Step *effect_seed(Session *s, SlotId cell, int64_t known, Loc loc);
Step *effect_seed_of(Session *s, SlotId cell, NodeId value, Loc loc);

/* A tensor of a tree by its path: a cell (its value when the step runs), or a node. */
/* name: its key, the path below the tree; path: its key in a checkpoint, too, or NULL; cell NO_SLOT: the node. */
typedef struct TreeEntry { const char *name, *path; SlotId cell; NodeId node; } TreeEntry;
#define CHECKPOINT_TEXT "~run" /* the entry by which a file of tensors is a checkpoint: it holds more than a tree */
/* safetensors, written atomically, in the order given. */
Step *effect_save(Session *s, const TextValue *path, const TreeEntry *entry, uint32_t n, Loc loc);
/* Reads the cells by name; missing, extra and misshapen entries are one error that names them all, and then no cell
 * changes. The elaborator reads the cells anew afterwards. */
/* tree, held: as they are written, what is loaded and what alone stands in it (or NULL). */
Step *effect_load(Session *s, const TextValue *path, const TreeEntry *entry, uint32_t n, const char *tree,
                  const char *held, Loc loc);

/* Columns not named in this add stay a row behind and are filled with zeros. */
Step *effect_add(Session *s, Table *t, const char *const *column, const NodeId *node, uint32_t n, Loc loc);

/* Empties the table: the series is made anew. */
Step *effect_clear(Session *s, Table *t, Loc loc);
/* Writes a column to a cell, whose first size must be the rows that there are. */
Step *effect_column(Session *s, Table *t, const char *column, SlotId cell, Loc loc);

/* Training's progress. The steps of one training share a clock: BEGIN stands before the loop over the epochs (shows
 * nothing), BATCH at the end of a batch (a live line), EPOCH behind the batches of an epoch (a line that stays, unless
 * there are many). */
typedef struct ProgressClock ProgressClock;
ProgressClock *progress_clock(Session *s);
typedef struct ProgressSpec {
  enum { PROGRESS_BEGIN, PROGRESS_BATCH, PROGRESS_EPOCH } when;
  ProgressClock *clock;
  NodeId epoch, batch;              /* i32[] from 1, from 0; NO_NODE where there is none (BEGIN: both, EPOCH: batch) */
  NodeId last;                      /* bool[]: the training ends with this epoch; NO_NODE: after `epochs` */
  int64_t epochs, batches;          /* batches in an epoch; 0: not known */
  int64_t samples;                  /* in an epoch; 0: not known */
  uint32_t n;
  const char *const *label;         /* of the values shown */
  const NodeId *value;              /* scalars */
} ProgressSpec;
Step *effect_progress(Session *s, const ProgressSpec *spec, Loc loc);

/* What bodies of loops traced: each value is stacked over the turns of the loops around it, and shown turn by turn. */
typedef struct TraceItem {
  const char *name;                 /* or NULL */
  NodeId node;                      /* NO_NODE: a loop inside */
  struct TraceGroup *inner;
} TraceItem;
/* counted: `count` says how many of the turns were made. */
typedef struct TraceGroup { int64_t turns; bool counted; NodeId count; VEC(TraceItem) item; } TraceGroup;
Step *effect_traces(Session *s, const TraceGroup *group, Loc loc);

/* `name: value`, or the value alone if name is NULL. */
Step *effect_trace(Session *s, const char *name, NodeId value, Loc loc);
#endif

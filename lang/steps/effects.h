/* effects: the steps that act: print, assert, seed, save, load, series, progress, trace. Each constructor makes a Step (in the session's
 * arena) with what it needs; the elaborator gives it to step_effect, which places it and cuts where it must. What an effect
 * needs it names by node: prepare fills in the slots.
 *
 * Effects that only read (print, trace, series, progress) cut nothing. assert, seed, save and load cut: what stands behind them has not
 * happened when they fail. An effect frees what it takes, so that a long run does not grow.
 */
#ifndef LANG_EFFECTS_H
#define LANG_EFFECTS_H
#include "elab/value.h"

/* A text (V_STRING or V_TEXT) that the step writes when it runs; its holes are needs of the step behind those that it has. */
const Template *step_text(Session *s, Step *step, const Value *text);
const char *template_text(Arena *a, const Template *m, Tensor *const *value);

/* A line: a text (V_STRING or V_TEXT) and a newline, by config.print in one call. */
Step *effect_print(Session *s, const Value *text, Loc loc);

/* Every element of condition (bool) holds, or the run stops. why: V_STRING, V_TEXT or NULL. */
Step *effect_assert(Session *s, NodeId condition, const Value *why, Loc loc);
/* The two sides of the comparison it came from, shown when it fails. */
void effect_assert_sides(Session *s, Step *assertion, NodeId left, NodeId right);

/* Writes the seed's cell (i32[2]: low, high): the value of a known seed, or that of a node of type i32[]. The elaborator
 * reads the cell anew afterwards. */
Step *effect_seed(Session *s, SlotId cell, int64_t known, Loc loc);
Step *effect_seed_of(Session *s, SlotId cell, NodeId value, Loc loc);

/* A tensor of a tree by its path: a cell (its value when the step runs), or a node. */
typedef struct TreeEntry { const char *name; SlotId cell; NodeId node; } TreeEntry;   /* NO_SLOT: the node */
/* safetensors, written atomically, in the order given. */
Step *effect_save(Session *s, const Value *path, const TreeEntry *entry, uint32_t n, Loc loc);
/* Reads the cells by name; missing, extra and misshapen entries are one error that names them all, and then no cell changes.
 * The elaborator reads the cells anew afterwards. */
Step *effect_load(Session *s, const Value *path, const TreeEntry *entry, uint32_t n, Loc loc);

/* A series: named columns that grow by a row at each add. Lives in the session's arena, its rows until the session ends. */
typedef struct Table Table;
Table *table_new(Session *s);
/* A row: the columns are those of the first add (which must name the same ones with the same types each time: false). */
bool table_column(Session *s, Table *t, const char *name, const Type *type);   /* declares; false: it has another type */
const Type *table_type(const Table *t, const char *name);                      /* of a row; NULL: no such column */
uint32_t table_columns(const Table *t);
const char *table_name(const Table *t, uint32_t k);
int64_t table_rows(const Table *t);
void table_rows_set(Table *t, int64_t rows);                                   /* what is new is zero */
void table_fill(Table *t, uint32_t column, const Tensor *rows);                /* [rows, ...] of the column's type */
void table_cut(Table *t, int64_t rows);                                        /* only the first rows stay */
Tensor *table_tensor(Session *s, const Table *t, const char *name);            /* young, [rows, ...]; NULL: no such column */
/* Columns not named in this add stay a row behind and are filled with zeros. */
Step *effect_add(Session *s, Table *t, const char *const *column, const NodeId *node, uint32_t n, Loc loc);

/* Empties the table: the series is made anew. */
Step *effect_clear(Session *s, Table *t, Loc loc);
/* Writes a column to a cell, whose first size must be the rows that there are. */
Step *effect_column(Session *s, Table *t, const char *column, SlotId cell, Loc loc);

/* Training's progress. The steps of one training share a clock: BEGIN stands before the loop over the epochs (shows nothing), BATCH
 * at the end of a batch (a live line), EPOCH behind the batches of an epoch (a line that stays, unless there are many). */
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
typedef struct TraceGroup { int64_t turns; VEC(TraceItem) item; } TraceGroup;
Step *effect_traces(Session *s, const TraceGroup *group, Loc loc);

/* `name: value`, or the value alone if name is NULL. */
Step *effect_trace(Session *s, const char *name, NodeId value, Loc loc);
#endif

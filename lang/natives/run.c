/* run: functions that act: seed, save, load, progress, trace. In: arguments. Out: steps; `trace(x)` is x.
 */
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/mismatch.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include "steps/checkpoint.h"
#include "steps/effects.h"
#include <string.h>

/* ---- seed ---- */
static Value call_seed(Elab *e, const Arg *a, const Ast *at) {
  int64_t n;
  Value v = value_decay(e, a[0].value);
  if (!step_here(e, at, "`seed`")) return v_bad();
  if (known_int(e, v, &n)) step_effect(e, effect_seed(e->s, e->seed->slot, n, elab_loc(e, at)));
  else {
    NodeId x = want_typed(e, v, I32, a[0].at, "a seed");
    if (x == NO_NODE) return v_bad();
    step_effect(e, effect_seed_of(e->s, e->seed->slot, x, elab_loc(e, at)));
  }
  cell_changed(e, e->seed);
  return v_unit();
}

/* ---- save, load ---- */
/* Known numbers in records, tuples and lists become tensors; what has no numbers is refused (but functions, which stand
 * between layers). false: reported. */
static bool numbers_in(Elab *e, Value *v, const char *path, const Ast *at) {
  host_deeper(&e->s->host);
  const char *between = path[0] ? "." : "";
  switch (v->kind) {
  case V_RECORD: {
    Fields *f = arena_copy(e->a, v->fields, sizeof *f);
    f->at = arena_copy(e->a, f->at, f->n * sizeof *f->at);
    for (uint32_t k = 0; k < f->n; k++)
      if (!numbers_in(e, &f->at[k], arena_printf(e->a, "%s%s%s", path, between, f->name[k]), at)) return false;
    v->fields = f;
    return true;
  }
  case V_TUPLE: case V_LIST: {
    bool ints = v->kind == V_LIST && v->items->n > 0;
    for (uint32_t k = 0; k < v->items->n; k++) ints &= v->items->at[k].kind == V_INT;
    if (ints) {                                      /* as `shape` gives them */
      NodeId n = want_typed(e, *v, I32, at, "what is saved");
      if (n != NO_NODE) *v = v_node(n);
      return n != NO_NODE;
    }
    Value copy = v_items(e->a, (ValueKind)v->kind, v->items->at, v->items->n);
    for (uint32_t k = 0; k < copy.items->n; k++)
      if (!numbers_in(e, &copy.items->at[k], arena_printf(e->a, "%s%s%u", path, between, k), at)) return false;
    *v = copy;
    return true;
  }
  case V_INT: case V_BOOL: {
    if (v->kind == V_INT && (v->i > INT32_MAX || v->i < INT32_MIN)) break;
    NodeId n = want_typed(e, *v, v->kind == V_INT ? I32 : BOOL, at, "what is saved");
    if (n != NO_NODE) *v = v_node(n);
    return n != NO_NODE;
  }
  case V_STRING: case V_TEXT: case V_SERIES: case V_SEQ: case V_MODULE: case V_TYPE: break;
  default: return true;
  }
  Diag *g = elab_error(e, at, E_SAVE_ENTRY, value_kind_text(e, v), path[0] ? path : "value");
  if (v->kind == V_SERIES) diag_hint(e->d, g, "`to_csv(path, series)` writes a series");
  else if (v->kind == V_INT) diag_hint(e->d, g, "an int of more than 32 bits has no place there: `f64(...)`");
  else diag_hint(e->d, g, "a file of a tree holds tensors and numbers: leave it out");
  return false;
}

static TreeEntry *entries(Elab *e, Value tree, bool cells_only, uint32_t *n, const Ast *at) {
  Leaves l = {0};
  bool held = tree.kind == V_RECORD || tree.kind == V_TUPLE || tree.kind == V_LIST;
  if (held && !numbers_in(e, &tree, "", at)) return NULL;
  if (tree.kind == V_RECORD || tree.kind == V_TUPLE || tree.kind == V_LIST || is_tree(e, &tree) ||
      tree.kind == V_OPTIMIZER || tree.kind == V_CELL || tree.kind == V_NODE)
    tree_leaves(e, tree, LEAF_PARAM | LEAF_STATE, &l);
  if (l.n == 0) {
    Diag *g = elab_error(e, at, E_SAVE_WHAT, value_kind_text(e, &tree));
    diag_hint(e->d, g, "an instance of a layer, an optimizer, or a record of them: `{net, opt}`");
    return NULL;
  }
  TreeEntry *t = NEW_N(e->a, TreeEntry, l.n);
  for (uint32_t k = 0; k < l.n; k++) {
    const Value *v = &l.at[k].value;
    const char *path = v->kind == V_CELL ? v->cell->path : NULL, *name = l.at[k].path[0] ? l.at[k].path : "value";
    if (path && !l.at[k].path[0]) {             /* a lone leaf goes under its own name */
      const char *dot = strrchr(path, '.');
      name = dot ? dot + 1 : path;
    }
    if (tree.kind == V_RECORD) path = NULL;     /* it names its trees itself */
    if (v->kind == V_CELL) t[k] = (TreeEntry){name, path, v->cell->slot, NO_NODE};
    else t[k] = (TreeEntry){name, NULL, NO_SLOT, settle(e, v->node)};
    if (cells_only && v->kind != V_CELL) {
      Diag *g = elab_error(e, at, E_LOAD_WHAT, name);
      diag_hint(e->d, g, "`load` assigns parameters and `var`s");
      return NULL;
    }
    for (uint32_t j = 0; j < k; j++)
      if (!strcmp(t[j].name, name)) {
        elab_error(e, at, E_SAVE_TWICE, name);
        return NULL;
      }
  }
  *n = l.n;
  return t;
}

static Value call_save(Elab *e, const Arg *a, const Ast *at) {
  const TextValue *path = a[0].path;
  uint32_t n;
  if (!step_here(e, at, "`save`")) return v_bad();
  TreeEntry *t = entries(e, a[1].value, false, &n, a[1].at);
  if (!t) return v_bad();
  step_effect(e, effect_save(e->s, path, t, n, elab_loc(e, at)));
  return v_unit();
}

/* What alone stands in a record or tuple, as it is written. */
static const char *held_text(Elab *e, const Ast *tree) {
  if (tree->kind == A_TUPLE && tree->n == 1) return ast_text(e, tree->kid[0]);
  if (tree->kind != A_RECORD || tree->n != 1) return NULL;
  return tree->kid[0]->kid[0] ? ast_text(e, tree->kid[0]->kid[0]) : tree->kid[0]->name;
}

static Value call_load(Elab *e, const Arg *a, const Ast *at) {
  const TextValue *path = a[0].path;
  uint32_t n;
  if (!step_here(e, at, "`load`")) return v_bad();
  TreeEntry *t = entries(e, a[1].value, true, &n, a[1].at);
  if (!t) return v_bad();
  const Ast *tree = a[1].at;
  if (tree->kind == A_ARG) tree = tree->kid[0];
  step_effect(e, effect_load(e->s, path, t, n, ast_text(e, tree), held_text(e, tree), elab_loc(e, at)));
  for (uint32_t k = 0; k < n; k++)
    for (uint32_t j = 0; j < e->made.cells.n; j++)
      if (e->made.cells.at[j]->slot == t[k].cell) cell_changed(e, e->made.cells.at[j]);
  return v_unit();
}

static Value call_checkpoint(Elab *e, const Arg *a, const Ast *at) {
  if (!step_here(e, at, "`checkpoint`")) return v_bad();
  step_effect(e, effect_checkpoint(e->s, a[0].path, elab_loc(e, at)));
  return v_unit();
}

/* ---- progress ---- */
/* A record of labels and scalars. */
static bool shown(Elab *e, Value v, ProgressSpec *p, const Ast *at) {
  if (v.kind == V_ABSENT) return true;
  if (v.kind != V_RECORD) {
    elab_error(e, at, E_WANTED, "a record of what to show", value_kind_text(e, &v));
    return false;
  }
  NodeId *node = NEW_N(e->a, NodeId, v.fields->n + 1);
  for (uint32_t k = 0; k < v.fields->n; k++) {
    node[k] = settle(e, want_node(e, v.fields->at[k], at, "a number to show"));
    if (node[k] == NO_NODE) return false;
  }
  p->n = v.fields->n;
  p->label = v.fields->name;
  p->value = node;
  return true;
}

/* progress(epochs = n, ...): training begins; progress(epoch, batch): a batch is done; progress(epoch): an epoch is. */
static Value call_progress(Elab *e, const Arg *a, const Ast *at) {
  bool has_epoch = a[0].given, has_batch = a[1].given;
  ProgressSpec p = {.epoch = has_epoch ? a[0].node : NO_NODE, .batch = has_batch ? a[1].node : NO_NODE,
                    .epochs = a[2].i, .batches = a[3].i, .samples = a[4].i, .last = a[6].given ? a[6].node : NO_NODE};
  if (!step_here(e, at, "`progress`") || !shown(e, a[5].value, &p, a[5].at)) return v_bad();
  p.when = !has_epoch ? PROGRESS_BEGIN : has_batch ? PROGRESS_BATCH : PROGRESS_EPOCH;
  if (!e->made.clock || !has_epoch) e->made.clock = progress_clock(e->s);
  p.clock = e->made.clock;
  step_effect(e, effect_progress(e->s, &p, elab_loc(e, at)));
  return v_unit();
}

/* ---- trace ---- */
/* Other bodies than those of fold and scan are lifted out of the session's graph and run in their own way. */
static bool in_body(Elab *e, NodeId n) {
  NodeId *id;
  uint32_t count = graph_slice(e->g, &n, 1, NULL, NULL, &id);
  for (uint32_t k = 0; k < count; k++) {
    const Node *x = graph_at(e->g, id[k]);
    if (x->op == &op_input && e->p->slot.at[x->attr->i[0]].kind == SLOT_VALUE) return true;
  }
  return false;
}

static Value call_trace(Elab *e, const Arg *a, const Ast *at) {
  NodeId x = a[0].node;
  const char *name = a[1].given ? a[1].text : NULL;
  if (e->here.traces) {
    vec_push(e->a, &e->here.traces->item, (TraceItem){name, settle(e, x), NULL});
    return v_node(x);
  }
  if (in_body(e, x)) {
    elab_error(e, at, E_TRACE_IN_MAP);
    return v_bad();
  }
  step_effect(e, effect_trace(e->s, name, settle(e, x), elab_loc(e, at)));
  return v_node(x);
}

const Native native_run[] = {
    {"seed", "n:any", call_seed, "Keys all later draws. A step.", ""},
    {"save", "path:path, tree:any", call_save,
     "Writes the tensors of a tree as safetensors, each under its path below the tree (`0.w` of a chain, `net.0.w` of "
     "{net, opt}),\nso that the file loads into any tree of that form; it changes at once or not at all. A step.",
     NULL},
    {"load", "path:path, tree:any", call_load,
     "Reads the tensors of a tree from a file of `save`, by their paths below the tree, or from a checkpoint; missing, "
     "extra and\nmisshapen entries are an error and then nothing changes. A step.",
     NULL},
    {"checkpoint", "path:path", call_checkpoint,
     "Writes the whole state of the run, atomically: `glia FILE --resume path` goes on after this step with the same "
     "bits. A step.",
     NULL},
    {"progress", "epoch:i32?, batch:i32?, epochs:int=0, batches:int=0, samples:int=0, show:any?, last:bool?",
     call_progress,
     "progress(epochs = n, batches = b, samples = s): training begins. progress(epoch, batch, show = {loss}): a batch "
     "is done.\n"
     "progress(epoch, show = {loss}): the line of an epoch, after which it ends if `last`. Steps that only read.",
     NULL},
    {"trace", "x, name:string?", call_trace, "x itself; prints it when it is computed.", NULL},
    {0}};

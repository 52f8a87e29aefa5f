/* effects: what steps do to the world. In: the values a step needs, as tensors. Out: lines, files, cells, rows of a
 * series.
 *
 * Invariant: an effect takes memory only in arenas of its own that it frees, so that a run of any length stays as large
 * as it was; a series grows, that is its purpose. Cells are written only when nothing can fail any more.
 */
#include "steps/effects.h"
#include <string.h>
#include "steps/event.h"
#include "steps/state.h"

static Step *step_new(Session *s, const Effect *e, void *data, Loc loc) {
  Step *step = NEW(s->arena, Step);
  step->kind = STEP_EFFECT;
  step->loc = loc;
  step->turn = NO_SLOT;
  step->effect = e;
  step->data = data;
  return step;
}

static void step_needs(Session *s, Step *step, NodeId node) {
  vec_push(s->arena, &step->need, (Need){node, NO_SLOT});
}

const TextValue *text_literal(Arena *a, const char *text) {
  TextValue *t = NEW(a, TextValue);
  t->text = NEW(a, Template);
  vec_push(a, &t->text->part, (Part){.text = text});
  return t;
}

const char *text_known(const TextValue *t) { return t->text->part.n > 1 ? NULL : t->text->part.at[0].text; }

/* A text as a template; its needs are added to the step's, the template's holes moved behind those that are there. */
const Template *step_text(Session *s, Step *step, const TextValue *t) {
  Template *m = NEW(s->arena, Template);
  uint32_t first = step->need.n;
  for (uint32_t k = 0; k < t->need.n; k++) step_needs(s, step, t->need.at[k].node);
  for (uint32_t k = 0; k < t->text->part.n; k++) {
    Part p = t->text->part.at[k];
    if (!p.text) p.need += first;
    vec_push(s->arena, &m->part, p);
  }
  return m;
}

const char *template_text(Arena *a, const Template *m, Tensor *const *value) {
  Text t = {.arena = a};
  text_add(&t, "");
  template_write(&t, m, value);
  return t.at;
}

/* ---- print, trace ---- */

static bool print_line(Session *s, const Text *t, Loc loc) {
  if (s->config.heard)
    s->config.heard(s->config.to, s,
                    &(Event){.kind = EVENT_PRINT, .loc = loc, .text = t->at, .length = t->n - (t->n > 0)});
  return s->config.print(s->config.to, t->at, t->n, loc);
}

static bool print_run(Session *s, Step *step, Tensor *const *value) {
  if (!s->config.print) return true;
  Arena *a = arena_new(&s->host);
  Text t = {.arena = a};
  template_write(&t, step->data, value);
  text_add(&t, "\n");
  bool open = print_line(s, &t, step->loc);
  arena_free(a);
  if (!open) s->closed = true;
  return open;
}
static const Effect print_effect = {.name = "print", .run = print_run};
static const Effect trace_effect = {.name = "trace", .run = print_run};

Step *effect_print(Session *s, const TextValue *text, Loc loc) {
  Step *step = step_new(s, &print_effect, NULL, loc);
  step->data = (void *)(uintptr_t)step_text(s, step, text);
  return step;
}

Step *effect_trace(Session *s, const char *name, NodeId value, Loc loc) {
  Template *m = NEW(s->arena, Template);
  if (name) vec_push(s->arena, &m->part, (Part){.text = arena_printf(s->arena, "%s: ", name)});
  vec_push(s->arena, &m->part, (Part){.need = 0, .format = {.digits = -1}});
  Step *step = step_new(s, &trace_effect, m, loc);
  step_needs(s, step, value);
  return step;
}

/* at: the turns of the loops around, as one number: where in each stack the value stands. */
typedef struct Traces { const TraceGroup *group; Tensor *const *value; Text *text; Host *host; uint32_t next; } Traces;

static void trace_turn(Traces *t, const TraceGroup *g, int64_t at, int depth) {
  host_deeper(t->host);
  const Tensor *count = g->counted ? t->value[t->next++] : NULL;
  int64_t turns = count && g->turns > 0 ? (int64_t)tensor_get(count, at) : g->turns;
  uint32_t first = t->next;
  for (int64_t turn = 0; turn < turns || turn == 0; turn++) {
    bool shows = turns > 0;
    t->next = first;
    for (uint32_t k = 0; k < g->item.n; k++) {
      const TraceItem *i = &g->item.at[k];
      int64_t here = at * g->turns + turn;
      if (i->inner) {
        TraceGroup none = *i->inner;
        if (!shows) none.turns = 0;
        trace_turn(t, &none, here, depth + 1);
        continue;
      }
      const Tensor *stack = t->value[t->next++];
      if (!shows) continue;
      Type type = type_make((DType)stack->type.dtype, stack->type.rank - depth, stack->type.dim + depth);
      Tensor *one = tensor_from(t->host, &type, (const char *)stack->data + (size_t)here * (size_t)type_bytes(&type));
      int column = i->name ? (int)strlen(i->name) + 2 : 0;
      if (i->name) text_printf(t->text, "%s: ", i->name);
      format_tensor(t->text, one, &(Format){.digits = -1}, column);
      text_add(t->text, "\n");
      tensor_unref(one);
    }
  }
}

static bool traces_run(Session *s, Step *step, Tensor *const *value) {
  if (!s->config.print) return true;
  Arena *a = arena_new(&s->host);
  Text text = {.arena = a};
  text_add(&text, "");
  trace_turn(&(Traces){step->data, value, &text, &s->host, 0}, step->data, 0, 1);
  bool open = !text.n || print_line(s, &text, step->loc);
  arena_free(a);
  if (!open) s->closed = true;
  return open;
}
static const Effect traces_effect = {.name = "trace", .run = traces_run};

static void group_needs(Session *s, Step *step, const TraceGroup *g) {
  host_deeper(&s->host);
  if (g->counted) step_needs(s, step, g->count);
  for (uint32_t k = 0; k < g->item.n; k++) {
    if (g->item.at[k].inner) group_needs(s, step, g->item.at[k].inner);
    else step_needs(s, step, g->item.at[k].node);
  }
}

Step *effect_traces(Session *s, const TraceGroup *group, Loc loc) {
  Step *step = step_new(s, &traces_effect, (void *)(uintptr_t)group, loc);
  group_needs(s, step, group);
  return step;
}

/* ---- assert ---- */

typedef struct Assertion { const Template *why; uint32_t left, right; bool sides; } Assertion;

static char *value_text(Arena *a, const Tensor *x) {
  Text t = {.arena = a};
  format_tensor(&t, x, NULL, 0);
  return t.at;
}

static bool assert_run(Session *s, Step *step, Tensor *const *value) {
  const Assertion *c = step->data;
  int64_t n = type_count(&value[0]->type), failed = 0;
  const uint8_t *holds = value[0]->data;
  while (failed < n && holds[failed]) failed++;
  if (failed == n) return true;
  Arena *a = arena_new(&s->host);
  Text t = {.arena = a};
  text_add(&t, "");
  if (c->why) {
    text_add(&t, ": ");
    template_write(&t, c->why, value);
  }
  Diag *d = diag_at(s->diags, step->loc, E_ASSERT, t.at, "");
  if (c->sides) {
    diag_note(s->diags, d, 0, "left: %s", value_text(a, value[c->left]));
    diag_note(s->diags, d, 0, "right: %s", value_text(a, value[c->right]));
  } else if (value[0]->type.rank) {
    diag_note(s->diags, d, 0, "element %lld of %s is the first that is false", (long long)failed,
              type_show(a, &value[0]->type));
  }
  arena_free(a);
  return false;
}
static const Effect assert_effect = {.name = "assert", .cuts = true, .run = assert_run};

Step *effect_assert(Session *s, NodeId condition, const TextValue *why, Loc loc) {
  Assertion *c = NEW(s->arena, Assertion);
  Step *step = step_new(s, &assert_effect, c, loc);
  step_needs(s, step, condition);
  if (why) c->why = step_text(s, step, why);
  return step;
}

void effect_assert_sides(Session *s, Step *assertion, NodeId left, NodeId right) {
  Assertion *c = assertion->data;
  c->sides = true;
  c->left = assertion->need.n;
  c->right = c->left + 1;
  step_needs(s, assertion, left);
  step_needs(s, assertion, right);
}

/* ---- seed ---- */

typedef struct Seed { SlotId cell; int64_t known; bool of_run; } Seed;

static bool seed_run(Session *s, Step *step, Tensor *const *value) {
  const Seed *c = step->data;
  uint64_t seed = (uint64_t)c->known;
  if (c->of_run) seed = (uint64_t)(int64_t)tensor_get(value[0], 0);
  Type type = type_make(I32, 1, (int64_t[]){2});
  uint32_t half[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  Tensor *t = tensor_from(&s->host, &type, half);
  slot_put(s->program, c->cell, t);
  tensor_unref(t);
  return true;
}
static const Effect seed_effect = {.name = "seed", .cuts = true, .run = seed_run};

Step *effect_seed(Session *s, SlotId cell, int64_t known, Loc loc) {
  Seed *c = NEW(s->arena, Seed);
  *c = (Seed){.cell = cell, .known = known};
  return step_new(s, &seed_effect, c, loc);
}

Step *effect_seed_of(Session *s, SlotId cell, NodeId value, Loc loc) {
  Step *step = effect_seed(s, cell, 0, loc);
  ((Seed *)step->data)->of_run = true;
  step_needs(s, step, value);
  return step;
}

/* ---- save, load ---- */

typedef struct TreeFile {
  const Template *path;
  const TreeEntry *entry;
  uint32_t n;
  const char *tree, *held;    /* see effect_load */
} TreeFile;

static bool save_run(Session *s, Step *step, Tensor *const *value) {
  const TreeFile *f = step->data;
  Arena *a = arena_new(&s->host);
  NamedTensor *t = NEW_N(a, NamedTensor, f->n);
  uint32_t need = 0;
  bool ok = true;
  for (uint32_t k = 0; ok && k < f->n; k++) {
    const TreeEntry *e = &f->entry[k];
    t[k].name = e->name;
    t[k].tensor = e->cell == NO_SLOT ? value[need++] : slot_tensor(s, e->cell, step->loc);
    ok = t[k].tensor != NULL;
  }
  FileError e = {0};
  if (ok && !safetensors_write(&s->host, template_text(a, f->path, value), t, f->n, &e)) {
    diag_at(s->diags, step->loc, E_SAVE_FAILED, e.text);
    ok = false;
  }
  arena_free(a);
  return ok;
}
static const Effect save_effect = {.name = "save", .cuts = true, .writes = true, .run = save_run};

/* A step over such a file. The path's holes are needs behind those of the entries. */
static Step *tree_step(Session *s, const Effect *effect, const TextValue *path, const TreeEntry *entry, uint32_t n,
                       Loc loc) {
  TreeFile *f = NEW(s->arena, TreeFile);
  Step *step = step_new(s, effect, f, loc);
  TreeEntry *own = arena_copy(s->arena, entry, n * sizeof *entry);
  for (uint32_t k = 0; k < n; k++) {
    own[k].name = arena_text(s->arena, own[k].name, strlen(own[k].name));
    if (own[k].path) own[k].path = arena_text(s->arena, own[k].path, strlen(own[k].path));
  }
  for (uint32_t k = 0; k < n; k++)
    if (entry[k].cell == NO_SLOT) step_needs(s, step, entry[k].node);
  *f = (TreeFile){.path = step_text(s, step, path), .entry = own, .n = n};
  return step;
}

Step *effect_save(Session *s, const TextValue *path, const TreeEntry *entry, uint32_t n, Loc loc) {
  return tree_step(s, &save_effect, path, entry, n, loc);
}

enum { NAMED_AT_MOST = 10 };

/* What is wrong with an entry becomes a note of one diagnostic. */
typedef struct Misfit { Session *s; const Step *step; const char *path; Diag *d; uint32_t n; } Misfit;

static bool misfit(Misfit *m) {
  if (!m->d) m->d = diag_at(m->s->diags, m->step->loc, E_LOAD_ENTRIES, m->path);
  return m->n++ < NAMED_AT_MOST;
}

/* What was read: entries, and which of them an entry of the tree is. */
typedef struct Read { Arena *a; NamedTensor *at; size_t n; bool checkpoint; } Read;

static const NamedTensor *named(const Read *r, const char *name) {
  for (size_t j = 0; name && j < r->n; j++)
    if (strcmp(r->at[j].name, name) == 0) return &r->at[j];
  return NULL;
}

/* The entry for e: by its key; in a checkpoint by its path too; a file of one entry is good for any one leaf. */
static const NamedTensor *entry_for(const Read *r, const TreeFile *f, const TreeEntry *e) {
  const NamedTensor *t = named(r, e->name);
  if (!t && r->checkpoint) t = named(r, e->path);
  return t ? t : r->n == 1 && f->n == 1 ? r->at : NULL;
}

static bool fits(const Session *s, const TreeEntry *e, const NamedTensor *t) {
  return t && type_eq(&t->tensor->type, &s->program->slot.at[e->cell].type);
}

/* Both name the same entries but for one prefix here, one there, of which either may be empty. */
typedef struct Prefixes { const char *here, *there; } Prefixes;

static bool agree(Session *s, const Read *r, const TreeFile *f, const Prefixes *p) {
  size_t n = strlen(p->here);
  for (uint32_t k = 0; k < f->n; k++) {
    const char *name = f->entry[k].name, *rest = n ? name + n + 1 : name;
    if (strncmp(name, p->here, n) || (n && name[n] != '.')) return false;
    if (!fits(s, &f->entry[k], named(r, arena_printf(r->a, "%s%s%s", p->there, p->there[0] ? "." : "", rest))))
      return false;
  }
  return true;
}

static bool find_prefixes(Session *s, const Read *r, const TreeFile *f, Prefixes *p) {
  const char *name = f->entry[0].name, *rest = name;
  for (; (r->n == f->n || r->checkpoint) && rest; rest = strchr(rest, '.') ? strchr(rest, '.') + 1 : NULL) {
    p->here = rest == name ? "" : arena_text(r->a, name, (size_t)(rest - name) - 1);
    for (size_t j = 0; j < r->n; j++) {
      const char *key = r->at[j].name;
      size_t n = strlen(key), m = strlen(rest);
      if (n < m || strcmp(key + n - m, rest) || (n > m && key[n - m - 1] != '.')) continue;
      p->there = n == m ? "" : arena_text(r->a, key, n - m - 1);
      if (agree(s, r, f, p)) return true;
    }
  }
  return false;
}

/* `{a = {b = tree}}` for the prefix "a.b"; a number is the place in a tuple. */
static const char *held_by(Arena *a, const char *prefix, const char *tree) {
  const char *dot = strrchr(prefix, '.'), *last = dot ? dot + 1 : prefix;
  if (last[0] >= '0' && last[0] <= '9') tree = last[0] == '0' && !last[1] ? arena_printf(a, "(%s,)", tree) : NULL;
  else tree = arena_printf(a, strcmp(last, tree) ? "{%s = %s}" : "{%s}", last, tree);
  if (!tree || !dot) return tree;
  return held_by(a, arena_text(a, prefix, (size_t)(dot - prefix)), tree);
}

/* A file of the same tree under another name: the way to load it. */
static bool only_prefixed(Session *s, const Step *step, const Read *r, const TreeFile *f, const char *path) {
  Prefixes p;
  if (!find_prefixes(s, r, f, &p)) return false;
  Diag *d = diag_at(s->diags, step->loc, E_LOAD_ENTRIES, path);
  const char *tree = !p.here[0] ? f->tree : strchr(p.here, '.') ? NULL : f->held;
  if (tree && p.there[0]) tree = held_by(r->a, p.there, tree);
  if (!p.here[0]) diag_note(s->diags, d, 0, "all entries agree, but have `%s.` in front there", p.there);
  else if (!p.there[0]) diag_note(s->diags, d, 0, "all entries agree, but have `%s.` in front here", p.here);
  else diag_note(s->diags, d, 0, "all entries agree, but have `%s.` in front here and `%s.` there", p.here, p.there);
  if (tree) diag_hint(s->diags, d, "`load(\"%s\", %s)`", path, tree);
  return true;
}

static void load_misfits(Session *s, const Step *step, const Read *r, const TreeFile *f, const char *path) {
  Misfit m = {.s = s, .step = step, .path = path};
  if (only_prefixed(s, step, r, f, path)) return;
  bool *used = NEW_N(r->a, bool, r->n + 1);
  for (uint32_t k = 0; k < f->n; k++) {
    const TreeEntry *e = &f->entry[k];
    const Type *want = &s->program->slot.at[e->cell].type;
    const NamedTensor *t = entry_for(r, f, e);
    const char *key = r->checkpoint && e->path ? e->path : e->name;
    if (t) used[t - r->at] = true;
    if (!t) {
      if (misfit(&m)) diag_note(s->diags, m.d, 0, "`%s` is missing: %s", key, type_show(r->a, want));
    } else if (!fits(s, e, t) && misfit(&m))
      diag_note(s->diags, m.d, 0, "`%s` is %s there, %s here", e->name, type_show(r->a, &t->tensor->type),
                type_show(r->a, want));
  }
  for (size_t j = 0; j < r->n && !r->checkpoint; j++)
    if (!used[j] && misfit(&m))
      diag_note(s->diags, m.d, 0, "`%s` is in the file, but not in what is loaded: %s", r->at[j].name,
                type_show(r->a, &r->at[j].tensor->type));
  if (m.n > NAMED_AT_MOST) diag_note(s->diags, m.d, 0, "and %u more", m.n - NAMED_AT_MOST);
}

static bool load_run(Session *s, Step *step, Tensor *const *value) {
  const TreeFile *f = step->data;
  Read r = {.a = arena_new(&s->host)};
  const char *path = template_text(r.a, f->path, value);
  FileError e = {0};
  if (!safetensors_read(r.a, path, &r.at, &r.n, &e)) {
    diag_at(s->diags, step->loc, E_LOAD_FAILED, e.text);
    arena_free(r.a);
    return false;
  }
  r.checkpoint = named(&r, CHECKPOINT_TEXT) != NULL;      /* of a whole run: it holds more than a tree */
  const NamedTensor **found = NEW_N(r.a, const NamedTensor *, f->n + 1);
  bool ok = r.checkpoint || r.n == f->n;
  for (uint32_t k = 0; k < f->n; k++) ok &= fits(s, &f->entry[k], found[k] = entry_for(&r, f, &f->entry[k]));
  if (!ok) load_misfits(s, step, &r, f, path);
  for (uint32_t k = 0; ok && k < f->n; k++) slot_put(s->program, f->entry[k].cell, found[k]->tensor);
  for (size_t j = 0; j < r.n; j++) tensor_unref(r.at[j].tensor);
  arena_free(r.a);
  return ok;
}
static const Effect load_effect = {.name = "load", .cuts = true, .run = load_run};

Step *effect_load(Session *s, const TextValue *path, const TreeEntry *entry, uint32_t n, const char *tree,
                  const char *held, Loc loc) {
  Step *step = tree_step(s, &load_effect, path, entry, n, loc);
  TreeFile *f = step->data;
  f->tree = arena_text(s->arena, tree, strlen(tree));
  f->held = held ? arena_text(s->arena, held, strlen(held)) : NULL;
  return step;
}

/* ---- series ---- */

typedef struct Row { Table *table; const char **column; uint32_t n; } Row;

static bool add_run(Session *s, Step *step, Tensor *const *value) {
  const Row *r = step->data;
  for (uint32_t k = 0; k < r->n; k++)
    if (!table_column(s, r->table, r->column[k], &value[k]->type))    /* checking has compared them */
      host_fail(&s->host, FAIL_BUG, "column `%s` changes its type", r->column[k]);
  table_add(r->table, r->column, value, r->n);
  if (s->config.heard)
    s->config.heard(s->config.to, s, &(Event){.kind = EVENT_ROW, .loc = step->loc, .table = r->table, .n = r->n,
                                              .label = r->column, .value = value});
  return true;
}
static const Effect add_effect = {.name = "add", .run = add_run};

Step *effect_add(Session *s, Table *t, const char *const *column, const NodeId *node, uint32_t n, Loc loc) {
  Row *r = NEW(s->arena, Row);
  *r = (Row){t, NEW_N(s->arena, const char *, n), n};
  Step *step = step_new(s, &add_effect, r, loc);
  for (uint32_t k = 0; k < n; k++) {
    r->column[k] = arena_text(s->arena, column[k], strlen(column[k]));
    step_needs(s, step, node[k]);
  }
  return step;
}

static bool clear_run(Session *s, Step *step, Tensor *const *value) {
  (void)s, (void)value;
  table_cut(step->data, 0);
  return true;
}
static const Effect clear_effect = {.name = "series", .run = clear_run};

Step *effect_clear(Session *s, Table *t, Loc loc) { return step_new(s, &clear_effect, t, loc); }

typedef struct ColumnRead { Table *table; const char *column; SlotId cell; } ColumnRead;

static bool column_run(Session *s, Step *step, Tensor *const *value) {
  const ColumnRead *c = step->data;
  const Slot *slot = &s->program->slot.at[c->cell];
  (void)value;
  Tensor *t = table_tensor(s, c->table, c->column);
  bool fits = t && type_eq(&t->type, &slot->type);
  if (fits) slot_put(s->program, c->cell, t);
  else
    diag_at(s->diags, step->loc, E_SERIES_CHANGED, c->column, (long long)slot->type.dim[0],
            (long long)table_rows(c->table));
  if (t) tensor_unref(t);
  return fits;
}
static const Effect column_effect = {.name = "column", .cuts = true, .run = column_run};

Step *effect_column(Session *s, Table *t, const char *column, SlotId cell, Loc loc) {
  ColumnRead *c = NEW(s->arena, ColumnRead);
  *c = (ColumnRead){t, arena_text(s->arena, column, strlen(column)), cell};
  return step_new(s, &column_effect, c, loc);
}

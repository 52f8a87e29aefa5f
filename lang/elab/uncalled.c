/* uncalled: functions with a full signature that nobody calls are elaborated once for sizes of our choice, so that a
 * mistake in them is found before anybody calls them. In: the syntax of one text, after its statements. Out:
 * diagnostics alone; the nodes belong to a region that no step runs.
 *
 * Each free dimension name stands for a prime of its own, and messages say the name again: a size that the primes
 * divide was made of these names, because no prime is taken that divides a number written in the text. What would hold
 * for other sizes (an index within range, a size that is divided evenly) is not reported: only what no size can mend
 * is.
 */
#include "elab/uncalled.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/mark.h"
#include "elab/names.h"
#include "elab/signature.h"
#include "elab/want.h"
#include <string.h>

enum { FIRST_PRIME = 37, MOST_PRIME = 1000, SMALL_NUMBER = 1 << 14 };

typedef struct Size { const char *name; int64_t prime; bool whole; } Size;   /* whole: all that a shape consists of */
typedef struct Written {       /* numbers that stand in the text: found when the first function is tried */
  const Source *source;
  bool found, divisor[MOST_PRIME];   /* it divides one of them */
} Written;
typedef struct Trial {
  Elab *e;
  const Written *written;
  int64_t last;               /* the largest prime taken so far */
  Scope *dims;
  VEC(Size) size;
  DType unmarked;             /* of the tensors that say no element type; used: there is one */
  bool used;
  bool open;                  /* a message spoke of a shape of which nothing is declared */
} Trial;

/* ---- sizes ---- */
static bool is_prime(int64_t n) {
  for (int64_t k = 2; k * k <= n; k++)
    if (n % k == 0) return false;
  return true;
}

static bool is_word(char c) { return in_name(c) || c == '.'; }

/* Which numbers to MOST_PRIME divide a whole number that stands in the text. */
static void find_divisors(Host *h, Written *w) {
  if (w->found) return;
  w->found = true;
  const Source *s = w->source;
  Arena *a = arena_new(h);
  bool *seen = NEW_N(a, bool, SMALL_NUMBER);
  for (uint32_t k = 0; k < s->n; k++) {
    if (is_word(s->text[k]) && (s->text[k] < '0' || s->text[k] > '9')) {
      while (k < s->n && is_word(s->text[k])) k++;      /* the digits of a name are no number */
      k--;
      continue;
    }
    if (s->text[k] < '0' || s->text[k] > '9') continue;
    int64_t v = 0;
    for (; k < s->n && s->text[k] >= '0' && s->text[k] <= '9'; k++) v = v > INT32_MAX ? v : v * 10 + (s->text[k] - '0');
    k--;
    if (v < FIRST_PRIME || (v < SMALL_NUMBER && seen[v])) continue;
    if (v < SMALL_NUMBER) seen[v] = true;
    for (int64_t p = FIRST_PRIME; p < MOST_PRIME; p++)
      if (v % p == 0) w->divisor[p] = true;
  }
  arena_free(a);
}

static int64_t next_prime(Trial *t) {
  int64_t p = t->last;
  do p++;
  while (p < MOST_PRIME && (!is_prime(p) || t->written->divisor[p]));
  return t->last = p;
}

static bool is_dim_name(const Ast *dim) { return dim->kind == A_NAME && dim->name[0] >= 'A' && dim->name[0] <= 'Z'; }

static int64_t free_size(Trial *t, const char *name, const Ast *at, bool whole) {
  int64_t p = next_prime(t);
  vec_push(t->e->a, &t->size, (Size){name, p, whole});
  if (at) scope_put(t->e, t->dims, name, v_int(p), at);
  return p;
}

/* ---- arguments ---- */
static bool tensor_argument(Trial *t, const Ast *type, Value *out) {
  Elab *e = t->e;
  Type made = {.dtype = (uint8_t)t->unmarked};
  DType d;
  t->used |= !type->name;
  if (type->name) {
    if (!dtype_from_name(type->name, &d)) {
      unknown_type(e, type);
      return false;
    }
    made.dtype = (uint8_t)d;
  }
  for (uint32_t k = 0; k < type->n; k++) {
    const Ast *dim = type->kid[k];
    int64_t size;
    if (made.rank == MAX_RANK) return false;
    if (dim->kind == A_REST) {
      Bound *b = dim->name ? scope_here(t->dims, dim->name) : NULL;
      if (b && b->value.kind != V_TUPLE) {
        wrong_dimension(e, dim, &b->value);
        return false;
      }
      if (b) size = b->value.items->at[0].i;
      else {
        size = free_size(t, dim->name ? arena_printf(e->a, "..%s", dim->name) : "..", NULL, type->n == 1);
        Value one = v_int(size);
        if (dim->name) scope_put(e, t->dims, dim->name, v_items(e->a, V_TUPLE, &one, 1), dim);
      }
    } else if (is_dim_name(dim) && !scope_here(t->dims, dim->name)) {
      size = free_size(t, dim->name, dim, false);
    } else {
      Bound *b = is_dim_name(dim) ? scope_here(t->dims, dim->name) : NULL;
      if (b && b->value.kind == V_TUPLE) {
        wrong_dimension(e, dim, &b->value);
        return false;
      }
      if (!want_int(e, expr_in(e, t->dims, dim), dim, "a size in a type", &size) || size < 0) return false;
    }
    made.dim[made.rank++] = size;
  }
  if (!type_fits(&made)) return false;
  SlotId slot = slot_new(e->p, SLOT_ARG, &made, NULL, elab_loc(e, type));
  *out = v_node(graph_input(e->g, slot, &made, elab_loc(e, type)));
  return true;
}

static bool argument(Trial *t, const Ast *type, Value *out) {
  host_deeper(&t->e->s->host);
  DType d;
  if (type->kind == A_TTENSOR ||
      (type->kind == A_NAME && dtype_from_name(type->name, &d) && strcmp(type->name, "bool")))
    return tensor_argument(t, type, out);
  if (type->kind != A_TTUPLE) return false;
  *out = v_items(t->e->a, V_TUPLE, NULL, 0);
  Value *items = NEW_N(t->e->a, Value, type->n + 1);
  for (uint32_t k = 0; k < type->n; k++)
    if (!argument(t, type->kid[k], &items[k])) return false;
  *out = v_items(t->e->a, V_TUPLE, items, type->n);
  return true;
}

/* Arguments for every parameter without a default; false: the signature is not full. */
static bool arguments(Trial *t, const Ast *params, Args *a) {
  uint32_t n = params ? params->n : 0;
  a->at = NEW_N(t->e->a, Value, n + 1);
  a->name = NEW_N(t->e->a, Sym, n + 1);
  a->ast = NEW_N(t->e->a, const Ast *, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    const Ast *p = params->kid[k];
    if (p->kid[2]) continue;
    if (!p->kid[1] || !argument(t, p->kid[1], &a->at[a->n])) return false;
    if (p->kid[0]->kind == A_NAME) a->name[a->n] = p->kid[0]->name;
    a->ast[a->n++] = p;
  }
  return n > 0;
}

/* ---- messages ---- */
/* Could be right for other sizes, or is another check's to say. */
static bool depends_on_sizes(DiagId id) {
  switch (id) {
  case E_CHUNK: case E_RESHAPE: case E_INDEX_RANGE: case E_SLICE_RANGE: case E_SLICE_LONG: case E_TOO_LARGE:
  case E_EINSUM:
  case E_ASSERT: case E_FOLDS: case E_CALL_DEPTH: case E_TOO_MANY_TURNS: case E_LIMIT:
  case E_MADE_IN_CALL: case E_LAYER_IN_CALL: case E_SQUEEZE: case E_KNOWN_FAULT:
  case E_NOT_HERE_YET: case E_ZERO_DIVISION: case E_NEGATIVE_SIZE: case E_SAMPLE: case E_INDEX_GATHERS:
  case E_INT_FITS: case E_RANGE_LONG: case E_INT_OVERFLOW: return true;
  default: return false;
  }
}

/* The text with sizes said by name: 74 is `2*N` if 37 stands for N. */
static const char *named(Trial *t, const char *text) {
  Text out = {.arena = t->e->a};
  text_add(&out, "");
  for (const char *p = text; *p;) {
    size_t n = 1;
    if (*p < '0' || *p > '9') {
      if (is_word(*p))
        while (is_word(p[n])) n++;
      text_add_n(&out, p, n);
      p += n;
      continue;
    }
    int64_t v = 0;
    for (n = 0; p[n] >= '0' && p[n] <= '9'; n++) v = v > INT32_MAX ? v : v * 10 + (p[n] - '0');
    Text product = {.arena = t->e->a};
    text_add(&product, "");
    for (uint32_t k = 0; v > 0 && k < t->size.n; k++)
      for (; v % t->size.at[k].prime == 0; v /= t->size.at[k].prime) {
        t->open |= t->size.at[k].whole;
        text_printf(&product, "%s%s", product.n ? "*" : "", t->size.at[k].name);
      }
    if (!product.n || is_word(p[n])) text_add_n(&out, p, n);
    else if (v == 1) text_add(&out, product.at);
    else text_printf(&out, "%lld*%s", (long long)v, product.at);
    p += n;
  }
  return out.at;
}

/* "`N` is N here", "`4*T` is 4*T here, but ..." */
static bool says_itself(const char *text) {
  if (*text++ != '`') return false;
  size_t n = strcspn(text, "`");
  const char *is = text + n;
  return !strncmp(is, "` is ", 5) && !strncmp(is + 5, text, n) && !strncmp(is + 5 + n, " here", 5);
}

/* "[N, 3] = [N, 3]": the declaration is the shape. */
static const char *said_once(Arena *a, const char *label) {
  size_t n = strlen(label);
  bool twice = n > 3 && n % 2 && !strncmp(label + n / 2 - 1, " = ", 3) && !strncmp(label, label + n / 2 + 2, n / 2 - 1);
  return twice ? arena_text(a, label, n / 2 - 1) : label;
}

static void report(Trial *t, Diags *found, Diags *to, Loc call) {
  for (uint32_t k = 0; k < found->diag.n; k++) {
    Diag *g = found->diag.at[k];
    if (depends_on_sizes(g->id)) return;    /* what follows may follow from it */
    g->text = named(t, g->text);
    if (g->hint) g->hint = named(t, g->hint);
    for (uint32_t j = 0; j < g->mark.n; j++)
      if (g->mark.at[j].label) g->mark.at[j].label = said_once(t->e->a, named(t, g->mark.at[j].label));
    uint32_t n = 0;
    for (uint32_t j = 0; j < g->note.n; j++) {
      Note note = g->note.at[j];
      if (note.loc == call) continue;              /* nobody called it */
      note.text = named(t, note.text);
      if (!says_itself(note.text)) g->note.at[n++] = note;
    }
    g->note.n = n;
    if (t->open) return;                    /* a shape of which nothing is declared could be any */
    diag_adopt(to, g);
  }
}

/* ---- who was called ---- */
static void called_id(Elab *e, uint32_t id) {
  if (id >= e->called_cap) {
    uint32_t cap = e->called_cap ? e->called_cap : 1024;
    while (cap <= id) cap *= 2;
    bool *more = NEW_N(e->a, bool, cap);
    if (e->called_cap) memcpy(more, e->called, e->called_cap * sizeof *more);
    e->called = more;
    e->called_cap = cap;
  }
  if (e->called[id]) return;
  arena_change(e->a, &e->called[id], sizeof e->called[id]);
  e->called[id] = true;
}

void called_mark(Elab *e, const Ast *fn) { called_id(e, fn->id); }

void called_again(Elab *e, const bool *called, uint32_t n) {
  for (uint32_t k = 0; k < n; k++)
    if (called[k]) called_id(e, k);
}

static bool called(const Elab *e, const Ast *fn) { return fn->id < e->called_cap && e->called[fn->id]; }

/* ---- one function ---- */
/* Calls f with what its signature says; false: no argument fits it. What it says is in *found. */
static bool attempt(Trial *t, const Fn *f, Diags *found) {
  Elab *e = t->e;
  Args a = {0};
  Diags *saved = e->d;
  ElabMark *mark = mark_set(e);
  t->dims = scope_new(e, f->scope);
  t->last = FIRST_PRIME - 1;
  e->d = found;
  bool full = arguments(t, f->ast->kid[0], &a) && !found->n_errors;
  if (full) (void)call_fn(e, f, &a, f->ast);
  e->d = saved;
  mark_back(e, mark);
  mark_drop(e, mark);
  return full;
}

static bool mixes_floats(const Diags *d) {
  for (uint32_t k = 0; k < d->diag.n; k++)
    if (d->diag.at[k]->id == E_MIXED_FLOATS) return true;
  return false;
}

/* Tensors of a signature that say no element type are f32 or f64: it is a mistake only if it is one for both. */
static void try_function(Elab *e, const Fn *f, Written *written) {
  host_go_on(arena_host(e->a));
  find_divisors(arena_host(e->a), written);
  Trial single = {.e = e, .written = written, .unmarked = F32}, twice = {.e = e, .written = written, .unmarked = F64};
  Trial *t = &single;
  Diags *found = diags_new(e->a, e->s->sources);
  bool full = attempt(t, f, found);
  if (full && found->n_errors && t->used) {
    Diags *other = diags_new(e->a, e->s->sources);
    (void)attempt(&twice, f, other);
    if (!other->n_errors || (mixes_floats(found) && !mixes_floats(other))) t = &twice, found = other;
  }
  if (full) report(t, found, e->d, elab_loc(e, f->ast));
  else
    for (uint32_t k = 0; k < found->diag.n; k++)      /* a signature that no argument fits */
      if (found->diag.at[k]->id == E_UNKNOWN_TYPE || found->diag.at[k]->id == E_DIMENSION_KIND)
        diag_adopt(e->d, found->diag.at[k]);
}

/* The functions of instances: what a call does, and methods. */
static void try_instance(Elab *e, Instance *i, Written *written) {
  if (i->call && !called(e, i->call)) {
    Fn *f = fn_new(e, FN_CLOSURE, i->layer->name);
    f->ast = i->call;
    f->scope = i->scope;
    f->self = i;
    try_function(e, f, written);
  }
  for (uint32_t k = 0; k < i->n; k++) {
    const Value *v = &i->field[k].value;
    if (v->kind == V_FN && v->fn->kind == FN_CLOSURE && v->fn->ast->kind == A_FN && !called(e, v->fn->ast))
      try_function(e, v->fn, written);
  }
}

/* A global name of the text: what it stands for may be a function that nobody called. */
static void try_name(Elab *e, const Bound *b, Written *written) {
  const Value *v = &b->value;
  if (v->kind == V_INSTANCE) try_instance(e, v->instance, written);
  else if (v->kind == V_FN && v->fn->kind == FN_CLOSURE && v->fn->ast == b->ast && !called(e, v->fn->ast))
    try_function(e, v->fn, written);
}

void elab_uncalled(Elab *e, const Ast *program) {
  Scope *s = e->globals;
  uint32_t from = s->bound.n;
  bool any = false;
  for (; from && s->bound.at[from - 1]->ast && s->bound.at[from - 1]->ast->source == program->source; from--)
    any |= s->bound.at[from - 1]->value.kind == V_INSTANCE || s->bound.at[from - 1]->value.kind == V_FN;
  if (!any) return;
  Arena *tmp = arena_new(&e->s->host);
  Written *written = NEW(tmp, Written);
  written->source = program->source;
  ElabMark *mark = mark_set(e);
  region_enter(e, REGION_TEST, NEW(e->a, Steps), program);
  place_again(e, 0);
  e->here.make = MAKE_IN_CALL;
  for (uint32_t k = from; k < s->bound.n; k++) try_name(e, s->bound.at[k], written);
  mark_back(e, mark);
  mark_drop(e, mark);
  arena_free(tmp);
}

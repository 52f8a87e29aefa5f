/* args: arguments to parameters, by order and by name, and what each kind of a face takes. See args.h. */
#include "elab/args.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/elab.h"
#include "elab/ints.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/rows.h"
#include "elab/show.h"
#include "elab/want.h"
#include "text/foreign.h"
#include <assert.h>
#include <string.h>

/* ---- which argument is which parameter's ---- */
static void unknown_argument(Elab *e, const char *fn, const char *name, const Param *p, uint32_t n, const Ast *at) {
  const char *names[MOST_PARAMS];
  uint32_t m = 0;
  Text list = {.arena = e->a};
  text_add(&list, "");
  for (uint32_t k = 0; k < n; k++)
    if (p[k].name) {
      names[m++] = p[k].name;
      text_printf(&list, "%s`%s`", list.n ? ", " : "", p[k].name);
    }
  Diag *g = elab_error(e, at, E_UNKNOWN_ARGUMENT, fn, name);
  const char *near = nearest(name, names, m);
  const char *ours = foreign_argument(name);
  if (ours) diag_hint(e->d, g, "%s", ours);
  else if (near) diag_hint(e->d, g, "did you mean `%s`?", near);
  else if (m) diag_hint(e->d, g, "its arguments are %s", list.at);
}

/* Whether a call without arguments stands beside `>>` or behind `|>`: the function itself was meant. */
static const char *chain_op(const Ast *call) {
  const char *text = call->source->text, *before = text + call->span.first, *behind = text + call->span.end;
  while (before > text && (before[-1] == ' ' || before[-1] == '\t' || before[-1] == '\n')) before--;
  while (*behind == ' ' || *behind == '\t' || *behind == '\n') behind++;
  if (before - text >= 2 && (!strncmp(before - 2, ">>", 2) || !strncmp(before - 2, "|>", 2)))
    return before[-2] == '|' ? "|>" : ">>";
  return !strncmp(behind, ">>", 2) ? ">>" : NULL;
}

static void say_call(Elab *e, Diag *g, const Params *p, const Ast *at) {
  const char *op = at && at->kind == A_CALL && at->n == 1 ? chain_op(at) : NULL;
  if (op) {
    diag_hint(e->d, g, "a function in a chain stands without `()`: `%s %s`", op, p->fn);
    return;
  }
  Text list = {.arena = e->a};
  text_add(&list, "");
  if (p->face) face_show(&list, p->face);
  for (uint32_t j = 0; !p->face && j < p->n; j++)
    text_printf(&list, "%s%s%s", j ? ", " : "", p->at[j].name ? p->at[j].name : "(...)", p->at[j].optional ? "?" : "");
  bool bare = at && at->kind == A_CALL && at->n == 1 && at->kid[0]->kind == A_NAME;
  diag_hint(e->d, g, bare ? "call it as `%s(%s)`; the function itself is `%s`" : "call it as `%s(%s)`", p->fn, list.at,
            p->fn);
}

bool match_args(Elab *e, const Params *params, const Args *a, int *to, const Ast *at) {
  const Param *p = params->at;
  uint32_t n = params->n;
  for (uint32_t k = 0; k < n; k++) to[k] = -1;
  uint32_t next = 0;
  for (uint32_t k = 0; k < a->n; k++) {
    uint32_t j;
    if (a->name[k]) {
      for (j = 0; j < n; j++)
        if (p[j].name && !strcmp(p[j].name, a->name[k])) break;
      if (j == n) {
        if (params->rest & REST_NAMED) continue;
        unknown_argument(e, params->fn, a->name[k], p, n, a->ast[k]);
        return false;
      }
      if (to[j] >= 0) {
        elab_error(e, a->ast[k], E_ARGUMENT_TWICE, p[j].name);
        return false;
      }
    } else {
      j = next++;
      if (j >= n || p[j].by_name) {
        if (params->rest & REST_POSITIONAL) continue;
        Diag *g = elab_error(e, a->ast[k], E_TOO_MANY_ARGUMENTS, params->fn, (int)n, n == 1 ? "" : "s", (int)a->n);
        if (n && p[0].name && !strcmp(p[0].name, "kind"))
          diag_hint(e->d, g, "a shape is one argument: `%s([2, 3])`", params->fn);
        else if (params->several)
          diag_hint(e->d, g, "several numbers are one argument: `%s(%s%s)`", params->fn, n > 1 ? "x, " : "",
                    params->several);
        else say_call(e, g, params, NULL);
        return false;
      }
    }
    to[j] = (int)k;
  }
  for (uint32_t k = 0; k < n; k++)
    if (to[k] < 0 && !p[k].optional) {
      say_call(e, elab_error(e, at, E_MISSING_ARGUMENT, params->fn, p[k].name ? p[k].name : "(...)"), params,
               at);
      return false;
    }
  return true;
}

/* ---- faces, each parsed once ---- */
typedef struct Faces {
  struct { const char *text; const Face *face; } *slot;
  uint32_t n, cap;               /* cap: a power of two */
} Faces;

static uint32_t slot_of(const Faces *f, const char *text) {
  uint32_t k = (uint32_t)((uintptr_t)text >> 3) * 2654435769u & (f->cap - 1);
  while (f->slot[k].text && f->slot[k].text != text) k = (k + 1) & (f->cap - 1);
  return k;
}

static void more_slots(Elab *e, Faces *f) {
  Faces more = {.n = f->n, .cap = f->cap ? 2 * f->cap : 64};
  more.slot = arena_array(e->a, sizeof *more.slot, more.cap);      /* it may fail: until then f stands */
  for (uint32_t k = 0; k < f->cap; k++)
    if (f->slot[k].text) more.slot[slot_of(&more, f->slot[k].text)] = f->slot[k];
  arena_change(e->a, f, sizeof *f);
  *f = more;
}

const Face *face_of(Elab *e, const char *text) {
  if (!e->faces) e->faces = NEW(e->a, Faces);
  if (2 * e->faces->n >= e->faces->cap) more_slots(e, e->faces);
  uint32_t k = slot_of(e->faces, text), place;
  const char *error;
  if (!e->faces->slot[k].text) {
    const Face *f = face_parse(e->a, text, &error, &place);
    assert(f);                     /* tests/unit/face.c reads both tables */
    arena_change(e->a, e->faces, sizeof *e->faces);
    arena_change(e->a, &e->faces->slot[k], sizeof e->faces->slot[k]);
    e->faces->slot[k].face = f;
    e->faces->slot[k].text = text;
    e->faces->n++;
  }
  return e->faces->slot[k].face;
}

/* ---- what each kind takes ---- */
const char *argument_text(Elab *e, const char *param, const char *fn, const Ast *at) {
  Spot s = spot_of(e, at);
  return arena_printf(e->a, "`%s` of `%s`", s.fn ? s.param : param, s.fn ? s.fn : fn);
}

static const char *named(const Reader *r) { return arena_printf(r->e->a, "`%s` of `%s`", r->param, r->fn); }

const char *subject(const Reader *r, const FaceParam *q) {
  if (q->kind == FACE_KIND || q->kind == FACE_SIZES) return arena_printf(r->e->a, "a size of `%s`", r->fn);
  if (q->index) return arena_printf(r->e->a, "an index of `%s`", r->fn);
  return named(r);
}

static const char *words_text(Elab *e, const FaceParam *q) {
  Text t = {.arena = e->a};
  for (uint32_t k = 0; k < q->n_word; k++)
    text_printf(&t, "%s\"%s\"", k == 0 ? "" : k + 1 < q->n_word ? ", " : " or ", q->word[k]);
  return t.at;
}

/* "a whole number as `num` of `linspace`" */
static const char *expected(const Reader *r, const FaceParam *q) {
  static const char *const what[N_FACES] = {
      [FACE_TENSOR] = "a tensor",         [FACE_SHAPED] = "a tensor",
      [FACE_INT] = "a whole number",      [FACE_SIZE] = "a whole number",
      [FACE_FLOAT] = "a number",          [FACE_FLAG] = "`true` or `false`",
      [FACE_AXIS] = "a whole number",     [FACE_LINE] = "a whole number",
      [FACE_AXES] = "axes",
      [FACE_PERM] = "an order of axes",   [FACE_PAIR] = "a whole number, or two,",
      [FACE_INTS] = "whole numbers",      [FACE_SIZES] = "a shape",
      [FACE_NESTED] = "whole numbers",
      [FACE_BOXES] = "whole numbers",     [FACE_DTYPE] = "an element type, such as `f64`,",
      [FACE_KIND] = "a shape or a type",  [FACE_STRING] = "a string",
      [FACE_PATH] = "the path of a file",
  };
  const char *words = q->kind == FACE_WORD ? words_text(r->e, q) : what[q->kind];
  return arena_printf(r->e->a, "%s as %s", words, named(r));
}

bool refuse_as(const Reader *r, const FaceParam *q, const Value *v, const Ast *at) {
  bool joins = r->face && r->face->param[0].kind == FACE_TENSORS && q->kind == FACE_AXIS && is_tensor(v);
  if (!joins) refuse_value(r->e, v, at, expected(r, q));
  else
    diag_hint(r->e->d, elab_error(r->e, at, E_WANTED, expected(r, q), value_kind_text(r->e, v)),
              "the tensors are one argument: `%s((x, y))`", r->callee);
  return false;
}


static bool read_flag(const Reader *r, const FaceParam *q, Value v, const Ast *at, int64_t *out) {
  Elab *e = r->e;
  bool b = false;
  if (!known_bool(e, v, &b)) {
    bool of_run = v.kind == V_NODE && node_type(e, v.node)->rank == 0 && node_type(e, v.node)->dtype == BOOL;
    return of_run ? want_bool(e, v, at, subject(r, q), &b) : refuse_as(r, q, &v, at);
  }
  *out = b;
  return true;
}

static bool read_word(const Reader *r, const FaceParam *q, Value v, const Ast *at, int64_t *out) {
  Elab *e = r->e;
  if (v.kind == V_TEXT) return want_string(e, v, at, subject(r, q)) != NULL;
  if (v.kind != V_STRING) return refuse_as(r, q, &v, at);
  for (uint32_t k = 0; k < q->n_word; k++)
    if (!strcmp(q->word[k], v.str->at)) {
      *out = k;
      return true;
    }
  Diag *g = elab_error(e, at, E_WANTED, expected(r, q), arena_printf(e->a, "\"%s\"", v.str->at));
  const char *near = nearest(v.str->at, q->word, q->n_word);
  if (near) diag_hint(e->d, g, "did you mean \"%s\"?", near);
  return false;
}

static bool read_float(const Reader *r, const FaceParam *q, Value v, const Ast *at, double *out) {
  Elab *e = r->e;
  const Tensor *t = NULL;
  if (v.kind == V_INT) *out = (double)v.i;
  else if (v.kind == V_NODE && graph_at(e->g, v.node)->flags & NODE_KNOWN && type_count(node_type(e, v.node)) == 1)
    t = graph_known(e->g, v.node);
  if (t) *out = tensor_get(t, 0);
  if (t || v.kind == V_INT) return true;
  const char *found = value_kind_text(e, &v), *why = v.kind == V_NODE ? depends_text(e, v.node, false) : NULL;
  if (why) found = arena_printf(e->a, "%s that depends on %s", found, why);
  elab_error(e, at, E_WANT_NUMBER, subject(r, q), found);
  return false;
}

static bool read_kind(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  Type *t = NEW(r->e->a, Type);
  out->type = v.kind == V_TYPE ? v.type : t;
  return v.kind == V_TYPE || read_dims(r, q, v, at, t);
}

static bool read_dtype(const Reader *r, const FaceParam *q, Value v, const Ast *at, int64_t *out) {
  DType d;
  if (!cast_type(&v, &d)) return refuse_as(r, q, &v, at);
  *out = d;
  return true;
}

/* ---- tensors ---- */
static bool read_tensor(const Reader *r, const FaceParam *q, Value v, const Ast *at, NodeId *out) {
  Elab *e = r->e;
  bool always = is_tensor(&v);
  NodeId n = want_node(e, v, at, always ? "" : expected(r, q));
  if (n != NO_NODE && q->dtype != N_DTYPES && (node_flex(e, n) || node_type(e, n)->dtype != q->dtype))
    n = want_typed(e, v.kind == V_INT ? v : v_node(n), (DType)q->dtype, at, subject(r, q));
  *out = n;
  return n != NO_NODE;
}

static bool read_shaped(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  NodeId n;
  if (v.kind != V_TYPE && !read_tensor(r, q, v, at, &n)) return false;
  out->type = v.kind == V_TYPE ? v.type : node_type(r->e, n);
  return true;
}

/* `[x, y]` of one shape is a tensor: its rows. */
static Value rows_list(Elab *e, NodeId x, const Ast *at) {
  Type t = *node_type(e, x);
  Value *row = NEW_N(e->a, Value, t.dim[0] + 1);
  for (int64_t k = 0; k < t.dim[0]; k++) {
    NodeId n = lower_rows(e, x, 0, k, 1, 1, at);
    n = n == NO_NODE ? n : lower_reshape(e, n, t.rank - 1, t.dim + 1, at);
    if (n == NO_NODE) return v_bad();
    row[k] = v_node(n);
  }
  return v_items(e->a, V_LIST, row, (uint32_t)t.dim[0]);
}

static bool read_tensors(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  (void)q;
  Elab *e = r->e;
  if (v.kind == V_NODE && node_type(e, v.node)->rank > 0) v = rows_list(e, v.node, at);
  if (v.kind == V_BAD) return false;
  if (v.kind != V_LIST && v.kind != V_TUPLE) {
    Diag *g = elab_error(e, at, E_JOIN_WHAT, r->fn, value_kind_text(e, &v));
    if (v.kind == V_NODE) diag_hint(e->d, g, "write `%s((x, y))` or `%s([x, y])`", r->fn, r->fn);
    return false;
  }
  if (v.items->n == 0) {
    elab_error(e, at, E_JOIN_NOTHING, r->fn);
    return false;
  }
  out->n = v.items->n;
  NodeId *x = NEW_N(e->a, NodeId, out->n);
  const Ast **where = NEW_N(e->a, const Ast *, out->n);
  for (uint32_t k = 0; k < out->n; k++) where[k] = at->kind == A_TUPLE && at->n == out->n ? at->kid[k] : at;
  out->nodes = x;
  return lower_same_dtype(e, v.items->at, x, out->n, where, arena_printf(e->a, "an element of `%s`", r->fn));
}

static bool read_rows(const Reader *r, Value v, const Ast *at, Arg *out) {
  Rows *rows = NEW(r->e->a, Rows);
  out->rows = rows;
  return want_rows(r->e, v, at, arena_printf(r->e->a, "`%s`", r->fn), rows);
}

static bool read_fn(const Reader *r, Value v, const Ast *at) {
  if (v.kind == V_FN || v.kind == V_INSTANCE) return true;
  if (v.kind == V_BAD) return false;
  Diag *g = elab_error(r->e, at, E_NOT_A_FUNCTION_HERE, r->fn, value_kind_text(r->e, &v));
  bool other = false;
  for (uint32_t k = 1; r->given && at == r->given->ast[0] && k < r->given->n; k++)
    other |= r->given->at[k].kind == V_FN || r->given->at[k].kind == V_INSTANCE;
  if (!other) return false;
  Text list = {.arena = r->e->a};
  face_show(&list, r->face->text);
  diag_hint(r->e->d, g, "the function stands first: `%s(%s)`", r->callee, list.at);
  return false;
}

static bool read_text(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  if (v.kind != V_STRING && v.kind != V_TEXT) return refuse_as(r, q, &v, at);
  if (q->kind == FACE_PATH) {
    out->path = text_value(r->e, &v);
    return true;
  }
  out->text = want_string(r->e, v, at, subject(r, q));
  return out->text != NULL;
}

/* ---- a call ---- */
static bool read_value(Reader *r, const FaceParam *q, Arg *out) {
  const Ast *at = out->at;
  Value v = out->value;
  if (v.kind == V_BAD) return false;
  switch (q->kind) {
  case FACE_TENSOR: return read_tensor(r, q, v, at, &out->node);
  case FACE_SHAPED: return read_shaped(r, q, v, at, out);
  case FACE_TENSORS: return read_tensors(r, q, v, at, out);
  case FACE_ROWS: return read_rows(r, v, at, out);
  case FACE_INT: return read_int(r, q, v, at, &out->i);
  case FACE_SIZE: return read_size(r, q, v, at, &out->i);
  case FACE_FLOAT: return read_float(r, q, v, at, &out->f);
  case FACE_FLAG: return read_flag(r, q, v, at, &out->i);
  case FACE_WORD: return read_word(r, q, v, at, &out->i);
  case FACE_AXIS: case FACE_LINE: return read_int(r, q, v, at, &out->i) && in_rank(r, &out->i, at);
  case FACE_AXES: return read_axes(r, q, v, at, out);
  case FACE_PERM: return read_perm(r, q, v, at, out);
  case FACE_PAIR: return read_pair(r, q, v, at, out);
  case FACE_INTS: case FACE_BOXES: return (out->ints = read_ints(r, q, v, at, &out->n)) != NULL;
  case FACE_NESTED: return read_nested(r, q, v, at, out);
  case FACE_SIZES: return read_sizes(r, q, v, at, out);
  case FACE_DTYPE: return read_dtype(r, q, v, at, &out->i);
  case FACE_KIND: return read_kind(r, q, v, at, out);
  case FACE_STRING: case FACE_PATH: return read_text(r, q, v, at, out);
  case FACE_FN: return read_fn(r, v, at);
  case FACE_ANY: case N_FACES: break;
  }
  return true;
}

static int rank_of(Elab *e, const FaceParam *q, const Arg *first) {
  if (q->rest) first = first->rest;
  if (q->kind == FACE_TENSOR) return node_type(e, first->node)->rank;
  if (q->kind == FACE_TENSORS) return node_type(e, first->nodes[0])->rank;
  if (q->kind == FACE_SIZE) return (int)first->i;
  return q->kind == FACE_SHAPED ? first->type->rank : -1;
}

/* The axes of what stands first, and what was left out: its value, all axes, an order reversed. */
static bool read_left_out(const Reader *r, const FaceParam *q, Arg *out) {
  if (q->kind == FACE_AXES) return read_axes(r, q, out->value, out->at, out);
  if (q->kind == FACE_PERM) return read_perm(r, q, out->value, out->at, out);
  if (q->kind == FACE_LINE) return the_axis(r, out);
  if (!q->valued) return true;
  if (q->kind == FACE_FLOAT) out->f = q->f;
  else if (q->kind == FACE_PAIR) {
    out->n = 2;
    out->ints = q->i;
  } else {
    out->i = q->i[0];
    if (q->kind == FACE_AXIS) return in_rank(r, &out->i, out->at);
  }
  return true;
}

static bool read_given(Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  Spot s = spot_of(r->e, at);
  r->fn = s.fn ? s.fn : r->callee;
  r->param = s.fn ? s.param : q->name;
  bool as_it_is = q->kind == FACE_ANY || q->kind == FACE_FN || q->kind == FACE_ROWS;
  *out = (Arg){.at = at, .value = as_it_is ? v : value_decay(r->e, v)};
  out->given = v.kind != V_ABSENT && !(v.kind == V_UNIT && q->optional);
  if (out->given) return read_value(r, q, out);
  out->value = (Value){.kind = V_ABSENT};
  return read_left_out(r, q, out);
}

/* What no parameter has taken: the positional ones, or the named. */
static bool read_rest(Reader *r, const FaceParam *q, const Args *a, const bool *taken, const Ast *at, Arg *out) {
  Arg *rest = NEW_N(r->e->a, Arg, a->n + 1);
  *out = (Arg){.at = at, .rest = rest};
  for (uint32_t k = 0; k < a->n; k++) {
    if (taken[k] || !(a->name[k] ? q->named : q->rest)) continue;
    if (!read_given(r, q, a->at[k], a->ast[k], &rest[out->n])) return false;
    rest[out->n++].name = a->name[k];
  }
  out->given = out->n > 0;
  return true;
}

static bool is_rest(const FaceParam *q) { return q->rest || q->named; }

/* A text in the place of what may be left out is the path behind it: `plot(y, "y.svg")`. to: by parameter. */
static void find_path(const Face *f, const Args *a, int *to) {
  for (uint32_t k = 1; k < f->n; k++) {
    int *before = &to[k - 1];
    if (f->param[k].kind != FACE_PATH || to[k] >= 0 || *before < 0 || !f->param[k - 1].optional) continue;
    const Value *v = &a->at[*before];
    if (a->name[*before] || (v->kind != V_STRING && v->kind != V_TEXT)) continue;
    to[k] = *before;
    *before = -1;
  }
}

/* What takes several numbers in one bracket, as an example; NULL: another kind. */
static const char *several_numbers(const FaceParam *q) {
  switch (q->kind) {
  case FACE_AXES: return "[0, 1]";
  case FACE_PERM: return "[1, 0]";
  case FACE_INTS: case FACE_SIZES: return "[2, 3]";
  default: return NULL;
  }
}

bool args_read(Elab *e, const char *fn, const Face *f, const Args *a, const Ast *at, Arg *arg) {
  Param p[MOST_FACE] = {{0}};
  int to[MOST_FACE], rest = 0;
  uint32_t n = 0;
  for (uint32_t k = 0; k < f->n; k++) {
    const FaceParam *q = &f->param[k];
    if (!is_rest(q)) p[n++] = (Param){q->name, q->optional, rest & REST_POSITIONAL};
    if (q->rest) rest |= REST_POSITIONAL;
    if (q->named) rest |= REST_NAMED;
  }
  const char *several = f->n ? several_numbers(&f->param[f->n - 1]) : NULL;
  if (!match_args(e, &(Params){fn, p, n, rest, f->text, several}, a, to, at)) return false;
  if (!rest) find_path(f, a, to);
  bool *taken = rest ? NEW_N(e->a, bool, a->n + 1) : NULL;
  for (uint32_t k = 0; rest && k < n; k++)
    if (to[k] >= 0) taken[to[k]] = true;
  Reader r = {.e = e, .callee = fn, .face = f, .given = a, .rank = -1};
  for (uint32_t k = 0, next = 0; k < f->n; k++) {
    const FaceParam *q = &f->param[k];
    int j = is_rest(q) ? -1 : to[next++];
    bool good = is_rest(q) ? read_rest(&r, q, a, taken, at, &arg[k])
                : j < 0    ? read_given(&r, q, (Value){.kind = V_ABSENT}, at, &arg[k])
                           : read_given(&r, q, a->at[j], a->ast[j], &arg[k]);
    if (!good) return false;
    if (k == 0 && arg[0].given) r.rank = rank_of(e, q, &arg[0]);
  }
  return true;
}

Args args_rest(Elab *e, const Arg *rest) {
  uint32_t n = rest->n;
  Args a = {n, NEW_N(e->a, Value, n + 1), NEW_N(e->a, Sym, n + 1), NEW_N(e->a, const Ast *, n + 1)};
  for (uint32_t k = 0; k < n; k++) {
    a.at[k] = rest->rest[k].value;
    a.name[k] = rest->rest[k].name;
    a.ast[k] = rest->rest[k].at;
  }
  return a;
}

Attr args_attr(Elab *e, const Face *f, const Arg *arg) {
  Attr attr = {0};
  uint32_t most = 0, n_f = 0;
  for (uint32_t k = 0; k < f->n; k++) most += f->param[k].kind == FACE_TENSOR ? 0 : 1 + arg[k].n;
  if (most == 0) return attr;
  int64_t *i = NEW_N(e->a, int64_t, most);
  for (uint32_t k = 0; k < f->n; k++) {
    const Arg *x = &arg[k];
    if (is_rest(&f->param[k])) continue;
    switch (f->param[k].kind) {
    case FACE_INT: case FACE_SIZE: case FACE_FLAG: case FACE_WORD: case FACE_AXIS: case FACE_LINE: case FACE_DTYPE:
      i[attr.n++] = x->i;
      break;
    case FACE_FLOAT: attr.f[n_f++] = x->f; break;
    case FACE_AXES: case FACE_INTS: i[attr.n++] = x->n; /* fall through */
    case FACE_PAIR: case FACE_PERM: case FACE_SIZES: case FACE_BOXES:
      memcpy(i + attr.n, x->ints, x->n * sizeof *i);
      attr.n += x->n;
      break;
    default: break;
    }
  }
  attr.i = i;
  return attr;
}

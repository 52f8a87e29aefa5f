/* mismatch: what is said when shapes do not fit. In: the operands, where they are written and the shapes they have.
 * Out: one message that shows both places with their shapes, which sizes disagree, and the code that would fit.
 *
 * A name with a declared type shows the declaration beside the sizes, `[n_in, n_out] = [784, 128]`: the numbers say
 * that it cannot be, the names say why. Only what is certain is offered: each hint names a shape that does fit.
 */
#include "elab/mismatch.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/names.h"
#include "elab/want.h"
#include <string.h>

enum { LONGEST_SHOWN = 28 };

static const Ast *declared_type(const Bound *b) {
  if (b->type) return b->type;
  return b->ast && (b->ast->kind == A_PARAM || b->ast->kind == A_STATE) ? b->ast->kid[0] : NULL;
}

/* The declared type says more than the sizes: it has a name in it, and it is of as many axes. */
static bool is_telling(const Ast *type, const Type *t) {
  if (!type || type->kind != A_TTENSOR) return false;
  bool named = false;
  uint32_t fixed = 0;
  for (uint32_t k = 0; k < type->n; k++) {
    named |= type->kid[k]->kind != A_INT;
    fixed += type->kid[k]->kind != A_REST;
  }
  return named && fixed <= t->rank;
}

char *ast_text(Elab *e, const Ast *at) {
  return arena_text(e->a, at->source->text + at->span.first, at->span.end - at->span.first);
}

/* "[2, 3]", with its declaration "[N, 3] = [2, 3]". */
static const char *shape_text(Elab *e, const Ast *operand, const Type *t) {
  const char *sizes = shape_show(e->a, t);
  if (operand && operand->kind == A_ARG) operand = operand->kid[0];
  if (!operand || operand->kind != A_NAME) return sizes;
  const Bound *b = scope_find(e, e->here.scope, operand->name);
  const Ast *type = b ? declared_type(b) : NULL;
  if (!is_telling(type, t)) return sizes;
  const char *names = strchr(ast_text(e, type), '[');
  if (!names || strcmp(names, sizes) == 0) return sizes;
  return arena_printf(e->a, "%s = %s", names, sizes);
}

void mark_shape(Elab *e, Diag *g, const Ast *operand, const Type *t) {
  if (operand) diag_mark(e->d, g, elab_loc(e, operand), "%s", shape_text(e, operand, t));
}

/* The operand as it is written, fit to stand before `[` or `'`; a long one by another name. */
static const char *written(Elab *e, const Ast *at, const char *other) {
  if (at && at->kind == A_ARG) at = at->kid[0];
  if (!at || at->span.end - at->span.first > LONGEST_SHOWN) return other;
  const char *text = ast_text(e, at);
  if (strchr(text, '\n')) return other;
  switch (at->kind) {
  case A_NAME: case A_CALL: case A_INDEX: case A_MEMBER: case A_BRACKET: case A_TRANSPOSE: return text;
  default: return arena_printf(e->a, "(%s)", text);
  }
}

/* The transpose of it, as one would write it. */
static const char *turned(Elab *e, const Ast *at, const char *other) {
  if (at && at->kind == A_TRANSPOSE) return written(e, at->kid[0], other);
  return arena_printf(e->a, "%s'", written(e, at, other));
}

static int axis_from_right(const Type *a, const Type *b, int64_t *x, int64_t *y) {
  for (int k = 1; k <= a->rank && k <= b->rank; k++) {
    *x = a->dim[a->rank - k];
    *y = b->dim[b->rank - k];
    if (*x != *y && *x != 1 && *y != 1) return k;
  }
  return 0;
}

static bool is_swapped(const Type *a, const Type *b) {
  if (a->rank < 2 || a->rank != b->rank) return false;
  for (int k = 0; k < a->rank - 2; k++)
    if (a->dim[k] != b->dim[k]) return false;
  return a->dim[a->rank - 1] == b->dim[b->rank - 2] && a->dim[a->rank - 2] == b->dim[b->rank - 1];
}

static const char *nth_last(Elab *e, int k) {
  return k == 1 ? "the last axis" : k == 2 ? "the axis before the last" : arena_printf(e->a,
      "the axis %d from the right", k);
}

void say_differ(Elab *e, Diag *g, const Type *a, const Type *b, const Ast *ta, const Ast *tb) {
  int64_t x, y;
  int k = axis_from_right(a, b, &x, &y);
  if (!k) return;
  diag_note(e->d, g, 0, "axes are matched from the right: %s has %lld on the left and %lld on the right", nth_last(e,
      k),
            (long long)x, (long long)y);
  if (is_swapped(a, b)) diag_hint(e->d, g, "`%s` has shape %s", turned(e, tb, "y"), shape_show(e->a, a));
  else if (a->rank == 1 && b->rank == 2 && a->dim[0] == b->dim[0])
    diag_hint(e->d, g, "one number for each row: `%s[:, None]`", written(e, ta, "x"));
  else if (b->rank == 1 && a->rank == 2 && b->dim[0] == a->dim[0])
    diag_hint(e->d, g, "one number for each row: `%s[:, None]`", written(e, tb, "y"));
  else if (a->rank == 1 && b->rank == 1)
    diag_hint(e->d, g, "if each is to meet every other: `%s[:, None]` with `%s[None, :]`", written(e, ta, "x"),
        written(e, tb, "y"));
}

static bool is_column(const Type *t) { return t->rank == 2 && t->dim[1] == 1; }

void say_stretched(Elab *e, Diag *g, const char *op, const Type *a, const Type *b, const Ast *ta, const Ast *tb) {
  const char *x = written(e, ta, "x"), *y = written(e, tb, "y");
  bool sign = op[0] < 'a' || op[0] > 'z';
  bool left = is_column(a) && b->rank == 1, right = is_column(b) && a->rank == 1;
  if (!left && !right) {
    diag_hint(e->d, g,
              "say which axis is to stretch by making it with `None`, as in `x[:, None]`, or bring both to one shape");
    return;
  }
  const Type *column = left ? a : b, *vector = left ? b : a;
  diag_note(e->d, g, 0, "the result would be [%lld, %lld], every row with every element", (long long)column->dim[0],
            (long long)vector->dim[0]);
  if (column->dim[0] != vector->dim[0]) {
    diag_hint(e->d, g, "if that is meant, say so: `%s[None, :]`", left ? y : x);
  } else if (!sign) {
    diag_hint(e->d, g, "take the column out, `%s[:, 0]`, or make the vector one, `%s[:, None]`", left ? x : y,
        left ? y : x);
  } else if (left) {
    diag_hint(e->d, g, "write `%s[:, 0] %s %s` or `%s %s %s[:, None]`", x, op, y, x, op, y);
  } else {
    diag_hint(e->d, g, "write `%s %s %s[:, 0]` or `%s[:, None] %s %s`", x, op, y, x, op, y);
  }
}

static void say_inner(Elab *e, Diag *g, const Type *a, const Type *b, const Ast *ta, const Ast *tb) {
  const char *x = written(e, ta, "x"), *y = written(e, tb, "y");
  int64_t inner = a->dim[a->rank - 1];
  if (b->rank >= 2 && inner == b->dim[b->rank - 1]) diag_hint(e->d, g,
      "the last sizes agree: did you mean `%s @ %s`?", x, turned(e, tb, "y"));
  else if (a->rank >= 2 && a->dim[a->rank - 2] == b->dim[b->rank == 1 ? 0 : b->rank - 2])
    diag_hint(e->d, g, "the first sizes agree: did you mean `%s @ %s`?", turned(e, ta, "x"), y);
  else if (a->rank >= 1 && b->rank >= 2 && a->dim[a->rank == 1 ? 0 : a->rank - 2] == b->dim[b->rank - 1])
    diag_hint(e->d, g, "the other way round they fit: `%s @ %s`", y, x);
}

/* ---- what a type rule refuses ---- */
static void mark_operand(Elab *e, Diag *g, const TypeError *t, NodeId in, const Ast *operand) {
  switch (t->kind) {
  case BAD_RANK: case BAD_SHAPE: case BAD_INNER: case BAD_BATCH: mark_shape(e, g, operand, node_type(e, in)); break;
  case BAD_MIXED:                          /* a literal would be of any element type */
    if (!node_flex(e, in)) diag_mark(e->d, g, elab_loc(e, operand), "%s", type_show(e->a, node_type(e, in)));
    break;
  default: diag_mark(e->d, g, elab_loc(e, operand), "%s", "");
  }
}

void say_refused(Elab *e, Diag *g, const TypeError *t, const NodeId *in, const Ast *const *operand) {
  if (t->a >= 0 && operand[t->a]) mark_operand(e, g, t, in[t->a], operand[t->a]);
  if (t->b >= 0 && operand[t->b]) mark_operand(e, g, t, in[t->b], operand[t->b]);
  if (t->kind == BAD_INNER && t->a >= 0 && t->b >= 0)
    say_inner(e, g, node_type(e, in[t->a]), node_type(e, in[t->b]), operand[t->a], operand[t->b]);
  else if (t->kind == BAD_BATCH)           /* the language stretches axes of size 1 */
    diag_hint(e->d, g, "the axes before the last two are batches: equal, or 1, or left out on one side");
  else if (t->hint) diag_hint(e->d, g, "%s", t->hint);
}

/* ---- a signature and an argument ---- */
static const char *of_what(const char *what) { return strchr(what, ' ') ? what : NULL; }

static void say_axis(Elab *e, Diag *g, const Ast *dim, int axis, int64_t has, Scope *dims, const char *what) {
  const char *owner = of_what(what) ? what : arena_printf(e->a, "`%s`", what);
  if (dim->kind == A_INT) {
    if (dim->i != has) diag_note(e->d, g, 0, "axis %d must be %lld, but %s has %lld", axis, (long long)dim->i, owner,
        (long long)has);
    return;
  }
  int64_t want;
  Diags *d = e->d;
  e->d = diags_new(e->a, e->s->sources);      /* what the size itself has wrong was reported when it was matched */
  bool known = known_int(e, expr_in(e, dims, dim), &want);
  e->d = d;
  if (!known || want == has) return;
  const Bound *b = dim->kind == A_NAME ? scope_find(e, dims, dim->name) : NULL;
  bool bound = b && b->ast && b->ast->kind == A_NAME && b->ast != dim && !b->ast->source->library &&
               b->ast->name == dim->name && b->ast->name[0] >= 'A' && b->ast->name[0] <= 'Z';
  const char *text = ast_text(e, dim);
  if (bound)
    diag_note(e->d, g, loc_make(e->s->sources, b->ast->source, b->ast->span, 0),
        "`%s` is %lld here, but %s has %lld; it was bound first", text,
              (long long)want, owner, (long long)has);
  else
    diag_note(e->d, g, 0, "`%s` is %lld here, but %s has %lld", text, (long long)want, owner, (long long)has);
}

static void hint_rank(Elab *e, Diag *g, int wanted, const Type *t, const Ast *at, bool exact) {
  const char *x = written(e, at, "x");
  if (wanted == t->rank + 1 && t->rank == 1)
    diag_hint(e->d, g, "one row is `%s[None, :]`, one column `%s[:, None]`", x, x);
  else if (wanted == t->rank + 1) diag_hint(e->d, g, "a batch of one is `%s[None]`", x);
  else if (exact && wanted + 1 == t->rank && t->rank > 0 && t->dim[t->rank - 1] == 1)
    diag_hint(e->d, g, "without its last axis it is `%s[%s0]`", x, t->rank == 2 ? ":, " : ".., ");
  else if (exact && wanted < t->rank)
    diag_hint(e->d, g, "one of them along the first axis is `%s[0]`; all of them by `vmap` or a signature with `..`",
        x);
}

void say_argument(Elab *e, Diag *g, const Ast *type, const Type *t, Scope *dims, const Ast *at, const char *what) {
  diag_mark(e->d, g, elab_loc(e, at), "%s", shape_text(e, at, t));
  if (!type->source->library) diag_mark_at(e->d, g, type->source, type->span, "declared here");
  int rest = -1, fixed = 0;
  for (uint32_t k = 0; k < type->n; k++) {
    if (type->kid[k]->kind == A_REST) rest = (int)k;
    else fixed++;
  }
  if (rest < 0 ? t->rank != fixed : t->rank < fixed) {
    diag_note(e->d, g, 0, "%s%d %s wanted, it has %d", rest < 0 ? "" : "at least ", fixed,
        fixed == 1 ? "axis is" : "axes are", t->rank);
    hint_rank(e, g, fixed, t, at, rest < 0);
    return;
  }
  for (int k = 0, axis = 0; k < (int)type->n; k++) {
    const Ast *dim = type->kid[k];
    if (dim->kind != A_REST) {
      say_axis(e, g, dim, axis, t->dim[axis], dims, what);
      axis++;
      continue;
    }
    const Bound *b = dim->name ? scope_here(dims, dim->name) : NULL;
    int more = t->rank - fixed;
    if (b && b->value.kind == V_TUPLE) {
      Type first = {.dtype = t->dtype, .rank = (uint8_t)b->value.items->n}, now = {.dtype = t->dtype,
          .rank = (uint8_t)more};
      for (int j = 0; j < first.rank; j++) first.dim[j] = b->value.items->at[j].i;
      memcpy(now.dim, t->dim + axis, (size_t)more * sizeof *now.dim);
      if (!type_same_shape(&first, &now)) {
        diag_note(e->d, g, 0, "`..%s` is %s from an earlier argument", dim->name, shape_show(e->a, &first));
        if (is_column(&first) && now.rank == 1 && now.dim[0] == first.dim[0])
          diag_hint(e->d, g, "make it a column: `%s[:, None]`", written(e, at, "y"));
        else if (is_column(&now) && first.rank == 1 && now.dim[0] == first.dim[0])
          diag_hint(e->d, g, "take the column out: `%s[:, 0]`", written(e, at, "y"));
      }
    }
    axis += more;
  }
}

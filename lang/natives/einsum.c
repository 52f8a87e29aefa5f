/* einsum: products and sums by names of axes. In: "b t h e, b s h e -> b h t s", tensors, sizes of names. Out:
 * reshapes for groups, one batched matmul or product for each pair of operands from left to right, sums, a permutation.
 *
 * For a pair, a name is batch (in both, needed later), contracted (in both, not needed), or free (in one). A name in
 * one operand alone that nothing needs is summed first. A mistake is placed at the letters inside the string.
 */
#include "elab/elab.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/want.h"
#include <string.h>

enum { MAX_NAMES = 64, MAX_TERMS = 16 };
typedef struct Name {
  const char *at;
  uint32_t n;
  int64_t size;
  bool sized;
} Name; /* size by dimension or by argument */
typedef struct Axis { int name; bool group_begin, group_end; uint32_t first, end; } Axis;   /* bytes of the spec */
typedef struct Term {
  Axis axis[4 * MAX_RANK];
  int n;
  int rest;
  uint32_t first, end;
} Term; /* rest: place of `..`, or -1 */
typedef struct Ein {
  Elab *e;
  const Ast *at, *text;
  const char *spec;
  uint32_t n_spec;
  Name name[MAX_NAMES];
  int n_name;
  Term term[MAX_TERMS], out;
  int n_term, n_rest;         /* axes of `..` */
} Ein;
typedef struct Operand { NodeId node; int name[MAX_RANK]; int n; } Operand;

/* The bytes first..end of the spec in the source: the same if the literal has no escapes; else the whole string. */
static Diag *ein_error(Ein *x, uint32_t first, uint32_t end, DiagId id, const char *text) {
  const Ast *chars = x->text && x->text->kind == A_STRING && x->text->n == 1 ? x->text->kid[0] : NULL;
  Elab *e = x->e;
  Span span = x->text ? x->text->span : x->at->span;
  const Source *source = x->text ? x->text->source : x->at->source;
  if (chars && chars->kind == A_CHARS && span.end - span.first == chars->n_text + 2) {      /* the quotes */
    uint32_t begin = span.first + 1;
    while (first + 1 < end && x->spec[first] == ' ') first++;
    while (end > first + 1 && x->spec[end - 1] == ' ') end--;
    span = (Span){begin + first, begin + (end > first ? end : first + 1)};
  }
  return diag_at(e->d, loc_make(e->s->sources, source, span, e->here.caller), id, text);
}

static const char *name_text(Ein *x, int k) { return arena_text(x->e->a, x->name[k].at, x->name[k].n); }

static int name_of(Ein *x, const char *at, uint32_t n) {
  for (int k = 0; k < x->n_name; k++)
    if (x->name[k].n == n && memcmp(x->name[k].at, at, n) == 0) return k;
  if (x->n_name == MAX_NAMES) return -1;
  x->name[x->n_name] = (Name){.at = at, .n = n};
  return x->n_name++;
}

/* One side of a comma or arrow. */
static bool parse_term(Ein *x, uint32_t first, uint32_t end, Term *t) {
  bool open = false, begin = false;
  *t = (Term){.rest = -1, .first = first, .end = end};
  for (uint32_t k = first; k < end;) {
    char c = x->spec[k];
    if (c == ' ' || c == '\t' || c == '\n') { k++; continue; }
    if (c == '(' || c == ')') {
      if ((c == '(') == open || (c == ')' && begin)) {
        ein_error(x, k, k + 1, E_EINSUM,
                  c == '(' ? "groups do not nest"
                  : begin  ? "a group needs a name"
                           : "this closes no group");
        return false;
      }
      if (c == ')') t->axis[t->n - 1].group_end = true;
      open = begin = c == '(';
      k++;
      continue;
    }
    if (c == '.' && k + 1 < end && x->spec[k + 1] == '.') {
      if (open || t->rest >= 0) {
        ein_error(x, k, k + 2, E_EINSUM, open ? "`..` cannot stand in a group" : "`..` stands twice in one operand");
        return false;
      }
      t->rest = t->n;
      for (k += 2; k < end && x->spec[k] == '.'; k++) {}
      continue;
    }
    if (!in_name(c) || (c >= '0' && c <= '9')) {
      Diag *g = ein_error(x, k, k + 1, E_EINSUM, "expected the name of an axis, `(`, `)`, `..`, `,` or `->`");
      if (g) diag_hint(x->e->d, g, "e.g. \"b i, i j -> b j\"");
      return false;
    }
    uint32_t from = k;
    while (k < end && in_name(x->spec[k])) k++;
    int name = name_of(x, x->spec + from, k - from);
    if (name < 0 || t->n >= 4 * MAX_RANK) {
      ein_error(x, from, k, E_EINSUM, "too many names");
      return false;
    }
    t->axis[t->n++] = (Axis){.name = name, .group_begin = begin || !open, .group_end = !open, .first = from, .end = k};
    begin = false;
  }
  if (open) {
    ein_error(x, first, end, E_EINSUM, "a group is not closed");
    return false;
  }
  return true;
}

static bool parse_spec(Ein *x) {
  uint32_t arrow = UINT32_MAX;
  for (uint32_t k = 0; k + 1 < x->n_spec; k++)
    if (x->spec[k] == '-' && x->spec[k + 1] == '>') { arrow = k; break; }
  if (arrow == UINT32_MAX) {
    Diag *g = ein_error(x, 0, x->n_spec, E_EINSUM, "there is no `->`");
    if (g) diag_hint(x->e->d, g, "what stands right of `->` is kept, other names are summed: \"i j, j k -> i k\"");
    return false;
  }
  uint32_t from = 0;
  for (uint32_t k = 0; k <= arrow; k++) {
    if (k < arrow && x->spec[k] != ',') continue;
    if (x->n_term == MAX_TERMS) {
      ein_error(x, from, k, E_EINSUM, "too many operands");
      return false;
    }
    if (!parse_term(x, from, k, &x->term[x->n_term++])) return false;
    from = k + 1;
  }
  return parse_term(x, arrow + 2, x->n_spec, &x->out);
}

static int groups(const Term *t) {
  int n = 0;
  for (int k = 0; k < t->n; k++) n += t->axis[k].group_begin;
  return n;
}

/* Names for the axes of `..`, counted from the right: "..0" is the last. */
static int rest_name(Ein *x, int from_right) {
  const char *text = arena_printf(x->e->a, "..%d", from_right);
  return name_of(x, text, (uint32_t)strlen(text));
}

static bool take_size(Ein *x, int name, int64_t size, const Axis *a, const Term *t) {
  Name *n = &x->name[name];
  if (n->sized && n->size != size) {
    ein_error(x, a ? a->first : t->first, a ? a->end : t->end, E_EINSUM,
              arena_printf(x->e->a, "`%s` is %lld here, but %lld elsewhere", name_text(x, name), (long long)size,
                           (long long)n->size));
    return false;
  }
  n->sized = true;
  n->size = size;
  return true;
}

/* An operand that is being split: its sizes beside the names. */
typedef struct Splitting {
  const Term *t;
  Type type;
  int axis;                   /* of the tensor, next */
  Operand *o;
  int64_t dim[MAX_RANK];
} Splitting;

static bool add_axis(Ein *x, Splitting *s, int name, int64_t size) {
  if (s->o->n == MAX_RANK) {
    ein_error(x, s->t->first, s->t->end, E_EINSUM, "more than 16 axes");
    return false;
  }
  s->dim[s->o->n] = size;
  s->o->name[s->o->n++] = name;
  return true;
}

/* The axes of `..`. */
static bool split_rest(Ein *x, Splitting *s, int rest) {
  if (x->n_rest >= 0 && x->n_rest != rest) {
    ein_error(x, s->t->first, s->t->end, E_EINSUM,
              arena_printf(x->e->a, "`..` is %d axes here, but %d elsewhere", rest, x->n_rest));
    return false;
  }
  x->n_rest = rest;
  for (int i = 0; i < rest; i++, s->axis++) {
    int name = rest_name(x, rest - 1 - i);
    if (name < 0 || !take_size(x, name, s->type.dim[s->axis], NULL, s->t)) return false;
    if (!add_axis(x, s, name, s->type.dim[s->axis])) return false;
  }
  return true;
}

/* The sizes of the names first..last of a group, of which one may be open: what is left of the whole. */
static bool group_sizes(Ein *x, const Splitting *s, int first, int last, int64_t whole) {
  const Term *t = s->t;
  int64_t known = 1;
  int open = -1;
  for (int i = first; i <= last; i++) {
    const Name *n = &x->name[t->axis[i].name];
    if (!n->sized && open >= 0) {
      Diag *g = ein_error(x, t->axis[i].first, t->axis[i].end, E_EINSUM,
                          arena_printf(x->e->a, "the size of `%s` is not known", name_text(x, t->axis[i].name)));
      if (g) diag_hint(x->e->d, g, "give it by name: `einsum(\"...\", x, %s = 8)`", name_text(x, t->axis[i].name));
      return false;
    }
    if (!n->sized) open = i;
    else if (__builtin_mul_overflow(known, n->size, &known)) known = INT64_MAX;
  }
  if (open >= 0 ? known > 0 && whole % known == 0 : known == whole)
    return open < 0 || take_size(x, t->axis[open].name, whole / known, &t->axis[open], t);
  ein_error(x, t->axis[first].first, t->axis[last].end, E_EINSUM,
            arena_printf(x->e->a, "an axis of %lld cannot be split: the sizes here make %lld", (long long)whole,
                         (long long)known));
  return false;
}

/* One axis of the tensor: the names first..last. */
static bool split_axis(Ein *x, Splitting *s, int first, int last) {
  int64_t whole = s->type.dim[s->axis++];
  const Axis *a = s->t->axis;
  if (last == first ? !take_size(x, a[first].name, whole, &a[first], s->t) : !group_sizes(x, s, first, last, whole))
    return false;
  for (int i = first; i <= last; i++)
    if (!add_axis(x, s, a[i].name, x->name[a[i].name].size)) return false;
  return true;
}

/* An operand with every group split and every axis named. */
static bool split_operand(Ein *x, int k, NodeId node, Operand *o) {
  Elab *e = x->e;
  const Term *t = &x->term[k];
  Splitting s = {.t = t, .type = *node_type(e, node), .o = o};
  int plain = groups(t), rest = s.type.rank - plain;
  if (t->rest < 0 ? rest != 0 : rest < 0) {
    Diag *g = ein_error(x, t->first, t->end, E_EINSUM,
                        arena_printf(e->a, "this names %d %s, but operand %d is %s", plain,
                                     plain == 1 ? "axis" : "axes", k + 1, node_text(e, node)));
    if (g && t->n == 1 && (int)x->name[t->axis[0].name].n == s.type.rank)
      diag_hint(e->d, g, "names are separated by spaces: `i j, j k -> i k`");
    return false;
  }
  *o = (Operand){.node = node};
  for (int j = 0; j <= t->n; j++) {
    if (j == t->rest && !split_rest(x, &s, rest)) return false;
    if (j == t->n) break;
    int last = j;
    while (!t->axis[last].group_end) last++;
    if (!split_axis(x, &s, j, last)) return false;
    j = last;
  }
  o->node = lower_reshape(e, node, o->n, s.dim, x->at);
  return o->node != NO_NODE;
}

/* ---- computing ---- */
static int place(const Operand *o, int name) {
  for (int k = 0; k < o->n; k++)
    if (o->name[k] == name) return k;
  return -1;
}

static bool arrange(Ein *x, Operand *o, const int *order, int n) {      /* its axes in this order of names */
  int64_t axes[MAX_RANK] = {0};
  for (int k = 0; k < n; k++) axes[k] = place(o, order[k]);
  o->node = lower_permute(x->e, o->node, axes, x->at);
  for (int k = 0; k < n; k++) o->name[k] = order[k];
  return o->node != NO_NODE;
}

/* A name twice in one operand: its diagonal. */
static bool take_diagonals(Ein *x, Operand *o) {
  for (int k = 0; k < o->n; k++)
    for (int j = k + 1; j < o->n; j++) {
      if (o->name[j] != o->name[k]) continue;
      Type t = *node_type(x->e, o->node);
      int64_t axes[MAX_RANK], dim[MAX_RANK], n = t.dim[k];
      int name = o->name[k], m = 0, names[MAX_RANK];
      for (int i = 0; i < o->n; i++)
        if (i != k && i != j) { dim[m] = t.dim[i]; names[m] = o->name[i]; axes[m++] = i; }
      axes[m] = k;
      axes[m + 1] = j;
      dim[m] = n * n;
      names[m] = name;
      o->node = lower_permute(x->e, o->node, axes, x->at);
      if (o->node != NO_NODE) o->node = lower_reshape(x->e, o->node, m + 1, dim, x->at);
      if (o->node != NO_NODE) o->node = lower_rows(x->e, o->node, m, 0, n, n + 1, x->at);
      if (o->node == NO_NODE) return false;
      o->n = m + 1;
      memcpy(o->name, names, sizeof *names * (size_t)(m + 1));
      return take_diagonals(x, o);
    }
  return true;
}

static bool drop_names(Ein *x, Operand *o, const bool *needed) {
  int64_t axes[MAX_RANK];
  uint32_t n = 0;
  int m = 0;
  for (int k = 0; k < o->n; k++) {
    if (!needed[o->name[k]]) axes[n++] = k;
    else o->name[m++] = o->name[k];
  }
  o->n = m;
  o->node = lower_sum(x->e, o->node, axes, n, x->at);
  return o->node != NO_NODE;
}

static int64_t product_of(Ein *x, const int *name, int n) {
  int64_t p = 1;
  for (int k = 0; k < n; k++) p *= x->name[name[k]].size;
  return p;
}

static bool multiply(Ein *x, Operand *a, Operand *b, const bool *later) {
  Elab *e = x->e;
  int batch[MAX_RANK], sum[MAX_RANK], left[MAX_RANK], right[MAX_RANK], nb = 0, ns = 0, nl = 0, nr = 0;
  bool needed[MAX_NAMES];
  for (int k = 0; k < x->n_name; k++) needed[k] = later[k] || place(b, k) >= 0;
  if (!drop_names(x, a, needed)) return false;
  for (int k = 0; k < x->n_name; k++) needed[k] = later[k] || place(a, k) >= 0;
  if (!drop_names(x, b, needed)) return false;
  for (int k = 0; k < a->n; k++) {
    int name = a->name[k];
    if (place(b, name) < 0) left[nl++] = name;
    else if (later[name]) batch[nb++] = name;
    else sum[ns++] = name;
  }
  for (int k = 0; k < b->n; k++)
    if (place(a, b->name[k]) < 0) right[nr++] = b->name[k];
  if (nb + nl + nr > MAX_RANK) {
    ein_error(x, 0, x->n_spec, E_EINSUM, "more than 16 axes");
    return false;
  }
  int order[2 * MAX_RANK], n = 0;
  int64_t dim[MAX_RANK];
  for (int k = 0; k < nb; k++) order[n++] = batch[k];
  for (int k = 0; k < nl; k++) order[n++] = left[k];
  for (int k = 0; k < ns; k++) order[n++] = sum[k];
  if (!arrange(x, a, order, n)) return false;
  n = nb;
  for (int k = 0; k < ns; k++) order[n++] = sum[k];
  for (int k = 0; k < nr; k++) order[n++] = right[k];
  if (!arrange(x, b, order, n)) return false;
  int64_t B = product_of(x, batch, nb), M = product_of(x, left, nl), K = product_of(x, sum, ns),
          N = product_of(x, right, nr);
  NodeId p, q;
  if (ns == 0) {      /* no sum: each operand spread over the other's free axes */
    n = 0;
    int64_t one[MAX_RANK];
    for (int k = 0; k < nb; k++) { one[n] = x->name[batch[k]].size; dim[n] = one[n]; n++; }
    for (int k = 0; k < nl; k++) { one[n] = x->name[left[k]].size; dim[n] = one[n]; n++; }
    for (int k = 0; k < nr; k++) { one[n] = 1; dim[n] = x->name[right[k]].size; n++; }
    p = lower_reshape(e, a->node, n, one, x->at);
    for (int k = 0; k < nl; k++) one[nb + k] = 1;
    for (int k = 0; k < nr; k++) one[nb + nl + k] = x->name[right[k]].size;
    q = lower_reshape(e, b->node, n, one, x->at);
    if (p == NO_NODE || q == NO_NODE) return false;
    p = lower_broadcast(e, p, n, dim, x->at);
    q = lower_broadcast(e, q, n, dim, x->at);
    if (p == NO_NODE || q == NO_NODE) return false;
    a->node = emit2(e, &op_mul, p, q, x->at);
  } else {
    int64_t shape[3] = {B, M, K}, other[3] = {B, K, N};
    int skip = nb == 0;
    p = lower_reshape(e, a->node, 3 - skip, shape + skip, x->at);
    q = lower_reshape(e, b->node, 3 - skip, other + skip, x->at);
    if (p == NO_NODE || q == NO_NODE) return false;
    p = emit2(e, &op_matmul, p, q, x->at);
    n = 0;
    for (int k = 0; k < nb; k++) dim[n++] = x->name[batch[k]].size;
    for (int k = 0; k < nl; k++) dim[n++] = x->name[left[k]].size;
    for (int k = 0; k < nr; k++) dim[n++] = x->name[right[k]].size;
    a->node = p == NO_NODE ? p : lower_reshape(e, p, n, dim, x->at);
  }
  a->n = 0;
  for (int k = 0; k < nb; k++) a->name[a->n++] = batch[k];
  for (int k = 0; k < nl; k++) a->name[a->n++] = left[k];
  for (int k = 0; k < nr; k++) a->name[a->n++] = right[k];
  return a->node != NO_NODE;
}

/* The names of the result in order, `..` spelled out, and the shape with groups merged. */
static bool result_names(Ein *x, int *name, int *n, int64_t *dim, int *rank) {
  Term *t = &x->out;
  bool seen[MAX_NAMES] = {false};
  *n = *rank = 0;
  for (int j = 0; j <= t->n; j++) {
    if (j == t->rest) {
      if (x->n_rest < 0) {
        ein_error(x, t->first, t->end, E_EINSUM, "`..` stands in no operand");
        return false;
      }
      for (int i = x->n_rest - 1; i >= 0; i--) {
        if (*n == MAX_RANK) goto deep;
        name[*n] = rest_name(x, i);
        dim[(*rank)++] = x->name[name[(*n)++]].size;
      }
    }
    if (j == t->n) break;
    int k = t->axis[j].name;
    const Axis *a = &t->axis[j];
    if (!x->name[k].sized) {
      ein_error(x, a->first, a->end, E_EINSUM, arena_printf(x->e->a, "no operand has an axis `%s`", name_text(x, k)));
      return false;
    }
    if (seen[k]) {
      ein_error(x, a->first, a->end, E_EINSUM,
                arena_printf(x->e->a, "`%s` stands twice on the right", name_text(x, k)));
      return false;
    }
    if (*n == MAX_RANK) goto deep;
    seen[k] = true;
    name[(*n)++] = k;
    if (a->group_begin) dim[(*rank)++] = x->name[k].size;
    else if (__builtin_mul_overflow(dim[*rank - 1], x->name[k].size, &dim[*rank - 1])) goto deep;
  }
  return true;
deep:
  ein_error(x, t->first, t->end, E_EINSUM, "the result has more than 16 axes");
  return false;
}

/* Sizes of names that the call gives: `h = 8`. */
static bool given_sizes(Ein *x, const Arg *sizes) {
  for (uint32_t k = 0; k < sizes->n; k++) {
    const Arg *size = &sizes->rest[k];
    int known = x->n_name, name = name_of(x, size->name, (uint32_t)strlen(size->name));
    if (name < 0 || name == known || size->i < 1) {
      if (size->i < 1) elab_error(x->e, size->at, E_EINSUM, "a size must be at least 1");
      else elab_error(x->e, size->at, E_EINSUM_SIZE, size->name);
      return false;
    }
    x->name[name].sized = true;
    x->name[name].size = size->i;
  }
  return true;
}

/* The operands as floats of one type. */
static bool given_operands(Ein *x, const Arg *xs, NodeId *node) {
  Elab *e = x->e;
  Value v[MAX_TERMS];
  const Ast *where[MAX_TERMS];
  if ((int)xs->n != x->n_term) {
    ein_error(x, 0, x->n_spec, E_EINSUM,
              arena_printf(e->a, "%d %s named, but %u %s given", x->n_term,
                           x->n_term == 1 ? "operand is" : "operands are", xs->n, xs->n == 1 ? "is" : "are"));
    return false;
  }
  for (uint32_t k = 0; k < xs->n; k++) {
    where[k] = xs->rest[k].at;
    NodeId f = want_float(e, xs->rest[k].value, where[k], "an operand of `einsum`");
    if (f == NO_NODE) return false;
    v[k] = v_node(f);
  }
  return lower_same_dtype(e, v, node, xs->n, where, "an operand of `einsum`");
}

/* Sizes of plain axes, so that a group may use what a later operand says. */
static bool plain_sizes(Ein *x, const NodeId *node, uint32_t n) {
  for (uint32_t k = 0; k < n; k++) {
    const Term *t = &x->term[k];
    const Type *type = node_type(x->e, node[k]);
    if (t->rest >= 0 || groups(t) != type->rank) continue;
    for (int j = 0, axis = -1; j < t->n; j++) {
      const Axis *a = &t->axis[j];
      axis += a->group_begin;
      if (a->group_begin && a->group_end && !take_size(x, a->name, type->dim[axis], a, t)) return false;
    }
  }
  return true;
}

/* All operands into the first, one after another; a name goes when none that follows needs it. */
static bool multiply_all(Ein *x, Operand *o, uint32_t n, const bool *needed) {
  for (uint32_t k = 0; k < n; k++)
    if (!take_diagonals(x, &o[k])) return false;
  for (uint32_t k = 1; k < n; k++) {
    bool later[MAX_NAMES];
    memcpy(later, needed, sizeof later);
    for (uint32_t j = k + 1; j < n; j++)
      for (int i = 0; i < o[j].n; i++) later[o[j].name[i]] = true;
    if (!multiply(x, &o[0], &o[k], later)) return false;
  }
  return drop_names(x, &o[0], needed);
}

static Value n_einsum(Elab *e, const Arg *a, const Ast *at) {
  Ein *x = NEW(e->a, Ein);
  x->e = e;                  /* member by member: it is too large to pass through the C stack */
  x->at = at;
  x->text = a[0].at->kind == A_STRING ? a[0].at : NULL;
  x->spec = a[0].text;
  x->n_spec = (uint32_t)strlen(a[0].text);
  x->n_rest = -1;
  NodeId node[MAX_TERMS];
  uint32_t n = a[1].n;
  if (!parse_spec(x) || !given_sizes(x, &a[2]) || !given_operands(x, &a[1], node) || !plain_sizes(x, node, n))
    return v_bad();
  Operand *o = NEW_N(e->a, Operand, n);
  for (uint32_t k = 0; k < n; k++)
    if (!split_operand(x, (int)k, node[k], &o[k])) return v_bad();
  int name[MAX_RANK], n_name, rank;
  int64_t dim[MAX_RANK];
  if (!result_names(x, name, &n_name, dim, &rank)) return v_bad();
  bool needed[MAX_NAMES] = {false};
  for (int k = 0; k < n_name; k++) needed[name[k]] = true;
  if (!multiply_all(x, o, n, needed) || !arrange(x, &o[0], name, n_name)) return v_bad();
  return or_bad(lower_reshape(e, o[0].node, rank, dim, at));
}

const Native native_einsum[] = {
    {"einsum", "axes:string, xs.., sizes:int*", n_einsum,
     "Products and sums by names of axes: equal names multiply, names missing on the right are summed, `(h e)` splits "
     "or merges,\n"
     "`..` is the rest. Sizes of names may be given: `einsum(\"b (h e) -> b h e\", x, h = 8)`.",
     "einsum(\"i j, j -> i\", [[1, 2], [3, 4]], [1, 1])   # => [3, 7]"},
    {0}};

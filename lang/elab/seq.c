/* seq: what `for` runs over. In: two ends, a list, a tensor, sequences. Out: a list, which is unrolled, or a V_SEQ: a
 * count and a formula of the index, made once for each piece (a sequence whose last element has another shape has two).
 *
 * element(index) is a formula of the turn: it reads no cell, so an element may be computed while another turn runs. The
 * index counts through all pieces.
 */
#include "elab/args.h"
#include "elab/ints.h"
#include "elab/literal.h"
#include "elab/seq.h"
#include "elab/arith.h"
#include "elab/cell.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/rows.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

static Seq *seq_new(Elab *e, const char *what, int64_t count) {
  Seq *q = NEW(e->a, Seq);
  *q = (Seq){.count = count, .count_node = NO_NODE, .n_piece = 1, .by = 1, .what = what};
  q->piece[0].count = count;
  return q;
}
static Value v_seq(Seq *q) { return (Value){.kind = V_SEQ, .seq = q}; }

/* ---- ranges ---- */
static Value add_node(Elab *e, NodeId a, NodeId b, const Ast *at) {
  return elab_binary(e, '+', v_node(a), v_node(b), at);
}

static Value range_element(Elab *e, const Seq *q, uint32_t piece, NodeId index, int64_t known, const Ast *at) {
  (void)piece;
  if (q->captured) {                       /* a first end of the run */
    NodeId i = index != NO_NODE ? index : lower_number(e, I32, (double)known, at);
    return add_node(e, q->captured->at[0].node, i, at);
  }
  if (index == NO_NODE) return v_int(q->from + known * q->by);
  if (q->from == 0 && q->by == 1) return v_node(index);
  NodeId i = index;
  if (q->by != 1 && (i = emit2(e, &op_mul, i, lower_number(e, I32, (double)q->by, at), at)) == NO_NODE) return v_bad();
  return q->from == 0 ? v_node(i) : add_node(e, i, lower_number(e, I32, (double)q->from, at), at);
}

/* An end: a known int, or an i32[] of the run. */
static bool range_end(Elab *e, Value v, const Ast *at, int64_t *known, NodeId *node) {
  v = value_decay(e, v);
  *node = NO_NODE;
  if (v.kind == V_BAD) return false;
  if (known_int(e, v, known)) return true;
  if (v.kind == V_NODE && node_type(e, v.node)->rank == 0 && !node_flex(e, v.node)) {
    DType d = (DType)node_type(e, v.node)->dtype;
    if (d == I32 || d == U8) return (*node = lower_cast(e, v.node, I32, at)) != NO_NODE;
  }
  Diag *g = elab_error(e, at, E_WANTED_INT, "an end of a range", value_kind_text(e, &v));
  if (g && v.kind == V_NODE && node_type(e, v.node)->rank == 0)
    diag_hint(e->d, g, "`a // b` divides to a whole number, `i32(x)` truncates; `linspace` makes steps of a float");
  return false;
}

Value seq_range(Elab *e, Value from, Value to, bool less, const Ast *at) {
  int64_t a, b;
  NodeId na, nb;
  if (!range_end(e, from, at, &a, &na) || !range_end(e, to, at, &b, &nb)) return v_bad();
  if (na == NO_NODE && nb == NO_NODE) {
    int64_t n = 0;
    if (__builtin_sub_overflow(b, a, &n) || (!less && __builtin_add_overflow(n, 1, &n)) || n > ((int64_t)1 << 53)) {
      elab_error(e, at, E_RANGE_LONG, (long long)a, (long long)b);
      return v_bad();
    }
    Seq *q = seq_new(e, "range", n > 0 ? n : 0);
    q->from = a;
    q->is_range = true;
    q->element = range_element;
    return v_seq(q);
  }
  if (na == NO_NODE) na = lower_number(e, I32, (double)a, at);
  if (nb == NO_NODE) nb = lower_number(e, I32, (double)b, at);
  Value n = elab_binary(e, '-', v_node(nb), v_node(na), at);
  if (n.kind == V_NODE && !less) n = add_node(e, n.node, lower_number(e, I32, 1, at), at);
  if (n.kind != V_NODE) return v_bad();
  NodeId zero = lower_number(e, I32, 0, at);
  NodeId count = emit2(e, &op_max2, n.node, zero, at);
  if (count == NO_NODE) return v_bad();
  Seq *q = seq_new(e, "range", -1);
  q->count_node = count;
  q->is_range = true;
  q->element = range_element;
  Value first = v_node(na);
  q->captured = v_items(e->a, V_LIST, &first, 1).items;
  return v_seq(q);
}

/* ---- along the first axis of a tensor ---- */
static Value row_element(Elab *e, const Seq *q, uint32_t piece, NodeId index, int64_t known, const Ast *at) {
  (void)piece;
  NodeId x = q->captured->at[0].node;
  if (index != NO_NODE && (x = settle(e, x)) == NO_NODE) return v_bad();   /* a known row of literals is a literal */
  const Type *t = node_type(e, x);
  int64_t dim[MAX_RANK], one = 1;
  int rank = t->rank;
  memcpy(dim, t->dim, sizeof dim);
  if (index == NO_NODE) x = lower_rows(e, x, 0, known, 1, 1, at);
  else {
    NodeId i = lower_reshape(e, index, 1, &one, at);
    x = i == NO_NODE ? i : lower_gather(e, x, i, 0, at);
  }
  return x == NO_NODE ? v_bad() : or_bad(lower_reshape(e, x, rank - 1, dim + 1, at));
}

/* A bracket of whole numbers is a list of known ints; NULL: it is not one. */
static Items *bracket_ints(Elab *e, NodeId n) {
  enum { MOST = 4096 };       /* elaborated one by one */
  const Type *t = node_type(e, n);
  uint32_t count;
  if (t->rank != 1 || t->dim[0] > MOST || t->dtype == U8) return NULL;
  const int64_t *i = known_ints(e, n, &count);
  if (!i) return NULL;
  for (uint32_t k = 0; k < count; k++)
    if (i[k] == INT64_MAX || i[k] == -INT64_MAX) return NULL;
  return v_ints(e->a, i, count).items;
}

Value seq_of(Elab *e, Value v, const Ast *at) {
  v = value_decay(e, v);
  Diag *g;
  switch (v.kind) {
  case V_BAD: case V_SEQ: case V_LIST: return v;
  case V_UNIT: return v_items(e->a, V_LIST, NULL, 0);
  case V_TUPLE: return v_items(e->a, V_LIST, v.items->at, v.items->n);
  case V_NODE: {
    const Type *t = node_type(e, v.node);
    if (t->rank == 0) break;
    Items *ints = bracket_ints(e, v.node);
    if (ints) return (Value){.kind = V_LIST, .items = ints};
    Seq *q = seq_new(e, "rows of a tensor", t->dim[0]);
    q->element = row_element;
    q->captured = v_items(e->a, V_LIST, &v, 1).items;
    return v_seq(q);
  }
  case V_FN:
    if (v.fn->kind == FN_CHAIN) return v_items(e->a, V_LIST, v.fn->captured->at, v.fn->captured->n);
    break;
  default: break;
  }
  if ((g = elab_error(e, at, E_NO_SEQUENCE, value_kind_text(e, &v)))) {
    if (v.kind == V_INT) diag_hint(e->d, g, "to count write `1..%lld` or `0..<%lld`", (long long)v.i, (long long)v.i);
    else if (v.kind == V_NODE) diag_hint(e->d, g, "to count write `1..n` or `0..<n`");
    else if (v.kind == V_RECORD) diag_hint(e->d, g, "for a data set write `batches(d, size)`");
  }
  return v_bad();
}

/* ---- slices ---- */
/* captured: the sequence; from, by: where its elements are. */
static Value cut_element(Elab *e, const Seq *q, uint32_t piece, NodeId index, int64_t known, const Ast *at) {
  const Seq *of = q->captured->at[0].seq;
  uint32_t inner = seq_piece(of, q->from + q->by * q->piece[piece].first);
  if (index == NO_NODE) return of->element(e, of, inner, NO_NODE, q->from + q->by * known, at);
  Value i = elab_binary(e, '*', v_node(index), v_node(lower_number(e, I32, (double)q->by, at)), at);
  if (i.kind == V_NODE) i = add_node(e, i.node, lower_number(e, I32, (double)q->from, at), at);
  return i.kind == V_NODE ? of->element(e, of, inner, i.node, -1, at) : v_bad();
}

/* Cuts at the places where an element may have another shape than the one before it. */
static void seq_split(Seq *q, bool first, bool last) {
  int64_t n = q->count;
  first = first && n > 1;
  last = last && n > 1 + first;
  q->n_piece = 0;
  if (first) q->piece[q->n_piece++] = (SeqPiece){1, 0};
  if (n - first - last > 0 || q->n_piece == 0) q->piece[q->n_piece++] = (SeqPiece){n - first - last, first};
  if (last) q->piece[q->n_piece++] = (SeqPiece){1, n - 1};
}

static bool piece_begins(const Seq *q, int64_t k) {
  for (uint32_t p = 1; p < q->n_piece; p++)
    if (q->piece[p].first == k) return true;
  return false;
}

Value seq_cut(Elab *e, Value v, int64_t from, int64_t count, int64_t by) {
  const Seq *of = v.seq;
  Seq *q = seq_new(e, of->what, count);
  if (of->is_range && !of->captured) {
    q->from = of->from + from * of->by;
    q->by = of->by * by;
    q->is_range = true;
    q->element = range_element;
    return v_seq(q);
  }
  q->from = from;
  q->by = by;
  q->element = cut_element;
  q->captured = v_items(e->a, V_LIST, &v, 1).items;
  int64_t end = from + (count - 1) * by;
  if (count > 1)
    seq_split(q, seq_piece(of, from) != seq_piece(of, from + by), seq_piece(of, end) != seq_piece(of, end - by));
  return v_seq(q);
}

/* ---- enumerate, zip ---- */
static Value zip_element(Elab *e, const Seq *q, uint32_t piece, NodeId index, int64_t known, const Ast *at) {
  bool number = q->from != 0;
  uint32_t n = q->captured->n;
  Value *v = NEW_N(e->a, Value, n + 1);
  uint32_t k = 0;
  if (number) v[k++] = index == NO_NODE ? v_int(known) : v_node(index);
  for (uint32_t j = 0; j < n; j++) {
    const Seq *s = q->captured->at[j].seq;
    v[k] = s->element(e, s, seq_piece(s, q->piece[piece].first), index, known, at);
    if (v[k++].kind == V_BAD) return v_bad();
  }
  return v_items(e->a, V_TUPLE, v, k);
}

static int64_t length_of(const Value *v) { return v->kind == V_LIST ? (int64_t)v->items->n : v->seq->count; }

/* Lists unroll; a list beside sequences of known counts unrolls them too. */
static Value seq_zip(Elab *e, const Value *in, uint32_t n, bool number, const Ast *at, const char *what) {
  Value *v = NEW_N(e->a, Value, n + 1);
  bool list = false;
  for (uint32_t k = 0; k < n; k++) {
    v[k] = seq_of(e, in[k], at);
    if (v[k].kind == V_BAD) return v_bad();
    if (v[k].kind == V_LIST) list = true;
  }
  for (uint32_t k = 1; k < n; k++)
    if (length_of(&v[k]) != length_of(&v[0])) {
      if (length_of(&v[k]) < 0 || length_of(&v[0]) < 0) elab_error(e, at, E_ZIP_OF_RUN, what);
      else elab_error(e, at, E_ZIP_LENGTH, what, (long long)length_of(&v[0]), (long long)length_of(&v[k]));
      return v_bad();
    }
  if (n > 1 && length_of(&v[0]) < 0) {
    elab_error(e, at, E_ZIP_OF_RUN, what);
    return v_bad();
  }
  if (!list) {
    Seq *q = seq_new(e, what, v[0].seq->count);
    q->count_node = v[0].seq->count_node;
    bool first = false, last = false;
    for (uint32_t k = 0; k < n; k++) {
      first |= piece_begins(v[k].seq, 1);
      last |= piece_begins(v[k].seq, q->count - 1);
    }
    seq_split(q, first, last);
    q->from = number;
    q->element = zip_element;
    q->captured = v_items(e->a, V_LIST, v, n).items;
    return v_seq(q);
  }
  int64_t count = length_of(&v[0]);
  if (count > 1000000) {
    elab_error(e, at, E_TOO_MANY_TURNS, 1000000);
    return v_bad();
  }
  Value *out = NEW_N(e->a, Value, count + 1);
  for (int64_t i = 0; i < count; i++) {
    Value *part = NEW_N(e->a, Value, n + 1);
    uint32_t k = 0;
    if (number) part[k++] = v_int(i);
    for (uint32_t j = 0; j < n; j++) {
      if (v[j].kind == V_LIST) part[k++] = v[j].items->at[i];
      else {
        const Seq *s = v[j].seq;
        part[k] = s->element(e, s, seq_piece(s, i), NO_NODE, i, at);
        if (part[k++].kind == V_BAD) return v_bad();
      }
    }
    out[i] = v_items(e->a, V_TUPLE, part, k);
  }
  return v_items(e->a, V_LIST, out, (uint32_t)count);
}

/* ---- batches ---- */
/* captured: the data set, its order (a permutation) or (). from: the batch size; the rows are read again from the
 * value. */
static Value batch_element(Elab *e, const Seq *q, uint32_t piece, NodeId index, int64_t known, const Ast *at) {
  Rows r;
  if (!want_rows(e, q->captured->at[0], at, "`batches`", &r)) return v_bad();
  int64_t size = q->from, first = q->piece[piece].first * size;
  int64_t rows = first + size <= r.n ? size : r.n - first;
  const Value *order = &q->captured->at[1];
  if (index == NO_NODE) {
    if (order->kind != V_NODE) return rows_slice(e, &r, known * size, rows, 1, at);
    NodeId part = lower_rows(e, order->node, 0, known * size, rows, 1, at);
    return part == NO_NODE ? v_bad() : rows_gather(e, &r, part, at);
  }
  NodeId start = size == 1 ? index : emit2(e, &op_mul, index, lower_number(e, I32, (double)size, at), at);
  if (start == NO_NODE) return v_bad();
  if (order->kind != V_NODE) return rows_slice_dyn(e, &r, start, rows, at);
  NodeId part = lower_slice_dyn(e, order->node, 0, start, rows, at);
  return part == NO_NODE ? v_bad() : rows_gather(e, &r, part, at);
}

static Value seq_batches(Elab *e, const Rows *r, int64_t size, NodeId order, bool drop_last, const Ast *at) {
  (void)at;
  uint32_t taken = 0;
  int64_t full = r->n / size, rest = drop_last ? 0 : r->n % size;
  Seq *q = seq_new(e, "batches", full + (rest > 0));
  q->from = size;
  q->element = batch_element;
  if (full > 0 && rest > 0) {
    q->n_piece = 2;
    q->piece[0] = (SeqPiece){.count = full, .first = 0};
    q->piece[1] = (SeqPiece){.count = 1, .first = full};
  }
  Value held[2] = {unflat(e, r->value, r->node.at, &taken), order == NO_NODE ? v_unit() : v_node(order)};
  q->captured = v_items(e->a, V_LIST, held, 2).items;
  return v_seq(q);
}

/* ---- the names ---- */
static Value n_enumerate(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return seq_zip(e, &a[0].value, 1, true, a[0].at, "enumerate");
}

static Value n_zip(Elab *e, const Arg *a, const Ast *at) {
  Args xs = args_rest(e, &a[0]);
  if (xs.n == 0) {
    elab_error(e, at, E_ZIP_NOTHING);
    return v_bad();
  }
  return seq_zip(e, xs.at, xs.n, false, at, "zip");
}

static Value n_batches(Elab *e, const Arg *a, const Ast *at) {
  const Rows *r = a[0].rows;
  int64_t size = a[1].i;
  if (size < 1 || size > INT32_MAX) {
    elab_error(e, a[1].at, E_BATCH_SIZE, (long long)size);
    return v_bad();
  }
  NodeId order = NO_NODE;
  if (a[2].i) {
    NodeId key = draw_key(e, at);
    order = emit_i(e, &op_permutation, &key, 1, &r->n, 1, at);
    if (order == NO_NODE) return v_bad();
  }
  return seq_batches(e, r, size, order, a[3].i, at);
}

const Native native_sequences[] = {
    {"enumerate", "xs:any", n_enumerate, "Pairs (number from 0, element) of a list, a tensor's rows or a sequence.",
     "[10 * i + x for (i, x) in enumerate([1, 2])]   # => [1, 12]"},
    {"zip", "xs:any..", n_zip, "Tuples of the elements of several lists or sequences of one length.",
     "[a * b for (a, b) in zip([1, 2], [3, 4])]   # => [3, 8]"},
    {"batches", "d:rows, size:int, shuffle:flag=false, drop_last:flag=false", n_batches,
     "The data set in pieces of `size` rows, a sequence for `for`. `shuffle = true` draws one order, where `batches` "
     "stands. The\n"
     "last piece has the rows that are left, unless `drop_last = true`.",
     "[sum(b) for b in batches([1, 2, 3], 2, drop_last = true)]   # => [3]"},
    {0}};

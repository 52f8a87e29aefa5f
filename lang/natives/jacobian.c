/* jacobian: the matrix of a function's derivatives, whole or sparse. In: a function. Out: one of the same arguments.
 *
 * A Jacobian is a batch of products, one with each unit vector: reverse ones, or forward ones where the numbers that it
 * is taken by are fewer than those of the value. Of a sparse one the pattern is found from the graph (graph/sparse.c);
 * rows, or columns, that have no entry side by side are found by one product with the sum of their unit vectors, and
 * what each entry is stands at a place that is known. Of a symmetric one, an entry may be read as (i, j) or as (j, i).
 *
 * It is here and not in the library because what it gives is a function of any arguments, named by `wrt`, and because
 * its function is elaborated once: each of its vectors meets the same draws.
 */
#include "elab/body.h"
#include "elab/call.h"
#include "elab/derive.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/show.h"
#include "natives/vmap.h"
#include "runtime/graph/sparse.h"
#include <string.h>

/* The unit vectors of a type, along a first axis. */
static NodeId unit_vectors(Elab *e, const Type *t, const Ast *at) {
  int64_t m = type_count(t), square[2] = {m, m};
  NodeId iota = lower_iota(e, m, at);
  if (iota == NO_NODE) return iota;
  NodeId row = lower_mask_dims(e, iota, 2, square, 0, at), column = lower_mask_dims(e, iota, 2, square, 1, at);
  if (row == NO_NODE || column == NO_NODE) return NO_NODE;
  Type flat = type_make(I32, 2, square), whole = batch_type(t, m);
  column = g_broadcast(e->g, column, &flat);
  NodeId one = emit2(e, &op_eq, g_broadcast(e->g, row, &flat), column, at);
  return g_reshape(e->g, g_cast(e->g, one, (DType)t->dtype), &whole);
}

/* Products with every unit vector: `product` is one of them, with `vector`; y and x are what of and by what. */
typedef struct Products { NodeId vector, y, x; bool forward; } Products;

/* Of the batch [unit, what a product is] the Jacobian, of y's shape and then x's. */
static NodeId laid_out(Elab *e, const Products *p, NodeId batch, const Ast *at) {
  Type y = *node_type(e, p->y), x = *node_type(e, p->x), whole = y;
  whole.dtype = node_type(e, batch)->dtype;
  for (int d = 0; d < x.rank; d++) whole.dim[whole.rank++] = x.dim[d];
  if (p->forward) {
    int64_t swapped[2] = {type_count(&x), type_count(&y)};
    Type flat = type_make((DType)whole.dtype, 2, swapped);
    batch = g_reshape(e->g, batch, &flat);
    batch = emit_i(e, &op_permute, &batch, 1, (int64_t[]){1, 0}, 2, at);
  }
  return g_reshape(e->g, batch, &whole);
}

/* `product`, which is linear in p->vector, for each of m vectors in its place: along a first axis. */
static bool products(Elab *e, const Products *p, NodeId vectors, int64_t m, uint32_t n, const NodeId *product,
                     NodeId *out, const Ast *at) {
  BatchError why = {.type = *node_type(e, p->vector)};
  if (vectors != NO_NODE && graph_batch(e->g, &p->vector, &vectors, 1, m, product, n, out, &why)) return true;
  map_too_large(e, &why, m, at);
  return false;
}

static bool all_products(Elab *e, const Products *p, uint32_t n, const NodeId *product, NodeId *out, const Ast *at) {
  Type t = *node_type(e, p->vector);
  return products(e, p, t.rank < MAX_RANK ? unit_vectors(e, &t, at) : NO_NODE, type_count(&t), n, product, out, at);
}

/* Column by column: the reverse product is with any vector, as it is linear in it. */
typedef struct Columns { Value seed, gradient; Nodes back; } Columns;

static bool columns_of(Elab *e, NodeId y, Value by, Columns *c, const Ast *at) {
  NodeId u = g_op(e->g, &op_alias, g_fill(e->g, node_type(e, y), 0));
  c->seed = v_node(u);
  c->gradient = derive(e, v_node(map_inner(e, &op_mul, &y, &u, 1, at)), by, at, DERIVE_QUIET);
  return c->gradient.kind != V_BAD && map_tensors(e, c->gradient, &c->back, at, "the derivative");
}

/* The product of the Jacobian by leaf k with any vector; NO_NODE: said. */
static NodeId column_product(Elab *e, const Columns *c, uint32_t k, Products *p, const Ast *at) {
  Type t = *node_type(e, c->back.at[k]);
  p->vector = body_input(e, &t, at);
  NodeId of = map_inner(e, &op_smul, &p->vector, &c->back.at[k], 1, at);     /* a unit vector chooses one of x */
  Value column = derive(e, v_node(of), v_items(e->a, V_TUPLE, &c->seed, 1), at, DERIVE_QUIET);
  return column.kind == V_BAD ? NO_NODE : column.items->at[0].node;
}

static Value by_columns(Elab *e, NodeId y, const Nodes *x, Value by, const Ast *at) {
  Columns c = {.seed = v_unit()};
  NodeId *out = NEW_N(e->a, NodeId, x->n + 1);
  if (!columns_of(e, y, by, &c, at)) return v_bad();
  for (uint32_t k = 0; k < c.back.n; k++) {
    Products p = {.y = y, .x = x->at[k], .forward = true};
    NodeId column = column_product(e, &c, k, &p, at);
    if (column == NO_NODE || !all_products(e, &p, 1, &column, &out[k], at)) return v_bad();
    out[k] = laid_out(e, &p, out[k], at);
    literal_moved(e, c.back.at[k], out[k]);
  }
  return map_like(e, c.gradient, out);
}

/* The products of any vector with the Jacobian, by all leaves. */
static bool row_products(Elab *e, Products *p, Value by, Value *gradient, Nodes *back, const Ast *at) {
  p->vector = body_input(e, node_type(e, p->y), at);
  NodeId of = map_inner(e, &op_smul, &p->vector, &p->y, 1, at);                /* a unit vector chooses one of y */
  *gradient = derive(e, v_node(of), by, at, DERIVE_QUIET);
  return gradient->kind != V_BAD && map_tensors(e, *gradient, back, at, "the derivative");
}

static Value by_rows(Elab *e, NodeId y, const Nodes *x, Value by, const Ast *at) {
  Products p = {.y = y};
  Value g;
  Nodes back = {0};
  if (!row_products(e, &p, by, &g, &back, at)) return v_bad();
  NodeId *out = NEW_N(e->a, NodeId, back.n + 1);
  if (!all_products(e, &p, back.n, back.at, out, at)) return v_bad();
  for (uint32_t k = 0; k < back.n; k++) {
    p.x = x->at[k];
    out[k] = laid_out(e, &p, out[k], at);
    literal_moved(e, back.at[k], out[k]);
  }
  return map_like(e, g, out);
}

/* The Jacobian of one tensor y: a tree like `by`, each leaf of shape y's and then its own. */
static Value jacobian_of(Elab *e, NodeId y, Value by, const Ast *at) {
  Nodes x = {0};
  int64_t outputs = type_count(node_type(e, y)), inputs = 0;
  if (node_type(e, y)->rank == 0) return derive(e, v_node(y), by, at, DERIVE_QUIET);   /* zeros are common there */
  if (!map_tensors(e, by, &x, at, "what is differentiated by")) return v_bad();
  for (uint32_t k = 0; k < x.n; k++) {
    int rank = node_type(e, y)->rank + node_type(e, x.at[k])->rank;
    inputs += type_count(node_type(e, x.at[k]));
    if (rank <= MAX_RANK) continue;
    elab_error(e, at, E_RANK_LIMIT, rank, MAX_RANK);
    return v_bad();
  }
  return inputs < outputs ? by_columns(e, y, &x, by, at) : by_rows(e, y, &x, by, at);
}

/* ---- sparse ---- */

/* How the matrix of y by one leaf is found: products[colour[r]] has row r, or column r; entry k stands at place[k] of
 * the products, one after another. */
typedef struct Compressed {
  Sparsity s;
  bool rows, symmetric;
  int64_t n;                 /* of products */
  int32_t *colour;
} Compressed;

static int64_t most_in_a_row(const Sparsity *s) {
  int64_t most = 0;
  for (int64_t r = 0; r < s->rows; r++)
    if (s->first[r + 1] - s->first[r] > most) most = s->first[r + 1] - s->first[r];
  return most;
}

/* By rows or by columns, whichever takes fewer products. No colouring has fewer colours than the most entries that meet
 * in a line, so the side that has the fewer there is tried first, and often it is enough. */
static void compress(Elab *e, Compressed *c, bool symmetric) {
  Arena *scratch = arena_new(&e->s->host);
  Sparsity turned = sparsity_transposed(&c->s, scratch);
  c->symmetric = c->rows = symmetric;
  if (symmetric) {           /* where (j, i) is 0 for certain, (i, j) is */
    c->s = sparsity_common(&c->s, &turned, e->a);
    c->colour = NEW_N(e->a, int32_t, c->s.columns + 1);
    c->n = colour_symmetric(&c->s, c->colour, scratch);
  } else {
    int64_t least[2] = {most_in_a_row(&c->s), most_in_a_row(&turned)}, n[2] = {INT64_MAX, INT64_MAX};
    int32_t *colour[2];
    int first = least[1] < least[0];       /* columns are found together where they share no row */
    for (int k = 0; k < 2; k++) {
      int side = k ? !first : first;
      if (k && n[first] <= least[side]) continue;
      colour[side] = NEW_N(e->a, int32_t, (side ? c->s.rows : c->s.columns) + 1);
      n[side] = colour_columns(side ? &turned : &c->s, colour[side], scratch);
    }
    c->rows = n[1] < n[0] || (n[1] == n[0] && c->s.rows <= c->s.columns);
    c->n = n[c->rows];
    c->colour = colour[c->rows];
  }
  arena_free(scratch);
}

/* For each colour the sum of its unit vectors, of type t, along a first axis. */
static NodeId colour_vectors(Elab *e, const Compressed *c, const Type *t, const Ast *at) {
  int64_t count = type_count(t), square[2] = {c->n, count};
  Type flat = type_make(I32, 2, square), whole = batch_type(t, c->n);
  Tensor *colour = tensor_new(&e->s->host, &(Type){.dtype = I32, .rank = 1, .dim = {count}});
  if (count) memcpy(colour->data, c->colour, (size_t)count * sizeof *c->colour);
  NodeId mine = graph_const(e->g, colour, elab_loc(e, at)), iota = lower_iota(e, c->n, at);
  tensor_unref(colour);
  NodeId row = lower_mask_dims(e, iota, 2, square, 0, at);
  NodeId one = emit2(e, &op_eq, g_broadcast(e->g, row, &flat), g_broadcast(e->g, mine, &flat), at);
  return g_reshape(e->g, g_cast(e->g, one, (DType)t->dtype), &whole);
}

/* Whether (i, j) is the only entry of row i in a column of j's colour. */
static bool alone(const Compressed *c, int64_t i, int64_t j) {
  for (int64_t k = c->s.first[i]; k < c->s.first[i + 1]; k++)
    if (c->s.column[k] != j && c->colour[c->s.column[k]] == c->colour[j]) return false;
  return true;
}

static Value int_vector(Elab *e, const int32_t *v, int64_t n, const Ast *at) {
  Tensor *t = tensor_new(&e->s->host, &(Type){.dtype = I32, .rank = 1, .dim = {n}});
  if (n) memcpy(t->data, v, (size_t)n * sizeof *v);
  NodeId id = graph_const(e->g, t, elab_loc(e, at));
  tensor_unref(t);
  return v_node(id);
}

/* {rows, columns, values, shape} of the products. */
static Value sparse_record(Elab *e, const Compressed *c, NodeId found, DType d, const Ast *at) {
  int64_t n = sparsity_entries(&c->s), wide = c->rows ? c->s.columns : c->s.rows;
  int32_t *row = NEW_N(e->a, int32_t, n + 1), *place = NEW_N(e->a, int32_t, n + 1);
  for (int64_t i = 0; i < c->s.rows; i++)
    for (int64_t k = c->s.first[i]; k < c->s.first[i + 1]; k++) {
      int64_t j = c->s.column[k];
      bool other = c->symmetric ? !alone(c, j, i) : !c->rows;
      row[k] = (int32_t)i;
      place[k] = (int32_t)(other ? c->colour[j] * wide + i : c->colour[i] * wide + j);
    }
  Type none = type_make(d, 1, (int64_t[]){0}), flat = type_make(d, 1, (int64_t[]){c->n * wide});
  NodeId values = found == NO_NODE ? g_fill(e->g, &none, 0) : g_reshape(e->g, found, &flat);
  if (n) values = lower_gather(e, values, int_vector(e, place, n, at).node, 0, at);
  static const char *const name[] = {"rows", "columns", "values", "shape"};
  Fields *f = NEW(e->a, Fields);
  *f = (Fields){.n = 4, .name = NEW_N(e->a, Sym, 4), .at = NEW_N(e->a, Value, 4)};
  for (int k = 0; k < 4; k++) f->name[k] = sym(e->s->sources, name[k], strlen(name[k]));
  f->at[0] = int_vector(e, row, n, at);
  f->at[1] = int_vector(e, c->s.column, n, at);
  f->at[2] = v_node(values);
  f->at[3] = v_ints(e->a, (int64_t[]){c->s.rows, c->s.columns}, 2);
  return (Value){.kind = V_RECORD, .fields = f};
}

typedef struct NextRecord { const Value *at; uint32_t k; } NextRecord;
static Value next_record(Elab *e, void *ctx, Value leaf) {
  NextRecord *n = ctx;
  (void)e, (void)leaf;
  return n->at[n->k++];
}

/* Of one tensor y, by each leaf a sparse matrix. nth: which leaf y is itself, if the matrix by it is symmetric. */
static Value sparse_of(Elab *e, NodeId y, Value by, uint32_t nth, const Ast *at) {
  Nodes x = {0}, back = {0};
  if (!map_tensors(e, by, &x, at, "what is differentiated by")) return v_bad();
  Sparsity *s = NEW_N(e->a, Sparsity, x.n + 1);
  Compressed *c = NEW_N(e->a, Compressed, x.n + 1);
  Value *out = NEW_N(e->a, Value, x.n + 1);
  if (!graph_sparsity(e->g, y, x.at, x.n, s)) {
    Diag *g = elab_error(e, at, E_SPARSE_LIMIT, node_text(e, y), MOST_ENTRIES);
    diag_hint(e->d, g, "products do without the matrix: `jvp`, `vjp`, `hvp`");
    return v_bad();
  }
  bool any_row = false, any_column = false;
  for (uint32_t k = 0; k < x.n; k++) {
    c[k].s = s[k];
    compress(e, &c[k], k == nth && s[k].rows == s[k].columns);
    any_row |= c[k].n && c[k].rows;
    any_column |= c[k].n && !c[k].rows;
  }
  Products p = {.y = y};
  Columns columns = {.seed = v_unit()};
  Value g = by;
  if (any_row && !row_products(e, &p, by, &g, &back, at)) return v_bad();
  if (any_column && !columns_of(e, y, by, &columns, at)) return v_bad();
  for (uint32_t k = 0; k < x.n; k++) {
    Products q = {.vector = p.vector};
    NodeId found = NO_NODE, like = c[k].rows ? NO_NODE : y;
    if (c[k].n) {
      NodeId one = c[k].rows ? back.at[k] : column_product(e, &columns, k, &q, at);
      like = c[k].rows ? back.at[k] : columns.back.at[k];
      if (one == NO_NODE) return v_bad();
      Type t = *node_type(e, q.vector);
      NodeId vectors = t.rank < MAX_RANK ? colour_vectors(e, &c[k], &t, at) : NO_NODE;
      if (!products(e, &q, vectors, c[k].n, 1, &one, &found, at)) return v_bad();
    } else like = x.at[k];
    out[k] = sparse_record(e, &c[k], found, (DType)node_type(e, like)->dtype, at);
    literal_moved(e, like, out[k].fields->at[2].node);
  }
  NextRecord n = {out, 0};
  return by.kind == V_NODE ? out[0] : tree_map(e, by, LEAF_PARAM, next_record, &n);
}

/* How a Jacobian is wanted; leaf: the number of the tensor of the value that comes next. */
typedef struct Wanted { bool sparse, symmetric; uint32_t leaf; } Wanted;

static Value jacobian_tree(Elab *e, Value y, Value by, Wanted *w, const Ast *at) {
  host_deeper(&e->s->host);
  if (y.kind == V_TUPLE || y.kind == V_LIST) {
    Value out = v_items(e->a, V_TUPLE, y.items->at, y.items->n);
    for (uint32_t k = 0; k < y.items->n; k++)
      if ((out.items->at[k] = jacobian_tree(e, y.items->at[k], by, w, at)).kind == V_BAD) return v_bad();
    return out;
  }
  if (y.kind == V_RECORD) {
    Fields *f = NEW(e->a, Fields);
    *f = (Fields){.n = y.fields->n, .name = y.fields->name, .at = NEW_N(e->a, Value, y.fields->n + 1)};
    for (uint32_t k = 0; k < f->n; k++)
      if ((f->at[k] = jacobian_tree(e, y.fields->at[k], by, w, at)).kind == V_BAD) return v_bad();
    return (Value){.kind = V_RECORD, .fields = f};
  }
  Nodes n = {0};
  if (!map_floats(e, y, &n, "jacobian", at)) return v_bad();
  uint32_t nth = w->leaf++;
  return w->sparse ? sparse_of(e, n.at[0], by, w->symmetric ? nth : UINT32_MAX, at) : jacobian_of(e, n.at[0], by, at);
}

static Value call_jacobian(Elab *e, const Fn *self, const Arg *a, const Ast *at) {
  Args args = args_rest(e, &a[0]);
  Value by, y = call_by(e, self->captured->at[0], self->captured->at[1], &args, MAKE_IN_MAP, &by, at);
  if (y.kind == V_BAD) return y;
  if (y.kind == V_INSTANCE || (y.kind == V_FN && is_tree(e, &y))) {   /* a gradient tree: a list of its leaves */
    Nodes n = {0};
    if (!map_floats(e, y, &n, "jacobian", at)) return v_bad();
    Value *v = NEW_N(e->a, Value, n.n + 1);
    for (uint32_t k = 0; k < n.n; k++) v[k] = v_node(n.at[k]);
    y = v_items(e->a, V_TUPLE, v, n.n);
  }
  Wanted w = {.sparse = self->captured->at[2].i & 1, .symmetric = self->captured->at[2].i & 2};
  return jacobian_tree(e, value_decay(e, y), by, &w, at);
}

static const Native jacobian_fn = {.name = "jacobian", .params = "rest:any..*",
                                   .doc = "The Jacobian of a function: takes its arguments."};

static Value n_jacobian(Elab *e, const Arg *a, const Ast *at) {
  bool sparse = a[2].value.b, symmetric = a[3].value.b;
  if (symmetric && !sparse) {
    Diag *g = elab_error(e, at, E_SYMMETRIC_DENSE);
    diag_hint(e->d, g, "write `sparse = true` with it, or leave it out");
    return v_bad();
  }
  return map_made_of(e, a[0].value, a[1].value, v_int(sparse + 2 * symmetric), &jacobian_fn, call_jacobian);
}

const Native native_jacobian[] = {
    {"jacobian", "f:fn, wrt:any?, sparse:flag=false, symmetric:flag=false", n_jacobian,
     "A function with the arguments of f: the derivative of each element of its value by each of the first argument, "
     "or\n"
     "those named in wrt; the axes of the value come first.\n"
     "sparse: only what may be other than 0, {rows, columns, values, shape}: a matrix of the elements of the value by\n"
     "those of the argument, each counted in its order; entry k is values[k], in row rows[k] and column columns[k].\n"
     "Which they are is known before the run. `sparse_matmul`, `spsolve` and `todense` take it.\n"
     "symmetric: it is the same turned over, as the Jacobian of a gradient is: fewer products find it.",
     "jacobian(fn (x) = x^2)([1.0, 3.0])   # => [[2, 0], [0, 6]]\n"
     "jacobian(fn (x) = x^2, sparse = true)([1.0, 3.0])   # => {rows = [0, 1], columns = [0, 1], values = [2, 6], "
     "shape = [2, 2]}"},
    {0}};

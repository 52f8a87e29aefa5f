/* extern: foreign functions. In: a signature and a library. Out: nodes of a foreign op, which is the same struct Op as
 * any other.
 *
 * Scalars only: mapped over elements. With tensors: called once with the inputs' pointers, the result's pointer, then
 * as int64_t each dimension name in the order of first appearance, `..S` as one: the product of its sizes.
 */
#include "elab/extern.h"
#include "elab/call.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/names.h"
#include "elab/want.h"
#include "runtime/exec/ffi.h"
#include <string.h>

typedef struct DimName { const char *name; bool rest; } DimName;
enum { MOST = 32 };

static const Ast *result_type(const Ast *ast) { return ast->kid[2]; }

static void collect(const Ast *type, DimName *d, uint32_t *n) {
  if (!type || type->kind != A_TTENSOR) return;
  for (uint32_t k = 0; k < type->n; k++) {
    const Ast *dim = type->kid[k];
    bool rest = dim->kind == A_REST;
    if (!dim->name || (!rest && (dim->kind != A_NAME || dim->name[0] < 'A' || dim->name[0] > 'Z'))) continue;
    bool seen = false;
    for (uint32_t j = 0; j < *n; j++) seen |= d[j].name == dim->name;
    if (!seen && *n < MOST) d[(*n)++] = (DimName){dim->name, rest};
  }
}

static bool element(Elab *e, const Ast *type, DType *d, bool *scalar) {
  *d = F32;
  *scalar = false;
  if (type && type->kind == A_TTENSOR) {
    if (type->name && !dtype_from_name(type->name, d)) goto wrong;
    if (type->n == 0) *scalar = true;
    return true;
  }
  if (type && type->kind == A_NAME && dtype_from_name(type->name, d)) return *scalar = true;
wrong:
  diag_hint(e->d, elab_error(e, type, E_EXTERN_TYPE),
            "a number is `f64` or `i32`, a tensor `f32[..S]` or `[N, 3]`; text and lists are not handed over");
  return false;
}

bool extern_open(Elab *e, Fn *f, const Ast *ast) {
  const Ast *string = ast->kid[0], *params = ast->kid[1];
  const char *path = string->n ? string->kid[0]->text : "";
  if (params->n == 0 || params->n > MOST || !result_type(ast)) {
    Diag *g = elab_error(e, ast, E_EXTERN_SIGNATURE, ast->name);
    diag_hint(e->d, g,
              "write the types of its arguments and of its result: `extern \"libm.so.6\" fn j0(x: f64) -> f64`");
    return false;
  }
  DType *in = NEW_N(e->a, DType, params->n), out;
  bool all_scalar = true, scalar;
  DimName dims[MOST];
  uint32_t n_dims = 0;
  for (uint32_t k = 0; k < params->n; k++) {
    const Ast *type = params->kid[k]->kid[1];
    if (!type) {
      Diag *g = elab_error(e, params->kid[k], E_EXTERN_SIGNATURE, ast->name);
      diag_hint(e->d, g, "write the type of each argument: `x: f64`");
      return false;
    }
    if (!element(e, type, &in[k], &scalar)) return false;
    all_scalar &= scalar;
    collect(type, dims, &n_dims);
  }
  uint32_t bound = n_dims;
  if (!element(e, result_type(ast), &out, &scalar)) return false;
  all_scalar &= scalar;
  collect(result_type(ast), dims, &n_dims);
  if (n_dims != bound) {
    elab_error(e, result_type(ast), E_EXTERN_RESULT, dims[bound].name);
    return false;
  }
  const char **arg = NEW_N(e->a, const char *, params->n + 1), **dim = NEW_N(e->a, const char *, n_dims + 1);
  for (uint32_t k = 0; k < params->n; k++)
    if (params->kid[k]->kid[0]->kind == A_NAME) arg[k] = params->kid[k]->kid[0]->name;
  for (uint32_t k = 0; k < n_dims; k++) dim[k] = dims[k].name;
  ForeignSig sig = {.name = ast->name, .n_in = params->n, .in = in, .out = out, .scalar = all_scalar,
                    .n_dims = all_scalar ? 0 : n_dims, .arg = arg, .dim = dim};
  if (e->s->offered) sig.fn = e->s->offered;
  else if (e->s->config.no_extern) {
    if (!e->s->only_checks) {
      Diag *g = elab_error(e, string, E_FOREIGN_REFUSED, path);
      diag_hint(e->d, g,
                "`glia` opens libraries unless --no-extern forbids it, a C host by `permit_extern` in its glia_config");
      return false;
    }
  } else {
    const char *why = NULL;
    Library *l = library_open(&e->s->host, path, &why);
    if (!l) {
      elab_error(e, string, E_NO_LIBRARY, path, why);
      return false;
    }
    library_keep(l);
    arena_own(e->a, (Owned *)l);
    void *symbol = library_symbol(l, ast->name, &why);
    if (!symbol) {
      elab_error(e, ast, E_NO_SYMBOL, ast->name, path, why);
      return false;
    }
    memcpy(&sig.fn, &symbol, sizeof symbol);
  }
  f->op = foreign_op(e->a, &sig);
  if (!f->op) elab_error(e, ast, E_EXTERN_TYPE);
  return f->op != NULL;
}

static Value foreign_node(Elab *e, const Fn *f, const NodeId *in, const Type *shape, const int64_t *size,
                          const Ast *at) {
  TypeError t = {0};
  NodeId id = foreign_emit(e->g, f->op, in, shape, size, elab_loc(e, at), &t);
  return id == NO_NODE ? elab_type_error(e, at, &t, NULL, NULL, 0) : v_node(id);
}

static bool extern_is_scalar(const Fn *f) {
  const Ast *params = f->ast->kid[1];
  for (uint32_t k = 0; k < params->n; k++) {
    const Ast *t = params->kid[k]->kid[1];
    if (t->kind == A_TTENSOR && t->n) return false;
  }
  const Ast *t = result_type(f->ast);
  return t->kind == A_NAME || t->n == 0;
}

/* Mapped over elements: the arguments are brought to one shape; the result has it. Their names are bound in s for a
 * `gradient`. */
static Value call_scalar(Elab *e, const Fn *f, Scope *s, Args *a, const Ast *at) {
  const Ast *params = f->ast->kid[1];
  NodeId in[MOST];
  if (a->n != params->n) {
    elab_error(e, at, E_TOO_MANY_ARGUMENTS, f->name, (int)params->n, params->n == 1 ? "" : "s", (int)a->n);
    return v_bad();
  }
  Type y = {0};
  for (uint32_t k = 0; k < a->n; k++) {
    DType d;
    bool one;
    if (!element(e, params->kid[k]->kid[1], &d, &one)) return v_bad();
    in[k] = want_typed(e, a->at[k], d, a->ast[k], arena_printf(e->a, "`%s`", params->kid[k]->kid[0]->name));
    if (in[k] == NO_NODE) return v_bad();
    if (node_type(e, in[k])->rank) y = *node_type(e, in[k]);
  }
  for (uint32_t k = 0; k < a->n; k++) {
    const Type *t = node_type(e, in[k]);
    if (t->rank && !type_same_shape(t, &y)) {
      elab_error(e, a->ast[k], E_SHAPES_DIFFER, f->name, shape_show(e->a, t), shape_show(e->a, &y));
      return v_bad();
    }
    Type full = y;
    full.dtype = t->dtype;
    in[k] = g_broadcast(e->g, in[k], &full);
    if (params->kid[k]->kid[0]->kind == A_NAME)
      scope_put(e, s, params->kid[k]->kid[0]->name, v_node(in[k]), params->kid[k]);
  }
  return foreign_node(e, f, in, NULL, NULL, at);
}

Value extern_call(Elab *e, const Fn *f, Scope *s, Args *a, const Ast *at) {
  const Ast *ast = f->ast, *params = ast->kid[1], *type = result_type(ast);
  if (extern_is_scalar(f)) return call_scalar(e, f, s, a, at);
  DType unmarked = N_DTYPES;
  if (!bind_params(e, f, params, a, s, true, &unmarked, at)) return v_bad();
  NodeId in[MOST];
  DimName dims[MOST];
  uint32_t n_dims = 0;
  for (uint32_t k = 0; k < params->n; k++) {
    const Ast *p = params->kid[k];
    Bound *b = p->kid[0]->kind == A_NAME ? scope_here(s, p->kid[0]->name) : NULL;
    DType d;
    bool one;
    if (!b || !element(e, p->kid[1], &d, &one)) return v_bad();
    in[k] = want_typed(e, b->value, d, at, p->kid[0]->name);
    if (in[k] == NO_NODE) return v_bad();
    collect(p->kid[1], dims, &n_dims);
  }
  Type y = {0};
  for (uint32_t k = 0; type->kind == A_TTENSOR && k < type->n; k++) {
    const Ast *dim = type->kid[k];
    if (dim->kind == A_REST) {
      Bound *b = dim->name ? scope_here(s, dim->name) : NULL;
      if (!b || b->value.kind != V_TUPLE) {
        elab_error(e, dim, E_REST_HERE);
        return v_bad();
      }
      for (uint32_t j = 0; j < b->value.items->n && y.rank < MAX_RANK; j++) y.dim[y.rank++] = b->value.items->at[j].i;
      continue;
    }
    if (y.rank >= MAX_RANK || !want_int(e, expr_in(e, s, dim), dim, "a size", &y.dim[y.rank])) return v_bad();
    y.rank++;
  }
  int64_t size[MOST];
  for (uint32_t k = 0; k < n_dims; k++) {
    Bound *b = scope_here(s, dims[k].name);
    size[k] = b && b->value.kind == V_INT ? b->value.i : 1;
    for (uint32_t j = 0; b && b->value.kind == V_TUPLE && j < b->value.items->n; j++)
      size[k] *= b->value.items->at[j].i;
  }
  return foreign_node(e, f, in, &y, size, at);
}

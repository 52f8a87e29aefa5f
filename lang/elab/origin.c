/* origin: see origin.h; and the functions by which a loss or a `softmax` says what it takes: `as_scores`,
 * `as_probabilities`, `as_log_probabilities`. They give their argument back; what the graph knows to be of the other
 * kind is refused, with the fix.
 */
#include "elab/args.h"
#include "elab/origin.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/native.h"
#include "elab/version.h"
#include "elab/want.h"
#include <math.h>
#include <string.h>

/* nodes looked at for one question: a chain of a model is never long between two that count */
enum { MOST_LOOKS = 64 };

bool origin_moves(const Op *op) { return op->flags & (OP_MOVES | OP_PASSES); }

NodeId origin_moved(const Graph *g, NodeId n) {
  while (origin_moves(graph_at(g, n)->op)) n = graph_at(g, n)->in[0];
  return n;
}

/* The one number that a node holds everywhere, if the graph knows it. */
static bool constant(const Graph *g, NodeId n, double *v) {
  const Node *x = graph_at(g, n);
  while (x->op == &op_broadcast || x->op == &op_reshape || x->op == &op_cast) x = graph_at(g, x->in[0]);
  if (x->op != &op_constant || type_count(x->type) != 1) return false;
  *v = tensor_get(x->attr->value, 0);
  return true;
}

static bool same_attr(const Node *a, const Node *b) {
  return a->attr->n == b->attr->n && a->attr->value == b->attr->value && a->attr->body == b->attr->body &&
         a->attr->foreign == b->attr->foreign &&
         (!a->attr->n || !memcmp(a->attr->i, b->attr->i, a->attr->n * sizeof *a->attr->i));
}

/* Whether two nodes are the same formula, written twice: `exp(z) / sum(exp(z))`. */
static bool same_formula(const Graph *g, NodeId a, NodeId b, int *looks) {
  if (a == b) return true;
  if (--*looks < 0) return false;
  const Node *x = graph_at(g, a), *y = graph_at(g, b);
  double p, q;
  if (constant(g, a, &p) && constant(g, b, &q)) return p == q;
  if (x->op != y->op || x->n_in != y->n_in || !x->n_in || !same_attr(x, y)) return false;
  for (uint32_t k = 0; k < x->n_in; k++)
    if (!same_formula(g, x->in[k], y->in[k], looks)) return false;
  return true;
}

static NodeId unstretched(const Graph *g, NodeId n) {
  while (graph_at(g, n)->op == &op_broadcast || graph_at(g, n)->op == &op_reshape) n = graph_at(g, n)->in[0];
  return n;
}

static bool is_softmax(const Graph *g, const Node *div) {
  NodeId top = div->in[0], sum = unstretched(g, div->in[1]);
  int looks = MOST_LOOKS;
  return graph_at(g, top)->op == &op_exp && graph_at(g, sum)->op == &op_sum &&
         same_formula(g, top, graph_at(g, sum)->in[0], &looks);
}

/* The x of log(sum(exp(x))). */
static NodeId log_sum_exp_of(const Graph *g, NodeId n) {
  const Node *log = graph_at(g, unstretched(g, n));
  if (log->op != &op_log) return NO_NODE;
  const Node *sum = graph_at(g, unstretched(g, log->in[0]));
  if (sum->op != &op_sum || graph_at(g, sum->in[0])->op != &op_exp) return NO_NODE;
  return graph_at(g, sum->in[0])->in[0];
}

/* x - log(sum(exp(x))), or x - (log(sum(exp(x - m))) + m) */
static bool is_log_softmax(const Graph *g, const Node *sub) {
  NodeId x = log_sum_exp_of(g, sub->in[1]);
  const Node *less = graph_at(g, unstretched(g, sub->in[1]));
  for (int k = 0; k < 2 && x == NO_NODE && less->op == &op_add; k++) {
    x = log_sum_exp_of(g, less->in[k]);
    if (x != NO_NODE && graph_at(g, x)->op == &op_sub) x = graph_at(g, x)->in[0];
  }
  int looks = MOST_LOOKS;
  return x != NO_NODE && same_formula(g, x, sub->in[0], &looks);
}

/* 1 + exp(...) */
static bool is_one_plus_exp(const Graph *g, NodeId n) {
  const Node *x = graph_at(g, n);
  double one;
  if (x->op != &op_add) return false;
  for (int k = 0; k < 2; k++)
    if (constant(g, x->in[k], &one) && one == 1 && graph_at(g, x->in[1 - k])->op == &op_exp) return true;
  return false;
}

static bool is_probability(OriginKind k) { return k == ORIGIN_SOFTMAX || k == ORIGIN_SIGMOID; }

/* A parameter, data or a constant, however it is laid out: what may be added to scores without their ceasing to be
 * some. */
static bool is_leaf(Elab *e, NodeId n) {
  n = unstretched(e->g, n);
  for (const Node *x = graph_at(e->g, n);
       !cell_of_node(e, n) && (x->op->flags & OP_MOVES || x->op == &op_cast); x = graph_at(e->g, n))
    n = unstretched(e->g, x->in[0]);
  const Op *op = graph_at(e->g, n)->op;
  return op == &op_input || op == &op_constant || cell_of_node(e, n);
}

static Origin look(Elab *e, NodeId n, int *looks) {
  const Graph *g = e->g;
  Origin none = {ORIGIN_UNKNOWN, n};
  double v;
  for (;;) {
    if (--*looks < 0) return none;
    const Node *x = graph_at(g, n);
    const Op *op = x->op;
    if (op == &op_alias && cell_of_node(e, n)) return look(e, x->in[0], looks);
    if (origin_moves(op)) {
      n = x->in[0];
      continue;
    }
    if (op == &op_sigmoid) return (Origin){ORIGIN_SIGMOID, n};
    if (op == &op_log && is_probability(look(e, x->in[0], looks).kind)) return (Origin){ORIGIN_LOG, n};
    if (op == &op_sub && is_log_softmax(g, x)) return (Origin){ORIGIN_LOG, n};
    if (op == &op_relu) return (Origin){ORIGIN_RELU, n};
    if (op == &op_tanh) return (Origin){ORIGIN_TANH, n};
    if (op == &op_recip && is_one_plus_exp(g, x->in[0])) return (Origin){ORIGIN_SIGMOID, n};
    if (op == &op_div) {
      if (constant(g, x->in[0], &v) && v == 1 && is_one_plus_exp(g, x->in[1])) return (Origin){ORIGIN_SIGMOID, n};
      if (is_softmax(g, x)) return (Origin){ORIGIN_SOFTMAX, n};
      if (!constant(g, x->in[1], &v)) return none;
      Origin a = look(e, x->in[0], looks);
      return a.kind == ORIGIN_AFFINE ? a : none;
    }
    if (op == &op_matmul) {
      if (!is_leaf(e, x->in[1])) return none;
      /* a mixture, perhaps */
      return is_probability(look(e, x->in[0], looks).kind) ? none : (Origin){ORIGIN_AFFINE, n};
    }
    if (op == &op_neg) {
      Origin a = look(e, x->in[0], looks);
      return a.kind == ORIGIN_AFFINE ? a : none;
    }
    if (op == &op_mul) {
      int k = constant(g, x->in[0], &v) ? 1 : 0;
      if (!constant(g, x->in[1 - k], &v)) return none;
      Origin a = look(e, x->in[k], looks);
      return a.kind == ORIGIN_AFFINE ? a : none;
    }
    if (op == &op_add || op == &op_sub) {
      Origin a = look(e, x->in[0], looks), b = look(e, x->in[1], looks);
      if (op == &op_sub && constant(g, x->in[0], &v) && v == 1 && is_probability(b.kind)) return b;
      if (a.kind == ORIGIN_AFFINE && (b.kind == ORIGIN_AFFINE || is_leaf(e, x->in[1]))) return a;
      return b.kind == ORIGIN_AFFINE && is_leaf(e, x->in[0]) ? b : none;
    }
    if (op == &op_where || op == &op_min2 || op == &op_max2) {      /* kept within bounds */
      uint32_t first = op == &op_where;
      Origin side[2];
      for (uint32_t k = 0; k < 2; k++) side[k] = look(e, x->in[first + k], looks);
      for (uint32_t k = 0; k < 2; k++) {
        bool bound = constant(g, x->in[first + 1 - k], &v) && v >= 0 && v <= 1;
        if (is_probability(side[k].kind) && (bound || is_probability(side[1 - k].kind))) return side[k];
      }
      return none;
    }
    if (op == &op_concat) {
      Origin first = look(e, x->in[0], looks);
      for (uint32_t k = 1; k < x->n_in && first.kind != ORIGIN_UNKNOWN; k++)
        if (look(e, x->in[k], looks).kind != first.kind) return none;
      return first;
    }
    return none;
  }
}

Origin origin_of(Elab *e, NodeId n) {
  int looks = MOST_LOOKS;
  return look(e, n, &looks);
}

/* ---- what a function takes ---- */
static const char *caller_name(const Elab *e) {
  return e->here.frame->fn && e->here.frame->fn->name ? e->here.frame->fn->name : "this function";
}

/* Placed where the user called the function that asks, with the place where the value became what it is. */
static Value refuse_origin(Elab *e, const Ast *at, Origin o, const char *takes, const char *is, const char *hint) {
  Loc here = own_loc(e->d, elab_loc_at(e, at)), there = own_loc(e->d, graph_at(e->g, o.node)->loc);
  const char *made = o.kind == ORIGIN_SOFTMAX   ? "the softmax is here"
                     : o.kind == ORIGIN_SIGMOID ? "the sigmoid is here"
                                                : "it is made here";
  Diag *g = diag_at(e->d, here, E_WRONG_SCALE, caller_name(e), takes, is);
  if (there && there != here) {
    diag_mark(e->d, g, here, "%s", "");
    diag_mark(e->d, g, there, "%s", made);
  }
  diag_hint(e->d, g, "%s", hint);
  return v_bad();
}

static const char *other_text(Elab *e, const Arg *other, const char *takes) {
  return other->given ? arena_printf(e->a, ", or use `%s`, which takes %s", other->text, takes) : "";
}

static bool tensor_of(Elab *e, const Arg *a, NodeId *n) {
  Value v = value_decay(e, a[0].value);
  *n = v.kind == V_NODE ? v.node : NO_NODE;
  return *n != NO_NODE;
}

/* Whether a number that is known is outside low..high. */
static bool known_outside(Elab *e, NodeId n, double low, double high) {
  const Tensor *t = graph_at(e->g, n)->flags & NODE_KNOWN ? graph_known(e->g, n) : NULL;
  for (int64_t k = 0; t && k < type_count(&t->type); k++)
    if (tensor_get(t, k) < low || tensor_get(t, k) > high) return true;
  return false;
}

static Value n_as_scores(Elab *e, const Arg *a, const Ast *at) {
  NodeId n;
  if (!tensor_of(e, a, &n)) return a[0].value;
  Origin o = origin_of(e, n);
  if (o.kind == ORIGIN_SOFTMAX)
    return refuse_origin(e, at, o, "scores", "probabilities, made by a softmax",
                         arena_printf(e->a, "leave the softmax out%s", other_text(e, &a[1], "probabilities")));
  if (o.kind == ORIGIN_SIGMOID && !a[2].i)
    return refuse_origin(e, at, o, "scores", "probabilities, made by a sigmoid",
                         arena_printf(e->a, "leave the sigmoid out%s", other_text(e, &a[1], "probabilities")));
  return a[0].value;
}

static Value n_as_probabilities(Elab *e, const Arg *a, const Ast *at) {
  NodeId n;
  if (!tensor_of(e, a, &n)) return a[0].value;
  Origin o = origin_of(e, n);
  const char *is = o.kind == ORIGIN_AFFINE ? "scores, made by a product alone"
                   : o.kind == ORIGIN_RELU ? "made by a relu, which has no upper bound"
                   : o.kind == ORIGIN_TANH ? "made by a tanh, which can be negative"
                   : o.kind == ORIGIN_LOG  ? "logarithms of probabilities"
                                           : NULL;
  if (!is && known_outside(e, n, 0, 1 + 1e-5))
    return refuse_origin(e, at, (Origin){ORIGIN_UNKNOWN, n}, "probabilities", "not all from 0 to 1",
                         arena_printf(e->a, "put `sigmoid` or `softmax` around them%s",
                                      other_text(e, &a[1], "scores")));
  if (!is) return a[0].value;
  const char *fix = o.kind == ORIGIN_AFFINE ? "put `sigmoid` around it"
                    : o.kind == ORIGIN_LOG  ? "leave the logarithm out"
                                            : "put `sigmoid` in its place";
  if (o.kind == ORIGIN_LOG && a[2].given) fix = arena_printf(e->a, "%s; %s", fix, a[2].text);
  return refuse_origin(e, at, o, "probabilities", is,
                       arena_printf(e->a, "%s%s", fix, other_text(e, &a[1], "scores")));
}

static Value n_as_log_probabilities(Elab *e, const Arg *a, const Ast *at) {
  NodeId n;
  if (!tensor_of(e, a, &n)) return a[0].value;
  Origin o = origin_of(e, n);
  bool above = !is_probability(o.kind) && known_outside(e, n, -INFINITY, 1e-5);
  if (!is_probability(o.kind) && !above) return a[0].value;
  const char *hint = o.kind == ORIGIN_SOFTMAX   ? "put `log_softmax` in the place of the softmax"
                     : o.kind == ORIGIN_SIGMOID ? "put `logsigmoid` in the place of the sigmoid"
                                                : "put `log` or `log_softmax` around them";
  return refuse_origin(e, at, above ? (Origin){ORIGIN_UNKNOWN, n} : o, "logarithms of probabilities",
                       above ? "not all below 0" : "the probabilities themselves",
                       arena_printf(e->a, "%s%s", hint, other_text(e, &a[1], "scores")));
}

/* Made where the logarithm is rewritten to the one that cannot underflow (stable.c): through moves alone. */
static Value n_log_is_stable(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  NodeId n;
  double one;
  if (!tensor_of(e, a, &n)) return v_bool(false);
  for (int looks = MOST_LOOKS; looks > 0; looks--) {
    const Node *x = graph_at(e->g, n);
    if (x->op == &op_sigmoid) return v_bool(true);
    if (x->op == &op_sub && constant(e->g, x->in[0], &one) && one == 1) n = x->in[1];
    else if (x->op->flags & OP_MOVES)
      n = x->in[0];
    else break;
  }
  return v_bool(false);
}

const Native native_origins[] = {
    {"as_scores", "x:any, other:string?, sigmoid_fits:flag=false", n_as_scores,
     "x itself, in a function that takes scores: what the graph knows to be probabilities (a softmax or sigmoid, "
     "reshaped or sliced) is an\n"
     "error. `other` names the function that takes probabilities; with `sigmoid_fits = true` only a softmax is "
     "refused.",
     "as_scores([2, -1])   # => [2, -1]"},
    {"as_probabilities", "x:any, other:string?, logs:string?", n_as_probabilities,
     "x itself, in a function that takes probabilities: a plain affine value, a relu, a tanh, a logarithm of "
     "probabilities or a known\n"
     "number outside 0 to 1 is an error. `other` names the function that takes scores, `logs` says what takes "
     "logarithms.",
     "as_probabilities(sigmoid([0, 0]))   # => [0.5, 0.5]"},
    {"as_log_probabilities", "x:any, other:string?", n_as_log_probabilities,
     "x itself, in a function that takes logarithms of probabilities: probabilities are an error, and known numbers "
     "above 0. `other` names\n"
     "the function that takes scores.",
     "as_log_probabilities(log([0.5]))   # => [-0.693147]"},
    {"log_is_stable", "x:any", n_log_is_stable,
     "Whether the graph knows x to be a sigmoid, or 1 less one, whose logarithm is computed without underflow.",
     "log_is_stable(sigmoid([0.0])), log_is_stable([0.5])   # => true false"},
    {0}};

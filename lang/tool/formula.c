/* formula: see formula.h.
 * Invariant: a node's text stands for the node alone, whatever stands around it: level[] says what binds as strongly.
 */
#include "tool/formula.h"
#include "runtime/base/locale.h"
#include "runtime/graph/face.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As parse.y has them. */
enum { LEVEL_OR = 1, LEVEL_AND, LEVEL_NOT, LEVEL_COMPARE, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_MINUS, LEVEL_POWER,
       LEVEL_ATOM };
static const struct { const char *sign; int level; } signs[] = {
    {"or", LEVEL_OR},        {"and", LEVEL_AND},     {"not", LEVEL_NOT},      {"==", LEVEL_COMPARE},
    {"!=", LEVEL_COMPARE},   {"<", LEVEL_COMPARE},   {"<=", LEVEL_COMPARE},   {">", LEVEL_COMPARE},
    {">=", LEVEL_COMPARE},   {"+", LEVEL_SUM},       {"-", LEVEL_SUM},        {"*", LEVEL_PRODUCT},
    {"/", LEVEL_PRODUCT},    {"//", LEVEL_PRODUCT},  {"%", LEVEL_PRODUCT},    {"@", LEVEL_PRODUCT},
    {"^", LEVEL_POWER}};
enum { N_SIGNS = sizeof signs / sizeof *signs, LONG_TEXT = 44, MOST_NUMBERS = 4096 };

/* Of a loop that is written: where in the value of its `scan` (or `fold`) an output of its body is; -1: it is not. */
typedef struct LoopText {
  Graph *body;                 /* that reads numbers where they are read, not from outside */
  int *at;
  uint32_t n;                  /* what goes round */
  bool stacked, reverse;       /* a scan; its turns run from the last element to the first */
} LoopText;

typedef struct Formula {
  Arena *a;
  const Graph *g;
  const NodeId *root;          /* what is wanted of it */
  uint32_t n_root;
  const FormulaNames *names;
  const char **text;           /* by node, where it is read; NULL: it is not */
  int *level;
  uint32_t *reads;             /* how often it is read */
  LoopText *loop;              /* by node: of a loop */
  VEC(const char *) name;      /* given so far */
  const char *why;
} Formula;

static const char *written(const Op *op) { return op->sign ? op->sign : op == &op_neg ? "-" : op->name; }

/* Behind operand k: matmul reads one as it lies, or turned. */
static const char *turned(const Node *node, uint32_t k) {
  return node->op == &op_matmul && k < node->attr->n && node->attr->i[k] ? "'" : "";
}

static int sign_level(const Op *op) {
  for (int k = 0; k < N_SIGNS; k++)
    if (!strcmp(signs[k].sign, written(op)))
      return op->n_in == 1 && *signs[k].sign == '-' ? LEVEL_MINUS : signs[k].level;
  return LEVEL_ATOM;
}

/* ---- literals ---- */
void formula_number(Text *t, DType d, double v) {
  char s[40];
  if (d == BOOL || v != v || isinf(v)) {
    text_add(t, d == BOOL ? v != 0 ? "true" : "false" : v != v ? "nan" : v < 0 ? "-inf" : "inf");
    return;
  }
  if (v == 0 && signbit(v)) {
    text_add(t, "-0.0");
    return;
  }
  for (int digits = 1; digits <= 17; digits++) {
    c_snprintf(s, sizeof s, "%.*g", digits, v);
    double back = c_strtod(s, NULL);
    if (d == F32 ? (float)back == (float)v : back == v) break;
  }
  text_add(t, s);
}

static void numbers(Text *t, const Tensor *v, int axis, int64_t *at) {
  if (axis == v->type.rank) {
    formula_number(t, (DType)v->type.dtype, tensor_get(v, (*at)++));
    return;
  }
  text_add(t, "[");
  for (int64_t k = 0; k < v->type.dim[axis]; k++) {
    if (k) text_add(t, ", ");
    numbers(t, v, axis + 1, at);
  }
  text_add(t, "]");
}

/* A number that no operand of another type gives its element type. */
static const char *literal(Formula *f, const Tensor *v) {
  Text t = {.arena = f->a};
  int64_t at = 0;
  if (type_count(&v->type) == 0 || type_count(&v->type) > MOST_NUMBERS) {
    f->why = arena_printf(f->a, "it reads known data of %lld numbers, and a text holds 1 to %d of them: make them an "
                          "argument", (long long)type_count(&v->type), MOST_NUMBERS);
    return "";
  }
  bool plain = v->type.dtype == BOOL;
  if (!plain) text_printf(&t, "%s(", dtype_name[v->type.dtype]);
  numbers(&t, v, 0, &at);
  if (!plain) text_add(&t, ")");
  return t.at;
}

/* ---- what is read ---- */

/* What only says something about its operand 0, whose value it is. */
static NodeId meant(const Graph *g, NodeId id) {
  while (g->node[id].op == &op_alias || g->node[id].op == &op_barrier || g->node[id].op == &op_custom)
    id = g->node[id].in[0];
  return id;
}

static bool is_number(const Graph *g, NodeId id) {
  return g->node[id].op == &op_constant && type_count(g->node[id].type) == 1;
}

/* Of one element alone: the number that was given other axes of size 1. */
static NodeId number_in(const Graph *g, NodeId id) {
  NodeId at = meant(g, id);
  while (g->node[at].type->rank > 0 && (g->node[at].op == &op_reshape || g->node[at].op == &op_broadcast) &&
         type_count(g->node[at].type) == 1)
    at = meant(g, g->node[at].in[0]);
  return g->node[at].type->rank == 0 || is_number(g, at) ? at : id;
}

/* What the language stretches by itself: a scalar, or what has the last axes as they are. */
static NodeId unstretched(const Graph *g, NodeId id) {
  id = meant(g, id);
  const Node *n = &g->node[id];
  if (n->op != &op_broadcast) return id;
  NodeId from = number_in(g, meant(g, n->in[0]));
  if (is_number(g, from)) return from;
  const Type *t = g->node[from].type;
  for (int k = 0; k < t->rank; k++)
    if (t->dim[k] != n->type->dim[n->type->rank - t->rank + k]) return id;
  return from;
}

/* What operand k of a node is in the text. */
static NodeId operand_of(const Graph *g, const Node *node, uint32_t k) {
  NodeId in = meant(g, node->in[k]);
  if (!(node->op->flags & OP_POINTWISE) || node->n_in < 2) return in;
  NodeId from = unstretched(g, in);
  for (uint32_t j = 0; j < node->n_in; j++) {
    NodeId other = meant(g, node->in[j]), bare = unstretched(g, other);
    if (j == k || bare != other || is_number(g, other)) continue;
    /* where: the condition has the shape, but no element type to give */
    if (is_number(g, from) && g->node[other].type->dtype != g->node[in].type->dtype) continue;
    return from;
  }
  return in;
}

/* ---- arguments ---- */
static void list(Text *t, const int64_t *i, int64_t n, const char *open, const char *close) {
  text_add(t, open);
  for (int64_t k = 0; k < n; k++) text_printf(t, "%s%lld", k ? ", " : "", (long long)i[k]);
  text_add(t, close);
}

/* Parameter q, whose numbers begin at i; how many they are. left: all that are. rank: of operand 0. */
static uint32_t argument(Text *t, const FaceParam *q, const int64_t *i, uint32_t left, int rank) {
  uint32_t n = 1;
  switch (q->kind) {
  case FACE_AXES: case FACE_INTS: {
    uint32_t count = (uint32_t)i[0];
    if (q->kind == FACE_AXES && (int)count == rank) return count + 1;
    text_printf(t, ", %s = ", q->name);
    if (count == 1 && q->kind == FACE_AXES) text_printf(t, "%lld", (long long)i[1]);
    else list(t, i + 1, count, q->kind == FACE_AXES ? "(" : "[", q->kind == FACE_AXES ? ")" : "]");
    return count + 1;
  }
  case FACE_SIZES: case FACE_PERM: case FACE_BOXES:
    text_add(t, ", ");
    list(t, i, left, "[", "]");
    return left;
  case FACE_PAIR: n = 2; break;
  default: break;
  }
  if (q->valued && i[0] == q->i[0] && (n == 1 || i[1] == q->i[1])) return n;
  if (q->kind == FACE_AXIS && q->valued && q->i[0] < 0 && i[0] == rank + q->i[0]) return n;
  text_printf(t, ", %s = ", q->name);
  if (q->kind == FACE_FLAG) text_add(t, i[0] ? "true" : "false");
  else if (q->kind == FACE_WORD) text_printf(t, "\"%s\"", q->word[i[0]]);
  else if (q->kind == FACE_DTYPE) text_add(t, dtype_name[i[0]]);
  else if (q->kind == FACE_PAIR && i[0] != i[1]) list(t, i, 2, "(", ")");
  else text_printf(t, "%lld", (long long)i[0]);
  return n;
}

static void call(Text *t, const Graph *g, const Node *node, const char *const *operand) {
  const char *error;
  uint32_t place, at = 0;
  const Face *face = face_parse(t->arena, op_face(node->op), &error, &place);
  bool several = node->op->n_in < 0;      /* the language takes them in a tuple */
  text_printf(t, "%s(%s", written(node->op), several ? "(" : "");
  for (uint32_t k = 0; k < node->n_in; k++) text_printf(t, "%s%s", k ? ", " : "", operand[k]);
  if (several) text_add(t, node->n_in == 1 ? ",)" : ")");
  int rank = node->n_in ? g->node[node->in[0]].type->rank : 0;
  Text rest = {.arena = t->arena};
  text_add(&rest, "");
  for (uint32_t k = 0; face && k < face->n; k++) {
    const FaceParam *q = &face->param[k];
    if (q->kind == FACE_TENSOR || q->rest) continue;
    if (q->kind == FACE_FLOAT) text_printf(&rest, ", %s = %.17g", q->name, node->attr->f[0]);
    else at += argument(&rest, q, node->attr->i + at, node->attr->n - at, rank);
  }
  text_add(t, node->n_in || rest.n < 2 ? rest.at : rest.at + 2);
  text_add(t, ")");
}

/* x[1:3, ::-1]: start, count and step of each axis. */
static void cut(Text *t, const Graph *g, const Node *node, const char *x) {
  const Type *from = g->node[node->in[0]].type;
  const int64_t *i = node->attr->i;
  int last = from->rank;
  while (last > 1 && i[3 * last - 3] == 0 && i[3 * last - 2] == from->dim[last - 1] && i[3 * last - 1] == 1) last--;
  text_printf(t, "%s[", x);
  for (int k = 0; k < last; k++) {
    int64_t start = i[3 * k], count = i[3 * k + 1], step = i[3 * k + 2], size = from->dim[k];
    int64_t end = start + (count - 1) * step + (step > 0 ? 1 : -1);
    if (k) text_add(t, ", ");
    if (count == 0) start = end = 0;
    if (start != (step > 0 ? 0 : size - 1) || count == 0) text_printf(t, "%lld", (long long)start);
    text_add(t, ":");
    if (end >= 0 && !(step > 0 && end == size)) text_printf(t, "%lld", (long long)end);
    if (step != 1 && count) text_printf(t, ":%lld", (long long)step);
  }
  text_add(t, "]");
}

/* ---- expressions ---- */
static const char *bound(Formula *f, const char *text, int level, int least) {
  return level < least ? arena_printf(f->a, "(%s)", text) : text;
}

/* The text of operand k, binding at least so strongly. */
static const char *operand(Formula *f, const Node *node, uint32_t k, int least) {
  const Graph *g = f->g;
  NodeId id = operand_of(g, node, k);
  const Node *from = &g->node[id];
  if (is_number(g, id) && node->op->flags & OP_POINTWISE && node->n_in > 1)
    for (uint32_t j = 0; j < node->n_in; j++) {
      const Node *other = &g->node[operand_of(g, node, j)];
      if (other->op == &op_constant || other->type->dtype != from->type->dtype) continue;
      Text t = {.arena = f->a};
      formula_number(&t, (DType)from->type->dtype, tensor_get(from->attr->value, 0));
      return bound(f, t.at, *t.at == '-' ? LEVEL_MINUS : LEVEL_ATOM, least);
    }
  if (!f->text[id]) {          /* a constant */
    f->text[id] = literal(f, from->attr->value);
    f->level[id] = LEVEL_ATOM;
  }
  return bound(f, f->text[id], f->level[id], least);
}

/* a + -b is a - b, to the bit. */
static bool difference(Formula *f, const Node *node, Text *t) {
  if (node->op != &op_add) return false;
  for (uint32_t k = 2; k-- > 0;) {
    const char *minus = operand(f, node, k, LEVEL_OR);
    if (*minus != '-' || f->level[operand_of(f->g, node, k)] == LEVEL_SUM) continue;
    const char *plus = operand(f, node, 1 - k, LEVEL_SUM);
    if (*plus == '-') continue;
    const Node *of = &f->g->node[operand_of(f->g, node, k)];
    if (of->op != &op_constant && f->level[operand_of(f->g, node, k)] != LEVEL_MINUS) continue;
    text_printf(t, "%s - %s", plus, minus + 1);
    return true;
  }
  return false;
}

/* zeros([3, 4]), ones(f64[2]), full(i32[3], 7): a number in a shape, typed. */
static bool filled(const Graph *g, const Node *node, Text *t) {
  NodeId from = node->op == &op_broadcast ? number_in(g, meant(g, node->in[0])) : NO_NODE;
  const Type *y = node->type;
  if (from == NO_NODE || !is_number(g, from) || y->dtype == BOOL) return false;
  double v = tensor_get(g->node[from].attr->value, 0);
  const char *kind = y->dtype == F32 ? shape_show(t->arena, y) : type_show(t->arena, y);
  if (v == 0 && !signbit(v)) text_printf(t, "zeros(%s)", kind);
  else if (v == 1) text_printf(t, "ones(%s)", kind);
  else {
    text_printf(t, "full(%s, ", kind);
    formula_number(t, (DType)y->dtype, v);
    text_add(t, ")");
  }
  return true;
}

static const char *pick_text(const Formula *f, const Node *pick);

static void expression(Formula *f, NodeId id) {
  const Node *node = &f->g->node[id];
  int level = f->level[id] = sign_level(node->op);
  Text t = {.arena = f->a};
  text_add(&t, "");
  if (node->op == &op_pick) text_add(&t, pick_text(f, node));
  else if (node->op == &op_slice) cut(&t, f->g, node, operand(f, node, 0, LEVEL_ATOM));
  else if (filled(f->g, node, &t)) {}
  else if (node->op == &op_cast) text_printf(&t, "%s(%s)", dtype_name[node->attr->i[0]], operand(f, node, 0, 0));
  else if (node->op == &op_permute && node->type->rank == 2 && node->attr->i[0] == 1)
    text_printf(&t, "%s'", operand(f, node, 0, LEVEL_ATOM));
  else if (level < LEVEL_ATOM && node->n_in == 1)
    text_printf(&t, "%s%s%s", written(node->op), level == LEVEL_NOT ? " " : "", operand(f, node, 0, level));
  else if (difference(f, node, &t)) level = f->level[id] = LEVEL_SUM;
  else if (level < LEVEL_ATOM) {
    bool apart = level == LEVEL_COMPARE || level == LEVEL_POWER;     /* neither joins to the left */
    const char *dx = turned(node, 0), *dy = turned(node, 1), *x = operand(f, node, 0, *dx ? LEVEL_ATOM : level + apart);
    const char *y = operand(f, node, 1, *dy ? LEVEL_ATOM : level + 1);
    text_printf(&t, "%s%s %s %s%s", x, dx, written(node->op), y, dy);
  } else {
    const char **in = NEW_N(f->a, const char *, node->n_in + 1u);
    for (uint32_t k = 0; k < node->n_in; k++) in[k] = operand(f, node, k, 0);
    call(&t, f->g, node, in);
  }
  f->text[id] = t.at;
}

char *formula_call(Arena *a, const Graph *g, NodeId id, const char *const *in) {
  const Node *node = &g->node[id];
  Text t = {.arena = a};
  int level = sign_level(node->op);
  text_add(&t, "");
  if (node->op == &op_slice) cut(&t, g, node, in[0]);
  else if (node->op == &op_cast) text_printf(&t, "%s(%s)", dtype_name[node->attr->i[0]], in[0]);
  else if (level < LEVEL_ATOM && node->n_in == 1)
    text_printf(&t, "%s%s%s", written(node->op), level == LEVEL_NOT ? " " : "", in[0]);
  else if (level < LEVEL_ATOM)
    text_printf(&t, "%s%s %s %s%s", in[0], turned(node, 0), written(node->op), in[1], turned(node, 1));
  else call(&t, g, node, in);
  return t.at;
}

/* ---- names ---- */
static bool is_given(const Formula *f, const char *name) {
  for (uint32_t k = 0; k < f->name.n; k++)
    if (!strcmp(f->name.at[k], name)) return true;
  return f->names->taken && f->names->taken(f->names->ctx, name);
}

static const char *give_name(Formula *f, const char *wish) {
  const char *name = wish;
  for (int k = 2; is_given(f, name); k++) name = arena_printf(f->a, "%s%d", wish, k);
  vec_push(f->a, &f->name, name);
  return name;
}

static bool is_word(const char *text) {
  return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == strlen(text);
}

/* sin_x for sin(x), t for what no word says. */
static const char *wished(Formula *f, NodeId id, bool *own) {
  const Node *node = &f->g->node[id];
  const char *hint = f->names->hint ? f->names->hint(f->names->ctx, f->g, id, own) : NULL;
  if (hint) return hint;
  const char *op = written(node->op);
  if (node->n_in == 1 && is_word(op) && !strncmp(f->text[id], op, strlen(op))) {
    const char *x = operand(f, node, 0, 0);
    if (is_word(x) && strlen(x) + strlen(op) < 16) return arena_printf(f->a, "%s_%s", op, x);
  }
  return "t";
}

/* ---- the whole ---- */
static bool can_be_written(Formula *f, const Node *node) {
  const Op *op = node->op;
  if (op->flags & OP_RANDOM || op == &op_fold_in)
    f->why = "it draws random numbers in a loop, and a draw is of the place where it stands";
  else if (op->id == N_OPS) f->why = arena_printf(f->a, "it calls the foreign function `%s`", op->name);
  else if (op == &op_loop && loop_ends(node->attr) != ENDS_AFTER_ALL)
    f->why = "it loops until a condition of the run holds";
  return !f->why;
}

static void loop_statement(Formula *f, NodeId id, Text *t, int indent);

static void statement(Formula *f, NodeId id, Text *t, int indent) {
  bool own = false;
  if (f->g->node[id].op == &op_loop) {
    loop_statement(f, id, t, indent);
    return;
  }
  expression(f, id);
  const char *wish = NULL;
  if (f->reads[id] > 1 || strlen(f->text[id]) > LONG_TEXT) wish = wished(f, id, &own);
  else if (f->names->hint && (wish = f->names->hint(f->names->ctx, f->g, id, &own)) && !own) wish = NULL;
  if (!wish) return;
  const char *name = give_name(f, wish);
  text_printf(t, "%*slet %s = %s\n", indent, "", name, f->text[id]);
  f->text[id] = name;
  f->level[id] = LEVEL_ATOM;
}

static bool is_captured(const Node *node, uint32_t k) {
  return node->op == &op_loop && k >= node->attr->i[LOOP_CARRIES] + node->attr->i[LOOP_SEQUENCES];
}
/* A number, or one that is stretched: it stands in the body. */
static bool is_sunk(const Graph *g, const Node *node, uint32_t k) {
  return is_captured(node, k) && is_number(g, unstretched(g, node->in[k]));
}

/* What is read, and how often; ids ascending, since inputs stand before their users. */
static void count_reads(Formula *f) {
  const Graph *g = f->g;
  for (uint32_t k = 0; k < f->n_root; k++) f->reads[meant(g, f->root[k])]++;
  for (NodeId id = g->n; id-- > 0;) {
    const Node *node = &g->node[id];
    if (f->reads[id] && f->names->given && (f->text[id] = f->names->given(f->names->ctx, id))) {
      f->level[id] = LEVEL_ATOM;
      continue;
    }
    for (uint32_t k = 0; f->reads[id] && k < node->n_in; k++)   /* what a body reads every turn has a name */
      if (!is_sunk(g, node, k)) f->reads[operand_of(g, node, k)] += 1 + is_captured(node, k);
  }
}

static Formula formula_of(Arena *a, const Graph *g, const FormulaNames *names, const NodeId *root, uint32_t n_root) {
  return (Formula){.a = a, .g = g, .names = names, .root = root, .n_root = n_root,
                   .text = NEW_N(a, const char *, g->n + 1u), .level = NEW_N(a, int, g->n + 1u),
                   .reads = NEW_N(a, uint32_t, g->n + 1u), .loop = NEW_N(a, LoopText, g->n + 1u)};
}

/* The statements, inputs having their text. A single result that is read once is an expression. */
static void statements(Formula *f, Text *t, int indent) {
  const Graph *g = f->g;
  for (NodeId id = 0; id < g->n && !f->why; id++) {
    const Node *node = &g->node[id];
    bool leaf = node->op == &op_input || node->op == &op_constant;
    if (!f->reads[id] || f->text[id] || leaf || meant(g, id) != id) continue;
    if (!can_be_written(f, node)) break;
    if (f->n_root == 1 && meant(g, f->root[0]) == id) expression(f, id);
    else statement(f, id, t, indent);
  }
}

/* (a, b), or a alone. */
static void results(Formula *f, Text *t) {
  text_add(t, f->n_root > 1 ? "(" : "");
  for (uint32_t k = 0; k < f->n_root && !f->why; k++) {
    NodeId id = meant(f->g, f->root[k]);
    if (!f->text[id]) f->text[id] = literal(f, f->g->node[id].attr->value);
    text_printf(t, "%s%s", k ? ", " : "", f->text[id]);
  }
  text_add(t, f->n_root > 1 ? ")" : "");
}

/* ---- loops: `fold`, or `scan` where it is read what the turns gave ----
 * What is stacked alone goes round as well, and no turn reads it. */

static const char *zero_of(Formula *f, const Type *type) {
  if (type->dtype == BOOL && type->rank) f->why = "it loops over bools";
  if (type->dtype == BOOL) return "false";
  if (type->rank == 0) return arena_printf(f->a, "%s(0)", dtype_name[type->dtype]);
  return arena_printf(f->a, "zeros(%s)", type_show(f->a, type));
}

/* The body, with the numbers that it is given from outside in their places. */
static Graph *sunk_body(const Formula *f, const Node *loop) {
  Graph *body = loop->attr->body, *to = graph_new(f->a);
  NodeId *in = NEW_N(f->a, NodeId, loop->n_in + 1u), *out = NEW_N(f->a, NodeId, body->out.n + 1u);
  for (NodeId id = 0; id < body->n; id++) {
    const Node *x = &body->node[id];
    if (x->op != &op_input) continue;
    uint32_t slot = (uint32_t)x->attr->i[0];
    if (slot < loop->n_in && is_sunk(f->g, loop, slot)) {
      NodeId number = graph_const(to, f->g->node[unstretched(f->g, loop->in[slot])].attr->value, 0);
      Type scalar = type_scalar((DType)x->type->dtype);
      in[slot] = g_broadcast(to, g_reshape(to, number, &scalar), x->type);
    } else in[slot] = graph_input(to, slot, x->type, x->loc);
  }
  graph_inline(to, body, in, out);
  for (uint32_t k = 0; k < body->out.n; k++) graph_output(to, out[k], k);
  return to;
}

/* What of a loop goes round: its carries, and what is stacked and read. */
static LoopText loop_text(const Formula *f, NodeId id) {
  const Attr *attr = f->g->node[id].attr;
  LoopText l = {.at = NEW_N(f->a, int, attr->body->out.n + 1u), .n = (uint32_t)attr->i[LOOP_CARRIES],
                .reverse = attr->i[LOOP_REVERSE] != 0, .body = sunk_body(f, &f->g->node[id])};
  const Output *out = attr->body->out.at;
  for (uint32_t k = 0; k < attr->body->out.n; k++) {
    l.at[k] = k < l.n ? (int)k : -1;
    for (uint32_t j = 0; j < l.n && l.at[k] < 0; j++)   /* what a carry becomes */
      if (out[j].node == out[k].node) l.at[k] = (int)j;
  }
  for (NodeId p = 0; p < f->g->n; p++) {
    const Node *pick = &f->g->node[p];
    if (pick->op != &op_pick || pick->in[0] != id || !f->reads[p] || pick->attr->i[0] < attr->i[LOOP_CARRIES]) continue;
    l.stacked = true;
    if (l.at[pick->attr->i[0]] < 0) l.at[pick->attr->i[0]] = (int)l.n++;
  }
  return l;
}

static const char *pick_text(const Formula *f, const Node *pick) {
  const LoopText *l = &f->loop[pick->in[0]];
  const Node *loop = &f->g->node[pick->in[0]];
  bool last = pick->attr->i[0] < loop->attr->i[LOOP_CARRIES];
  const char *at = l->n > 1 ? arena_printf(f->a, "[%d]", l->at[pick->attr->i[0]]) : "";
  const char *part = !l->stacked ? "" : last ? "[-1]" : l->reverse ? "[::-1]" : "";
  return arena_printf(f->a, "%s%s%s", f->text[pick->in[0]], at, part);
}

/* Names for what a turn is given, (s, s2) or s, of the slots from .. from + n; `_` for what it does not read. */
static const char *given_names(Formula *b, const NodeId *input, uint32_t from, uint32_t n, const char *wish) {
  Text t = {.arena = b->a};
  text_add(&t, n > 1 ? "(" : "");
  for (uint32_t k = from; k < from + n; k++) {
    bool read = input[k] != NO_NODE && b->reads[input[k]];
    const char *name = read ? give_name(b, wish) : "_";
    if (read) b->text[input[k]] = name;
    if (read) b->level[input[k]] = LEVEL_ATOM;
    text_printf(&t, "%s%s", k > from ? ", " : "", name);
  }
  text_add(&t, n > 1 ? ")" : "");
  return t.at;
}

/* The body, from `fn` to its end. *turn: it reads its number. */
static void body_text(Formula *f, NodeId id, Text *t, int indent, bool *turn) {
  const Node *loop = &f->g->node[id];
  const LoopText *l = &f->loop[id];
  const Graph *body = l->body;
  uint32_t c = (uint32_t)loop->attr->i[LOOP_CARRIES], s = (uint32_t)loop->attr->i[LOOP_SEQUENCES];
  NodeId *root = NEW_N(f->a, NodeId, l->n + 1u), *input = NEW_N(f->a, NodeId, loop->n_in + l->n + 2u);
  for (uint32_t k = 0; k < body->out.n; k++)
    if (l->at[k] >= (int)k || l->at[k] >= (int)c) root[l->at[k]] = body->out.at[k].node;
  FormulaNames names = *f->names;
  names.given = NULL;
  Formula b = formula_of(f->a, body, &names, root, l->n);
  count_reads(&b);
  b.name.at = arena_copy(f->a, f->name.at, f->name.n * sizeof *f->name.at);   /* none of its names is another's */
  b.name.n = b.name.cap = f->name.n;
  for (uint32_t k = 0; k < loop->n_in + l->n + 2; k++) input[k] = NO_NODE;
  for (NodeId k = 0; k < body->n; k++)
    if (body->node[k].op == &op_input) {
      uint32_t slot = (uint32_t)body->node[k].attr->i[0];   /* behind the carries stand those that are stacked alone */
      input[slot < c ? slot : slot + l->n - c] = k;
      if (slot < c + s || slot == loop->n_in) continue;
      b.text[k] = operand(f, loop, slot, LEVEL_ATOM);
      b.level[k] = LEVEL_ATOM;
    }
  NodeId turns = input[loop->n_in + l->n - c];
  *turn = turns != NO_NODE && b.reads[turns];
  const char *state = given_names(&b, input, 0, l->n, "s"), *element;
  input[l->n + s] = turns;     /* the turn is the last element */
  element = s + *turn ? given_names(&b, input, l->n, s + *turn, s ? "x" : "k") : "_";
  Text lines = {.arena = f->a}, y = {.arena = f->a};
  text_add(&lines, "");
  statements(&b, &lines, indent + 2);
  results(&b, &y);
  f->why = f->why ? f->why : b.why;
  f->name.n = 0;               /* what the body named is not given again beside it */
  for (uint32_t k = 0; k < b.name.n; k++) vec_push(f->a, &f->name, b.name.at[k]);
  text_printf(t, "fn (%s, %s) ", state, element);
  if (lines.n) text_printf(t, "{\n%s%*s%s\n%*s}", lines.at, indent + 2, "", y.at, indent, "");
  else text_printf(t, "= %s", y.at);
}

static void loop_statement(Formula *f, NodeId id, Text *t, int indent) {
  const Node *loop = &f->g->node[id];
  LoopText *l = &f->loop[id];
  uint32_t c = (uint32_t)loop->attr->i[LOOP_CARRIES], s = (uint32_t)loop->attr->i[LOOP_SEQUENCES];
  long long turns = (long long)loop->attr->i[LOOP_TURNS];
  const char *back = loop->attr->i[LOOP_REVERSE] ? "[::-1]" : "";
  bool turn;
  *l = loop_text(f, id);
  Text body = {.arena = f->a}, first = {.arena = f->a}, along = {.arena = f->a};
  body_text(f, id, &body, indent, &turn);
  text_add(&first, l->n > 1 ? "(" : "");
  for (uint32_t k = 0; k < c; k++) text_printf(&first, "%s%s", k ? ", " : "", operand(f, loop, k, 0));
  for (uint32_t k = c; k < l->n; k++) {
    uint32_t of = 0;
    while (l->at[of] != (int)k) of++;
    const Graph *in = l->body;
    text_printf(&first, "%s%s", k ? ", " : "", zero_of(f, in->node[in->out.at[of].node].type));
  }
  text_add(&first, l->n > 1 ? ")" : "");
  text_add(&along, s + turn > 1 ? "(" : "");
  for (uint32_t k = c; k < c + s; k++)
    text_printf(&along, "%s%s%s", k > c ? ", " : "", operand(f, loop, k, *back ? LEVEL_ATOM : 0), back);
  if (turn || !s) text_printf(&along, s || *back ? "%srange(%lld)%s" : "%s0..<%lld%s", s ? ", " : "", turns, back);
  text_add(&along, s + turn > 1 ? ")" : "");
  const char *name = give_name(f, l->stacked ? "states" : "state");
  text_printf(t, "%*slet %s = %s(%s, %s, %s)\n", indent, "", name, l->stacked ? "scan" : "fold", body.at, first.at,
              along.at);
  f->text[id] = name;
  f->level[id] = LEVEL_ATOM;
}

bool formula_write(Text *t, const Graph *g, const FormulaNames *names, int indent, const char **why) {
  NodeId *root = NEW_N(t->arena, NodeId, g->out.n + 1u);
  for (uint32_t k = 0; k < g->out.n; k++) root[k] = g->out.at[k].node;
  Formula f = formula_of(t->arena, g, names, root, g->out.n);
  count_reads(&f);
  for (NodeId id = 0; id < g->n; id++)
    if (g->node[id].op == &op_input) {
      f.text[id] = names->input(names->ctx, (uint32_t)g->node[id].attr->i[0]);
      f.level[id] = LEVEL_ATOM;
      vec_push(f.a, &f.name, f.text[id]);
    }
  statements(&f, t, indent);
  text_printf(t, "%*s", indent, "");
  results(&f, t);
  text_add(t, "\n");
  *why = f.why;
  return !f.why;
}

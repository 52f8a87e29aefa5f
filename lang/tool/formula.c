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

typedef struct Formula {
  Arena *a;
  const Graph *g;
  const FormulaNames *names;
  const char **text;           /* by node, where it is read; NULL: it is not */
  int *level;
  uint32_t *reads;             /* how often it is read */
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

static void expression(Formula *f, NodeId id) {
  const Node *node = &f->g->node[id];
  int level = f->level[id] = sign_level(node->op);
  Text t = {.arena = f->a};
  text_add(&t, "");
  if (node->op == &op_slice) cut(&t, f->g, node, operand(f, node, 0, LEVEL_ATOM));
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
  const char *hint = f->names->hint ? f->names->hint(f->names->ctx, id, own) : NULL;
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
    f->why = "it draws random numbers, and a draw is of the place where it stands";
  else if (op->id == N_OPS) f->why = arena_printf(f->a, "it calls the foreign function `%s`", op->name);
  else if (op == &op_loop || op == &op_pick) f->why = "it loops";
  return !f->why;
}

static void statement(Formula *f, NodeId id, Text *t, int indent) {
  bool own = false;
  expression(f, id);
  const char *wish = NULL;
  if (f->reads[id] > 1 || strlen(f->text[id]) > LONG_TEXT) wish = wished(f, id, &own);
  else if (f->names->hint && (wish = f->names->hint(f->names->ctx, id, &own)) && !own) wish = NULL;
  if (!wish) return;
  const char *name = give_name(f, wish);
  text_printf(t, "%*slet %s = %s\n", indent, "", name, f->text[id]);
  f->text[id] = name;
  f->level[id] = LEVEL_ATOM;
}

/* What is read, and how often; ids ascending, since inputs stand before their users. */
static void count_reads(Formula *f) {
  const Graph *g = f->g;
  for (uint32_t k = 0; k < g->out.n; k++) f->reads[meant(g, g->out.at[k].node)]++;
  for (NodeId id = g->n; id-- > 0;) {
    const Node *node = &g->node[id];
    if (f->reads[id] && f->names->given && (f->text[id] = f->names->given(f->names->ctx, id))) {
      f->level[id] = LEVEL_ATOM;
      continue;
    }
    for (uint32_t k = 0; f->reads[id] && k < node->n_in; k++) f->reads[operand_of(g, node, k)]++;
  }
}

bool formula_write(Text *t, const Graph *g, const FormulaNames *names, int indent, const char **why) {
  Formula f = {.a = t->arena, .g = g, .names = names};
  f.text = NEW_N(f.a, const char *, g->n + 1u);
  f.level = NEW_N(f.a, int, g->n + 1u);
  f.reads = NEW_N(f.a, uint32_t, g->n + 1u);
  count_reads(&f);
  for (NodeId id = 0; id < g->n; id++)
    if (g->node[id].op == &op_input) {
      f.text[id] = names->input(names->ctx, (uint32_t)g->node[id].attr->i[0]);
      f.level[id] = LEVEL_ATOM;
      vec_push(f.a, &f.name, f.text[id]);
    }
  bool last_alone = g->out.n == 1;
  for (NodeId id = 0; id < g->n && !f.why; id++) {
    const Node *node = &g->node[id];
    if (!f.reads[id] || f.text[id] || node->op == &op_input || node->op == &op_constant || meant(g, id) != id) continue;
    if (!can_be_written(&f, node)) break;
    if (last_alone && meant(g, g->out.at[0].node) == id) expression(&f, id);
    else statement(&f, id, t, indent);
  }
  if (f.why) {
    *why = f.why;
    return false;
  }
  text_printf(t, "%*s%s", indent, "", g->out.n > 1 ? "(" : "");
  for (uint32_t k = 0; k < g->out.n; k++) {
    NodeId id = meant(g, g->out.at[k].node);
    if (!f.text[id]) f.text[id] = literal(&f, g->node[id].attr->value);
    text_printf(t, "%s%s", k ? ", " : "", f.text[id]);
  }
  text_add(t, g->out.n > 1 ? ")\n" : "\n");
  *why = f.why;
  return !f.why;
}

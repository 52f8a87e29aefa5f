/* page: see page.h. Texts, types, attributes, places and rules of a graph repeat: each stands once in a table, as
 * JSON, and nodes are columns of numbers into these. Node numbers are those of the page: the formula's nodes ascending,
 * then what its derivative adds.
 */
#include "tool/page.h"
#include <math.h>
#include <string.h>
#include <zlib.h>
#include "inspect/draw.h"
#include "inspect/formula.h"
#include "runtime/base/digest.h"
#include "tool/json.h"

/* What is told of tensors: at most so many elements, of the inner ones, too, in so many steps. live: all that a page
 * needs to compute again is there. packed: by zlib, as base64. */
typedef struct Detail { int64_t elements; bool inner; uint32_t steps; bool live, packed; } Detail;

enum { LIVE_MOST = 150000 };       /* elements of all values together: more is slow under a hand */

/* Texts, each once. */
typedef struct Table { VEC(const char *) text; uint32_t *slot, n_slots; } Table;

typedef struct Out {
  const Inspect *x;
  Arena *a;
  Text *to;
  Detail detail;
  NodeId *node;              /* of the page, by number */
  uint32_t n, n_formula;
  uint32_t *number;          /* by node; UINT32_MAX: it is not in the page */
  const bool *moved;         /* by node: what a hand can move, and what depends on it */
  bool *varies;              /* by node: its value is told for each step */
  uint32_t *place;           /* by Loc: its number + 1 */
  Table ops, types, attrs, texts, forms, places, rules;
} Out;

/* ---- tables ---- */

static uint32_t put(Out *o, Table *t, const char *text) {
  if (2 * (t->text.n + 1) > t->n_slots) {
    uint32_t room = t->n_slots ? 2 * t->n_slots : 64;
    t->slot = NEW_N(o->a, uint32_t, room);
    t->n_slots = room;
    for (uint32_t k = 0; k < t->text.n; k++) {
      uint32_t at = (uint32_t)digest(0, t->text.at[k], strlen(t->text.at[k])) & (room - 1);
      while (t->slot[at]) at = (at + 1) & (room - 1);
      t->slot[at] = k + 1;
    }
  }
  uint32_t at = (uint32_t)digest(0, text, strlen(text)) & (t->n_slots - 1);
  for (; t->slot[at]; at = (at + 1) & (t->n_slots - 1))
    if (!strcmp(t->text.at[t->slot[at] - 1], text)) return t->slot[at] - 1;
  vec_push(o->a, &t->text, text);
  t->slot[at] = t->text.n;
  return t->text.n - 1;
}

static const char *quoted(Out *o, const char *text, size_t n) {
  Text t = {.arena = o->a};
  json_string(&t, text, n);
  return t.at;
}

static uint32_t put_text(Out *o, const char *text) { return put(o, &o->texts, quoted(o, text, strlen(text))); }

static uint32_t put_op(Out *o, const Op *op) { return put(o, &o->ops, quoted(o, op->name, strlen(op->name))); }

static uint32_t put_type(Out *o, const Type *type) {
  Text t = {.arena = o->a};
  text_printf(&t, "[\"%s\"", dtype_name[type->dtype]);
  for (int k = 0; k < type->rank; k++) text_printf(&t, ",%lld", (long long)type->dim[k]);
  text_add(&t, "]");
  return put(o, &o->types, t.at);
}

static uint32_t put_attr(Out *o, const Attr *attr) {
  Text t = {.arena = o->a};
  text_add(&t, "[");
  for (uint32_t k = 0; k < attr->n; k++) text_printf(&t, "%s%lld", k ? "," : "", (long long)attr->i[k]);
  text_add(&t, "]");
  return put(o, &o->attrs, t.at);
}

static void add_table(Out *o, const char *name, const Table *t) {
  json_key(o->to, name);
  text_add(o->to, "[");
  for (uint32_t k = 0; k < t->text.n; k++) text_printf(o->to, "%s%s", k ? "," : "", t->text.at[k]);
  text_add(o->to, "]");
}

/* ---- places ---- */

/* [file, line, column, the line, from, to, of the library?, the place of the call + 1]; number + 1, of nowhere 0 */
static uint32_t put_place(Out *o, Loc loc) {
  loc &= ~LOC_ADJOINT;
  const Place *p = loc_place(o->x->s->diags->sources, loc);
  if (!loc || !p || !p->source) return 0;
  if (o->place[loc]) return o->place[loc];
  host_deeper(arena_host(o->a));
  uint32_t caller = put_place(o, p->caller), line, column, from, end;
  const Source *s = p->source;
  source_position(s, p->span.first, &line, &column);
  for (from = p->span.first; from > 0 && s->text[from - 1] != '\n'; from--) {}
  for (end = p->span.first; end < s->n && s->text[end] != '\n'; end++) {}
  enum { LONGEST = 160 };
  if (end - from > LONGEST) {
    from = p->span.first - from > LONGEST / 2 ? p->span.first - LONGEST / 2 : from;
    end = end - from > LONGEST ? from + LONGEST : end;
  }
  uint32_t last = p->span.end < end ? p->span.end : end;
  uint32_t text = put(o, &o->texts, quoted(o, s->text + from, end - from));
  const char *at = arena_printf(o->a, "[%u,%u,%u,%u,%u,%u,%d,%u]", put_text(o, s->name), line, column, text,
                                p->span.first - from, last - from, s->library, caller);
  return o->place[loc] = put(o, &o->places, at) + 1;
}

/* ---- nodes ---- */

static bool is_fixed(const Out *o, NodeId id) {
  const Node *n = graph_at(o->x->g, id);
  return n->n_in == 0 && n->op != &op_input;
}

static void mark_back(const Out *o, bool *mark) {
  const Inspect *x = o->x;
  for (uint32_t k = 0; k < x->n; k++)
    if (x->adjoint[x->node[k]] != NO_NODE) mark[x->adjoint[x->node[k]]] = true;
  for (uint32_t k = 0; k < x->n_passed; k++) mark[x->passed[k].dx] = true;
}

/* The page's nodes: the formula's, and of the derivative all if it is computed again, else what is looked at. */
static void choose_nodes(Out *o) {
  const Inspect *x = o->x;
  uint32_t all = x->g->n;
  bool *wanted = NEW_N(o->a, bool, all + 1u);
  o->number = NEW_N(o->a, uint32_t, all + 1u);
  o->node = NEW_N(o->a, NodeId, all + 1u);
  o->varies = NEW_N(o->a, bool, all + 1u);
  mark_back(o, wanted);
  memcpy(o->varies, wanted, all * sizeof *wanted);
  for (NodeId id = all; id-- > 0;)
    for (uint32_t k = 0; o->detail.live && wanted[id] && k < graph_at(x->g, id)->n_in; k++)
      wanted[graph_at(x->g, id)->in[k]] = true;
  o->n = 0;
  for (NodeId id = 0; id < all; id++) o->number[id] = UINT32_MAX;
  for (uint32_t k = 0; k < x->n; k++) {
    NodeId id = x->node[k];
    o->number[id] = o->n;
    o->node[o->n++] = id;
    o->varies[id] = true;
  }
  o->n_formula = o->n;
  for (NodeId id = 0; id < all; id++)
    if (wanted[id] && o->number[id] == UINT32_MAX) {
      o->number[id] = o->n;
      o->node[o->n++] = id;
    }
  for (uint32_t k = 0; k < o->n; k++) {
    const Node *n = graph_at(x->g, o->node[k]);
    NodeId id = o->node[k];
    if (o->detail.live && !o->moved[id]) o->varies[id] = true;
    if (is_fixed(o, id) || (o->detail.live && !o->detail.inner && n->n_in && o->moved[id])) o->varies[id] = false;
  }
}

static const InspectLeaf *leaf_of(const Inspect *x, NodeId id) {
  for (uint32_t k = 0; k < x->leaf.n; k++)
    if (x->leaf.at[k].node == id) return &x->leaf.at[k];
  return NULL;
}

/* 0 an operation, 1 what is differentiated by, 2 another input, 3 a constant, 4 a literal, which is not drawn */
static int kind_of(const Out *o, NodeId id) {
  if (leaf_of(o->x, id)) return 1;
  if (id != o->x->y && draw_is_literal(o->x, id)) return 4;
  if (graph_at(o->x->g, id)->n_in) return 0;
  return graph_at(o->x->g, id)->op == &op_input ? 2 : 3;
}

/* [how it is written, what each operand is called ..] */
static uint32_t put_form(Out *o, NodeId id) {
  const Node *n = graph_at(o->x->g, id);
  Text t = {.arena = o->a};
  enum { MOST_IN = 8 };
  bool few = n->n_in <= MOST_IN;
  const char *form = few ? formula_form(o->x, id) : arena_printf(o->a, "%s(..)", inspect_op(o->x, id));
  text_printf(&t, "[%u", put_text(o, form));
  for (uint32_t k = 0; few && k < n->n_in; k++) text_printf(&t, ",%u", put_text(o, formula_operand(o->x, id, k)));
  text_add(&t, "]");
  return put(o, &o->forms, t.at);
}

static int64_t column_of(Out *o, const char *name, NodeId id) {
  const Node *n = graph_at(o->x->g, id);
  const InspectLeaf *leaf;
  const char *text;
  switch (*name) {
  case 'o': return put_op(o, n->op);
  case 't': return put_type(o, n->type);
  case 'a': return o->detail.live ? put_attr(o, n->attr) : 0;
  case 'p': return put_place(o, n->loc);
  case 'k': return kind_of(o, id);
  case 'f': return n->n_in && !draw_is_literal(o->x, id) ? (int64_t)put_form(o, id) : -1;
  default:
    leaf = leaf_of(o->x, id);
    text = leaf ? leaf->path : inspect_name(o->x, id);
    return text ? (int64_t)put_text(o, text) : -1;
  }
}

static void add_column(Out *o, const char *name, uint32_t n) {
  json_key(o->to, name);
  text_add(o->to, "[");
  for (uint32_t k = 0; k < n; k++)
    text_printf(o->to, "%s%lld", k ? "," : "", (long long)column_of(o, name, o->node[k]));
  text_add(o->to, "]");
}

static void add_operands(Out *o) {
  json_key(o->to, "in");
  text_add(o->to, "[");
  uint32_t n = o->detail.live ? o->n : o->n_formula;
  for (uint32_t k = 0; k < n; k++) {
    const Node *node = graph_at(o->x->g, o->node[k]);
    text_add(o->to, k ? ",[" : "[");
    for (uint32_t j = 0; j < node->n_in; j++) text_printf(o->to, "%s%u", j ? "," : "", o->number[node->in[j]]);
    text_add(o->to, "]");
  }
  text_add(o->to, "]");
}

/* ---- what is passed back ---- */

/* The slope as the operations of a graph of scalars: [op, type, attributes, operands ..], of a constant its number. */
static void add_slope(Out *o, Text *t, const FormulaRule *r, uint32_t operands) {
  text_add(t, "[");
  for (NodeId id = operands; id < r->g->n; id++) {
    const Node *n = graph_at(r->g, id);
    text_add(t, id > operands ? "," : "");
    if (n->op == &op_constant) {
      json_number(t, tensor_get(n->attr->value, 0), F64);
      continue;
    }
    text_printf(t, "[%u,%u,%u", put_op(o, n->op), put_type(o, n->type), put_attr(o, n->attr));
    for (uint32_t k = 0; k < n->n_in; k++) text_printf(t, ",%u", n->in[k]);
    text_add(t, "]");
  }
  text_printf(t, "],%u", r->out);
}

/* [left, text, numbers or -1, the slope's nodes or 0, its number] */
static uint32_t put_rule(Out *o, const Passed *p) {
  FormulaRule r = formula_rule(o->x, p);
  Text t = {.arena = o->a};
  text_printf(&t, "[%u,%u,%lld,", put_text(o, r.left), put_text(o, r.text),
              r.numbers ? (long long)put_text(o, r.numbers) : -1LL);
  if (r.out == NO_NODE) text_add(&t, "0,0");
  else add_slope(o, &t, &r, graph_at(o->x->g, p->user)->n_in);
  text_add(&t, "]");
  return put(o, &o->rules, t.at);
}

static void add_passed(Out *o) {
  const Inspect *x = o->x;
  json_key(o->to, "adjoint");
  text_add(o->to, "[");
  for (uint32_t k = 0; k < o->n_formula; k++) {
    NodeId g = x->adjoint[o->node[k]];
    text_printf(o->to, "%s%lld", k ? "," : "", g == NO_NODE ? -1LL : (long long)o->number[g]);
  }
  text_add(o->to, "]");
  json_key(o->to, "passed");
  text_add(o->to, "[");
  for (uint32_t k = 0; k < x->n_passed; k++) {
    const Passed *p = &x->passed[k];
    text_printf(o->to, "%s%u,%u,%u,%u", k ? "," : "", o->number[p->user], p->operand, o->number[p->dx], put_rule(o, p));
  }
  text_add(o->to, "]");
}

/* ---- values ---- */

static int64_t largest_at(const Tensor *t) {
  int64_t at = 0;
  double most = -1;
  for (int64_t k = 0, n = type_count(&t->type); k < n; k++) {
    double v = fabs(tensor_get(t, k));
    if (isnan(v)) return k;
    if (v > most) most = v, at = k;
  }
  return at;
}

typedef VEC(int64_t) Elements;

/* Of a tensor that is not told in full: the elements that a formula shows. */
static void need(Out *o, Elements *needed, const Inspect *x, NodeId id, int64_t element) {
  const Type *t = graph_at(x->g, id)->type;
  if (type_count(t) <= o->detail.elements || element >= type_count(t)) return;
  Elements *e = &needed[o->number[id]];
  for (uint32_t k = 0; k < e->n; k++)
    if (e->at[k] == element) return;
  vec_push(o->a, e, element);
}

static Elements *needs(Out *o, const Inspect *x) {
  Elements *needed = NEW_N(o->a, Elements, o->n + 1u);
  for (uint32_t k = 0; k < x->n_passed; k++) {
    const Passed *p = &x->passed[k];
    const Node *n = graph_at(x->g, p->user);
    const Tensor *g = inspect_adjoint(x, p->user), *dx = inspect_value(x, p->dx);
    if (!g || !dx || !type_count(&g->type) || !type_count(&dx->type)) continue;
    bool point = n->op->flags & OP_POINTWISE;
    int64_t at = point ? largest_at(g) : largest_at(dx);
    need(o, needed, x, p->dx, at);
    if (!point) continue;
    need(o, needed, x, p->user, at);
    need(o, needed, x, x->adjoint[p->user], at);
    for (uint32_t j = 0; j < n->n_in; j++) need(o, needed, x, n->in[j], at);
  }
  return needed;
}

/* A number; all elements; or {"n": norm, "m": which is the largest, "at": [which, number, ..]}. */
static void add_value(Out *o, const Tensor *t, const Elements *e) {
  int64_t n = t ? type_count(&t->type) : 0;
  DType d = t ? (DType)t->type.dtype : F32;
  if (!t) text_add(o->to, "[]");
  else if (!t->type.rank) json_number(o->to, tensor_get(t, 0), d);
  else if (n <= o->detail.elements) {
    text_add(o->to, "[");
    for (int64_t k = 0; k < n; k++) {
      if (k) text_add(o->to, ",");
      json_number(o->to, tensor_get(t, k), d);
    }
    text_add(o->to, "]");
  } else {
    double squares = 0;
    for (int64_t k = 0; k < n; k++) squares += tensor_get(t, k) * tensor_get(t, k);
    text_add(o->to, "{\"n\":");
    json_number(o->to, (float)sqrt(squares), F32);
    text_printf(o->to, ",\"m\":%lld,\"at\":[%lld,", (long long)largest_at(t), (long long)largest_at(t));
    json_number(o->to, tensor_get(t, largest_at(t)), d);
    for (uint32_t k = 0; e && k < e->n; k++) {
      text_printf(o->to, ",%lld,", (long long)e->at[k]);
      json_number(o->to, tensor_get(t, e->at[k]), d);
    }
    text_add(o->to, "]}");
  }
}

static void add_step(Out *o, const PageStep *s) {
  const Inspect *x = s->x;
  Elements *needed = needs(o, x);
  const char *comma = "";
  text_printf(o->to, "{\"at\":%lld,\"v\":[", (long long)s->at);
  for (uint32_t k = 0; k < o->n; k++) {
    if (!o->varies[o->node[k]]) continue;
    text_add(o->to, comma);
    add_value(o, inspect_value(x, o->node[k]), &needed[k]);
    comma = ",";
  }
  text_add(o->to, "],\"next\":[");
  for (uint32_t k = 0; s->next && k < x->leaf.n; k++) {
    text_add(o->to, k ? "," : "");
    if (!s->next[k]) {
      text_add(o->to, "0");
      continue;
    }
    const Tensor *g = inspect_adjoint(x, x->leaf.at[k].node);
    Elements e = {0};
    if (g && type_count(&g->type)) vec_push(o->a, &e, largest_at(g));
    text_add(o->to, "[");
    add_value(o, s->next[k], &e);
    text_add(o->to, "]");
  }
  text_add(o->to, "]}");
}

static bool told(const Detail *d, uint32_t k, uint32_t n) {
  if (n <= d->steps || k == 0 || k == n - 1) return true;
  return k * (d->steps - 1) / (n - 1) != (k - 1) * (d->steps - 1) / (n - 1);
}

static void add_runs(Out *o, const Page *p) {
  json_key(o->to, "runs");
  text_add(o->to, "[");
  for (uint32_t r = 0; r < p->n; r++) {
    const char *comma = "";
    text_add(o->to, r ? ",{" : "{");
    json_key(o->to, "name");
    json_text(o->to, p->run[r].name);
    json_key(o->to, "steps");
    text_add(o->to, "[");
    for (uint32_t k = 0; k < p->run[r].n; k++) {
      if (!told(&o->detail, k, p->run[r].n)) continue;
      text_add(o->to, comma);
      add_step(o, &p->run[r].step[k]);
      comma = ",";
    }
    text_add(o->to, "]}");
  }
  text_add(o->to, "]");
}

/* Constants have one value for all steps. */
static void add_fixed(Out *o) {
  const char *comma = "";
  json_key(o->to, "fixed");
  text_add(o->to, "[");
  for (uint32_t k = 0; k < o->n; k++) {
    const Node *n = graph_at(o->x->g, o->node[k]);
    if (!is_fixed(o, o->node[k])) continue;
    text_printf(o->to, "%s%u,", comma, k);
    add_value(o, n->op == &op_constant ? n->attr->value : inspect_value(o->x, o->node[k]), NULL);
    comma = ",";
  }
  text_add(o->to, "]");
}

/* ---- the whole ---- */

/* What a hand may move, and what depends on it. */
static bool *find_moved(const Inspect *x, Arena *a) {
  bool *moved = NEW_N(a, bool, x->g->n + 1u);
  for (NodeId id = 0; id < x->g->n; id++) {
    const Node *n = graph_at(x->g, id);
    if (!n->n_in) moved[id] = dtype_is_float((DType)n->type->dtype) && !draw_is_literal(x, id);
    for (uint32_t k = 0; k < n->n_in; k++) moved[id] |= moved[n->in[k]];
  }
  return moved;
}

/* Whether the page can compute again what is moved: each operation has its JavaScript, and there is little of it. */
static bool can_live(const Inspect *x, const bool *moved) {
  int64_t all = 0;
  for (NodeId id = 0; id < x->g->n; id++) {
    const Node *n = graph_at(x->g, id);
    if (!x->value[id] && n->op != &op_constant) continue;
    all += type_count(n->type);
    if (n->n_in && moved[id] && !op_js(n->op)) return false;
  }
  return all <= LIVE_MOST;
}

static void add_graph(Out *o, const Page *p) {
  const Inspect *x = o->x;
  choose_nodes(o);
  uint32_t n = o->detail.live ? o->n : o->n_formula;
  text_add(o->to, "{");
  json_key(o->to, "title");
  json_text(o->to, p->title);
  json_key(o->to, "root");
  text_printf(o->to, "%u", o->number[x->y]);
  json_key(o->to, "formula");
  text_printf(o->to, "%u", o->n_formula);
  json_key(o->to, "live");
  text_add(o->to, o->detail.live ? "true" : "false");
  add_column(o, "o", n);
  add_column(o, "t", o->n);
  add_column(o, "a", o->detail.live ? n : 0);
  add_column(o, "p", o->n_formula);
  add_column(o, "k", o->n_formula);
  add_column(o, "f", o->n_formula);
  add_column(o, "name", o->n_formula);
  add_operands(o);
  if (x->scalar) add_passed(o);
  json_key(o->to, "vary");
  text_add(o->to, "[");
  const char *comma = "";
  for (uint32_t k = 0; k < o->n; k++) {
    if (!o->varies[o->node[k]]) continue;
    text_printf(o->to, "%s%u", comma, k);
    comma = ",";
  }
  text_add(o->to, "]");
  json_key(o->to, "leaf");
  text_add(o->to, "[");
  for (uint32_t k = 0; k < x->leaf.n; k++) text_printf(o->to, "%s%u", k ? "," : "", o->number[x->leaf.at[k].node]);
  text_add(o->to, "]");
  add_fixed(o);
  add_runs(o, p);
  add_table(o, "forms", &o->forms);
  add_table(o, "rules", &o->rules);
  add_table(o, "places", &o->places);
  add_table(o, "types", &o->types);
  add_table(o, "attrs", &o->attrs);
  add_table(o, "ops", &o->ops);
  add_table(o, "texts", &o->texts);
  text_add(o->to, "}");
}

/* What the page computes with: each operation that it holds, from its own block. */
static void add_ops(Out *o, Text *to) {
  text_add(to, "const OPS = {\n");
  for (uint32_t k = 0; o->detail.live && k < o->ops.text.n; k++) {
    const char *name = o->ops.text.at[k];
    const Op *op = op_find(name + 1, strlen(name) - 2);
    const char *js = op ? op_js(op) : NULL;
    if (!js) continue;
    bool point = op->flags & OP_POINTWISE;
    text_printf(to, point ? "%s: {point: true, of: (x, y, z, a, t) => %s},\n"
                          : "%s: {of: (o, xs, Xs, a, R) => { const [x, y, z] = xs, [X, Y, Z] = Xs; %s; }},\n",
                name, js);
  }
  text_add(to, "};\n");
}

/* Ready as a string of JSON. */
static void pack(Text *data) {
  Text t = {.arena = data->arena};
  uLongf n = compressBound((uLong)data->n);
  Bytef *out = arena_alloc(data->arena, n);
  if (compress2(out, &n, (const Bytef *)data->at, (uLong)data->n, 9) != Z_OK) return;      /* compressBound: it fits */
  text_add(&t, "\"");
  json_base64(&t, (const char *)out, n);
  text_add(&t, "\"");
  *data = t;
}

static const PageText *part(const char *name) {
  const PageText *p = page_texts;
  while (strcmp(p->name, name) != 0) p++;
  return p;
}

/* page.html with each line `@NAME` replaced by that part. */
static void add_page(Text *to, const Page *p, const Text *data, const Text *ops) {
  const PageText *page = part("page.html");
  for (const char *line = page->text; *line;) {
    size_t n = strcspn(line, "\n");
    if (line[0] != '@') text_add_n(to, line, n);
    else if (!strncmp(line, "@title", n)) html_text(to, p->title, strlen(p->title));
    else if (!strncmp(line, "@data", n)) text_add_n(to, data->at, data->n);
    else if (!strncmp(line, "@ops", n)) text_add_n(to, ops->at, ops->n);
    else {
      const PageText *t = page_texts;
      while (strlen(t->name) != n - 1 || strncmp(t->name, line + 1, n - 1) != 0) t++;
      text_add_n(to, t->text, t->n);
    }
    text_add(to, "\n");
    line += n + (line[n] == '\n');
  }
}

bool page_alike(const Page *p) {
  const Inspect *x = p->run[0].step[0].x;
  for (uint32_t r = 0; r < p->n; r++)
    for (uint32_t k = 0; k < p->run[r].n; k++) {
      const Inspect *y = p->run[r].step[k].x;
      bool same = y->g->n == x->g->n && y->n == x->n && y->n_passed == x->n_passed;
      for (NodeId id = 0; same && id < x->g->n; id++)
        same = graph_at(x->g, id)->op == graph_at(y->g, id)->op &&
               type_eq(graph_at(x->g, id)->type, graph_at(y->g, id)->type);
      if (!same) return false;
    }
  return true;
}

const char *page_write(const Page *p, Arena *a, Text *to) {
  static const Detail details[] = {
      {LIVE_MOST, true, PAGE_STEPS, true, false}, {LIVE_MOST, true, PAGE_STEPS, true, true},
      {LIVE_MOST, false, PAGE_STEPS, true, true}, {LIVE_MOST, false, 8, true, true}, {LIVE_MOST, false, 1, true, true},
      {64, true, PAGE_STEPS, false, false},       {64, true, PAGE_STEPS, false, true}, {16, true, 12, false, true},
      {16, true, 4, false, true},                 {4, true, 2, false, true},       {0, true, 1, false, true}};
  const Inspect *x = p->run[0].step[0].x;
  size_t least = 0;
  if (!page_alike(p)) return "the two graphs are not alike, and cannot be compared node by node";
  const bool *moved = find_moved(x, a);
  bool live = can_live(x, moved);
  for (size_t k = 0; k < sizeof details / sizeof *details; k++) {
    if (details[k].live && !live) continue;
    Arena *tmp = arena_new(arena_host(a));
    Text data = {.arena = tmp}, ops = {.arena = tmp}, whole = {.arena = tmp};
    Out o = {.x = x, .a = tmp, .to = &data, .detail = details[k], .moved = moved};
    o.place = NEW_N(tmp, uint32_t, x->s->diags->sources->place.n + 1u);
    add_graph(&o, p);
    if (o.detail.packed) pack(&data);
    add_ops(&o, &ops);
    add_page(&whole, p, &data, &ops);
    if (whole.n <= PAGE_MOST) text_add_n(to, whole.at, whole.n);
    least = whole.n;
    arena_free(tmp);
    if (least <= PAGE_MOST) return NULL;
  }
  return arena_printf(a, "a graph of %u operations is a page of %zu kB, and %d kB are the most: write .dot, or a part"
                         " of it", x->n, least / 1000, PAGE_MOST / 1000);
}

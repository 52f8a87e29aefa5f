/* expr: expressions. In: syntax and the present scope. Out: a value, with nodes emitted for what is of tensors. */
#include "elab/expr.h"
#include "elab/arith.h"
#include "elab/branch.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/index.h"
#include "elab/layer.h"
#include "elab/literal.h"
#include "elab/names.h"
#include "elab/native.h"
#include "elab/order.h"
#include "elab/seq.h"
#include "elab/show.h"
#include "elab/signature.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include <string.h>

static int64_t utf8_length(const Str *s) {
  int64_t n = 0;
  for (uint32_t k = 0; k < s->n; k++) n += ((unsigned char)s->at[k] & 0xC0) != 0x80;
  return n;
}

/* A format says how numbers are written; a width is good for a string, too. */
static const char *misplaced_format(const Value *v, const Format *f) {
  switch (v->kind) {
  case V_STRING:
    return f->kind || f->digits >= 0 || f->zeros ? "a string has no digits; a width is good, `{s:10}`" : NULL;
  case V_TEXT: case V_FN: case V_INSTANCE: case V_OPTIMIZER: case V_SERIES: case V_SEQ: case V_TYPE:
  case V_MODULE: case V_BOOL:
    return "it is for numbers, and a width for a string";
  default: return NULL;
  }
}

static OUT_OF_LINE Value literal_string(Elab *e, const Ast *ast) {
  if (ast->n == 0) return v_string(e->a, "", 0);
  if (ast->n == 1 && ast->kid[0]->kind == A_CHARS) return v_string(e->a, ast->kid[0]->text, ast->kid[0]->n_text);
  Text known = {.arena = e->a};
  TextValue *t = NEW(e->a, TextValue);
  t->text = NEW(e->a, Template);
  bool bad = false;
  text_add(&known, "");
  for (uint32_t k = 0; k < ast->n; k++) {
    const Ast *part = ast->kid[k];
    if (part->kind == A_CHARS) {
      text_add_n(&known, part->text, part->n_text);
      continue;
    }
    Format f = {.digits = -1};
    Text pad = {.arena = e->a};
    if (part->text) {
      const char *unread = format_parse(e->a, part->text, part->n_text, &f);
      if (unread) {
        elab_error(e, part, E_FORMAT, unread);
        bad = true;
      }
    }
    Value v = elab_expr(e, part->kid[0]);
    if (v.kind == V_BAD || bad) {
      bad = true;
      continue;
    }
    const char *wrong = part->text ? misplaced_format(&v, &f) : NULL;
    if (wrong) {
      elab_error(e, part, E_FORMAT, wrong);
      bad = true;
      continue;
    }
    Value s = text_of(e, &v, 1, &f, "");
    if (v.kind == V_STRING)                 /* padded on the right, as words are */
      for (int64_t n = utf8_length(v.str); n < f.width; n++) text_add(&pad, " ");
    if (s.kind == V_STRING) {
      text_add_n(&known, s.str->at, s.str->n);
      if (pad.n) text_add(&known, pad.at);
    } else if (s.kind == V_TEXT) {
      if (known.n) vec_push(e->a, &t->text->part, (Part){.text = arena_text(e->a, known.at, known.n)});
      known.n = 0;
      for (uint32_t j = 0; j < s.text->text->part.n; j++) {
        Part p = s.text->text->part.at[j];
        if (!p.text && !p.write) p.need += t->need.n;
        vec_push(e->a, &t->text->part, p);
      }
      for (uint32_t j = 0; j < s.text->need.n; j++) vec_push(e->a, &t->need, s.text->need.at[j]);
    } else bad = true;
  }
  if (bad) return v_bad();
  if (!t->text->part.n) return v_string(e->a, known.at, known.n);
  if (known.n) vec_push(e->a, &t->text->part, (Part){.text = arena_text(e->a, known.at, known.n)});
  return (Value){.kind = V_TEXT, .text = t};
}

static Value name(Elab *e, const Ast *ast) {
  Bound *b = scope_find(e, e->here.scope, ast->name);
  if (b) return b->value;
  if (!strcmp(ast->name, "is_training")) {
    e->here.frame->looked |= !e->here.training;
    return v_bool(e->here.training);
  }
  if (!strcmp(ast->name, "args")) {
    const SessionConfig *c = &e->s->config;
    Value *v = NEW_N(e->a, Value, c->n_args + 1);
    for (int k = 0; k < c->n_args; k++) v[k] = v_string(e->a, c->args[k], strlen(c->args[k]));
    return v_items(e->a, V_LIST, v, (uint32_t)c->n_args);
  }
  unknown_name(e, ast);
  return v_bad();
}

/* Of numbers or tensors of one shape: a tensor; of anything else: a list. */
static OUT_OF_LINE Value bracket(Elab *e, Value *v, uint32_t n, const Ast *at, bool loose) {
  host_deeper(&e->s->host);
  if (n == 0) return v_items(e->a, V_LIST, v, 0);
  bool tensors = true;
  for (uint32_t k = 0; k < n; k++) {
    if (v[k].kind == V_BAD) return v_bad();
    ValueKind kind = v[k].kind;
    if (kind != V_INT && kind != V_BOOL && kind != V_NODE && kind != V_CELL) tensors = false;
  }
  if (!tensors) return v_items(e->a, V_LIST, v, n);
  NodeId *in = NEW_N(e->a, NodeId, n);
  bool all_flex = true, all_ints = true, consts = true;
  for (uint32_t k = 0; k < n; k++) {
    const Ast *place = !loose && k < at->n ? at->kid[k] : at;
    in[k] = want_node(e, v[k], place, "a number or tensor");
    if (in[k] == NO_NODE) return v_bad();
    const Node *x = graph_at(e->g, in[k]);
    all_flex &= x->flags & NODE_FLEX && x->type->dtype == F64;
    all_ints &= (x->flags & NODE_INTS) != 0;
    consts &= x->op == &op_constant;
    if (!type_same_shape(x->type, node_type(e, in[0]))) {
      if (loose) return v_items(e->a, V_LIST, v, n);   /* parameters of different shapes: a list */
      Diag *g = elab_error(e, place, E_BRACKET_SHAPES, shape_show(e->a, node_type(e, in[0])),
                           shape_show(e->a, x->type));
      diag_mark(e->d, g, elab_loc(e, at->kid[0]), "%s", shape_show(e->a, node_type(e, in[0])));
      if (place != at->kid[0]) diag_mark(e->d, g, elab_loc(e, place), "%s", shape_show(e->a, x->type));
      diag_hint(e->d, g, "a tuple `( , )` holds tensors of different shapes");
      return v_bad();
    }
  }
  Type row = *node_type(e, in[0]);
  if (row.rank == MAX_RANK) {
    elab_error(e, at, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
    return v_bad();
  }
  Type t = {.rank = (uint8_t)(row.rank + 1)};
  t.dim[0] = n;
  memcpy(t.dim + 1, row.dim, row.rank * sizeof *row.dim);
  if (all_flex && consts) {          /* a literal: one constant, not a node an element */
    t.dtype = F64;
    Tensor *y = tensor_new(&e->s->host, &t);
    size_t bytes = (size_t)type_count(&row) * sizeof(double);
    for (uint32_t k = 0; k < n; k++)
      memcpy((char *)y->data + k * bytes, graph_at(e->g, in[k])->attr->value->data, bytes);
    NodeId id = graph_const(e->g, y, elab_loc(e, at));
    tensor_unref(y);
    e->g->node[id].flags |= (uint16_t)(NODE_FLEX | (all_ints ? NODE_INTS : 0));
    return v_node(id);
  }
  Value *same = NEW_N(e->a, Value, n);
  for (uint32_t k = 0; k < n; k++) same[k] = v_node(in[k]);
  const Ast *const *places = loose ? NULL : (const Ast *const *)at->kid;
  if (!unify(e, same, in, n, at, places, "[...]")) return v_bad();
  Type one = t;
  one.dim[0] = 1;
  for (uint32_t k = 0; k < n; k++) {
    one.dtype = node_type(e, in[k])->dtype;
    in[k] = g_reshape(e->g, in[k], &one);
  }
  NodeId y = n == 1 ? in[0] : emit_i(e, &op_concat, in, n, (int64_t[]){0}, 1, at);
  if (y == NO_NODE) return v_bad();
  e->g->node[y].flags |= (uint16_t)((all_flex ? NODE_FLEX : 0) | (all_ints ? NODE_INTS : 0));
  return v_node(y);
}

Value bracket_of(Elab *e, const Value *v, uint32_t n, const Ast *at) {
  return bracket(e, arena_copy(e->a, v, n * sizeof *v), n, at, true);
}

static OUT_OF_LINE Value comprehension(Elab *e, const Ast *ast) {
  Value over = elab_expr(e, ast->kid[2]);
  Value q = seq_of(e, value_decay(e, over), ast->kid[2]);
  if (q.kind == V_BAD) return q;
  int64_t n;
  if (q.kind == V_SEQ) n = q.seq->count;
  else n = q.items->n;
  if (n < 0) {
    const char *why = depends_text(e, q.seq->count_node, false);
    Diag *g = elab_error(e, ast->kid[2], E_NOT_KNOWN, "the length of a list");
    if (why) diag_note(e->d, g, 0, "it depends on %s", why);
    diag_hint(e->d, g,
              "a tensor of that many elements grows in no formula: fill a `var` of a known size in a loop of steps");
    return v_bad();
  }
  if (!known_work(e, n > UINT32_MAX ? UINT32_MAX : (uint32_t)n, ast->kid[2])) return v_bad();
  Value *v = NEW_N(e->a, Value, n + 1);
  Where outside = place_enter(e, "for"), each = e->here;
  bool ok = true;
  Order o = {0};
  for (int64_t k = 0; k < n && ok; k++) {
    place_turn(e, k);
    e->here.scope = scope_new(e, each.scope);
    Value x = q.kind == V_SEQ ? q.seq->element(e, q.seq, seq_piece(q.seq, k), NO_NODE, k, ast->kid[2]) : q.items->at[k];
    ok = x.kind != V_BAD && bind_pattern(e, e->here.scope, ast->kid[1], x, false);
    if (ok) order_before(e, &o, ast->kid[0]);
    v[k] = ok ? elab_expr(e, ast->kid[0]) : v_bad();
    if (ok) order_met(e, &o, &v[k]);
    ok &= v[k].kind != V_BAD;
    e->here = each;
  }
  e->here = outside;
  order_end(e, &o);
  return ok ? bracket(e, v, (uint32_t)n, ast, true) : v_bad();
}

static OUT_OF_LINE Value record(Elab *e, const Ast *ast) {
  Fields *f = NEW(e->a, Fields);
  f->n = ast->n;
  f->name = NEW_N(e->a, Sym, ast->n + 1);
  f->at = NEW_N(e->a, Value, ast->n + 1);
  Order o = {0};
  Scope *met = scope_new(e, NULL);           /* for its index */
  for (uint32_t k = 0; k < ast->n; k++) {
    const Ast *field = ast->kid[k];
    if (scope_here(met, field->name)) {
      elab_error(e, field, E_FIELD_TWICE, field->name);
      return v_bad();
    }
    scope_put(e, met, field->name, v_unit(), NULL);
    f->name[k] = field->name;
    order_before(e, &o, field);
    f->at[k] = field->n && field->kid[0] ? elab_expr(e, field->kid[0]) : name(e, field);
    if (f->at[k].kind == V_BAD) return v_bad();
    order_met(e, &o, &f->at[k]);
  }
  order_end(e, &o);
  return (Value){.kind = V_RECORD, .fields = f};
}

static OUT_OF_LINE Value transpose(Elab *e, const Ast *ast) {
  Value v = elab_expr(e, ast->kid[0]);
  NodeId n = v.kind == V_BAD ? NO_NODE : want_node(e, v, ast->kid[0], "a tensor");
  if (n == NO_NODE) return v_bad();
  const Type *t = node_type(e, n);
  if (t->rank < 2) {
    Diag *g = elab_error(e, ast, E_TRANSPOSE_RANK, shape_show(e->a, t));
    diag_hint(e->d, g, "make it a row or a column first: `x[None, :]`, `x[:, None]`");
    return v_bad();
  }
  int64_t perm[MAX_RANK];
  uint8_t rank = t->rank;
  for (int k = 0; k < rank; k++) perm[k] = k;
  perm[rank - 1] = rank - 2;
  perm[rank - 2] = rank - 1;
  uint16_t flags = graph_at(e->g, n)->flags & (NODE_FLEX | NODE_INTS);
  NodeId y = emit_i(e, &op_permute, &n, 1, perm, rank, ast);
  if (y == NO_NODE) return v_bad();
  e->g->node[y].flags |= flags;
  return v_node(y);
}

/* The `fn (x) = e` without parentheses whose body this chain has become. */
static const Ast *chain_inside(Elab *e, const Ast *chain) {
  const Fn *f = e->here.frame ? e->here.frame->fn : NULL;
  if (!f || !f->ast || f->ast->kind != A_LAMBDA || f->ast->parens || f->ast->source != chain->source) return NULL;
  const Ast *x = f->ast->kid[2];
  while (x != chain && x->kind == A_BINARY && x->op == K_COMPOSE && !x->parens) x = x->kid[0];
  return x == chain && !chain->parens && chain->kid[0]->span.end - f->ast->span.first < 60 ? f->ast : NULL;
}

/* f >> g: chains are flat. */
static OUT_OF_LINE Value compose(Elab *e, Value f, Value g, const Ast *ast) {
  Value part[2] = {f, g};
  uint32_t n = 0;
  for (int k = 0; k < 2; k++) {
    if (part[k].kind == V_BAD) return v_bad();
    if (part[k].kind != V_FN && part[k].kind != V_INSTANCE) {
      Diag *d = elab_error(e, ast->kid[k], E_WANTED, "a function or layer on both sides of `>>`",
                           value_kind_text(e, &part[k]));
      const Ast *fn = k == 0 ? chain_inside(e, ast) : NULL;
      if (fn) diag_hint(e->d, d, "a `fn` takes all that follows it; in a chain it has parentheses: `>> (%.*s) >>`",
                        (int)(ast->kid[0]->span.end - fn->span.first), fn->source->text + fn->span.first);
      else if (part[k].kind == V_STRING) diag_hint(e->d, d, "write its name without quotes: `relu`");
      else diag_hint(e->d, d, "`x |> f` applies f to x");
      return v_bad();
    }
    n += part[k].kind == V_FN && part[k].fn->kind == FN_CHAIN ? part[k].fn->captured->n : 1;
  }
  if (!known_work(e, n, ast)) return v_bad();
  Value *link = NEW_N(e->a, Value, n);
  n = 0;
  for (int k = 0; k < 2; k++)
    if (part[k].kind == V_FN && part[k].fn->kind == FN_CHAIN)
      for (uint32_t j = 0; j < part[k].fn->captured->n; j++) link[n++] = part[k].fn->captured->at[j];
    else link[n++] = part[k];
  Fn *c = fn_new(e, FN_CHAIN, "chain");
  c->captured = v_items(e->a, V_TUPLE, link, n).items;
  return v_fn(c);
}

/* `and`, `or` with a known left side: the right one is not looked at when it cannot matter. */
static Value logic(Elab *e, const Ast *ast) {
  Value a = value_decay(e, elab_expr(e, ast->kid[0]));
  bool known;
  if (known_bool(e, a, &known) && known == (ast->op == K_OR)) return v_bool(known);
  Value b = elab_expr(e, ast->kid[1]);
  return elab_binary(e, ast->op, a, b, ast);
}

static Value binary(Elab *e, const Ast *ast) {
  switch (ast->op) {
  case K_PIPE: {
    Value x = elab_expr(e, ast->kid[0]);
    Value f = elab_expr(e, ast->kid[1]);
    if (x.kind == V_BAD || f.kind == V_BAD) return v_bad();
    return call1(e, f, x, ast);
  }
  case K_COMPOSE: {
    Value f = elab_expr(e, ast->kid[0]);
    return compose(e, f, elab_expr(e, ast->kid[1]), ast);
  }
  case K_AND: case K_OR: return logic(e, ast);
  case K_RANGE: case K_RANGE_LESS: {
    Value a = value_decay(e, elab_expr(e, ast->kid[0])), b = elab_expr(e, ast->kid[1]);
    if (a.kind == V_BAD || b.kind == V_BAD) return v_bad();
    b = value_decay(e, b);
    return seq_range(e, value_decay(e, a), b, ast->op == K_RANGE_LESS, ast);
  }
  default: {
    Order o = {0};
    Value a = elab_expr(e, ast->kid[0]);
    order_met(e, &o, &a);
    order_before(e, &o, ast->kid[1]);
    Value b = elab_expr(e, ast->kid[1]);
    order_end(e, &o);
    return elab_binary(e, ast->op, a, b, ast);
  }
  }
}

Value expr_in(Elab *e, Scope *s, const Ast *ast) {
  Where outside = e->here;
  e->here.scope = s;
  Value v = elab_expr(e, ast);
  e->here = outside;
  return v;
}

OUT_OF_LINE Value elab_training(Elab *e, const Ast *ast, bool as_steps) {
  Where outside = e->here;
  e->here.training = true;
  if (!as_steps) e->here.use = USE_OF_FORMULA;
  Value v = elab_block(e, ast->kid[0], true);
  e->here = outside;
  return v;
}

static Value compound(Elab *e, const Ast *ast) {
  if (!elab_stack_ok(e, ast)) return v_bad();
  WITH_LOC(e, ast);
  Value v = v_bad();
  switch (ast->kind) {
  case A_STRING: v = literal_string(e, ast); break;
  case A_TUPLE: case A_BRACKET: {
    if (ast->kind == A_TUPLE && ast->n == 0) {
      v = v_unit();
      break;
    }
    Value *at = NEW_N(e->a, Value, ast->n + 1);
    bool bad = false;
    Order o = {0};
    for (uint32_t k = 0; k < ast->n; k++) {
      order_before(e, &o, ast->kid[k]);
      at[k] = elab_expr(e, ast->kid[k]);
      order_met(e, &o, &at[k]);
      bad |= at[k].kind == V_BAD;
    }
    order_end(e, &o);
    if (!bad) v = ast->kind == A_TUPLE ? v_items(e->a, V_TUPLE, at, ast->n) : bracket(e, at, ast->n, ast, false);
    break;
  }
  case A_COMPREHENSION: v = comprehension(e, ast); break;
  case A_RECORD: v = record(e, ast); break;
  case A_CALL: v = elab_call(e, ast, NULL); break;
  case A_INDEX: {
    Value base = elab_expr(e, ast->kid[0]);
    if (base.kind != V_BAD) v = elab_index(e, ast, value_decay(e, base));
    break;
  }
  case A_MEMBER: {
    Value base = elab_expr(e, ast->kid[0]);
    if (base.kind != V_BAD) v = member(e, base, ast->name, ast);
    break;
  }
  case A_TRANSPOSE: v = transpose(e, ast); break;
  case A_LAMBDA: {
    Fn *f = fn_new(e, FN_CLOSURE, NULL);
    f->ast = ast;
    f->scope = e->here.scope;
    f->self = (Instance *)(uintptr_t)e->here.frame->self;
    v = v_fn(f);
    break;
  }
  case A_IF: v = elab_if(e, ast, false); break;
  case A_TRAINING: v = elab_training(e, ast, false); break;
  case A_BINARY: v = binary(e, ast); break;
  case A_UNARY: v = elab_unary(e, ast->op, elab_expr(e, ast->kid[0]), ast); break;
  default: break;               /* what did not parse was reported */
  }
  return v;
}

/* Leaves, most of a text, need no place around them. */
Value elab_expr(Elab *e, const Ast *ast) {
  switch (ast->kind) {
  case A_NAME: return name(e, ast);
  case A_INT: return v_int(ast->i);
  case A_FLOAT: return v_node(literal(e, ast->f, ast));
  case A_CONST: return v_bool(ast->i != 0);
  default: return compound(e, ast);
  }
}

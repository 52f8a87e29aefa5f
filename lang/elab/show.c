/* show: values and types as text. In: values. Out: a V_STRING when all is known, else a V_TEXT: a template whose holes
 * are nodes, filled when it is printed; types as the language writes them; the few words by which messages name a
 * value.
 *
 * Signatures are read back from the source, so they are what the user wrote.
 */
#include "elab/show.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/import.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/seq.h"
#include "elab/series.h"
#include "elab/want.h"
#include "runtime/graph/face.h"
#include "steps/table.h"
#include <string.h>

typedef struct Writer { Elab *e; Template *m; Needs need; Text text; const Format *f; } Writer;

static const Format plain = {.kind = 0, .width = 0, .digits = -1};

static void flush(Writer *w) {
  if (w->text.n == 0) return;
  Part p = {.text = arena_text(w->e->a, w->text.at, w->text.n), .format = plain};
  vec_push(w->e->a, &w->m->part, p);
  w->text = (Text){.arena = w->e->a};
}

static void hole(Writer *w, NodeId n, const Format *f) {
  flush(w);
  Part p = {.text = NULL, .need = w->need.n, .format = *f};
  vec_push(w->e->a, &w->need, (Need){n, NO_SLOT});
  vec_push(w->e->a, &w->m->part, p);
}

/* What is written as it is when it is printed. */
static void itself(Writer *w, void (*write)(Text *t, const void *what), const void *what) {
  flush(w);
  vec_push(w->e->a, &w->m->part, (Part){.format = plain, .write = write, .what = what});
}

/* ---- types ---- */
static const char *source_text(Elab *e, const Ast *at) {
  if (!at) return "";
  uint32_t n = at->span.end - at->span.first;
  return n <= 60 ? arena_text(e->a, at->source->text + at->span.first, n) : "..";
}

static void params_text(Elab *e, Text *t, const Ast *params) {
  text_add(t, "(");
  for (uint32_t k = 0; params && k < params->n; k++) {
    const Ast *p = params->kid[k];
    text_printf(t, "%s%s", k ? ", " : "", source_text(e, p->kid[0]));
    if (p->n > 1 && p->kid[1]) text_printf(t, ": %s", source_text(e, p->kid[1]));
    if (p->n > 2 && p->kid[2]) text_printf(t, " = %s", source_text(e, p->kid[2]));
  }
  text_add(t, ")");
}

static void face_text(Text *t, const char *face) {
  text_add(t, "(");
  face_show(t, face);
  text_add(t, ")");
}

static void fn_text(Elab *e, Text *t, const Fn *f, bool named) {
  const Ast *ast = f->ast;
  switch (f->kind) {
  case FN_CHAIN:
    for (uint32_t k = 0; k < f->captured->n; k++) {
      const Value *v = &f->captured->at[k];
      if (k) text_add(t, " >> ");
      if (v->kind == V_FN && v->fn->name) text_add(t, v->fn->name);
      else text_add(t, type_text(e, v));
    }
    return;
  case FN_OP:
    text_add(t, "fn");
    if (named && f->name) text_printf(t, " %s", f->name);
    else text_add(t, " ");
    face_text(t, op_face(f->op));
    return;
  case FN_NATIVE:
    if (f->base && f->name) {
      text_printf(t, "%s of ", f->name);
      fn_text(e, t, f->base, true);
      return;
    }
    if (!f->native) {            /* f(_, 3) */
      text_printf(t, "%s(_)", f->name ? f->name : "fn");
      return;
    }
    text_add(t, "fn");
    if (named) text_printf(t, " %s", f->native->name);
    else text_add(t, " ");
    face_text(t, f->native->params);
    return;
  default: break;
  }
  if (!ast) { text_add(t, f->name ? f->name : "fn"); return; }
  bool lambda = ast->kind == A_LAMBDA;
  const char *word = f->kind == FN_PROC        ? "proc"
                     : f->kind == FN_LAYER     ? "layer"
                     : f->kind == FN_OPTIMIZER ? "optimizer"
                                               : "fn";
  text_add(t, word);
  text_add(t, " ");
  if (named && f->name) text_add(t, f->name);
  const Ast *params = ast->kind == A_EXTERN ? ast->kid[1] : ast->n ? ast->kid[0] : NULL;
  params_text(e, t, params);
  const Ast *type = ast->kind == A_EXTERN                         ? (ast->n > 2 ? ast->kid[2] : NULL)
                    : (lambda || ast->kind == A_FN) && ast->n > 1 ? ast->kid[1]
                                                                  : NULL;
  if (type) text_printf(t, " -> %s", source_text(e, type));
}

static const Type *cell_type(Elab *e, const Value *v) {
  return v->kind == V_CELL ? &v->cell->type : node_type(e, v->node);
}

static void type_add(Elab *e, Text *t, const Value *v, int depth);
static void instance_text(Elab *e, Text *t, const Instance *i, int depth) {
  text_printf(t, "%s {", i->layer && i->layer->name ? i->layer->name : "instance");
  bool first = true;
  for (uint32_t k = 0; k < i->n; k++) {
    const Field *f = &i->field[k];
    if (f->role == FIELD_FN || f->role == FIELD_ARG) continue;
    if (f->role == FIELD_LET && !is_tree(e, &f->value)) continue;
    text_printf(t, "%s%s: ", first ? "" : ", ", f->name);
    type_add(e, t, &f->value, depth + 1);
    first = false;
  }
  text_add(t, "}");
}

static void type_add(Elab *e, Text *t, const Value *v, int depth) {
  if (depth > 8) { text_add(t, ".."); return; }
  switch (v->kind) {
  case V_BAD: text_add(t, "error"); return;
  case V_UNIT: text_add(t, "()"); return;
  case V_BOOL: text_add(t, "bool"); return;
  case V_INT: text_add(t, "int"); return;
  case V_STRING: case V_TEXT: text_add(t, "string"); return;
  case V_NODE: case V_CELL: {
    Type type = *cell_type(e, v);
    if (v->kind == V_NODE && node_flex(e, v->node) && dtype_is_float((DType)type.dtype)) type.dtype = F32;
    text_add(t, type_show(e->a, &type));
    return;
  }
  case V_TUPLE: case V_LIST:
    text_add(t, v->kind == V_TUPLE ? "(" : "[");
    for (uint32_t k = 0; k < v->items->n; k++) {
      if (k == 8 && v->items->n > 9) { text_printf(t, ", .. %u in all", v->items->n); break; }
      if (k) text_add(t, ", ");
      type_add(e, t, &v->items->at[k], depth + 1);
    }
    if (v->kind == V_TUPLE && v->items->n == 1) text_add(t, ",");
    text_add(t, v->kind == V_TUPLE ? ")" : "]");
    return;
  case V_RECORD:
    text_add(t, "{");
    for (uint32_t k = 0; k < v->fields->n; k++) {
      text_printf(t, "%s%s: ", k ? ", " : "", v->fields->name[k]);
      type_add(e, t, &v->fields->at[k], depth + 1);
    }
    text_add(t, "}");
    return;
  case V_FN: fn_text(e, t, v->fn, depth > 0 && v->fn->kind != FN_CLOSURE); return;
  case V_INSTANCE: instance_text(e, t, v->instance, depth); return;
  case V_OPTIMIZER: text_printf(t, "optimizer %s", v->optimizer->rule->name ? v->optimizer->rule->name : ""); return;
  case V_SERIES: text_add(t, "series"); return;
  case V_MODULE: text_printf(t, "import \"%s\"", v->module->path); return;
  case V_SEQ:
    if (v->seq->count >= 0) text_printf(t, "%s of %lld", v->seq->what, (long long)v->seq->count);
    else text_printf(t, "%s", v->seq->what);
    return;
  case V_TYPE: text_printf(t, "type %s", type_show(e->a, v->type)); return;
  default: text_add(t, "?"); return;
  }
}

char *type_text(Elab *e, const Value *v) {
  Text t = {.arena = e->a};
  type_add(e, &t, v, 0);
  return t.at ? t.at : arena_text(e->a, "", 0);
}

const char *value_kind_text(Elab *e, const Value *v) {
  switch (v->kind) {
  case V_UNIT: return "()";
  case V_BOOL: return v->b ? "the bool true" : "the bool false";
  case V_INT: return arena_printf(e->a, "the int %lld", (long long)v->i);
  case V_STRING: case V_TEXT: return "a string";
  case V_NODE: case V_CELL: {
    const char *type = type_text(e, v);
    if (cell_type(e, v)->rank > 0) return arena_printf(e->a, "a tensor %s", type);
    if (v->kind == V_NODE && node_flex(e, v->node))
      return graph_at(e->g, v->node)->flags & NODE_INTS ? "an int" : "a float";
    return arena_printf(e->a, "a scalar %s", type);
  }
  case V_TUPLE: return arena_printf(e->a, "a tuple of %u", v->items->n);
  case V_LIST: return v->items->n == 0 ? "an empty list" : arena_printf(e->a, "a list of %u", v->items->n);
  case V_RECORD: return "a record";
  case V_FN:
    switch (v->fn->kind) {
    case FN_PROC: return v->fn->name ? arena_printf(e->a, "the proc `%s`", v->fn->name) : "a proc";
    case FN_LAYER: return v->fn->name ? arena_printf(e->a, "the layer `%s`", v->fn->name) : "a layer";
    case FN_OPTIMIZER:
      return v->fn->name ? arena_printf(e->a, "the optimizer rule `%s`", v->fn->name) : "an optimizer rule";
    case FN_CHAIN: return "a chain of functions";
    default: return v->fn->name ? arena_printf(e->a, "the function `%s`", v->fn->name) : "a function";
    }
  case V_INSTANCE:
    return v->instance->layer && v->instance->layer->name
               ? arena_printf(e->a, "an instance of `%s`", v->instance->layer->name)
               : "an instance";
  case V_OPTIMIZER: return "an optimizer";
  case V_SERIES: return "a series";
  case V_MODULE: return arena_printf(e->a, "the import \"%s\"", v->module->path);
  case V_SEQ: return v->seq->is_range ? "a range" : "a sequence";
  case V_TYPE: return arena_printf(e->a, "the type %s", type_show(e->a, v->type));
  case V_ABSENT: return "nothing";
  default: return "an error";
  }
}

/* ---- values ---- */
static void quoted(Text *t, const Str *s) {
  text_add(t, "\"");
  for (uint32_t k = 0; k < s->n; k++) {
    char c = s->at[k];
    if (c == '"' || c == '\\') text_add(t, "\\");
    if (c == '\n') text_add(t, "\\n");
    else if (c == '\t') text_add(t, "\\t");
    else text_add_n(t, &c, 1);
  }
  text_add(t, "\"");
}

/* As print, every digit; a format wants a number. */
static void int_text(Writer *w, int64_t i, const Format *f) {
  if (f->kind == 0 && f->width == 0 && f->digits < 0) text_printf(&w->text, "%lld", (long long)i);
  else format_number(&w->text, (double)i, I32, f);
}

static void add_value(Writer *w, Value v, const Format *f, bool inside, int depth) {
  Elab *e = w->e;
  v = value_decay(e, v);
  if (depth > 64) { text_add(&w->text, ".."); return; }
  switch (v.kind) {
  case V_INT: int_text(w, v.i, f); return;
  case V_BOOL: text_add(&w->text, v.b ? "true" : "false"); return;
  case V_STRING:
    if (inside) quoted(&w->text, v.str);
    else text_add_n(&w->text, v.str->at, v.str->n);
    return;
  case V_TEXT:
    if (inside) text_add(&w->text, "\"");
    for (uint32_t k = 0; k < v.text->text->part.n; k++) {
      const Part *p = &v.text->text->part.at[k];
      if (p->text) text_add(&w->text, p->text);
      else if (p->write) itself(w, p->write, p->what);
      else hole(w, v.text->need.at[p->need].node, &p->format);
    }
    if (inside) text_add(&w->text, "\"");
    return;
  case V_NODE: {
    NodeId n = settle(e, v.node);
    if (n != NO_NODE) hole(w, n, f);
    return;
  }
  case V_TUPLE: case V_LIST:
    text_add(&w->text, v.kind == V_TUPLE ? "(" : "[");
    for (uint32_t k = 0; k < v.items->n; k++) {
      if (k) text_add(&w->text, ", ");
      add_value(w, v.items->at[k], f, true, depth + 1);
    }
    if (v.kind == V_TUPLE && v.items->n == 1) text_add(&w->text, ",");
    text_add(&w->text, v.kind == V_TUPLE ? ")" : "]");
    return;
  case V_RECORD:
    text_add(&w->text, "{");
    for (uint32_t k = 0; k < v.fields->n; k++) {
      text_printf(&w->text, "%s%s = ", k ? ", " : "", v.fields->name[k]);
      add_value(w, v.fields->at[k], f, true, depth + 1);
    }
    text_add(&w->text, "}");
    return;
  case V_FN: fn_text(e, &w->text, v.fn, true); return;
  case V_SERIES:
    if (inside) break;
    itself(w, table_write, v.series->table);
    return;
  case V_SEQ:
    if (v.seq->is_range && v.seq->count >= 0 && !v.seq->captured) {
      text_printf(&w->text, "%lld..%s%lld", (long long)v.seq->from, v.seq->count ? "" : "<",
                  (long long)(v.seq->from + (v.seq->count ? v.seq->count - 1 : 0)));
      return;
    }
    break;
  default: break;
  }
  text_add(&w->text, type_text(e, &v));
}

const TextValue *text_value(Elab *e, const Value *text) {
  return text->kind == V_TEXT ? text->text : text_literal(e->a, text->str->at);
}

const char *text_shown(Elab *e, const Value *v) {
  if (v->kind == V_STRING) return v->str->at;
  if (v->kind != V_TEXT) return NULL;
  Text t = {.arena = e->a};
  text_add(&t, "");
  for (uint32_t k = 0; k < v->text->text->part.n; k++) {
    const Part *p = &v->text->text->part.at[k];
    const Tensor *x = p->text || p->write ? NULL : graph_known(e->g, v->text->need.at[p->need].node);
    if (p->text) text_add(&t, p->text);
    else if (x) format_tensor(&t, x, &p->format, 0);
    else text_add(&t, "..");
  }
  return t.at;
}

Value text_of(Elab *e, const Value *v, uint32_t n, const Format *f, const char *between) {
  Writer w = {.e = e, .m = NEW(e->a, Template), .text = {.arena = e->a}, .f = f ? f : &plain};
  for (uint32_t k = 0; k < n; k++) {
    if (v[k].kind == V_BAD) return v_bad();
    if (k) text_add(&w.text, between);
    add_value(&w, v[k], w.f, false, 0);
  }
  if (w.m->part.n == 0) return v_string(e->a, w.text.at ? w.text.at : "", w.text.n);
  flush(&w);
  TextValue *t = NEW(e->a, TextValue);
  t->text = w.m;
  t->need = w.need;
  return (Value){.kind = V_TEXT, .text = t};
}

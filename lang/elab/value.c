/* value: values are made here. */
#include "elab/value.h"
#include "elab/elab.h"
#include <string.h>

Value v_string(Arena *a, const char *text, size_t n) {
  Str *s = NEW(a, Str);
  *s = (Str){.n = (uint32_t)n, .at = arena_text(a, text, n)};
  return (Value){.kind = V_STRING, .str = s};
}

Value v_items(Arena *a, ValueKind kind, const Value *at, uint32_t n) {
  Items *items = NEW(a, Items);
  items->n = n;
  items->at = NEW_N(a, Value, n ? n : 1);
  if (n) memcpy(items->at, at, n * sizeof *at);
  return (Value){.kind = (uint8_t)kind, .items = items};
}

Value v_ints(Arena *a, const int64_t *i, uint32_t n) {
  Items *items = NEW(a, Items);
  *items = (Items){.n = n, .at = NEW_N(a, Value, n + 1)};
  for (uint32_t k = 0; k < n; k++) items->at[k] = v_int(i[k]);
  return (Value){.kind = V_LIST, .items = items};
}

Fn *fn_new(Elab *e, FnKind kind, const char *name) {
  Fn *f = NEW(e->a, Fn);
  f->kind = kind;
  f->name = name;
  f->frame = e->here.frame;
  return f;
}

Value native_value(Elab *e, const Native *n) {
  Fn *f = fn_new(e, FN_NATIVE, n->name);
  f->native = n;
  return v_fn(f);
}

Value bound_value(Elab *e, const Native *n, BoundCall call, const Value *captured, uint32_t n_captured) {
  Fn *f = fn_new(e, FN_NATIVE, n->name);
  f->native = n;
  f->bound = call;
  f->captured = v_items(e->a, V_TUPLE, captured, n_captured).items;
  return v_fn(f);
}

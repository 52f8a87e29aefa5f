/* ffi: see ffi.h. A foreign op's nodes carry the op itself in attr->foreign, and in attr->i the rank and dims of the
 * result and then the sizes to pass: a kernel is given nothing but its KernelCall.
 */
#include "exec/ffi.h"
#include <assert.h>
#include <dlfcn.h>
#include <ffi.h>
#include <string.h>

typedef struct Foreign {
  Op op;                    /* first: an Op that is opaque is a Foreign */
  ForeignSig sig;
  ffi_cif cif;
  ffi_type **args;
} Foreign;

/* ---- libraries ---- */

static void library_drop(Owned *o) {
  Library *l = (Library *)(void *)o;
  dlclose(l->handle);
  host_free(l->host, l, sizeof *l);
}

Library *library_open(Host *h, const char *path, const char **why) {
  Library *l = host_alloc(h, sizeof *l);   /* before dlopen: nothing after it can fail */
  l->host = h;
  l->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!l->handle) {
    *why = dlerror();
    host_free(h, l, sizeof *l);
    return NULL;
  }
  owned_born(h, &l->owned, library_drop);
  return l;
}

void *library_symbol(Library *l, const char *name, const char **why) {
  dlerror();
  void *p = dlsym(l->handle, name);
  if (!p) {
    const char *reason = dlerror();
    *why = reason ? reason : "the symbol is null";
  }
  return p;
}

void library_keep(Library *l) { owned_keep(&l->owned); }

/* ---- the op ---- */

static ffi_type *c_type(DType d) {
  switch (d) {
  case F32: return &ffi_type_float;
  case F64: return &ffi_type_double;
  case I32: return &ffi_type_sint32;
  default: return &ffi_type_uint8;
  }
}

static bool foreign_type(TypeRule *r) {
  const Foreign *f = (const Foreign *)(const void *)r->op;
  const ForeignSig *s = &f->sig;
  if (r->n != s->n_in)
    return refuse(r, BAD_SIZE, -1, -1, NULL, "`%s` takes %u arguments, not %u", s->name, s->n_in, r->n);
  for (uint32_t k = 0; k < r->n; k++) {
    if (r->x[k]->dtype != s->in[k])
      return refuse(r, BAD_DTYPE, (int)k, -1, NULL, "argument %u of `%s` is %s, but %s is given", k + 1, s->name,
                    dtype_name[s->in[k]], dtype_name[r->x[k]->dtype]);
    if (s->scalar && k > 0 && !type_same_shape(r->x[0], r->x[k]))
      return refuse(r, BAD_SHAPE, 0, (int)k, NULL, "the arguments of `%s` differ in shape: %s and %s", s->name,
                    shape_show(r->g->arena, r->x[0]), shape_show(r->g->arena, r->x[k]));
  }
  if (s->scalar) {
    r->y = r->n > 0 ? *r->x[0] : type_scalar(s->out);
    r->y.dtype = (uint8_t)s->out;
    return true;
  }
  const Attr *a = r->attr;
  if (a->n < 1 || a->i[0] < 0 || a->i[0] > MAX_RANK || a->n != 1 + (uint32_t)a->i[0] + s->n_dims)
    return refuse(r, BAD_RANK, -1, -1, NULL, "the result's shape and %u sizes are wanted", s->n_dims);
  r->y = type_make(s->out, (int)a->i[0], a->i + 1);
  if (!type_fits(&r->y)) return refuse(r, BAD_LIMIT, -1, -1, NULL, "the result of `%s` is too large", s->name);
  return true;
}

/* libffi widens an integral result to a register: take it from there. */
typedef union Result { ffi_arg word; float f32; double f64; ffi_sarg sword; } Result;

static void store(void *out, int64_t i, DType d, const Result *r) {
  switch (d) {
  case F32: ((float *)out)[i] = r->f32; break;
  case F64: ((double *)out)[i] = r->f64; break;
  case I32: ((int32_t *)out)[i] = (int32_t)r->sword; break;
  default: ((uint8_t *)out)[i] = d == BOOL ? (uint8_t)((uint8_t)r->word != 0) : (uint8_t)r->word; break;
  }
}

enum { FOREIGN_ARGS = 64 };

static bool foreign_run(KernelCall *c) {
  const Foreign *f = c->attr->foreign;
  const ForeignSig *s = &f->sig;
  ffi_cif *cif = (ffi_cif *)(uintptr_t)&f->cif;    /* ffi_call reads it */
  if (!s->fn) {                                    /* its library was not to be opened */
    c->fault = (Fault){.code = FAULT_OP, .element = -1};
    return false;
  }
  void *value[FOREIGN_ARGS];
  if (s->scalar) {
    int64_t n = type_count(c->out_type);
    for (int64_t i = 0; i < n; i++) {
      for (uint32_t k = 0; k < s->n_in; k++)
        value[k] = (char *)(uintptr_t)c->in[k] + (size_t)i * dtype_size[s->in[k]];
      Result r;
      ffi_call(cif, s->fn, &r, value);
      store(c->out, i, s->out, &r);
    }
    return true;
  }
  const void *pointer[FOREIGN_ARGS];
  int64_t size[FOREIGN_ARGS];
  uint32_t n = 0;
  for (uint32_t k = 0; k < s->n_in; k++, n++) pointer[n] = c->in[k];
  pointer[n++] = c->out;
  for (uint32_t k = 0; k < n; k++) value[k] = &pointer[k];
  for (uint32_t k = 0; k < s->n_dims; k++, n++) {
    size[k] = c->attr->i[1 + c->out_type->rank + k];
    value[n] = &size[k];
  }
  Result none;
  ffi_call(cif, s->fn, &none, value);
  return true;
}

static const OpFault not_opened = {.text = "the library of this function was not opened"};

const Op *foreign_op(Arena *a, const ForeignSig *s) {
  uint32_t n = s->scalar ? s->n_in : s->n_in + 1 + s->n_dims;
  if (n > FOREIGN_ARGS) return NULL;
  Foreign *f = NEW(a, Foreign);
  f->sig = *s;
  f->sig.name = arena_text(a, s->name, strlen(s->name));
  f->sig.in = arena_copy(a, s->in, s->n_in * sizeof *s->in);
  f->args = NEW_N(a, ffi_type *, n > 0 ? n : 1);
  for (uint32_t k = 0; k < n; k++)
    f->args[k] = s->scalar ? c_type(s->in[k]) : k <= s->n_in ? &ffi_type_pointer : &ffi_type_sint64;
  ffi_type *result = s->scalar ? c_type(s->out) : &ffi_type_void;
  if (ffi_prep_cif(&f->cif, FFI_DEFAULT_ABI, n, result, f->args) != FFI_OK) return NULL;
  f->op = (Op){
    .name = f->sig.name, .doc = "A foreign function.", .id = N_OPS, .flags = OP_HIDDEN | OP_OPAQUE,
    .n_in = (int8_t)s->n_in, .type = foreign_type, .run = foreign_run, .batch = s->scalar ? batch_same : NULL,
    .no_grad = "a foreign function: write a `gradient` for it", .faults = &not_opened,
  };
  return &f->op;
}

NodeId foreign_emit(Graph *g, const Op *op, const NodeId *in, const Type *shape, const int64_t *size, Loc loc,
                    TypeError *e) {
  const Foreign *f = (const Foreign *)(const void *)op;
  int64_t i[1 + MAX_RANK + FOREIGN_ARGS];
  uint32_t n = 0;
  if (!f->sig.scalar) {
    i[n++] = shape->rank;
    for (int k = 0; k < shape->rank; k++) i[n++] = shape->dim[k];
    for (uint32_t k = 0; k < f->sig.n_dims; k++) i[n++] = size[k];
  }
  Attr attr = {.foreign = op, .n = n, .i = i};
  return graph_emit(g, op, in, f->sig.n_in, &attr, loc, e);
}

static void named(Text *t, const char *type, const char *const *name, uint32_t k) {
  bool pointer = type[strlen(type) - 1] == '*';
  text_printf(t, name && name[k] ? pointer ? "%s%s" : "%s %s" : "%s", type, name ? name[k] : "");
}

const char *foreign_prototype(Arena *a, const Op *op) {
#define VALUE(x, id, name, C, ...) [id] = #C,
#define INPUT(x, id, name, C, ...) [id] = "const " #C " *",
  static const char *const value[N_DTYPES] = {DTYPES(VALUE, )}, *const input[N_DTYPES] = {DTYPES(INPUT, )};
  const ForeignSig *s = &((const Foreign *)(const void *)op)->sig;
  Text t = {.arena = a};
  text_printf(&t, "%s %s(", s->scalar ? value[s->out] : "void", s->name);
  const char *sep = "";
  for (uint32_t k = 0; k < s->n_in; k++, sep = ", ") {
    text_add(&t, sep);
    named(&t, s->scalar ? value[s->in[k]] : input[s->in[k]], s->arg, k);
  }
  if (!s->scalar) {
    text_printf(&t, "%s%s *%s", sep, value[s->out], s->arg ? "result" : "");
    for (uint32_t k = 0; k < s->n_dims; k++) {
      text_add(&t, ", ");
      named(&t, "int64_t", s->dim, k);
    }
  }
  text_add(&t, s->scalar && s->n_in == 0 ? "void)" : ")");
  return t.at;
}

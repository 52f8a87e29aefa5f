/* files: files of numbers whose header is read while the script is checked. In: a known path. Out: an input node
 * bound to a slot that reads the file when it is first needed, before any step of the text is done.
 *
 * A relative path means the working directory (of a run that goes on: that in which it began), then the place of the
 * script; `.gz` is tried after each. A file named twice is one slot.
 */
#define _POSIX_C_SOURCE 200809L
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/args.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include "text/folder.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

/* The file that a path means, or NULL. */
static const char *find_file(Elab *e, const char *path) {
  const char *script = e->here.source ? e->here.source->name : "", *slash = strrchr(script, '/');
  bool relative = path[0] != '/';
  const char *began = e->s->run.began && relative ? arena_printf(e->a, "%s/%s", e->s->run.began, path) : NULL;
  const char *beside = slash && relative ? arena_printf(e->a, "%.*s/%s", (int)(slash - script), script, path) : NULL;
  const char *place[] = {began, began ? beside : path, began ? path : beside};
  for (size_t k = 0; k < sizeof place / sizeof *place; k++) {
    if (!place[k]) continue;
    if (access(place[k], R_OK) == 0) return place[k];
    const char *packed = arena_printf(e->a, "%s.gz", place[k]);
    if (access(packed, R_OK) == 0) return packed;
  }
  return NULL;
}

/* A file of such a name in the folder that was looked in, or which folder is not there. */
static void say_no_file(Elab *e, Diag *g, const char *path) {
  const char *script = e->here.source ? e->here.source->name : "", *slash = strrchr(script, '/');
  const char *near = folder_near(e->a, path, NULL), *missing = folder_missing(e->a, path);
  if (!near && slash && path[0] != '/') {
    size_t before = (size_t)(slash - script) + 1;
    const char *beside = arena_printf(e->a, "%.*s/%s", (int)(slash - script), script, path);
    near = folder_near(e->a, beside, NULL);
    if (near) near += before;
    const char *other = folder_missing(e->a, beside);
    if (!other) missing = NULL;
    else if (!missing || strlen(other + before) > strlen(missing)) missing = other + before;
  }
  diag_note(e->d, g, 0, "looked in the working directory and beside the script, also for \"%s.gz\"", path);
  if (near) diag_hint(e->d, g, "did you mean \"%s\"?", near);
  else if (missing) diag_hint(e->d, g, "there is no folder \"%s\"", missing);
}

static Value data_node(Elab *e, const char *path, const Type *t, Tensor *(*read)(DataFile *, Host *, FileError *),
                       void *how, const Ast *at) {
  SlotId slot = NO_SLOT;
  for (uint32_t k = 0; k < e->p->slot.n && slot == NO_SLOT; k++) {
    const Slot *s = &e->p->slot.at[k];
    if (s->kind == SLOT_DATA && s->file && s->file->read == read && s->file->how == how &&
        strcmp(s->file->path, path) == 0 && type_eq(&s->type, t))
      slot = k;
  }
  if (slot == NO_SLOT) {
    DataFile *f = NEW(e->a, DataFile);
    *f = (DataFile){.path = path, .read = read, .how = how};
    slot = slot_new(e->p, SLOT_DATA, t, path, elab_loc(e, at));
    e->p->slot.at[slot].file = f;
  }
  NodeId n = graph_input(e->g, slot, t, elab_loc(e, at));
  e->g->node[n].flags |= NODE_LAZY;
  return v_node(n);
}

static Tensor *read_idx(DataFile *f, Host *h, FileError *error) { return idx_read(h, f->path, error); }

/* The file that an argument names; NULL: reported. */
static const char *want_file(Elab *e, const Arg *arg) {
  const char *name = arg->text, *path = find_file(e, name);
  if (!path) say_no_file(e, elab_error(e, arg->at, E_NO_FILE, name), name);
  return path;
}

static Value n_idx(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const char *path = want_file(e, &a[0]);
  Type t;
  FileError error = {0};
  if (!path) return v_bad();
  if (!idx_type(arena_host(e->a), path, &t, &error)) {
    elab_error(e, a[0].at, E_FILE, error.text);
    return v_bad();
  }
  return data_node(e, path, &t, read_idx, NULL, a[0].at);
}

static Tensor *read_npy(DataFile *f, Host *h, FileError *error) {
  Arena *a = arena_new(h);
  Tensor *t = npy_read(a, f->path, error);
  arena_free(a);
  return t;
}

static Value n_npy(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const char *path = want_file(e, &a[0]);
  Type t;
  FileError error = {0};
  if (!path) return v_bad();
  if (!npy_type(e->a, path, &t, &error)) {
    elab_error(e, a[0].at, E_FILE, error.text);
    return v_bad();
  }
  return data_node(e, path, &t, read_npy, NULL, a[0].at);
}

/* how: the name of the array. */
static Tensor *read_npz(DataFile *f, Host *h, FileError *error) {
  Arena *a = arena_new(h);
  Tensor *t = npz_read(a, f->path, f->how, error);
  arena_free(a);
  return t;
}

static Value n_npz(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const char *path = want_file(e, &a[0]);
  NamedType *t;
  uint32_t n;
  FileError error = {0};
  if (!path) return v_bad();
  if (!npz_types(e->a, path, &t, &n, &error)) {
    elab_error(e, a[0].at, E_FILE, error.text);
    return v_bad();
  }
  Fields *f = NEW(e->a, Fields);
  *f = (Fields){.n = n, .name = NEW_N(e->a, Sym, n + 1), .at = NEW_N(e->a, Value, n + 1)};
  for (uint32_t k = 0; k < n; k++) {
    f->name[k] = sym(e->s->sources, t[k].name, strlen(t[k].name));
    f->at[k] = data_node(e, path, &t[k].type, read_npz, (void *)(uintptr_t)f->name[k], a[0].at);
  }
  return (Value){.kind = V_RECORD, .fields = f};
}

static Tensor *read_image(DataFile *f, Host *h, FileError *error) {
  Arena *a = arena_new(h);
  Tensor *t = image_read(a, f->path, error);
  arena_free(a);
  return t;
}

/* Samples as they are in the file, and the one that means 1: `image` of the library divides. */
static Value n_image_file(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const char *path = want_file(e, &a[0]);
  Type t;
  int32_t white;
  FileError error = {0};
  if (!path) return v_bad();
  if (!image_type(e->a, path, &t, &white, &error)) {
    elab_error(e, a[0].at, E_FILE, error.text);
    return v_bad();
  }
  Value pair[2] = {data_node(e, path, &t, read_image, NULL, a[0].at), v_int(white)};
  return v_items(e->a, V_TUPLE, pair, 2);
}

/* ---- tables and texts ---- */
/* Their cells were read while checking, because nothing less tells numbers from text; how is where they are. */
static Tensor *read_column(DataFile *f, Host *h, FileError *error) {
  (void)error;
  const CsvColumn *c = ((void **)f->how)[0];
  const Type *t = ((void **)f->how)[1];
  return tensor_from(h, t, c->number ? (const void *)c->number : c->code);
}

static Value column_value(Elab *e, const char *path, const CsvColumn *c, int64_t rows, uint64_t digest,
                          const Ast *at) {
  Type *t = NEW(e->a, Type);
  *t = type_make(c->number ? F32 : I32, 1, &rows);
  void **how = NEW_N(e->a, void *, 2);
  how[0] = (void *)(uintptr_t)c;
  how[1] = t;
  Value data = data_node(e, path, t, read_column, how, at);
  DataFile *file = e->p->slot.at[graph_at(e->g, data.node)->attr->i[0]].file;
  file->digest = digest;
  file->digested = true;
  if (c->number) return data;
  Value *class_ = NEW_N(e->a, Value, c->n_class + 1);
  for (int64_t k = 0; k < c->n_class; k++) class_[k] = v_string(e->a, c->class_[k], strlen(c->class_[k]));
  Fields *f = NEW(e->a, Fields);
  *f = (Fields){.n = 2, .name = NEW_N(e->a, Sym, 2), .at = NEW_N(e->a, Value, 2)};
  f->name[0] = sym(e->s->sources, "codes", 5);
  f->name[1] = sym(e->s->sources, "classes", 7);
  f->at[0] = data;
  f->at[1] = v_items(e->a, V_LIST, class_, (uint32_t)c->n_class);
  return (Value){.kind = V_RECORD, .fields = f};
}

static Value n_csv(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const char *path = want_file(e, &a[0]), *separator = ",";
  bool missing = a[1].given;
  if (!path) return v_bad();
  if (missing && !isnan(a[1].f)) {
    elab_error(e, a[1].at, E_WANTED, "`missing = nan`", value_kind_text(e, &a[1].value));
    return v_bad();
  }
  if (a[2].given) separator = a[2].text;
  if (strlen(separator) != 1 || strchr("\"\n\r", separator[0])) {
    elab_error(e, a[2].at, E_WANTED, "a separator of one character", "a longer string");
    return v_bad();
  }
  CsvTable t = {0};
  FileError error = {0};
  if (!csv_read(e->a, path, separator[0], missing, &t, &error)) {
    elab_error(e, a[0].at, E_FILE, error.text);
    return v_bad();
  }
  if (t.header_is_numbers) {
    Diag *g = elab_error(e, a[0].at, E_CSV_HEADER, path, t.column[0].name);
    if (g) diag_hint(e->d, g, "write a first line with names into the file: `%s`", t.n > 1 ? "x1,x2" : "x");
  }
  Fields *f = NEW(e->a, Fields);
  *f = (Fields){.n = t.n, .name = NEW_N(e->a, Sym, t.n + 1), .at = NEW_N(e->a, Value, t.n + 1)};
  for (uint32_t k = 0; k < t.n; k++) {
    f->name[k] = sym(e->s->sources, t.column[k].name, strlen(t.column[k].name));
    f->at[k] = column_value(e, path, &t.column[k], t.rows, error.digest, a[0].at);
  }
  return (Value){.kind = V_RECORD, .fields = f};
}

static Value n_text(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const char *path = want_file(e, &a[0]);
  if (!path) return v_bad();
  CsvColumn *c = NEW(e->a, CsvColumn);
  int64_t rows = 0;
  FileError error = {0};
  if (!text_read(e->a, path, c, &rows, &error)) {
    elab_error(e, a[0].at, E_FILE, error.text);
    return v_bad();
  }
  return column_value(e, path, c, rows, error.digest, a[0].at);
}

const Native native_files[] = {
    {"idx", "path:string", n_idx,
     "The tensor in an IDX file, plain or .gz (the format of MNIST). Its shape is read while the script is checked, "
     "its contents "
     "when\nthey are needed.",
     "shape(idx(\"data/t10k-labels-idx1-ubyte\"))"},
    {"npy", "path:string", n_npy,
     "The tensor in a file of NumPy's: f4, f8, i4, u1 and b1 as they are, i1, i2 and i8 as i32 where they fit.",
     "shape(npy(\"data/weights.npy\"))"},
    {"npz", "path:string", n_npz,
     "The tensors in an archive of NumPy's, as a record by their names; elements as `npy` reads them.",
     "npz(\"data/weights.npz\").w"},
    {"image_file", "path:string", n_image_file,
     "What `image` reads: the samples of a picture as they are in the file, and the one that means 1.", NULL},
    {"csv", "path:string, missing:float?, separator:string?", n_csv,
     "A table as a record of columns, by the names in its first line: numbers as f32[n], text as {codes, classes}. A "
     "gap (an empty\n"
     "cell, among numbers also NA, N/A, null, ?) is an error, unless `missing = nan`. Plain or .gz.",
     "csv(\"houses.csv\").price"},
    {"text", "path:string", n_text,
     "A text as {codes, classes}: its characters as numbers, and the characters that occur, in the order of Unicode.",
     "len(text(\"poems.txt\").classes)"},
    {0}};

/* native_files: files of numbers whose header is read while the script is checked. In: a known path. Out: an input node
 * bound to a slot that reads the file when it is first needed.
 *
 * A relative path means the working directory, then the place of the script; `.gz` is tried after each. A file named
 * twice is one slot.
 */
#include "folder.h"
#include "native.h"
#include <stdio.h>
#include <string.h>

static bool readable(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) return false;
  fclose(f);
  return true;
}

/* The file that a path means, or NULL. */
static const char *find_file(Elab *e, const char *path) {
  const char *script = e->source ? e->source->name : "", *slash = strrchr(script, '/');
  const char *beside =
      path[0] == '/' || !slash ? NULL : arena_printf(e->a, "%.*s/%s", (int)(slash - script), script, path);
  const char *tried[4] = {path, arena_printf(e->a, "%s.gz", path), beside,
                          beside ? arena_printf(e->a, "%s.gz", beside) : NULL};
  for (int k = 0; k < 4; k++)
    if (tried[k] && readable(tried[k])) return tried[k];
  return NULL;
}

/* A file of such a name in the folder that was looked in, or which folder is not there. */
static void say_no_file(Elab *e, Diag *g, const char *path) {
  const char *script = e->source ? e->source->name : "", *slash = strrchr(script, '/');
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
                       const Ast *at) {
  SlotId slot = NO_SLOT;
  for (uint32_t k = 0; k < e->p->slot.n && slot == NO_SLOT; k++) {
    const Slot *s = &e->p->slot.at[k];
    if (s->kind == SLOT_DATA && s->file && s->file->read == read && strcmp(s->file->path, path) == 0 &&
        type_eq(&s->type, t))
      slot = k;
  }
  if (slot == NO_SLOT) {
    DataFile *f = NEW(e->a, DataFile);
    *f = (DataFile){.path = path, .read = read};
    slot = slot_new(e->p, SLOT_DATA, t, path, elab_loc(e, at));
    e->p->slot.at[slot].file = f;
  }
  NodeId n = graph_input(e->g, slot, t, elab_loc(e, at));
  e->g->node[n].flags |= NODE_LAZY;
  return v_node(n);
}

static Tensor *read_idx(DataFile *f, Host *h, FileError *error) { return idx_read(h, f->path, error); }

static Value n_idx(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  const Ast *where = arg_ast(a, 0, at);
  const char *name = want_string(e, a->at[0], where, "the path of a file");
  if (!name) return v_bad();
  const char *path = find_file(e, name);
  Diag *g;
  if (!path) {
    if ((g = elab_error(e, where, E_NO_FILE, name))) say_no_file(e, g, name);
    return v_bad();
  }
  Type t;
  FileError error = {{0}};
  if (!idx_type(arena_host(e->a), path, &t, &error)) {
    elab_error(e, where, E_FILE, error.text);
    return v_bad();
  }
  return data_node(e, path, &t, read_idx, where);
}

const Native native_files[] = {{"idx", "path", n_idx,
                                "The tensor in an IDX file, plain or .gz (the format of MNIST). Its shape is read "
                                "while the script is checked, its contents when\n"
                                "they are needed.",
                                "shape(idx(\"data/t10k-labels-idx1-ubyte\"))"},
                               {0}};

/* import: `import "path.nn" as m`. In: the statement. Out: `m` is a module: the definitions and `let`s of a file,
 * elaborated once in a scope of its own, behind which only the library stands, never the names of whoever imports it.
 *
 * A file is what the system says it is (device and inode), so two paths to one file are one module. A mistake inside is
 * placed at the user's `import`, by the chain of callers that every Loc has; a step and a cycle are mistakes of the
 * imported file's own lines and are shown there.
 */
#define _POSIX_C_SOURCE 200809L
#include "elab/import.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/names.h"
#include "elab/stmt.h"
#include "text/folder.h"
#include <string.h>
#include <sys/stat.h>

enum { MOST_IMPORTS = 200 };   /* nested */

static bool file_id(const char *path, uint64_t id[2]) {
  struct stat st;
  if (stat(path, &st) != 0 || S_ISDIR(st.st_mode)) return false;
  id[0] = (uint64_t)st.st_dev;
  id[1] = (uint64_t)st.st_ino;
  return true;
}

/* Where a relative path may mean a file: beside the importing text, then along the search path. NULL: no k-th place. */
static const char *candidate(Elab *e, const Ast *ast, const char *path, uint32_t k) {
  const char *from = ast->source->name, *slash = strrchr(from, '/');
  if (path[0] == '/') return k == 0 ? path : NULL;
  if (k == 0) return slash ? arena_printf(e->a, "%.*s/%s", (int)(slash - from), from, path) : path;
  const char *dirs = e->s->config.search;
  for (; dirs && *dirs; k--) {
    size_t n = strcspn(dirs, ":");
    if (k == 1) return n ? arena_printf(e->a, "%.*s/%s", (int)n, dirs, path) : path;
    dirs += n + (dirs[n] == ':');
  }
  return NULL;
}

/* A file like it in the folder beside the importing text, as it would be written here. */
static const char *near_file(Elab *e, const Ast *ast, const char *path) {
  const char *first = candidate(e, ast, path, 0), *near = folder_near(e->a, first, ".nn");
  size_t before = strlen(first) - strlen(path);
  return near && strcmp(near, first) != 0 ? near + before : NULL;
}

static void say_missing(Elab *e, const Ast *ast, const char *path) {
  Diag *g = elab_error(e, ast->kid[0], E_NO_IMPORT, path);
  const char *tried;
  for (uint32_t k = 0; (tried = candidate(e, ast, path, k)) && k < 8; k++)
    diag_note(e->d, g, 0, "looked for \"%s\"", tried);
  const char *near = near_file(e, ast, path);
  if (near) diag_hint(e->d, g, "did you mean \"%s\"?", near);
  else diag_hint(e->d, g, "the path is relative to the file that imports; then the folders of GLIA_PATH are tried");
}

/* ---- what an imported file may hold ---- */
static const char *step_name(const Ast *stmt) {
  switch (stmt->kind) {
  case A_FN: case A_PROC: case A_LAYER: case A_OPTIMIZER: case A_GRADIENT: case A_EXTERN: return NULL;
  case A_LET: case A_TEST: case A_IMPORT: case A_ERROR: return NULL;
  case A_VAR: return "a `var`";
  case A_PARAM: return "a `param`";
  case A_STATE: return "a `state`";
  case A_ASSIGN: return "an assignment";
  case A_FOR: return "a `for`";
  case A_WHILE: return "a `while`";
  case A_PRINT: return "a `print`";
  case A_ASSERT: return "an `assert`";
  case A_EXPR: return stmt->kid[0]->kind == A_CALL ? "a call" : "an expression";
  default: return "a step";
  }
}

/* The first step stands for all of them: one mistake, one message. */
static bool holds_step(Elab *e, const Ast *program, Loc import) {
  for (uint32_t k = 0; k < program->n; k++) {
    const char *what = step_name(program->kid[k]);
    if (!what) continue;
    Diag *g = diag_there(e->d, program->source, program->kid[k]->at, E_IMPORT_STEP, what);
    diag_note(e->d, g, import, "imported here");
    diag_hint(e->d, g, "put it into a `proc` that the importing script calls, or into a `test`");
    return true;
  }
  return false;
}

static void fill(Elab *e, Module *m, const Ast *program, const Ast *ast) {
  CallFrame *frame = NEW(e->a, CallFrame);
  Where outside = place_enter(e, ast->name);
  frame_enter(e, frame, m->scope);
  frame->outer = NULL;
  e->here.source = program->source;
  e->here.module = m;
  e->here.training = false;
  e->here.caller = program->source->import_at;
  elab_definitions(e, program);
  for (uint32_t k = 0; k < program->n; k++) {
    const Ast *stmt = program->kid[k];
    Value last;
    if (stmt->kind != A_LET && stmt->kind != A_IMPORT) continue;
    elab_stmt(e, stmt, &last);
    if (stmt->kind != A_LET || stmt->kid[0]->kind != A_NAME) continue;
    Bound *b = scope_here(m->scope, stmt->kid[0]->name);
    if (b) tree_paths(e, b->value, arena_printf(e->a, "%s.%s", m->name, stmt->kid[0]->name));
  }
  e->here = outside;
}

static bool at_top(const Elab *e) {
  const Where *w = &e->here;
  return w->region->kind == REGION_TOP && !w->frame->outer && w->scope == (w->module ? w->module->scope : e->globals);
}

/* Whether the file is being read further out: the way from there to here is the cycle. */
static bool closes_cycle(Elab *e, const uint64_t id[2], const Ast *ast, Loc here) {
  uint64_t top[2];
  const Module *m = e->here.module;
  while (m && (m->file[0] != id[0] || m->file[1] != id[1])) m = m->by;
  bool script = !m && e->script && file_id(e->script->name, top) && top[0] == id[0] && top[1] == id[1];
  if (!m && !script) return false;
  Diag *g = diag_there(e->d, ast->source, ast->kid[0]->span, E_IMPORT_CYCLE, m ? m->path : e->script->name);
  for (const Place *p = loc_place(e->s->sources, here); p && p->caller; p = loc_place(e->s->sources, p->caller))
    diag_note(e->d, g, p->caller, "imported here");
  bool itself = m ? m == e->here.module : ast->source == e->script;
  diag_hint(e->d, g, itself ? "a file sees its own names without an import" : "move what both need into a third file");
  return true;
}

static Module *load(Elab *e, const Ast *ast, const char *path, const uint64_t id[2], Loc here) {
  const char *bytes;
  size_t n;
  FileError why;
  if (!file_read(e->a, path, (size_t)64 << 20, &bytes, &n, &why)) {
    elab_error(e, ast->kid[0], E_IMPORT_UNREADABLE, path, why.text);
    return NULL;
  }
  for (uint32_t k = e->made.modules.n; k-- > 0;) {   /* a file that changed since (under a REPL) is another module */
    Module *m = e->made.modules.at[k];
    if (m->file[0] == id[0] && m->file[1] == id[1] && m->bytes == n && !memcmp(m->text, bytes, n)) return m;
  }
  uint32_t depth = 0;
  for (const Module *m = e->here.module; m; m = m->by) depth++;
  if (depth >= MOST_IMPORTS || !elab_stack_ok(e, ast)) {
    if (depth >= MOST_IMPORTS) elab_error(e, ast->kid[0], E_IMPORT_DEPTH, MOST_IMPORTS);
    return NULL;
  }
  Module *m = NEW(e->a, Module);
  *m = (Module){.name = ast->name, .path = path, .file = {id[0], id[1]}, .text = bytes, .bytes = n};
  m->by = e->here.module;
  Source *source = source_add(e->s->sources, path, bytes, n);
  source->imported = true;
  source->import_at = here;
  m->scope = scope_new(e, e->library);
  vec_push(e->a, &e->made.modules, m);
  uint32_t errors = e->d->n_errors;
  Parsed *p = parse(e->a, source, e->d, false);
  Outside outside = scope_outside_module(e);
  m->broken = e->d->n_errors > errors;
  if (!m->broken) resolve(e->a, p->program, e->d, &outside);
  m->broken |= holds_step(e, p->program, here);
  fill(e, m, p->program, ast);
  m->broken |= e->d->n_errors > errors;
  return m;
}

void elab_import(Elab *e, const Ast *ast) {
  const Ast *string = ast->kid[0];
  const char *path = string->n && string->kid[0]->kind == A_CHARS ? string->kid[0]->text : "";
  Value v = v_bad();
  uint64_t id[2];
  const char *found = NULL;
  bool holes = false;                       /* reported while reading */
  for (uint32_t k = 0; k < string->n; k++) holes |= string->kid[k]->kind == A_HOLE;
  if (holes) {
    scope_put(e, e->here.scope, ast->name, v, ast);
    return;
  }
  if (!at_top(e)) {
    diag_hint(e->d, elab_error(e, ast->kid[0], E_IMPORT_PLACE), "move it to the head of the file");
  } else {
    for (uint32_t k = 0; !found; k++) {
      const char *tried = candidate(e, ast, path, k);
      if (!tried) break;
      if (file_id(tried, id)) found = tried;
    }
    Loc here = elab_loc(e, ast);
    if (!found) say_missing(e, ast, path);
    else if (!closes_cycle(e, id, ast, here)) {
      Module *m = load(e, ast, found, id, here);
      if (m) v = (Value){.kind = V_MODULE, .module = m};
    }
  }
  scope_put(e, e->here.scope, ast->name, v, ast);
}

Value module_member(Elab *e, const Module *m, Sym name, const Ast *at) {
  Bound *b = scope_here(m->scope, name);
  if (b) return b->value;
  if (m->broken) return v_bad();          /* what is wrong there was reported */
  VEC(const char *) names = {0};
  for (uint32_t k = 0; k < m->scope->bound.n; k++) vec_push(e->a, &names, m->scope->bound.at[k]->name);
  Diag *g = elab_error(e, at, E_NO_MEMBER, arena_printf(e->a, "\"%s\"", m->path), name);
  const char *near = nearest(name, names.at, names.n);
  if (near) diag_hint(e->d, g, "did you mean `%s`?", near);
  else if (scope_find(e, e->library, name))
    diag_hint(e->d, g, "`%s` is of the standard library: write it without `%s.`", name, m->name);
  return v_bad();
}

/* api: glia.h over sessions. In: a host's calls. Out: statuses, texts, views; never a crash, whatever is passed.
 *
 * Each call begins by forgetting the last one's failure and ends by telling its own. What a call allocates beyond its session's own business
 * is in the session's arena, behind a guard; the message of a failed allocation is a constant.
 */
#define _POSIX_C_SOURCE 200809L
#include "glia.h"
#include "function.h"
#include "value.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct glia_function {
  glia_session *owner;
  Function *function;          /* NULL: closed */
  glia_tree *tree;             /* of its last gradient */
};

typedef struct TreeLeaf { const char *path; glia_array view; } TreeLeaf;
struct glia_tree {
  size_t n, cap;
  TreeLeaf *leaf;
};

struct glia_session {
  Session *s;
  glia_config config;
  const char *error;           /* never NULL */
  char text[512];
  Session *checked;            /* of the last glia_check: its diagnostics live there */
  glia_diagnostic *list;
  size_t n_list;
  bool listed;                 /* list is of the last call */
};

static glia_status say(glia_session *s, glia_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static glia_status say(glia_session *s, glia_status status, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(s->text, sizeof s->text, fmt, ap);
  va_end(ap);
  s->error = s->text;
  return status;
}

static void begin(glia_session *s) {
  session_close(s->checked);
  s->checked = NULL;
  s->error = "";
  s->listed = false;
}

/* A guard was left by failure. */
static glia_status failed(glia_session *s) {
  const Host *h = &(s->checked ? s->checked : s->s)->host;
  return say(s, h->failure == FAIL_LIMIT ? GLIA_LIMIT : GLIA_MEMORY, "%s", *h->message ? h->message : "out of memory");
}

static glia_status told(glia_session *s, Status status) {
  switch (status) {
    case STATUS_OK: return GLIA_OK;
    case STATUS_CANCELLED:
      atomic_store(&s->s->cancel, false);
      return say(s, GLIA_CANCELLED, "cancelled");
    case STATUS_MEMORY: return failed(s);
    case STATUS_CLOSED: return say(s, GLIA_CANCELLED, "cancelled by the print callback");
    case STATUS_SCRIPT: break;
  }
  s->error = session_diagnostics(s->checked ? s->checked : s->s, false, 0);
  return GLIA_SCRIPT;
}

/* ---- life ---- */

static bool forward_print(void *to, const char *text, size_t n, Loc loc) {
  (void)loc;
  const glia_session *s = to;
  return !s->config.print || s->config.print(s->config.to, text, n);
}

static void forward_log(void *to, const char *text, bool final) {
  const glia_session *s = to;
  if (s->config.log) s->config.log(s->config.to, text, final);
}

glia_status glia_open(const glia_config *config, glia_session **out) {
  static const glia_config plain = {0};
  if (!out) return GLIA_MISUSE;
  *out = NULL;
  const glia_config *c = config ? config : &plain;
  if (c->threads < 0 || c->n_args < 0 || (c->n_args && !c->args)) return GLIA_MISUSE;
  glia_session *s = c->alloc ? c->alloc(c->user, NULL, sizeof *s) : malloc(sizeof *s);
  if (!s) return GLIA_MEMORY;
  *s = (glia_session){.config = *c, .error = ""};
  SessionConfig inner = {
      .realloc = c->alloc, .user = c->user, .threads = c->threads, .no_fuse = c->no_fuse != 0, .strict = c->strict != 0,
      .no_extern = c->permit_extern == 0, .seed = c->seed, .seed_given = c->has_seed != 0, .max_memory = c->max_memory,
      .args = c->args, .n_args = c->n_args, .search = c->search, .print = forward_print, .progress = c->log ? forward_log : NULL, .to = s,
  };
  Status status = session_open(&inner, &s->s);
  if (status != STATUS_OK) {
    if (c->alloc) c->alloc(c->user, s, 0);
    else free(s);
    return GLIA_MEMORY;
  }
  *out = s;
  return GLIA_OK;
}

void glia_close(glia_session *s) {
  if (!s) return;
  glia_config c = s->config;
  session_close(s->checked);
  session_close(s->s);
  if (c.alloc) c.alloc(c.user, s, 0);
  else free(s);
}

void glia_cancel(glia_session *s) {
  if (s) atomic_store(&s->s->cancel, true);
}

/* ---- scripts ---- */

/* A check has a session of its own, so that it defines nothing in this one. */
static glia_status load(glia_session *s, const char *name, const char *text, size_t n, bool check) {
  if (!s) return GLIA_MISUSE;
  begin(s);
  if (!name) return say(s, GLIA_MISUSE, "no %s is given", text ? "name" : "path");
  Session *in = s->s;
  LoadMode mode = check ? LOAD_CHECK : LOAD_KEEP;
  if (check && session_open(&s->s->config, &s->checked) != STATUS_OK) return say(s, GLIA_MEMORY, "out of memory");
  if (check) in = s->checked;
  if (!text) return told(s, session_load_file(in, name, mode, NULL));
  return told(s, session_load(in, name, text, n == GLIA_TEXT_END ? strlen(text) : n, mode, NULL));
}

static glia_status no_text(glia_session *s) {
  if (!s) return GLIA_MISUSE;
  begin(s);
  return say(s, GLIA_MISUSE, "no text is given");
}

glia_status glia_load(glia_session *s, const char *name, const char *text, size_t n) {
  return text ? load(s, name, text, n, false) : no_text(s);
}

glia_status glia_check(glia_session *s, const char *name, const char *text, size_t n) {
  return text ? load(s, name, text, n, true) : no_text(s);
}

glia_status glia_load_file(glia_session *s, const char *path) { return load(s, path, NULL, 0, false); }
glia_status glia_check_file(glia_session *s, const char *path) { return load(s, path, NULL, 0, true); }

/* ---- errors ---- */

const char *glia_error(const glia_session *s) { return s ? s->error : "no session is given"; }

static void list_diagnostics(glia_session *s) {
  const Diags *d = (s->checked ? s->checked : s->s)->diags;
  s->n_list = d ? d->diag.n : 0;
  s->list = NEW_N(s->s->arena, glia_diagnostic, s->n_list + 1);
  for (size_t k = 0; k < s->n_list; k++) {
    const Diag *g = d->diag.at[k];
    uint32_t line = 0, column = 0;
    if (g->source) source_position(g->source, g->at.first, &line, &column);
    s->list[k] = (glia_diagnostic){.code = diag_info[g->id].code, .warning = g->warning,
                                   .file = g->source ? g->source->name : NULL, .line = (int)line, .column = (int)column,
                                   .text = g->text, .hint = g->hint};
  }
  s->listed = true;
}

glia_status glia_diagnostics(glia_session *s, const glia_diagnostic **list, size_t *n) {
  if (!s) return GLIA_MISUSE;
  if (!list || !n) return say(s, GLIA_MISUSE, "glia_diagnostics: nowhere to put the list");
  *list = NULL;
  *n = 0;
  Guard guard;
  if (!s->listed) {
    if (HOST_GUARD(&s->s->host, &guard)) {
      list_diagnostics(s);
      host_leave(&s->s->host, &guard);
    } else return failed(s);
  }
  *list = s->list;
  *n = s->n_list;
  return GLIA_OK;
}

/* ---- functions ---- */

glia_status glia_get_function(glia_session *s, const char *name, glia_function **out) {
  if (!s) return GLIA_MISUSE;
  begin(s);
  if (!name || !out) return say(s, GLIA_MISUSE, "glia_get_function: a null pointer");
  *out = NULL;
  Guard guard;
  if (HOST_GUARD(&s->s->host, &guard)) {
    glia_function *f = NEW(s->s->arena, glia_function);
    *f = (glia_function){.owner = s, .tree = NEW(s->s->arena, glia_tree)};
    Found found = function_find(s->s, name, &f->function);
    host_leave(&s->s->host, &guard);
    if (found == FOUND_NOTHING) return say(s, GLIA_NOT_FOUND, "nothing at the top level is called `%s`", name);
    if (found == FOUND_OTHER) return say(s, GLIA_MISUSE, "`%s` cannot be called", name);
    *out = f;
    return GLIA_OK;
  }
  return failed(s);
}

void glia_function_close(glia_function *f) {
  if (!f || !f->function) return;
  function_close(f->function);
  f->function = NULL;
  f->tree->n = 0;
}

static void fill(glia_array *out, const Type *t, void *data) {
  out->dtype = (glia_dtype)t->dtype;
  out->rank = t->rank;
  for (int k = 0; k < GLIA_MAX_RANK; k++) out->dim[k] = k < t->rank ? t->dim[k] : 0;
  out->data = data;
}

static bool type_of(const glia_array *a, Type *out) {
  if (glia_count(a) < 0) return false;
  *out = type_make((DType)a->dtype, a->rank, a->dim);
  return true;
}

static bool matches(const glia_array *a, const Type *t) {
  Type given;
  return type_of(a, &given) && type_eq(&given, t);
}

enum { MAX_ARGS = 64 };

/* what: "net.w", "result 0". */
static glia_status misfit(glia_session *s, const Type *wanted, const char *what) {
  Guard guard;
  if (HOST_GUARD(&s->s->host, &guard)) {
    say(s, GLIA_MISUSE, "%s is %s, and the array that is given is not", what, type_show(s->s->arena, wanted));
    host_leave(&s->s->host, &guard);
    return GLIA_MISUSE;
  }
  return failed(s);
}

/* Compiles and runs f; result[k] stands for y[k], then come the gradients. */
static glia_status call(glia_function *f, const char *wrt, const glia_array *x, int n_x, glia_array *y, int n_y, Compiled **out,
                        void **result) {
  glia_session *s = f->owner;
  if (n_x < 0 || n_y < 0 || (n_x && !x) || (n_y && !y)) return say(s, GLIA_MISUSE, "a null pointer or a negative count");
  if (n_x > MAX_ARGS || n_y > MAX_ARGS) return say(s, GLIA_MISUSE, "more than %d arguments or results", MAX_ARGS);
  Type type[MAX_ARGS];
  const void *arg[MAX_ARGS];
  for (int k = 0; k < n_x; k++) {
    if (!type_of(&x[k], &type[k])) return say(s, GLIA_MISUSE, "argument %d is no tensor: element type, rank or a size is wrong", k);
    if (!x[k].data && type_count(&type[k])) return say(s, GLIA_MISUSE, "argument %d has no data", k);
    arg[k] = x[k].data;
  }
  Compiled *c;
  Status status = function_compile(f->function, type, (uint32_t)n_x, wrt, &c);
  if (status != STATUS_OK) return told(s, status);
  if (n_y && (uint32_t)n_y != c->n_result)
    return say(s, GLIA_MISUSE, "`%s` has %u results, and %d are asked for", f->function->name, c->n_result, n_y);
  if (c->n_result + c->n_grad > MAX_RESULTS) return say(s, GLIA_MISUSE, "more than %d results", MAX_RESULTS);
  for (uint32_t k = 0; k < c->n_result + c->n_grad; k++) {
    result[k] = k < (uint32_t)n_y ? y[k].data : NULL;
    if (!result[k] || matches(&y[k], &c->result[k].type)) continue;
    char what[32];
    snprintf(what, sizeof what, "result %u", k);
    return misfit(s, &c->result[k].type, what);
  }
  status = function_run(f->function, c, arg, result);
  if (status != STATUS_OK) return told(s, status);
  for (int k = 0; k < n_y; k++)
    if (!y[k].data) fill(&y[k], &c->result[k].type, result[k]);
  *out = c;
  return GLIA_OK;
}

glia_status glia_call(glia_function *f, const glia_array *x, int n_x, glia_array *y, int n_y) {
  if (!f) return GLIA_MISUSE;
  begin(f->owner);
  if (!f->function) return say(f->owner, GLIA_MISUSE, "glia_call: the function is closed");
  Compiled *c;
  void *result[MAX_RESULTS];
  return call(f, NULL, x, n_x, y, n_y, &c, result);
}

/* Room for n leaves; false: no memory. */
static bool tree_room(glia_session *s, glia_tree *t, size_t n) {
  if (n <= t->cap) return true;
  Guard guard;
  if (HOST_GUARD(&s->s->host, &guard)) {
    t->leaf = NEW_N(s->s->arena, TreeLeaf, n);
    host_leave(&s->s->host, &guard);
    t->cap = n;
    return true;
  }
  return false;
}

glia_status glia_value_and_grad(glia_function *f, const char *wrt, const glia_array *x, int n_x, glia_array *y,
                                glia_tree **grads) {
  if (!f) return GLIA_MISUSE;
  begin(f->owner);
  if (!f->function) return say(f->owner, GLIA_MISUSE, "glia_value_and_grad: the function is closed");
  if (!wrt || !grads) return say(f->owner, GLIA_MISUSE, "glia_value_and_grad: a null pointer");
  *grads = NULL;
  f->tree->n = 0;
  Compiled *c;
  void *result[MAX_RESULTS];
  glia_status status = call(f, wrt, x, n_x, y, y != NULL, &c, result);
  if (status != GLIA_OK) return status;
  if (!tree_room(f->owner, f->tree, c->n_grad)) return failed(f->owner);
  f->tree->n = c->n_grad;
  for (uint32_t k = 0; k < c->n_grad; k++) {
    const Result *r = &c->result[c->n_result + k];
    f->tree->leaf[k].path = r->path;
    fill(&f->tree->leaf[k].view, &r->type, result[c->n_result + k]);
  }
  *grads = f->tree;
  return GLIA_OK;
}

/* ---- trees ---- */

size_t glia_tree_count(const glia_tree *t) { return t ? t->n : 0; }

glia_status glia_tree_at(const glia_tree *t, size_t k, const char **path, glia_array *out) {
  if (!t || k >= t->n) return GLIA_MISUSE;
  if (path) *path = t->leaf[k].path;
  if (out) *out = t->leaf[k].view;
  return GLIA_OK;
}

glia_status glia_tree_get(const glia_tree *t, const char *path, glia_array *out) {
  if (!t || !path) return GLIA_MISUSE;
  for (size_t k = 0; k < t->n; k++)
    if (!strcmp(t->leaf[k].path, path)) return glia_tree_at(t, k, NULL, out);
  return GLIA_NOT_FOUND;
}

/* ---- parameters ---- */

static bool is_parameter(const Slot *slot) { return slot->kind == SLOT_CELL && slot->trained && slot->path && slot->value; }

size_t glia_parameter_count(const glia_session *s) {
  size_t n = 0;
  for (uint32_t k = 0; s && k < s->s->program->slot.n; k++) n += is_parameter(&s->s->program->slot.at[k]);
  return n;
}

glia_status glia_parameter_at(glia_session *s, size_t k, const char **path, glia_array *out) {
  if (!s) return GLIA_MISUSE;
  begin(s);
  for (uint32_t j = 0; j < s->s->program->slot.n; j++) {
    const Slot *slot = &s->s->program->slot.at[j];
    if (!is_parameter(slot) || k-- > 0) continue;
    if (path) *path = slot->path;
    if (out) fill(out, &slot->type, slot->value->data);
    return GLIA_OK;
  }
  return say(s, GLIA_NOT_FOUND, "there are no more parameters");
}

/* Newest first: a later definition replaces the name. */
static SlotId find_parameter(const glia_session *s, const char *path) {
  for (uint32_t k = s->s->program->slot.n; k-- > 0;) {
    const Slot *slot = &s->s->program->slot.at[k];
    if (is_parameter(slot) && !strcmp(slot->path, path)) return k;
  }
  return NO_SLOT;
}

glia_status glia_parameter_get(glia_session *s, const char *path, glia_array *out) {
  if (!s) return GLIA_MISUSE;
  begin(s);
  if (!path || !out) return say(s, GLIA_MISUSE, "glia_parameter_get: a null pointer");
  SlotId id = find_parameter(s, path);
  if (id == NO_SLOT) return say(s, GLIA_NOT_FOUND, "no parameter is called `%s`", path);
  const Slot *slot = &s->s->program->slot.at[id];
  if (!out->data) fill(out, &slot->type, slot->value->data);
  else if (!matches(out, &slot->type)) return misfit(s, &slot->type, path);
  else memcpy(out->data, slot->value->data, (size_t)type_bytes(&slot->type));
  return GLIA_OK;
}

glia_status glia_parameter_set(glia_session *s, const char *path, const glia_array *value) {
  if (!s) return GLIA_MISUSE;
  begin(s);
  if (!path || !value || !value->data) return say(s, GLIA_MISUSE, "glia_parameter_set: a null pointer");
  SlotId id = find_parameter(s, path);
  if (id == NO_SLOT) return say(s, GLIA_NOT_FOUND, "no parameter is called `%s`", path);
  Type type = s->s->program->slot.at[id].type;
  if (!matches(value, &type)) return misfit(s, &type, path);
  Guard guard;
  if (HOST_GUARD(&s->s->host, &guard)) {
    Tensor *t = tensor_from(&s->s->host, &type, value->data);
    slot_put(s->s->program, id, t);
    tensor_unref(t);
    host_leave(&s->s->host, &guard);
    return GLIA_OK;
  }
  return failed(s);
}

/* ---- files ---- */

/* `NAME("path", tree)` as an entry of the session. */
static glia_status file_call(glia_session *s, const char *statement, const char *path, const char *name) {
  if (!s) return GLIA_MISUSE;
  begin(s);
  if (!path || !name) return say(s, GLIA_MISUSE, "a path and a name are wanted");
  Guard guard;
  Text t = {.arena = s->s->arena};
  if (HOST_GUARD(&s->s->host, &guard)) {
    text_printf(&t, "%s(\"", statement);
    for (const char *p = path; *p; p++) {
      if (*p == '"' || *p == '\\') text_add(&t, "\\");
      if (*p == '{' || *p == '}') text_add_n(&t, p, 1);
      text_add_n(&t, p, 1);
    }
    text_printf(&t, "\", %s)", name);
    host_leave(&s->s->host, &guard);
  } else return failed(s);
  Entry *entry;
  return told(s, session_load(s->s, statement, t.at, t.n, LOAD_REPL, &entry));
}

glia_status glia_save(glia_session *s, const char *path, const char *name) { return file_call(s, "save", path, name); }
glia_status glia_load_tree(glia_session *s, const char *path, const char *name) { return file_call(s, "load", path, name); }

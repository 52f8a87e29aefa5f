/* api: glia.h over sessions. In: a host's calls. Out: statuses, texts, views; never a crash, whatever is passed.
 *
 * Each call begins by forgetting the last one's failure and ends by telling its own. What a call allocates beyond its
 * session's own business is in the session's arena, behind a guard; the message of a failed allocation is a constant.
 */
#define _POSIX_C_SOURCE 200809L
#include "api/api.h"
#include "runtime/pool_api.h"
#include "elab/savepoint.h"
#include "elab/value.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

glia_status api_say(glia_session *s, glia_status status, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(s->text, sizeof s->text, fmt, ap);
  va_end(ap);
  s->error = s->text;
  return status;
}

bool api_begin(glia_session *s) {
  if (atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire)) return false;
  session_close(s->checked);
  savepoint_settle(s->s);
  s->checked = NULL;
  s->error = "";
  s->listed = false;
  atomic_store(&s->s->cancel, false);
  return true;
}

void api_end(glia_session **s) {
  if (*s) atomic_flag_clear_explicit(&(*s)->busy, memory_order_release);
}

/* A guard was left by failure. */
glia_status api_failed(glia_session *s) {
  const Host *h = &(s->checked ? s->checked : s->s)->host;
  return api_say(s, h->failure == FAIL_LIMIT ? GLIA_LIMIT : GLIA_MEMORY, "%s",
                 *h->message ? h->message : "out of memory");
}

glia_status api_told(glia_session *s, Status status) {
  switch (status) {
  case STATUS_OK: return GLIA_OK;
  case STATUS_CANCELLED: return api_say(s, GLIA_CANCELLED, "cancelled");
  case STATUS_MEMORY: return api_failed(s);
  case STATUS_CLOSED: return api_say(s, GLIA_CANCELLED, "cancelled by the print callback");
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

static bool forward_poll(void *to) {
  const glia_session *s = to;
  return s->config.poll(s->config.to) != 0;
}

static void forward_log(void *to, const char *text, bool final) {
  const glia_session *s = to;
  if (s->config.log) s->config.log(s->config.to, text, final);
}

glia_status (glia_open)(const glia_config *config, glia_session **out) {
  return glia_open_sized(offsetof(glia_config, stack), config, out);
}

glia_status glia_open_sized(size_t size, const glia_config *config, glia_session **out) {
  glia_config given = {0}, *c = &given;
  if (!out) return GLIA_MISUSE;
  *out = NULL;
  if (config) memcpy(&given, config, size < sizeof given ? size : sizeof given);
  if (c->threads < 0 || c->n_args < 0 || (c->n_args && !c->args)) return GLIA_MISUSE;
  glia_session *s = c->alloc ? c->alloc(c->user, NULL, sizeof *s) : malloc(sizeof *s);
  if (!s) return GLIA_MEMORY;
  *s = (glia_session){.config = *c, .error = ""};
  atomic_flag_clear(&s->busy);
  SessionConfig inner = {
      .realloc = c->alloc, .user = c->user, .threads = c->threads, .no_fuse = c->no_fuse != 0, .strict = c->strict != 0,
      .no_extern = c->permit_extern == 0, .seed = c->seed, .seed_given = c->has_seed != 0,
      .max_memory = c->max_memory, .stack = c->stack,
      .args = c->args, .n_args = c->n_args, .search = c->search, .print = forward_print,
      .progress = c->log ? forward_log : NULL,
      .poll = c->poll ? forward_poll : NULL, .shared = c->pool != NULL, .pool = pool_behind(c->pool), .to = s,
  };
  const char *unknown;
  size_t n_unknown;
  Status status = STATUS_SCRIPT;
  if (!c->allow || warnings_allow(&inner.rules, c->allow, &unknown, &n_unknown)) status = session_open(&inner, &s->s);
  if (status != STATUS_OK) {
    if (c->alloc) c->alloc(c->user, s, 0);
    else free(s);
    return status == STATUS_MEMORY ? GLIA_MEMORY : GLIA_MISUSE;
  }
  *out = s;
  return GLIA_OK;
}

void glia_close(glia_session *s) {
  if (!s || atomic_flag_test_and_set(&s->busy)) return;
  glia_config c = s->config;
  session_close(s->checked);
  arena_free(s->list_arena);
  session_close(s->s);
  if (c.alloc) c.alloc(c.user, s, 0);
  else free(s);
}

void glia_cancel(glia_session *s) {
  if (s) atomic_store(&s->s->cancel, true);
}

/* ---- scripts ---- */

static bool checked_poll(void *to) {
  const glia_session *s = to;
  return !atomic_load(&s->s->cancel) && (!s->config.poll || s->config.poll(s->config.to));
}

/* A check has a session of its own, so that it defines nothing in this one. */
static glia_status open_checked(glia_session *s) {
  SessionConfig c = s->s->config;
  c.poll = checked_poll;
  return session_open(&c, &s->checked) == STATUS_OK ? GLIA_OK : api_say(s, GLIA_MEMORY, "out of memory");
}

static glia_status load(glia_session *s, const char *name, const char *text, size_t n, bool check) {
  if (!s) return GLIA_MISUSE;
  API_CALL(s);
  if (!name) return api_say(s, GLIA_MISUSE, "no %s is given", text ? "name" : "path");
  Session *in = s->s;
  LoadMode mode = check ? LOAD_CHECK : LOAD_KEEP;
  if (check && open_checked(s) != GLIA_OK) return GLIA_MEMORY;
  if (check) in = s->checked;
  if (!text) return api_told(s, session_load_file(in, name, mode, NULL));
  return api_told(s, session_load(in, name, text, n == GLIA_TEXT_END ? strlen(text) : n, mode, NULL));
}

static glia_status no_text(glia_session *s) {
  if (!s) return GLIA_MISUSE;
  API_CALL(s);
  return api_say(s, GLIA_MISUSE, "no text is given");
}

glia_status glia_load(glia_session *s, const char *name, const char *text, size_t n) {
  return text ? load(s, name, text, n, false) : no_text(s);
}

glia_status glia_check(glia_session *s, const char *name, const char *text, size_t n) {
  return text ? load(s, name, text, n, true) : no_text(s);
}

glia_status glia_load_file(glia_session *s, const char *path) { return load(s, path, NULL, 0, false); }
glia_status glia_check_file(glia_session *s, const char *path) { return load(s, path, NULL, 0, true); }

glia_status glia_register(glia_session *s, const char *signature, glia_foreign fn, const char *gradient) {
  if (!s) return GLIA_MISUSE;
  API_CALL(s);
  if (!signature || !fn) return api_say(s, GLIA_MISUSE, "glia_register: a null pointer");
  return api_told(s, function_register(s->s, signature, (void (*)(void))fn, gradient));
}

/* ---- errors ---- */

const char *glia_error(const glia_session *s) { return s ? s->error : "no session is given"; }

static const char *note_text(glia_session *s, const Sources *sources, const Note *n) {
  const Place *p = n->loc ? loc_place(sources, n->loc) : NULL;
  if (!p) return n->text;
  uint32_t line, column;
  source_position(p->source, p->span.first, &line, &column);
  return arena_printf(s->s->arena, "%s (%s:%u:%u)", n->text, p->source->name, line, column);
}

static void list_diagnostics(glia_session *s) {
  const Diags *d = (s->checked ? s->checked : s->s)->diags;
  s->n_list = d ? d->diag.n : 0;
  s->list = NEW_N(s->s->arena, glia_diagnostic, s->n_list + 1);
  for (size_t k = 0; k < s->n_list; k++) {
    const Diag *g = d->diag.at[k];
    uint32_t line = 0, column = 0, end_line = 0, end_column = 0;
    if (g->source) {
      source_position(g->source, g->at.first, &line, &column);
      source_position(g->source, g->at.end, &end_line, &end_column);
    }
    const char **note = NEW_N(s->s->arena, const char *, g->note.n + 1);
    for (uint32_t j = 0; j < g->note.n; j++) note[j] = note_text(s, d->sources, &g->note.at[j]);
    s->list[k] = (glia_diagnostic){.code = diag_info[g->id].code, .warning = g->warning,
                                   .file = g->source ? g->source->name : NULL, .line = (int)line, .column = (int)column,
                                   .end_line = (int)end_line, .end_column = (int)end_column, .text = g->text,
                                   .hint = g->hint, .note = note, .n_note = (int)g->note.n};
  }
  s->listed = true;
}

glia_status glia_diagnostics(glia_session *s, const glia_diagnostic **list, size_t *n) {
  if (!s) return GLIA_MISUSE;
  if (atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire)) return GLIA_BUSY;
  __attribute__((cleanup(api_end), unused)) glia_session *api_of = s;
  if (!list || !n) return api_say(s, GLIA_MISUSE, "glia_diagnostics: nowhere to put the list");
  *list = NULL;
  *n = 0;
  Guard guard;
  if (!s->listed) {
    size_t limit = session_tell_anyway(s->s);
    if (HOST_GUARD(&s->s->host, &guard)) {
      list_diagnostics(s);
      host_leave(&s->s->host, &guard);
    }
    s->s->host.limit = limit;
    if (!s->listed) return api_failed(s);
  }
  *list = s->list;
  *n = s->n_list;
  return GLIA_OK;
}

/* ---- functions ---- */

/* The handle of what b names; a new one if there is none. */
static glia_function *handle_of(glia_session *s, const struct Bound *b) {
  for (glia_function *f = s->functions; f; f = f->next)
    if (function_is(f->function, b)) return f;
  glia_function *f = NEW(s->s->arena, glia_function);
  *f = (glia_function){.owner = s, .next = s->functions, .function = function_new(s->s, b),
                       .tree = NEW(s->s->arena, glia_tree)};
  return s->functions = f;
}

glia_status glia_get_function(glia_session *s, const char *name, glia_function **out) {
  if (!s) return GLIA_MISUSE;
  API_CALL(s);
  if (!name || !out) return api_say(s, GLIA_MISUSE, "glia_get_function: a null pointer");
  *out = NULL;
  const struct Bound *b = function_find(s->s, name);
  if (!b) return api_say(s, GLIA_NOT_FOUND, "nothing at the top level is called `%s`", name);
  if (!function_callable(b)) return api_say(s, GLIA_MISUSE, "`%s` cannot be called", name);
  Guard guard;
  if (HOST_GUARD(&s->s->host, &guard)) {
    *out = handle_of(s, b);
    host_leave(&s->s->host, &guard);
    (*out)->users++;
    return GLIA_OK;
  }
  return api_failed(s);
}

void glia_function_close(glia_function *f) {
  if (!f || !f->users || atomic_flag_test_and_set_explicit(&f->owner->busy, memory_order_acquire)) return;
  if (--f->users == 0) {
    f->function->calls = 0;
    f->tree->n = 0;
  }
  atomic_flag_clear_explicit(&f->owner->busy, memory_order_release);
}

void api_fill(glia_array *out, const Type *t, void *data) {
  out->dtype = (glia_dtype)t->dtype;
  out->rank = t->rank;
  for (int k = 0; k < GLIA_MAX_RANK; k++) out->dim[k] = k < t->rank ? t->dim[k] : 0;
  out->data = data;
}

bool api_type_of(const glia_array *a, Type *out) {
  if (glia_count(a) < 0) return false;
  *out = type_make((DType)a->dtype, a->rank, a->dim);
  return true;
}

bool api_matches(const glia_array *a, const Type *t) {
  Type given;
  return api_type_of(a, &given) && type_eq(&given, t);
}

/* what: "net.w", "result 0". */
static glia_status misfit(glia_session *s, const Type *wanted, const char *what) {
  Guard guard;
  if (HOST_GUARD(&s->s->host, &guard)) {
    Arena *a = arena_new(&s->s->host);
    api_say(s, GLIA_MISUSE, "%s is %s, and the array that is given is not", what, type_show(a, wanted));
    arena_free(a);
    host_leave(&s->s->host, &guard);
    return GLIA_MISUSE;
  }
  return api_failed(s);
}

const double api_nothing[8] = {0};

/* Compiles and runs f: of what was compiled, into[k] stands for y[k], then come the gradients. */
static glia_status call(glia_function *f, const char *wrt, const glia_array *x, int n_x, glia_array *y, int n_y,
                        Compiled **out) {
  glia_session *s = f->owner;
  if (n_x < 0 || n_y < 0 || (n_x && !x) || (n_y && !y))
    return api_say(s, GLIA_MISUSE, "a null pointer or a negative count");
  if (n_x > MAX_ARGS || n_y > MAX_ARGS) return api_say(s, GLIA_MISUSE, "more than %d arguments or results", MAX_ARGS);
  Type type[MAX_ARGS];
  const void *arg[MAX_ARGS];
  for (int k = 0; k < n_x; k++) {
    if (!api_type_of(&x[k], &type[k]))
      return api_say(s, GLIA_MISUSE, "argument %d is no tensor: element type, rank or a size is wrong", k);
    if (!x[k].data && type_count(&type[k])) return api_say(s, GLIA_MISUSE, "argument %d has no data", k);
    arg[k] = x[k].data ? x[k].data : api_nothing;
  }
  Compiled *c;
  Status status = function_compile(f->function, type, (uint32_t)n_x, wrt, &c);
  if (status != STATUS_OK) return api_told(s, status);
  if (n_y && (uint32_t)n_y != c->n_result)
    return api_say(s, GLIA_MISUSE, "`%s` has %u results, and %d are asked for", f->function->name, c->n_result, n_y);
  void **result = c->into;
  for (uint32_t k = 0; k < c->n_result + c->n_grad; k++) {
    result[k] = k < (uint32_t)n_y ? y[k].data : NULL;
    if (!result[k] || api_matches(&y[k], &c->result[k].type)) continue;
    char what[32];
    snprintf(what, sizeof what, "result %u", k);
    return misfit(s, &c->result[k].type, what);
  }
  if (function_results_overlap(c, result))
    return api_say(s, GLIA_MISUSE, "the buffers of two results of `%s` overlap", f->function->name);
  status = function_run(f->function, c, arg, result);
  if (status != STATUS_OK) return api_told(s, status);
  for (int k = 0; k < n_y; k++)
    if (!y[k].data) api_fill(&y[k], &c->result[k].type, result[k]);
  *out = c;
  return GLIA_OK;
}

glia_status glia_call(glia_function *f, const glia_array *x, int n_x, glia_array *y, int n_y) {
  if (!f) return GLIA_MISUSE;
  API_CALL(f->owner);
  if (!f->users) return api_say(f->owner, GLIA_MISUSE, "glia_call: the function is closed");
  Compiled *c;
  return call(f, NULL, x, n_x, y, n_y, &c);
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
  API_CALL(f->owner);
  if (!f->users) return api_say(f->owner, GLIA_MISUSE, "glia_value_and_grad: the function is closed");
  if (!wrt || !grads) return api_say(f->owner, GLIA_MISUSE, "glia_value_and_grad: a null pointer");
  *grads = NULL;
  f->tree->n = 0;
  Compiled *c;
  glia_status status = call(f, wrt, x, n_x, y, y != NULL, &c);
  if (status != GLIA_OK) return status;
  if (!tree_room(f->owner, f->tree, c->n_grad)) return api_failed(f->owner);
  f->tree->n = c->n_grad;
  for (uint32_t k = 0; k < c->n_grad; k++) {
    const Result *r = &c->result[c->n_result + k];
    f->tree->leaf[k].path = r->path;
    api_fill(&f->tree->leaf[k].view, &r->type, c->into[c->n_result + k]);
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

typedef struct ParamAt { const char *path; SlotId slot; } ParamAt;

static bool is_parameter(const Slot *slot) {
  return slot->kind == SLOT_CELL && slot->trained && slot->path && slot->value;
}

/* A path that a later definition took is of its newest parameter: sorted by path, the newest first. */
static int by_path(const void *a, const void *b) {
  const ParamAt *x = a, *y = b;
  int order = strcmp(x->path, y->path);
  return order ? order : (x->slot < y->slot) - (x->slot > y->slot);
}

static int by_slot(const void *a, const void *b) {
  const SlotId *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static void list_parameters(glia_session *s) {
  const Program *p = s->s->program;
  size_t n = 0;
  Arena *a = arena_new(&s->s->host);
  ParamAt *at = NEW_N(a, ParamAt, p->slot.n + 1);
  for (uint32_t k = 0; k < p->slot.n; k++)
    if (is_parameter(&p->slot.at[k])) at[n++] = (ParamAt){p->slot.at[k].path, k};
  qsort(at, n, sizeof *at, by_path);
  SlotId *param = NEW_N(a, SlotId, n + 1);
  size_t kept = 0;
  for (size_t k = 0; k < n; k++)
    if (k == 0 || strcmp(at[k].path, at[k - 1].path)) param[kept++] = at[k].slot;
  qsort(param, kept, sizeof *param, by_slot);
  arena_free(s->list_arena);
  arena_keep(s->list_arena = a);
  s->param = param;
  s->n_param = kept;
  s->param_slots = p->slot.n;
}

/* false: no memory. */
static bool parameters(glia_session *s) {
  Guard guard;
  if (s->param && s->param_slots == s->s->program->slot.n) return true;
  if (!HOST_GUARD(&s->s->host, &guard)) return false;
  list_parameters(s);
  host_leave(&s->s->host, &guard);
  return true;
}

static glia_status count_parameters(glia_session *s, size_t *n) {
  API_CALL(s);
  if (!parameters(s)) return api_failed(s);
  *n = s->n_param;
  return GLIA_OK;
}

size_t glia_parameter_count(glia_session *s) {
  size_t n = 0;
  if (s) count_parameters(s, &n);
  return n;
}

glia_status glia_parameter_at(glia_session *s, size_t k, const char **path, glia_array *out) {
  if (!s) return GLIA_MISUSE;
  API_CALL(s);
  if (!parameters(s)) return api_failed(s);
  if (k >= s->n_param) return api_say(s, GLIA_NOT_FOUND, "there are no more parameters");
  const Slot *slot = &s->s->program->slot.at[s->param[k]];
  if (path) *path = slot->path;
  if (out) api_fill(out, &slot->type, slot->value->data);
  return GLIA_OK;
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
  API_CALL(s);
  if (!path || !out) return api_say(s, GLIA_MISUSE, "glia_parameter_get: a null pointer");
  SlotId id = find_parameter(s, path);
  if (id == NO_SLOT) return api_say(s, GLIA_NOT_FOUND, "no parameter is called `%s`", path);
  const Slot *slot = &s->s->program->slot.at[id];
  if (!out->data) api_fill(out, &slot->type, slot->value->data);
  else if (!api_matches(out, &slot->type)) return misfit(s, &slot->type, path);
  else memcpy(out->data, slot->value->data, (size_t)type_bytes(&slot->type));
  return GLIA_OK;
}

glia_status glia_parameter_set(glia_session *s, const char *path, const glia_array *value) {
  if (!s) return GLIA_MISUSE;
  API_CALL(s);
  if (!path || !value || (!value->data && glia_count(value) != 0))
    return api_say(s, GLIA_MISUSE, "glia_parameter_set: a null pointer");
  SlotId id = find_parameter(s, path);
  if (id == NO_SLOT) return api_say(s, GLIA_NOT_FOUND, "no parameter is called `%s`", path);
  Type type = s->s->program->slot.at[id].type;
  if (!api_matches(value, &type)) return misfit(s, &type, path);
  Guard guard;
  if (HOST_GUARD(&s->s->host, &guard)) {
    Tensor *t = tensor_from(&s->s->host, &type, value->data ? value->data : api_nothing);
    slot_put(s->s->program, id, t);
    tensor_unref(t);
    host_leave(&s->s->host, &guard);
    return GLIA_OK;
  }
  return api_failed(s);
}

/* ---- files ---- */

static glia_status file_call(glia_session *s, const char *what, const char *path, const char *name) {
  if (!s) return GLIA_MISUSE;
  API_CALL(s);
  if (!path || !name) return api_say(s, GLIA_MISUSE, "a path and a name are wanted");
  return api_told(s, function_file(s->s, what, path, name));
}

glia_status glia_save(glia_session *s, const char *path, const char *name) { return file_call(s, "save", path, name); }
glia_status glia_load_tree(glia_session *s, const char *path, const char *name) {
  return file_call(s, "load", path, name);
}

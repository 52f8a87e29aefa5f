/* session: the pipeline, in the order in which a text goes through it.
 *
 *   Source -parse-> Ast -resolve-> names -elaborate-> steps over one Graph (derivatives are more of its nodes)
 *          -prepare: a slice a segment, opt, plan-> Plan -machine-> Tensor
 *
 * Each public function sets a guard: a failed allocation comes back as a status, and the session goes on.
 */
#include "session.h"
#include "define.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/held.h"
#include "elab/leaves.h"
#include "elab/mark.h"
#include "elab/names.h"
#include "elab/reach.h"
#include "elab/savepoint.h"
#include "elab/series.h"
#include "elab/show.h"
#include "elab/stretch.h"
#include "elab/version.h"
#include "elab/wait.h"
#include "steps/checkpoint.h"
#include "steps/effects.h"
#include "steps/machine.h"
#include "steps/prepare.h"
#include "steps/program_dump.h"
#include "text/folder.h"
#include <string.h>
#include <time.h>

enum { MOST_NODES = 1000000 };

/* ---- life ---- */
static void start(Session *s) {
  Host *h = &s->host;
  s->arena = arena_new(h);
  arena_keep(s->arena);
  s->sources = sources_new(s->arena);
  s->sources->rules = &s->config.rules;
  s->diags = diags_new(s->arena, s->sources);
  s->graph = graph_new(s->arena);
  s->graph->kernels = s->kernels;
  s->graph->limit = MOST_NODES;
  s->program = program_new(s);
  s->elab = elab_new(s);
  s->savepoint = savepoint_new(s);
  s->from = s->to = program_mark(s->program);
  s->shown = NULL;
  s->reads_it = false;
  s->sweep_at = 0;
}

/* While a text is checked the host is asked a few times in a second. */
static bool asks_host(void *to) {
  enum { EVERY_MS = 20 };
  Session *s = to;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  if (ms - s->asked_ms < EVERY_MS) return true;
  s->asked_ms = ms;
  return s->config.poll(s->config.to);
}

Status session_open(const SessionConfig *c, Session **out) {
  *out = NULL;
  HostRealloc take = c->realloc;
  Host first;
  host_init(&first, take, c->user);
  Guard g0;
  Session *s;
  if (!HOST_GUARD(&first, &g0)) return STATUS_MEMORY;
  s = host_alloc(&first, sizeof *s);
  host_leave(&first, &g0);
  host_init(&s->host, take, c->user);
  s->config = *c;
  s->host.limit = c->max_memory;
  s->host.stack_most = c->stack;
  s->host.ask = c->poll ? asks_host : NULL;
  s->host.asked = s;
  s->kernels = c->level ? kernels_level(c->level) : kernels_best();
  if (!s->kernels) s->kernels = kernels_best();
  atomic_init(&s->cancel, false);
  Guard g;
  if (!HOST_GUARD(&s->host, &g)) {
    session_close(s);
    return STATUS_MEMORY;
  }
  start(s);
  host_leave(&s->host, &g);
  *out = s;
  return STATUS_OK;
}

void session_close(Session *s) {
  if (!s) return;
  if (s->savepoint) {
    savepoint_settle(s);
    savepoint_end(s);
  }
  held_free(s->shown);
  if (!s->config.shared) pool_free(s->pool);
  arena_free(s->arena);
  Host first;
  host_init(&first, s->config.realloc, s->config.user);
  first.in_use = sizeof *s;
  host_free(&first, s, sizeof *s);
}

Status session_reset(Session *s) {
  savepoint_settle(s);
  const Session old = *s;
  Guard g;
  if (!HOST_GUARD(&s->host, &g)) {
    if (s->arena != old.arena) arena_free(s->arena);
    s->arena = old.arena;
    s->sources = old.sources;
    s->diags = old.diags;
    s->graph = old.graph;
    s->program = old.program;
    s->elab = old.elab;
    s->savepoint = old.savepoint;
    s->shown = old.shown;
    s->reads_it = old.reads_it;
    s->run = old.run;
    return STATUS_MEMORY;
  }
  start(s);
  host_leave(&s->host, &g);
  Session before = old;
  savepoint_end(&before);
  held_free(old.shown);
  arena_free(old.arena);
  return STATUS_OK;
}

/* Threads are made when the first work may want them, and not at all for one. */
void session_want_pool(Session *s) {
  int n = s->config.threads > 0 ? s->config.threads : pool_default_threads();
  if (s->config.shared) s->pool = s->config.pool;
  if (s->pool || s->config.shared || n <= 1) return;
  s->pool = pool_new(&s->host, n);
  if (s->pool) pool_keep(s->pool);
}

/* ---- one text ---- */
/* A run that was cancelled is kept where the script keeps its checkpoints. */
static Status outcome(Session *s, bool done) {
  if (done) return STATUS_OK;
  if (!s->cancelled) return s->closed ? STATUS_CLOSED : STATUS_SCRIPT;
  bool script = !s->config.rehearses && s->run.checkpoint && s->run.steps && s->run.position.frame.n &&
                s->run.position.frame.at[0].block == s->run.steps;
  if (script) s->run.kept = checkpoint_write(s, s->run.checkpoint, false, 0);
  return STATUS_CANCELLED;
}

/* One segment changes its cells when nothing can fail any more; of several the first may have. */
static Status run(Session *s, Steps *steps) {
  s->cancelled = false;
  s->stopped = 0;
  if (steps->n > 1) savepoint_hold(s);
  session_want_pool(s);
  return outcome(s, machine_files(s, steps) && machine_run(s, steps));
}

/* known: what needs no run to be known is wanted, too. */
static void keep_value(Elab *e, Value v, bool known, Needs *keep) {
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM | LEAF_STATE, &l);
  for (uint32_t j = 0; j < l.n; j++)
    if (l.at[j].value.kind == V_NODE &&
        (known || !(graph_at(e->g, l.at[j].value.node)->flags & (NODE_KNOWN | NODE_LAZY))))
      vec_push(e->a, keep, (Need){l.at[j].value.node, NO_SLOT});
}

/* The tensors of what this entry's names hold: kept, so that later entries need not compute them again. */
static void keep_names(Elab *e, uint32_t from, Needs *keep) {
  for (uint32_t k = from; k < e->globals->bound.n; k++) {
    const Value *v = &e->globals->bound.at[k]->value;
    if (v->kind != V_FN && v->kind != V_INSTANCE && v->kind != V_OPTIMIZER) keep_value(e, *v, false, keep);
  }
}

/* What the next part of a script reads as it is. */
static void keep_open(Elab *e, Needs *keep) {
  for (uint32_t k = 0; k < e->made.cells.n; k++)
    if (version_open(e, e->made.cells.at[k]))
      vec_push(e->a, keep, (Need){e->made.cells.at[k]->now->node, NO_SLOT});
}

/* It was checked, or prepared, in vain: nothing of it will be left. */
static Status refused(Session *s, Entry *entry) {
  entry->it = NULL;
  savepoint_later(s, false);
  return STATUS_SCRIPT;
}

/* Of a script that waited for its own run, only this part. */
static Status rest_refused(Elab *e, ElabMark *mark) {
  mark_back(e, mark);
  mark_drop(e, mark);
  return STATUS_SCRIPT;
}

static bool not_computed(Elab *e, const Bound *b) {
  Value v = b->value;
  if (v.kind == V_FN || v.kind == V_OPTIMIZER) return false;
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM | LEAF_STATE, &l);
  for (uint32_t k = 0; k < l.n; k++) {
    const Value *leaf = &l.at[k].value;
    if (leaf->kind == V_CELL) {
      if (!e->p->slot.at[leaf->cell->slot].value) return true;
      continue;
    }
    const Node *n = graph_at(e->g, leaf->node);
    if (!(n->flags & NODE_KNOWN) && !e->p->segment.at[n->segment]->ran) return true;
  }
  return v.kind == V_BAD;
}

/* A part of the script is ready: it runs, goes on from a checkpoint that stands in it, or is passed over on the way
 * there. */
static Status run_part(Session *s, Steps *steps, bool waiting, Checkpoint **resume) {
  if (s->elab->repl) return run(s, steps);
  s->run.waiting = waiting;
  if (!*resume) return run(s, steps);
  bool last = s->run.part.n == checkpoint_parts(*resume);
  if (!last && !waiting) last = true;                  /* it will not fit, and says so */
  if (!checkpoint_take(s, *resume, last)) return STATUS_SCRIPT;
  if (!last) {
    checkpoint_rows(s, *resume, s->run.part.n);
    return STATUS_OK;
  }
  checkpoint_close(*resume);
  *resume = NULL;
  return outcome(s, machine_files(s, steps) && machine_continue(s));
}

/* Checks, prepares and runs statements from *rest on: to the end, to the next that waits, or a part (wait.h). They were
 * checked, and their warnings were told; an error now is about the shapes that they have. */
static Status load_part(Session *s, const Ast *program, uint32_t *rest, Steps *steps, Entry *entry, Reading *how,
                        Checkpoint **resume) {
  Elab *e = s->elab;
  Diags *told = s->diags;
  uint32_t from = s->program->segment.n, names = e->globals->bound.n;
  Value it;
  s->diags = diags_new(s->arena, s->sources);
  ElabMark *mark = mark_set(e);
  *rest = elab_program(e, program, *rest, steps, &it, how);
  if (s->diags->n_errors) return rest_refused(e, mark);
  if (entry->it && it.kind != V_UNIT) *entry->it = it;
  Needs keep = {0};
  keep_names(e, names, &keep);
  if (*rest < program->n) keep_open(e, &keep);
  if (!program_prepare(s->program, from, steps, false, keep.at, keep.n)) return rest_refused(e, mark);
  mark_drop(e, mark);
  s->diags = told;
  return run_part(s, steps, *rest < program->n, resume);
}

/* What has not been read, part by part. What ran of the parts before goes, but for what a name holds. */
static Status load_rest(Session *s, const Ast *program, uint32_t rest, Entry *entry, Reading *how,
                        Checkpoint **resume) {
  Status status = STATUS_OK;
  if (rest < program->n) savepoint_hold(s);
  while (status == STATUS_OK && rest < program->n) {
    ProgramMark done = program_mark(s->program);
    program_finish(s->program, &s->from, &done);
    Steps *steps = NEW(s->arena, Steps);
    checkpoint_part(s, rest, steps);
    Stretch *t = stretch_begin(s);
    status = load_part(s, program, &rest, steps, entry, how, resume);
    if (status == STATUS_OK) stretch_end(s, t, how->passes);
    else stretch_stay(s, t);
  }
  return status;
}

/* A `gradient` names nothing, and changes a function that has a name. */
static bool has_gradient(const Ast *program) {
  for (uint32_t k = 0; k < program->n; k++)
    if (program->kid[k]->kind == A_GRADIENT) return true;
  return false;
}

static Status load(Session *s, const char *name, const char *text, size_t n, LoadMode mode, Entry *entry,
                   Checkpoint **resume) {
  Elab *e = s->elab;
  bool repl = mode == LOAD_REPL || mode == LOAD_LOOK;
  s->diags = diags_new(s->arena, s->sources);
  s->diags->strict = s->config.strict;
  s->run.began = NULL;
  bool resumes = s->config.resume && (mode == LOAD_RUN || mode == LOAD_KEEP);
  if (resumes && !(*resume = checkpoint_open(s, s->config.resume))) return STATUS_SCRIPT;
  entry->source = source_add(s->sources, name, text, n);
  uint32_t n_ast = s->sources->n_ast;
  entry->parsed = parse(s->arena, entry->source, s->diags, repl);
  if (repl && entry->parsed->incomplete) {
    entry->incomplete = true;
    savepoint_later(s, false);
    s->diags = diags_new(s->arena, s->sources);
    return STATUS_OK;
  }
  graph_room(s->graph, s->sources->n_ast - n_ast);       /* a text rarely has more nodes than its syntax has */
  allow_comments(s->diags, entry->source, entry->parsed->comment.at, entry->parsed->comment.n);
  if (!repl) define_all(s, entry->parsed->program);
  e->repl = repl;
  bool checks = mode == LOAD_CHECK || mode == LOAD_LINT;
  s->only_checks = checks || mode == LOAD_PLAN || mode == LOAD_LOOK;
  e->made.tests.n = 0;
  Outside outside = scope_outside(e);
  outside.keep_unused |= mode == LOAD_KEEP;
  resolve(s->arena, entry->parsed->program, s->diags, &outside);

  elab_top(e, entry->source);
  uint32_t from = s->program->segment.n, names = entry->names = e->globals->bound.n;
  entry->it = NEW(s->arena, Value);
  const Ast *program = entry->parsed->program;
  /* of these all is asked for, or, where steps are traced, each plan is to be told from all others */
  bool whole = repl || mode == LOAD_CHECK || mode == LOAD_PLAN || s->config.trace;
  Reading how = {.parts = !whole};
  uint32_t rest = elab_program(e, program, 0, &entry->steps, entry->it, &how);
  if (!repl || entry->it->kind == V_UNIT) entry->it = NULL;
  diags_focus(s->diags);
  warnings_told(s->diags);
  if (s->diags->n_errors) return refused(s, entry);
  if (checks) return STATUS_OK;
  s->program->keep_leaves = repl || mode == LOAD_TEST || mode == LOAD_KEEP || rest < program->n;
  Needs keep = {0};
  if (s->program->keep_leaves) keep_names(e, names, &keep);
  if (rest < program->n) keep_open(e, &keep);
  if (repl && entry->it) keep_value(e, *entry->it, mode == LOAD_LOOK, &keep);      /* it will be shown, and be `it` */
  if (!program_prepare(s->program, from, &entry->steps, false, keep.at, keep.n)) return refused(s, entry);
  if (mode == LOAD_LOOK) savepoint_later(s, false);
  if (mode == LOAD_PLAN || mode == LOAD_LOOK) return STATUS_OK;
  if (s->diags->diag.n && s->config.warned) {
    s->host.cancel = NULL;           /* what is told is told to its end */
    s->config.warned(s->config.to, s);
    s->host.cancel = &s->cancel;
  }
  s->run.steps = NULL;
  if ((repl || mode == LOAD_KEEP) && !has_gradient(program)) savepoint_note(s);
  if (!repl) checkpoint_script(s);
  if (*resume && !checkpoint_fits(s, *resume)) return STATUS_SCRIPT;
  if (*resume) session_want_pool(s);
  if (!repl) checkpoint_part(s, 0, &entry->steps);
  Status status = run_part(s, &entry->steps, rest < program->n, resume);
  if (status == STATUS_OK) status = load_rest(s, program, rest, entry, &how, resume);
  if (status != STATUS_OK) scope_forget(e, e->globals, names, not_computed);
  return status;
}

/* Whether the word `it` is somewhere in a text. */
static bool has_it(const char *text, size_t n) {
  for (size_t k = 0; k + 2 <= n; k++) {
    bool word = (k == 0 || !in_name(text[k - 1])) && (k + 2 == n || !in_name(text[k + 2]));
    if (word && text[k] == 'i' && text[k + 1] == 't') return true;
  }
  return false;
}

static void begin(Session *s, bool repl, bool goes_on, bool it) {
  if (goes_on) {
    savepoint_goes_on(s);
    return;
  }
  if (repl) {
    scope_tidy(s->elab->globals);
    reach_sweep(s);
  }
  savepoint_set(s);
  if (!s->shown || !(it || s->reads_it)) return;
  Elab *e = s->elab;
  scope_put(e, e->globals, sym(s->sources, "it", 2), held_value(e, s->shown, 0), NULL);
}

/* It passes, or all of it is kept: then `it` is a name again, if it was read. */
static void end(Session *s, bool it) {
  if (savepoint_pass(s) || !savepoint_keep(s)) return;
  s->to = program_mark(s->program);
  if (!it && !s->reads_it) return;
  s->reads_it = true;
  held_free(s->shown);
  s->shown = NULL;
}

Status session_load(Session *s, const char *name, const char *text, size_t n, LoadMode mode, Entry **out) {
  Guard g;
  Status status;
  volatile bool it = has_it(text, n);
  bool goes_on = it && savepoint_passing(s);
  if (!goes_on) {
    savepoint_settle(s);
    program_finish(s->program, &s->from, &s->to);
    s->from = s->to = program_mark(s->program);
  }
  if (out) *out = NULL;
  if (HOST_GUARD(&s->host, &g)) {
    begin(s, mode == LOAD_REPL || mode == LOAD_LOOK, goes_on, it);
    Entry *entry = NEW(s->arena, Entry);
    Checkpoint *resume = NULL;
    s->run.position.frame.n = 0;
    s->stopped = 0;
    s->host.cancel = &s->cancel;
    status = load(s, name, text, n, mode, entry, &resume);
    s->host.cancel = NULL;
    if (resume) checkpoint_close(resume);
    end(s, it);
    if (out) *out = entry;
    host_leave(&s->host, &g);
    return status;
  }
  s->host.cancel = NULL;
  savepoint_later(s, false);
  return session_failed(s);
}

size_t session_tell_anyway(Session *s) {
  enum { TO_TELL = 1 << 20 };
  size_t limit = s->host.limit;
  if (!limit) return limit;
  arena_spare(s->arena);
  if (limit < SIZE_MAX - TO_TELL) s->host.limit = limit + TO_TELL;
  return limit;
}

Status session_failed(Session *s) {
  Guard g;
  if (s->host.failure == FAIL_CANCELLED) return STATUS_CANCELLED;
  if (s->host.failure != FAIL_LIMIT) return STATUS_MEMORY;
  char message[sizeof s->host.message];          /* the guard clears it */
  memcpy(message, s->host.message, sizeof message);
  size_t limit = session_tell_anyway(s);
  volatile Status status = STATUS_MEMORY;
  if (HOST_GUARD(&s->host, &g)) {
    s->diags = diags_new(s->arena, s->sources);
    diag_at(s->diags, s->graph->loc, E_LIMIT, message);
    host_leave(&s->host, &g);
    status = STATUS_SCRIPT;
  }
  s->host.limit = limit;
  return status;
}

Status session_load_file(Session *s, const char *path, LoadMode mode, Entry **out) {
  Guard g;
  savepoint_settle(s);
  if (out) *out = NULL;
  if (!HOST_GUARD(&s->host, &g)) {
    s->host.cancel = NULL;
    savepoint_later(s, false);
    return s->host.failure == FAIL_CANCELLED ? STATUS_CANCELLED : STATUS_MEMORY;
  }
  const char *bytes;
  size_t n;
  FileError why;
  Arena *a = arena_new(&s->host);
  s->host.cancel = &s->cancel;
  bool ok = file_read(a, path, (size_t)64 << 20, &bytes, &n, &why);
  s->host.cancel = NULL;
  Status status = STATUS_SCRIPT;
  if (ok) {
    status = session_load(s, path, bytes, n, mode, out);
  } else {
    savepoint_set(s);
    savepoint_later(s, false);
    s->diags = diags_new(s->arena, s->sources);
    Diag *d = diag_at(s->diags, 0, E_SCRIPT_UNREADABLE, why.text);
    const char *near = folder_near(s->arena, path, ".nn"), *missing = folder_missing(s->arena, path);
    if (near && strcmp(near, path) != 0) diag_hint(s->diags, d, "did you mean \"%s\"?", near);
    else if (missing) diag_hint(s->diags, d, "there is no folder \"%s\"", missing);
  }
  arena_free(a);
  host_leave(&s->host, &g);
  return status;
}

/* The session's own cells, tables and watch, to be put back. */
typedef struct Before { Snapshot *cells; int64_t *rows; uint32_t tables; Watch watch; SessionConfig config; } Before;

static void put_back(Session *s, const Before *b) {
  snapshot_restore(s->program, b->cells);
  for (uint32_t k = 0; k < b->tables; k++) table_cut(s->program->table.at[k], b->rows[k]);
  s->watch = b->watch;
  s->config = b->config;
}

Status session_rehearse(Session *s, Entry *entry, double *took) {
  Guard g;
  Before b = {.watch = s->watch, .config = s->config, .tables = s->program->table.n};
  if (!HOST_GUARD(&s->host, &g)) {
    s->config = b.config;
    return STATUS_MEMORY;
  }
  Arena *a = arena_new(&s->host);
  b.cells = snapshot_take(s->program, a);
  b.rows = NEW_N(a, int64_t, b.tables + 1);
  for (uint32_t k = 0; k < b.tables; k++) b.rows[k] = table_rows(s->program->table.at[k]);
  s->config.rehearses = true;
  s->config.print = NULL;
  s->config.flush = NULL;
  s->config.progress = NULL;
  struct timespec from, to;
  clock_gettime(CLOCK_MONOTONIC, &from);
  Status status = run(s, &entry->steps);
  clock_gettime(CLOCK_MONOTONIC, &to);
  *took = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) * 1e-6;
  put_back(s, &b);
  arena_free(a);
  host_leave(&s->host, &g);
  return status;
}

/* ---- values now ---- */
/* Computes nodes of what stands in the graph already: the REPL's and a host's questions. Their slots are filled in. */
static bool evaluate(Session *s, Need *need, uint32_t n) {
  Elab *e = s->elab;
  Steps *steps = NEW(s->arena, Steps);
  uint32_t from = s->program->segment.n;
  Where outside = elab_top(e, NULL);
  Region *r = region_enter(e, REGION_TOP, steps, NULL);
  region_leave(e, r);
  e->here = outside;
  return program_prepare(s->program, from, steps, false, need, n) && run(s, steps) == STATUS_OK;
}

bool session_evaluate(Session *s, Need *need, uint32_t n) {
  Guard g;
  savepoint_ask(s);
  if (!HOST_GUARD(&s->host, &g)) {
    savepoint_later(s, false);
    return false;
  }
  savepoint_set(s);
  bool ok = evaluate(s, need, n);
  if (!ok) savepoint_later(s, false);
  savepoint_keep(s);
  host_leave(&s->host, &g);
  return ok;
}

bool session_name_it(Session *s, const Value *v) {
  Guard g;
  savepoint_ask(s);
  if (!HOST_GUARD(&s->host, &g)) {
    s->host.cancel = NULL;
    return false;
  }
  s->host.cancel = &s->cancel;       /* what is known is computed here, if it was not yet */
  Held *shown = savepoint_passing(s) ? held_new(s, v, savepoint_nodes(s)) : NULL;
  if (!shown && savepoint_passing(s)) {        /* the value is what the entry made */
    savepoint_stay(s);
    s->to = program_mark(s->program);
  }
  held_free(s->shown);
  s->shown = shown;
  Scope *globals = s->elab->globals;
  Sym it = sym(s->sources, "it", 2);
  Bound *b = scope_here(globals, it);
  if (b) {
    arena_change(s->arena, b, sizeof *b);
    b->value = *v;
  } else scope_put(s->elab, globals, it, *v, NULL);
  s->host.cancel = NULL;
  host_leave(&s->host, &g);
  return true;
}

struct Held *session_it_aside(Session *s) {
  struct Held *shown = s->shown;
  s->shown = NULL;
  return shown;
}

void session_it_back(Session *s, struct Held *shown, const Value *v) {
  if (savepoint_passing(s)) savepoint_settle(s);       /* and so the name is what it was */
  else session_name_it(s, v);
  held_free(s->shown);
  s->shown = shown;
}

char *session_value_text(Session *s, const Value *v) {
  Guard g;
  savepoint_ask(s);
  if (!HOST_GUARD(&s->host, &g)) {
    savepoint_later(s, false);
    return NULL;
  }
  savepoint_set(s);
  savepoint_later(s, true);
  char *out = NULL;
  Elab *e = s->elab;
  e->d = s->diags;
  uint32_t from = s->program->segment.n;
  Steps *steps = NEW(s->arena, Steps);     /* a cell is read where it is shown */
  Where outside = elab_top(e, NULL);
  Region *r = region_enter(e, REGION_TOP, steps, NULL);
  Value t = text_of(e, v, 1, NULL, " ");
  region_leave(e, r);
  e->here = outside;
  if (t.kind == V_STRING) out = arena_text(s->arena, t.str->at, t.str->n);
  else if (t.kind == V_TEXT && program_prepare(s->program, from, steps, false, t.text->need.at, t.text->need.n) &&
           run(s, steps) == STATUS_OK) {
    Tensor **value = NEW_N(s->arena, Tensor *, t.text->need.n + 1);
    bool ok = true;
    for (uint32_t k = 0; k < t.text->need.n; k++) ok &= (value[k] = slot_tensor(s, t.text->need.at[k].slot, 0)) != NULL;
    Text text = {.arena = s->arena};
    text_add(&text, "");
    if (ok) template_write(&text, t.text->text, value);
    out = text.at;
  }
  host_leave(&s->host, &g);
  return out;
}

char *session_type_text(Session *s, const Value *v) {
  Guard g;
  if (!HOST_GUARD(&s->host, &g)) return NULL;
  char *t = type_text(s->elab, v);
  host_leave(&s->host, &g);
  return t;
}

/* ---- tests ---- */
/* One block, on a copy of the cells and from the session's seed. NULL: it passed; else why not. */
static const char *test_fails(Session *s, const TestBlock *t) {
  Guard g;
  savepoint_settle(s);
  if (!HOST_GUARD(&s->host, &g)) return "out of memory";
  const char *why = NULL;
  s->diags = diags_new(s->arena, s->sources);
  Snapshot *cells = snapshot_take(s->program, s->arena);
  uint32_t n = s->program->table.n;
  int64_t *rows = NEW_N(s->arena, int64_t, n + 1);
  for (uint32_t k = 0; k < n; k++) rows[k] = table_rows(s->program->table.at[k]);
  session_seed(s, s->config.seed);
  if (!program_prepare(s->program, t->from, t->steps, false, NULL, 0) || run(s, t->steps) != STATUS_OK)
    why = diags_render(s->diags, s->arena, &(RenderOptions){0});
  snapshot_restore(s->program, cells);
  for (uint32_t k = 0; k < n; k++) table_cut(s->program->table.at[k], rows[k]);
  host_leave(&s->host, &g);
  return why;
}

void session_tests(Session *s, const TestReport *r) {
  for (uint32_t k = 0; k < s->elab->made.tests.n; k++) {
    const TestBlock *t = &s->elab->made.tests.at[k];
    const Ast *string = t->ast->kid[0];
    const char *why = test_fails(s, t);
    if (s->cancelled) return;
    if (r && r->done) r->done(r->to, string->n ? string->kid[0]->text : "", !why, why);
  }
}

void session_seed(Session *s, uint64_t seed) {
  const Slot *slot = &s->program->slot.at[s->elab->seed->slot];
  Tensor *t = tensor_new(&s->host, &slot->type);
  memcpy(t->data, &seed, sizeof seed);
  slot_put(s->program, s->elab->seed->slot, t);
  tensor_unref(t);
}

/* ---- what people look at ---- */
const char *session_dump(Session *s, const Entry *entry, const char *stage) {
  Guard g;
  if (!HOST_GUARD(&s->host, &g)) return NULL;
  const char *text = !strcmp(stage, "ast") ? ast_dump(entry->parsed->program, s->arena)
                                           : program_dump(s->program, &entry->steps, stage, s->arena);
  host_leave(&s->host, &g);
  return text;
}

const char *session_diagnostics(Session *s, bool color, int width) {
  Guard g;
  const char *volatile text = "out of memory\n";
  size_t limit = session_tell_anyway(s);
  if (HOST_GUARD(&s->host, &g)) {
    text = diags_render(s->diags, s->arena, &(RenderOptions){color, width});
    host_leave(&s->host, &g);
  }
  s->host.limit = limit;
  return text;
}

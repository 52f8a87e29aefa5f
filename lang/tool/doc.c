/* doc: the documentation of a name. In: a name of a session, an operation, a native function, the standard library, or
 * the code of a diagnostic. Out: its signature, its ## text, its example; or a name like it.
 *
 * All of it is derived from the one place where the thing is defined; nothing is written twice.
 */
#define _POSIX_C_SOURCE 200809L
#include "elab/elab.h"
#include "elab/import.h"
#include "elab/native.h"
#include "runtime/graph/face.h"
#include "text/stdlib.h"
#include "tool/cli.h"
#include "tool/pages.h"
#include <stdio.h>
#include <string.h>

static void add_parameters(Text *t, const char *face) {
  text_add(t, "(");
  face_show(t, face);
  text_add(t, ")\n");
}

static void add_indented(Text *t, const char *text) {
  for (const char *p = text; p && *p;) {
    size_t n = strcspn(p, "\n");
    text_add(t, "  ");
    text_add_n(t, p, n);
    text_add(t, "\n");
    p += n + (p[n] != 0);
  }
}

static void add_text(Text *t, const char *text) {
  if (!text || !*text) return;
  text_add(t, text);
  if (text[strlen(text) - 1] != '\n') text_add(t, "\n");
}

static void add_op(Text *t, const Op *op) {
  text_add(t, op->name);
  add_parameters(t, op_face(op));
  add_text(t, op->doc);
  add_indented(t, op->example);
  if (op->no_grad) text_printf(t, "It has no gradient: %s\n", op->no_grad);
}

/* From the start of a definition to its body. */
static void add_definition(Text *t, const Ast *at) {
  const char *text = at->source->text;
  uint32_t end = at->span.end;
  for (uint32_t k = at->n; k-- > 0;)
    if (at->kid[k] && k + 1 == at->n) end = at->kid[k]->span.first;
  while (end > at->span.first && strchr(" \t\r\n={", text[end - 1])) end--;
  text_add_n(t, text + at->span.first, end - at->span.first);
  text_add(t, "\n");
  add_text(t, at->doc);
}

static bool defines(const Ast *at, const char *name) {
  switch (at->kind) {
  case A_FN: case A_PROC: case A_LAYER: case A_OPTIMIZER: case A_EXTERN: case A_PARAM:
    return at->name && !strcmp(at->name, name);
  case A_LET: case A_VAR:
    return at->n > 0 && at->kid[0] && at->kid[0]->kind == A_NAME && !strcmp(at->kid[0]->name, name);
  default: return false;
  }
}

static bool add_library(Text *t, const char *name) {
  int file = stdlib_find(name);
  if (file < 0) return false;
  Sources *sources = sources_new(t->arena);
  Source *source = source_add(sources, stdlib_files[file].name, stdlib_files[file].text, stdlib_files[file].n);
  Diags *d = diags_new(t->arena, sources);
  Parsed *p = parse(t->arena, source, d, false);
  /* what is wrong with the library's own text is that there is too little stack to read it */
  if (d->n_errors) host_fail(arena_host(t->arena), FAIL_LIMIT, "%s", d->diag.at[0]->text);
  for (uint32_t k = 0; k < p->program->n; k++)
    if (p->program->kid[k] && defines(p->program->kid[k], name)) {
      add_definition(t, p->program->kid[k]);
      return true;
    }
  return false;
}

static bool add_session(Text *t, Session *s, const char *name) {
  if (!s || !s->elab) return false;
  Scope *g = s->elab->globals;
  for (const char *dot; (dot = strchr(name, '.')); name = dot + 1) {     /* `m.f` of an import */
    const Module *m = NULL;
    for (uint32_t k = g->bound.n; k-- > 0 && !m;) {
      const Bound *b = g->bound.at[k];
      if (strlen(b->name) == (size_t)(dot - name) && !strncmp(b->name, name, (size_t)(dot - name)) &&
          b->value.kind == V_MODULE)
        m = b->value.module;
    }
    if (!m) return false;
    g = m->scope;
  }
  for (uint32_t k = g->bound.n; k-- > 0;) {
    const Bound *b = g->bound.at[k];
    if (strcmp(b->name, name) || !b->ast || !b->ast->source) continue;
    const Ast *at = b->ast;
    if (!defines(at, name)) return false;
    add_definition(t, at);
    return true;
  }
  return false;
}

/* A page for a terminal: the title without its mark, blocks set in instead of fenced. */
static void add_page(Text *t, const char *page) {
  bool block = false;
  for (const char *p = page; *p;) {
    size_t n = strcspn(p, "\n");
    if (!strncmp(p, "```", 3)) block = !block;
    else {
      size_t mark = !block && p[0] == '#' && p[1] == ' ' ? 2 : 0;
      if (block && n) text_add(t, "    ");
      text_add_n(t, p + mark, n - mark);
      text_add(t, "\n");
    }
    p += n + (p[n] != 0);
  }
}

/* The code, or the name by which a warning is turned off. */
static bool is_called(const DiagInfo *d, const char *name) {
  if (!strcmp(d->code, name)) return true;
  const char *p = d->name;
  for (; *p && *name; p++, name++)
    if (*p != *name && (*p < 'A' || *p > 'Z' || *p + 32 != *name)) return false;
  return d->warning && !*p && !*name;
}

static bool add_code(Text *t, const char *name) {
  for (int k = 0; k < N_DIAGS; k++) {
    if (!is_called(&diag_info[k], name)) continue;
    for (const Page *p = pages; p->code; p++)
      if (!strcmp(p->code, diag_info[k].code)) {
        add_page(t, p->text);
        return true;
      }
    text_printf(t, "%s %s: %s\n", diag_info[k].code, diag_info[k].warning ? "warning" : "error", diag_info[k].text);
    return true;
  }
  return false;
}

typedef VEC(const char *) Names;

typedef struct Taker { Arena *a; Names *names; } Taker;
static void take(void *to, const char *name) {
  Taker *k = to;
  vec_push(k->a, k->names, name);
}

static const char *near_name(Arena *a, Session *s, const char *name) {
  Names names = {0};
  for (int k = 0; k < N_OPS; k++)
    if (!(op_table[k]->flags & OP_HIDDEN)) vec_push(a, &names, op_table[k]->name);
  for (const Native *const *table = native_tables; *table; table++)
    for (const Native *n = *table; n->name; n++) vec_push(a, &names, n->name);
  for (int k = 0; k < stdlib_n_names; k++) vec_push(a, &names, stdlib_names[k].name);
  for (int k = 0; k < N_DIAGS; k++) vec_push(a, &names, diag_info[k].code);
  doc_word_names(take, &(Taker){a, &names});
  if (s && s->elab)
    for (uint32_t k = 0; k < s->elab->globals->bound.n; k++) vec_push(a, &names, s->elab->globals->bound.at[k]->name);
  return nearest(name, names.at, names.n);
}

char *doc_of(Arena *a, Session *s, const char *name, const char **near) {
  Text t = {.arena = a};
  *near = NULL;
  const Op *op;
  const Native *native;
  if (add_session(&t, s, name)) return t.at;
  if ((op = op_find(name, strlen(name))) && !(op->flags & OP_HIDDEN)) add_op(&t, op);
  else if ((native = native_find(name))) {
    text_add(&t, native->name);
    add_parameters(&t, native->params);
    add_text(&t, native->doc);
    add_indented(&t, native->example);
  } else if (!add_library(&t, name) && !add_code(&t, name) && !doc_word(&t, name)) {
    *near = near_name(a, s, name);
    return NULL;
  }
  return t.at;
}

int cli_doc(Cli *c) {
  Host host;
  Guard g;
  host_init(&host, NULL, NULL);
  if (!HOST_GUARD(&host, &g)) {
    err_printf(c, "glia: %s\n", host.message);
    return EXIT_SCRIPT;
  }
  Arena *a = arena_new(&host);
  if (c->all) {
    Text all = {.arena = a};
    doc_all(&all);
    out_write(c, all.at, all.n);
    arena_free(a);
    host_leave(&host, &g);
    return EXIT_DONE;
  }
  const char *name = c->operand[0], *near;
  char *text = doc_of(a, NULL, name, &near);
  if (text) out_text(c, text);
  else err_printf(c, "glia: nothing is called `%s'%s%s%s\n", name, near ? "; did you mean `" : "", near ? near : "",
                  near ? "'?" : "");
  arena_free(a);
  host_leave(&host, &g);
  return text ? EXIT_DONE : EXIT_SCRIPT;
}

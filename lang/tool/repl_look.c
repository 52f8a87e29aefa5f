/* repl_look: commands that show what is there: `:now`, `:graph`, `:hist`, `:plot`, `:show`, `:mem`, and the note that a
 * name was computed before what it reads moved.
 */
#include "elab/leaves.h"
#include "steps/format.h"
#include "tool/graph_file.h"
#include "tool/plan_text.h"
#include "tool/repl_inspect.h"
#include <stdlib.h>
#include <string.h>

/* ---- then and now ---- */

static void show_now(Repl *r, Inspect *x, void *to) {
  (void)to;
  const Tensor *t = inspect_value(x, x->y);
  Text text = {.arena = x->a};
  format_tensor(&text, t, &(Format){.digits = -1}, 0);
  out_printf(r->c, "%s  : %s\n", text.at, type_show(x->a, &t->type));
}

bool show_value_now(Repl *r, const char *rest) {
  repl_inspect(r, "now", rest, INSPECT_NOW, show_now, NULL);
  return true;
}

/* `net.0.w`, `net.1.w` as `net`. */
static const char *roots_of(Arena *a, const char *paths) {
  Text t = {.arena = a};
  VEC(const char *) seen = {0};
  for (const char *p = paths; (p = strchr(p, '`'));) {
    size_t n = strcspn(++p, ".`");
    const char *root = arena_text(a, p, n);
    p = strchr(p, '`') + 1;
    bool known = false;
    for (uint32_t k = 0; k < seen.n; k++) known |= !strcmp(seen.at[k], root);
    if (known) continue;
    text_printf(&t, "%s`%s`", seen.n ? ", " : "", root);
    vec_push(a, &seen, root);
  }
  return t.at;
}

static const char *moved_of(Repl *r, const Value *v) {
  const char *moved = NULL;
  if (v->kind == V_NODE) return inspect_moved(r->s, v->node, r->a);
  for (uint32_t k = 0; !moved && (v->kind == V_TUPLE || v->kind == V_LIST) && k < v->items->n; k++)
    moved = moved_of(r, &v->items->at[k]);
  return moved;
}

static void names_in(Repl *r, const Ast *x, Names *names) {
  if (x->kind == A_LAMBDA) return;
  bool known = x->kind != A_NAME;
  for (uint32_t k = 0; !known && k < names->n; k++) known = names->at[k] == x->name;
  if (!known) vec_push(r->a, names, x->name);
  for (uint32_t k = 0; k < x->n; k++)
    if (x->kid[k]) names_in(r, x->kid[k], names);
}

void say_what_moved(Repl *r, const Entry *entry) {
  const Scope *top = r->s->elab->globals;
  Names names = {0};
  names_in(r, entry->parsed->program, &names);
  for (uint32_t k = 0; k < names.n; k++) {
    const Bound *b = NULL;
    for (uint32_t j = entry->names; !b && j-- > 0;)
      if (top->bound.at[j]->name == names.at[k]) b = top->bound.at[j];
    if (!b || !strcmp(b->name, "it")) continue;
    const char *moved = moved_of(r, &b->value);
    if (!moved) continue;
    const char *roots = roots_of(r->a, moved);
    err_printf(r->c, "entry %d: note: `%s` is of %s; %s %s moved since: `:now %s`\n", r->entry, b->name,
               b->ast ? b->ast->source->name : "before", roots, strchr(roots, ',') ? "have" : "has", b->name);
  }
}

/* ---- pictures ---- */

typedef struct ToFile { const char *path; GraphForm form; } ToFile;

static void show_graph(Repl *r, Inspect *x, void *to) {
  const ToFile *f = to;
  const char *why = graph_write(r->c, x, f->form, f->path);
  if (why) err_printf(r->c, "entry %d: %s\n", r->entry, why);
  else if (f->path) out_printf(r->c, "the graph of %u operations is in %s\n", x->n, f->path);
}

/* The last word, if it is a path with an ending that is asked for; rest is cut before it. */
static const char *path_behind(Repl *r, char *rest) {
  char *word = strrchr(rest, ' ');
  if (!word || strpbrk(word, "()[]{},+*")) return NULL;
  const char *dot = strrchr(word, '.');
  if (!dot || dot[1] == 0 || dot == word + 1) return NULL;
  size_t n = strlen(dot + 1);
  if (dot[n] == '"') n--;
  if (graph_form(dot + 1, n) == GRAPH_NONE && strncmp(dot + 1, "png", n)) return NULL;
  const char *path = word + 1;
  size_t length = strlen(path);
  if (*path == '"' && length > 1 && path[length - 1] == '"') path = arena_text(r->a, path + 1, length - 2);
  else path = arena_text(r->a, path, length);
  while (word > rest && word[-1] == ' ') word--;
  *word = 0;
  return path;
}

bool show_graph_of(Repl *r, const char *rest) {
  char *e = arena_text(r->a, rest, strlen(rest));
  ToFile f = {path_behind(r, e), GRAPH_TEXT};
  if (f.path) f.form = graph_form(strrchr(f.path, '.') + 1, strlen(strrchr(f.path, '.') + 1));
  if (f.form == GRAPH_NONE)
    err_printf(r->c, "entry %d: a graph is written to a file that ends in .txt, .dot, .svg or .html, not to %s\n",
               r->entry, f.path);
  else if (f.form == GRAPH_HTML) repl_page(r, e, f.path);
  else repl_inspect(r, "graph", e, INSPECT_THEN, show_graph, &f);
  return true;
}

/* A statement of the language, as if it had been typed. */
static bool run_as(Repl *r, const char *text) {
  Entry *entry;
  return repl_report(r, repl_evaluate(r, text, strlen(text), &entry));
}

static bool drawn_by(Repl *r, const char *command, const char *call, const char *rest) {
  char *e = arena_text(r->a, rest, strlen(rest));
  const char *path = path_behind(r, e);
  if (!*e) err_printf(r->c, "entry %d: :%s wants an expression\n", r->entry, command);
  else if (path) run_as(r, arena_printf(r->a, "%s(%s, path = \"%s\")", call, e, path));
  else run_as(r, arena_printf(r->a, "%s(%s)", call, e));
  return true;
}

bool show_plot(Repl *r, const char *rest) { return drawn_by(r, "plot", "plot", rest); }
bool show_image(Repl *r, const char *rest) { return drawn_by(r, "show", "show", rest); }

/* A tensor, or each parameter of a tree. */
bool show_hist(Repl *r, const char *rest) {
  const Value *v;
  Leaves l = {0};
  if (!*rest) {
    err_printf(r->c, "entry %d: :hist wants an expression\n", r->entry);
    return true;
  }
  if (!repl_value(r, rest, &v)) return true;
  bool tree = v->kind == V_INSTANCE || v->kind == V_RECORD || (v->kind == V_FN && v->fn->kind == FN_CHAIN);
  if (tree) tree_cells(r->s->elab, *v, &l);
  Names paths = {0};
  for (uint32_t k = 0; k < l.n; k++)
    if (l.at[k].value.kind == V_CELL && l.at[k].value.cell->path)
      vec_push(r->a, &paths, arena_text(r->a, l.at[k].value.cell->path, strlen(l.at[k].value.cell->path)));
  if (!tree) return drawn_by(r, "hist", "hist", rest);
  for (uint32_t k = 0; k < paths.n; k++) {
    Text path = {.arena = r->a};
    for (const char *p = paths.at[k]; *p;) {           /* net.0.w: net[0].w */
      size_t n = strcspn(p, ".");
      bool index = p > paths.at[k] && is_digit(*p);
      text_add(&path, p == paths.at[k] ? "" : index ? "[" : ".");
      text_add_n(&path, p, n);
      if (index) text_add(&path, "]");
      p += n + (p[n] == '.');
    }
    out_printf(r->c, "%s\n", paths.at[k]);
    if (!run_as(r, arena_printf(r->a, "hist(%s)", path.at))) break;
  }
  if (!paths.n) err_printf(r->c, "entry %d: there are no parameters in this\n", r->entry);
  return true;
}

/* ---- memory ---- */

static size_t slot_bytes(const Slot *s) { return s->value ? s->value->bytes : 0; }

bool show_memory(Repl *r, const char *rest) {
  enum { MOST = 10 };
  (void)rest;
  const Program *p = r->s->program;
  size_t trained = 0, other = 0, cells = 0;
  for (uint32_t k = 0; k < p->slot.n; k++) {
    size_t n = slot_bytes(&p->slot.at[k]);
    if (p->slot.at[k].trained) trained += n;
    else if (p->slot.at[k].kind == SLOT_CELL) cells += n;
    else other += n;
  }
  out_printf(r->c, "in use %s, at most %s\n", bytes_text(r->a, (double)r->s->host.in_use),
             bytes_text(r->a, (double)r->s->host.peak));
  out_printf(r->c, "parameters %s, other cells %s, values and files %s, room to compute in %s\n",
             bytes_text(r->a, (double)trained), bytes_text(r->a, (double)cells), bytes_text(r->a, (double)other),
             bytes_text(r->a, (double)r->s->slab_bytes));
  bool *said = NEW_N(r->a, bool, p->slot.n + 1u);
  for (int n = 0; n < MOST; n++) {
    uint32_t best = p->slot.n;
    for (uint32_t k = 0; k < p->slot.n; k++)
      if (!said[k] && p->slot.at[k].path && slot_bytes(&p->slot.at[k]) &&
          (best == p->slot.n || slot_bytes(&p->slot.at[k]) > slot_bytes(&p->slot.at[best])))
        best = k;
    if (best == p->slot.n) break;
    said[best] = true;
    const Slot *s = &p->slot.at[best];
    out_printf(r->c, "  %-20s %-16s %s\n", s->path, type_show(r->a, &s->type), bytes_text(r->a, (double)slot_bytes(s)));
  }
  return true;
}

/* repl_commands: what begins with a colon. In: a Repl and the rest of the line. Out: lines on standard output; false
 * when the session ends.
 *
 * A command stands in one table, from which help, completion and `glia doc` are derived.
 */
#define _POSIX_C_SOURCE 200809L
#include "runtime/exec/ffi.h"
#include "runtime/files/files.h"
#include "elab/leaves.h"
#include "inspect/inspect.h"
#include "tool/repl_commands.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a command's expression is, without its value; false: said already. */
static bool wanted(Repl *r, const char *command, const char *rest, const Value **v) {
  Entry *entry;
  if (!*rest) err_printf(r->c, "entry %d: :%s wants an expression\n", r->entry, command);
  if (!*rest || !repl_look(r, command, rest, &entry)) return false;
  *v = entry->it;
  if (!entry->it) err_printf(r->c, "entry %d: this is not an expression: %s\n", r->entry, rest);
  return entry->it != NULL;
}

static bool show_type(Repl *r, const char *rest) {
  const Value *v;
  if (!wanted(r, "type", rest, &v)) return true;
  out_printf(r->c, "%s\n", session_type_text(r->s, v));
  if (v->kind == V_FN && v->fn->kind == FN_EXTERN && v->fn->op)
    out_printf(r->c, "C: %s;\n", foreign_prototype(r->a, v->fn->op));
  return true;
}

static bool show_shape(Repl *r, const char *rest) {
  const Value *v;
  if (!wanted(r, "shape", rest, &v)) return true;
  const char *type = session_type_text(r->s, v), *shape = strchr(type, '[');
  bool tensor = v->kind == V_NODE || v->kind == V_CELL;
  out_printf(r->c, "%s\n", tensor && shape ? shape : type);
  return true;
}

/* Whether a slot is a cell of the tree v. */
static bool in_tree(const Leaves *l, SlotId slot) {
  for (uint32_t k = 0; k < l->n; k++)
    if (l->at[k].value.kind == V_CELL && l->at[k].value.cell->slot == slot) return true;
  return false;
}

/* Name, type and, with a name given, the values of every parameter below it, or of any tree: `net[0]`, `net[1:]`. */
static bool show_params(Repl *r, const char *rest) {
  const Program *p = r->s->program;
  int64_t count = 0;
  size_t n = strlen(rest);
  int shown = 0;
  Leaves tree = {0};
  const Value *v;
  bool of_tree = strpbrk(rest, "[({,") != NULL;
  if (of_tree) {
    if (!repl_value(r, rest, &v)) return true;
    tree_cells(r->s->elab, *v, &tree);
    p = r->s->program;
  }
  for (uint32_t k = 0; p && k < p->slot.n; k++) {
    const Slot *slot = &p->slot.at[k];
    if (!slot->trained || !slot->path) continue;
    if (of_tree && !in_tree(&tree, k)) continue;
    if (n && !of_tree && (strncmp(slot->path, rest, n) || (slot->path[n] && slot->path[n] != '.'))) continue;
    Text t = {.arena = r->a};
    char *type = type_show(r->a, &slot->type);
    if (n && slot->value) {
      format_tensor(&t, slot->value, &(Format){.digits = -1}, 0);
      bool lines = strchr(t.at, '\n') != NULL;
      if (lines) out_printf(r->c, "%s  : %s\n", slot->path, type);
      else out_printf(r->c, "%s = ", slot->path);
      out_text(r->c, t.at);
      if (lines) out_text(r->c, "\n");
      else out_printf(r->c, "  : %s\n", type);
    } else out_printf(r->c, "%-24s %s\n", slot->path, type);
    count += type_count(&slot->type);
    shown++;
  }
  if (!shown) out_text(r->c, n ? "no parameter has this name\n" : "there are no parameters\n");
  else out_printf(r->c, "%lld numbers\n", (long long)count);
  return true;
}

static bool show_doc(Repl *r, const char *rest) {
  const char *near;
  if (!*rest) {
    err_printf(r->c, "entry %d: :doc wants a name\n", r->entry);
    return true;
  }
  const Command *c = *rest == ':' ? command_find(rest + 1) : NULL;
  if (c) {
    out_printf(r->c, ":%s  %s\n", c->usage, c->help);
    return true;
  }
  char *text = doc_of(r->a, r->s, rest, &near);
  if (text) out_text(r->c, text);
  else err_printf(r->c, "entry %d: nothing is called `%s'%s%s%s\n", r->entry, rest, near ? "; did you mean `" : "",
                  near ? near : "", near ? "'?" : "");
  return true;
}

static bool show_help(Repl *r, const char *rest) {
  if (*rest) return show_doc(r, rest);
  out_text(r->c, "Type an expression to see its value, or any statement. "
                 "`it' is the last value. Brackets continue a line.\n");
  for (const Command *c = commands; c->name; c++)
    out_printf(r->c, "  :%-18s %s\n", c->usage, c->help);
  return true;
}

/* ---- time, dumps ---- */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Text and check, then the run alone, as often as a fifth of a second allows; what it did is put back each time. */
static bool show_time(Repl *r, const char *rest) {
  enum { MOST = 200 };
  double start = now(), took[MOST];
  int n = 0;
  Entry *entry;
  if (!repl_look(r, "time", rest, &entry)) return true;
  double checked = now() - start;
  Status status = STATUS_OK;
  for (start = now(); status == STATUS_OK && n < MOST && (n == 0 || now() - start < 200);) {
    status = session_rehearse(r->s, entry, &took[n]);
    n += status == STATUS_OK;
  }
  if (!n) {
    repl_report(r, status);
    return true;
  }
  cli_resume(r->s);
  qsort(took, (size_t)n, sizeof *took, by_size);
  out_printf(r->c, "%.3g ms to check, %.3g ms to run (median of %d, %.3g to %.3g)\n", checked, took[n / 2], n, took[0],
             took[n - 1]);
  return true;
}

static bool show_dump(Repl *r, const char *rest) {
  static const char *const stages[] = {"ast", "graph", "grad", "opt", "plan", NULL};
  char stage[8];
  const char *expr = rest + strcspn(rest, " ");
  snprintf(stage, sizeof stage, "%.*s", (int)(expr - rest), rest);
  while (*expr == ' ') expr++;
  bool known = false;
  for (const char *const *k = stages; *k; k++)
    known |= !strcmp(*k, stage) && (size_t)(strchr(rest, ' ') ? strchr(rest, ' ') - rest : 0) < sizeof stage;
  if (!known || !*expr) {
    err_printf(r->c, "entry %d: :dump wants ast, graph, grad, opt or plan, and an expression\n", r->entry);
    return true;
  }
  Entry *entry;
  if (!repl_look(r, "dump", expr, &entry)) return true;
  const char *text = session_dump(r->s, entry, stage);
  if (text) out_text(r->c, text);
  bool known_value = entry->it && entry->it->kind == V_NODE &&
                     graph_at(r->s->graph, entry->it->node)->flags & NODE_KNOWN;
  text = known_value && !strcmp(stage, "graph") ? inspect_dump(r->s, entry->it->node, r->a) : NULL;
  if (text) out_printf(r->c, "known while checking\n%s", text);
  return true;
}

/* ---- the session in a file: its entries, each below a line that says so ---- */

static bool save_session(Repl *r, const char *rest) {
  if (!*rest) {
    err_printf(r->c, "entry %d: :save wants the path of a file\n", r->entry);
    return true;
  }
  Host host;
  Guard g;
  FileError why;
  host_init(&host, NULL, NULL);
  if (!HOST_GUARD(&host, &g)) {
    err_printf(r->c, "entry %d: %s\n", r->entry, host.message);
    return true;
  }
  if (file_write_atomic(&host, rest, r->kept.at ? r->kept.at : "", r->kept.n, &why))
    out_printf(r->c, "%d entr%s in %s\n", r->n_kept, r->n_kept == 1 ? "y" : "ies", rest);
  else err_printf(r->c, "entry %d: %s\n", r->entry, why.text);
  host_leave(&host, &g);
  return true;
}

static bool load_session(Repl *r, const char *rest) {
  const char *text;
  size_t n;
  FileError why;
  if (!*rest) {
    err_printf(r->c, "entry %d: :load wants the path of a file\n", r->entry);
    return true;
  }
  if (!file_read(r->a, rest, SOURCE_MAX, &text, &n, &why)) {
    err_printf(r->c, "entry %d: %s\n", r->entry, why.text);
    return true;
  }
  text = arena_text(r->a, text, n);
  if (strncmp(text, repl_entry_mark, strlen(repl_entry_mark))) {           /* a script */
    Entry *entry;
    repl_report(r, session_load_file(r->s, rest, LOAD_REPL, &entry));
    return true;
  }
  for (const char *p = text; p;) {
    p += strlen(repl_entry_mark);
    const char *next = strstr(p, repl_entry_mark);
    size_t end = next ? (size_t)(next - p) : strlen(p);
    while (end && p[end - 1] == '\n') end--;
    if (!repl_run(r, arena_text(r->a, p, end), end))
      err_printf(r->c, "entry %d: %s ends in the middle of an entry\n", r->entry++, rest);
    if (cli_interrupted()) break;
    p = next;
  }
  return true;
}

static bool reset(Repl *r, const char *rest) {
  (void)rest;
  if (session_reset(r->s) != STATUS_OK) err_text(r->c, "glia: out of memory: nothing was forgotten\n");
  r->entry = 0;
  r->kept = (Text){.arena = r->a};
  r->n_kept = 0;
  return true;
}

static bool quit(Repl *r, const char *rest) {
  (void)r;
  (void)rest;
  return false;
}

static bool on_off(const char *text, bool *out) {
  *out = !strcmp(text, "on");
  return *out || !strcmp(text, "off");
}

static void allow(Repl *r, const char *list) {
  char near[MOST_WARNING_NAME];
  const char *unknown;
  size_t n;
  if (warnings_allow(&r->s->config.rules, list, &unknown, &n)) return;
  bool found = warning_near(unknown, n, near);
  err_printf(r->c, "entry %d: there is no warning `%.*s'%s%s%s\n", r->entry, (int)n, unknown,
             found ? "; did you mean `" : "", found ? near : "", found ? "'?" : "");
}

/* A setting of the session; what a plan was made with stays as it was made. */
static bool set(Repl *r, const char *rest) {
  static const char *const names[] = {"allow", "color", "fuse", "numbers", "seed", "strict", NULL};
  char name[16] = "";
  const char *value = rest + strcspn(rest, " ");
  snprintf(name, sizeof name, "%.*s", (int)(value - rest), rest);
  while (*value == ' ') value++;
  bool on = false, good = false;
  int64_t seed;
  if (!*rest) {
    out_printf(r->c, "color %s\nfuse %s\nnumbers %s\nstrict %s\n", r->c->color ? "on" : "off",
               r->s->config.no_fuse ? "off" : "on", r->s->config.check_numbers ? "on" : "off",
               r->s->config.strict ? "on" : "off");
    return true;
  }
  if (!strcmp(name, "allow")) {
    allow(r, value);
    return true;
  }
  if (!strcmp(name, "seed")) {
    if ((good = parse_count(value, 0, INT64_MAX, &seed))) {
      Entry *entry;
      char text[48];
      snprintf(text, sizeof text, "seed(%lld)", (long long)seed);
      repl_report(r, repl_evaluate(r, text, strlen(text), &entry));
    }
  } else if (!strcmp(name, "color")) {
    if ((good = on_off(value, &on))) r->c->color = on;
  } else if (!strcmp(name, "fuse")) {
    if ((good = on_off(value, &on))) r->s->config.no_fuse = r->c->config.no_fuse = !on;
  } else if (!strcmp(name, "numbers")) {
    if ((good = on_off(value, &on))) r->s->config.check_numbers = r->c->config.check_numbers = on;
  } else if (!strcmp(name, "strict")) {
    if ((good = on_off(value, &on))) r->s->config.strict = r->c->config.strict = on;
  } else {
    const char *near = did_you_mean(name, names);
    err_printf(r->c, "entry %d: there is no setting `%s'%s%s%s\n", r->entry, name, near ? "; did you mean `" : "",
               near ? near : "", near ? "'?" : "");
    return true;
  }
  if (!good) err_printf(r->c, "entry %d: `%s' is no value of %s\n", r->entry, value, name);
  return true;
}

const Command commands[] = {
    {"grad", "grad e [w...]", "d e / d everything it depends on, or only w: norm, range, zeros, histogram",
     show_gradients},
    {"back", "back [--shares] e", "backpropagation, an operation at a time, with its numbers; or as a tree of shares",
     step_back},
    {"why", "why w [e]",
     "what is wrong with the gradient of w: the first expression at fault, and what to do", show_why},
    {"blame", "blame e", "who made the first NaN or infinity; `:blame spike [N]`: the rows that made a loss jump",
     show_blame},
    {"check", "check e", "the derivatives of e, of first and second order, against finite differences", show_check},
    {"summary", "summary net [x]", "its layers: results, parameters, operations, memory", show_summary},
    {"plan", "plan e", "the steps that e would run as: what they fuse, bytes and operations", show_plan},
    {"profile", "profile e", "where the time of e goes, by place", show_profile},
    {"do", "do h = v", "an inner value replaced, then values and gradients: `:do h.relu = 0`", do_instead},
    {"at", "at N", "the variables of the run of FILE as they stood at step N; or at its `end`", go_to_step},
    {"fork", "fork k = v", "that run with another argument: both curves", fork_run},
    {"diff", "diff [k = v]", "where that run and its fork part", diff_runs},
    {"now", "now e", "the value of e with everything as it is now", show_value_now},
    {"graph", "graph e [FILE]", "the graph of e as a tree, or in a file: .txt, .dot, .svg, .html", show_graph_of},
    {"hist", "hist w", "how often its numbers fall where, or those of each parameter of a tree", show_hist},
    {"plot", "plot s [FILE]", "the curves of a series or a tensor", show_plot},
    {"show", "show img [FILE]", "an image", show_image},
    {"mem", "mem", "what memory is used for", show_memory},
    {"type", "type e", "the type of a value", show_type},
    {"shape", "shape e", "its shape", show_shape},
    {"params", "params [t]", "the parameters, or the values of those below t", show_params},
    {"doc", "doc NAME", "the documentation of a name", show_doc},
    {"set", "set [k v]",
     "settings: color, fuse, numbers (check them), strict on|off, seed N, allow NAME (of a warning)", set},
    {"time", "time e", "how long it takes to check e, and to run it; what it does is put back", show_time},
    {"dump", "dump STAGE e", "ast, graph, grad, opt or plan of e", show_dump},
    {"save", "save F", "write the entries so far to a file", save_session},
    {"load", "load F", "evaluate the entries of such a file, or a script", load_session},
    {"reset", "reset", "forget everything", reset},
    {"help", "help [NAME]", "this list, or the documentation of a name", show_help},
    {"quit", "quit", "leave; so does the end of the input", quit},
    {NULL, NULL, NULL, NULL},
};

const Command *command_find(const char *name) {
  for (const Command *c = commands; c->name; c++)
    if (!strcmp(c->name, name)) return c;
  return NULL;
}

bool repl_command(Repl *r, const char *text) {
  char name[32];
  size_t n = strcspn(text, " \t");
  snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), text);
  while (text[n] == ' ' || text[n] == '\t') n++;
  size_t end = strlen(text);
  while (end > n && (text[end - 1] == ' ' || text[end - 1] == '\t' || text[end - 1] == '\r')) end--;
  const char *rest = arena_text(r->a, text + n, end - n);
  const Command *c = command_find(name);
  if (c) {
    int entry = r->entry;
    bool goes_on = c->run(r, rest);
    if (r->entry == entry || r->entry == 0) r->entry++;
    return goes_on;
  }
  const char *names[64];
  size_t count = 0;
  for (const Command *k = commands; k->name && count < 64; k++) names[count++] = k->name;
  const char *near = nearest(name, names, count);
  err_printf(r->c, "entry %d: no command `:%s'%s%s%s\n", r->entry, name, near ? "; did you mean `:" : "",
             near ? near : "", near ? "'?" : "");
  r->entry++;
  return true;
}

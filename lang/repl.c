/* repl: evaluates what is typed, an entry at a time, in one session. In: lines. Out: values with their types on standard output,
 * diagnostics as `entry 3:1:5: error: ...` on standard error.
 *
 * An error never ends it. A piped session gives the same output as a typed one, without prompts and colour. Commands begin with a
 * colon; each stands in one table, from which help and completion are derived.
 */
#define _POSIX_C_SOURCE 200809L
#include "repl.h"
#include "stdlib.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Status repl_evaluate(Repl *r, const char *text, size_t n, Entry **out) {
  *out = NULL;
  char name[32];
  snprintf(name, sizeof name, "entry %d", r->entry);
  return session_load(r->s, name, text, n, LOAD_REPL, out);
}

/* Writes what went wrong, if anything; an interrupted entry leaves the session as it is. */
bool repl_report(Repl *r, Status status) {
  if (status == STATUS_OK) {
    if (!r->c->quiet) cli_diagnostics(r->c, r->s);
    return true;
  }
  cli_status(r->c, r->s, status);
  cli_resume(r->s);
  return false;
}

bool repl_value(Repl *r, const char *text, const Value **out) {
  Entry *entry;
  Status status = repl_evaluate(r, text, strlen(text), &entry);
  if (!repl_report(r, status)) return false;
  if (!entry || entry->incomplete || !entry->it) {
    err_printf(r->c, "entry %d: this is not an expression: %s\n", r->entry, text);
    return false;
  }
  *out = entry->it;
  return true;
}

void repl_name_it(Repl *r, Value v) {
  Session *s = r->s;
  Guard g;
  if (!HOST_GUARD(&s->host, &g)) return;
  scope_put(s->elab, s->elab->globals, sym(s->sources, "it", 2), v, NULL);
  host_leave(&s->host, &g);
}

/* ---- commands ---- */

static bool show_type(Repl *r, const char *rest) {
  const Value *v;
  if (!repl_value(r, rest, &v)) return true;
  out_printf(r->c, "%s\n", session_type_text(r->s, v));
  return true;
}

static bool show_shape(Repl *r, const char *rest) {
  const Value *v;
  if (!repl_value(r, rest, &v)) return true;
  const char *type = session_type_text(r->s, v), *shape = strchr(type, '[');
  bool tensor = v->kind == V_NODE || v->kind == V_CELL;
  out_printf(r->c, "%s\n", tensor && shape ? shape : type);
  return true;
}

/* Name, type and, with a name given, the values of every parameter below it. */
static bool show_params(Repl *r, const char *rest) {
  const Program *p = r->s->program;
  int64_t count = 0;
  size_t n = strlen(rest);
  int shown = 0;
  for (uint32_t k = 0; p && k < p->slot.n; k++) {
    const Slot *slot = &p->slot.at[k];
    if (!slot->trained || !slot->path) continue;
    if (n && (strncmp(slot->path, rest, n) || (slot->path[n] && slot->path[n] != '.'))) continue;
    Text t = {.arena = r->a};
    char *type = type_show(r->a, &slot->type);
    if (n && slot->value) {
      format_tensor(&t, slot->value, &(Format){.digits = -1}, 0);
      out_printf(r->c, "%s = ", slot->path);
      out_text(r->c, t.at);
      out_printf(r->c, "  : %s\n", type);
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
  out_text(r->c, "Type an expression to see its value, or any statement. `it' is the last value. Brackets continue a line.\n");
  for (const Command *c = commands; c->name; c->run ? out_printf(r->c, "  :%-18s %s\n", c->usage, c->help) : (void)0, c++);
  return true;
}

static bool reset(Repl *r, const char *rest) {
  (void)rest;
  if (session_reset(r->s) != STATUS_OK) err_text(r->c, "glia: out of memory: nothing was forgotten\n");
  r->entry = 0;
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

/* A setting of the session; what a plan was made with stays as it was made. */
static void allow(Repl *r, const char *list) {
  char near[MOST_WARNING_NAME];
  const char *unknown;
  size_t n;
  if (warnings_allow(&r->s->config.rules, list, &unknown, &n)) return;
  bool found = warning_near(unknown, n, near);
  err_printf(r->c, "entry %d: there is no warning `%.*s'%s%s%s\n", r->entry, (int)n, unknown, found ? "; did you mean `" : "",
             found ? near : "", found ? "'?" : "");
}

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
               r->s->config.no_fuse ? "off" : "on", r->s->config.check_numbers ? "on" : "off", r->s->config.strict ? "on" : "off");
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
    {"grad", "grad e [w...]", "d e / d everything it depends on, or only w: norm, range, zeros, histogram", show_gradients},
    {"type", "type e", "the type of a value", show_type},
    {"shape", "shape e", "its shape", show_shape},
    {"params", "params [t]", "the parameters, or the values of those below t", show_params},
    {"doc", "doc NAME", "the documentation of a name", show_doc},
    {"set", "set [k v]", "settings: color, fuse, numbers (check them), strict on|off, seed N, allow NAME (of a warning)", set},
    {"reset", "reset", "forget everything", reset},
    {"help", "help [NAME]", "this list, or the documentation of a name", show_help},
    {"quit", "quit", "leave; so does the end of the input", quit},
    {"graph", "graph e [FILE]", NULL, NULL},
    {"back", "back e", NULL, NULL},
    {"why", "why w", NULL, NULL},
    {"blame", "blame e", NULL, NULL},
    {"check", "check e", NULL, NULL},
    {"summary", "summary net [x]", NULL, NULL},
    {"hist", "hist w", NULL, NULL},
    {"plot", "plot s [FILE]", NULL, NULL},
    {"show", "show img", NULL, NULL},
    {"time", "time e", NULL, NULL},
    {"profile", "profile e", NULL, NULL},
    {"plan", "plan e", NULL, NULL},
    {"dump", "dump STAGE e", NULL, NULL},
    {"mem", "mem", NULL, NULL},
    {"save", "save F", NULL, NULL},
    {"load", "load F", NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

const Command *command_find(const char *name) {
  for (const Command *c = commands; c->name; c++)
    if (!strcmp(c->name, name)) return c;
  return NULL;
}

static bool run_command(Repl *r, const char *text) {
  char name[32];
  size_t n = strcspn(text, " \t");
  snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), text);
  while (text[n] == ' ' || text[n] == '\t') n++;
  size_t end = strlen(text);
  while (end > n && (text[end - 1] == ' ' || text[end - 1] == '\t' || text[end - 1] == '\r')) end--;
  const char *rest = arena_text(r->a, text + n, end - n);
  const Command *c = command_find(name);
  if (c && c->run) {
    int entry = r->entry;
    bool goes_on = c->run(r, rest);
    if (r->entry == entry || r->entry == 0) r->entry++;
    return goes_on;
  }
  if (c) err_printf(r->c, "entry %d: not yet: :%s\n", r->entry, c->name);
  else {
    const char *names[64];
    size_t count = 0;
    for (const Command *k = commands; k->name && count < 64; k++) names[count++] = k->name;
    const char *near = nearest(name, names, count);
    err_printf(r->c, "entry %d: no command `:%s'%s%s%s\n", r->entry, name, near ? "; did you mean `:" : "", near ? near : "",
               near ? "'?" : "");
  }
  r->entry++;
  return true;
}

/* ---- completion ---- */

static void complete_words(void *ctx, const char *prefix, void (*add)(void *to, const char *word), void *to) {
  static const char *const words[] = {"let", "var", "fn", "proc", "if", "else", "for", "in", "while", "break", "continue", "print",
                                      "assert", "import", "training", "and", "or", "not", "true", "false", "None", "param", "state",
                                      "layer", "optimizer", "gradient", "test", "extern", NULL};
  Repl *r = ctx;
  if (*prefix == ':') {
    char word[32];
    for (const Command *c = commands; c->name; c++)
      if (c->run) {
        snprintf(word, sizeof word, ":%s", c->name);
        add(to, word);
      }
    return;
  }
  for (size_t k = 0; words[k]; k++) add(to, words[k]);
  for (int k = 0; k < N_OPS; k++)
    if (!(op_table[k]->flags & OP_HIDDEN)) add(to, op_table[k]->name);
  for (const Native *const *table = native_tables; *table; table++)
    for (const Native *n = *table; n->name; n++) add(to, n->name);
  for (int k = 0; k < stdlib_n_names; k++) add(to, stdlib_names[k].name);
  const Scope *g = r->s->elab ? r->s->elab->globals : NULL;
  for (uint32_t k = 0; g && k < g->bound.n; k++) add(to, g->bound.at[k]->name);
  for (uint32_t k = 0; r->s->program && k < r->s->program->slot.n; k++)
    if (r->s->program->slot.at[k].path) add(to, r->s->program->slot.at[k].path);
}

/* ---- entries ---- */

static bool blank(const char *text) {
  while (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n') text++;
  return !*text || (*text == '#' && text[1] != '#');
}

/* The text of an entry so far is run; false: it wants more lines. */
static bool run_entry(Repl *r, const Text *text) {
  Entry *entry;
  Status status = repl_evaluate(r, text->at, text->n, &entry);
  if (status == STATUS_OK && entry && entry->incomplete) return false;
  if (repl_report(r, status) && entry && entry->it && entry->it->kind != V_UNIT) {
    const char *value = session_value_text(r->s, entry->it), *type = session_type_text(r->s, entry->it);
    repl_name_it(r, *entry->it);
    if (value && type) {
      out_text(r->c, value);
      out_printf(r->c, "  : %s\n", type);
    } else cli_diagnostics(r->c, r->s);
  }
  r->entry++;
  return true;
}

/* The input ended inside a bracket: an ordinary check says which. */
static void unfinished(Repl *r, const Text *text) {
  Entry *entry;
  char name[32];
  snprintf(name, sizeof name, "entry %d", r->entry);
  repl_report(r, session_load(r->s, name, text->at, text->n, LOAD_CHECK, &entry));
}

static int read_eval(Repl *r) {
  Text pending = {.arena = r->a};
  for (;;) {
    const char *line;
    size_t n;
    if (!out_flush(r->c)) return EXIT_DONE;
    LineResult got = lines_read(r->lines, pending.n ? "... " : "> ", &line, &n);
    if (got == LINE_INTERRUPTED) {
      cli_resume(r->s);
      pending = (Text){.arena = r->a};
      continue;
    }
    if (got == LINE_FAILED) {
      err_text(r->c, "glia: cannot read standard input\n");
      return EXIT_SCRIPT;
    }
    if (got == LINE_END) {
      if (pending.n) unfinished(r, &pending);
      return EXIT_DONE;
    }
    if (*line) lines_remember(r->lines, line);
    if (!pending.n) {
      if (strlen(line) == n && blank(line)) continue;
      if (*line == ':') {
        if (!run_command(r, line + 1)) return EXIT_DONE;
        continue;
      }
    } else text_add(&pending, "\n");
    text_add_n(&pending, line, n);
    if (run_entry(r, &pending)) pending = (Text){.arena = r->a};
  }
}

int cli_repl(Cli *c) {
  bool interactive = isatty(STDIN_FILENO) == 1 && c->out.terminal;
  Repl r = {.c = c, .entry = 1};
  Host host;
  Guard g;
  host_init(&host, NULL, NULL);
  if (!interactive && !c->color_asked) c->color = false;
  r.s = cli_open(c);
  if (!r.s) return EXIT_SCRIPT;
  int status = EXIT_DONE;
  if (c->n_operand) {
    Entry *entry;
    repl_report(&r, session_load_file(r.s, c->operand[0], LOAD_KEEP, &entry));
  }
  r.lines = lines_open(interactive, complete_words, &r);
  if (r.lines && HOST_GUARD(&host, &g)) {
    r.a = arena_new(&host);
    if (interactive) out_text(c, "Glia " PACKAGE_VERSION ". :help lists the commands, Ctrl-D leaves.\n");
    status = read_eval(&r);
    if (interactive && status == EXIT_DONE) out_text(c, "\n");
    arena_free(r.a);
    host_leave(&host, &g);
  } else {
    err_text(c, "glia: out of memory\n");
    status = EXIT_SCRIPT;
  }
  lines_close(r.lines);
  cli_close(c, r.s);
  return status;
}

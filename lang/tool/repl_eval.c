/* repl_eval: an entry evaluated and shown, for the loop and the commands alike. In: a text. Out: its value with its
 * type on standard output, diagnostics as `entry 3:1:5: error: ...` on standard error.
 */
#include "tool/repl_commands.h"
#include "text/stdlib.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char repl_entry_mark[] = "# ---- entry ----\n";

void repl_keep(Repl *r, const char *text, size_t n) {
  text_add(&r->kept, repl_entry_mark);
  text_add_n(&r->kept, text, n);
  text_add(&r->kept, "\n");
  r->n_kept++;
}

Status repl_evaluate(Repl *r, const char *text, size_t n, Entry **out) {
  *out = NULL;
  char name[32];
  snprintf(name, sizeof name, "entry %d", r->entry);
  return session_load(r->s, name, text, n, LOAD_REPL, out);
}

bool repl_look(Repl *r, const char *command, const char *e, Entry **out) {
  char name[32];
  *out = NULL;
  if (!*e) {
    err_printf(r->c, "entry %d: :%s wants an expression or a statement\n", r->entry, command);
    return false;
  }
  snprintf(name, sizeof name, "entry %d", r->entry);
  if (!repl_report(r, session_load(r->s, name, e, strlen(e), LOAD_LOOK, out))) return false;
  if (*out && !(*out)->incomplete) return true;
  err_printf(r->c, "entry %d: this is not complete: %s\n", r->entry, e);
  return false;
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

bool repl_blank(const char *text) {
  while (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n') text++;
  return !*text || (*text == '#' && text[1] != '#');
}

static bool same_thing(const Value *a, const Value *b) {
  if (a->kind != b->kind) return false;
  switch (a->kind) {
  case V_FN: return a->fn == b->fn;
  case V_INSTANCE: return a->instance == b->instance;
  case V_OPTIMIZER: return a->optimizer == b->optimizer;
  default: return false;
  }
}

/* Whether v was made with what `old` is, a function, a layer, an instance or an optimizer. */
static bool made_with(const Value *v, const Value *old, int depth) {
  if (depth > 20) return false;
  if (same_thing(v, old)) return true;
  switch (v->kind) {
  case V_FN:
    for (uint32_t k = 0; v->fn->captured && k < v->fn->captured->n; k++)
      if (made_with(&v->fn->captured->at[k], old, depth + 1)) return true;
    return v->fn->base && old->kind == V_FN && v->fn->base == old->fn;
  case V_INSTANCE:
    if (old->kind == V_FN && v->instance->layer == old->fn) return true;
    for (uint32_t k = 0; k < v->instance->n; k++)
      if (v->instance->field[k].role != FIELD_FN && made_with(&v->instance->field[k].value, old, depth + 1))
        return true;
    return false;
  case V_OPTIMIZER:
    if (old->kind == V_FN && v->optimizer->rule == old->fn) return true;
    return v->optimizer->tied && made_with(&v->optimizer->tree, old, depth + 1);
  case V_TUPLE: case V_LIST:
    for (uint32_t k = 0; k < v->items->n; k++)
      if (made_with(&v->items->at[k], old, depth + 1)) return true;
    return false;
  case V_RECORD:
    for (uint32_t k = 0; k < v->fields->n; k++)
      if (made_with(&v->fields->at[k], old, depth + 1)) return true;
    return false;
  default: return false;
  }
}

/* The newest binding of a name before number n; NULL: there is none. */
static const Bound *bound_before(const Scope *g, Sym name, uint32_t n) {
  for (uint32_t k = n; k-- > 0;)
    if (g->bound.at[k]->name == name) return g->bound.at[k];
  return NULL;
}

/* Whether x reads the name where it stands; what a function reads when it is called is the newest. */
static bool reads_now(const Ast *x, Sym name) {
  if (x->kind == A_NAME || (x->kind == A_FIELD && !x->kid[0])) return x->name == name;
  if (x->kind == A_LAMBDA) return false;
  for (uint32_t k = 0; k < x->n; k++)
    if (x->kid[k] && reads_now(x->kid[k], name)) return true;
  return false;
}

/* Names that this entry made again (those from `from` on): which other names still use what they named before. */
static void say_what_stays(Repl *r, uint32_t from) {
  const Scope *g = r->s->elab->globals;
  uint32_t end = g->bound.n;
  for (uint32_t k = from; k < end; k++) {
    const Bound *now = g->bound.at[k], *before = bound_before(g, now->name, from);
    if (!before || !strcmp(now->name, "it")) continue;
    const Source *source = before->ast ? before->ast->source : NULL;
    Text names = {.arena = r->a};
    int n = 0;
    for (uint32_t j = 0; j < from; j++) {
      const Bound *other = g->bound.at[j];
      if (other->name == now->name || !strcmp(other->name, "it")) continue;
      bool reads = other->value_of && reads_now(other->value_of, now->name) && bound_before(g, now->name, j) == before;
      if (!reads && !made_with(&other->value, &before->value, 0)) continue;
      if (bound_before(g, other->name, end) != other) continue;
      text_printf(&names, "%s`%s`", n++ ? ", " : "", other->name);
    }
    if (n)
      err_printf(r->c, "entry %d: note: %s still use%s the `%s` of %s\n", r->entry, names.at, n == 1 ? "s" : "",
                 now->name, source ? source->name : "before");
  }
}

/* A function is its own type; an instance, too. */
static void show_value(Repl *r, const Value *v) {
  if (!session_name_it(r->s, v) && cli_interrupted()) {
    repl_report(r, STATUS_CANCELLED);
    return;
  }
  const char *value = session_value_text(r->s, v), *type = session_type_text(r->s, v);
  if (!value || !type || r->s->cancelled) {
    repl_report(r, r->s->cancelled ? STATUS_CANCELLED : STATUS_SCRIPT);
    return;
  }
  out_text(r->c, value);
  if (v->kind == V_FN || !strcmp(value, type)) out_text(r->c, "\n");
  else out_printf(r->c, "  : %s\n", type);
}

/* A pasted line that goes on from the one before, as it would in a file. */
bool repl_goes_on(const char *line) {
  line += strspn(line, " \t");
  return !strncmp(line, "|>", 2) || !strncmp(line, ">>", 2) || (line[0] == '.' && line[1] != '.') ||
         (!strncmp(line, "else", 4) && !strchr("_abcdefghijklmnopqrstuvwxyz0123456789", line[4] ? line[4] : 'a'));
}

/* A command that was written without its colon. */
static void say_command(Repl *r, const char *text) {
  char word[16] = "";
  text += strspn(text, " \t");
  size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz");
  const char *rest = text + n + strspn(text + n, " \t();\r\n");
  if (n == 0 || n >= sizeof word || (*rest && strchr("=.+-*/<>|", *rest))) return;
  memcpy(word, text, n);
  const Outside o = scope_outside(r->s->elab);
  if (o.known(o.ctx, sym(r->s->sources, word, n))) return;
  if (!strcmp(word, "exit")) strcpy(word, "quit");
  const Command *c = command_find(word);
  if (c) err_printf(r->c, "   hint: a command begins with a colon: `:%s`, %s\n", c->usage, c->help);
}

bool repl_run(Repl *r, const char *text, size_t n) {
  Entry *entry;
  Status status = repl_evaluate(r, text, n, &entry);
  if (status == STATUS_OK && entry && entry->incomplete) return false;
  if (repl_report(r, status)) {
    if (!r->c->quiet) say_what_stays(r, entry->names);
    if (entry && entry->it && entry->it->kind != V_UNIT) show_value(r, entry->it);
    if (!r->c->quiet && entry && entry->it) say_what_moved(r, entry);
    repl_keep(r, text, n);
  } else if (repl_goes_on(text) && text[strspn(text, " \t")] != 'e')
    err_text(r->c, "   hint: a complete line is run at once: begin with `it`, or open a bracket on the line before\n");
  else say_command(r, text);
  r->entry++;
  return true;
}

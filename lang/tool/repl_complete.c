/* repl_complete: what could stand at the cursor. In: the word or path before it. Out: candidates, unsorted.
 *
 * Words of the language, operations, functions, the session's names; behind a point the fields of the value there;
 * behind a colon at the start the commands; inside a string, or behind a command that takes a file, paths.
 */
#define _POSIX_C_SOURCE 200809L
#include "elab/native.h"
#include "text/stdlib.h"
#include "tool/repl_commands.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef void (*Add)(void *to, const char *word);

static const Value *global(const Scope *g, const char *name, size_t n) {
  for (uint32_t k = g ? g->bound.n : 0; k-- > 0;)
    if (strlen(g->bound.at[k]->name) == n && !strncmp(g->bound.at[k]->name, name, n)) return &g->bound.at[k]->value;
  return NULL;
}

static const Value *field(const Value *v, const char *name, size_t n) {
  if (v->kind == V_RECORD)
    for (uint32_t k = 0; k < v->fields->n; k++)
      if (strlen(v->fields->name[k]) == n && !strncmp(v->fields->name[k], name, n)) return &v->fields->at[k];
  if (v->kind == V_INSTANCE)
    for (uint32_t k = 0; k < v->instance->n; k++)
      if (strlen(v->instance->field[k].name) == n && !strncmp(v->instance->field[k].name, name, n))
        return &v->instance->field[k].value;
  return NULL;
}

/* `net.hid`: the fields of `net`. */
static void complete_fields(const Scope *g, const char *prefix, const char *dot, Add add, void *to) {
  size_t n = strcspn(prefix, ".");
  const Value *v = global(g, prefix, n);
  const char *p = prefix + n;
  while (v && p < dot) {
    n = strcspn(++p, ".");
    v = field(v, p, n);
    p += n;
  }
  if (!v) return;
  char word[256];
  int base = (int)(dot - prefix);
  if (v->kind == V_RECORD)
    for (uint32_t k = 0; k < v->fields->n; k++)
      if (snprintf(word, sizeof word, "%.*s.%s", base, prefix, v->fields->name[k]) < (int)sizeof word) add(to, word);
  if (v->kind == V_INSTANCE)
    for (uint32_t k = 0; k < v->instance->n; k++)
      if (v->instance->field[k].role != FIELD_ARG &&
          snprintf(word, sizeof word, "%.*s.%s", base, prefix, v->instance->field[k].name) < (int)sizeof word)
        add(to, word);
  static const char *const optimizer[] = {"step", "apply", "t", NULL};
  for (const char *const *k = optimizer; v->kind == V_OPTIMIZER && *k; k++)
    if (snprintf(word, sizeof word, "%.*s.%s", base, prefix, *k) < (int)sizeof word) add(to, word);
  if (v->kind == V_SERIES && snprintf(word, sizeof word, "%.*s.add", base, prefix) < (int)sizeof word) add(to, word);
}

void repl_complete_path(void *ctx, const char *prefix, Add add, void *to) {
  const char *slash = strrchr(prefix, '/');
  char folder[512], word[1024];
  (void)ctx;
  if (snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - prefix + 1) : 0, prefix) >= (int)sizeof folder)
    return;
  DIR *d = opendir(*folder ? folder : ".");
  for (struct dirent *e; d && (e = readdir(d));) {
    struct stat s;
    if (e->d_name[0] == '.' && !(slash ? slash[1] == '.' : *prefix == '.')) continue;
    if (snprintf(word, sizeof word, "%s%s", folder, e->d_name) >= (int)sizeof word - 1) continue;
    if (stat(word, &s) == 0 && S_ISDIR(s.st_mode)) strcat(word, "/");
    add(to, word);
  }
  if (d) closedir(d);
}

void repl_complete(void *ctx, const char *prefix, Add add, void *to) {
  static const char *const words[] = {
      "let",      "var",   "fn",     "proc",   "if",        "else",     "for",  "in",     "while", "break",
      "continue", "print", "assert", "import", "training",  "and",      "or",   "not",    "true",  "false",
      "None",     "param", "state",  "layer",  "optimizer", "gradient", "test", "extern", NULL};
  Repl *r = ctx;
  if (*prefix == ':') {
    char word[32];
    for (const Command *c = commands; c->name; c++) {
      snprintf(word, sizeof word, ":%s", c->name);
      add(to, word);
    }
    return;
  }
  const Scope *g = r->s->elab ? r->s->elab->globals : NULL;
  const char *dot = strrchr(prefix, '.');
  if (dot) {
    complete_fields(g, prefix, dot, add, to);
    return;
  }
  for (size_t k = 0; words[k]; k++) add(to, words[k]);
  for (int k = 0; k < N_OPS; k++)
    if (!(op_table[k]->flags & OP_HIDDEN)) add(to, op_table[k]->name);
  for (const Native *const *table = native_tables; *table; table++)
    for (const Native *n = *table; n->name; n++) add(to, n->name);
  for (int k = 0; k < stdlib_n_names; k++) add(to, stdlib_names[k].name);
  for (uint32_t k = 0; g && k < g->bound.n; k++) add(to, g->bound.at[k]->name);
}

/* cli_test: runs the tests of files. In: files and folders. Out: a line `ok PLACE WHAT` or `not ok PLACE WHAT` a test,
 * with expected and found below it, then `N passed, N failed`.
 *
 * Three kinds: `test` blocks (the session runs them), `# =>` expectations on what the file prints (what each print
 * wrote is kept by its place), and examples in ## texts (evaluated after the file has run, in its own session).
 * --library takes the last kind from the operation table, the native functions and the standard library.
 */
#define _POSIX_C_SOURCE 200809L
#include "elab/elab.h"
#include "elab/native.h"
#include "text/stdlib.h"
#include "tool/cli.h"
#include "tool/expect.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* All that one print wrote. at: its place and those of the calls that it stands in; a Loc may be another's by then. */
typedef struct Said { Place *at; uint32_t n; Text text; } Said;
typedef struct Told { const char *name, *why; bool passed; } Told;   /* the outcome of a `test` block */

typedef struct Tests {
  Cli *c;
  Host host;
  Arena *a;                        /* of the present file */
  const Session *s;                /* that runs it */
  VEC(Said) said;
  VEC(Told) told;
  int passed, failed, worst;
  bool unread;                     /* a folder could not be read */
} Tests;

static bool printed_at(const Said *said, const Sources *sources, Loc loc) {
  const Place *p = loc_place(sources, loc);
  uint32_t k = 0;
  for (; p && k < said->n; k++, p = loc_place(sources, p->caller))
    if (p->source != said->at[k].source || p->span.first != said->at[k].span.first ||
        p->span.end != said->at[k].span.end)
      return false;
  return !p && k == said->n;
}

static Said *said_at(Tests *t, Loc loc) {
  for (uint32_t k = t->said.n; k-- > 0;)
    if (printed_at(&t->said.at[k], t->s->sources, loc)) return &t->said.at[k];
  VEC(Place) at = {0};
  for (const Place *p = loc_place(t->s->sources, loc); p; p = loc_place(t->s->sources, p->caller))
    vec_push(t->a, &at, *p);
  vec_push(t->a, &t->said, (Said){.at = at.at, .n = at.n, .text = {.arena = t->a}});
  return &t->said.at[t->said.n - 1];
}

/* Called from within the session's run: a failure of ours must not jump across it. */
static bool keep_print(void *to, const char *text, size_t n, Loc loc) {
  Tests *t = to;
  Guard g;
  if (!HOST_GUARD(&t->host, &g)) return false;
  text_add_n(&said_at(t, loc)->text, text, n);
  host_leave(&t->host, &g);
  return true;
}

static void keep_outcome(void *to, const char *name, bool passed, const char *why) {
  Tests *t = to;
  Guard g;
  if (!HOST_GUARD(&t->host, &g)) return;
  Told told = {arena_text(t->a, name, strlen(name)), why ? arena_text(t->a, why, strlen(why)) : NULL, passed};
  vec_push(t->a, &t->told, told);
  host_leave(&t->host, &g);
}

static void indented(Cli *c, const char *label, const char *text) {
  while (*text == ' ' || *text == '\n') text++;
  size_t n = strlen(text);
  while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ')) n--;
  out_printf(c, "  %s: ", label);
  for (size_t k = 0; k < n;) {
    size_t line = strcspn(text + k, "\n");
    if (line > n - k) line = n - k;
    if (k) out_printf(c, "  %*s  ", (int)strlen(label), "");
    out_write(c, text + k, line);
    out_text(c, "\n");
    k += line + 1;
  }
  if (n == 0) out_text(c, "nothing\n");
}

static void passed(Tests *t, const char *file, uint32_t line, const char *what) {
  t->passed++;
  if (!t->c->quiet) out_printf(t->c, "ok %s:%u %s\n", file, line, what);
}

static void failed(Tests *t, const char *file, uint32_t line, const char *what) {
  t->failed++;
  out_printf(t->c, "not ok %s:%u %s\n", file, line, what);
}

/* One line, not too long, of what stands between two bytes. */
static const char *shown(Arena *a, const char *text, size_t n) {
  size_t end = 0;
  while (end < n && text[end] != '\n') end++;
  while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\r')) end--;
  bool cut = end > 60;
  if (cut)
    for (end = 57; end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80;) end--;
  return arena_printf(a, "%.*s%s", (int)end, text, cut ? "..." : "");
}

static void judge(Tests *t, const char *file, uint32_t line, const char *what, const char *wanted, const char *found) {
  if (found && expect_match(wanted, found)) {
    passed(t, file, line, what);
    return;
  }
  failed(t, file, line, what);
  indented(t->c, "expected", wanted);
  indented(t->c, "found", found ? found : "");
}

/* ---- expectations ---- */

static bool inside(const Ast *statement, const Place *p) {
  return p && p->source == statement->source && p->span.first >= statement->span.first &&
         p->span.end <= statement->span.end;
}

/* What was printed by the statement, also by what it called. */
static const char *printed_by(Tests *t, const Ast *statement) {
  Text all = {.arena = t->a};
  for (uint32_t k = 0; k < t->said.n; k++) {
    const Said *said = &t->said.at[k];
    bool by = false;
    for (uint32_t j = 0; j < said->n; j++) by |= inside(statement, &said->at[j]);
    if (by) text_add_n(&all, said->text.at, said->text.n);
  }
  return all.at;
}

static void judge_expectations(Tests *t, const Parsed *parsed) {
  Expectations list = {0};
  expectations(t->a, parsed, &list);
  for (uint32_t k = 0; k < list.n; k++) {
    const Expectation *e = &list.at[k];
    if (!e->statement) {
      failed(t, parsed->source->name, e->line, "no statement ends before this expectation");
      continue;
    }
    const Span at = e->statement->span;
    const char *what = shown(t->a, parsed->source->text + at.first, at.end - at.first);
    judge(t, parsed->source->name, e->line, what, e->wanted, printed_by(t, e->statement));
  }
}

/* ---- test blocks ---- */

static void judge_blocks(Tests *t, const Parsed *parsed) {
  uint32_t next = 0;
  for (uint32_t k = 0; k < parsed->program->n && next < t->told.n; k++) {
    const Ast *at = parsed->program->kid[k];
    if (!at || at->kind != A_TEST) continue;
    const Told *told = &t->told.at[next++];
    uint32_t line, column;
    source_position(at->source, at->span.first, &line, &column);
    const char *what = arena_printf(t->a, "test \"%s\"", told->name);
    if (told->passed) passed(t, at->source->name, line, what);
    else {
      failed(t, at->source->name, line, what);
      if (told->why && *told->why) {
        out_text(t->c, told->why);
        if (told->why[strlen(told->why) - 1] != '\n') out_text(t->c, "\n");
      }
    }
  }
}

/* ---- examples in documentation ---- */

static void judge_example(Tests *t, Session *s, const char *file, uint32_t line, const char *what,
                          const DocExample *e) {
  t->said.n = 0;
  const char *text = arena_printf(t->a, "print %s", e->expr);
  const char *name = arena_printf(t->a, "%s:%u", file, line);
  Entry *entry = NULL;
  Status status = session_load(s, name, text, strlen(text), LOAD_REPL, &entry);
  if (cli_interrupted()) return;
  const char *line_text = arena_printf(t->a, "%s%s", what, shown(t->a, e->expr, strlen(e->expr)));
  if (status == STATUS_OK && !(entry && entry->incomplete)) {
    judge(t, file, line, line_text, e->wanted, t->said.n ? t->said.at[0].text.at : "");
    return;
  }
  failed(t, file, line, line_text);
  indented(t->c, "expected", e->wanted);
  const char *why = session_diagnostics(s, false, 0);
  if (why) indented(t->c, "found", why);
}

static void judge_docs(Tests *t, Session *s, const Ast *at) {
  if (at->doc) {
    DocExamples list = {0};
    doc_examples(t->a, at->doc, &list);
    uint32_t line, column, lines = 1;
    source_position(at->source, at->span.first, &line, &column);
    for (const char *p = at->doc; *p; p++) lines += *p == '\n';
    const char *what = at->name ? arena_printf(t->a, "%s: ", at->name) : "";
    for (uint32_t k = 0; k < list.n; k++)
      judge_example(t, s, at->source->name, line > lines ? line - lines + list.at[k].line : line, what, &list.at[k]);
  }
  for (uint32_t k = 0; k < at->n; k++)
    if (at->kid[k]) judge_docs(t, s, at->kid[k]);
}

/* ---- files and folders ---- */

static void judge_file(Tests *t, Session *s, const char *path, Status status, const Entry *entry) {
  int found = cli_status(t->c, s, status);
  if (status == STATUS_CANCELLED || status == STATUS_MEMORY) t->worst = found;
  if (status == STATUS_CANCELLED) return;
  if (status != STATUS_OK) failed(t, path, 1, "the file does not run to its end");
  if (entry && entry->parsed && t->worst == EXIT_DONE) judge_expectations(t, entry->parsed);
  if (status == STATUS_OK) {
    session_tests(s, &(TestReport){keep_outcome, t});
    judge_blocks(t, entry->parsed);
    judge_docs(t, s, entry->parsed->program);
  }
  if (!cli_interrupted()) return;
  cli_say_ended(t->c, "");
  t->worst = cli_ended();
}

static void test_file(Tests *t, const char *path) {
  Session *s = cli_open(t->c);
  if (!s) host_fail(&t->host, FAIL_MEMORY, "out of memory");
  t->s = s;
  t->said.n = t->told.n = 0;
  Entry *entry = NULL;
  size_t n;
  char *input = strcmp(path, "-") == 0 ? cli_read_input(t->c, &n) : NULL;
  if (input) {
    Status status = session_load(s, "<stdin>", input, n, LOAD_TEST, &entry);
    free(input);
    judge_file(t, s, "<stdin>", status, entry);
  } else if (strcmp(path, "-") != 0) {
    Status status = session_load_file(s, path, LOAD_TEST, &entry);
    judge_file(t, s, path, status, entry);
  } else {
    t->worst = cli_interrupted() ? cli_ended() : EXIT_SCRIPT;
  }
  cli_close(t->c, s);
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool go_on(const Tests *t) { return t->worst == EXIT_DONE && !cli_interrupted() && !t->c->out.gone; }

static void test_path(Tests *t, const char *path, int depth);

static void unread(Tests *t, const char *what, const char *path) {
  err_printf(t->c, "glia: cannot read %s`%s`: %s\n", what, path, strerror(errno));
  t->unread = true;
}

static void test_folder(Tests *t, const char *path, int depth) {
  VEC(const char *) names = {0};
  Arena *a = arena_new(&t->host);
  DIR *d = opendir(path);
  if (!d) unread(t, "the folder ", path);
  for (struct dirent *e; d && (e = readdir(d));) {
    if (e->d_name[0] == '.') continue;
    const char *name = arena_printf(a, "%s/%s", path, e->d_name);
    vec_push(a, &names, name);
  }
  if (d) closedir(d);
  if (names.n) qsort(names.at, names.n, sizeof *names.at, by_name);
  for (uint32_t k = 0; k < names.n && go_on(t); k++) {
    struct stat st;
    size_t n = strlen(names.at[k]);
    bool script = n > 3 && !strcmp(names.at[k] + n - 3, ".nn");
    if (lstat(names.at[k], &st) != 0) {
      unread(t, "", names.at[k]);
      continue;
    }
    /* a link to a folder is not followed; a pipe is no script, whatever its name */
    bool folder = S_ISDIR(st.st_mode), file = S_ISREG(st.st_mode);
    if (S_ISLNK(st.st_mode)) file = stat(names.at[k], &st) != 0 || S_ISREG(st.st_mode);
    if (folder || (script && file)) test_path(t, names.at[k], depth + 1);
  }
  arena_free(a);
}

static void test_path(Tests *t, const char *path, int depth) {
  struct stat st;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
    if (depth < 32) test_folder(t, path, depth);
    return;
  }
  t->a = arena_new(&t->host);
  memset(&t->said, 0, sizeof t->said);
  memset(&t->told, 0, sizeof t->told);
  test_file(t, path);
  arena_free(t->a);
}

/* ---- the library's own documentation ---- */

static void test_text(Tests *t, Session *s, const char *file, const char *what, const char *text) {
  DocExamples list = {0};
  doc_examples(t->a, text, &list);
  for (uint32_t k = 0; k < list.n && go_on(t); k++) judge_example(t, s, file, list.at[k].line + 1, what, &list.at[k]);
}

static void test_library(Tests *t) {
  Session *s = cli_open(t->c);
  if (!s) host_fail(&t->host, FAIL_MEMORY, "out of memory");
  t->s = s;
  t->a = arena_new(&t->host);
  memset(&t->said, 0, sizeof t->said);
  for (int k = 0; k < N_OPS; k++) {
    const Op *op = op_table[k];
    if (op->flags & OP_HIDDEN) continue;      /* no name of the language: its example is for readers */
    const char *file = arena_printf(t->a, "<op %s>", op->name);
    if (op->example) test_text(t, s, file, "", op->example);
    if (op->doc) test_text(t, s, file, "", op->doc);
  }
  for (const Native *const *table = native_tables; *table; table++)
    for (const Native *n = *table; n->name; n++) {
      const char *file = arena_printf(t->a, "<native %s>", n->name);
      if (n->example) test_text(t, s, file, "", n->example);
      if (n->doc) test_text(t, s, file, "", n->doc);
    }
  for (int k = 0; k < stdlib_n_files; k++) {
    Sources *sources = sources_new(t->a);
    Diags *d = diags_new(t->a, sources);
    const char *name = arena_printf(t->a, "<stdlib/%s>", stdlib_files[k].name);
    Parsed *p = parse(t->a, source_add(sources, name, stdlib_files[k].text, stdlib_files[k].n), d, false);
    judge_docs(t, s, p->program);
  }
  if (cli_interrupted()) {
    cli_say_ended(t->c, "");
    t->worst = cli_ended();
  }
  arena_free(t->a);
  cli_close(t->c, s);
}

int cli_test(Cli *c) {
  Tests t = {.c = c};
  host_init(&t.host, NULL, NULL);
  c->config.to = &t;
  c->config.print = keep_print;
  c->config.progress = NULL;
  c->config.flush = NULL;      /* as those, it would take `to` for the Cli; and what is kept has nothing to flush */
  Guard g;
  if (HOST_GUARD(&t.host, &g)) {
    if (c->library) test_library(&t);
    for (int k = 0; k < c->n_operand && go_on(&t); k++) test_path(&t, c->operand[k], 0);
    if (c->n_operand == 0 && !c->library) test_path(&t, ".", 0);
    host_leave(&t.host, &g);
  } else {
    err_printf(c, "glia: %s\n", t.host.message);
    return EXIT_SCRIPT;
  }
  out_printf(c, "%d passed, %d failed\n", t.passed, t.failed);
  if (t.worst) return t.worst;
  return t.failed || t.unread ? EXIT_SCRIPT : EXIT_DONE;
}

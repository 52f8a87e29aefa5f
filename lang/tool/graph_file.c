/* graph_file: see graph_file.h. An SVG is made by Graphviz's `dot`, where that is installed. */
#define _POSIX_C_SOURCE 200809L
#include "tool/graph_file.h"
#include "runtime/files/files.h"
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

GraphForm graph_form(const char *name, size_t n) {
  static const struct { const char *name; GraphForm form; } forms[] = {
      {"txt", GRAPH_TEXT}, {"dot", GRAPH_DOT}, {"gv", GRAPH_DOT}, {"svg", GRAPH_SVG},
      {"html", GRAPH_HTML}};
  for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
    if (strlen(forms[k].name) == n && !strncmp(forms[k].name, name, n)) return forms[k].form;
  return GRAPH_NONE;
}

Status graph_formula(Session *s, Arena *a, const char *e, NodeId *out) {
  static const char name[] = "it";                          /* which has no name in the picture */
  const char *text = arena_printf(a, "let %s = (%s)", name, e);
  int defines = s->config.n_defines;
  Entry *entry;
  s->config.n_defines = 0;
  Status status = session_load(s, "-e", text, strlen(text), LOAD_CHECK, &entry);
  s->config.n_defines = defines;
  *out = NO_NODE;
  const Scope *top = s->elab->globals;
  for (uint32_t k = 0; status == STATUS_OK && k < top->bound.n; k++) {
    const Bound *b = top->bound.at[k];
    if (!strcmp(b->name, name)) *out = b->value.kind == V_NODE ? b->value.node : NO_NODE;
  }
  return status;
}

/* What `dot -Tsvg` makes of a text; NULL: *why. Its input and output are files without a name: no pipe to fill up. */
static const char *layout(const Inspect *x, const Text *dot, size_t *n, const char **why) {
  char *const argv[] = {"dot", "-Tsvg", NULL};
  FILE *in = tmpfile(), *out = tmpfile();
  const char *text = NULL;
  pid_t pid;
  int status = -1;
  *why = "no temporary file could be made";
  if (in && out && fwrite(dot->at, 1, dot->n, in) == dot->n && fflush(in) == 0 && lseek(fileno(in), 0, SEEK_SET) == 0) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fileno(in), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, fileno(out), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", 1, 0);
    bool begun = posix_spawnp(&pid, "dot", &files, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&files);
    while (begun && waitpid(pid, &status, 0) < 0) {}
    *why = "Graphviz's `dot`, which lays it out, is not installed or failed; the form .dot needs none";
    off_t size = begun && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? lseek(fileno(out), 0, SEEK_END) : 0;
    if (size > 0 && lseek(fileno(out), 0, SEEK_SET) == 0) {
      char *bytes = arena_alloc(x->a, (size_t)size);
      if (read(fileno(out), bytes, (size_t)size) == size) text = bytes;
      *n = (size_t)size;
    }
  }
  if (in) fclose(in);
  if (out) fclose(out);
  return text;
}

static const char *put(Cli *c, Arena *a, const char *path, const char *text, size_t n) {
  FileError error;
  if (!path) {
    out_write(c, text, n);
    return NULL;
  }
  if (file_write_atomic(arena_host(a), path, text, n, &error)) return NULL;
  return arena_text(a, error.text, strlen(error.text));
}

const char *graph_page(Cli *c, const Page *p, Arena *a, const char *path) {
  Text t = {.arena = a};
  const char *why = page_write(p, a, &t);
  return why ? why : put(c, a, path, t.at, t.n);
}

const char *graph_write(Cli *c, const Inspect *x, GraphForm form, const char *path) {
  Text t = {.arena = x->a};
  const char *why = NULL, *text;
  if (form == GRAPH_TEXT) draw_text(x, &t);
  else draw_dot(x, &t);
  size_t n = t.n;
  text = form == GRAPH_SVG ? layout(x, &t, &n, &why) : t.at;
  return text ? put(c, x->a, path, text, n) : why;
}

/* cli_fmt: `glia fmt [--check] FILE...`. In: files, or `-` for standard input, whose layout goes to standard output.
 * Out: the files in the one layout, each written whole or not at all and only if something changes; with --check only
 * the names of those that would change.
 *
 * A file with a mistake in its syntax is left as it is, and so are none of the others: the status is 1 at the end.
 */
#define _POSIX_C_SOURCE 200809L
#include "runtime/files/files.h"
#include "tool/cli.h"
#include "syntax/fmt.h"
#include <stdlib.h>
#include <string.h>

static void say_diagnostics(Cli *c, Arena *a, const Diags *d) {
  err_text(c, diags_render(d, a, &(RenderOptions){c->color, 0}));
}

/* One text that was read: laid out, and compared or written. */
static int format_text(Cli *c, Host *h, Arena *a, const char *path, const char *text, size_t n) {
  bool input = !strcmp(path, "-");
  Text out;
  FileError why;
  Diags *d = diags_new(a, sources_new(a));
  if (!fmt_text(a, d, input ? "<stdin>" : path, text, n, &out)) {
    say_diagnostics(c, a, d);
    return EXIT_SCRIPT;
  }
  bool same = out.n == n && !memcmp(out.at, text, n);
  if (c->fmt_check) {
    if (!same) out_printf(c, "%s\n", input ? "<stdin>" : path);
    return same ? EXIT_DONE : EXIT_SCRIPT;
  }
  if (input) return out_write(c, out.at, out.n) ? EXIT_DONE : EXIT_SCRIPT;
  if (same || file_rewrite(h, path, out.at, out.n, &why)) return EXIT_DONE;
  err_printf(c, "glia: %s\n", why.text);
  return EXIT_SCRIPT;
}

static int format_one(Cli *c, Host *h, const char *path) {
  Guard g;
  if (!HOST_GUARD(h, &g)) {
    err_printf(c, "glia: %s\n", h->message);
    return EXIT_SCRIPT;
  }
  Arena *a = arena_new(h);
  FileError why;
  const char *text;
  size_t n;
  int status = EXIT_SCRIPT;
  if (!strcmp(path, "-")) {
    char *input = cli_read_input(c, &n);
    if (input) {
      text = arena_text(a, input, n);
      free(input);
      status = format_text(c, h, a, path, text, n);
    }
  } else if (!file_read(a, path, SOURCE_MAX, &text, &n, &why)) err_printf(c, "glia: %s\n", why.text);
  else status = format_text(c, h, a, path, text, n);
  arena_free(a);
  host_leave(h, &g);
  return status;
}

int cli_fmt(Cli *c) {
  Host host;
  int worst = EXIT_DONE;
  host_init(&host, NULL, NULL);
  for (int k = 0; k < c->n_operand; k++) {
    int status = format_one(c, &host, c->operand[k]);
    if (status > worst) worst = status;
  }
  return worst;
}

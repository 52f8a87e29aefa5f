/* fuzz_parse: any bytes as a script's text. Every span lies in the text and in its parent's, messages can be rendered,
 * both as a file and as a REPL's entry; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include <string.h>
#include "lang/syntax/ast.h"
#include "replay.h"

static void check(const Ast *ast, const Source *source) {
  if (!ast) return;
  if (ast->span.first > ast->span.end || ast->span.end > source->n || ast->at.first > ast->at.end ||
      ast->at.end > source->n)
    abort();
  for (uint32_t k = 0; k < ast->n; k++) check(ast->kid[k], source);
}

static void once(const uint8_t *data, size_t size, bool repl) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  h.limit = (size_t)1 << 28;
  if (HOST_GUARD(&h, &g)) {
    Arena *a = arena_new(&h);
    Sources *sources = sources_new(a);
    Diags *d = diags_new(a, sources);
    Source *source = source_add(sources, "fuzz.nn", (const char *)data, size);
    Parsed *p = parse(a, source, d, repl);
    if (p->program) {
      check(p->program, source);
      if (!ast_dump(p->program, a)) abort();
    } else if (!d->n_errors && !p->incomplete) {
      abort();
    }
    const char *said = diags_render(d, a, &(RenderOptions){.width = 60});
    if (d->n_errors && !strstr(said, "error")) abort();
    if (!diags_render(d, a, &(RenderOptions){.color = true})) abort();
    arena_free(a);
    host_leave(&h, &g);
  }
  if (h.in_use != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  once(data, size, false);
  once(data, size, true);
  return 0;
}

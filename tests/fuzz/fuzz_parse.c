/* fuzz_parse: any bytes as a script's text. Every span lies in the text and in its parent's, messages can be rendered,
 * both as a file and as a REPL's entry; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include <string.h>
#include "lang/syntax/ast.h"
#include "entry.h"

static bool inside(Span s, const Source *source) { return s.first <= s.end && s.end <= source->n; }

static void spans(const Ast *ast, const Source *source) {
  if (!ast) return;
  if (!inside(ast->span, source) || !inside(ast->at, source)) abort();
  for (uint32_t k = 0; k < ast->n; k++) spans(ast->kid[k], source);
}

static void once(Arena *a, const uint8_t *data, size_t size, bool repl) {
  Sources *sources = sources_new(a);
  Diags *d = diags_new(a, sources);
  Source *source = source_add(sources, "fuzz.nn", (const char *)data, size);
  Parsed *p = parse(a, source, d, repl);
  if (p->program) {
    spans(p->program, source);
    if (!ast_dump(p->program, a)) abort();
  } else if (!d->n_errors && !p->incomplete) {
    abort();
  }
  const char *said = diags_render(d, a, &(RenderOptions){.width = 60});
  if (d->n_errors && !strstr(said, "error")) abort();
  if (!diags_render(d, a, &(RenderOptions){.color = true})) abort();
}

static void check(Arena *a, const uint8_t *data, size_t size) {
  once(a, data, size, false);
  once(a, data, size, true);
}

ENTRY_BYTES(check)

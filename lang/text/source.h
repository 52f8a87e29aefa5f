/* source: names, bytes and line indexes of the texts of a session, and the table of places (Loc) into them.
 * A Source lives as long as any Loc into it: until the session is reset or closed.
 */
#ifndef LANG_SOURCE_H
#define LANG_SOURCE_H
#include "runtime/graph/graph.h"

enum { SOURCE_MAX = 64 << 20 };      /* bytes; of a longer text only one byte more is kept, and parse reports it */

typedef const char *Sym;           /* an interned name: equal names are one pointer; NUL-terminated */

/* `# allow NAME` behind a line: a DiagId that it may have */
typedef struct LineAllows { uint32_t line, id; } LineAllows;

typedef struct Source {
  const char *name;                /* as errors print it: a path, "entry 3", "<stdlib/layers.nn>" */
  const char *text;                /* n bytes, then two NULs (flex scans them in place) */
  uint32_t n, id;
  bool library;                    /* the standard library: errors are placed at the caller's line */
  bool imported;                   /* read by an `import`: the same */
  Loc import_at;                   /* and where it stands */
  VEC(uint32_t) line;              /* first byte of each line */
  VEC(LineAllows) allow;
} Source;

typedef struct Span { uint32_t first, end; } Span;     /* bytes, end excluded */

typedef struct Place { const Source *source; Span span; Loc caller; } Place;

/* A warning that somebody was shown: it is not repeated. */
typedef struct ToldWarning { uint32_t id; const Source *source; uint32_t first, end; } ToldWarning;

typedef struct Sources {
  Arena *arena;
  VEC(Source *) source;
  VEC(Place) place;                /* place.at[0] is nowhere */
  void *symbols;
  void *place_index;
  uint32_t n_ast;                  /* syntax nodes made so far: Ast.id counts on */
  struct WarningRules *rules;      /* which warnings are off (diag.h), or NULL */
  VEC(ToldWarning) told;
} Sources;

/* The bytes of names; what is not ASCII is a part of a letter of some script, or the scanner has refused it. */
static inline bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}
static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool in_name(char c) { return begins_name(c) || is_digit(c); }

Sources *sources_new(Arena *a);
void sources_change(Sources *s);   /* arena_change of it, before texts are added */
Sym sym(Sources *s, const char *text, size_t n);
/* A byte-order mark is skipped, CRLF stays (the lexer's matter). Copies the text. */
Source *source_add(Sources *s, const char *name, const char *text, size_t n);
Loc loc_make(Sources *s, const Source *source, Span span, Loc caller);   /* the same place twice is one Loc */
const Place *loc_place(const Sources *s, Loc loc);     /* LOC_ADJOINT is ignored; NULL for nowhere */
/* from 1, columns in characters */
void source_position(const Source *s, uint32_t byte, uint32_t *line, uint32_t *column);
#endif

/* diag: what a script did wrong, as a list, and its one rendering. Codes, severities and texts stand in errors.list
 * and never change their meaning.
 */
#ifndef LANG_DIAG_H
#define LANG_DIAG_H
#include <inttypes.h>
#include <stdarg.h>
#include "text/source.h"

typedef enum {
#define ERROR(code, name, text) E_##name,
#define WARNING(code, name, text) E_##name,
#include "text/errors.list"
#undef ERROR
#undef WARNING
  N_DIAGS
} DiagId;

typedef struct DiagInfo { const char *code, *name, *text; bool warning; } DiagInfo;
extern const DiagInfo diag_info[N_DIAGS];
DiagId diag_of_code(const char *code, size_t n);     /* "E0399"; N_DIAGS: there is none */

/* A comment, for `# =>` expectations, `# allow` and the formatter. */
typedef struct Comment { Span span; bool trailing; } Comment;

typedef struct Mark { const Source *source; Span span; const char *label; } Mark;   /* label may be NULL */

/* With a place it reads `TEXT (FILE:L:C)`, or `TEXT FILE:L:C` if the text ends in " at". */
typedef struct Note { Loc loc; const char *text; } Note;   /* loc 0: no place */

typedef struct Diag {
  DiagId id;
  bool warning;
  const Source *source;            /* NULL: no place */
  Span at;                         /* the place that is named; also underlined */
  VEC(Mark) mark;                  /* further spans, with labels */
  VEC(Note) note;
  const char *text;                /* the whole message */
  const char *hint;                /* a way out, or NULL */
  bool moved;                      /* the mistake was found inside a library or an import: `at` is the user's line */
} Diag;

typedef struct Diags {
  Arena *arena;
  Sources *sources;
  VEC(Diag *) diag;
  uint32_t n_errors, n_warnings;
  uint32_t shown;                  /* the first so many were shown already */
  bool strict;                     /* warnings count as errors */
  uint32_t limit;                  /* most errors, and most warnings, kept; the rest is counted */
} Diags;

/* ---- warnings that are off (allow.c) ---- */
enum { MOST_WARNINGS = 64, MOST_WARNING_NAME = 48 };
typedef struct WarningRules {
  bool allowed[N_DIAGS];
  bool quiet;                      /* all of them */
} WarningRules;
/* near: a warning whose name is written alike. */
bool warning_near(const char *text, size_t n, char near[MOST_WARNING_NAME]);
/* "unused, hidden". false: *unknown is the first that is none. */
bool warnings_allow(WarningRules *r, const char *list, const char **unknown, size_t *n_unknown);
void allow_comments(Diags *d, Source *s, const Comment *comment, uint32_t n);   /* `# allow NAME` behind lines */
bool warning_is_off(const Diags *d, const Diag *g);     /* or was told by an earlier list */
void warnings_told(const Diags *d);                     /* later lists do not repeat what this one holds */

Diags *diags_new(Arena *a, Sources *s);
/* Formats errors.list's text for id with the arguments (printf). A place inside the standard library or an import is
 * moved to the innermost line of the user's own file (the chain of callers in Loc), the inner places become notes;
 * callers become notes "in `NAME`, called at FILE:L:C". The same id at the same place is kept once; what is not kept is
 * returned all the same, so that the caller need not ask. */
Diag *diag_at(Diags *d, Loc loc, DiagId id, ...);
Diag *diag_va(Diags *d, Loc loc, DiagId id, va_list ap);
/* in words of its own, where it was found */
Diag *diag_said(Diags *d, Loc loc, DiagId id, const char *text);
Diag *diag_in(Diags *d, const Source *source, Span span, DiagId id, ...);   /* while parsing: no Loc yet */
Diag *diag_adopt(Diags *d, Diag *g);                                         /* one that was made for another list; g */
/* The same, but an import's line is shown as it is: for what is wrong about the file itself. */
Diag *diag_there(Diags *d, const Source *source, Span span, DiagId id, ...);
/* the innermost place of the user's own text; loc itself if there is none */
Loc own_loc(const Diags *d, Loc loc);
/* Where something is wrong, what is not used yet is not worth a word: drops it. */
void diags_focus(Diags *d);
void diag_mark(Diags *d, Diag *g, Loc loc, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void diag_mark_in(Diags *d, Diag *g, const Source *source, Span span, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* The same of a place that no call leads to; in a moved diagnostic a note. */
void diag_mark_at(Diags *d, Diag *g, const Source *source, Span span, const char *label);
void diag_note(Diags *d, Diag *g, Loc loc, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void diag_hint(Diags *d, Diag *g, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

typedef struct RenderOptions { bool color; int width; } RenderOptions;   /* width 0: 100 */
/* mnist.nn:12:19: error: ...\n   12 |   fn ...\n      |   ^ - ^ ...\n   note: ...  as in LANGUAGE.md, sorted by
 * place. */
char *diags_render(const Diags *d, Arena *a, const RenderOptions *o);

/* `   12 | line` of a place, underlined, as a diagnostic shows it. */
char *diag_excerpt(const Diags *d, Loc loc, Arena *a, const RenderOptions *o);

void diag_once(Diags *d, uint32_t k);        /* takes diag k back if an earlier one says the same with the same notes */
/* The nearest of n names within a small edit distance, or NULL. */
const char *nearest(const char *name, const char *const *names, size_t n);
const char *nearest_of_all(const char *name, const char *const *names, size_t n);    /* of all that are in scope */
#endif

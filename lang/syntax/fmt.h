/* fmt: the one layout of a text. In: a text of the language. Out: the same tokens and comments, laid out.
 *
 * Only blanks, line breaks and needless `;` change; the tree that the text parses to is compared before and after, so a
 * layout that would mean something else is never handed out. Laying out a second time changes nothing.
 */
#ifndef LANG_FMT_H
#define LANG_FMT_H
#include "syntax/ast.h"

enum { FMT_WIDTH = 120, FMT_STEP = 2 };

/* false: the text has mistakes, which are in d; *out is then empty. */
bool fmt_text(Arena *a, Diags *d, const char *name, const char *text, size_t n, Text *out);
bool fmt_same_tree(const Ast *a, const Ast *b);     /* spans apart, and blanks at the end of a `##` line */

/* ---- between fmt_read.c and fmt.c ---- */
typedef struct FmtToken {
  int kind;                        /* T_...; a whole string, holes and all, is one T_SBEGIN */
  Span span;
  uint32_t pair;                   /* of a bracket: the other one */
  uint32_t depth;                  /* brackets open around it */
  /* of the { of a block: the token its header begins with; of `else`: the first `if` of the chain */
  uint32_t head;
  uint32_t comment, n_comment;     /* comments on lines of their own before it */
  uint32_t after;                  /* a comment at the end of its line: its number + 1 */
  /* block: of a block's brackets; spaced: of a `:` with blanks around it */
  bool statement, block, unary, slice, spaced, of_for;
  bool line, blank;                /* a line begins with it; a blank line stands before it (and its comments) */
  bool gone;                       /* a `;` that became a line break */
  uint32_t pad;                    /* further blanks before it, which align it */
  uint32_t column, indent;         /* as laid out: its own, and that of its line */
} FmtToken;

typedef struct FmtComment { Span span; uint32_t column; bool blank; } FmtComment;   /* column: in the source, from 0 */

typedef struct Fmt {
  Arena *arena;
  const Source *source;
  VEC(FmtToken) token;             /* the last one is T_END */
  VEC(FmtComment) comment;
} Fmt;

/* The tokens of a text that parsed, with what the tree and the source's lines know of them. */
void fmt_read(Fmt *f, Diags *d, const Parsed *p);
uint32_t fmt_column(const Source *s, uint32_t byte);          /* characters before it on its line */
uint32_t fmt_width(const Source *s, Span span);               /* in characters */
#endif

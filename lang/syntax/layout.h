/* layout: what stands between the scanner and the parser. In: raw tokens of lex.l, newlines among them. Out: the tokens
 * of the grammar, with SEP where a line ends a statement.
 *
 * Invariant: the parser never sees a bracket that closes nothing or another one: such a mistake is reported here, where
 * the opening place is known, and one ERR stands for it. After a syntax error everything up to the end of the statement
 * is dropped here, brackets balanced, because only here are they known: so one mistake makes one message.
 */
#ifndef LANG_LAYOUT_H
#define LANG_LAYOUT_H
#include "syntax/ast.h"

enum { MOST_BRACKETS = 1000, MOST_STRING = 1 << 20, MOST_NAME = 255, MOST_DEPTH = 4000, MOST_STACK = 10000 };

typedef struct AstList AstList;             /* syntax in the making: parse.y */
typedef union TokenValue {
  int64_t i;
  double f;
  Sym name;
  struct { const char *text; uint32_t n_text; };
  int op;
  Ast *ast;
  AstList *list;
} TokenValue;

enum { T_WORD = 10000, T_NEWLINE, T_RETURN };      /* of the scanner alone */

typedef struct Token { int kind; Span span; TokenValue value; } Token;

typedef struct Bracket {
  char open;               /* ( [ {, or " for a hole */
  bool block;              /* a { that the parser knows to be a block's */
  Span at;
  Span string;             /* a hole's string */
} Bracket;

typedef struct DocText { uint32_t first; const char *text; } DocText;

typedef struct Reader {
  Arena *arena;
  Source *source;
  Span part;               /* what is read of it */
  Diags *diags;
  bool repl, at_end, incomplete;
  void *scanner;
  const char *scanned;     /* the source itself; of a part, a copy */
  uint32_t n_errors;       /* in diags when reading began */
  /* scanner */
  VEC(Bracket) bracket;
  VEC(Comment) comment;
  VEC(DocText) docs;
  int raw_last;            /* the token before, newlines left out */
  bool line_begun, blank;  /* a token stands on this line; nothing does, not even a comment */
  Text chars;              /* of the string being read */
  Span string;             /* its opening quote */
  Text doc;                /* `##` lines; doc_waits: for the statement below them */
  bool doc_waits;
  /* layout */
  Token last;              /* handed out or dropped last */
  Token queue[4];          /* read ahead */
  uint32_t n_queue;
  bool end_told;           /* what is still open at the end has been reported */
  uint32_t open_at;        /* the byte where that was opened */
  Bracket crooked;         /* the first { whose } stands further left than its line; open 0: there is none */
  Span crooked_end;        /* that } */
  bool closed_block;       /* the last token handed out was the } of a block */
  /* dropping the rest of a statement that stands at keep_depth; the error was at error_depth */
  bool recovering;
  uint32_t keep_depth, error_depth;
} Reader;

bool lex_check(Reader *r);                   /* size, NUL bytes, UTF-8: reports; false: not to be read at all */
void lex_open(Reader *r);                    /* scans r->part of r->source; a whole source in place */
void lex_close(Reader *r);
void lex_raw(Reader *r, Token *t);           /* the next token; newlines are T_NEWLINE */
void lex_hole_open(Reader *r, Span at);      /* reports it */
void lex_close_hole(Reader *r);              /* the innermost bracket, a hole, ends here: its string goes on */

void layout_next(Reader *r, Token *t);       /* what the parser reads */
void layout_block(Reader *r, uint32_t at);   /* the { at this byte begins a block */
void layout_recover(Reader *r, const Token *found);   /* a syntax error was reported there */
const char *layout_doc(const Reader *r, uint32_t first);   /* the ## text before the statement that begins there */
bool layout_is_word(const Token *t);         /* a word that only a statement begins with */
#endif

/* expect: what a comment `# => ...` says a statement prints. In: a parsed file, or a ## text. Out: the expectations
 * with the statements they belong to, and whether a text is the expected one.
 *
 * Runs of white space are equal to one space, so that a matrix printed on several lines may be expected on one. A
 * number that is written with a point or an exponent matches one that, rounded to the digits written, is it (0.59
 * matches 0.5893); one that is written without matches an equal number alone. All other text is compared exactly.
 */
#ifndef LANG_EXPECT_H
#define LANG_EXPECT_H
#include "syntax/ast.h"

typedef struct Expectation {
  const Ast *statement;      /* the one that ends on the comment's line, before it; NULL: there is none */
  uint32_t line;             /* of the comment */
  const char *wanted;        /* without `# =>`, lines joined by one newline */
} Expectation;
typedef VEC(Expectation) Expectations;

/* Of the comments of a file. */
void expectations(Arena *a, const Parsed *p, Expectations *out);

/* `EXPR   # => RESULT` in a ## text: lines that follow and begin with `#` continue RESULT. */
typedef struct DocExample { const char *expr, *wanted; uint32_t line; } DocExample;   /* line of the text, from 0 */
typedef VEC(DocExample) DocExamples;
void doc_examples(Arena *a, const char *doc, DocExamples *out);

bool expect_match(const char *wanted, const char *found);
#endif

/* formula: what an operation passes back, as it would be written on paper: by its own gradient rule, the only place
 * where that stands. In: who passed what to whom. Out: text with names, text with numbers, the number.
 */
#ifndef LANG_FORMULA_H
#define LANG_FORMULA_H
#include "inspect/inspect.h"

typedef struct Formula {
  const char *left;          /* "d tanh(z)/dz"; of what is no slope: "dL/da" */
  const char *text;          /* "1 - tanh(z)^2"; "g @ transpose(b)" */
  const char *numbers;       /* "1 - 0.664^2"; NULL: more than fits */
  bool slope;                /* element by element: text is the local derivative; else it is what is passed on */
  double value;              /* of the element */
} Formula;

/* What an operand is called: its name, its number, or a letter that the user's own text does not use there. */
const char *formula_operand(const Inspect *x, NodeId user, uint32_t operand);
/* What an adjoint that arrives is called: "g". */
const char *formula_adjoint(const Inspect *x, NodeId id);
/* element: of the user's result where it is pointwise, else of what is passed on. */
Formula formula_passed(const Inspect *x, const Passed *p, int64_t element);
/* The operation as it is written with its operands' names: "tanh(z)", "a @ b". */
const char *formula_forward(const Inspect *x, NodeId id);
/* The same with other names. */
const char *formula_with(const Inspect *x, NodeId id, const char *const *name);
const char *number_text(Arena *a, double v);

/* The same for who fills names and numbers in later: "1 - tanh({0})^2", "1 - {y}^2", "{g} @ transpose({1})"; operand 0
 * is {0}, or {!0} where it goes in brackets if it is negative, y the result, g what arrives. */
typedef struct FormulaRule {
  const char *left, *text;
  const char *numbers;       /* NULL: it is no slope */
  bool slope;
  const Graph *g;            /* the slope, of scalars: node k is operand k, then come the result and a 1; */
  NodeId out;                /* this is it. NO_NODE: it is 0 */
} FormulaRule;
FormulaRule formula_rule(const Inspect *x, const Passed *p);
/* "tanh({0})" */
const char *formula_form(const Inspect *x, NodeId id);
#endif

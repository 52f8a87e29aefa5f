/* draw: a formula as a tree of text, or as a graph for Graphviz. In: a formula, with or without values. Out: text. */
#ifndef LANG_DRAW_GRAPH_H
#define LANG_DRAW_GRAPH_H
#include "inspect/inspect.h"

/* A line an operation, its operands below it, indented: what it is, its type, its value, the norm of its adjoint. */
void draw_text(const Inspect *x, Text *to);
/* A node a value; what one expression of the user's own text computes stands in one box. */
void draw_dot(const Inspect *x, Text *to);
/* A number without a name, spread or not: it stands in the formulas that read it. */
bool draw_is_literal(const Inspect *x, NodeId id);
#endif

/* why: what is wrong with the gradient of a parameter. In: a formula with its values and adjoints, and a path. Out: the
 * first expression at fault, from the number down, and what to do; or nothing. What is healthy is not spoken of.
 */
#ifndef LANG_WHY_H
#define LANG_WHY_H
#include "inspect/inspect.h"

typedef struct Finding {
  const char *kind;          /* "dead ReLU" */
  NodeId at;                 /* the expression; NO_NODE: none, it is about the parameter */
  const char *what, *way;    /* way: what to do, or NULL */
} Finding;

/* Whether path is name, or below it: `net.0.w` of `net`. */
bool path_below(const char *path, const char *name);
/* false: nothing is wrong. */
bool why_find(const Inspect *x, const char *name, Finding *out);
/* The units (of the last axis) of node id that pass nothing back for any row: dead or saturated; "1, 5 of 8". NULL:
 * none, or it is no such operation. *saturated: which of both. */
const char *why_units(const Inspect *x, NodeId id, bool *saturated);
#endif

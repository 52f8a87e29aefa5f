/* sparse: which elements of a Jacobian may be other than zero, and columns that one product can find together. */
#ifndef RUNTIME_SPARSE_H
#define RUNTIME_SPARSE_H
#include "graph/graph.h"

enum { MOST_ENTRIES = 1 << 25 };

/* Of a matrix: row r has column[first[r]..first[r + 1]), ascending. */
typedef struct Sparsity { int64_t rows, columns; int64_t *first; int32_t *column; } Sparsity;
static inline int64_t sparsity_entries(const Sparsity *s) { return s->first[s->rows]; }

/* The derivative of y, a row an element, by x[k], a column an element: out[k], in the graph's arena. It may have too
 * many entries, never too few. false: more than MOST_ENTRIES, there or on the way. */
bool graph_sparsity(Graph *g, NodeId y, const NodeId *x, uint32_t n, Sparsity *out);
Sparsity sparsity_transposed(const Sparsity *s, Arena *a);
Sparsity sparsity_common(const Sparsity *s, const Sparsity *t, Arena *a);      /* the entries of both, of one size */

/* A colour from 0 on for each column, of how many: no two columns of a colour have an entry in one row. */
int64_t colour_columns(const Sparsity *s, int32_t *colour, Arena *scratch);
/* The same of a symmetric matrix with an entry (i, j) for each (j, i): of two entries (i, j) and (j, i), one is alone
 * with its column's colour in its row. */
int64_t colour_symmetric(const Sparsity *s, int32_t *colour, Arena *scratch);
#endif

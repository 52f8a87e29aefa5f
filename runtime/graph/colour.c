/* colour: columns of a sparse matrix that one product can find together. In: its pattern. Out: a colour for each
 * column. Greedy, the columns of most entries first: Gebremedhin, Manne and Pothen, "What color is your Jacobian?",
 * SIAM Review 47 (2005).
 */
#include "graph/sparse.h"
#include <string.h>

/* The rows of a matrix by falling number of entries; of equal ones the first first. */
static int32_t *by_entries(const Sparsity *s, Arena *a) {
  int64_t most = 0;
  for (int64_t r = 0; r < s->rows; r++) {
    int64_t n = s->first[r + 1] - s->first[r];
    if (n > most) most = n;
  }
  int64_t *at = NEW_N(a, int64_t, most + 2);
  int32_t *order = NEW_N(a, int32_t, s->rows + 1);
  for (int64_t r = 0; r < s->rows; r++) at[most - (s->first[r + 1] - s->first[r]) + 1]++;
  for (int64_t k = 0; k < most; k++) at[k + 1] += at[k];
  for (int64_t r = 0; r < s->rows; r++) order[at[most - (s->first[r + 1] - s->first[r])]++] = (int32_t)r;
  return order;
}

static int32_t first_free(const int32_t *taken, int32_t by) {
  int32_t c = 0;
  while (taken[c] == by) c++;
  return c;
}

int64_t colour_columns(const Sparsity *s, int32_t *colour, Arena *scratch) {
  Sparsity t = sparsity_transposed(s, scratch);
  int32_t *order = by_entries(&t, scratch), n = 0;
  int32_t *taken = NEW_N(scratch, int32_t, s->columns + 2);   /* by colour: the column, from 1, that cannot have it */
  for (int64_t c = 0; c < s->columns; c++) colour[c] = -1;
  for (int64_t k = 0; k < s->columns; k++) {
    int32_t c = order[k];
    if (t.first[c] == t.first[c + 1]) {    /* it has nothing to find */
      colour[c] = 0;
      continue;
    }
    for (int64_t i = t.first[c]; i < t.first[c + 1]; i++)
      for (int64_t j = s->first[t.column[i]]; j < s->first[t.column[i] + 1]; j++)
        if (colour[s->column[j]] >= 0) taken[colour[s->column[j]]] = c + 1;
    colour[c] = first_free(taken, c + 1);
    if (colour[c] >= n) n = colour[c] + 1;
  }
  return n;
}

/* Neighbours differ, and so do two neighbours of a column whose own colour is not lower than theirs, or not there yet:
 * then no path of four columns has two colours. */
int64_t colour_symmetric(const Sparsity *s, int32_t *colour, Arena *scratch) {
  int32_t *order = by_entries(s, scratch), n = 0;
  int32_t *taken = NEW_N(scratch, int32_t, s->columns + 2);
  for (int64_t c = 0; c < s->columns; c++) colour[c] = -1;
  for (int64_t k = 0; k < s->columns; k++) {
    int32_t c = order[k];
    for (int64_t i = s->first[c]; i < s->first[c + 1]; i++) {
      int32_t beside = s->column[i], its = colour[beside];
      if (its >= 0) taken[its] = c + 1;
      if (its == 0 || beside == c) continue;
      for (int64_t j = s->first[beside]; j < s->first[beside + 1]; j++) {
        int32_t there = colour[s->column[j]];
        if (there >= 0 && (its < 0 || there < its)) taken[there] = c + 1;
      }
    }
    colour[c] = first_free(taken, c + 1);
    if (colour[c] >= n) n = colour[c] + 1;
  }
  return n;
}

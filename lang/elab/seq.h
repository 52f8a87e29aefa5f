/* seq: sequences: a count and a formula of the index (ranges, batches, enumerate, zip).
 */
#ifndef LANG_SEQ_H
#define LANG_SEQ_H
#include "elab/value.h"

typedef struct SeqPiece { int64_t count; int64_t first; } SeqPiece;
struct Seq {
  int64_t count;              /* known; -1: of the run, then count_node (i32[]) */
  NodeId count_node;
  uint32_t n_piece;           /* 1, or more when the first or last element has another shape */
  SeqPiece piece[3];
  /* Element number `index` (i32[] node), of piece k; or, known >= 0, element number `known`. */
  Value (*element)(Elab *e, const Seq *q, uint32_t piece, NodeId index, int64_t known, const Ast *at);
  Items *captured;
  int64_t from, by;           /* ranges */
  bool is_range;
  const char *what;           /* "range", "batches" ... for messages */
};
Value seq_range(Elab *e, Value from, Value to, bool less, const Ast *at);
Value seq_cut(Elab *e, Value v, int64_t from, int64_t count, int64_t by);   /* a slice of a sequence of known length */
Value seq_of(Elab *e, Value v, const Ast *at);                     /* anything `for` runs over, as a V_SEQ or V_LIST */

/* Which piece element k is in. */
static inline uint32_t seq_piece(const Seq *q, int64_t k) {
  uint32_t p = 0;
  while (p + 1 < q->n_piece && k >= q->piece[p + 1].first) p++;
  return p;
}
#endif

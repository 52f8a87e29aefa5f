/* index: the items of an index, as read from the text and checked against a tensor's shape: what elab_index takes a
 * part by, and assign_index replaces it by.
 */
#ifndef LANG_INDEX_H
#define LANG_INDEX_H
#include "elab/lower.h"

typedef enum { ITEM_AT, ITEM_SLICE, ITEM_TURN, ITEM_SPAN, ITEM_GATHER, ITEM_NEW } ItemKind;
typedef struct Item {
  ItemKind kind;
  int axis;                   /* of the base */
  Cut cut;                    /* ITEM_AT (count 1), ITEM_SLICE; ITEM_SPAN: count and by of the result */
  int64_t length;             /* ITEM_SPAN: how much slice_dyn takes */
  NodeId node;                /* ITEM_TURN, ITEM_SPAN: the start; ITEM_GATHER: the index */
  const Ast *ast;
} Item;
typedef struct ItemList { Item at[2 * MAX_RANK]; uint32_t n; } ItemList;

/* The items of an INDEX over a tensor of type t; each axis of t has one, in order, among those for new axes. false:
 * reported. */
bool index_read(Elab *e, const Ast *ast, const Type *t, ItemList *list);
/* The one item of a list, tuple or chain. A slice gives cut, else cut->count is -1 and cut->from the index. false:
 * reported. */
bool index_one(Elab *e, const Ast *ast, int64_t n, const char *what, bool tensors, Cut *cut);
Value elab_index(Elab *e, const Ast *ast, Value base);
/* from : to : by over n elements; ends as Python counts them, but nothing clamps. of: " of axis 1". false: reported. */
bool index_cut(Elab *e, const Ast *ast, bool has_from, int64_t from, bool has_to, int64_t to, int64_t by, int64_t n,
               const char *of, Cut *out);
#endif

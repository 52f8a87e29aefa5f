/* ints: how known whole numbers are read: one, a list of them, axes, an order of axes, sizes.
 * In: a value and the parameter that it is for. Out: the numbers, or a message (false, NULL).
 */
#ifndef LANG_INTS_H
#define LANG_INTS_H
#include "elab/args.h"

typedef struct Reader {
  Elab *e;
  const char *callee;
  const Face *face;
  const Args *given;
  const char *fn, *param;        /* whose argument it is: of a function of the library, if that one hands it on */
  int rank;                      /* of what stands first: its axes are meant; -1: it has none */
} Reader;
/* "`num` of `linspace`", "a size of `zeros`", "an index of `gather`": of what something must be (args.c) */
const char *subject(const Reader *r, const FaceParam *q);
/* "expected a whole number as `num` of `linspace`, found ...": false (args.c) */
bool refuse_as(const Reader *r, const FaceParam *q, const Value *v, const Ast *at);

bool read_int(const Reader *r, const FaceParam *q, Value v, const Ast *at, int64_t *out);
bool read_size(const Reader *r, const FaceParam *q, Value v, const Ast *at, int64_t *out);
/* The ints that the graph knows to be in a tensor, in order; NULL: it does not, or they are not whole. */
const int64_t *known_ints(Elab *e, NodeId n, uint32_t *count);
/* A known list of ints: an int, a bracket, a tuple, a list, (). NULL: reported. */
const int64_t *read_ints(const Reader *r, const FaceParam *q, Value v, const Ast *at, uint32_t *n);
bool read_nested(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out);
bool read_pair(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out);
/* The sizes of a shape, none negative, of a tensor that can be. */
bool read_dims(const Reader *r, const FaceParam *q, Value v, const Ast *at, Type *t);
bool read_sizes(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out);

/* Of what has r->rank axes. */
bool in_rank(const Reader *r, int64_t *axis, const Ast *at);       /* an axis, from 0 from here on */
bool read_axes(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out);
bool read_perm(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out);
bool the_axis(const Reader *r, Arg *out);                          /* one that was left out: a vector has but one */
#endif

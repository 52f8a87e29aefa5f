/* face: how an operation, or a function of the host language, is called: its parameters, in order, and what each takes.
 * In: the text of a face. Out: its parameters, or why it is none. One grammar for ops (`args`) and for natives;
 * lang/elab/args.c reads the arguments of a call by it.
 *
 *   face  = [ param { ", " param } ]
 *   param = name [ ":" kind ] [ "?" | "=" value | ".." | "*" | "..*" ]
 *
 * `?` may be left out, or be (); `=` then is the value. `..` takes all positional arguments that are left, so what
 * stands behind it is given by name; `*` takes all named ones that are left, `..*` both. An op without a face has x,
 * y and z.
 *
 *   kind          takes                                                 an op has it in
 *                 a tensor                                              its inputs, which come first
 *   f32 .. bool   a tensor of that element type; literals become it     its inputs
 *   index         i32, of indices                                       its inputs
 *   shaped        a tensor, or the declared type of one
 *   tensors       a list or tuple of tensors, in one element type
 *   any           a value, a tree ...
 *   rows          a data set: tensors with one first size
 *   int           a known whole number                                  i: one number
 *   size          a known number of elements, 0 to 2^31 - 1             i: one number
 *   float         a known number                                        f: one number
 *   flag          a known bool                                          i: 0 or 1
 *   word(a|b)     one of these strings                                  i: its number, from 0
 *   axis          an axis of what stands first, a tensor or a size:     i: one number, from 0
 *                 how many axes; -1 is the last
 *   line          an axis; left out: that of a vector                   i: one number, from 0
 *   axes          axes, each once; () or left out: all                  i: how many, then they, ascending
 *   perm          all axes in a new order; left out: reversed           i: they, to the end
 *   pair          two whole numbers, or one for both                    i: two numbers
 *   ints          any number of known whole numbers                     i: how many, then they
 *   nested        the same, in tuples and lists of them too, flat
 *   sizes         the sizes of a shape                                  i: they, to the end
 *   dtype         an element type: `f64`                                i: a DType
 *   boxes         (hidden ops) start, count, step of each axis; counts  i: they, to the end
 *                 are elements, a step may be negative; unslice has the
 *                 size of the result in the place of count
 *   kind          a shape (f32), or a type such as `i32[3]`
 *   string        a known text
 *   path          a text that may be of the run: a file that a step writes or reads; it may stand in the place of one
 *                 parameter before it that is left out
 *   fn            what can be called
 *
 * What goes into attr->i is there in the order of the parameters; what is "to the end" stands last, so pairs and
 * counted lists may stand side by side. Values: int, float, true, false, a word; for a pair one number or two, `1x2`.
 */
#ifndef RUNTIME_FACE_H
#define RUNTIME_FACE_H
#include "graph/op.h"

typedef enum {
  FACE_TENSOR, FACE_SHAPED, FACE_TENSORS, FACE_ANY, FACE_ROWS, FACE_INT, FACE_SIZE, FACE_FLOAT, FACE_FLAG, FACE_WORD,
  FACE_AXIS, FACE_LINE, FACE_AXES, FACE_PERM, FACE_PAIR, FACE_INTS, FACE_NESTED, FACE_SIZES, FACE_DTYPE, FACE_BOXES,
  FACE_KIND, FACE_STRING, FACE_PATH, FACE_FN, N_FACES
} FaceKind;

enum { MOST_FACE = 16 };     /* parameters */

typedef struct FaceParam {
  const char *name;
  FaceKind kind;
  uint8_t dtype;             /* of a tensor: the element type that it must have, or N_DTYPES */
  bool index;                /* and it holds indices */
  bool optional;             /* may be left out */
  bool valued;               /* then it has a value: i, i[0] and i[1] of a pair, f of a float */
  bool rest, named;          /* takes the positional, the named ones that are left */
  int64_t i[2];
  double f;
  const char *const *word;   /* of word(...) */
  uint32_t n_word;
} FaceParam;

typedef struct Face {
  const char *text;
  uint32_t n;
  const FaceParam *param;
} Face;

/* NULL: *error says what is wrong with it, *place where. */
const Face *face_parse(Arena *a, const char *text, const char **error, uint32_t *place);
const char *op_face(const Op *op);                           /* op->args, or the usual names */
/* The name of parameter k alone. */
const char *face_name(Arena *a, const char *text, uint32_t k);
/* "x, axis?, keep = false": as documentation writes it. */
void face_show(Text *t, const char *text);
#endif

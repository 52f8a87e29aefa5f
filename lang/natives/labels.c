/* labels: what a loss or a metric is given beside the scores: class numbers, signs, lengths. In: tensors. Out: the
 * same, checked: what is known at once, what is of the run when it runs; and of which element type a tensor is.
 */
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/lower.h"
#include "elab/mismatch.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include "runtime/exec/fault.h"
#include "runtime/ops/label.h"
#include <string.h>

/* Where x is known it is looked at now; then nothing is left to check. */
static NodeId checked(Elab *e, NodeId x, LabelKind what, int64_t n, int64_t ignore, const Ast *at) {
  const Tensor *t = graph_at(e->g, x)->flags & NODE_KNOWN ? graph_known(e->g, x) : NULL;
  for (int64_t k = 0; t && k < type_count(&t->type); k++) {
    if (label_holds(tensor_get(t, k), what, n, ignore)) continue;
    Fault f = label_fault(tensor_get(t, k), what, n, k);
    char text[FAULT_TEXT];
    fault_text(&op_require_label, &f, text);
    Diag *g = elab_error(e, at, E_RUN_LABEL, text);
    if (fault_hint(&op_require_label, &f, text)) diag_hint(e->d, g, "%s", text);
    return NO_NODE;
  }
  return t ? x : emit_i(e, &op_require_label, &x, 1, (int64_t[]){what, n, ignore}, 3, at);
}

/* Of small whole numbers and bools as i32. */
static NodeId widened(Elab *e, NodeId x, const Ast *at) {
  DType d = (DType)node_type(e, x)->dtype;
  return d == U8 || d == BOOL ? lower_cast(e, x, I32, at) : x;
}

static Value numbers(Elab *e, const Arg *a, LabelKind what, int64_t ignore, const char *name) {
  const Ast *where = a[0].at;
  NodeId x = widened(e, a[0].node, where);
  Value v = a[0].value.kind == V_INT ? a[0].value : v_node(x);
  if (x != NO_NODE) x = want_typed(e, v, I32, where, name);
  return x == NO_NODE ? v_bad() : or_bad(checked(e, x, what, a[1].i, ignore, where));
}

/* Who takes an `ignore`, be it left out, may be told of it. */
static Value n_class_numbers(Elab *e, const Arg *a, const Ast *at) {
  bool takes = at->kind == A_CALL && at->n > 3;
  return numbers(e, a, takes ? LABEL_CLASS : LABEL_CLASS_ONLY, a[2].given ? a[2].i : 0, "a class number");
}

static Value n_row_numbers(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return numbers(e, a, LABEL_ROW, 0, "a row number");
}

static Value n_bin_numbers(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return numbers(e, a, LABEL_BIN, 0, "what is counted");
}

static Value n_lengths(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return or_bad(checked(e, a[0].node, LABEL_LENGTH, a[1].i, a[2].i, a[0].at));
}

/* Signs, or zeros and ones: of any numbers. */
static Value marks(Elab *e, const Arg *a, LabelKind what) {
  NodeId x = widened(e, a[0].node, a[0].at);
  return x == NO_NODE ? v_bad() : or_bad(checked(e, x, what, 0, 0, a[0].at));
}

static Value n_signs(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return marks(e, a, LABEL_SIGN);
}

static Value n_bits(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return marks(e, a, LABEL_BIT);
}

static Value n_element_of(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  NodeId x = a[0].node;
  const char *kind = !node_flex(e, x)                       ? dtype_name[node_type(e, x)->dtype]
                     : graph_at(e->g, x)->flags & NODE_INTS ? "int"
                                                            : "float";
  return v_string(e->a, kind, strlen(kind));
}

/* For a hint that says what to write there. */
static Value n_written(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  enum { LONGEST = 32 };
  const Ast *w = spot_of(e, a[0].at).ast;
  uint32_t n = w->span.end - w->span.first;
  bool short_ = n <= LONGEST && !memchr(w->source->text + w->span.first, '\n', n);
  if (w->source->library || !short_) return a[1].value;
  const char *text = ast_text(e, w);
  bool one = w->kind == A_NAME || w->kind == A_MEMBER || w->kind == A_CALL || w->kind == A_INDEX ||
             w->kind == A_BRACKET;
  if (!one && !w->parens) text = arena_printf(e->a, "(%s)", text);
  return v_string(e->a, text, strlen(text));
}

const Native native_labels[] = {
    {"class_numbers", "y, n:int, ignore:int?", n_class_numbers,
     "y as i32, which holds class numbers below n: another number is an error, but for `ignore`.",
     "class_numbers(u8([0, 2]), 3)   # => [0, 2]"},
    {"bin_numbers", "y, n:int", n_bin_numbers,
     "y as i32, which holds numbers that n bins count: another number is an error.",
     "bin_numbers([0, 2], 3)   # => [0, 2]"},
    {"row_numbers", "y, n:int", n_row_numbers,
     "y as i32, which holds numbers of rows, below n: another number is an error.",
     "row_numbers(u8([0, 2]), 3)   # => [0, 2]"},
    {"lengths_to", "x:i32, n:int, least:int=1", n_lengths,
     "x itself, which holds numbers from 1 to n (or `least`, which may be 0): another number is an error.",
     "lengths_to([1, 3], 3)   # => [1, 3]"},
    {"signs_in", "y", n_signs, "y itself, which holds -1 and 1 alone: another number is an error.",
     "signs_in([1, -1])   # => [1, -1]"},
    {"bits_in", "y", n_bits, "y itself, which holds 0 and 1 alone: another number is an error.",
     "bits_in([1, 0])   # => [1, 0]"},
    {"element_of", "x", n_element_of,
     "The element type of x as text: \"f32\", \"i32\" ...; \"int\" or \"float\" of a literal, which has none yet.",
     "element_of(u8([1, 2])), element_of(0.5)   # => u8 float"},
    {"written", "x:any, otherwise:any", n_written,
     "The text of an argument as the caller of a library function wrote it, if that is short.",
     NULL},
    {0}};

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

NodeId class_numbers(Elab *e, Value v, int64_t n, int64_t ignore, const Ast *at) {
  v = value_decay(e, v);
  bool narrow = v.kind == V_NODE && (node_type(e, v.node)->dtype == U8 || node_type(e, v.node)->dtype == BOOL);
  NodeId x = narrow ? lower_cast(e, v.node, I32, at) : want_typed(e, v, I32, at, "a class number");
  return x == NO_NODE ? x : checked(e, x, LABEL_CLASS, n, ignore, at);
}

static Value n_class_numbers(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  int64_t n, ignore = 0;
  bool leaves_out = given(a, 2) && a->at[2].kind != V_UNIT;
  if (!arg_int(e, a, 1, 0, at, "the number of classes", &n)) return v_bad();
  if (leaves_out && !arg_int(e, a, 2, 0, at, "`ignore`", &ignore)) return v_bad();
  return or_bad(class_numbers(e, a->at[0], n, ignore, arg_ast(a, 0, at)));
}

static Value n_lengths(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  int64_t n, least;
  NodeId x = want_typed(e, a->at[0], I32, arg_ast(a, 0, at), "a length");
  if (x == NO_NODE || !arg_int(e, a, 1, 0, at, "the longest", &n) || !arg_int(e, a, 2, 1, at, "the shortest", &least))
    return v_bad();
  return or_bad(checked(e, x, LABEL_LENGTH, n, least, arg_ast(a, 0, at)));
}

/* Signs, or zeros and ones: of any numbers. */
static Value marks(Elab *e, Args *a, LabelKind what, const Ast *at) {
  const Ast *where = arg_ast(a, 0, at);
  NodeId x = want_node(e, value_decay(e, a->at[0]), where, "a tensor");
  if (x == NO_NODE) return v_bad();
  DType d = (DType)node_type(e, x)->dtype;
  if (d == U8 || d == BOOL) x = lower_cast(e, x, I32, where);
  return x == NO_NODE ? v_bad() : or_bad(checked(e, x, what, 0, 0, where));
}

static Value n_signs(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  return marks(e, a, LABEL_SIGN, at);
}

static Value n_bits(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  return marks(e, a, LABEL_BIT, at);
}

static Value n_element_of(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Value v = value_decay(e, a->at[0]);
  if (v.kind == V_BAD) return v;
  NodeId x = want_node(e, v, arg_ast(a, 0, at), "a tensor");
  if (x == NO_NODE) return v_bad();
  const char *kind = !node_flex(e, x)                       ? dtype_name[node_type(e, x)->dtype]
                     : graph_at(e->g, x)->flags & NODE_INTS ? "int"
                                                            : "float";
  return v_string(e->a, kind, strlen(kind));
}

/* For a hint that says what to write there. */
static Value n_written(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  enum { LONGEST = 32 };
  const Ast *w = spot_of(e, arg_ast(a, 0, at)).ast;
  uint32_t n = w->span.end - w->span.first;
  bool short_ = n <= LONGEST && !memchr(w->source->text + w->span.first, '\n', n);
  if (w->source->library || !short_) return a->at[1];
  const char *text = ast_text(e, w);
  bool one = w->kind == A_NAME || w->kind == A_MEMBER || w->kind == A_CALL || w->kind == A_INDEX ||
             w->kind == A_BRACKET;
  if (!one && !w->parens) text = arena_printf(e->a, "(%s)", text);
  return v_string(e->a, text, strlen(text));
}

const Native native_labels[] = {
    {"class_numbers", "y:any, n:any, ignore:any?", n_class_numbers,
     "y as i32, which holds class numbers below n: another number is an error, but for `ignore`.",
     "class_numbers(u8([0, 2]), 3)   # => [0, 2]"},
    {"lengths_to", "x:any, n:any, least:any?", n_lengths,
     "x itself, which holds numbers from 1 to n (or `least`, which may be 0): another number is an error.",
     "lengths_to([1, 3], 3)   # => [1, 3]"},
    {"signs_in", "y:any", n_signs, "y itself, which holds -1 and 1 alone: another number is an error.",
     "signs_in([1, -1])   # => [1, -1]"},
    {"bits_in", "y:any", n_bits, "y itself, which holds 0 and 1 alone: another number is an error.",
     "bits_in([1, 0])   # => [1, 0]"},
    {"element_of", "x:any", n_element_of,
     "The element type of x as text: \"f32\", \"i32\" ...; \"int\" or \"float\" of a literal, which has none yet.",
     "element_of(u8([1, 2])), element_of(0.5)   # => u8 float"},
    {"written", "x:any, otherwise:any", n_written,
     "The text of an argument as the caller of a library function wrote it, if that is short.",
     NULL},
    {0}};

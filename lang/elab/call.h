/* call: calls. In: what is called and its arguments, evaluated. Out: the value; V_BAD when a mistake was reported.
 */
#ifndef LANG_CALL_H
#define LANG_CALL_H
#include "elab/elab.h"

/* What leaves a turn of an unrolled loop: nothing, or where a condition of the run holds. [0]: `break`, [1]:
 * `continue`. */
typedef struct Leave { bool may; NodeId when; } Leave;

/* One call of a function, proc, layer ... : what is checked and restored around its body. */
struct CallFrame {
  CallFrame *outer;
  const Fn *fn;
  const Instance *self;       /* whose state its body may assign */
  bool steps;                 /* steps may stand here: a proc, the top level */
  uint8_t loop;               /* the innermost loop around: LOOP_... */
  bool looked;                /* its body read `is_training`, which was false */
  uint8_t flow;               /* a known `break` or `continue` is on its way: FLOW_... */
  bool in_value;              /* in an `if` of the run that is an expression among steps: nothing leaves it */
  Leave leave[2];             /* of the present turn */
  Region *turn;               /* of the present turn, when each is a piece of a loop of steps */
};
enum { MOST_CALLS = 1000 };   /* nested */
enum { LOOP_NONE, LOOP_RUN, LOOP_UNROLLED };
enum { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

Where frame_enter(Elab *e, CallFrame *frame, Scope *s);           /* inside a call: where we were */
Value elab_call(Elab *e, const Ast *call, const Value *first);    /* a CALL; first: one argument more, in front */
Value call_value(Elab *e, Value callee, Args *a, const Ast *at);
Value call1(Elab *e, Value callee, Value x, const Ast *at);
Value call_fn(Elab *e, const Fn *f, Args *a, const Ast *at);
bool bind_params(Elab *e, const Fn *f, const Ast *params, Args *a, Scope *s, bool by_value, DType *unmarked,
                 const Ast *at);
Value op_apply(Elab *e, const Op *op, Args *a, const Ast *at);    /* a call by the op's `args` face */
#endif

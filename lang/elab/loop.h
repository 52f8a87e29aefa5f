/* loop: for, while, and what leaves a turn early.
 */
#ifndef LANG_LOOP_H
#define LANG_LOOP_H
#include "elab/branch.h"
#include "elab/call.h"
#include "elab/elab.h"

Value elab_for(Elab *e, const Ast *ast);
Value elab_while(Elab *e, const Ast *ast);
void elab_flow(Elab *e, const Ast *ast);                           /* break, continue */
typedef struct BranchFlow { uint8_t flow; Leave leave[2]; } BranchFlow;
void branch_flow_take(Elab *e, BranchFlow *f);                     /* what leaves the turn now; then nothing does */
bool branch_flow_join(Elab *e, NodeId cond, const BranchFlow *then, const BranchFlow *other,
                      const Ast *at);                              /* false: nothing */
bool leave_pending(const Elab *e);
typedef struct Mask { NodeId skip; Branch branch; Where outside; Leave leave[2]; } Mask;
void mask_enter(Elab *e, Mask *m, const Ast *at);                  /* what follows counts only where no turn was left */
void mask_leave(Elab *e, const Mask *m, const Ast *at);
#endif

/* resolve: names of a whole file before elaboration: what one block defines twice. In: the syntax. Out: diagnostics.
 * Unknown names are found where elaboration meets them.
 */
#include <string.h>
#include "ast.h"

static bool defines(const Ast *s) {
  return s->kind == A_FN || s->kind == A_PROC || s->kind == A_LAYER || s->kind == A_OPTIMIZER || s->kind == A_EXTERN ||
         s->kind == A_PARAM || s->kind == A_STATE;
}

void resolve(Arena *a, const Ast *program, Diags *d, const Outside *o) {
  (void)a;
  if (o->keep_unused) return;
  for (uint32_t k = 0; k < program->n; k++)
    for (uint32_t j = 0; j < k; j++)
      if (defines(program->kid[k]) && defines(program->kid[j]) && program->kid[k]->name == program->kid[j]->name) {
        diag_in(d, program->source, program->kid[k]->at, E_TWICE, program->kid[k]->name);
        break;
      }
}

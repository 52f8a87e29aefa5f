/* wait: statements of a script that wait for the run. Where a shape depends on what only the run knows (the rows of a
 * series behind a loop that a `break` ends), the script is checked to its end with a number that stands for it, so that
 * every other mistake is found before the first step; then what stands before runs, and the rest is elaborated for the
 * shape that it has. The rest is an entry of its own, as in the REPL: earlier values are kept or computed again.
 */
#ifndef LANG_WAIT_H
#define LANG_WAIT_H
#include "elab/value.h"

enum { STAND_IN = 9973 };     /* a prime: it divides nothing by accident */

/* A column of s is read here, whose rows only the run knows. true: the number that stands for them is good, the
 * statement waits. */
bool wait_begin(Elab *e, const Series *s, const Ast *at);
/* How a text is read. parts: a part of it may end where it is large, so that what ran can go before the next part is
 * read (stretch.h). checked: what follows the part was checked for the shapes that it has, in: by the part before.
 * passes, out: what it left has no name, and no derivative passes through what it assigned: it may go. */
typedef struct Reading { bool parts, checked, passes; } Reading;

/* One text from statement `from` on: its definitions (from 0), then its steps, into steps. *it: the value of a last
 * expression in the REPL. The number of the first statement that is not read yet, because it waits for what runs before
 * it or because the part is large; it and the rest were only checked. */
uint32_t elab_program(Elab *e, const Ast *program, uint32_t from, Steps *steps, Value *it, Reading *how);
#endif

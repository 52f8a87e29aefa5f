/* program_dump: a program as text, for `--dump` and the tests that compare it. */
#ifndef LANG_PROGRAM_DUMP_H
#define LANG_PROGRAM_DUMP_H
#include "steps/program.h"

/* --dump=plan|opt|graph for all segments of a block, with the steps around them; NULL: no such stage. */
char *program_dump(Program *p, const Steps *block, const char *stage, Arena *a);
#endif

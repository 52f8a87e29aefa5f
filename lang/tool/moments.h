/* moments: what the variables of a run held before some of its steps, from the first to the last, evenly. In: a run
 * that is done again (replay.h). Out: moments, in each of which a formula can be inspected as it stood; a page of them.
 */
#ifndef LANG_MOMENTS_H
#define LANG_MOMENTS_H
#include "tool/graph_file.h"
#include "tool/replay.h"

/* By slot: what it held, and what the step made of it; NULL: that is not known. */
typedef struct Moment { int64_t at; const Tensor **held, **next; uint32_t n; } Moment;

typedef struct Moments {
  Host host;
  Arena *a;
  VEC(Moment) moment;
  int64_t stride;
  bool fresh, failed;        /* the newest moment lacks its `next`; no memory */
} Moments;

bool moments_open(Moments *r);
void moments_step(void *moments, Session *s, int64_t step);      /* for replay_run */
void moments_close(Moments *r);

/* A formula of a session and the run that it is of; NULL: as the formula found its variables. cells: the run was one
 * of another session, with the same cells and perhaps other slots. */
typedef struct PageOf { const char *name; Session *s; NodeId y; const Moments *run; bool cells; } PageOf;
/* How many operations there are; whether two runs have other graphs than each other, so that there is no page. */
typedef struct PageSaid { uint32_t operations; bool unlike; } PageSaid;
/* One run, or two. NULL, or why there is no page, in a. path NULL: to standard output. */
const char *moments_page(Cli *c, const char *title, const PageOf *of, uint32_t n, const char *path, Arena *a,
                         PageSaid *said);
#endif

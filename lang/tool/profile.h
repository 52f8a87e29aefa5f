/* profile: the trace of a run. In: what each part of a plan's step took. Out: a file in Chrome's trace format, a row a
 * thread, each part named by its operation and the text that it was written as.
 */
#ifndef LANG_PROFILE_H
#define LANG_PROFILE_H
#include "session.h"
#include <stdio.h>

typedef struct Profile {
  FILE *file;
  Arena *a;
  Session *s;
  int64_t begun;             /* nanoseconds */
  uint64_t n;                /* parts, of which the file holds the first MOST */
  uint32_t rows;             /* threads that have a name in it */
  VEC(struct Named *) named;
} Profile;

void profile_begin(Profile *p, Session *s);
void profile_done(void *to, const Plan *plan, uint32_t step, const Taken *part, uint32_t n);
void profile_end(Profile *p);
/* What the file does not hold, for a note; 0: it holds all. */
uint64_t profile_left_out(const Profile *p);
#endif

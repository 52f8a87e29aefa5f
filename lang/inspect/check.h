/* check: derivatives against finite differences, in f64. In: a formula of one number with its leaves. Out: for each
 * order the element at which the two differ most.
 */
#ifndef LANG_CHECK_H
#define LANG_CHECK_H
#include "inspect/inspect.h"

#define CHECK_NOISE 1e-7      /* relative: what differences cannot say */

typedef struct Checked {
  uint32_t n, of;            /* so many numbers were moved, of all that there are */
  uint32_t kinks;            /* at so many the slopes on both sides differ: any between them is right */
  const char *path;          /* the worst: of which leaf, which element, */
  int64_t element;
  double rule, difference;    /* the derivative by the rules, by differences, */
  double error;               /* and how far apart they are, relative; 0: below what differences can say */
} Checked;

/* order 1: the derivative of y; 2: that of the derivative, summed with fixed weights. false: a kernel faulted. */
bool check_order(const Inspect *x, int order, Checked *out);
#endif

/* page: a formula as one page of HTML that needs nothing else: its graph, values and adjoints of recorded steps, the
 * formulas that `:back` shows, and its operations in JavaScript (op_js), so that numbers can be moved and computed
 * again. In: inspections of one formula, a step each. Out: text of at most PAGE_MOST bytes; of what would be larger
 * tensors are told by a few elements, and steps are left out.
 */
#ifndef LANG_PAGE_H
#define LANG_PAGE_H
#include "inspect/inspect.h"

enum { PAGE_MOST = 300 * 1000, PAGE_STEPS = 24 };

/* next: by leaf, what the step made of it; NULL: that is not known. */
typedef struct PageStep { int64_t at; const Inspect *x; const Tensor *const *next; } PageStep;
typedef struct PageRun { const char *name; PageStep *step; uint32_t n; } PageRun;
typedef struct Page {
  const char *title;
  const PageRun *run;        /* one, or two that are compared */
  uint32_t n;
} Page;

/* Whether all its graphs have the same nodes, as a page of two runs wants. */
bool page_alike(const Page *p);
/* NULL, or why there is none, in a. Scratch is in a, too. */
const char *page_write(const Page *p, Arena *a, Text *to);

/* What lang/tool/page holds, embedded. */
typedef struct PageText { const char *name, *text; size_t n; } PageText;
extern const PageText page_texts[];
#endif

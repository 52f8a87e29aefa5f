/* report: a run as a page. In: its events; at its end the session. Out: one file of HTML that needs no other, and no
 * network: curves of losses and metrics, histograms of weights and gradients, of a classification the confusion matrix
 * and samples right and wrong, what was printed, the environment and the seed.
 *
 * What is kept of a run is bounded, whatever its length: curves and histograms are thinned as they grow.
 */
#ifndef LANG_REPORT_H
#define LANG_REPORT_H
#include "inspect/again.h"
#include "steps/turns.h"
#include "tool/record.h"

enum { BINS = 40, MOST_SHOTS = 32, MOST_PARAMETERS = 48 };

/* A curve: every stride-th of its numbers. */
typedef struct Curve {
  const void *of;            /* the table of a series; else whose steps or epochs: a constant address */
  const char *group, *name, *x_label;
  double *x, *y;
  uint32_t n;
  int64_t stride, seen;
} Curve;

typedef struct Histogram { double low, high, norm; int64_t odd; uint32_t bin[BINS]; bool filled; } Histogram;
/* The parameters at a moment of the run, and the gradients of the losses that move them. */
typedef struct Shot { const char *when; double at; Histogram *weight, *gradient; } Shot;

/* A loss that moves parameters: the segment that does so, and the turns of the loop around it. */
typedef struct Trained {
  const Segment *segment;
  NodeId loss;
  SlotId *slot; uint32_t n;  /* that it moves */
  Again *gradients;
  int64_t step;              /* in which it ran last */
  SlotId turn;               /* of the innermost loop; NO_SLOT: none */
  int64_t first, count;      /* its turns with this body; count -1: not known */
} Trained;

typedef struct Report {
  Arena *a;
  VEC(Curve) curve;
  VEC(Trained) trained;
  SlotId parameter[MOST_PARAMETERS];
  uint32_t n_parameter, more_parameters;
  Shot shot[MOST_SHOTS];
  uint32_t n_shot;
  int64_t every, since;      /* epochs or steps between two shots; since the last */
  bool by_epoch, any_rows;
  int64_t steps, epoch;
  StepTurns last;
  Text printed; bool cut;
} Report;

void report_event(Report *r, Session *s, const Event *e);
/* No event will come: what is in the parameters is the end. */
void report_end(Report *r, Session *s);
void report_close(Report *r);
/* Inside guards of both: of r's arena and of the session. */
void report_page(Report *r, Session *s, const Facts *facts, const Facts *outcome, Text *html);

/* ---- of a classification (report_classes.c) ---- */
typedef struct Sample {
  int64_t row, truth, given;
  double sure;               /* how probable the given class is held */
  double *x; int64_t n, height, width;      /* an image if height is not 0; else its first numbers */
} Sample;
enum { MOST_SAMPLES = 12 };
typedef struct Classes {
  int64_t n, rows, right;    /* classes; rows that were looked at */
  int64_t *count;            /* [truth, given] */
  Sample good[MOST_SAMPLES], bad[MOST_SAMPLES];
  uint32_t n_good, n_bad;
} Classes;
/* false: the run is none that can be told by its losses. */
bool report_classes(Session *s, const Trained *t, uint32_t n, Arena *a, Classes *out);
#endif

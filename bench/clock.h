/* clock: the time of measurements, seconds that the processor gave to the calling thread, and the order of their
 * samples for qsort. Needs _POSIX_C_SOURCE 200809L.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
#endif

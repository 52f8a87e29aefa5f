/* bench: workloads of bench/work beside the same in PyTorch, where python3 has it. In: names of workloads, or none for
 * all. Out: a line a workload: time of a step, share of the peak, the peer, the ratio.
 *   bench/bench [-r ROUNDS] [-t THREADS] [-g GLIA] [-p PYTHON] [NAME...]
 * A step's time is the difference of two runs, of few steps and of many, so that starting and reading count nothing.
 * Glia and the peer take turns, with a probe of the machine's peak before and after each; a sample in which the probe
 * moved by more than 15 % is dropped, and said. On one thread the processor's time is taken, on more that of the clock.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench/peak.h"

/* gflop: of the products of a step, forward and backward; 0: it is not made of products. */
typedef struct Work { const char *name; double gflop; int few, many; } Work;
static const Work works[] = {
    {"xor", 0, 1000, 401000},          {"mlp", 2.61e-2, 10, 1210},      {"mlp_adam", 4.11e-1, 2, 42},
    {"wide", 7.8, 1, 13},              {"conv", 0, 2, 122},             {"pointwise", 0, 2, 42},
    {"lstm", 1.89, 2, 12},             {"transformer", 5.24, 1, 7},     {"scan", 0, 10, 410},
};
enum { WORKS = sizeof works / sizeof *works, ROUNDS_MOST = 99 };

typedef struct Run { double seconds, wall; long kilobytes; bool ok; } Run;
typedef struct Samples { double at[ROUNDS_MOST]; int n, dropped; long kilobytes; } Samples;
typedef struct Bench { const char *glia, *python, *folder; int rounds, threads; } Bench;

static double wall(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds_of(const struct timeval *t) { return (double)t->tv_sec + 1e-6 * (double)t->tv_usec; }

/* Runs argv; what it writes goes to `out`, or nowhere. */
static Run run_program(char *const *argv, char *out, size_t cap) {
  int pipes[2];
  if (pipe(pipes) != 0) return (Run){.ok = false};
  double begun = wall();
  pid_t child = fork();
  if (child == 0) {
    dup2(pipes[1], STDOUT_FILENO);
    if (!freopen("/dev/null", "w", stderr)) _exit(127);
    close(pipes[0]);
    execvp(argv[0], argv);
    _exit(127);
  }
  close(pipes[1]);
  size_t n = 0;
  char rest[4096];
  for (ssize_t got; (got = read(pipes[0], rest, sizeof rest)) > 0;)
    for (ssize_t k = 0; k < got && n + 1 < cap; k++) out[n++] = rest[k];
  if (cap) out[n] = 0;
  close(pipes[0]);
  int status = 1;
  struct rusage used;
  memset(&used, 0, sizeof used);
  if (child > 0) wait4(child, &status, 0, &used);
  return (Run){.seconds = seconds_of(&used.ru_utime) + seconds_of(&used.ru_stime), .wall = wall() - begun,
               .kilobytes = used.ru_maxrss, .ok = child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

static Run run_glia(const Bench *b, const Work *w, int steps) {
  char file[4096], threads[16], define[32];
  snprintf(file, sizeof file, "%s/work/%s.nn", b->folder, w->name);
  snprintf(threads, sizeof threads, "%d", b->threads);
  snprintf(define, sizeof define, "steps=%d", steps);
  char *argv[] = {(char *)(size_t)b->glia, "--threads", threads, "-D", define, file, NULL};
  return run_program(argv, NULL, 0);
}

/* Seconds of a step; below 0: it did not run. */
static double glia_step(const Bench *b, const Work *w, long *kilobytes) {
  Run few = run_glia(b, w, w->few), many = run_glia(b, w, w->many);
  if (!few.ok || !many.ok) return -1;
  *kilobytes = many.kilobytes;
  return (b->threads == 1 ? many.seconds - few.seconds : many.wall - few.wall) / (w->many - w->few);
}

static double peer_step(const Bench *b, const Work *w) {
  char file[4096], threads[16], steps[16], out[256];
  snprintf(file, sizeof file, "%s/peer.py", b->folder);
  snprintf(threads, sizeof threads, "%d", b->threads);
  int n = w->many - w->few;
  snprintf(steps, sizeof steps, "%d", n > 2000 ? 2000 : n);
  char *argv[] = {(char *)(size_t)b->python, file, (char *)(size_t)w->name, threads, steps, NULL};
  double seconds;
  return run_program(argv, out, sizeof out).ok && sscanf(out, "%lf", &seconds) == 1 ? seconds : -1;
}

static void add(Samples *s, double seconds, double before, double after) {
  bool moved = before > 0 && (after > before * 1.15 || after < before / 1.15);
  if (seconds < 0) return;
  if (moved) s->dropped++;
  else s->at[s->n++] = seconds;
}

static double middle(Samples *s) {
  qsort(s->at, (size_t)s->n, sizeof *s->at, by_value);
  return s->n ? s->at[s->n / 2] : 0;
}

static void tell(const Work *w, Samples *glia, Samples *peer, Samples *peaks, const Bench *b) {
  double g = middle(glia), p = middle(peer), peak_ = middle(peaks) * b->threads;
  if (glia->n == 0) {
    printf("%-12s no sample: %d dropped\n", w->name, glia->dropped);
    return;
  }
  printf("%-12s %10.2f us  [%.2f, %.2f]  %5.1f MB", w->name, g * 1e6, glia->at[0] * 1e6, glia->at[glia->n - 1] * 1e6,
         (double)glia->kilobytes / 1024);
  if (w->gflop > 0 && peak_ > 0)
    printf("  %6.1f GFLOP/s, %2.0f %% of the peak", w->gflop / g, 100 * w->gflop / g / peak_);
  if (peer->n) printf("  PyTorch %.2f us [%.2f, %.2f]", p * 1e6, peer->at[0] * 1e6, peer->at[peer->n - 1] * 1e6);
  if (peer->n && w->gflop > 0) printf(" %.1f GFLOP/s", w->gflop / p);   /* few: its BLAS is a slow one */
  if (peer->n) printf(", ratio %.2f", p / g);
  if (glia->dropped + peer->dropped) printf("  (%d dropped: the probe moved)", glia->dropped + peer->dropped);
  printf("\n");
  fflush(stdout);
}

static void measure(const Bench *b, const Work *w) {
  Samples glia = {.n = 0}, peer = {.n = 0}, peaks = {.n = 0};
  for (int r = 0; r < b->rounds; r++) {
    double before = peak(), g = glia_step(b, w, &glia.kilobytes), between = peak();
    double p = b->python ? peer_step(b, w) : -1, after = peak();
    add(&glia, g, before, between);
    add(&peer, p, between, after);
    peaks.at[peaks.n++] = between;
  }
  tell(w, &glia, &peer, &peaks, b);
}

int main(int argc, char **argv) {
  Bench b = {.glia = "./glia", .python = "python3", .folder = BENCH_FOLDER, .rounds = 5, .threads = 1};
  int k;
  while ((k = getopt(argc, argv, "r:t:g:p:")) != -1) {
    if (k == 'r') b.rounds = atoi(optarg);
    else if (k == 't') b.threads = atoi(optarg);
    else if (k == 'g') b.glia = optarg;
    else if (k == 'p') b.python = optarg;
    else return 2;
  }
  if (b.rounds < 1 || b.rounds > ROUNDS_MOST || b.threads < 1) return 2;
  char probe[] = "import torch";
  char *have[] = {(char *)(size_t)b.python, "-c", probe, NULL};
  if (!run_program(have, NULL, 0).ok) {
    printf("no peer: %s has no torch\n", b.python);
    b.python = NULL;
  }
  printf("a step: median [least, most] of %d on %d thread%s, %s; peak %.0f GFLOP/s a thread\n", b.rounds, b.threads,
         b.threads > 1 ? "s" : "", b.threads > 1 ? "by the clock" : "processor time", peak());
  for (int i = 0; i < WORKS; i++) {
    bool wanted = optind == argc;
    for (int j = optind; j < argc; j++) wanted |= strcmp(argv[j], works[i].name) == 0;
    if (wanted) measure(&b, &works[i]);
  }
  return 0;
}

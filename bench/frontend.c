/* frontend: what a text costs before its first step runs: parse, resolve, elaborate, prepare (slices, opt, plans), each
 * alone and all together, and the memory of it. In: nothing; the scripts are written here: N lines of layers and
 * formulas with five operations a line, and a transformer of D blocks with its gradient. Medians and quartiles of
 * interleaved runs, a session each, on one thread, whose own time is taken (page faults count, other programs do not).
 *   bench/frontend [RUNS [CASE]] the table, or one case of it, counted from 0
 *   bench/frontend --print N     the script of N lines, for `glia check -`
 *   bench/frontend --transformer D
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/clock.h"
#include "lang/elab/elab.h"
#include "lang/elab/wait.h"
#include "lang/session.h"
#include "lang/steps/prepare.h"

typedef struct Script { char *at; size_t n, cap; } Script;

static void put(Script *s, const char *fmt, ...) {
  for (;;) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(s->at ? s->at + s->n : NULL, s->cap - s->n, fmt, ap);
    va_end(ap);
    if (s->n + (size_t)n < s->cap) {
      s->n += (size_t)n;
      return;
    }
    s->cap = s->cap * 2 + (size_t)n + 1;
    s->at = realloc(s->at, s->cap);
    if (!s->at) exit(2);
  }
}

/* Ten lines at a time: a layer, an instance, a function and formulas that use them; each formula has five
 * operations. */
static Script lines(int n) {
  Script s = {0};
  put(&s, "let a0 = full([8, 16], 0.5)\n");
  for (int k = 1; k * 10 <= n; k++) {
    put(&s, "layer net%d(n: int) {\n", k);
    put(&s, "  param w: [n, n] = 0.1\n");
    put(&s, "  fn (x: [N, n]) -> [N, n] = tanh(x @ w + x * 0.5 - x)\n");
    put(&s, "}\n");
    put(&s, "let layer%d = net%d(16)\n", k, k);
    put(&s, "fn mix%d(u: [N, D], v: [N, D]) -> [N, D] = (u * v + u - v) * 0.5 + exp(-u)\n", k);
    put(&s, "let b%d = mix%d(a%d, a%d * 2 + 1 - a%d / 4)\n", k, k, k - 1, k - 1, k - 1);
    put(&s, "let c%d = relu(b%d) * 0.5 + sigmoid(a%d - b%d) - 1\n", k, k, k - 1, k);
    put(&s, "let d%d = (c%d + b%d) / (1 + abs(c%d)) * 0.1\n", k, k, k, k);
    put(&s, "let a%d = layer%d(c%d) + d%d * a%d - tanh(d%d) * 0.3\n", k, k, k, k, k - 1, k);
  }
  put(&s, "print mean(a%d)\n", n / 10);
  return s;
}

static Script transformer(int depth) {
  Script s = {0};
  put(&s, "layer attention(d: int, heads: int) {\n"
          "  let qkv = dense(d, 3*d)\n"
          "  let out = dense(d, d)\n"
          "  fn (x: [B, T, d]) -> [B, T, d] {\n"
          "    let (q, k, v) = chunk(qkv(x), 3, axis = -1)\n"
          "                    |> map(fn (a) = einsum(\"b t (h e) -> b h t e\", a, h = heads), _)\n"
          "    let score = einsum(\"b h t e, b h s e -> b h t s\", q, k) / sqrt(d / heads)\n"
          "    let mask  = where(tril(ones([T, T])) > 0, 0, -inf)\n"
          "    let y     = einsum(\"b h t s, b h s e -> b t (h e)\", softmax(score + mask), v)\n"
          "    out(y)\n"
          "  }\n"
          "}\n"
          "layer block(d: int, heads: int) {\n"
          "  let att = attention(d, heads)\n"
          "  let mlp = dense(d, 4*d, gelu) >> dense(4*d, d)\n"
          "  let (n1, n2) = (layer_norm(d), layer_norm(d))\n"
          "  fn (x: [B, T, d]) -> [B, T, d] {\n"
          "    let y = x + att(n1(x))\n"
          "    y + mlp(n2(y))\n"
          "  }\n"
          "}\n"
          "layer gpt(vocab: int, d: int, depth: int, context: int) {\n"
          "  let tok = embedding(vocab, d)\n"
          "  param pos: [context, d] ~ normal(0, 0.02)\n"
          "  let blocks = [block(d, heads = 4) for i in 1..depth]\n"
          "  let norm = layer_norm(d)\n"
          "  fn (ids: i32[B, T]) -> [B, T, vocab] {\n"
          "    var h = tok(ids) + pos[:T]\n"
          "    for b in blocks { h = b(h) }\n"
          "    norm(h) @ tok.w'\n"
          "  }\n"
          "}\n");
  put(&s, "let net = gpt(vocab = 64, d = 32, depth = %d, context = 16)\n", depth);
  put(&s, "let ids: i32[2, 16] ~ randint(0, 64)\n"
          "let goal: i32[2, 16] ~ randint(0, 64)\n"
          "let loss = cross_entropy(reshape(net(ids), [32, 64]), reshape(goal, [32]))\n"
          "net -= 0.1 * grad(loss, net)\n");
  return s;
}

enum { OPEN, PARSE, RESOLVE, ELABORATE, PREPARE, ALL, STAGES, MOST_RUNS = 101 };
static const char *const stage_name[STAGES] = {"open", "parse", "resolve", "elaborate", "prepare", "all"};
typedef struct Sizes { size_t parsed, elaborated, prepared, peak; uint32_t nodes; } Sizes;

/* As session.c's load() does it, with a clock between the stages. */
static void once(const Script *script, double *t, Sizes *size) {
  double at[STAGES];
  SessionConfig config = {.threads = 1};
  Session *s;
  at[0] = now();
  if (session_open(&config, &s) != STATUS_OK) exit(2);
  Guard g;
  if (!HOST_GUARD(&s->host, &g)) exit(2);
  at[1] = now();
  Source *source = source_add(s->sources, "bench.nn", script->at, script->n);
  Parsed *p = parse(s->arena, source, s->diags, false);
  graph_room(s->graph, s->sources->n_ast);
  at[2] = now();
  size->parsed = s->host.in_use;
  Outside outside = scope_outside(s->elab);
  resolve(s->arena, p->program, s->diags, &outside);
  at[3] = now();
  Steps steps = {0};
  Value it;
  uint32_t from = s->program->segment.n;
  elab_top(s->elab, source);
  elab_program(s->elab, p->program, 0, &steps, &it, &(Reading){0});
  at[4] = now();
  size->elaborated = s->host.in_use;
  size->nodes = s->graph->n;
  if (!s->diags->n_errors) program_prepare(s->program, from, &steps, false, NULL, 0);
  at[5] = now();
  size->prepared = s->host.in_use;
  size->peak = s->host.peak;
  if (s->diags->n_errors) {
    fprintf(stderr, "%s", diags_render(s->diags, s->arena, &(RenderOptions){0}));
    exit(1);
  }
  host_leave(&s->host, &g);
  session_close(s);
  for (int k = 0; k < ALL; k++) t[k] = at[k + 1] - at[k];
  t[ALL] = at[5] - at[0];
}

static void measure(const char *name, const Script *script, int runs) {
  static double t[STAGES][MOST_RUNS];
  Sizes size;
  for (int r = -1; r < runs; r++) {          /* the first run warms up */
    double one[STAGES];
    once(script, one, &size);
    for (int k = 0; r >= 0 && k < STAGES; k++) t[k][r] = one[k];
  }
  printf("%s: %zu bytes, %u nodes\n", name, script->n, size.nodes);
  for (int k = 0; k < STAGES; k++) {
    qsort(t[k], (size_t)runs, sizeof t[k][0], by_value);
    printf("  %-10s %8.3f ms  (%.3f to %.3f)\n", stage_name[k], 1e3 * t[k][runs / 2], 1e3 * t[k][runs / 4],
           1e3 * t[k][3 * runs / 4]);
  }
  printf("  memory     %8.3f MB parsed, %.3f elaborated, %.3f prepared, %.3f at most: %.0f bytes a byte of text\n",
         1e-6 * (double)size.parsed, 1e-6 * (double)size.elaborated, 1e-6 * (double)size.prepared,
         1e-6 * (double)size.peak, (double)size.peak / (double)script->n);
}

int main(int argc, char **argv) {
  Script s;
  if (argc == 3 && argv[1][0] == '-') {
    s = !strcmp(argv[1], "--print") ? lines(atoi(argv[2])) : transformer(atoi(argv[2]));
    fwrite(s.at, 1, s.n, stdout);
    free(s.at);
    return 0;
  }
  int runs = argc > 1 ? atoi(argv[1]) : 15;
  if (runs < 1 || runs > MOST_RUNS) return 2;
  static const struct { const char *name; int n; bool transformer; int share; } cases[] = {
      {"first gradient", 0, false, 1}, {"1,000 lines", 1000, false, 1}, {"10,000 lines", 10000, false, 1},
      {"100,000 lines", 100000, false, 5}, {"transformer, 50 layers, with its gradient", 50, true, 1}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    if (argc == 3 && (size_t)atoi(argv[2]) != k) continue;
    s = cases[k].transformer ? transformer(cases[k].n) : lines(cases[k].n);
    if (!cases[k].n) {
      s.n = 0;
      put(&s, "let x = 2.0\nlet y = x^2 + 3*x\nprint grad(y, x)\n");
    }
    measure(cases[k].name, &s, (runs + cases[k].share - 1) / cases[k].share);
    free(s.at);
  }
  return 0;
}

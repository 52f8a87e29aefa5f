/* moments: see moments.h. When there are as many as a page holds, every other one is forgotten and half as many are
 * kept from then on. A tensor that did not change since the moment before is the same one.
 */
#include "tool/moments.h"
#include <string.h>

bool moments_open(Moments *r) {
  Guard g;
  *r = (Moments){.stride = 1};
  host_init(&r->host, NULL, NULL);
  if (!HOST_GUARD(&r->host, &g)) return false;
  r->a = arena_new(&r->host);
  arena_keep(r->a);
  host_leave(&r->host, &g);
  return true;
}

void moments_close(Moments *r) {
  if (r->a) arena_free(r->a);
  r->a = NULL;
}

static const Tensor *keep(Moments *r, const Tensor *t, const Tensor *before) {
  if (before && type_eq(&before->type, &t->type) && tensor_same_bits(before, t)) return before;
  Tensor *copy = tensor_from(&r->host, &t->type, t->data);
  tensor_hold(r->a, copy);
  tensor_unref(copy);
  return copy;
}

/* All slots, or what is trained alone. */
static const Tensor **hold_slots(Moments *r, const Session *s, bool trained, const Moment *before) {
  uint32_t n = s->program->slot.n;
  const Tensor **held = NEW_N(r->a, const Tensor *, n + 1u);
  for (uint32_t k = 0; k < n; k++) {
    const Slot *slot = &s->program->slot.at[k];
    if (!slot->value || slot->kind == SLOT_DATA || (trained && !slot->trained)) continue;
    held[k] = keep(r, slot->value, before && k < before->n ? before->held[k] : NULL);
  }
  return held;
}

static void thin(Moments *r) {
  if (r->moment.n < PAGE_STEPS - 1) return;
  for (uint32_t k = 0; 2 * k < r->moment.n; k++) r->moment.at[k] = r->moment.at[2 * k];
  r->moment.n = (r->moment.n + 1) / 2;
  r->stride *= 2;
}

void moments_step(void *moments, Session *s, int64_t step) {
  Moments *r = moments;
  Guard g;
  if (r->failed) return;
  if (!HOST_GUARD(&r->host, &g)) {
    r->failed = true;
    return;
  }
  Moment *last = r->moment.n ? &r->moment.at[r->moment.n - 1] : NULL;
  if (r->fresh) last->next = hold_slots(r, s, true, NULL);
  r->fresh = false;
  bool over = !s->run.position.frame.n;
  if (over || step % r->stride == 0) {
    if (!over) thin(r);
    if (over || step % r->stride == 0) {
      last = r->moment.n ? &r->moment.at[r->moment.n - 1] : NULL;
      Moment m = {.at = step, .held = hold_slots(r, s, false, last), .n = s->program->slot.n};
      vec_push(r->a, &r->moment, m);
      r->fresh = true;
    }
  }
  host_leave(&r->host, &g);
}

/* ---- the page ---- */

typedef VEC(Inspect *) Opened;

static void add_next(Arena *a, PageStep *step, const Moment *m) {
  const Inspect *x = step->x;
  if (!m->next) return;
  const Tensor **next = NEW_N(a, const Tensor *, x->leaf.n + 1u);
  for (uint32_t k = 0; k < x->leaf.n; k++)
    if (x->leaf.at[k].cell && x->leaf.at[k].cell->slot < m->n) next[k] = m->next[x->leaf.at[k].cell->slot];
  step->next = next;
}

/* What the slots of the formula's own session held. */
static const Tensor *const *held_by(const PageOf *of, Arena *a, const Moment *m) {
  if (!of->cells) return m->held;
  const Tensor **held = NEW_N(a, const Tensor *, m->n + 1u);
  for (uint32_t k = 0; k < m->n && k < of->s->program->slot.n; k++)
    if (of->s->program->slot.at[k].kind == SLOT_CELL) held[k] = m->held[k];
  return held;
}

/* The moments in which the formula has a value; *why: it has none. */
static bool open_run(const PageOf *of, Arena *a, PageRun *run, Opened *opened, const char **why) {
  uint32_t all = of->run ? of->run->moment.n : 0, first = 0, n = all ? all : 1;
  if (all && !inspect_reads(of->s, of->y, NULL, a)) first = all - 1;        /* nothing in it is trained */
  run->name = of->name;
  run->step = NEW_N(a, PageStep, n);
  run->n = 0;
  for (uint32_t k = first; k < n; k++) {
    const Moment *m = all ? &of->run->moment.at[k] : NULL;
    Inspect *x = m ? inspect_moment(of->s, of->y, held_by(of, a, m), m->n, why)
                   : inspect_open(of->s, of->y, INSPECT_THEN, why);
    if (!x) continue;
    vec_push(a, opened, x);
    PageStep *step = &run->step[run->n++];
    *step = (PageStep){.at = m ? m->at : 0, .x = x};
    if (m) add_next(a, step, m);
  }
  return run->n > 0;
}

const char *moments_page(Cli *c, const char *title, const PageOf *of, uint32_t n, const char *path, Arena *a,
                         PageSaid *out) {
  Guard g;
  const char *volatile said = "out of memory";
  Host *h = &of[0].s->host;
  if (!HOST_GUARD(h, &g)) return h->message[0] ? arena_text(a, h->message, strlen(h->message)) : said;
  Arena *tmp = arena_new(h);
  PageRun *run = NEW_N(tmp, PageRun, n);
  Opened opened = {0};
  const char *why = NULL;
  bool good = true;
  for (uint32_t k = 0; k < n && good; k++) good = open_run(&of[k], tmp, &run[k], &opened, &why);
  if (good) {
    Page page = {title, run, n};
    *out = (PageSaid){run[0].step[0].x->n, !page_alike(&page)};
    why = graph_page(c, &page, tmp, path);
  }
  said = why ? arena_text(a, why, strlen(why)) : NULL;
  for (uint32_t k = 0; k < opened.n; k++) inspect_close(opened.at[k]);
  arena_free(tmp);
  host_leave(h, &g);
  return said;
}

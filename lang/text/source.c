/* source: the texts of a session, their line indexes, its names and its places.
 * In: bytes. Out: a Source that flex can scan in place; one pointer a name; one number a place.
 *
 * Invariant: what is given out never moves and lives as long as the arena, so a Sym and a Source may be compared by
 * pointer and a Loc by value. Both indexes are open hash tables that double in the arena: an old table is lost with the
 * arena, which costs less than freeing would.
 */
#include "text/source.h"
#include <string.h>

typedef struct Symbol { uint32_t hash, n; const char *text; } Symbol;
typedef struct SymbolTable { Symbol *at; uint32_t cap, n; } SymbolTable;
typedef struct PlaceSlot { uint32_t hash; Loc loc; } PlaceSlot;
typedef struct PlaceTable { PlaceSlot *at; uint32_t cap, n; } PlaceTable;

enum { FIRST_TABLE = 256 };

Sources *sources_new(Arena *a) {
  Sources *s = NEW(a, Sources);
  s->arena = a;
  SymbolTable *t = NEW(a, SymbolTable);
  t->cap = FIRST_TABLE;
  t->at = NEW_N(a, Symbol, t->cap);
  s->symbols = t;
  PlaceTable *p = NEW(a, PlaceTable);
  p->cap = FIRST_TABLE;
  p->at = NEW_N(a, PlaceSlot, p->cap);
  s->place_index = p;
  vec_push(a, &s->place, (Place){0});
  return s;
}

void sources_change(Sources *s) {
  arena_change(s->arena, s, sizeof *s);
  arena_change(s->arena, s->symbols, sizeof(SymbolTable));
  arena_change(s->arena, s->place_index, sizeof(PlaceTable));
}

static uint32_t hash_bytes(const char *text, size_t n) {
  uint32_t h = 2166136261u;
  for (size_t k = 0; k < n; k++) h = (h ^ (unsigned char)text[k]) * 16777619u;
  return h;
}

Sym sym(Sources *s, const char *text, size_t n) {
  SymbolTable *t = s->symbols;
  uint32_t hash = hash_bytes(text, n), k = hash & (t->cap - 1);
  for (; t->at[k].text; k = (k + 1) & (t->cap - 1))
    if (t->at[k].hash == hash && t->at[k].n == n && memcmp(t->at[k].text, text, n) == 0) return t->at[k].text;
  if (2 * (t->n + 1) > t->cap) {
    uint32_t cap = t->cap * 2;
    Symbol *larger = NEW_N(s->arena, Symbol, cap);
    for (uint32_t i = 0; i < t->cap; i++) {
      if (!t->at[i].text) continue;
      uint32_t j = t->at[i].hash & (cap - 1);
      while (larger[j].text) j = (j + 1) & (cap - 1);
      larger[j] = t->at[i];
    }
    t->at = larger;
    t->cap = cap;
    for (k = hash & (cap - 1); t->at[k].text;) k = (k + 1) & (cap - 1);
  }
  const char *copy = arena_text(s->arena, text, n);
  arena_change(s->arena, &t->at[k], sizeof t->at[k]);
  t->at[k] = (Symbol){hash, (uint32_t)n, copy};
  t->n++;
  return copy;
}

Source *source_add(Sources *s, const char *name, const char *text, size_t n) {
  if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3, n -= 3;
  if (n > SOURCE_MAX) n = SOURCE_MAX + 1;
  Source *source = NEW(s->arena, Source);
  char *copy = arena_alloc(s->arena, n + 2);
  if (n) memcpy(copy, text, n);
  source->name = arena_text(s->arena, name, strlen(name));
  source->text = copy;
  source->n = (uint32_t)n;
  source->id = s->source.n;
  vec_push(s->arena, &source->line, 0);
  for (const char *p = copy, *end = copy + n; (p = memchr(p, '\n', (size_t)(end - p)));)
    vec_push(s->arena, &source->line, (uint32_t)(++p - copy));
  vec_push(s->arena, &s->source, source);
  return source;
}

/* Places that follow one another in a text fall into slots that do: a text is elaborated in its order. */
static uint32_t hash_place(const Place *p) {
  uint64_t id = p->source ? p->source->id : UINT32_MAX, length = p->span.end - p->span.first;
  uint64_t h = ((id << 32 | p->caller) * 0x9E3779B97F4A7C15u ^ length) * 0xD6E8FEB86659FD93u;
  return (uint32_t)(h >> 32) + p->span.first;
}

Loc loc_make(Sources *s, const Source *source, Span span, Loc caller) {
  Place wanted = {source, span, caller & ~LOC_ADJOINT};
  PlaceTable *t = s->place_index;
  uint32_t hash = hash_place(&wanted), k = hash & (t->cap - 1);
  for (; t->at[k].loc; k = (k + 1) & (t->cap - 1)) {
    if (t->at[k].hash != hash) continue;
    const Place *p = &s->place.at[t->at[k].loc];
    if (p->source == source && p->span.first == span.first && p->span.end == span.end && p->caller == wanted.caller)
      return t->at[k].loc;
  }
  if (s->place.n >= LOC_ADJOINT) host_fail(arena_host(s->arena), FAIL_LIMIT, "more than 2^31 places in one session");
  if (2 * (t->n + 1) > t->cap) {
    uint32_t cap = t->cap * 2;
    PlaceSlot *larger = NEW_N(s->arena, PlaceSlot, cap);
    for (uint32_t i = 0; i < t->cap; i++) {
      if (i % 1024 == 0) host_go_on(arena_host(s->arena));
      if (!t->at[i].loc) continue;
      uint32_t j = t->at[i].hash & (cap - 1);
      while (larger[j].loc) j = (j + 1) & (cap - 1);
      larger[j] = t->at[i];
    }
    t->at = larger;
    t->cap = cap;
    for (k = hash & (cap - 1); t->at[k].loc;) k = (k + 1) & (cap - 1);
  }
  Loc loc = s->place.n;
  arena_change(s->arena, &t->at[k], sizeof t->at[k]);
  vec_push(s->arena, &s->place, wanted);
  t->at[k] = (PlaceSlot){hash, loc};
  t->n++;
  return loc;
}

const Place *loc_place(const Sources *s, Loc loc) {
  loc &= ~LOC_ADJOINT;
  return loc && loc < s->place.n ? &s->place.at[loc] : NULL;
}

void source_position(const Source *s, uint32_t byte, uint32_t *line, uint32_t *column) {
  if (byte > s->n) byte = s->n;
  uint32_t low = 0, high = s->line.n;       /* line[low] <= byte < line[high] */
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    if (s->line.at[middle] <= byte) low = middle;
    else high = middle;
  }
  uint32_t characters = 0;
  for (uint32_t k = s->line.at[low]; k < byte; k++)
    if (((unsigned char)s->text[k] & 0xC0) != 0x80) characters++;
  *line = low + 1;
  *column = characters + 1;
}

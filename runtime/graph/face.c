/* face: the grammar of face.h, read. */
#include "base/locale.h"
#include "graph/face.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_name[N_FACES] = {
    [FACE_SHAPED] = "shaped", [FACE_TENSORS] = "tensors", [FACE_ANY] = "any",       [FACE_ROWS] = "rows",
    [FACE_INT] = "int",       [FACE_SIZE] = "size",       [FACE_FLOAT] = "float",   [FACE_FLAG] = "flag",
    [FACE_WORD] = "word",     [FACE_AXIS] = "axis",       [FACE_AXES] = "axes",     [FACE_PERM] = "perm",
    [FACE_PAIR] = "pair",     [FACE_INTS] = "ints",       [FACE_SIZES] = "sizes",   [FACE_DTYPE] = "dtype",
    [FACE_BOXES] = "boxes",   [FACE_KIND] = "kind",       [FACE_STRING] = "string", [FACE_PATH] = "path",
    [FACE_FN] = "fn",         [FACE_LINE] = "line",         [FACE_NESTED] = "nested",
};

typedef struct Reading {
  Arena *a;
  const char *text, *p, *error;
} Reading;

static bool wrong(Reading *r, const char *error) {
  if (!r->error) r->error = error;
  return false;
}

static bool takes(Reading *r, const char *s) {
  size_t n = strlen(s);
  if (strncmp(r->p, s, n) != 0) return false;
  r->p += n;
  return true;
}

/* Letters, digits, `_`; NULL: none stands here. */
static const char *name_here(Reading *r) {
  size_t n = strspn(r->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
  if (n == 0 || strchr("0123456789", *r->p)) return NULL;
  r->p += n;
  return arena_text(r->a, r->p - n, n);
}

static bool words(Reading *r, FaceParam *q) {
  VEC(const char *) word = {0};
  if (!takes(r, "(")) return wrong(r, "the words of `word(a|b)`");
  do {
    const char *w = name_here(r);
    if (!w) return wrong(r, "a word");
    for (uint32_t k = 0; k < word.n; k++)
      if (strcmp(word.at[k], w) == 0) return wrong(r, "another word");
    vec_push(r->a, &word, w);
  } while (takes(r, "|"));
  q->word = word.at;
  q->n_word = word.n;
  return takes(r, ")") || wrong(r, "`|` or `)`");
}

static bool kind(Reading *r, FaceParam *q) {
  const char *start = r->p, *name = name_here(r);
  DType d;
  if (name && dtype_from_name(name, &d)) {
    q->dtype = (uint8_t)d;
    return true;
  }
  if (name && strcmp(name, "index") == 0) {
    q->dtype = I32;
    q->index = true;
    return true;
  }
  for (int k = 0; name && k < N_FACES; k++)
    if (kind_name[k] && strcmp(kind_name[k], name) == 0) {
      q->kind = (FaceKind)k;
      return k != FACE_WORD || words(r, q);
    }
  r->p = start;
  return wrong(r, "a kind");
}

static bool whole(Reading *r, int64_t *out) {
  char *end;
  errno = 0;
  *out = strtoll(r->p, &end, 10);
  if (end == r->p || errno) return wrong(r, "a whole number");
  r->p = end;
  return true;
}

static bool number(Reading *r, double *out) {
  static const char digit[] = "0123456789";
  size_t first = strspn(r->p, "-"), whole_ = strspn(r->p + first, digit), point = r->p[first + whole_] == '.';
  size_t part = point ? strspn(r->p + first + whole_ + 1, digit) : 0, n = first + whole_ + point + part;
  int64_t ten = 0;
  if (whole_ == 0) return wrong(r, "a number");
  char *digits = arena_printf(r->a, "%.*s%.*s", (int)(first + whole_), r->p, (int)part, r->p + n - part);
  r->p += n;
  if (takes(r, "e") && !whole(r, &ten)) return false;
  *out = c_strtod(arena_printf(r->a, "%se%lld", digits, (long long)ten - (long long)part), NULL);
  return true;
}

static bool value(Reading *r, FaceParam *q) {
  switch (q->kind) {
  case FACE_INT: case FACE_SIZE: case FACE_AXIS: return whole(r, &q->i[0]);
  case FACE_PAIR:
    if (!whole(r, &q->i[0])) return false;
    q->i[1] = q->i[0];
    return !takes(r, "x") || whole(r, &q->i[1]);
  case FACE_FLOAT: return number(r, &q->f);
  case FACE_FLAG:
    q->i[0] = takes(r, "true");
    return q->i[0] || takes(r, "false") || wrong(r, "`true` or `false`");
  case FACE_WORD: {
    const char *start = r->p, *w = name_here(r);
    for (uint32_t k = 0; w && k < q->n_word; k++)
      if (strcmp(q->word[k], w) == 0) {
        q->i[0] = k;
        return true;
      }
    r->p = start;
    return wrong(r, "one of the words");
  }
  default: return wrong(r, "no value: this kind has none");
  }
}

static bool param(Reading *r, FaceParam *q) {
  *q = (FaceParam){.dtype = N_DTYPES};
  q->name = name_here(r);
  if (!q->name) return wrong(r, "a name");
  if (takes(r, ":") && !kind(r, q)) return false;
  if (takes(r, "?")) q->optional = true;
  else if (takes(r, "=")) {
    q->optional = q->valued = true;
    return value(r, q);
  } else {
    q->rest = takes(r, "..");
    q->named = takes(r, "*");
  }
  return true;
}

/* Positional arguments match in order, so what may be left out stands behind what may not. */
static bool in_order(Reading *r, const FaceParam *before, const FaceParam *q) {
  if (strcmp(before->name, q->name) == 0) return wrong(r, "another name");
  if ((before->rest && q->rest) || (before->named && q->named)) return wrong(r, "one rest");
  bool must = !q->optional && !q->rest && !q->named;
  if (must && before->optional)
    return wrong(r, "an argument that may be left out, as those before it");
  return true;
}

const Face *face_parse(Arena *a, const char *text, const char **error, uint32_t *place) {
  Reading r = {.a = a, .text = text, .p = text};
  VEC(FaceParam) list = {0};
  bool good = true;
  while (good && (*r.p || list.n)) {
    FaceParam q;
    const char *start = r.p;
    good = list.n < MOST_FACE ? param(&r, &q) : wrong(&r, "no more parameters");
    for (uint32_t k = 0; good && k < list.n; k++)
      if (!(good = in_order(&r, &list.at[k], &q))) r.p = start;
    if (!good) break;
    vec_push(a, &list, q);
    if (!takes(&r, ", ")) break;
  }
  if (good && *r.p) wrong(&r, "`, ` or the end");
  if (r.error) {
    *error = r.error;
    *place = (uint32_t)(r.p - text);
    return NULL;
  }
  Face *f = NEW(a, Face);
  *f = (Face){text, list.n, list.at};
  return f;
}

const char *op_face(const Op *op) {
  static const char *const usual[] = {"", "x", "x, y", "x, y, z"};
  return op->args ? op->args : usual[op->n_in];
}

const char *face_name(Arena *a, const char *text, uint32_t k) {
  for (; k > 0 && *text; k--) {
    text += strcspn(text, ",");
    text += strspn(text, ", ");
  }
  return arena_text(a, text, strcspn(text, ",:?=.*"));
}

void face_show(Text *t, const char *text) {
  const Face *f;
  const char *error;
  uint32_t place;
  if (!(f = face_parse(t->arena, text, &error, &place))) return;
  for (uint32_t k = 0; k < f->n; k++) {
    const FaceParam *q = &f->param[k];
    if (k) text_add(t, ", ");
    text_add(t, q->name);
    if (q->rest) text_add(t, "..");
    else if (q->named) text_add(t, " = ..");
    else if (!q->valued) text_add(t, q->optional ? "?" : "");
    else if (q->kind == FACE_FLAG) text_add(t, q->i[0] ? " = true" : " = false");
    else if (q->kind == FACE_WORD) text_printf(t, " = \"%s\"", q->word[q->i[0]]);
    else if (q->kind == FACE_FLOAT) text_printf(t, " = %g", q->f);
    else if (q->kind == FACE_PAIR && q->i[0] != q->i[1])
      text_printf(t, " = (%lld, %lld)", (long long)q->i[0], (long long)q->i[1]);
    else text_printf(t, " = %lld", (long long)q->i[0]);
  }
}

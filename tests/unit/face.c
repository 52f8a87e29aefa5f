/* Faces: each kind of the grammar parsed and refused. */
#include <string.h>
#include "runtime/graph/face.h"
#include "unit.h"

static Host host;
static Arena *a;

/* ---- the grammar ---- */
static const Face *parsed(const char *text) {
  const char *error = NULL;
  uint32_t place;
  const Face *f = face_parse(a, text, &error, &place);
  if (!f) fprintf(stderr, "%s: expected %s at %u\n", text, error, place);
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  return f;
}

static void refused(const char *text, const char *expected, uint32_t at) {
  const char *error = NULL;
  uint32_t place = 0;
  CU_ASSERT_PTR_NULL(face_parse(a, text, &error, &place));
  bool same = error && !strcmp(error, expected) && place == at;
  if (!same) fprintf(stderr, "%s: expected %s at %u\n", text, error ? error : "nothing", place);
  CU_ASSERT(same);
}

static void parameters(void) {
  CU_ASSERT_EQUAL(parsed("")->n, 0);
  const Face *f = parsed("x, i:i32, start:float=-0.5, num:int=50, keep:flag=false, mode:word(same|valid)=valid");
  CU_ASSERT_EQUAL(f->n, 6);
  CU_ASSERT_STRING_EQUAL(f->param[0].name, "x");
  CU_ASSERT_EQUAL(f->param[0].kind, FACE_TENSOR);
  CU_ASSERT_EQUAL(f->param[0].dtype, N_DTYPES);
  CU_ASSERT(!f->param[0].optional);
  CU_ASSERT_EQUAL(f->param[1].kind, FACE_TENSOR);
  CU_ASSERT_EQUAL(f->param[1].dtype, I32);
  CU_ASSERT(f->param[2].optional && f->param[2].valued);
  CU_ASSERT_EQUAL(f->param[2].f, -0.5);
  CU_ASSERT_EQUAL(f->param[3].i[0], 50);
  CU_ASSERT_EQUAL(f->param[4].i[0], 0);
  CU_ASSERT_EQUAL(f->param[5].n_word, 2);
  CU_ASSERT_EQUAL(f->param[5].i[0], 1);
  f = parsed("x, axis:axes?, a:pair=2, b:pair=1x-3, tol:float=1e-5, xs:any.., more:int*");
  CU_ASSERT(f->param[1].optional && !f->param[1].valued);
  CU_ASSERT(f->param[2].i[0] == 2 && f->param[2].i[1] == 2);
  CU_ASSERT(f->param[3].i[0] == 1 && f->param[3].i[1] == -3);
  CU_ASSERT_EQUAL(f->param[4].f, 1e-5);
  CU_ASSERT(f->param[5].rest && !f->param[5].named);
  CU_ASSERT(f->param[6].named && !f->param[6].rest);
  f = parsed("args:any..*");
  CU_ASSERT(f->param[0].rest && f->param[0].named);
}

static void not_parameters(void) {
  refused("x,y", "`, ` or the end", 1);
  refused("x, ", "a name", 3);
  refused("3x", "a name", 0);
  refused("x:", "a kind", 2);
  refused("x:integer", "a kind", 2);
  refused("x, x", "another name", 3);
  refused("x:int=", "a whole number", 6);
  refused("x:int=many", "a whole number", 6);
  refused("x:float=.5", "a number", 8);
  refused("x:flag=1", "`true` or `false`", 7);
  refused("x=3", "no value: this kind has none", 2);
  refused("x:axes=1", "no value: this kind has none", 7);
  refused("x:word", "the words of `word(a|b)`", 6);
  refused("x:word(a|)", "a word", 9);
  refused("x:word(a|a)", "another word", 10);
  refused("x:word(a", "`|` or `)`", 8);
  refused("x:word(a|b)=c", "one of the words", 12);
  refused("x?, y", "an argument that may be left out, as those before it", 4);
  refused("xs.., ys..", "one rest", 6);
  refused("xs:any*, ys:int..*", "one rest", 9);
  refused("a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q", "no more parameters", 48);
}

static void shown(void) {
  Text t = {.arena = a};
  face_show(&t, "x, axis:axes?, k:int=-1, keep:flag=false, s:word(a|b)=b, p:pair=1x2, q:pair=3, f:float=0.5, xs.., n:int*");
  CU_ASSERT_STRING_EQUAL(
      t.at, "x, axis?, k = -1, keep = false, s = \"b\", p = (1, 2), q = 3, f = 0.5, xs.., n = ..");
  CU_ASSERT_STRING_EQUAL(face_name(a, "c, x:f32, ys..", 0), "c");
  CU_ASSERT_STRING_EQUAL(face_name(a, "c, x:f32, ys..", 1), "x");
  CU_ASSERT_STRING_EQUAL(face_name(a, "c, x:f32, ys..", 2), "ys");
}

static void in_arena(void (*f)(void)) {
  Guard g;
  host_init(&host, NULL, NULL);
  if (HOST_GUARD(&host, &g)) {
    a = arena_new(&host);
    f();
    arena_free(a);
  } else CU_FAIL("no memory");
  host_leave(&host, &g);
}
static void t_parameters(void) { in_arena(parameters); }
static void t_not_parameters(void) { in_arena(not_parameters); }
static void t_shown(void) { in_arena(shown); }

UNIT(TEST(t_parameters), TEST(t_not_parameters), TEST(t_shown))

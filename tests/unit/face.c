/* Faces: each kind of the grammar parsed and refused; each kind read from a call, right and wrong, with its message;
 * the faces of both tables. */
#include <string.h>
#include "lang/elab/args.h"
#include "lang/elab/rows.h"
#include "lang/elab/show.h"
#include "lang/session.h"
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
  face_show(&t, "x, axis:axes?, k:int=-1, keep:flag=false, s:word(a|b)=b, p:pair=1x2, q:pair=3, f:float=0.5, xs.., "
                "n:int*");
  CU_ASSERT_STRING_EQUAL(
      t.at, "x, axis?, k = -1, keep = false, s = \"b\", p = (1, 2), q = 3, f = 0.5, xs.., n = ..");
  CU_ASSERT_STRING_EQUAL(face_name(a, "c, x:f32, ys..", 0), "c");
  CU_ASSERT_STRING_EQUAL(face_name(a, "c, x:f32, ys..", 1), "x");
  CU_ASSERT_STRING_EQUAL(face_name(a, "c, x:f32, ys..", 2), "ys");
}

/* ---- the tables ---- */
/* What is wrong with how a function is called, or NULL. */
static const char *bad_face(const char *text) {
  const char *error = NULL;
  uint32_t place;
  const Face *f = face_parse(a, text, &error, &place);
  return f ? NULL : arena_printf(a, "expected %s at %u", error, place);
}

static const char *bad_operation(const Op *op) {
  const char *bad = bad_face(op_face(op));
  if (bad) return bad;
  const Face *f = parsed(op_face(op));
  int inputs = 0, to_the_end = -1;
  for (uint32_t j = 0; j < f->n; j++) {
    FaceKind kind = f->param[j].kind;
    if (kind == FACE_TENSOR && inputs != (f->param[j].rest ? 0 : (int)j)) return "tensors come first";
    if (kind == FACE_TENSOR) inputs = f->param[j].rest ? -1 : inputs + 1;
    if (to_the_end >= 0) return "nothing stands behind what has no end";
    if (kind == FACE_SIZES || kind == FACE_PERM || kind == FACE_BOXES) to_the_end = (int)j;
    if (kind == FACE_ANY || kind == FACE_ROWS || kind == FACE_KIND || kind == FACE_FN || kind == FACE_PATH ||
        kind == FACE_STRING || kind == FACE_NESTED || kind == FACE_SHAPED || kind == FACE_TENSORS)
      return "an op keeps no such argument";
  }
  return inputs == op->n_in ? NULL : arena_printf(a, "it has %d inputs, its face %d", op->n_in, inputs);
}

static const char *bad_native(const Native *n) {
  const char *bad = bad_face(n->params);
  if (bad) return bad;
  if (!n->call) return "nothing is called";
  const Face *f = parsed(n->params);
  bool first = f->n && (f->param[0].kind == FACE_TENSOR || f->param[0].kind == FACE_TENSORS ||
                        f->param[0].kind == FACE_SHAPED || f->param[0].kind == FACE_SIZE);
  for (uint32_t j = 0; j < f->n; j++) {
    FaceKind kind = f->param[j].kind;
    bool of_first = kind == FACE_AXIS || kind == FACE_AXES || kind == FACE_LINE || kind == FACE_PERM;
    if (of_first && !first) return "an axis of nothing";
    if (kind == FACE_BOXES) return "boxes are of hidden ops";
  }
  return native_find(n->name) == n ? NULL : "another table has its name";
}

static void told(const char *name, const char *bad) {
  if (bad) fprintf(stderr, "`%s`: %s\n", name, bad);
  CU_ASSERT_PTR_NULL(bad);
}

static void operations(void) {
  for (int k = 0; k < N_OPS; k++) told(op_table[k]->name, bad_operation(op_table[k]));
}

static void natives(void) {
  uint32_t n = 0;
  for (const Native *const *table = native_tables; *table; table++)
    for (const Native *f = *table; f->name; f++, n++) told(f->name, bad_native(f));
  CU_ASSERT(n > 100);
}

/* What the walks would say of a face that is none. */
static void planted(void) {
  static Native wrong;
  wrong = *native_find("reshape");
  const char *const face[][2] = {
      {"x, shape: ints", "expected a kind at 9"},
      {"axis:axis, x", "an axis of nothing"},
      {"x, b:boxes", "boxes are of hidden ops"},
      {"x?, y", "expected an argument that may be left out, as those before it at 4"},
      {"x", "another table has its name"}};
  for (size_t k = 0; k < sizeof face / sizeof *face; k++) {
    wrong.params = face[k][0];
    CU_ASSERT_STRING_EQUAL(bad_native(&wrong), face[k][1]);
  }
  wrong.call = NULL;
  CU_ASSERT_STRING_EQUAL(bad_native(&wrong), "nothing is called");
  Op op = op_sum;
  const char *const args[][2] = {
      {"x, axis:axes?, keep:flag", "expected an argument that may be left out, as those before it at 15"},
      {"axis:axis, x", "tensors come first"},
      {"x, y", "it has 1 inputs, its face 2"},
      {"x, s:sizes, n:int", "nothing stands behind what has no end"},
      {"x, s:string", "an op keeps no such argument"}};
  for (size_t k = 0; k < sizeof args / sizeof *args; k++) {
    op.args = args[k][0];
    CU_ASSERT_STRING_EQUAL(bad_operation(&op), args[k][1]);
  }
}

/* ---- reading ---- */
static char seen[4000];
static Native probe = {.name = "probe"};
static bool quiet(void *to, const char *text, size_t n, Loc loc) {
  (void)to, (void)text, (void)n, (void)loc;
  return true;
}

static void show_ints(Text *t, const Arg *x) {
  for (uint32_t k = 0; k < x->n; k++) text_printf(t, "%s%lld", k ? " " : "", (long long)x->ints[k]);
}

static void show_arg(Elab *e, Text *t, const FaceParam *q, const Arg *x) {
  if (!x->given && !q->valued && q->kind != FACE_AXES && q->kind != FACE_PERM && q->kind != FACE_LINE) {
    text_add(t, "none");
    return;
  }
  switch (q->kind) {
  case FACE_TENSOR: text_add(t, type_show(e->a, node_type(e, x->node))); break;
  case FACE_TENSORS:
    for (uint32_t k = 0; k < x->n; k++)
      text_printf(t, "%s%s", k ? " " : "", type_show(e->a, node_type(e, x->nodes[k])));
    break;
  case FACE_SHAPED: case FACE_KIND: text_add(t, type_show(e->a, x->type)); break;
  case FACE_ROWS: text_printf(t, "%lld rows", (long long)x->rows->n); break;
  case FACE_FLOAT: text_printf(t, "%g", x->f); break;
  case FACE_WORD: text_add(t, q->word[x->i]); break;
  case FACE_DTYPE: text_add(t, dtype_name[x->i]); break;
  case FACE_AXES: case FACE_PERM: case FACE_PAIR: case FACE_INTS: case FACE_SIZES:
  case FACE_NESTED: show_ints(t, x); break;
  case FACE_STRING: text_add(t, x->text); break;
  case FACE_PATH: text_add(t, text_known(x->path) ? text_known(x->path) : "of the run"); break;
  case FACE_ANY: case FACE_FN: text_add(t, value_kind_text(e, &x->value)); break;
  default: text_printf(t, "%lld", (long long)x->i);
  }
}

static Value call_probe(Elab *e, const Fn *self, const Arg *args, const Ast *at) {
  (void)at;
  const Face *f = face_of(e, self->native->params);
  Text t = {.arena = e->a};
  text_add(&t, "");
  for (uint32_t k = 0; k < f->n; k++) {
    const FaceParam *q = &f->param[k];
    const Arg *x = &args[k];
    text_printf(&t, "%s%s=", k ? ", " : "", q->name);
    if (!q->rest && !q->named) show_arg(e, &t, q, x);
    for (uint32_t j = 0; (q->rest || q->named) && j < x->n; j++) {
      text_printf(&t, "%s%s%s", j ? " " : "", x->rest[j].name ? x->rest[j].name : "", x->rest[j].name ? ":" : "");
      show_arg(e, &t, q, &x->rest[j]);
    }
  }
  Attr attr = args_attr(e, f, args);
  if (attr.n) text_add(&t, " |");
  for (uint32_t k = 0; k < attr.n; k++) text_printf(&t, " %lld", (long long)attr.i[k]);
  snprintf(seen, sizeof seen, "%s", t.at);
  return v_unit();
}

/* What `probe(ARGS)` reads, or the first line of its message without the place, and its hint. */
static const char *reads(const char *face, const char *args) {
  SessionConfig c = {.threads = 1, .print = quiet};
  Session *s;
  static char out[4000];
  CU_ASSERT_EQUAL_FATAL(session_open(&c, &s), STATUS_OK);
  char script[1000];
  static const char begin[] = "var t = 3\nvar on = true\nlet net = dense(2, 3)\n";
  snprintf(script, sizeof script, "%sprobe(%s)\n", begin, args);
  probe.params = face;
  seen[0] = 0;
  Value probed = bound_value(s->elab, &probe, call_probe, NULL, 0);
  scope_put(s->elab, s->elab->library, sym(s->sources, "probe", 5), probed, NULL);
  Status status = session_load(s, "unit.nn", script, strlen(script), LOAD_KEEP, NULL);
  if (status == STATUS_OK) snprintf(out, sizeof out, "%s", seen);
  else {
    const char *text = session_diagnostics(s, false, 0), *first = strstr(text, "error: ");
    snprintf(out, sizeof out, "%.*s", first ? (int)strcspn(first + 7, "\n") : 0, first ? first + 7 : "");
    for (const char *h = text; (h = strstr(h, "hint: ")); h++)
      snprintf(out + strlen(out), sizeof out - strlen(out), " (%.*s)", (int)strcspn(h + 6, "\n"), h + 6);
    if (strstr(text, "[E0323]") && strstr(text, "note: ")) snprintf(out + strlen(out), sizeof out - strlen(out), " +");
  }
  session_close(s);
  return out;
}

static void reading(const char *face, const char *args, const char *expected) {
  const char *found = reads(face, args);
  if (strcmp(found, expected))
    fprintf(stderr, "%s of (%s)\n  expected: %s\n  found:    %s\n", args, face, expected, found);
  CU_ASSERT_STRING_EQUAL(found, expected);
}

/* ---- each kind, right and wrong ---- */
static void tensors(void) {
  reading("x", "[1, 2]", "x=f64[2]");
  reading("x", "t", "x=i32[]");
  reading("x", "\"s\"", "expected a tensor as `x` of `probe`, found a string [E0320]");
  reading("x", "relu", "expected a tensor as `x` of `probe`, found the function `relu` [E0320] (call it: `relu(...)`)");
  reading("x, y", "[1, 2], y = 3", "x=f64[2], y=f64[]");
  reading("x:f32", "[1, 2]", "x=f32[2]");
  reading("x, i:i32", "[1.5, 2], [0, 1]", "x=f64[2], i=i32[2]");
  reading("x, i:i32", "[1.5, 2], 0.5", "`i` of `probe` must be i32, found a number with a point [E0321] "
          "(write whole numbers, or `i32(...)` to cut what follows the point)");
  reading("x, i:index", "[1.5, 2], 0.5", "an index of `probe` must be i32, found a number with a point [E0321] "
          "(write whole numbers, or `i32(...)` to cut what follows the point)");
  reading("x:bool", "on", "x=bool[]");
  reading("x:bool", "[1, 2]", "`x` of `probe` must be bool, found f32[2] [E0321] (compare: `x != 0`)");
  reading("xs:tensors", "([1, 2], [3.5])", "xs=f64[2] f64[1]");
  reading("xs:tensors", "[[1, 2], [3, 4]]", "xs=f64[2] f64[2]");
  reading("xs:tensors", "()", "`probe` joins a list or tuple of tensors, found () [E0394]");
  reading("xs:tensors", "[]", "`probe` needs at least one tensor [E0395]");
  reading("xs:tensors", "3", "`probe` joins a list or tuple of tensors, found the int 3 [E0394]");
  reading("x:shaped", "[[1, 2]]", "x=f64[1, 2]");
  reading("x:shaped", "\"s\"", "expected a tensor as `x` of `probe`, found a string [E0320]");
  reading("d:rows", "{x = [1, 2, 3], y = [4, 5, 6]}", "d=3 rows");
  reading("d:rows", "3", "`probe` needs a data set, found the int 3 [E0374] (a data set is a tensor, or a "
          "record or tuple of "
          "tensors with one first size, e.g. `{x, y}`)");
}

static void numbers(void) {
  reading("n:int", "3", "n=3 | 3");
  reading("n:int", "-9007199254740993", "n=-9007199254740993 | -9007199254740993");
  reading("n:int", "2.5", "`n` of `probe` must be a whole number, found a number with a point [E0322] "
          "(divide with `//`, or cut what follows the point with `i32(...)`)");
  reading("n:int", "t", "`n` of `probe` must be known while the script is checked [E0323] +");
  reading("n:int", "true", "expected a whole number as `n` of `probe`, found the bool true [E0320]");
  reading("n:int", "[1, 2]", "expected a whole number as `n` of `probe`, found a tensor f32[2] [E0320]");
  reading("n:int", "\"3\"", "expected a whole number as `n` of `probe`, found a string [E0320]");
  reading("n:size", "0", "n=0 | 0");
  reading("n:size", "-1", "`n` of `probe` cannot be negative, found -1 [E0325]");
  reading("n:size", "3000000000", "a tensor of shape [3000000000] is larger than 1 TiB [E0326]");
  reading("p:float", "0.5", "p=0.5");
  reading("p:float", "2", "p=2");
  reading("p:float", "t", "`p` of `probe` must be a number known while checking, found a scalar i32[] that "
          "depends on `t` [E0370]");
  reading("p:float", "\"s\"", "`p` of `probe` must be a number known while checking, found a string [E0370]");
  reading("on:flag=false", "", "on=0 | 0");
  reading("on:flag=true", "on = false", "on=0 | 0");
  reading("on:flag=false", "2 > 1", "on=1 | 1");
  reading("on:flag=false", "1", "expected `true` or `false` as `on` of `probe`, found the int 1 [E0320]");
  reading("on:flag=false", "on", "`on` of `probe` must be known while the script is checked [E0323] +");
}

static void words(void) {
  reading("s:word(same|valid|full)", "\"valid\"", "s=valid | 1");
  reading("s:word(same|valid|full)=full", "", "s=full | 2");
  reading("s:word(same|valid|full)", "\"valdi\"", "expected \"same\", \"valid\" or \"full\" as `s` of `probe`, "
          "found \"valdi\" "
          "[E0320] (did you mean \"valid\"?)");
  reading("s:word(same|valid)", "1", "expected \"same\" or \"valid\" as `s` of `probe`, found the int 1 [E0320]");
  reading("s:word(same|valid)", "\"{t}\"", "`s` of `probe` must be known while the script is checked [E0323] +");
  reading("s:string", "\"text\"", "s=text");
  reading("s:string", "1", "expected a string as `s` of `probe`, found the int 1 [E0320]");
  reading("s:string", "\"{t}\"", "`s` of `probe` must be known while the script is checked [E0323] +");
  reading("s:path", "\"a.csv\"", "s=a.csv");
  reading("x, n:int=3, s:path?", "[1], \"a.csv\"", "x=f64[1], n=3, s=a.csv | 3");
  reading("x, n:int=3, s:path?", "[1], 4, \"{t}.csv\"", "x=f64[1], n=4, s=of the run | 4");
  reading("x, n:int=3, s:path?", "[1], n = \"a.csv\"", "expected a whole number as `n` of `probe`, found a "
          "string [E0320]");
  reading("x, n:int, s:path?", "[1], \"a.csv\"", "expected a whole number as `n` of `probe`, found a string [E0320]");
  reading("s:path", "\"{t}.csv\"", "s=of the run");
  reading("s:path", "1", "expected the path of a file as `s` of `probe`, found the int 1 [E0320]");
  reading("d:dtype", "f64", "d=f64 | 1");
  reading("d:dtype", "sin", "expected an element type, such as `f64`, as `d` of `probe`, found the function "
          "`sin` [E0320] "
          "(call it: `sin(...)`)");
  reading("f:fn", "sin", "f=the function `sin`");
  reading("f:fn", "net", "f=an instance of `dense`");
  reading("f:fn", "3", "`probe` takes a function, found the int 3 [E0520]");
  reading("v:any", "{a = 1}", "v=a record");
}

static void lists(void) {
  reading("x, axis:axis=0", "[[1, 2]]", "x=f64[1, 2], axis=0 | 0");
  reading("x, axis:axis=-1", "[[1, 2]]", "x=f64[1, 2], axis=1 | 1");
  reading("x, axis:axis", "[[1, 2]], -2", "x=f64[1, 2], axis=0 | 0");
  reading("x, axis:axis", "[[1, 2]], 2", "axis 2 of a tensor with 2 axes [E0328] (axes count from 0 to 1, or "
          "from -2 to -1)");
  reading("x, axis:axis=0", "3.5", "axis 0 of a tensor with 0 axes [E0328] (a scalar has no axis to go along; of "
          "several numbers it is `probe([1, 2])`)");
  reading("n:size, axis:axes?", "3, (-1, 0)", "n=3, axis=0 2 | 3 2 0 2");
  reading("n:size, axis:axis", "3, 3", "axis 3 of a tensor with 3 axes [E0328] (axes count from 0 to 2, or "
          "from -3 to -1)");
  reading("n:size, axis:axes?", "17", "17 axes are more than the 16 that a tensor may have [E0327]");
  reading("i:nested", "[(1, 2), ([3, 4], 5)]", "i=1 2 3 4 5");
  reading("i:nested", "[[1, 2], [3, 4]]", "i=1 2 3 4");
  reading("i:nested", "()", "i=");
  reading("i:nested", "(1, 0.5)", "`i` of `probe` must be a whole number, found a number with a point [E0322] "
          "(divide with `//`, or cut what follows the point with `i32(...)`)");
  reading("i:nested", "(1, \"s\")", "expected whole numbers as `i` of `probe`, found a string [E0320]");
  reading("i:nested", "(1, t)", "`i` of `probe` must be known while the script is checked [E0323] +");
  reading("x, axis:line?", "[1, 2]", "x=f64[2], axis=0 | 0");
  reading("x, axis:line?", "[[1, 2]], -1", "x=f64[1, 2], axis=1 | 1");
  reading("x, axis:line?", "[[1, 2]]", "`probe` of more than one axis wants to know which: `axis = 0` [E1021] "
          "(or all of them, one after another: `probe(flatten(x, start = 0))`)");
  reading("xs:tensors, axis:axis=-1", "([[1]], [[2]])", "xs=f64[1, 1] f64[1, 1], axis=1 | 1");
  reading("x, axis:axes?, keep:flag=false", "[[1, 2]]", "x=f64[1, 2], axis=0 1, keep=0 | 2 0 1 0");
  reading("x, axis:axes?, keep:flag=false", "[[1, 2]], keep = true, axis = -1", "x=f64[1, 2], axis=1, keep=1 | 1 1 1");
  reading("x, axis:axes?", "[[1, 2]], (1, 0)", "x=f64[1, 2], axis=0 1 | 2 0 1");
  reading("x, axis:axes?", "[[1, 2]], [1, 0]", "x=f64[1, 2], axis=0 1 | 2 0 1");
  reading("x, axis:axes?", "[[1, 2]], ()", "x=f64[1, 2], axis=0 1 | 2 0 1");
  reading("x, axis:axes?", "[[1, 2]], (1, -1)", "axis 1 is named twice [E0329]");
  reading("x, axis:axes?", "[[1, 2]], \"s\"", "expected axes as `axis` of `probe`, found a string [E0320]");
  reading("x, order:perm", "[[1, 2]], (1, 0)", "x=f64[1, 2], order=1 0 | 1 0");
  reading("x, order:perm?", "[[[1, 2]]]", "x=f64[1, 1, 2], order=2 1 0 | 2 1 0");
  reading("x, order:perm", "[[1, 2]], (0, 0)", "an order of 2 axes names each from 0 to 1 once [E0392]");
  reading("x, order:perm", "[[1, 2]], 0", "an order of 2 axes names each from 0 to 1 once [E0392]");
  reading("x, stride:pair=1, pad:pair=0x2, groups:int=1", "[1, 2], 3", "x=f64[2], stride=3 3, pad=0 2, groups=1 "
          "| 3 3 0 2 1");
  reading("x, stride:pair=1, pad:pair=0", "[1, 2], pad = (3, 4)", "x=f64[2], stride=1 1, pad=3 4 | 1 1 3 4");
  reading("p:pair", "[1, 2, 3]", "expected a whole number, or two, as `p` of `probe`, found a tensor f32[3] [E0320]");
  reading("p:pair", "(1, t)", "`p` of `probe` must be known while the script is checked [E0323] +");
  reading("i:ints, j:ints", "[1, -2, 3], ()", "i=1 -2 3, j= | 3 1 -2 3 0");
  reading("i:ints", "shape([[1, 2]])", "i=1 2 | 2 1 2");
  reading("i:ints", "[1.5, 2]", "each number in `i` of `probe` must be a whole number, found a tensor f32[2] [E0322] "
          "(divide with `//`, or cut what follows the point with `i32(...)`)");
  reading("i:ints", "[t, 2]", "`i` of `probe` must be known while the script is checked [E0323] +");
  reading("s:sizes", "[2, 3]", "s=2 3 | 2 3");
  reading("s:sizes", "4", "s=4 | 4");
  reading("s:sizes", "[2, -3]", "a size of `probe` cannot be negative, found -3 [E0325]");
  reading("s:sizes", "[1000000, 1000000, 1000000]",
          "a tensor of shape [1000000, 1000000, 1000000] is larger than 1 TiB [E0326]");
  reading("s:sizes", "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
          "17 axes are more than the 16 that a tensor may have [E0327]");
  reading("k:kind", "[2, 3]", "k=f32[2, 3]");
  reading("k:kind", "i32[3]", "k=i32[3]");
  reading("k:kind", "\"s\"", "expected a shape or a type as `k` of `probe`, found a string [E0320]");
}

/* ---- which argument is whose ---- */
static void matching(void) {
  reading("", "", "");
  reading("x, n:int=2, m:int?", "[1]", "x=f64[1], n=2, m=none | 2 0");
  reading("x, n:int=2, m:int?", "m = 5, x = [1]", "x=f64[1], n=2, m=5 | 2 5");
  reading("x, n:int?", "[1], ()", "x=f64[1], n=none | 0");
  reading("x, n:int", "[1]", "`probe` needs its argument `n` [E1206] (call it as `probe(x, n)`)");
  reading("x, n:int?", "[1], 2, 3", "`probe` takes 2 arguments, found 3 [E1208] (call it as `probe(x, n?)`)");
  reading("x, number:int?", "[1], nunber = 2", "`probe` has no argument `nunber` [E1207] (did you mean `number`?)");
  reading("x, n:int?", "[1], other = 2", "`probe` has no argument `other` [E1207] (its arguments are `x`, `n`)");
  reading("x, n:int?", "[1], 2, n = 3", "the argument `n` is given twice [E0116]");
  reading("s:string, xs.., n:int*", "\"a\", 1, [2], h = 3, w = 4", "s=a, xs=f64[] f64[1], n=h:3 w:4");
  reading("s:string, xs.., n:int*", "\"a\"", "s=a, xs=, n=");
  reading("s:string, xs..", "\"a\", \"b\"", "expected a tensor as `xs` of `probe`, found a string [E0320]");
  reading("s:string, n:int*", "\"a\", h = \"b\"", "expected a whole number as `n` of `probe`, found a string [E0320]");
  reading("xs.., axis:axis=-1", "[1, 2], [3, 4], axis = 0", "xs=f64[2] f64[2], axis=0 | 0");
  reading("xs.., axis:axis=-1", "[[1, 2]]", "xs=f64[1, 2], axis=1 | 1");
  reading("xs.., n:int", "[1, 2], 3", "`probe` needs its argument `n` [E1206] (call it as `probe(xs.., n)`)");
  reading("xs.., axis:axis=0, n:int*", "[1], k = 3", "xs=f64[1], axis=0, n=k:3 | 0");
  reading("args:any..*", "1, b = \"s\"", "args=the int 1 b:a string");
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
static void t_operations(void) { in_arena(operations); }
static void t_natives(void) { in_arena(natives); }
static void t_planted(void) { in_arena(planted); }

UNIT(TEST(t_parameters), TEST(t_not_parameters), TEST(t_shown), TEST(t_operations), TEST(t_natives), TEST(t_planted),
     TEST(tensors), TEST(numbers), TEST(words), TEST(lists), TEST(matching))

/* render: places and marks in terminal columns: tabs, combining and wide characters, long lines, many marks, colour;
 * the chain of calls, shortened; what is reported twice; the nearest name. */
#include <string.h>
#include "lang/text/diag.h"
#include "unit.h"

static Host host;
static Arena *arena;
static Sources *sources;
static Diags *diags;
static Source *source;

static void begin(const char *text) {
  host_init(&host, NULL, NULL);
  arena = arena_new(&host);
  sources = sources_new(arena);
  diags = diags_new(arena, sources);
  source = source_add(sources, "a.nn", text, strlen(text));
}

static void finish(void) { arena_free(arena); }

/* The first place of the word in the text. */
static Span span(const char *word) {
  const char *at = strstr(source->text, word);
  CU_ASSERT_PTR_NOT_NULL_FATAL(at);
  uint32_t first = (uint32_t)(at - source->text);
  return (Span){first, first + (uint32_t)strlen(word)};
}

static Loc loc(const char *word, Loc caller) { return loc_make(sources, source, span(word), caller); }

static void shows(const char *wanted, int width) {
  const char *found = diags_render(diags, arena, &(RenderOptions){.width = width});
  if (strcmp(found, wanted) != 0) printf("found:\n%swanted:\n%s", found, wanted);
  CU_ASSERT_STRING_EQUAL(found, wanted);
}

/* A tab is shown as spaces up to the next column that four divides. */
static void tabs(void) {
  begin("\tlet x\t= y\n");
  diag_in(diags, source, span("y"), E_UNKNOWN_NAME, "y");
  shows("a.nn:1:10: error: `y` is not defined [E0202]\n"
        "    1 |     let x   = y\n"
        "      |               ^\n", 0);
  finish();
}

/* Columns of the place count characters, those of the carets what a terminal shows. */
static void wide_and_combining(void) {
  begin("let \xe6\xa8\xa1\xe5\x9e\x8b = n\xcc\x83 + y\n");
  diag_in(diags, source, span("y"), E_UNKNOWN_NAME, "y");
  shows("a.nn:1:15: error: `y` is not defined [E0202]\n"
        "    1 | let \xe6\xa8\xa1\xe5\x9e\x8b = n\xcc\x83 + y\n"
        "      |                ^\n", 0);
  finish();
}

/* Labels stand behind the last mark, the others below, from the right, each under its own mark. */
static void marks(void) {
  begin("let z = first + second + third\n");
  Diag *g = diag_in(diags, source, (Span){14, 15}, E_ZERO_DIVISION, "+");
  diag_mark_in(diags, g, source, span("first"), "[2, 3]");
  diag_mark_in(diags, g, source, span("second"), "[3, 2]");
  diag_mark_in(diags, g, source, span("third"), "[4]");
  shows("a.nn:1:15: error: `+` by zero [E1105]\n"
        "    1 | let z = first + second + third\n"
        "      |         ^^^^^ - ^^^^^^   ^^^^^ [4]\n"
        "      |         [2, 3]  [3, 2]\n", 0);
  finish();
}

/* Labels that would touch get rows of their own. */
static void labels_that_touch(void) {
  begin("let z = a + b\n");
  Diag *g = diag_in(diags, source, span("+"), E_ZERO_DIVISION, "+");
  diag_mark_in(diags, g, source, span("a"), "a very long label");
  diag_mark_in(diags, g, source, span("+"), "another one");
  diag_mark_in(diags, g, source, span("b"), "the last");
  shows("a.nn:1:11: error: `+` by zero [E1105]\n"
        "    1 | let z = a + b\n"
        "      |         ^ ^ ^ the last\n"
        "      |           another one\n"
        "      |         a very long label\n", 0);
  finish();
}

/* Of a line wider than the terminal the part around the marks is shown. */
static void long_lines(void) {
  char text[400];
  memset(text, 'x', sizeof text);
  memcpy(text + 200, " bad ", 5);
  text[398] = '\n', text[399] = 0;
  begin(text);
  diag_in(diags, source, span("bad"), E_UNKNOWN_NAME, "bad");
  const char *found = diags_render(diags, arena, &(RenderOptions){.width = 60});
  CU_ASSERT_PTR_NOT_NULL(strstr(found, "a.nn:1:202: error"));
  CU_ASSERT_PTR_NOT_NULL(strstr(found, " bad "));
  const char *line = strstr(found, "    1 | ..."), *caret = strchr(found, '^');
  CU_ASSERT_PTR_NOT_NULL_FATAL(line);
  CU_ASSERT_PTR_NOT_NULL_FATAL(caret);
  const char *second = strchr(line, '\n') + 1;
  CU_ASSERT(second - line <= 61);
  CU_ASSERT_EQUAL(caret - second, strstr(line, "bad") - line);
  finish();
}

/* A narrow terminal gets at least forty columns; nothing is written outside. */
static void narrow(void) {
  begin("let total = first_operand_of_it + second_operand_of_it\n");
  diag_in(diags, source, span("second_operand_of_it"), E_UNKNOWN_NAME, "second_operand_of_it");
  const char *found = diags_render(diags, arena, &(RenderOptions){.width = 1});
  const char *line = strstr(found, "    1 | ");
  CU_ASSERT_PTR_NOT_NULL_FATAL(line);
  CU_ASSERT(strchr(line, '\n') - line <= 40);
  finish();
}

/* Marks in two lines show both lines, the place's own first; in another file, its name. */
static void two_lines_two_files(void) {
  begin("let w = 1\nlet x = w\n");
  Source *other = source_add(sources, "b.nn", "fn f(w) = w\n", 12);
  Diag *g = diag_in(diags, source, (Span){18, 19}, E_UNKNOWN_NAME, "w");
  diag_mark_in(diags, g, source, span("w"), "here");
  diag_mark_in(diags, g, other, (Span){5, 6}, "and there");
  shows("a.nn:2:9: error: `w` is not defined [E0202]\n"
        "    2 | let x = w\n"
        "      |         ^\n"
        "    1 | let w = 1\n"
        "      |     ^ here\n"
        "   b.nn:1:6\n"
        "    1 | fn f(w) = w\n"
        "      |      ^ and there\n", 0);
  finish();
}

/* What a terminal would obey is not passed on, neither from the line nor from the message. */
static void control_characters(void) {
  begin("let x = \"\x1b[2J\" + y\n");
  diag_in(diags, source, span("y"), E_UNKNOWN_NAME, "y\x1b[31m");
  const char *found = diags_render(diags, arena, NULL);
  CU_ASSERT_PTR_NULL(strchr(found, '\x1b'));
  finish();
}

static void colour(void) {
  begin("let x = y\n");
  diag_hint(diags, diag_in(diags, source, span("y"), E_UNKNOWN_NAME, "y"), "write z");
  const char *plain = diags_render(diags, arena, &(RenderOptions){.color = false});
  const char *coloured = diags_render(diags, arena, &(RenderOptions){.color = true});
  CU_ASSERT_PTR_NOT_NULL(strstr(coloured, "\033[1;31merror: \033[0m"));
  char bare[1000];                 /* without the escapes it is the same text */
  size_t n = 0;
  for (const char *p = coloured; *p; p++) {
    if (*p == '\033') while (*p != 'm') p++;
    else bare[n++] = *p;
  }
  bare[n] = 0;
  CU_ASSERT_STRING_EQUAL(bare, plain);
  finish();
}

/* Ten calls: the first four and the last two are shown. */
static void long_chains(void) {
  begin("f(x) g(x) h(x) i(x) j(x) k(x) l(x) m(x) n(x) o(x) y\n");
  static const char *const calls[] = {"o(x)", "n(x)", "m(x)", "l(x)", "k(x)", "j(x)", "i(x)", "h(x)", "g(x)", "f(x)"};
  Loc at = 0;
  for (int k = 0; k < 10; k++) at = loc(calls[k], at);
  diag_at(diags, loc("y", at), E_UNKNOWN_NAME, "y");
  shows("a.nn:1:51: error: `y` is not defined [E0202]\n"
        "    1 | f(x) g(x) h(x) i(x) j(x) k(x) l(x) m(x) n(x) o(x) y\n"
        "      |                                                   ^\n"
        "   note: in `f`, called at a.nn:1:1\n"
        "   note: in `g`, called at a.nn:1:6\n"
        "   note: in `h`, called at a.nn:1:11\n"
        "   note: in `i`, called at a.nn:1:16\n"
        "   note: 4 more calls are not shown\n"
        "   note: in `n`, called at a.nn:1:41\n"
        "   note: in `o`, called at a.nn:1:46\n", 0);
  finish();
}

/* A mistake in the library stands at the user's line, the inner place is a note; its marks become notes, too. */
static void moved(void) {
  begin("mse(p, y)\n");
  Source *library = source_add(sources, "<stdlib/losses.nn>", "fn mse(p, y) = mean((p - y)^2)\n", 31);
  library->library = true;
  Loc call = loc("mse(p, y)", 0), inner = loc_make(sources, library, (Span){23, 24}, call);
  Diag *g = diag_at(diags, inner, E_BOTH_STRETCHED, "-", "[3, 1]", "[3]");
  diag_mark(diags, g, loc_make(sources, library, (Span){21, 22}, call), "[3, 1]");
  shows("a.nn:1:1: error: `-` would stretch both [3, 1] and [3]; one operand may be stretched, not both [E1104]\n"
        "    1 | mse(p, y)\n"
        "      | ^^^^^^^^^\n"
        "   note: in `mse` at <stdlib/losses.nn>:1:24\n"
        "   note: `p`: [3, 1] (<stdlib/losses.nn>:1:22)\n", 0);
  finish();
}

static void once(void) {
  begin("let x = y\n");
  for (int k = 0; k < 3; k++) diag_at(diags, loc("y", 0), E_UNKNOWN_NAME, "y");
  CU_ASSERT_EQUAL(diags->n_errors, 1);
  CU_ASSERT_EQUAL(diags->diag.n, 1);
  finish();
}

static void sorted_and_limited(void) {
  char text[601];
  memset(text, 'a', 600);
  text[600] = 0;
  begin(text);
  for (uint32_t k = 300; k-- > 0;) diag_in(diags, source, (Span){2 * k, 2 * k + 1}, E_UNKNOWN_NAME, "a");
  CU_ASSERT_EQUAL(diags->n_errors, 300);
  const char *found = diags_render(diags, arena, NULL);
  CU_ASSERT_PTR_NOT_NULL(strstr(found, "200 more are not shown\n"));
  CU_ASSERT_EQUAL(strncmp(found, "a.nn:1:1: ", 10), 0);     /* the first of the text, in its order */
  CU_ASSERT_PTR_NOT_NULL(strstr(found, "a.nn:1:199: "));
  CU_ASSERT_PTR_NULL(strstr(found, "a.nn:1:201: "));
  finish();
}

static void nearest_name(void) {
  static const char *const names[] = {"softmax", "sigmoid", "relu", "sum", "x"};
  CU_ASSERT_STRING_EQUAL(nearest("sofmax", names, 5), "softmax");
  CU_ASSERT_STRING_EQUAL(nearest("Relu", names, 5), "relu");
  CU_ASSERT_STRING_EQUAL(nearest("smu", names, 5), "sum");
  CU_ASSERT_PTR_NULL(nearest("y", names, 5));
  CU_ASSERT_PTR_NULL(nearest("completely_other", names, 5));
  CU_ASSERT_PTR_NULL(nearest("", names, 5));
  const char *all[] = {"tan", "tanh", "f1", "w1", "neg", "sin", "eigh"};
  CU_ASSERT_STRING_EQUAL(nearest_of_all("tahn", all, 6), "tanh");
  CU_ASSERT_STRING_EQUAL(nearest_of_all("sni", all, 6), "sin");
  CU_ASSERT_PTR_NULL(nearest_of_all("x1", all, 6));
  CU_ASSERT_PTR_NULL(nearest_of_all("net", all, 6));
  CU_ASSERT_PTR_NULL(nearest_of_all("weight", all, 7));
  CU_ASSERT_STRING_EQUAL(nearest_of_all("eight", all, 7), "eigh");
  CU_ASSERT_STRING_EQUAL(nearest("net", all, 6), "neg");
}

UNIT(TEST(tabs), TEST(wide_and_combining), TEST(marks), TEST(labels_that_touch), TEST(long_lines), TEST(narrow),
     TEST(two_lines_two_files), TEST(control_characters), TEST(colour), TEST(long_chains), TEST(moved), TEST(once),
     TEST(sorted_and_limited), TEST(nearest_name))

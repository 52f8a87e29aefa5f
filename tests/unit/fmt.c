/* The one layout: what comes out of texts laid out badly, and of every script of the tree: the same tree, and the
 * second time the same text. */
#define _POSIX_C_SOURCE 200809L
#include "lang/syntax/fmt.h"
#include "../../runtime/files/files.h"
#include <dirent.h>
#include <string.h>
#include "unit.h"

static Host host;
static int n_files;

static bool laid(Arena *a, const char *text, Text *out) {
  return fmt_text(a, diags_new(a, sources_new(a)), "text.nn", text, strlen(text), out);
}

static const Ast *tree(Arena *a, const char *text, size_t n) {
  Diags *d = diags_new(a, sources_new(a));
  const Ast *ast = parse(a, source_add(d->sources, "text.nn", text, n), d, false)->program;
  return d->n_errors ? NULL : ast;
}

static void gives(const char *text, const char *wanted) {
  Guard g;
  if (!HOST_GUARD(&host, &g)) {
    CU_FAIL(host.message);
    return;
  }
  Arena *a = arena_new(&host);
  Text once, twice;
  bool good = laid(a, text, &once);
  CU_ASSERT(good);
  CU_ASSERT_STRING_EQUAL(once.at, wanted);
  if (strcmp(once.at, wanted)) printf("  found:\n%s", once.at);
  CU_ASSERT(laid(a, once.at, &twice));
  CU_ASSERT_STRING_EQUAL(once.at, twice.at);
  arena_free(a);
  host_leave(&host, &g);
}

static void blanks(void) {
  gives("let   x=[ 1,2 , 3 ]\n", "let x = [1, 2, 3]\n");
  gives("let y=-x ^ -2+( 3*x )'\n", "let y = -x^-2 + (3 * x)'\n");
  gives("let a=f (x) [0] . w\n", "let a = f(x)[0].w\n");
  gives("for i in 1 .. n { s+=i;print s ; }\n", "for i in 1..n { s += i; print s }\n");
  gives("let z = x[ 1 : ]+x[i+1:]+x[: , None]+x[a : b:2]+x[.., :k]+x[a+1:b:c]\n",
        "let z = x[1:] + x[i + 1 :] + x[:, None] + x[a:b:2] + x[.., :k] + x[a + 1 : b : c]\n");
  gives("fn f( a:int,b :[N,2*N]=[ ],k=3 )->( [N],f64 [] )={a=1 , b}\n",
        "fn f(a: int, b: [N, 2 * N] = [], k = 3) -> ([N], f64[]) = {a = 1, b}\n");
  gives("layer L{}\nlayer M( n:int ){param w:[..S]~normal( )}\n",
        "layer L { }\nlayer M(n: int) { param w: [..S] ~ normal() }\n");
  gives("let g=fn(x)=x|>f>>h\n", "let g = fn (x) = x |> f >> h\n");
  gives("assert not(a)and b or-c<0 , \"{ x:.3 } as {{ it }} was\"\n",
        "assert not (a) and b or -c < 0, \"{ x:.3 } as {{ it }} was\"\n");
  gives("print \"{x[1:-1]}\",y , \"{if a { -1 } else { f(2,y) }}\" ,-z\n",
        "print \"{x[1:-1]}\", y, \"{if a { -1 } else { f(2,y) }}\", -z\n");
  gives("let t=(1 ,)\nlet u=( )\nlet v={ }\n", "let t = (1,)\nlet u = ()\nlet v = {}\n");
  gives("let n = 1_000 + 0x1F + 1e-3 + 2.50\n", "let n = 1_000 + 0x1F + 1e-3 + 2.50\n");
}

static void lines(void) {
  gives("", "");
  gives("\n\n\n", "");
  gives("\n\nlet x = 1;\n\n\n\nlet y = 2\n\n", "let x = 1\n\nlet y = 2\n");
  gives("let x = 1\r\nlet y = 2\r\n", "let x = 1\nlet y = 2\n");
  gives("if a {\nprint 1 }\nelse { print 2 }\n", "if a {\n  print 1\n} else { print 2 }\n");
  gives("let y = if a { 1 }\n  else if b { 2 }\n else { 3 }\n",
        "let y = if a { 1 }\n        else if b { 2 }\n        else { 3 }\n");
  gives("let x = [1,\n2\n]\n", "let x = [1,\n         2]\n");
  gives("let x = [\n1,\n2]\n", "let x = [\n  1,\n  2\n]\n");
  gives("let r = {\na = 1,\n  b = f(2,\n3)}\n", "let r = {\n  a = 1,\n  b = f(2,\n        3)\n}\n");
  gives("let z = x |>\nf\n|> g\n", "let z = x\n  |> f\n  |> g\n");
  gives("let z = a +\nb\n", "let z = a +\n  b\n");
  gives("for x in f(a,\n b) {\nprint x\n}\n", "for x in f(a,\n           b) {\n  print x\n}\n");
  gives("map(fn (x) {\nx+1 }, [1, 2])\n", "map(fn (x) {\n  x + 1\n}, [1, 2])\n");
  gives("let w = f(1,\nfn (x) {\n x+1\n },\n3)\n",
        "let w = f(1,\n          fn (x) {\n            x + 1\n          },\n          3)\n");
  gives("let a  = 1\nlet bb = 2\nlet c = 3\n", "let a  = 1\nlet bb = 2\nlet c = 3\n");
  gives("let a   = 1\nlet bb = 2\n", "let a = 1\nlet bb = 2\n");
}

static void long_lines(void) {
  gives("let long_name = some_function(first_argument, second_argument = [1, 2, 3, 4], third_argument = another(a, b, "
        "c), last = 1)\n",
        "let long_name = some_function(first_argument, second_argument = [1, 2, 3, 4], third_argument = another(a, b, "
        "c),\n"
        "                              last = 1)\n");
  gives("let q = alpha_function(1) |> beta_function(2, 3, 4, 5, 6) |> gamma_function(\"hello hello hello\") |> "
        "delta_function(1, 2, 34)\n",
        "let q = alpha_function(1)\n  |> beta_function(2, 3, 4, 5, 6)\n  |> gamma_function(\"hello hello hello\")\n"
        "  |> delta_function(1, 2, 34)\n");
  gives("for step in 1..500 { let loss = binary_cross_entropy(net(x), y); opt.step(loss); print \"step {step} has a "
        "loss of {loss:.4}\" }\n",
        "for step in 1..500 {\n  let loss = binary_cross_entropy(net(x), y)\n  opt.step(loss)\n"
        "  print \"step {step} has a loss of {loss:.4}\"\n}\n");
  gives("fn weighted_mean_of_squares(values, weights, axis = -1) = sum(values * values * weights, axis = axis) / "
        "sum(weights, axis = axis)\n",
        "fn weighted_mean_of_squares(values, weights, axis = -1) =\n"
        "  sum(values * values * weights, axis = axis) / sum(weights, axis = axis)\n");
}

static void comments(void) {
  gives("#a\n\n\n  # b\nlet x = 1   # c  \n#d", "#a\n\n# b\nlet x = 1  # c\n#d\n");
  gives("print x # => 3\n", "print x   # => 3\n");
  gives("let x = f(\n# one\n1,  # two\n2\n# three\n)\n", "let x = f(\n  # one\n  1,  # two\n  2\n  # three\n)\n");
  gives("if a {\n# one\n\n\nlet x = 1\n\n# two\n}\n", "if a {\n  # one\n\n  let x = 1\n\n  # two\n}\n");
  gives("let a = 1     # one\nlet b = 22    # two\n", "let a = 1     # one\nlet b = 22    # two\n");
  gives("let a = 1 # one\nlet b = [10, 20] # two\nlet c = 3 # three\n",
        "let a = 1  # one\nlet b = [10, 20]  # two\nlet c = 3  # three\n");
  gives("print m      # => [[1],\n             #     [2]]\n", "print m   # => [[1],\n          #     [2]]\n");
  gives("  ## doc\n## of f\nfn f(x) = x\n", "## doc\n## of f\nfn f(x) = x\n");
  gives("let x = 1 ;  # c\n;\n# d\n", "let x = 1  # c\n# d\n");
  gives("let x = a +  # why\nb\n", "let x = a +  # why\n  b\n");
}

static void refuses(void) {
  Guard g;
  if (!HOST_GUARD(&host, &g)) {
    CU_FAIL(host.message);
    return;
  }
  Arena *a = arena_new(&host);
  Text out;
  CU_ASSERT(!laid(a, "let x = (1\nlet y = 2\n", &out));
  CU_ASSERT_EQUAL(out.n, 0);
  CU_ASSERT(!laid(a, "let let\n", &out));
  CU_ASSERT(!laid(a, "let x = \"\xff\"\n", &out));
  arena_free(a);
  host_leave(&host, &g);
}

static void script(const char *path) {
  Guard g;
  if (!HOST_GUARD(&host, &g)) {
    CU_FAIL(host.message);
    return;
  }
  Arena *a = arena_new(&host);
  const char *text;
  size_t n;
  FileError why;
  Text once, twice;
  if (file_read(a, path, SOURCE_MAX, &text, &n, &why)) {
    const Ast *before = tree(a, text, n);
    Diags *d = diags_new(a, sources_new(a));
    bool done = fmt_text(a, d, path, text, n, &once);
    bool same = !before || (done && fmt_same_tree(before, tree(a, once.at, once.n)));
    bool again = !done || (laid(a, once.at, &twice) && !strcmp(once.at, twice.at));
    if (done != (before != NULL) || !same || !again) printf("  %s\n", path);
    CU_ASSERT_EQUAL(done, before != NULL);
    CU_ASSERT(same);
    CU_ASSERT(again);
    n_files++;
  } else CU_FAIL(why.text);
  arena_free(a);
  host_leave(&host, &g);
}

static void folder(const char *path) {
  DIR *d = opendir(path);
  for (struct dirent *e; d && (e = readdir(d));) {
    char below[600];
    size_t n = strlen(e->d_name);
    if (e->d_name[0] == '.' || n > 255) continue;
    snprintf(below, sizeof below, "%s/%s", path, e->d_name);
    if (n > 3 && !strcmp(e->d_name + n - 3, ".nn")) script(below);
    else if (!strchr(e->d_name, '.')) folder(below);
  }
  if (d) closedir(d);
}

static void every_script(void) {
  static const char *const top[] = {"stdlib", "examples", "tests/lang", "tests/bad", "tests/golden"};
  for (size_t k = 0; k < sizeof top / sizeof *top; k++) folder(top[k]);
  CU_ASSERT(n_files > 50);
}

int main(void) {
  static CU_TestInfo tests[] = {TEST(blanks),  TEST(lines),        TEST(long_lines), TEST(comments),
                                TEST(refuses), TEST(every_script), CU_TEST_INFO_NULL};
  host_init(&host, NULL, NULL);
  return unit_run(__FILE__, tests);
}

/* doc_words: what has no definition to read a documentation from: the words of the language, its types and constants,
 * the commands of the program and of the REPL. In: a word. Out: its form and what it means, in a line or two.
 *
 * Commands are read from the usage text and the table of the REPL, which are the one place where they are described.
 */
#define _POSIX_C_SOURCE 200809L
#include "tool/cli.h"
#include "tool/repl_commands.h"
#include <string.h>

typedef struct Word { const char *name, *form, *text; } Word;
static const Word words[] = {
    {"let", "let p = e\nlet x: f64[3, 4] ~ normal(0, 1)",
     "A name for a value, never given another one; a pattern, (a, b) or {x, y}, names the parts. With `~` a draw of "
     "the type."},
    {"var", "var v = e",
     "A cell that assignment changes: v = e, v += e, v -= e, v *= e, v /= e, and v[i] = e for a part."},
    {"param", "param w: [2, 1] ~ glorot_uniform()\nparam b: [4] = 0",
     "A cell that is trained. Its path is its key in files."},
    {"state", "state mean: [n] = 0",
     "In a layer a cell that is kept and saved, not trained; in an optimizer one for each leaf."},
    {"fn", "fn f(a, b: [N], k = 3) -> [N] = e\nfn f(a) { ... }\nfn (x) = e",
     "A formula, which has no effect outside itself. Without a name it is a value."},
    {"proc", "proc p(a, k = 3) { ... }",
     "Steps that may assign, loop, print and make layers; its value is its last expression."},
    {"layer", "layer net(n: int) { param ...; let ...; fn (x) = ... }",
     "Makes instances, each with parameters of its own."},
    {"optimizer", "optimizer sgd(lr = 0.1) { state ...; fn (p, g, t) = ... }",
     "A rule for the next value of a parameter p from its gradient g."},
    {"gradient", "gradient f(x, y) -> out, dout = (dx, dy)",
     "The gradient of f, used instead of differentiating its body."},
    {"extern", "extern \"libm.so.6\" fn j0(x: f64) -> f64", "A function of a foreign library."},
    {"import", "import \"path.nn\" as m", "The definitions of another file, read as m.name."},
    {"if", "if c { ... } else if d { ... } else { ... }",
     "Chooses; as an expression it has the value of the block that was taken."},
    {"else", "if c { ... } else { ... }", "The other branch of `if`."},
    {"for", "for p in e { ... }\n[e for p in xs]",
     "For each element of a range, a list, a tensor's first axis, or batches. In brackets it builds a list or tensor."},
    {"in", "for p in e { ... }", "Stands between the pattern and the sequence of a `for`."},
    {"while", "while c { ... }", "As long as c is true."},
    {"break", "break", "Leaves the innermost loop."},
    {"continue", "continue", "Begins the next turn of the innermost loop."},
    {"print", "print a, b",
     "Writes values with blanks between them, and ends the line. A trailing `# => 3` is what is expected."},
    {"assert", "assert c, \"why\"", "Stops the run unless c is true."},
    {"test", "test \"name\" { ... }", "A test for `glia test FILE`, with its own seed and its own copy of the cells."},
    {"training", "training { ... }",
     "Computes its block as in training: `is_training` is true there, so dropout drops."},
    {"and", "a and b", "Of bools, element by element."},
    {"or", "a or b", "Of bools, element by element."},
    {"not", "not a", "Of bools, element by element."},
    {"true", "true", "A bool."},
    {"false", "false", "A bool."},
    {"None", "x[:, None]", "In an index, a new axis of size 1."},
    {"as", "import \"path.nn\" as m", "Stands before the name of an import."},
    {"pi", "pi   # => 3.14159", "The ratio of a circle's circumference to its diameter."},
    {"e", "e   # => 2.71828", "The base of the natural logarithm; exp(x) is e^x."},
    {"inf", "inf", "The float that is larger than every number; -inf is smaller."},
    {"nan", "nan", "The float that is no number; it equals nothing, itself included. isnan(x) finds it."},
    {"is_training", "is_training", "Whether this is computed in training mode: see `training`."},
    {"args", "args", "The list of the strings that stood behind the script on the command line."},
    {"int", "fn f(n: int)", "The type of a known whole number: a size, a count."},
    {"float", "fn f(lr: float)", "The type of a known float."},
    {"bool", "bool[N]", "The type of true and false; as an element type one byte."},
    {"string", "fn f(name: string)", "The type of a text."},
    {"f32", "f32[N, 784]", "An element type, a float of 4 bytes; f32(x) converts."},
    {"f64", "f64[N]", "An element type, a float of 8 bytes; f64(x) converts."},
    {"i32", "i32[N]", "An element type, a whole number of 4 bytes, which wraps; i32(x) truncates."},
    {"u8", "u8[N]", "An element type for storage, a byte; arithmetic on it is i32."},
    {NULL, NULL, NULL},
};

static bool add_word(Text *t, const char *name) {
  for (const Word *w = words; w->name; w++)
    if (!strcmp(w->name, name)) {
      text_printf(t, "%s\n%s\n", w->form, w->text);
      return true;
    }
  return false;
}

/* The lines of the usage text that begin with "glia NAME". */
static bool add_command(Text *t, const char *name) {
  bool found = false;
  size_t n = strlen(name);
  for (const char *p = cli_usage; *p;) {
    size_t line = strcspn(p, "\n");
    const char *at = line > 7 ? p + 7 : p;
    if (!strncmp(at, "glia ", 5) && !strncmp(at + 5, name, n) && n && at[5 + n] == ' ') {
      text_add_n(t, at, line - 7);
      text_add(t, "\n");
      found = true;
    }
    p += line + (p[line] != 0);
  }
  return found;
}

static bool add_colon(Text *t, const char *name) {
  for (const Command *c = commands; c->name; c++)
    if (!strcmp(c->name, name)) {
      text_printf(t, ":%s   in the REPL\n%s\n", c->usage, c->help ? c->help : "Not yet.");
      return true;
    }
  return false;
}

bool doc_word(Text *t, const char *name) {
  if (*name == ':') return add_colon(t, name + 1);
  return add_word(t, name) || add_command(t, name) || add_colon(t, name);
}

void doc_word_names(void (*f)(void *to, const char *name), void *to) {
  static const char *const program[] = {"run", "check", "test", "repl", "fmt", "doc", NULL};
  for (int k = 0; program[k]; k++) f(to, program[k]);
  for (const Word *w = words; w->name; w++) f(to, w->name);
  for (const Command *c = commands; c->name; c++) f(to, c->name);
}

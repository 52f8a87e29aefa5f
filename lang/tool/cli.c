/* cli: reads the command line. In: argv. Out: a Cli, or a message and status 2.
 *
 * Flags may stand before and after the file; `--` ends them, and what is left are the script's own arguments. A flag is
 * taken only if it does something; the planned ones that do not yet answer `not yet`, so that nobody believes in a flag
 * that is ignored.
 */
#define _POSIX_C_SOURCE 200809L
#include "tool/cli.h"
#include "runtime/graph/kernels.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char cli_usage[] =
    "usage: glia FILE [ARG...]            run a script; `-' reads standard input; ARGs are the list `args'\n"
    "       glia                          evaluate what is typed\n"
    "       glia run FILE [ARG...]        the same as glia FILE\n"
    "       glia check FILE...            report every mistake, run nothing\n"
    "       glia test [FILE|DIR]...       run `test' blocks and `# =>' expectations; `-' reads standard input\n"
    "       glia test --library           run the examples of the operations and the standard library\n"
    "       glia repl [FILE]              run FILE first, then evaluate what is typed\n"
    "       glia fmt [--check] FILE...    write files in the one layout\n"
    "       glia graph FILE [-e EXPR] [--format=txt|dot|svg]   the graph of EXPR, or of what is trained; runs nothing\n"
    "       glia graph FILE [-e EXPR] [--fork NAME=VALUE] --format=html   a page of it, with the values of the run\n"
    "       glia plan FILE                the steps that will run, what they fuse, bytes and operations; runs nothing\n"
    "       glia grad FILE -f NAME        the gradient of a function, as a function of the language\n"
    "       glia doc NAME                 the documentation of a name\n"
    "       glia doc --all                that of every name, as one page\n"
    "\n"
    "  -f NAME               of glia grad: the function\n"
    "  --at TYPES            of glia grad: \"x: [3], w: f64[3, 2]\"; an argument without a type is a number\n"
    "  --wrt ARG             of glia grad: by which argument; by default the first\n"
    "  --threads N           threads to compute with; by default one for each CPU allowed\n"
    "  --seed N              the seed of all draws\n"
    "  --resume FILE         go on from a checkpoint that the script wrote\n"
    "  --no-fuse             run one operation after another: the same bits, the reference\n"
    "  --cpu LEVEL           compute with the kernels of v1, v3 or v4 (x86-64-v1 ...); by default the best there are\n"
    "  --digest              write a digest of each cell when the script is done: equal ones, equal bits\n"
    "  --max-memory BYTES    memory allowed, e.g. 512M or 2G\n"
    "  -D NAME=VALUE         override a top-level `let NAME = literal'\n"
    "  --strict              warnings are errors\n"
    "  --allow NAME,...      leave these warnings out; a name stands behind each warning: [W0201 unused]\n"
    "  --check-numbers       stop at the first number that is NaN or infinite, and name the expression that made it\n"
    "  --log FILE            write what happens, a line of JSON an event: each step, epoch, row of a series and print\n"
    "  --profile FILE        write what each step of each plan took, for chrome://tracing or ui.perfetto.dev\n"
    "  --html FILE           write a page of the run: curves, histograms of weights and gradients, what was confused\n"
    "  --watch               run again when the script is edited, from the first statement that the edit touches\n"
    "  --no-extern           open no foreign library\n"
    "  --dump=STAGE          print ast, graph, grad, opt or plan instead of running\n"
    "  --quiet               no progress and no warnings\n"
    "  --color=WHEN          auto, always or never (NO_COLOR is honoured)\n"
    "  --version, --help\n"
    "  --                    no flag follows: `glia FILE -- --fast' gives the script `args' [\"--fast\"]\n"
    "\n"
    "Status: 0 done, 1 the script is wrong or failed, 2 the command line is wrong, 130 interrupted (143 by SIGTERM,\n"
    "129 by SIGHUP), 141 nobody reads standard output any more.\n";

static const char *const commands[] = {"run",  "check",   "test", "repl", "fmt",    "doc", "grad",
                                       "graph", "plan", "compile", NULL};
static const char *const formats[] = {"txt", "dot", "svg", "html", NULL};
static const char *const commands_later[] = {"compile", NULL};
static const char *const stages[] = {"ast", "graph", "grad", "opt", "plan", NULL};

typedef enum { F_THREADS, F_SEED, F_NO_FUSE, F_MEMORY, F_DEFINE, F_STRICT, F_NO_EXTERN, F_DUMP, F_QUIET, F_COLOR,
               F_VERSION, F_HELP, F_CHECK, F_LIBRARY, F_NUMBERS, F_ALLOW, F_RESUME, F_CPU,
               F_DIGEST, F_ALL,
               F_LOG, F_PROFILE, F_HTML, F_WATCH, F_EXPRESSION, F_FORMAT, F_FORK, F_FUNCTION, F_AT, F_WRT,
               F_LATER } FlagId;
typedef struct Flag { const char *name; FlagId id; bool value; } Flag;
static const Flag flags[] = {
    {"--threads", F_THREADS, true},      {"--seed", F_SEED, true},           {"--no-fuse", F_NO_FUSE, false},
    {"--max-memory", F_MEMORY, true},    {"-D", F_DEFINE, true},             {"--strict", F_STRICT, false},
    {"--no-extern", F_NO_EXTERN, false}, {"--dump", F_DUMP, true},           {"--quiet", F_QUIET, false},
    {"--color", F_COLOR, true},          {"--version", F_VERSION, false},    {"--help", F_HELP, false},
    {"-h", F_HELP, false},               {"--check", F_CHECK, false},        {"--library", F_LIBRARY, false},
    {"--resume", F_RESUME, true},        {"--precision", F_LATER, true},     {"--check-numbers", F_NUMBERS, false},
    {"--cpu", F_CPU, true},              {"--digest", F_DIGEST, false},         {"--all", F_ALL, false},
    {"-e", F_EXPRESSION, true},          {"--format", F_FORMAT, true},            {"--fork", F_FORK, true},
    {"-f", F_FUNCTION, true},            {"--at", F_AT, true},               {"--wrt", F_WRT, true},
    {"--html", F_HTML, true},           {"--watch", F_WATCH, false},
    {"--profile", F_PROFILE, true},      {"--log", F_LOG, true},             {"--allow", F_ALLOW, true},
};
enum { N_FLAGS = sizeof flags / sizeof *flags };

bool parse_count(const char *text, int64_t min, int64_t max, int64_t *out) {
  char *end;
  errno = 0;
  long long v = strtoll(text, &end, 10);
  if (end == text || *end || errno || v < min || v > max) return false;
  *out = v;
  return true;
}

static bool parse_bytes(const char *text, size_t *out) {
  char *end;
  errno = 0;
  if (*text < '0' || *text > '9') return false;
  unsigned long long v = strtoull(text, &end, 10);
  size_t unit = 1;
  if (*end) {
    const char *at = strchr("KMGT", *end & ~32);
    if (!at) return false;
    for (const char *u = "KMGT"; u <= at; u++) unit *= 1024;
    end++;
  }
  return !*end && !errno && v > 0 && v <= SIZE_MAX && size_mul((size_t)v, unit, out);
}

const char *did_you_mean(const char *name, const char *const *names) {
  size_t n = 0;
  while (names[n]) n++;
  return nearest(name, names, n);
}

static bool in_list(const char *name, const char *const *names) {
  for (; *names; names++)
    if (!strcmp(name, *names)) return true;
  return false;
}

static int bad_usage(const char *what, const char *found, const char *near) {
  fprintf(stderr, "glia: %s", what);
  if (found) fprintf(stderr, " `%s'", found);
  if (near) fprintf(stderr, "; did you mean `%s'?", near);
  fprintf(stderr, "\nglia: `glia --help' lists commands and flags\n");
  return EXIT_USAGE;
}

static int unknown_flag(const char *arg, size_t n) {
  char name[64];
  const char *names[N_FLAGS + 1] = {NULL};
  for (size_t k = 0; k < N_FLAGS; k++) names[k] = flags[k].name;
  snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), arg);
  return bad_usage("no such flag:", name, strncmp(arg, "--", 2) ? NULL : did_you_mean(name, names));
}

static int allow(Cli *c, const char *list) {
  char name[64], near[MOST_WARNING_NAME];
  const char *unknown;
  size_t n;
  if (warnings_allow(&c->config.rules, list, &unknown, &n)) return -1;
  snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), unknown);
  return bad_usage("there is no warning", name, warning_near(unknown, n, near) ? near : NULL);
}

static const char *const levels[] = {"v1", "v3", "v4", NULL};

static int take_level(Cli *c, const char *value) {
  if (!in_list(value, levels)) return bad_usage("--cpu wants v1, v3 or v4, not", value, did_you_mean(value, levels));
  if (!kernels_level(value)) return bad_usage("--cpu: this processor, or this build, lacks", value, NULL);
  c->config.level = value;
  return -1;
}

/* The version, and what decides the bits: docs/determinism.md. */
static void say_version(Cli *c) {
  out_text(c, "glia " PACKAGE_VERSION "\n");
  out_printf(c, "kernels %s, bits of class %s; here:", kernels_best()->level, kernels_class(kernels_best()));
  for (int k = 0; levels[k]; k++)
    if (kernels_level(levels[k])) out_printf(c, " %s %s", levels[k], kernels_class(kernels_level(levels[k])));
  out_text(c, "\n");
}

static int take_flag(Cli *c, FlagId id, const char *name, const char *value) {
  int64_t v;
  char what[96];
  snprintf(what, sizeof what, "%s: no such value:", name);
  switch (id) {
  case F_THREADS:
    if (!parse_count(value, 1, 1024, &v))
      return bad_usage("--threads wants a number from 1 to 1024, not", value, NULL);
    c->config.threads = (int)v;
    break;
  case F_SEED:
    if (!parse_count(value, 0, INT64_MAX, &v)) return bad_usage("--seed wants a whole number, not", value, NULL);
    c->config.seed = (uint64_t)v;
    c->config.seed_given = true;
    break;
  case F_MEMORY:
    if (!parse_bytes(value, &c->config.max_memory))
      return bad_usage("--max-memory wants bytes (such as 512M), not", value, NULL);
    break;
  case F_DEFINE:
    if (!strchr(value, '=') || *value == '=') return bad_usage("-D wants NAME=VALUE, not", value, NULL);
    c->defines[c->config.n_defines++] = value;
    break;
  case F_ALLOW: return allow(c, value);
  case F_DUMP:
    if (!in_list(value, stages)) return bad_usage("--dump wants ast, graph, grad, opt or plan, not", value,
                                                  did_you_mean(value, stages));
    c->dump = value;
    break;
  case F_COLOR:
    c->color_asked = true;
    if (!strcmp(value, "always")) c->color = true;
    else if (!strcmp(value, "never")) c->color = false;
    else if (!strcmp(value, "auto")) c->color_asked = false;
    else return bad_usage("--color wants auto, always or never, not", value, NULL);
    break;
  case F_NO_FUSE: c->config.no_fuse = true; break;
  case F_STRICT: c->config.strict = true; break;
  case F_NUMBERS: c->config.check_numbers = true; break;
  case F_NO_EXTERN: c->config.no_extern = true; break;
  case F_QUIET: c->quiet = c->config.rules.quiet = true; break;
  case F_CHECK: c->fmt_check = true; break;
  case F_LIBRARY: c->library = true; break;
  case F_CPU: return take_level(c, value);
  case F_DIGEST: c->digest = true; break;
  case F_ALL: c->all = true; break;
  case F_LOG: c->log = value; break;
  case F_PROFILE: c->profile = value; break;
  case F_HTML: c->html = value; break;
  case F_WATCH: c->watch = true; break;
  case F_FUNCTION: c->function = value; break;
  case F_AT: c->at = value; break;
  case F_WRT: c->wrt = value; break;
  case F_VERSION:
    say_version(c);
    return EXIT_DONE;
  case F_HELP:
    out_text(c, cli_usage);
    return EXIT_DONE;
  case F_RESUME:
    c->config.resume = value;
    return -1;
  case F_EXPRESSION:
    c->expression = value;
    return -1;
  case F_FORK:
    c->fork = value;
    if (strchr(value, '=') && *value != '=') return -1;
    return bad_usage("--fork wants NAME=VALUE, not", value, NULL);
  case F_FORMAT:
    c->format = value;
    if (in_list(value, formats)) return -1;
    return bad_usage("--format is txt, dot, svg or html, not", value, did_you_mean(value, formats));
  case F_LATER:
    fprintf(stderr, "glia: not yet: %s\n", name);
    return EXIT_USAGE;
  }
  return -1;
}

/* A flag at argv[*k], perhaps with its value in the next word. */
static int read_flag(Cli *c, int argc, char **argv, int *k) {
  const char *arg = argv[*k];
  size_t n = strcspn(arg, "=");
  if (!strncmp(arg, "-D", 2) && arg[2]) return take_flag(c, F_DEFINE, "-D", arg + 2);
  for (size_t j = 0; j < N_FLAGS; j++) {
    const Flag *f = &flags[j];
    if (strlen(f->name) != n || strncmp(f->name, arg, n)) continue;
    const char *value = arg[n] ? arg + n + 1 : NULL;
    if (!f->value && value) return bad_usage("this flag takes no value:", f->name, NULL);
    if (f->value && !value && f->id != F_LATER) {
      if (*k + 1 >= argc) return bad_usage("this flag wants a value:", f->name, NULL);
      value = argv[++*k];
    }
    return take_flag(c, f->id, f->name, value);
  }
  return unknown_flag(arg, n);
}

static bool is_flag(const char *arg) { return arg[0] == '-' && arg[1] && !(arg[1] >= '0' && arg[1] <= '9'); }

/* A first word that is neither a command nor a file was probably meant as a command. */
static int check_command(const char *word) {
  const char *near = did_you_mean(word, commands);
  if (strchr(word, '.') || strchr(word, '/') || !near || access(word, F_OK) == 0) return -1;
  return bad_usage("no such command or file:", word, near);
}

static int check_operands(Cli *c) {
  if (in_list(c->command, commands_later)) {
    fprintf(stderr, "glia: not yet: glia %s\n", c->command);
    return EXIT_USAGE;
  }
  bool wants_file = !strcmp(c->command, "run") || !strcmp(c->command, "check") || !strcmp(c->command, "fmt");
  bool of_graph = !strcmp(c->command, "graph"), one_file = of_graph || !strcmp(c->command, "plan");
  if (one_file && c->n_operand != 1) return bad_usage("one file is wanted by", c->command, NULL);
  if (c->expression && !of_graph) return bad_usage("-e belongs to glia graph", NULL, NULL);
  if (c->format && !of_graph) return bad_usage("--format belongs to glia graph", NULL, NULL);
  if (c->fork && (!of_graph || !c->format || strcmp(c->format, "html") != 0))
    return bad_usage("--fork belongs to glia graph --format=html", NULL, NULL);
  if (wants_file && c->n_operand == 0) return bad_usage("no file is given to", c->command, NULL);
  bool grad = !strcmp(c->command, "grad");
  if (grad && (c->n_operand != 1 || !c->function))
    return bad_usage("grad wants one file, and -f NAME: one of its functions", NULL, NULL);
  if (!grad && (c->function || c->at || c->wrt))
    return bad_usage("this flag belongs to glia grad:", c->function ? "-f" : c->at ? "--at" : "--wrt", NULL);
  if (c->all && strcmp(c->command, "doc")) return bad_usage("--all belongs to glia doc", NULL, NULL);
  if (!strcmp(c->command, "doc") && c->n_operand != !c->all)
    return c->all ? bad_usage("doc --all wants no name, found", *c->operand, NULL)
                  : bad_usage("doc wants one name", NULL, NULL);
  if (!strcmp(c->command, "repl") && c->n_operand > 1) return bad_usage("repl wants at most one file", NULL, NULL);
  if (c->library && strcmp(c->command, "test")) return bad_usage("--library belongs to glia test", NULL, NULL);
  if (c->fmt_check && strcmp(c->command, "fmt")) return bad_usage("--check belongs to glia fmt", NULL, NULL);
  if (c->config.resume && strcmp(c->command, "run")) return bad_usage("--resume belongs to glia FILE", NULL, NULL);
  if (c->config.resume && c->config.seed_given)
    return bad_usage("--seed has no place beside --resume: the run goes on with the draws that it has", NULL, NULL);
  if (c->digest && strcmp(c->command, "run")) return bad_usage("--digest belongs to glia FILE", NULL, NULL);
  if ((c->log || c->profile || c->html) && strcmp(c->command, "run"))
    return bad_usage("this flag belongs to glia FILE:", c->log ? "--log" : c->profile ? "--profile" : "--html", NULL);
  if (c->watch && strcmp(c->command, "run")) return bad_usage("--watch belongs to glia FILE", NULL, NULL);
  bool once = c->log || c->profile || c->html || c->config.resume || c->dump || c->digest || c->config.n_defines;
  if (c->watch && once)
    return bad_usage("--watch has no place beside --log, --profile, --html, --resume, --dump, --digest and -D", NULL,
                     NULL);
  bool typed = c->watch && !strcmp(c->operand[0], "-");
  if (typed) return bad_usage("--watch wants a file that can be edited, not", "-", NULL);
  if (c->dump && strcmp(c->command, "run") && strcmp(c->command, "check"))
    return bad_usage("--dump belongs to glia FILE and glia check", NULL, NULL);
  return -1;
}

/* One that can move its cursor and colour its text: TERM says so. */
static bool terminal(int fd) {
  const char *term = getenv("TERM");
  return isatty(fd) == 1 && term && *term && strcmp(term, "dumb") != 0;
}

int cli_parse(Cli *c, int argc, char **argv) {
  c->err_terminal = terminal(STDERR_FILENO);
  bool flags_end = false;
  int n = 0;
  for (int k = 1; k < argc; k++) {
    if (!flags_end && !strcmp(argv[k], "--")) {
      flags_end = true;
      continue;
    }
    if (!flags_end && is_flag(argv[k])) {
      int status = read_flag(c, argc, argv, &k);
      if (status >= 0) return status;
      continue;
    }
    if (!c->command) {
      if (in_list(argv[k], commands) && !flags_end) {
        c->command = argv[k];
        continue;
      }
      int status = check_command(argv[k]);
      if (status >= 0) return status;
      c->command = "run";
    }
    c->words[n++] = argv[k];
  }
  if (!c->command) c->command = c->library ? "test" : "repl";
  c->operand = c->words;
  c->n_operand = n;
  c->config.defines = c->defines;
  if (!strcmp(c->command, "run") && n > 0) {
    c->n_operand = 1;
    c->config.args = c->words + 1;
    c->config.n_args = n - 1;
  }
  c->config.search = getenv("GLIA_PATH");
  const char *no_color = getenv("NO_COLOR");
  if (!c->color_asked) c->color = c->err_terminal && !(no_color && *no_color);
  return check_operands(c);
}

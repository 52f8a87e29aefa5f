/* terminal: the program $GLIA on a terminal of its own: the editor's letters, its history, colour. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>
#include "unit.h"

enum { WAIT_MS = 60000 };

typedef struct Terminal { int master; pid_t child; char text[1 << 16]; size_t n; } Terminal;
static Terminal t;
static char folder[200];

/* argv on a new terminal, with the environment `set`, a list NAME, value, ..., NULL. */
static void start(char *const argv[], const char *const *set) {
  memset(&t, 0, sizeof t);
  t.master = posix_openpt(O_RDWR | O_NOCTTY);
  CU_ASSERT_FATAL(t.master >= 0 && grantpt(t.master) == 0 && unlockpt(t.master) == 0);
  const char *name = ptsname(t.master);
  t.child = fork();
  CU_ASSERT_FATAL(t.child >= 0);
  if (t.child > 0) return;
  setsid();
  int side = open(name, O_RDWR);
  for (int fd = 0; fd < 3; fd++) dup2(side, fd);
  close(t.master);
  for (; *set; set += 2) setenv(set[0], set[1], 1);
  signal(SIGINT, SIG_DFL);
  execv(argv[0], argv);
  _exit(127);
}

/* Reads until `wanted` was written behind `first`, or nothing more comes. */
static bool sees_behind(const char *first, const char *wanted) {
  for (const char *from; (from = strstr(t.text, first)) == NULL || !strstr(from, wanted);) {
    struct pollfd p = {.fd = t.master, .events = POLLIN};
    if (poll(&p, 1, WAIT_MS) != 1 || t.n + 1 >= sizeof t.text) return false;
    ssize_t got = read(t.master, t.text + t.n, sizeof t.text - t.n - 1);
    if (got <= 0) return false;
    t.n += (size_t)got;
    t.text[t.n] = 0;
  }
  return true;
}

static bool sees(const char *wanted) { return sees_behind("", wanted); }

static void reads_to_the_end(void) { CU_ASSERT(!sees("\001 is never written")); }

static void type(const char *text) { CU_ASSERT_EQUAL(write(t.master, text, strlen(text)), (ssize_t)strlen(text)); }

static int status_of_child(void) {
  int status = 0;
  CU_ASSERT_EQUAL(waitpid(t.child, &status, 0), t.child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Of a child that ends by itself: the terminal stays until it has. */
static int ended(void) {
  int status = status_of_child();
  close(t.master);
  return status;
}

static int ended_by_hangup(void) {
  close(t.master);
  return status_of_child();
}

static char *glia(void) {
  char *path = getenv("GLIA");
  const char *tmp = getenv("TMPDIR");
  CU_ASSERT_PTR_NOT_NULL_FATAL(path);
  if (!folder[0]) {
    snprintf(folder, sizeof folder, "%.150s/glia-terminal-XXXXXX", tmp ? tmp : "/tmp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
  }
  return path;
}

static void letters_in_any_locale(void) {
  static const char *const locales[] = {"C", "POSIX", "C.UTF-8", "no_SUCH.locale", ""};
  for (int k = 0; k < 5; k++) {
    char *argv[] = {glia(), NULL};
    start(argv, (const char *[]){"LC_ALL", locales[k], "TERM", "xterm", "XDG_STATE_HOME", folder, NULL});
    CU_ASSERT(sees("> "));
    type("print \"<\", \"gr\303\266\303\237e \342\202\254\"\r");
    CU_ASSERT(sees("< gr\303\266\303\237e \342\202\254"));
    CU_ASSERT(sees_behind("< gr\303\266\303\237e \342\202\254", "> "));
    type("\004");            /* be the terminal the editor's or not */
    reads_to_the_end();
    CU_ASSERT_EQUAL(ended(), 0);
  }
}

static bool history_has(const char *text) {
  char path[400], line[400];
  snprintf(path, sizeof path, "%s/glia/history", folder);
  FILE *f = fopen(path, "r");
  bool found = false;
  while (f && fgets(line, sizeof line, f)) found |= strstr(line, text) != NULL;
  if (f) fclose(f);
  return found;
}

static void history_outlives_the_terminal(void) {
  for (int computing = 0; computing < 2; computing++) {
    char *argv[] = {glia(), NULL};
    start(argv, (const char *[]){"TERM", "xterm", "XDG_STATE_HOME", folder, NULL});
    CU_ASSERT(sees("> "));
    type(computing ? "let second = 40 + 2\r" : "let first = 40 + 2\r");
    type("print \"so\", \"far\"\r");
    CU_ASSERT(sees("so far"));
    if (computing) type("var n = 0\rwhile n >= 0 { n = n % 7 + 1 }\r");
    if (computing) CU_ASSERT(sees("% 7"));
    CU_ASSERT_EQUAL(ended_by_hangup(), 128 + SIGHUP);
    CU_ASSERT(history_has(computing ? "second" : "first"));
  }
  CU_ASSERT(history_has("first"));
}

static void colour_where_the_terminal_has_it(void) {
  static const char *const terms[] = {"xterm", "dumb", ""};
  char script[300];
  snprintf(script, sizeof script, "%s/wrong.nn", (glia(), folder));
  FILE *f = fopen(script, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs("let net = dense(1, 1)\nlet s = train(net, ([[1]], [[1]]), epochs = 2)\nprint nothing\n", f);
  fclose(f);
  for (int k = 0; k < 3; k++) {
    char *argv[] = {glia(), script, NULL};
    start(argv, (const char *[]){"TERM", terms[k], NULL});
    CU_ASSERT(sees("[E"));
    CU_ASSERT_EQUAL(strchr(t.text, '\033') != NULL, k == 0);
    reads_to_the_end();
    CU_ASSERT_EQUAL(ended(), 1);
  }
}

UNIT(TEST(letters_in_any_locale), TEST(history_outlives_the_terminal), TEST(colour_where_the_terminal_has_it))

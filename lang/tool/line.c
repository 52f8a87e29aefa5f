/* line: reads lines, with editing, history and completion where there is a terminal. In: standard input. Out: lines.
 *
 * The editor reads through a function of ours, because libedit tries an interrupted read again: Ctrl-C must leave the
 * line. It needs the terminal's character set, so the locale of characters, and that alone, is set, and only here. The
 * history is in $XDG_STATE_HOME/glia/history or ~/.local/state/glia/history; where no home is, none is kept.
 */
#define _POSIX_C_SOURCE 200809L
#include "tool/line.h"
#include "tool/cli.h"
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>
#ifdef LIBEDIT_LIBRARY
#include <dlfcn.h>
#include <histedit.h>

/* The line editor, opened when a terminal first asks for a line: a script does not pay for it. */
#define EDITOR_FUNCTIONS(DO)                                                                                   \
  DO(el_init) DO(el_end) DO(el_reset) DO(el_gets) DO(el_set) DO(el_wset) DO(el_get) DO(el_line)                  \
  DO(el_insertstr) DO(history_init) DO(history_end) DO(history)
#define POINTER(name) __typeof__(name) *name;
static struct Editor { EDITOR_FUNCTIONS(POINTER) } editor;

static bool editor_found(void) {
  void *library = dlopen(LIBEDIT_LIBRARY, RTLD_NOW | RTLD_LOCAL), *p;
  bool all_found = library != NULL;
#define FIND(name)                                                                                             \
  if (all_found) {                                                                                             \
    p = dlsym(library, #name);                                                                                 \
    memcpy(&editor.name, &p, sizeof p);                                                                        \
    all_found = p != NULL;                                                                                     \
  }
  EDITOR_FUNCTIONS(FIND)
  return all_found;
}
#endif

struct Lines {
  char *text;                /* of the present line */
  size_t cap;
  char block[4096];          /* of a pipe */
  size_t at, n;
  bool end, prompts;
  LineComplete words, paths;
  void *ctx;
#ifdef LIBEDIT_LIBRARY
  EditLine *el;
  History *history;
  const char *prompt;
  bool begins;               /* nothing of the present line has been read */
  char *file;
#endif
};

static bool room(Lines *l, size_t n) {
  if (n <= l->cap) return true;
  size_t cap = l->cap ? l->cap : 256;
  while (cap < n) cap *= 2;
  char *p = realloc(l->text, cap);
  if (!p) return false;
  l->text = p;
  l->cap = cap;
  return true;
}

static LineResult read_pipe(Lines *l, const char **text, size_t *n) {
  size_t have = 0;
  for (;;) {
    if (l->at == l->n) {
      ssize_t got = l->end ? 0 : read(STDIN_FILENO, l->block, sizeof l->block);
      if (got < 0) {
        if (errno != EINTR) return LINE_FAILED;
        if (cli_interrupted()) return LINE_INTERRUPTED;
        continue;
      }
      if (got == 0) {
        l->end = true;
        if (have == 0) return LINE_END;
        break;
      }
      l->at = 0;
      l->n = (size_t)got;
    }
    const char *from = l->block + l->at, *newline = memchr(from, '\n', l->n - l->at);
    size_t part = newline ? (size_t)(newline - from) : l->n - l->at;
    if (!room(l, have + part + 1)) return LINE_FAILED;
    memcpy(l->text + have, from, part);
    have += part;
    l->at += part + (newline != NULL);
    if (newline) break;
  }
  if (!room(l, have + 1)) return LINE_FAILED;
  l->text[have] = 0;
  *text = l->text;
  *n = have;
  return LINE_READ;
}

#ifdef LIBEDIT_LIBRARY

/* One character of the terminal, or -1 with Ctrl-C. Bytes that are no character are left out. A Ctrl-D that was typed
 * behind the prompt, but before the editor took the terminal over, waits there as a 0. */
static int read_character(EditLine *el, wchar_t *out) {
  Lines *l;
  if (editor.el_get(el, EL_CLIENTDATA, &l)) return -1;
  bool typed_ahead = l->begins && lines_waiting(l);
  l->begins = false;
  mbstate_t state = {0};
  for (;;) {
    char byte;
    ssize_t got = read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR && !cli_interrupted()) continue;
    if (got <= 0) return got < 0 ? -1 : 0;
    if (typed_ahead && byte == 0) return 0;
    wchar_t c;
    size_t done = mbrtowc(&c, &byte, 1, &state);
    if (done == (size_t)-2) continue;
    if (done == (size_t)-1) {
      memset(&state, 0, sizeof state);
      continue;
    }
    *out = c;
    return 1;
  }
}

static char *prompt_of(EditLine *el) {
  Lines *l;
  static char none[] = "";
  if (editor.el_get(el, EL_CLIENTDATA, &l)) return none;
  return (char *)(uintptr_t)l->prompt;
}

typedef struct Candidates { const char *prefix; size_t n_prefix; char **word; size_t n, cap; bool failed; } Candidates;

static void candidate(void *to, const char *word) {
  Candidates *c = to;
  if (strncmp(word, c->prefix, c->n_prefix) || c->failed) return;
  if (c->n == c->cap) {
    size_t cap = c->cap ? 2 * c->cap : 64;
    char **more = realloc(c->word, cap * sizeof *more);
    if (!more) {
      c->failed = true;
      return;
    }
    c->word = more;
    c->cap = cap;
  }
  if ((c->word[c->n] = strdup(word))) c->n++;
}

static int by_word(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorted, each once. */
static void sort_candidates(Candidates *c) {
  size_t kept = 0;
  if (c->n) qsort(c->word, c->n, sizeof *c->word, by_word);
  for (size_t k = 0; k < c->n; k++)
    if (kept && !strcmp(c->word[kept - 1], c->word[k])) free(c->word[k]);
    else c->word[kept++] = c->word[k];
  c->n = kept;
}

/* What all of them begin with. */
static size_t common(const Candidates *c) {
  size_t n = strlen(c->word[0]);
  for (size_t k = 1; k < c->n; k++) {
    size_t j = 0;
    while (j < n && c->word[k][j] == c->word[0][j]) j++;
    n = j;
  }
  return n;
}

static void show_candidates(const Candidates *c) {
  enum { WIDTH = 78 };
  size_t column = 0;
  for (size_t k = 0; k < c->n; k++) {
    size_t n = strlen(c->word[k]);
    if (column == 0 || column + n + 2 > WIDTH) {
      printf("\n");
      column = 0;
    }
    printf("%s%s", column ? "  " : "", c->word[k]);
    column += n + 2;
  }
  printf("\n");
  fflush(stdout);
}

/* Where the path before the cursor begins: behind an open quote, or behind a command that takes one; NULL: it is
 * none. */
static const char *path_before(const LineInfo *line) {
  static const char *const commands[] = {":load ", ":save ", NULL};
  const char *quote = NULL;
  for (int k = 0; commands[k]; k++) {
    size_t n = strlen(commands[k]);
    if ((size_t)(line->cursor - line->buffer) >= n && !strncmp(line->buffer, commands[k], n)) return line->buffer + n;
  }
  for (const char *p = line->buffer; p < line->cursor; p++)
    if (*p == '\\' && quote) p++;
    else if (*p == '"') quote = quote ? NULL : p + 1;
    else if (*p == '#' && !quote) return NULL;
  return quote;
}

static unsigned char complete(EditLine *el, int key) {
  (void)key;
  Lines *l;
  if (editor.el_get(el, EL_CLIENTDATA, &l)) return CC_ERROR;
  const LineInfo *line = editor.el_line(el);
  const char *first = path_before(line);
  LineComplete all = first ? l->paths : l->words;
  if (!first) {
    first = line->cursor;
    while (first > line->buffer && ((in_name(first[-1]) && !(first[-1] & 0x80)) || strchr("_.", first[-1]) ||
                                    (unsigned char)first[-1] >= 0x80)) first--;
    if (first == line->buffer + 1 && first[-1] == ':') first--;
  }
  char prefix[512];
  size_t n = (size_t)(line->cursor - first);
  if (n >= sizeof prefix) return CC_ERROR;
  memcpy(prefix, first, n);
  prefix[n] = 0;
  Candidates c = {.prefix = prefix, .n_prefix = n};
  unsigned char result = CC_ERROR;
  all(l->ctx, prefix, candidate, &c);
  sort_candidates(&c);
  if (c.n) {
    size_t same = common(&c);
    if (same > n) {
      c.word[0][same] = 0;
      result = editor.el_insertstr(el, c.word[0] + n) ? CC_ERROR : CC_REFRESH;
    } else if (c.n == 1) result = CC_NORM;
    else {
      show_candidates(&c);
      result = CC_REDISPLAY;
    }
  }
  for (size_t k = 0; k < c.n; k++) free(c.word[k]);
  free(c.word);
  return result;
}

static bool make_folders(char *path) {
  for (char *p = path + 1; *p; p++)
    if (*p == '/') {
      *p = 0;
      bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
      *p = '/';
      if (!made) return false;
    }
  return true;
}

static char *history_file(void) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  bool given = state && *state == '/';
  if (!given && !(home && *home == '/')) return NULL;
  size_t n = strlen(given ? state : home) + sizeof "/.local/state/glia/history";
  char *path = malloc(n);
  if (!path) return NULL;
  snprintf(path, n, "%s%s/glia/history", given ? state : home, given ? "" : "/.local/state");
  if (make_folders(path)) return path;
  free(path);
  return NULL;
}

/* A locale that is not there, or none, knows ASCII alone; what is typed is UTF-8 all the same. */
static void characters(void) {
  const char *set = setlocale(LC_CTYPE, "");
  if (!set || strcmp(set, "C") == 0 || strcmp(set, "POSIX") == 0) setlocale(LC_CTYPE, "C.UTF-8");
}

static void editor_open(Lines *l) {
  enum { REMEMBERED = 1000 };
  characters();
  l->el = editor_found() ? editor.el_init("glia", stdin, stdout, stderr) : NULL;
  if (!l->el) return;
  HistEvent event;
  editor.el_set(l->el, EL_CLIENTDATA, l);
  editor.el_set(l->el, EL_SIGNAL, 0);
  editor.el_set(l->el, EL_PROMPT, prompt_of);
  editor.el_set(l->el, EL_EDITOR, "emacs");
  editor.el_set(l->el, EL_GETCFN, read_character);
  editor.el_wset(l->el, EL_ADDFN, L"glia-complete", L"complete a name", complete);   /* el_set loses its copies */
  editor.el_set(l->el, EL_BIND, "^I", "glia-complete", NULL);
  editor.el_set(l->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
  l->history = editor.history_init();
  if (!l->history) return;
  editor.history(l->history, &event, H_SETSIZE, REMEMBERED);
  editor.history(l->history, &event, H_SETUNIQUE, 1);
  editor.el_set(l->el, EL_HIST, editor.history, l->history);
  l->file = history_file();
  if (l->file) editor.history(l->history, &event, H_LOAD, l->file);
}

static void editor_close(Lines *l) {
  HistEvent event;
  if (l->history && l->file && editor.history(l->history, &event, H_SAVE, l->file) >= 0) chmod(l->file, 0600);
  if (l->history) editor.history_end(l->history);
  if (l->el) editor.el_end(l->el);
  free(l->file);
}

static LineResult read_editor(Lines *l, const char *prompt, const char **text, size_t *n) {
  l->prompt = prompt;
  l->begins = true;
  int count = 0;
  const char *line = editor.el_gets(l->el, &count);
  if (cli_interrupted()) {
    editor.el_reset(l->el);
    if (cli_ending()) return LINE_INTERRUPTED;
    printf("^C\n");
    fflush(stdout);
    return LINE_INTERRUPTED;
  }
  if (!line || count <= 0) return LINE_END;
  size_t have = (size_t)count;
  while (have > 0 && (line[have - 1] == '\n' || line[have - 1] == '\r')) have--;
  if (!room(l, have + 1)) return LINE_FAILED;
  memcpy(l->text, line, have);
  l->text[have] = 0;
  *text = l->text;
  *n = have;
  return LINE_READ;
}

#endif

Lines *lines_open(bool interactive, LineComplete words, LineComplete paths, void *ctx) {
  Lines *l = calloc(1, sizeof *l);
  if (!l) return NULL;
  l->words = words;
  l->paths = paths;
  l->ctx = ctx;
  l->prompts = interactive;
#ifdef LIBEDIT_LIBRARY
  if (interactive) editor_open(l);
#endif
  return l;
}

void lines_close(Lines *l) {
  if (!l) return;
#ifdef LIBEDIT_LIBRARY
  editor_close(l);
#endif
  free(l->text);
  free(l);
}

LineResult lines_read(Lines *l, const char *prompt, const char **text, size_t *n) {
#ifdef LIBEDIT_LIBRARY
  if (l->el) return read_editor(l, prompt, text, n);
#endif
  if (l->prompts) {
    fputs(prompt, stdout);
    fflush(stdout);
  }
  return read_pipe(l, text, n);
}

bool lines_waiting(const Lines *l) {
#ifdef LIBEDIT_LIBRARY
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return l->el && poll(&input, 1, 0) == 1 && (input.revents & POLLIN);
#else
  (void)l;
  return false;
#endif
}

void lines_remember(Lines *l, const char *text) {
#ifdef LIBEDIT_LIBRARY
  HistEvent event;
  if (l->history && *text) editor.history(l->history, &event, H_ENTER, text);
#else
  (void)l;
  (void)text;
#endif
}

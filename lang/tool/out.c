/* out: what the program writes. In: text of the script, diagnostics, progress. Out: bytes on two file descriptors, in
 * the order in which they were made.
 *
 * Standard output has a buffer of its own, because stdio cannot say which write failed nor flush by time: on a terminal
 * each print appears at once; on a pipe a block at a time, but never later than a fifth of a second after the next
 * print, so that `glia f.nn | tee log` shows a long training run as it goes.
 */
#define _DEFAULT_SOURCE                /* ioctl of a terminal */
#include "tool/cli.h"
#include "runtime/base/locale.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { OUT_BLOCK = 1 << 16, OUT_WAIT = 200 };

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool write_all(Out *o, int fd, const char *text, size_t n) {
  while (n > 0) {
    ssize_t done = write(fd, text, n);
    if (done < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE) o->gone = true;
      else if (!o->error) o->error = errno;
      return false;
    }
    text += done;
    n -= (size_t)done;
  }
  return true;
}

bool out_flush(Cli *c) {
  Out *o = &c->out;
  if (o->gone || o->error) return false;
  size_t n = o->n;
  o->n = 0;
  return n == 0 || write_all(o, STDOUT_FILENO, o->at, n);
}

static void clear_bar(Cli *c) {
  if (!c->bar) return;
  c->bar = false;
  Out ignored = {0};
  write_all(&ignored, STDERR_FILENO, "\r\033[K", 4);
}

bool out_write(Cli *c, const char *text, size_t n) {
  Out *o = &c->out;
  if (o->gone || o->error) return false;
  if (o->terminal) clear_bar(c);
  if (!o->at || o->terminal || n >= OUT_BLOCK) return out_flush(c) && write_all(o, STDOUT_FILENO, text, n);
  if (o->n + n > OUT_BLOCK && !out_flush(c)) return false;
  memcpy(o->at + o->n, text, n);
  o->n += n;
  int64_t t = now();
  if (t - o->written_at < OUT_WAIT) return true;
  o->written_at = t;
  return out_flush(c);
}

void out_text(Cli *c, const char *text) { out_write(c, text, strlen(text)); }

static void formatted(Cli *c, void (*put)(Cli *, const char *), const char *fmt, va_list ap) {
  char small[512];
  va_list again;
  va_copy(again, ap);
  int n = c_vsnprintf(small, sizeof small, fmt, ap);
  if (n >= 0 && (size_t)n < sizeof small) put(c, small);
  else if (n >= 0) {
    char *large = malloc((size_t)n + 1);
    if (large) c_vsnprintf(large, (size_t)n + 1, fmt, again);
    put(c, large ? large : small);
    free(large);
  }
  va_end(again);
}

void out_printf(Cli *c, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  formatted(c, out_text, fmt, ap);
  va_end(ap);
}

/* A standard error that cannot be written is nothing that anybody could be told. */
void err_text(Cli *c, const char *text) {
  Out ignored = {0};
  out_flush(c);
  clear_bar(c);
  write_all(&ignored, STDERR_FILENO, text, strlen(text));
}

void err_printf(Cli *c, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  formatted(c, err_text, fmt, ap);
  va_end(ap);
}

bool cli_print(void *to, const char *text, size_t n, Loc loc) {
  (void)loc;
  return out_write(to, text, n);
}

bool cli_flush(void *to) { return out_flush(to); }

int cli_columns(void *to) {
  const Cli *c = to;
  struct winsize w;
  if (!c->err_terminal) return 0;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

void cli_progress(void *to, const char *text, bool final) {
  Cli *c = to;
  if (c->quiet) return;
  if (c->err_terminal) {
    if (!final) {
      if (c->out.terminal) out_flush(c);
      char line[1024];                               /* one write over the line before, so that nothing flickers */
      int n = snprintf(line, sizeof line, "\r%s\033[K", text);
      Out ignored = {0};
      if (n > 0 && (size_t)n < sizeof line) write_all(&ignored, STDERR_FILENO, line, (size_t)n);
      c->bar = true;
      return;
    }
  } else if (!final) return;
  size_t n = strlen(text);
  err_printf(c, "%s%s", text, n > 0 && text[n - 1] == '\n' ? "" : "\n");
}

int out_finish(Cli *c, int status) {
  out_flush(c);
  clear_bar(c);
  if (c->out.error) {
    char text[256];
    snprintf(text, sizeof text, "glia: cannot write standard output: %s\n", strerror(c->out.error));
    err_text(c, text);
    if (status == EXIT_DONE) status = EXIT_SCRIPT;
  }
  if (c->out.gone && status == EXIT_DONE) status = EXIT_CLOSED;
  return status;
}

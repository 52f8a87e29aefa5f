/* line: a line at a time from a person or a pipe. In: standard input. Out: lines without their newline. The editor
 * (libedit) is opened only on a terminal; a pipe is read as it is, with no prompt.
 */
#ifndef LANG_LINE_H
#define LANG_LINE_H
#include <stdbool.h>
#include <stddef.h>

typedef struct Lines Lines;
typedef enum { LINE_READ, LINE_END, LINE_INTERRUPTED, LINE_FAILED } LineResult;

/* Calls add for each word that could stand where `prefix` does. */
typedef void (*LineComplete)(void *ctx, const char *prefix, void (*add)(void *to, const char *word), void *to);

Lines *lines_open(bool interactive, LineComplete words, LineComplete paths, void *ctx);   /* NULL: no memory */
void lines_close(Lines *l);                                              /* keeps the history; NULL is fine */
/* *text is valid until the next call; it holds no newline and ends with NUL (a NUL in the text is for the parser to
 * refuse). */
LineResult lines_read(Lines *l, const char *prompt, const char **text, size_t *n);
bool lines_waiting(const Lines *l);                                       /* more of a paste is there to be read */
void lines_remember(Lines *l, const char *text);                          /* into the history, if there is one */
#endif

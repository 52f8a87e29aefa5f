/* graph_file: a formula's graph into a file, for `:graph` and `glia graph`. */
#ifndef LANG_GRAPH_FILE_H
#define LANG_GRAPH_FILE_H
#include "inspect/draw.h"
#include "tool/cli.h"
#include "tool/page.h"

typedef enum { GRAPH_TEXT, GRAPH_DOT, GRAPH_SVG, GRAPH_HTML, GRAPH_NONE } GraphForm;
GraphForm graph_form(const char *name, size_t n);         /* "txt", "dot" or "gv", "svg", "html" */
/* A formula as an expression of the session, and its node; NO_NODE: it is none. The session's -D are of its script. */
Status graph_formula(Session *s, Arena *a, const char *e, NodeId *out);
/* NULL, or why it could not be written, in x's arena. path NULL: to standard output. */
const char *graph_write(Cli *c, const Inspect *x, GraphForm form, const char *path);
/* The same of a page; scratch, and what is said, is in a. */
const char *graph_page(Cli *c, const Page *p, Arena *a, const char *path);
#endif

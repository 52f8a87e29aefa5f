/* graph_file: a formula's graph into a file, for `:graph` and `glia graph`. */
#ifndef LANG_GRAPH_FILE_H
#define LANG_GRAPH_FILE_H
#include "inspect/draw.h"
#include "tool/cli.h"

typedef enum { GRAPH_TEXT, GRAPH_DOT, GRAPH_SVG, GRAPH_NONE } GraphForm;
GraphForm graph_form(const char *name, size_t n);         /* "txt", "dot" or "gv", "svg"; GRAPH_NONE: it is none */
/* NULL, or why it could not be written, in x's arena. path NULL: to standard output. */
const char *graph_write(Cli *c, const Inspect *x, GraphForm form, const char *path);
#endif

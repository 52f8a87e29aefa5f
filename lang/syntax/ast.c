/* ast: the tree as text, a node a line, with byte spans: what golden tests compare. In: a node. Out: its dump. */
#include "syntax/ast.h"
#include <string.h>

static const char *const kind_text[N_ASTS] = {
#define AST(kind, text) text,
  AST_KINDS(AST)
#undef AST
};

const char *ast_op_text(int op) {
  static const char *const word[] = {"|>", ">>", "or", "and", "not", "==", "!=", "<=", ">=", "..", "..<", "//"};
  static const char one[][2] = {"+", "-", "*", "/", "%", "@", "^", "<", ">", "=", "~"};
  if (op >= K_PIPE && op <= K_FLOORDIV) return word[op - K_PIPE];
  for (size_t k = 0; k < sizeof one / sizeof *one; k++)
    if (one[k][0] == op) return one[k];
  return "?";
}

static void quoted(Text *t, const char *s, size_t n) {
  text_add(t, "\"");
  for (size_t k = 0; k < n; k++) {
    unsigned char c = (unsigned char)s[k];
    if (c == '\n') text_add(t, "\\n");
    else if (c == '\t') text_add(t, "\\t");
    else if (c == '"' || c == '\\') text_printf(t, "\\%c", c);
    else if (c < 0x20 || c == 0x7F) text_printf(t, "\\u{%x}", c);
    else text_add_n(t, s + k, 1);
  }
  text_add(t, "\"");
}

static void dump(Text *t, const Ast *x, int indent) {
  for (int k = 0; k < indent; k++) text_add(t, "  ");
  if (!x) {
    text_add(t, "-\n");
    return;
  }
  text_add(t, kind_text[x->kind]);
  switch (x->kind) {
  case A_INT: case A_CONST: text_printf(t, " %lld", (long long)x->i); break;
  case A_FLOAT: text_printf(t, " %.17g", x->f); break;
  case A_CHARS: text_add(t, " "); quoted(t, x->text, x->n_text); break;
  case A_HOLE: if (x->text) text_printf(t, " :%.*s", (int)x->n_text, x->text); break;
  default:
    if (x->op) text_printf(t, " %s", x->op == '=' || x->kind != A_ASSIGN ? ast_op_text(x->op) :
                           (const char[]){(char)x->op, '=', 0});
    if (x->name) text_printf(t, " %s", x->name);
    break;
  }
  text_printf(t, " @ %u..%u", x->span.first, x->span.end);
  if (x->at.first != x->span.first || x->at.end != x->span.end) text_printf(t, " at %u..%u", x->at.first, x->at.end);
  if (x->parens) text_printf(t, " parens %d", x->parens);
  if (x->doc) {
    text_add(t, " doc ");
    quoted(t, x->doc, strlen(x->doc));
  }
  text_add(t, "\n");
  for (uint32_t k = 0; k < x->n; k++) dump(t, x->kid[k], indent + 1);
}

char *ast_dump(const Ast *ast, Arena *a) {
  Text t = {.arena = a};
  dump(&t, ast, 0);
  return t.at;
}

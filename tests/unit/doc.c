/* `glia doc NAME`: every name that a script can use without defining it has a signature and a text; every diagnostic
 * and every word of the language is explained. The examples in these texts are run by the part `library` of
 * tests/run. */
#include "lang/tool/cli.h"
#include "lang/elab/elab.h"
#include "lang/elab/native.h"
#include "lang/tool/pages.h"
#include "lang/text/stdlib.h"
#include <string.h>
#include "unit.h"

static Host host;
static Arena *a;

/* More than the signature: a second line that begins a sentence. */
static void explained(const char *name) {
  const char *near, *text = doc_of(a, NULL, name, &near), *line = text ? strchr(text, '\n') : NULL;
  bool ok = line && strlen(line) > 12;
  if (!ok) fprintf(stderr, "`glia doc %s` explains nothing: %s\n", name, text ? text : "no such name");
  CU_ASSERT(ok);
}

static void operations(void) {
  for (int k = 0; k < N_OPS; k++)
    if (!(op_table[k]->flags & OP_HIDDEN)) explained(op_table[k]->name);
}

static void natives(void) {
  for (const Native *const *table = native_tables; *table; table++)
    for (const Native *n = *table; n->name; n++) explained(n->name);
}

static void library(void) {
  for (int k = 0; k < stdlib_n_names; k++) explained(stdlib_names[k].name);
}

/* A command is explained by its line of the usage, beside its signature. */
static void word(void *to, const char *name) {
  const char *near, *text = doc_of(a, NULL, name, &near);
  ++*(int *)to;
  CU_ASSERT(text && strlen(text) > strlen(name) + 6);
}

static void words(void) {
  int n = 0;
  doc_word_names(word, &n);
  CU_ASSERT(n > 40);
}

static void diagnostics(void) {
  for (int k = 0; k < N_DIAGS; k++) explained(diag_info[k].code);
}

static void near_names(void) {
  const char *near;
  CU_ASSERT_PTR_NULL(doc_of(a, NULL, "sofmax", &near));
  CU_ASSERT_STRING_EQUAL(near, "softmax");
  CU_ASSERT_PTR_NULL(doc_of(a, NULL, "qqqqqqqqqq", &near));
  CU_ASSERT_PTR_NULL(near);
}

static void in_arena(void (*f)(void)) {
  Guard g;
  host_init(&host, NULL, NULL);
  if (HOST_GUARD(&host, &g)) {
    a = arena_new(&host);
    f();
    arena_free(a);
    host_leave(&host, &g);
  } else CU_FAIL(host.message);
}

static void every_operation(void) { in_arena(operations); }
static void every_native(void) { in_arena(natives); }
static void every_library_name(void) { in_arena(library); }
static void every_word(void) { in_arena(words); }
static void every_diagnostic(void) { in_arena(diagnostics); }
static void a_name_that_is_near(void) { in_arena(near_names); }

UNIT(TEST(every_operation), TEST(every_native), TEST(every_library_name), TEST(every_word), TEST(every_diagnostic),
     TEST(a_name_that_is_near))

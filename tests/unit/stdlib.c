/* stdlib: the embedded table is in order, and a name finds its definition. */
#include "lang/text/stdlib.h"
#include <string.h>
#include "unit.h"

static void files(void) {
  int n = 0;
  for (; stdlib_files[n].name; n++) {
    CU_ASSERT_EQUAL(strlen(stdlib_files[n].text), stdlib_files[n].n);
    CU_ASSERT(stdlib_files[n].n > 0);
  }
  CU_ASSERT_EQUAL(n, stdlib_n_files);
}

static void names(void) {
  int n = 0;
  for (; stdlib_names[n].name; n++) {
    const StdName *s = &stdlib_names[n];
    CU_ASSERT(n == 0 || strcmp(stdlib_names[n - 1].name, s->name) < 0);
    CU_ASSERT_EQUAL(stdlib_find(s->name), s->file);
    CU_ASSERT_PTR_EQUAL(stdlib_entry(s->name), s);
    const StdFile *f = &stdlib_files[s->file];
    CU_ASSERT(s->first < s->end && s->end <= f->n && f->text[s->end - 1] == '\n');
    const char *at = strstr(f->text + s->first, s->name);
    CU_ASSERT(at && at < f->text + s->end);
    char longer[200];
    snprintf(longer, sizeof longer, "%s+", s->name);
    CU_ASSERT_EQUAL(stdlib_find_n(longer, strlen(s->name)), s->file);
    CU_ASSERT_EQUAL(stdlib_find(longer), -1);
  }
  CU_ASSERT_EQUAL(n, stdlib_n_names);
  CU_ASSERT_EQUAL(stdlib_find(""), -1);
  CU_ASSERT_EQUAL(stdlib_find("~~~"), -1);
}

/* The definitions of a file are all of it below the comment at its head, each byte once. */
static void definitions(void) {
  for (int file = 0; stdlib_files[file].name; file++) {
    const StdFile *f = &stdlib_files[file];
    size_t bytes = 0, head = f->n;
    for (const StdName *s = stdlib_names; s->name; s++) {
      if (s->file != file) continue;
      bytes += s->end - s->first;
      if (s->first < head) head = s->first;
    }
    CU_ASSERT_EQUAL(head + bytes, f->n);
    for (size_t k = 0; k < head; k += strcspn(f->text + k, "\n") + 1)
      CU_ASSERT(f->text[k] == '#' || f->text[k] == '\n');
  }
}

UNIT(TEST(files), TEST(names), TEST(definitions))

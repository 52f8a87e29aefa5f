/* stdlib: the embedded table is in order, and a name finds its file. */
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
    CU_ASSERT_PTR_NOT_NULL(strstr(stdlib_files[s->file].text, s->name));
    char longer[200];
    snprintf(longer, sizeof longer, "%s+", s->name);
    CU_ASSERT_EQUAL(stdlib_find_n(longer, strlen(s->name)), s->file);
    CU_ASSERT_EQUAL(stdlib_find(longer), -1);
  }
  CU_ASSERT_EQUAL(n, stdlib_n_names);
  CU_ASSERT_EQUAL(stdlib_find(""), -1);
  CU_ASSERT_EQUAL(stdlib_find("~~~"), -1);
}

UNIT(TEST(files), TEST(names))

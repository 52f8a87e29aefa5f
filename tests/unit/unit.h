/* unit: the frame of a CUnit program. A line `ok NAME` or `not ok NAME` a test, each failed assertion below it, and a
 * status that is not zero if any failed. NAME is the file's below tests/ and the test's: unit/arena/counts.
 *
 *   static void counts(void) { CU_ASSERT_EQUAL(1 + 1, 2); }
 *   UNIT(TEST(counts), TEST(another))
 *
 * UNIT_TEST=counts in the environment runs this test alone; UNIT_LIST=1 writes the names and runs none. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H
#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST(f) {#f, f}
#define UNIT(...)                                                        \
  int main(void) {                                                       \
    static CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};       \
    return unit_run(__FILE__, tests);                                    \
  }

static void unit_done(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure) {
  printf("%s %s/%s\n", failure ? "not ok" : "ok", suite->pName, test->pName);
  for (CU_pFailureRecord f = failure; f; f = f->pNext)
    printf("  %s:%u: %s\n", f->strFileName ? f->strFileName : "", f->uiLineNumber, f->strCondition);
  fflush(stdout);
}

/* `../tests/unit/arena.c` is unit/arena */
static void unit_name(const char *file, char *name, size_t size) {
  const char *below = file;
  for (const char *p = file; (p = strstr(p, "tests/")) != NULL; p += strlen("tests/")) below = p + strlen("tests/");
  snprintf(name, size, "%.*s", (int)strcspn(below, "."), below);
}

__attribute__((unused)) static int unit_run(const char *file, CU_TestInfo *tests) {
  char suite[100];
  unit_name(file, suite, sizeof suite);
  if (getenv("UNIT_LIST")) {
    for (const CU_TestInfo *t = tests; t->pName; t++) printf("%s/%s\n", suite, t->pName);
    return 0;
  }
  CU_SuiteInfo suites[] = {{suite, NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};
  if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
    printf("not ok %s: CUnit does not start\n", suite);
    return 2;
  }
  CU_set_test_complete_handler(unit_done);
  const char *only = getenv("UNIT_TEST");
  if (!only) CU_run_all_tests();
  else if (CU_run_test(CU_get_suite(suite), CU_get_test(CU_get_suite(suite), only)) != CUE_SUCCESS) {
    printf("not ok %s: it has no test `%s`\n", suite, only);
    return 2;
  }
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
#endif

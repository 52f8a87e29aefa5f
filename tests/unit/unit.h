/* unit: the frame of a CUnit program. A line `ok NAME` or `not ok NAME` a test, each failed assertion below it, and a
 * status that is not zero if any failed.
 *
 *   static void counts(void) { CU_ASSERT_EQUAL(1 + 1, 2); }
 *   UNIT(TEST(counts), TEST(another))
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H
#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>
#include <stdio.h>

#define TEST(f) {#f, f}
#define UNIT(...)                                                        \
  int main(void) {                                                       \
    static CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};       \
    return unit_run(__FILE__, tests);                                    \
  }

static void unit_done(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure) {
  printf("%s %s: %s\n", failure ? "not ok" : "ok", suite->pName, test->pName);
  for (CU_pFailureRecord f = failure; f; f = f->pNext)
    printf("  %s:%u: %s\n", f->strFileName ? f->strFileName : "", f->uiLineNumber, f->strCondition);
  fflush(stdout);
}

__attribute__((unused)) static int unit_run(const char *file, CU_TestInfo *tests) {
  const char *name = file;
  for (const char *p = file; *p; p++)
    if (*p == '/') name = p + 1;
  char suite[100];
  snprintf(suite, sizeof suite, "unit/%.*s", (int)sizeof suite - 8, name);
  CU_SuiteInfo suites[] = {{suite, NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};
  if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) {
    printf("not ok %s: CUnit does not start\n", suite);
    return 2;
  }
  CU_set_test_complete_handler(unit_done);
  CU_run_all_tests();
  unsigned failed = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failed ? 1 : 0;
}
#endif

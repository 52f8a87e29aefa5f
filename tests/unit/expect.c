/* Expectations: what matches, and which statement a comment belongs to. */
#include "unit.h"
#include "lang/tool/expect.h"
#include <string.h>

static void exact(void) {
  CU_ASSERT(expect_match("[0, 0, 0, 1]", "[0, 0, 0, 1]\n"));
  CU_ASSERT(!expect_match("[0, 0, 0, 1]", "[0, 0, 0, 0]"));
  CU_ASSERT(!expect_match("[0, 0, 0, 1]", "[0, 0, 0, 0.9]"));
  CU_ASSERT(!expect_match("[0, 0, 0, 1]", "[0, 0, 0, 1"));
  CU_ASSERT(!expect_match("[0]", "[0] 1"));
  CU_ASSERT(expect_match(" hello world", "hello world\n"));
  CU_ASSERT(!expect_match("hello world", "helloworld"));
  CU_ASSERT(!expect_match("", "x"));
  CU_ASSERT(expect_match("", "\n"));
}

static void rounded(void) {
  CU_ASSERT(expect_match("0.59", "0.5893"));
  CU_ASSERT(!expect_match("0.59", "0.5951"));
  CU_ASSERT(!expect_match("0.58", "0.5893"));
  CU_ASSERT(expect_match("-1.0", "-0.96"));
  CU_ASSERT(!expect_match("1.0", "-0.96"));
  CU_ASSERT(expect_match("0.0", "-0.0001"));
  CU_ASSERT(expect_match("1.2e-05", "1.2345e-05"));
  CU_ASSERT(expect_match("97.2%", "97.21%"));
  CU_ASSERT(!expect_match("97.2%", "97.21"));
  CU_ASSERT(expect_match("z = [0.8, 0.2], p = 0.59", "z = [0.8, 0.2], p = 0.589"));
  CU_ASSERT(expect_match("1.0", "1"));
}

static void words_are_no_numbers(void) {
  CU_ASSERT(!expect_match("f32", "f64"));
  CU_ASSERT(!expect_match("x1.5", "x1.52"));
  CU_ASSERT(expect_match("nan inf", "nan inf"));
  CU_ASSERT(!expect_match("2.5kg", "2.51kg"));
}

static void layout(void) {
  CU_ASSERT(expect_match("[[1, 2], [3, 4]]", "[[1, 2],\n [3, 4]]\n"));
  CU_ASSERT(expect_match("a\n  b", "a b"));
  CU_ASSERT(!expect_match("[1,2]", "[1, 2]"));
}

static void in_docs(void) {
  Host h;
  host_init(&h, NULL, NULL);
  Guard g;
  if (!HOST_GUARD(&h, &g)) {
    CU_FAIL("no memory");
    return;
  }
  Arena *a = arena_new(&h);
  DocExamples e = {0};
  doc_examples(a, "Sine.\n  sin(0)   # => 0\nprose # not one\nf(\"# => \")  # => 1,\n  #  2\ncos(0) # => 1", &e);
  CU_ASSERT_EQUAL_FATAL(e.n, 3);
  CU_ASSERT(!strncmp(e.at[0].expr, "sin(0)", 6));
  CU_ASSERT_STRING_EQUAL(e.at[0].wanted, " 0");
  CU_ASSERT_EQUAL(e.at[0].line, 1);
  CU_ASSERT(expect_match(e.at[1].wanted, "1, 2"));
  CU_ASSERT_EQUAL(e.at[1].line, 3);
  CU_ASSERT_EQUAL(e.at[2].line, 5);
  arena_free(a);
  host_leave(&h, &g);
}

UNIT(TEST(exact), TEST(rounded), TEST(words_are_no_numbers), TEST(layout), TEST(in_docs))

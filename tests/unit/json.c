/* JSON and HTML: what is written reads back as what it was, and ends no element. */
#include "unit.h"
#include "lang/tool/json.h"
#include <math.h>
#include <string.h>

static Host host;
static Arena *a;

static const char *string(const char *s, size_t n) {
  Text t = {.arena = a};
  json_string(&t, s, n);
  return t.at;
}

static const char *number(double v, DType d) {
  Text t = {.arena = a};
  json_number(&t, v, d);
  return t.at;
}

static void begin(void) {
  host_init(&host, NULL, NULL);
  a = arena_new(&host);
  arena_keep(a);
}

static void strings(void) {
  begin();
  CU_ASSERT_STRING_EQUAL(string("a", 1), "\"a\"");
  CU_ASSERT_STRING_EQUAL(string("", 0), "\"\"");
  CU_ASSERT_STRING_EQUAL(string("\"\\\n\t\x01\x7f", 6), "\"\\\"\\\\\\n\\t\\u0001\\u007f\"");
  CU_ASSERT_STRING_EQUAL(string("</script>&", 10), "\"\\u003c/script\\u003e\\u0026\"");
  CU_ASSERT_STRING_EQUAL(string("\xc3\xa9 \xe2\x96\x88", 6), "\"\xc3\xa9 \xe2\x96\x88\"");
  CU_ASSERT_STRING_EQUAL(string("x\xff" "y\xc3", 4), "\"x\xef\xbf\xbdy\xef\xbf\xbd\"");
  CU_ASSERT_STRING_EQUAL(string("a\0b", 3), "\"a\\u0000b\"");
  Text t = {.arena = a};
  json_text(&t, NULL);
  CU_ASSERT_STRING_EQUAL(t.at, "null");
  arena_free(a);
}

static void numbers(void) {
  begin();
  CU_ASSERT_STRING_EQUAL(number(0.1f, F32), "0.1");
  CU_ASSERT_STRING_EQUAL(number(1.0f / 3, F32), "0.33333334");
  CU_ASSERT_STRING_EQUAL(number(0.1, F64), "0.1");
  CU_ASSERT_STRING_EQUAL(number(1.0 / 3, F64), "0.3333333333333333");
  CU_ASSERT_STRING_EQUAL(number(16777217, I32), "16777217");
  CU_ASSERT_STRING_EQUAL(number(-2147483648.0, I32), "-2147483648");
  CU_ASSERT_STRING_EQUAL(number(1, BOOL), "true");
  CU_ASSERT_STRING_EQUAL(number(NAN, F32), "null");
  CU_ASSERT_STRING_EQUAL(number(-INFINITY, F64), "-1e999");
  arena_free(a);
}

static void tensors(void) {
  begin();
  Type type = type_make(F32, 2, (int64_t[]){2, 2});
  Tensor *x = tensor_from(&host, &type, (float[]){1, 2.5f, -3, 0});
  Text t = {.arena = a};
  text_add(&t, "{");
  json_key(&t, "x");
  json_tensor(&t, x);
  json_key(&t, "y");
  text_add(&t, "1}");
  CU_ASSERT_STRING_EQUAL(t.at, "{\"x\": [[1, 2.5], [-3, 0]], \"y\": 1}");
  tensor_unref(x);
  arena_free(a);
}

static void html(void) {
  begin();
  Text t = {.arena = a};
  html_text(&t, "<a href='x'>&\"\x01\xff", 16);
  CU_ASSERT_STRING_EQUAL(t.at, "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\xef\xbf\xbd\xef\xbf\xbd");
  arena_free(a);
}

UNIT(TEST(strings), TEST(numbers), TEST(tensors), TEST(html))

/* format: numbers, formats, nested brackets, elision, templates. */
#include "lang/steps/format.h"
#include <locale.h>
#include <math.h>
#include <string.h>
#include "alloc_fail.h"
#include "unit.h"

static Host host;
static Arena *arena;

static char *number(double v, DType d, const char *format) {
  Format f = {.digits = -1};
  if (format) CU_ASSERT_PTR_NULL(format_parse(arena, format, strlen(format), &f));
  Text t = {.arena = arena};
  format_number(&t, v, d, format ? &f : NULL);
  return t.at;
}

static Tensor *tensor(DType d, int rank, const int64_t *dim) {
  Type type = type_make(d, rank, dim);
  return tensor_new(&host, &type);
}

static Tensor *counted(DType d, int rank, const int64_t *dim) {
  Tensor *x = tensor(d, rank, dim);
  for (int64_t k = 0; k < type_count(&x->type); k++) tensor_set(x, k, (double)k);
  return x;
}

/* The text, and the tensor is given up. */
static char *shown(Tensor *x, const Format *f, int indent) {
  Text t = {.arena = arena};
  format_tensor(&t, x, f, indent);
  tensor_unref(x);
  return t.at;
}

/* A test in an arena of its own, which leaves nothing behind. */
#define WITH_ARENA(name)                           \
  static void name##_body(void);                   \
  static void name(void) {                         \
    Guard g;                                       \
    host_init(&host, NULL, NULL);                  \
    CU_ASSERT_FATAL(HOST_GUARD(&host, &g));        \
    arena = arena_new(&host);                      \
    name##_body();                                 \
    arena_free(arena);                             \
    CU_ASSERT_EQUAL(host.in_use, 0);               \
    host_leave(&host, &g);                         \
  }                                                \
  static void name##_body(void)
#define IS(text, want) CU_ASSERT_STRING_EQUAL(text, want)

WITH_ARENA(numbers) {
  IS(number(1, F32, NULL), "1");
  IS(number(-0.0, F64, NULL), "0");
  IS(number(NAN, F32, NULL), "nan");
  IS(number(-NAN, F32, NULL), "nan");
  IS(number(INFINITY, F32, NULL), "inf");
  IS(number(-INFINITY, F64, ".2"), "-inf");
  IS(number((double)0.1f, F32, NULL), "0.1");
  IS(number((double)(1.0f / 3), F32, NULL), "0.333333");
  IS(number(1e-10, F64, NULL), "1e-10");
  IS(number(123456.4, F64, NULL), "123456");
  IS(number(1234567, F64, NULL), "1.23457e+06");
  IS(number(1234567, I32, NULL), "1234567");
  IS(number(-2147483648.0, I32, NULL), "-2147483648");
  IS(number(255, U8, NULL), "255");
  IS(number(1, BOOL, NULL), "true");
  IS(number(0, BOOL, ".2"), "false");
}

WITH_ARENA(formats) {
  IS(number(0.123456, F32, ".4"), "0.1235");
  IS(number(3, I32, ".2"), "3.00");
  IS(number(3.14159, F32, "6.2"), "  3.14");
  IS(number(42, I32, "6"), "    42");
  IS(number(0.5, F64, "6"), "   0.5");
  IS(number(12345.678, F64, ".3e"), "1.235e+04");
  IS(number(12345.678, F64, "e"), "1.23457e+04");
  IS(number(0.98765, F32, ".1%"), "98.8%");
  IS(number(0.5, F32, "%"), "50%");
  IS(number(0.5, F32, "8.1%"), "   50.0%");
  IS(number(1e305, F64, ".1%"), "1e+305%");
  IS(number(-0.00001, F64, ".2"), "0.00");
  IS(number(-0.00001, F64, ".1%"), "0.0%");
  IS(number(-0.0, F64, ".1e"), "0.0e+00");
  IS(number(-1e-9, F64, ".1e"), "-1.0e-09");
  IS(number(1, BOOL, "6"), "  true");
  CU_ASSERT_EQUAL(strlen(number(1.7e308, F64, ".99")), 409);
}

WITH_ARENA(wrong_formats) {
  static const char *const wrong[] = {"", " ", ".", "6.", "x", ".4f", ".4 e", "%%", "-3", ".100", "1000", ".4e%",
                                      "99999999999999999999", ".99999999999999999999"};
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
    Format f = {.kind = 'x'};
    CU_ASSERT_PTR_NOT_NULL(format_parse(arena, wrong[k], strlen(wrong[k]), &f));
    CU_ASSERT_EQUAL(f.kind, 'x');
  }
  Format f;
  CU_ASSERT_PTR_NULL(format_parse(arena, " .4 ", 4, &f));
  CU_ASSERT(f.kind == 'f' && f.digits == 4 && f.width == 0);
}

WITH_ARENA(long_ints) {
  Text t = {.arena = arena};
  format_int(&t, INT64_MIN, NULL);
  text_add(&t, " ");
  format_int(&t, 9007199254740993, &(Format){.width = 20, .digits = -1});
  IS(t.at, "-9223372036854775808     9007199254740993");
}

WITH_ARENA(brackets) {
  IS(shown(counted(F32, 0, NULL), NULL, 0), "0");
  IS(shown(counted(F32, 1, (int64_t[]){3}), NULL, 0), "[0, 1, 2]");
  IS(shown(counted(I32, 2, (int64_t[]){2, 3}), NULL, 0), "[[0, 1, 2], [3, 4, 5]]");
  IS(shown(counted(F32, 2, (int64_t[]){2, 2}), &(Format){.kind = 'f', .digits = 1}, 0), "[[0.0, 1.0], [2.0, 3.0]]");
  IS(shown(counted(F32, 1, (int64_t[]){0}), NULL, 0), "[]");
  IS(shown(counted(F32, 2, (int64_t[]){2, 0}), NULL, 0), "[[], []]");
  IS(shown(counted(F32, 2, (int64_t[]){0, 5}), NULL, 0), "[]");
  IS(shown(counted(I32, 2, (int64_t[]){2, 15}), NULL, 0),
     "[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],\n"
     " [15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]]");
  IS(shown(counted(I32, 3, (int64_t[]){2, 2, 10}), NULL, 4),
     "[[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],\n"
     "      [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]],\n"
     "     [[20, 21, 22, 23, 24, 25, 26, 27, 28, 29],\n"
     "      [30, 31, 32, 33, 34, 35, 36, 37, 38, 39]]]");
}

/* 80 columns are one line, 81 are not. */
WITH_ARENA(eighty_columns) {
  CU_ASSERT_EQUAL(strlen(shown(tensor(U8, 2, (int64_t[]){2, 12}), NULL, 0)), 76);
  CU_ASSERT_PTR_NULL(strchr(shown(tensor(U8, 2, (int64_t[]){2, 12}), NULL, 4), '\n'));
  CU_ASSERT_PTR_NOT_NULL(strchr(shown(tensor(U8, 2, (int64_t[]){2, 12}), NULL, 5), '\n'));
}

WITH_ARENA(elision) {
  IS(shown(counted(I32, 1, (int64_t[]){1001}), NULL, 0), "[0, 1, 2, ..., 998, 999, 1000] shape [1001]");
  IS(shown(counted(I32, 2, (int64_t[]){2, 600}), NULL, 0),
     "[[0, 1, 2, ..., 597, 598, 599], [600, 601, 602, ..., 1197, 1198, 1199]] shape [2, 600]");
  IS(shown(counted(I32, 2, (int64_t[]){300, 4}), NULL, 0),
     "[[0, 1, 2, 3],\n [4, 5, 6, 7],\n [8, 9, 10, 11],\n ...,\n"
     " [1188, 1189, 1190, 1191],\n [1192, 1193, 1194, 1195],\n [1196, 1197, 1198, 1199]] shape [300, 4]");
  CU_ASSERT_PTR_NULL(strstr(shown(counted(I32, 1, (int64_t[]){1000}), NULL, 0), "..."));
  IS(shown(tensor(F32, 2, (int64_t[]){(int64_t)1 << 30, 0}), NULL, 0),
     "[[], [], [], ..., [], [], []] shape [1073741824, 0]");
  Tensor *deep = tensor(U8, 6, (int64_t[]){7, 7, 7, 7, 7, 7});
  CU_ASSERT(strlen(shown(deep, NULL, 0)) < 4000);
}

WITH_ARENA(templates) {
  Tensor *a = counted(I32, 2, (int64_t[]){2, 15});
  Tensor *b = counted(F32, 0, NULL);
  Template m = {0};
  vec_push(arena, &m.part, (Part){.text = "é "});
  vec_push(arena, &m.part, (Part){.need = 1, .format = {.kind = 'f', .digits = 2}});
  vec_push(arena, &m.part, (Part){.text = " w "});
  vec_push(arena, &m.part, (Part){.need = 0, .format = {.digits = -1}});
  Text t = {.arena = arena};
  template_write(&t, &m, (Tensor *[]){a, b});
  IS(t.at,
     "é 0.00 w [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],\n"
     "          [15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]]");
  tensor_unref(a);
  tensor_unref(b);
}

/* A host may have set a locale whose point is a comma. */
WITH_ARENA(locales) {
  const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF.UTF-8"};
  for (size_t k = 0; k < 4; k++)
    if (setlocale(LC_NUMERIC, names[k])) {
      IS(number(0.5, F64, NULL), "0.5");
      IS(number(12345.678, F64, ".2e"), "1.23e+04");
    }
  setlocale(LC_NUMERIC, "C");
}

static void build(Host *h, void *ctx) {
  (void)ctx;
  Arena *a = arena_new(h);
  Type type = type_make(F32, 2, (int64_t[]){30, 30});
  Tensor *x = tensor_new(h, &type);
  Text t = {.arena = a};
  format_tensor(&t, x, NULL, 0);
  tensor_unref(x);
  arena_free(a);
}

static void every_allocation_fails_once(void) { CU_ASSERT(alloc_fail_each(build, NULL) > 4); }

UNIT(TEST(numbers), TEST(formats), TEST(wrong_formats), TEST(long_ints), TEST(brackets), TEST(eighty_columns),
     TEST(elision), TEST(templates), TEST(locales), TEST(every_allocation_fails_once))

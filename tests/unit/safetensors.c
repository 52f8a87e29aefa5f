/* safetensors: the bytes that are written, and headers that lie. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "unit.h"

static char path[200];
static Host host;
static FileError err;
static NamedTensor *found;
static size_t n_found;

static const char *file(void) {
  if (!path[0]) {
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%.150s/glia-safetensors-%ld", tmp ? tmp : "/tmp", (long)getpid());
  }
  return path;
}

static void put(const char *json, size_t promised, const void *data, size_t n) {
  FILE *f = fopen(file(), "wb");
  CU_ASSERT_FATAL(f != NULL);
  for (int k = 0; k < 8; k++) fputc((int)(promised >> 8 * k & 255), f);
  fputs(json, f);
  fwrite(data, 1, n, f);
  fclose(f);
}

/* Reads into arena a, which is the caller's to free. */
static bool get(Arena **a) {
  Guard g;
  volatile bool good = false;
  host_init(&host, NULL, NULL);
  if (HOST_GUARD(&host, &g)) {
    *a = arena_new(&host);
    good = safetensors_read(*a, file(), &found, &n_found, &err);
    arena_keep(*a);
    for (size_t k = 0; good && k < n_found; k++) tensor_keep(found[k].tensor);
    host_leave(&host, &g);
  } else {
    CU_FAIL("left by the guard");
  }
  return good;
}

static void refused(const char *json, size_t data, const char *why) {
  static const char bytes[64] = {0};
  Arena *a = NULL;
  put(json, strlen(json), bytes, data);
  CU_ASSERT_FALSE(get(&a));
  if (!strstr(err.text, why)) printf("  said: %s\n", err.text);
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, why));
  arena_free(a);
  CU_ASSERT_EQUAL(host.in_use, 0);
}

static void written_bytes(void) {
  static const char wanted[] =
    "\x88\0\0\0\0\0\0\0{\"w\\\"\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
    "\"a.\xc3\xa9\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[8,9]},"
    "\"z\":{\"dtype\":\"F64\",\"shape\":[0,3],\"data_offsets\":[9,9]}}";
  Guard g;
  host_init(&host, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&host, &g));
  Type t1 = type_make(F32, 1, (int64_t[]){2}), t2 = type_scalar(U8), t3 = type_make(F64, 2, (int64_t[]){0, 3});
  NamedTensor t[] = {{"w\"", tensor_from(&host, &t1, (float[]){1.5f, -2})},
                     {"a.\xc3\xa9", tensor_from(&host, &t2, "\7")},
                     {"z", tensor_new(&host, &t3)}};
  CU_ASSERT(safetensors_write(&host, file(), t, 3, &err));
  char bytes[400] = {0};
  FILE *f = fopen(file(), "rb");
  size_t n = fread(bytes, 1, sizeof bytes, f), head = 8 + (unsigned char)bytes[0];
  fclose(f);
  CU_ASSERT_EQUAL(head % 8, 0);
  CU_ASSERT_EQUAL(n, head + 9);
  CU_ASSERT_EQUAL(memcmp(bytes + 8, wanted + 8, sizeof wanted - 9), 0);
  for (size_t k = sizeof wanted - 1; k < head; k++) CU_ASSERT_EQUAL(bytes[k], ' ');
  CU_ASSERT_EQUAL(memcmp(bytes + head, "\0\0\xc0\x3f\0\0\0\xc0\7", 9), 0);
  NamedTensor same[] = {{"a", t[0].tensor}, {"b", t[0].tensor}, {"a", t[1].tensor}};
  CU_ASSERT_FALSE(safetensors_write(&host, file(), same, 3, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "two tensors are called `a`"));
  same[2].name = "\xff";
  CU_ASSERT_FALSE(safetensors_write(&host, file(), same, 3, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is not UTF-8"));
  same[2].name = "__metadata__";
  CU_ASSERT_FALSE(safetensors_write(&host, file(), same, 3, &err));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the format uses that name itself"));
  for (int k = 0; k < 3; k++) tensor_unref(t[k].tensor);
  host_leave(&host, &g);
  CU_ASSERT_EQUAL(host.in_use, 0);
  Arena *a = NULL;
  CU_ASSERT_FATAL(get(&a));
  CU_ASSERT_EQUAL_FATAL(n_found, 3);
  CU_ASSERT_STRING_EQUAL(found[0].name, "w\"");
  CU_ASSERT_STRING_EQUAL(found[1].name, "a.\xc3\xa9");
  CU_ASSERT(type_eq(&found[2].tensor->type, &t3));
  CU_ASSERT(tensor_get(found[0].tensor, 1) == -2);
  for (size_t k = 0; k < 3; k++) tensor_unref(found[k].tensor);
  arena_free(a);
  CU_ASSERT_EQUAL(host.in_use, 0);
}

/* Other writers sort differently and add metadata. */
static void others_files(void) {
  const char json[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                      "\"b\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[1,5]},"
                      "\"a\":{\"data_offsets\":[0,1],\"shape\":[1,1],\"dtype\":\"BOOL\"}}   ";
  put(json, sizeof json - 1, "\1\xfe\xff\xff\xff", 5);
  Arena *a = NULL;
  CU_ASSERT_FATAL(get(&a));
  CU_ASSERT_EQUAL_FATAL(n_found, 2);
  CU_ASSERT_STRING_EQUAL(found[0].name, "b");
  CU_ASSERT(tensor_get(found[0].tensor, 0) == -2);
  CU_ASSERT(found[1].tensor->type.dtype == BOOL && tensor_get(found[1].tensor, 0) == 1);
  for (size_t k = 0; k < 2; k++) tensor_unref(found[k].tensor);
  arena_free(a);
  put("{}", 2, "", 0);
  CU_ASSERT(get(&a));
  CU_ASSERT_EQUAL(n_found, 0);
  arena_free(a);
  CU_ASSERT_EQUAL(host.in_use, 0);
}

#define E(name, dtype, shape, from, to) \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" from "," to "]}"

static void lying_headers(void) {
  refused("", 0, "is not JSON");
  refused("[]", 0, "is no JSON object");
  refused("{", 0, "is not JSON");
  refused("{\"a\":3}", 0, "lacks its dtype");
  refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 0, "lacks its dtype");
  refused("{" E("a", "BF16", "2", "0", "4") "}", 4, "has the element type BF16");
  refused("{" E("a", "U8", "-2", "0", "2") "}", 2, "something that is no size");
  refused("{" E("a", "U8", "2.0", "0", "2") "}", 2, "something that is no size");
  refused("{" E("a", "U8", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "0", "1") "}", 1, "has 17 dimensions");
  refused("{" E("a", "F64", "4294967296,4294967296", "0", "0") "}", 0, "would be larger than");
  refused("{" E("a", "U8", "99999999999999999999", "0", "0") "}", 0, "is not JSON");
  refused("{" E("a", "F32", "2", "0", "4") "}", 4, "hold 4 bytes, but its shape wants 8");
  refused("{" E("a", "F32", "1", "4", "0") "}", 4, "not two offsets in order");
  refused("{" E("a", "F32", "1", "-4", "0") "}", 4, "not two offsets in order");
  refused("{" E("a", "F32", "1", "0", "4") "," E("b", "F32", "1", "2", "6") "}", 6,
          "the data of `b` overlaps that of `a`");
  refused("{" E("a", "F32", "1", "0", "4") "," E("b", "F32", "1", "8", "12") "}", 12, "4 bytes before the data of `b`");
  refused("{" E("a", "F32", "1", "0", "4") "," E("a", "F32", "1", "4", "8") "}", 8, "duplicate");
  refused("{" E("a", "F32", "2", "0", "8") "}", 5, "the file ends after 5 of the 8 bytes");
  refused("{" E("a", "F32", "1", "0", "4") "}", 5, "1 bytes at its end belong to no tensor");
  refused("{" E("a", "F32", "1", "9223372036854775804", "9223372036854775807") "}", 4, "hold 3 bytes");
  Arena *a = NULL;
  put("{" E("a", "BOOL", "1", "0", "1") "}", strlen("{" E("a", "BOOL", "1", "0", "1") "}"), "\2", 1);
  CU_ASSERT_FALSE(get(&a));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "holds the byte 2"));
  arena_free(a);
}

static void lying_lengths(void) {
  Arena *a = NULL;
  put("{}", (size_t)-1, "", 0);
  CU_ASSERT_FALSE(get(&a));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is it a safetensors file?"));
  arena_free(a);
  put("{}", 3, "", 0);
  CU_ASSERT_FALSE(get(&a));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "its header would have 3 bytes of the 10 of the file"));
  arena_free(a);
  FILE *f = fopen(file(), "wb");
  fputs("short", f);
  fclose(f);
  CU_ASSERT_FALSE(get(&a));
  CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "it has 5 bytes"));
  arena_free(a);
  char deep[4001];
  memset(deep, '[', 4000);
  deep[4000] = 0;
  refused(deep, 0, "is not JSON");
  unlink(file());
}

UNIT(TEST(written_bytes), TEST(others_files), TEST(lying_headers), TEST(lying_lengths))

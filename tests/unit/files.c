/* files: IDX, gzip, safetensors and atomic writing, each with the damage that such files meet. */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "runtime/base/digest.h"
#include "runtime/files/files.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "alloc_fail.h"
#include "unit.h"

static char folder[200];
static char where[400];
static Host host;
static FileError err;

static const char *at(const char *name) {
  if (!folder[0]) {
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.150s/glia-files-XXXXXX", tmp ? tmp : "/tmp");
    CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
  }
  snprintf(where, sizeof where, "%s/%s", folder, name);
  return where;
}

static int entries(void) {
  DIR *d = opendir(folder);
  int n = 0;
  while (readdir(d)) n++;
  closedir(d);
  return n - 2;
}

static void sweep(void) {
  at("");
  DIR *d = opendir(folder);
  for (struct dirent *e; (e = readdir(d));) {
    if (e->d_name[0] == '.' && strncmp(e->d_name, ".glia", 5) != 0) continue;
    at(e->d_name);
    if (rmdir(where) != 0) unlink(where);
  }
  closedir(d);
}

static void put(const char *name, const void *bytes, size_t n) {
  FILE *f = fopen(at(name), "wb");
  CU_ASSERT_FATAL(f != NULL);
  CU_ASSERT_EQUAL_FATAL(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

static void put_gz(const char *name, const void *bytes, unsigned n, const char *mode) {
  gzFile f = gzopen(at(name), mode);
  CU_ASSERT_FATAL(f != NULL);
  CU_ASSERT_EQUAL_FATAL(gzwrite(f, bytes, n), (int)n);
  gzclose(f);
}

/* Changes the byte at `from the end`. */
static void damage(const char *name, long from_end) {
  FILE *f = fopen(at(name), "r+b");
  fseek(f, -from_end, SEEK_END);
  int c = fgetc(f);
  fseek(f, -from_end, SEEK_END);
  fputc(c ^ 0x55, f);
  fclose(f);
}

static void *guarded(void *(*f)(void *), void *ctx) {
  Guard g;
  void *volatile out = NULL;
  if (!host.realloc) host_init(&host, NULL, NULL);
  err.text[0] = 0;
  if (HOST_GUARD(&host, &g)) {
    out = f(ctx);
    host_leave(&host, &g);
  } else {
    CU_FAIL("left by the guard");
  }
  return out;
}

/* The error says why, behind the file's name, and nothing is kept. */
static void says(const char *why) {
  char wanted[700];
  snprintf(wanted, sizeof wanted, "`%s`: %s", where, why);
  const char *tail = strchr(err.text, '`');
  if (!tail || strcmp(tail, wanted) != 0) printf("  said: %s\n", err.text);
  CU_ASSERT(tail && strcmp(tail, wanted) == 0);
  CU_ASSERT_EQUAL(host.in_use, 0);
}

/* ---- IDX ---- */

static void *read_idx(void *name) { return idx_read(&host, at(name), &err); }

static void *type_idx(void *name) {
  static Type t;
  return idx_type(&host, at(name), &t, &err) ? &t : NULL;
}

static Tensor *idx(const char *name) {
  Tensor *t = guarded(read_idx, (void *)(uintptr_t)name);
  if (t) tensor_keep(t);
  return t;
}

static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 253, 254, 255};

static void idx_plain_and_gz(void) {
  put("a", images, sizeof images);
  put_gz("a.gz", images, sizeof images, "wb");
  for (int k = 0; k < 2; k++) {
    const char *name = k ? "a.gz" : "a";
    Type *type = guarded(type_idx, (void *)(uintptr_t)name);
    CU_ASSERT_FATAL(type != NULL);
    CU_ASSERT(type->dtype == U8 && type->rank == 3 && type->dim[0] == 2 && type->dim[1] == 1 && type->dim[2] == 3);
    Tensor *t = idx(name);
    CU_ASSERT_FATAL(t != NULL);
    CU_ASSERT(type_eq(&t->type, type));
    CU_ASSERT_EQUAL(memcmp(t->data, images + 16, 6), 0);
    tensor_unref(t);
    CU_ASSERT_EQUAL(host.in_use, 0);
  }
  sweep();
}

static void idx_element_types(void) {
  static const unsigned char i32s[] = {0, 0, 12, 1, 0, 0, 0, 2, 0, 0, 1, 2, 255, 255, 255, 254};
  static const unsigned char f32s[] = {0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0};
  static const unsigned char f64s[] = {0, 0, 14, 1, 0, 0, 0, 1, 0xc0, 4, 0, 0, 0, 0, 0, 0};
  static const unsigned char none[] = {0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 5};
  put("i", i32s, sizeof i32s);
  put("f", f32s, sizeof f32s);
  put("d", f64s, sizeof f64s);
  put("n", none, sizeof none);
  Tensor *t[] = {idx("i"), idx("f"), idx("d"), idx("n")};
  for (int k = 0; k < 4; k++) CU_ASSERT_FATAL(t[k] != NULL);
  CU_ASSERT(tensor_get(t[0], 0) == 258 && tensor_get(t[0], 1) == -2);
  CU_ASSERT(tensor_get(t[1], 0) == 1.5);
  CU_ASSERT(tensor_get(t[2], 0) == -2.5);
  CU_ASSERT(type_count(&t[3]->type) == 0 && t[3]->type.dim[1] == 5);
  for (int k = 0; k < 4; k++) tensor_unref(t[k]);
  sweep();
}

static void idx_damage(void) {
  unsigned char b[3000] = {0};
  CU_ASSERT_PTR_NULL(idx("absent"));
  says("there is no such file or folder");
  put("f", b, 0);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("the file is empty; download it again");
  put("f", "\x89PNG\r\n", 6);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("it begins with 89 50 4e 47, not with IDX's 00 00, element type and rank; is it an IDX file?");
  put("f", "\0\0\x09\1\0\0\0\1x", 9);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("its IDX header names the element type 09; 08 (u8), 0c (i32), 0d (f32) and 0e (f64) are read");
  put("f", "\0\0\x08\x11", 4);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("its IDX header promises 17 dimensions; 16 are the most");
  put("f", images, 9);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("it ends after 9 of the 16 bytes of its header; download it again");
  put("f", images, sizeof images - 2);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("the file ends after 4 of the 6 bytes that its header promises; download it again");
  CU_ASSERT_PTR_NULL(guarded(type_idx, "f"));
  says("the file ends after 4 of the 6 bytes that its header promises; download it again");
  memcpy(b, images, sizeof images);
  put("f", b, sizeof b);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("it has 2,978 bytes more than its header promises; download it again");
  put("f", "\0\0\x08\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("its header promises more than the 1,099,511,627,776 bytes that a tensor may have; download it again");
  put("f", "\0\0\x08\2\0\0\xea\x60\0\0\3\x10", 12);
  CU_ASSERT_PTR_NULL(idx("f"));
  says("the file ends after 0 of the 47,040,000 bytes that its header promises; download it again");
  mkdir(at("d"), 0777);
  CU_ASSERT_PTR_NULL(idx("d"));
  says("it is a folder, not a file");
  if (geteuid() != 0) {
    chmod(at("f"), 0);
    CU_ASSERT_PTR_NULL(idx("f"));
    says("no permission; see `ls -l` for whose it is");
  }
  sweep();
}

static void gzip_damage(void) {
  unsigned char b[20000] = {0, 0, 8, 1, 0, 0, 0x4e, 0x18};   /* 19,992 elements */
  for (unsigned k = 8; k < sizeof b; k++) b[k] = (unsigned char)(k * k >> 3);
  put_gz("g", b, sizeof b, "wb");
  damage("g", 6);
  CU_ASSERT_PTR_NULL(idx("g"));
  says("the checksum of the gzip data is wrong; download it again");
  CU_ASSERT_PTR_NOT_NULL(guarded(type_idx, "g"));
  put_gz("g", b, sizeof b, "wb");
  damage("g", 2);
  CU_ASSERT_PTR_NULL(idx("g"));
  says("the length at the end of the gzip data is wrong; download it again");
  put_gz("g", b, sizeof b, "wb");
  struct stat st;
  stat(at("g"), &st);
  CU_ASSERT_EQUAL(truncate(where, st.st_size / 2), 0);
  CU_ASSERT_PTR_NULL(idx("g"));
  says("the gzip data breaks off before its end; download it again");
  put_gz("g", b, sizeof b - 1000, "wb");
  CU_ASSERT_PTR_NULL(idx("g"));
  says("the file ends after 18,992 of the 19,992 bytes that its header promises; download it again");
  put_gz("g", b, 10000, "wb");
  put_gz("g", b + 10000, sizeof b - 10000, "ab");
  Tensor *t = idx("g");
  CU_ASSERT_FATAL(t != NULL);
  CU_ASSERT_EQUAL(memcmp(t->data, b + 8, sizeof b - 8), 0);
  tensor_unref(t);
  put_gz("g", "x", 1, "ab");
  CU_ASSERT_PTR_NULL(idx("g"));
  says("it has more bytes than its header promises; download it again");
  put_gz("g", b, sizeof b, "wb");
  FILE *f = fopen(at("g"), "ab");
  fputs("garbage", f);
  fclose(f);
  CU_ASSERT_PTR_NULL(idx("g"));
  says("something that is not gzip follows the gzip data; download it again");
  put_gz("g", "\0\0\x08\2\0\0\xea\x60\0\0\3\x10", 12, "wb");
  CU_ASSERT_PTR_NULL(idx("g"));
  says("its header promises 47,040,000 bytes, more than so small a gzip file can hold; download it again");
  put("g", "\x1f\x8b", 2);
  CU_ASSERT_PTR_NULL(idx("g"));
  says("the gzip data breaks off before its end; download it again");
  put("g", "\x1f\x8b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 14);
  CU_ASSERT_PTR_NULL(idx("g"));
  says("the gzip data is damaged; download it again");
  sweep();
}

/* ---- whole files ---- */

typedef struct Whole { const char *name; size_t max; bool gz; char text[64]; size_t n; } Whole;

static void *read_whole(void *ctx) {
  Whole *w = ctx;
  Arena *a = arena_new(&host);
  const char *bytes;
  bool good = (w->gz ? file_read_gz : file_read)(a, at(w->name), w->max, &bytes, &w->n, &err);
  if (good) {
    CU_ASSERT_EQUAL(bytes[w->n], 0);
    memcpy(w->text, bytes, w->n < sizeof w->text ? w->n + 1 : sizeof w->text);
  }
  arena_free(a);
  return good ? ctx : NULL;
}

static void whole_files(void) {
  put("t", "abc", 3);
  Whole w = {.name = "t", .max = 3};
  CU_ASSERT_PTR_NOT_NULL(guarded(read_whole, &w));
  CU_ASSERT_STRING_EQUAL(w.text, "abc");
  w.max = 2;
  CU_ASSERT_PTR_NULL(guarded(read_whole, &w));
  says("it is larger than the 2 bytes that are read at most");
  put_gz("t", "abcdef", 6, "wb");
  w = (Whole){.name = "t", .max = 6, .gz = true};
  CU_ASSERT_PTR_NOT_NULL(guarded(read_whole, &w));
  CU_ASSERT_STRING_EQUAL(w.text, "abcdef");
  w.max = 5;
  CU_ASSERT_PTR_NULL(guarded(read_whole, &w));
  says("it is larger than the 5 bytes that are read at most");
  char *large = calloc(1, 1000000);
  put_gz("t", large, 1000000, "wb");
  free(large);
  w = (Whole){.name = "t", .max = 2000000, .gz = true};
  CU_ASSERT_PTR_NOT_NULL(guarded(read_whole, &w));
  CU_ASSERT_EQUAL(w.n, 1000000);
  w.max = 999999;
  CU_ASSERT_PTR_NULL(guarded(read_whole, &w));
  says("it is larger than the 999,999 bytes that are read at most");
  sweep();
}

static void long_paths_keep_the_reason(void) {
  char name[1001];
  memset(name, 'x', 1000);
  name[1000] = 0;
  Whole w = {.name = name, .max = 3};
  CU_ASSERT_PTR_NULL(guarded(read_whole, &w));
  CU_ASSERT(strstr(err.text, "xxx`: ") != NULL && strstr(err.text, "`...xxx") != NULL);
}

typedef struct Out { const char *name, *text; size_t n; } Out;

static void *write_whole(void *ctx) {
  Out *o = ctx;
  return file_write_atomic(&host, at(o->name), o->text, o->n, &err) ? ctx : NULL;
}

static bool holds(const char *name, const char *text) {
  Whole w = {.name = name, .max = 60};
  return guarded(read_whole, &w) && strcmp(w.text, text) == 0;
}

static void atomic_writes(void) {
  at("");
  Out o = {"o", "first", 5};
  CU_ASSERT_PTR_NOT_NULL(guarded(write_whole, &o));
  CU_ASSERT(holds("o", "first"));
  struct stat st;
  chmod(at("o"), 0640);
  symlink("o", at("link"));
  o = (Out){"link", "second", 6};
  CU_ASSERT_PTR_NOT_NULL(guarded(write_whole, &o));
  CU_ASSERT(holds("o", "second"));
  CU_ASSERT(lstat(at("link"), &st) == 0 && S_ISLNK(st.st_mode));
  CU_ASSERT(stat(at("o"), &st) == 0 && (st.st_mode & 07777) == 0640);
  CU_ASSERT_EQUAL(entries(), 2);
  mkdir(at("d"), 0777);
  o.name = "d";
  CU_ASSERT_PTR_NULL(guarded(write_whole, &o));
  says("it is a folder, not a file");
  o.name = "no/such";
  CU_ASSERT_PTR_NULL(guarded(write_whole, &o));
  CU_ASSERT(strstr(err.text, "there is no folder `") != NULL && strstr(err.text, "; make it first") != NULL);
  if (stat("/proc/self", &st) == 0) {
    o.name = "../../../../../../../../../../../../../../../../../../../../../../../../../../../../proc/x";
    CU_ASSERT_PTR_NULL(guarded(write_whole, &o));
    CU_ASSERT(strstr(err.text, "takes no new files") != NULL);
  }
  CU_ASSERT_EQUAL(host.in_use, 0);
  CU_ASSERT_EQUAL(entries(), 3);
  CU_ASSERT(stat("/dev/null", &st) != 0 || S_ISCHR(st.st_mode));
  sweep();
}

/* A disk that fills: the limit on a file's size stops the write in the middle. */
static void full_disk(void) {
  at("");
  put("o", "old", 3);
  char *large = calloc(1, 100000);
  Out o = {"o", large, 100000};
  struct rlimit before, small;
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 50000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  void *done = guarded(write_whole, &o);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  CU_ASSERT_PTR_NULL(done);
  says("it would be larger than files may be here; nothing was changed");
  CU_ASSERT(holds("o", "old"));
  CU_ASSERT_EQUAL(entries(), 1);
  free(large);
  sweep();
}

/* ---- every allocation fails once ---- */

static void read_and_write(Host *h, void *ctx) {
  (void)ctx;
  FileError e;
  Tensor *t = idx_read(h, at("a.gz"), &e);
  CU_ASSERT_FATAL(t != NULL);
  NamedTensor named[] = {{"a", t}, {"b", t}}, *back;
  size_t n = 0;
  CU_ASSERT(safetensors_write(h, at("w"), named, 2, &e));
  Arena *a = arena_new(h);
  CU_ASSERT(safetensors_read(a, at("w"), &back, &n, &e));
  CU_ASSERT_EQUAL(n, 2);
  for (size_t k = 0; k < n; k++) tensor_unref(back[k].tensor);
  tensor_unref(t);
  arena_free(a);
}

static bool there(const char *name) { return access(at(name), F_OK) == 0; }

static void killed_writers(void) {
  host_init(&host, NULL, NULL);
  put(".glia-1-0.part", "left", 4);
  put(".glia-2-7.part", "written", 7);
  put(".glia-mine.part", "another's", 9);
  int living = open(at(".glia-2-7.part"), O_WRONLY);
  CU_ASSERT_EQUAL(flock(living, LOCK_EX), 0);
  CU_ASSERT(file_write_atomic(&host, at("new"), "1", 1, &err));
  CU_ASSERT(!there(".glia-1-0.part"));
  CU_ASSERT(there(".glia-2-7.part"));
  close(living);
  CU_ASSERT(file_write_atomic(&host, at("new"), "2", 1, &err));
  CU_ASSERT(!there(".glia-2-7.part"));
  CU_ASSERT(there(".glia-mine.part"));
  sweep();
}

static void rewriting_keeps_the_file(void) {
  struct stat before, after;
  const char *bytes;
  size_t n;
  Guard g;
  host_init(&host, NULL, NULL);
  put("one", "first", 5);
  chmod(at("one"), 0640);
  char one[400];
  memcpy(one, where, sizeof one);
  CU_ASSERT(file_rewrite(&host, one, "second", 6, &err));
  CU_ASSERT(stat(one, &after) == 0 && (after.st_mode & 07777) == 0640);
  CU_ASSERT_EQUAL(link(one, at("other")), 0);
  stat(one, &before);
  static const char *const texts[] = {"a longer text than before", "", "short"};
  for (int k = 0; k < 3; k++) {
    CU_ASSERT(file_rewrite(&host, one, texts[k], strlen(texts[k]), &err));
    CU_ASSERT(stat(at("other"), &after) == 0 && after.st_ino == before.st_ino && after.st_nlink == 2);
    if (HOST_GUARD(&host, &g)) {
      Arena *a = arena_new(&host);
      CU_ASSERT(file_read(a, at("other"), 100, &bytes, &n, &err));
      CU_ASSERT(n == strlen(texts[k]) && !memcmp(bytes, texts[k], n));
      arena_free(a);
      host_leave(&host, &g);
    }
  }
  CU_ASSERT_EQUAL(entries(), 2);
  CU_ASSERT(!file_rewrite(&host, at("no/one"), "x", 1, &err));
  CU_ASSERT(strstr(err.text, "there is no folder") != NULL);
  sweep();
}

static void digests(void) {
  unsigned char bytes[40];
  for (unsigned k = 0; k < sizeof bytes; k++) bytes[k] = (unsigned char)(k * 7);
  for (size_t n = 0; n <= sizeof bytes; n++) {
    uint64_t whole = digest(1, bytes, n);
    for (size_t piece = 1; piece < 12; piece++) {
      Digest d = {.h = 1};
      for (size_t k = 0; k < n; k += piece) digest_add(&d, bytes + k, n - k < piece ? n - k : piece);
      CU_ASSERT_EQUAL(digest_end(&d), whole);
    }
    if (n) {
      CU_ASSERT_NOT_EQUAL(digest(1, bytes, n - 1), whole);
      bytes[n - 1] ^= 1;
      CU_ASSERT_NOT_EQUAL(digest(1, bytes, n), whole);
      bytes[n - 1] ^= 1;
    }
  }
  /* of what was read, whatever it was read into */
  Arena *volatile a = NULL;
  Guard g;
  const char *text;
  size_t n;
  host_init(&host, NULL, NULL);
  put("text", "x\n1\n2\n", 6);
  if (!HOST_GUARD(&host, &g)) return;
  a = arena_new(&host);
  CsvTable t;
  CU_ASSERT(file_read(a, at("text"), 100, &text, &n, &err));
  CU_ASSERT_EQUAL(err.digest, digest(0, "x\n1\n2\n", 6));
  err.digest = 0;
  CU_ASSERT(csv_read(a, at("text"), ',', false, &t, &err));
  CU_ASSERT_EQUAL(err.digest, digest(0, "x\n1\n2\n", 6));
  arena_free(a);
  host_leave(&host, &g);
  sweep();
}

static void cancelled_while_read(void) {
  atomic_bool stop = true;
  Guard g;
  host_init(&host, NULL, NULL);
  put("text", "x\n1\n2\n", 6);
  size_t before = host.in_use;
  host.cancel = &stop;
  if (HOST_GUARD(&host, &g)) {
    CsvTable t;
    csv_read(arena_new(&host), at("text"), ',', false, &t, &err);
    CU_FAIL("it goes on");
    host_leave(&host, &g);
  } else {
    CU_ASSERT_EQUAL(host.failure, FAIL_CANCELLED);
  }
  host.cancel = NULL;
  CU_ASSERT_EQUAL(host.in_use, before);
  sweep();
}

static int descriptors(void) {
  int n = 0;
  for (int fd = 0; fd < 200; fd++) n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

static void every_allocation_fails_once(void) {
  put_gz("a.gz", images, sizeof images, "wb");
  int open_before = descriptors();
  CU_ASSERT(alloc_fail_each(read_and_write, NULL) > 15);
  CU_ASSERT_EQUAL(descriptors(), open_before);
  CU_ASSERT_EQUAL(entries(), 2);
  sweep();
  rmdir(folder);
}

UNIT(TEST(idx_plain_and_gz), TEST(idx_element_types), TEST(idx_damage), TEST(gzip_damage), TEST(whole_files),
     TEST(long_paths_keep_the_reason), TEST(atomic_writes), TEST(full_disk), TEST(killed_writers),
     TEST(rewriting_keeps_the_file),
     TEST(digests), TEST(cancelled_while_read), TEST(every_allocation_fails_once))

/* files: files of numbers. Every reader takes foreign bytes as hostile; every writer is atomic (a temporary beside it,
 * fsync, rename). An error is text: what was found, what was expected, a way out.
 */
#ifndef RUNTIME_FILES_H
#define RUNTIME_FILES_H
#include "value/tensor.h"

/* What became of a file: why it cannot be read or written; or, of what was read, the digest of its bytes in the order
 * in which they were read. */
typedef struct FileError { char text[512]; uint64_t digest; } FileError;

/* Whole file, at most max bytes, in arena a. */
bool file_read(Arena *a, const char *path, size_t max, const char **bytes, size_t *n, FileError *e);
/* The same, decompressed when it begins with gzip's magic (checksum and length checked). */
bool file_read_gz(Arena *a, const char *path, size_t max, const char **bytes, size_t *n, FileError *e);
bool file_write_atomic(Host *h, const char *path, const void *bytes, size_t n, FileError *e);
/* The same file with other bytes: owner, mode and other names of it stay. Atomic where that can be. */
bool file_rewrite(Host *h, const char *path, const void *bytes, size_t n, FileError *e);

/* IDX (LeCun's MNIST format), plain or .gz. idx_type reads the header only (u8, i32, f32, f64 big-endian elements). */
bool idx_type(Host *h, const char *path, Type *out, FileError *e);
Tensor *idx_read(Host *h, const char *path, FileError *e);          /* young; NULL on error */

/* A table (csv, plain or .gz) in a: columns by the names of the first line, each all numbers or all text. missing: an
 * empty cell of a column of numbers is NaN, not an error. */
typedef struct CsvColumn {
  const char *name;
  float *number;              /* NULL: text, */
  int32_t *code;              /* each cell as the number of its class, */
  const char **class_;        /* which stand in the order of their bytes */
  int64_t n_class;
} CsvColumn;
typedef struct CsvTable {
  int64_t rows;
  uint32_t n;
  CsvColumn *column;
  bool header_is_numbers;     /* all of the first line: probably no header */
} CsvTable;
bool csv_read(Arena *a, const char *path, char separator, bool missing, CsvTable *out, FileError *e);
/* A text as one column: its characters, whose classes are those that occur. */
bool text_read(Arena *a, const char *path, CsvColumn *out, int64_t *rows, FileError *e);

/* NumPy's arrays: f4 f8 i4 u1 b1 as they are, i1 i2 i8 as i32 where they fit; either order of bytes, C's or Fortran's
 * of axes. npy_type reads the header only; what they take is in a. */
bool npy_type(Arena *a, const char *path, Type *out, FileError *e);
Tensor *npy_read(Arena *a, const char *path, FileError *e);         /* young; NULL on error */
bool npy_write(Host *h, const char *path, const Tensor *t, FileError *e);

/* NumPy's archives (npz): the arrays' names and types, in the order of the file; one of them, with the elements as
 * npy_read. */
typedef struct NamedType { const char *name; Type type; } NamedType;
bool npz_types(Arena *a, const char *path, NamedType **out, uint32_t *n, FileError *e);
Tensor *npz_read(Arena *a, const char *path, const char *name, FileError *e);     /* young; NULL on error */

/* Pictures: PNG, PGM and PPM, [H, W] of gray or [H, W, C] with 2 (gray, opacity), 3 or 4 channels: u8, or i32 where a
 * sample has 16 bits. white: the sample that means 1. image_type reads what stands before the pixels only. */
bool image_type(Arena *a, const char *path, Type *out, int32_t *white, FileError *e);
Tensor *image_read(Arena *a, const char *path, FileError *e);       /* young; NULL on error */

/* safetensors: 8 bytes of length, JSON header, data. Order of writing is the order given; written deterministically. */
typedef struct NamedTensor { const char *name; Tensor *tensor; } NamedTensor;
bool safetensors_write(Host *h, const char *path, const NamedTensor *t, size_t n, FileError *e);
/* All entries (tensors young, names in a); *n entries. Types F32 F64 I32 U8 BOOL. */
bool safetensors_read(Arena *a, const char *path, NamedTensor **out, size_t *n, FileError *e);
#endif

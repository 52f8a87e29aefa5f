/* lapack: the library LAPACK, opened when it is first asked for.
 * In: the name of a shared library, which configure fixes. Out: its functions, of float and of double, or NULL when
 * there is none: built without it, not installed, or not whole. It stays open. Matrices are column by column, whole
 * numbers are 32 bits; a BLAS with threads of its own (OpenBLAS) is told to use one, so that no bit of a result depends
 * on the machine's processors. One caller at a time: the kernels that call it are `exclusive`.
 */
#ifndef RUNTIME_LAPACK_H
#define RUNTIME_LAPACK_H
#include <stddef.h>

/* The hidden arguments at the ends are the lengths of the strings, as Fortran passes them. */
#define LAPACK_OF(T)                                                                                               \
  struct {                                                                                                         \
    void (*syevd)(const char *job, const char *triangle, const int *n, T *a, const int *lda, T *w, T *work,        \
                  const int *l_work, int *iwork, const int *l_iwork, int *info, size_t, size_t);                   \
    void (*gesdd)(const char *job, const int *m, const int *n, T *a, const int *lda, T *s, T *u, const int *ldu,   \
                  T *vt, const int *ldvt, T *work, const int *l_work, int *iwork, int *info, size_t);              \
    void (*geqrf)(const int *m, const int *n, T *a, const int *lda, T *tau, T *work, const int *l_work, int *info);\
    void (*orgqr)(const int *m, const int *n, const int *k, T *a, const int *lda, const T *tau, T *work,           \
                  const int *l_work, int *info);                                                                   \
  }
typedef struct Lapack {
  LAPACK_OF(float) f32;
  LAPACK_OF(double) f64;
} Lapack;

const Lapack *lapack(void);  /* from any thread */
#endif

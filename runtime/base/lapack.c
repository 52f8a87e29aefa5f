/* lapack: see lapack.h. */
#include "base/lapack.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#ifdef LAPACK_LIBRARY
static Lapack functions;
static bool there;

/* A function's pointer, whose type only the caller knows. */
static bool found(void *library, const char *name, void *pointer) {
  void *p = dlsym(library, name);
  memcpy(pointer, &p, sizeof p);
  return p != NULL;
}

static void lapack_open(void) {
  void *l = dlopen(LAPACK_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!l) return;
  Lapack *f = &functions;
  there = found(l, "ssyevd_", &f->f32.syevd) && found(l, "dsyevd_", &f->f64.syevd) &&
          found(l, "sgesdd_", &f->f32.gesdd) && found(l, "dgesdd_", &f->f64.gesdd) &&
          found(l, "sgeqrf_", &f->f32.geqrf) && found(l, "dgeqrf_", &f->f64.geqrf) &&
          found(l, "sorgqr_", &f->f32.orgqr) && found(l, "dorgqr_", &f->f64.orgqr);
  void (*set_threads)(int);
  if (found(l, "openblas_set_num_threads", &set_threads)) set_threads(1);
  if (!there) dlclose(l);
}

const Lapack *lapack(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, lapack_open);
  return there ? &functions : NULL;
}
#else
const Lapack *lapack(void) { return NULL; }
#endif

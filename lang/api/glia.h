/* glia.h: the language Glia in a C program. A host opens a session, loads scripts into it, calls their functions on its
 * own buffers, reads gradients by name, and reads and writes parameters.
 *
 *     glia_session *s;
 *     glia_config config = {.threads = 2};
 *     if (glia_open(&config, &s) != GLIA_OK) return 1;
 *     if (glia_load_file(s, "model.nn") != GLIA_OK) fputs(glia_error(s), stderr);
 *     glia_function *f;
 *     glia_get_function(s, "predict", &f);
 *     glia_array x = glia_f32(pixels, 2, (int64_t[]){1, 784}), y = {0};     // no buffer given: y becomes a view
 *     if (glia_call(f, &x, 1, &y, 1) != GLIA_OK) fputs(glia_error(s), stderr);
 *     glia_close(s);
 *
 * Sessions  are independent: two never meet, and may be used on two threads at the same time. One session is used by
 *           one thread at a time, with the exception of glia_cancel. While a call is going on, another one, from a
 *           callback or from another thread, returns GLIA_BUSY and does nothing.
 * Errors    Every call returns a status; GLIA_OK is 0. glia_error gives the text of the last call's failure,
 *           glia_diagnostics the structured list, if it was the script's. After a failure the session can be used
 *           further. Nothing that a host passes ends the process, nor does an allocation that fails; but a pointer must
 *           be valid, and a closed session must not be used. The library prints nothing, installs no signal handler and
 *           keeps no global state that changes.
 * Shapes    are row-major; a function is compiled for each list of argument types that it meets, once. What was
 *           compiled stays until the session is closed.
 * Ownership Handles (functions, trees) belong to their session and end with it. Texts and views that a call hands out
 *           are valid until the next call on the same session, where nothing else is said. Buffers that are passed in
 *           are read or written during the call only.
 * Threads   config.threads threads compute; the bits of a result do not depend on how many. A call uses the C stack of
 *           its thread as far as it goes and no further: on a small one what is nested deeply is an error. 256 kB are
 *           enough for ordinary scripts. After a fork between two calls the child has the session without its threads:
 *           it computes on its own one, with the same bits, and closes what it has without waiting for any.
 */
#ifndef GLIA_H
#define GLIA_H
#include "glia_graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct glia_session glia_session;
typedef struct glia_function glia_function;
typedef struct glia_tree glia_tree;

/* What a script prints: a whole `print`, with its newline. Not 0: go on; 0: the run is cancelled. Called on the thread
 * that loads or calls; in it, every call of the session is GLIA_BUSY. */
typedef int (*glia_print)(void *to, const char *text, size_t n);
/* Progress of `train`: a line that replaces the last one, or, when final is not 0, one that stays. */
typedef void (*glia_log)(void *to, const char *text, int final);

/* Called between two steps of a run: two statements of a script or a proc, two turns of a loop. Not 0: go on; 0: the
 * run is cancelled. It must not call the session. */
typedef int (*glia_poll)(void *to);

typedef struct glia_config {       /* all zero is a good one */
  int threads;                     /* 0: the CPUs allowed; 1: none but the caller's */
  glia_pool *pool;                 /* not NULL: these threads, whatever `threads` says; closed after the session */
  glia_realloc alloc;              /* NULL: the C library's */
  void *user;                      /* for alloc */
  glia_print print;                /* NULL: what a script prints goes nowhere */
  glia_log log;                    /* NULL: no progress */
  glia_poll poll;                  /* NULL: none */
  void *to;                        /* for print, log and poll */
  int permit_extern;               /* not 0: scripts may open foreign libraries and call into them */
  int no_fuse;                     /* not 0: one operation after another, the reference */
  int strict;                      /* not 0: warnings are errors */
  size_t max_memory;               /* bytes the session may have in use; 0: no limit of its own */
  int has_seed;                    /* not 0: `seed` keys the draws, until the script calls seed(n) */
  uint64_t seed;
  const char *const *args;         /* the list `args` of scripts */
  int n_args;
  const char *search;              /* folders in which `import` looks behind the importing file's, separated by `:` */
  /* warnings to leave out, by name: "unused, hidden"; NULL: none. A name that none has: GLIA_MISUSE */
  const char *allow;
  /* what follows was added behind version 0.1.0; new members are added at the end alone */
  size_t stack;                    /* bytes of the C stack that a call may use; 0: all that its thread has */
} glia_config;

/* config may be NULL. size is sizeof(glia_config) as the host knows it: what a later library has more is 0. The
 * function glia_open, which takes no size, is for hosts that were compiled for 0.1.0. */
GLIA_API glia_status glia_open_sized(size_t size, const glia_config *config, glia_session **out);
GLIA_API glia_status glia_open(const glia_config *config, glia_session **out);
#define glia_open(...) glia_open_sized(sizeof(glia_config), __VA_ARGS__)
/* NULL is fine. Inside of a callback of the session, or while another thread is in a call, it does nothing. */
GLIA_API void glia_close(glia_session *s);
/* Stops what runs, between two steps: that call returns GLIA_CANCELLED. Where nothing runs it does nothing. From any
 * thread, or from a signal handler. */
GLIA_API void glia_cancel(glia_session *s);

/* ---- scripts ---- */
/* Checks a script and runs it. Its definitions stay in the session; a later script may use and replace them. name is
 * how messages call the text; n is its length, or GLIA_TEXT_END for a text that ends with NUL. */
#define GLIA_TEXT_END SIZE_MAX
GLIA_API glia_status glia_load(glia_session *s, const char *name, const char *text, size_t n);
GLIA_API glia_status glia_load_file(glia_session *s, const char *path);
/* Only checks: runs no step, and knows and changes nothing of the session's own definitions. */
GLIA_API glia_status glia_check(glia_session *s, const char *name, const char *text, size_t n);
GLIA_API glia_status glia_check_file(glia_session *s, const char *path);

/* ---- errors ---- */
/* The last call's failure as text, as `glia` would print it, ending with a newline if it is the script's; "" after
 * success. */
GLIA_API const char *glia_error(const glia_session *s);

typedef struct glia_diagnostic {
  const char *code;                /* "E0301": never changes its meaning */
  int warning;                     /* not 0: a warning */
  const char *file;                /* NULL: it has no place */
  int line, column;                /* from 1; columns in characters */
  int end_line, end_column;        /* the first character behind the place */
  const char *text;                /* the message alone */
  const char *hint;                /* a way out, or NULL */
  const char *const *note;         /* where it was called from, and what else is known */
  int n_note;
} glia_diagnostic;
/* What the last load, check or call found, warnings too, in the order of the text. Valid until the next call. */
GLIA_API glia_status glia_diagnostics(glia_session *s, const glia_diagnostic **list, size_t *n);

/* ---- functions ---- */
/* What `name` names now at the top level: a fn, a layer's instance, a chain; the same handle each time, as long as the
 * name is not defined anew, which does not change the handle. GLIA_NOT_FOUND: nothing has the name; GLIA_MISUSE: it
 * cannot be called. */
GLIA_API glia_status glia_get_function(glia_session *s, const char *name, glia_function **out);
/* As often as it was got: then the handle answers GLIA_MISUSE, until glia_get_function gives it out again. What was
 * compiled stays. */
GLIA_API void glia_function_close(glia_function *f);

/* Calls f. y receives n_y results: those of a tuple or record in order, else one. An array with data is written into;
 * it must have the type and shape of the result, and may lie on an argument, but not on another result. A known int is
 * an i32. One with data == NULL becomes a view of the library's memory, valid
 * until the next call of f. The first call with new argument types compiles; the next ones with these types allocate
 * nothing. */
GLIA_API glia_status glia_call(glia_function *f, const glia_array *x, int n_x, glia_array *y, int n_y);

/* Calls f, whose result must be a floating-point scalar, and differentiates it by `wrt`: the name of one of f's
 * parameters, or else of something with parameters at the top level ("net", "net.hidden"). y may be NULL. grads becomes
 * a tree of views, valid until the next call of f. */
GLIA_API glia_status glia_value_and_grad(glia_function *f, const char *wrt, const glia_array *x, int n_x, glia_array *y,
                                         glia_tree **grads);

/* A function of the host as one of the session: `signature` is what an `extern` of the language says behind `fn`,
 * "swish(x: [..S]) -> [..S]", and `fn` is called as an `extern` would be: scalars only, element by element; with
 * tensors once, with the inputs' data, the result's data, and each dimension name as an int64_t (`:type swish` in the
 * REPL prints the C prototype). `gradient`, if not NULL, is what stands behind `gradient` in the language: "swish(x) ->
 * y, dy = swish_grad(x, dy)", of functions that were registered or loaded before. No permission is needed for it. It
 * must not call the session, and is taken to be pure. */
typedef void (*glia_foreign)(void);
GLIA_API glia_status glia_register(glia_session *s, const char *signature, glia_foreign fn, const char *gradient);

/* ---- the same function on another thread ---- */
/* A second handle of f for arguments of these types (data is not looked at), with every cell at its value of now and
 * memory of its own. It computes what f computes, on the calling thread, while the session does something else: one
 * thread at a time uses a frozen handle, any number of handles are used at the same time. With wrt not NULL it computes
 * gradients, too. GLIA_MISUSE: f is a proc with steps. It is made and closed on the session's thread, and closed before
 * the session. Its draws count its own calls. */
typedef struct glia_frozen glia_frozen;
GLIA_API glia_status glia_freeze(glia_function *f, const char *wrt, const glia_array *x, int n_x, glia_frozen **out);
/* As glia_call and glia_value_and_grad; grads may be NULL. Allocates nothing. */
GLIA_API glia_status glia_frozen_call(glia_frozen *f, const glia_array *x, int n_x, glia_array *y, int n_y,
                                      glia_tree **grads);
GLIA_API const char *glia_frozen_error(const glia_frozen *f);      /* of its last call; "" after success */
GLIA_API void glia_frozen_close(glia_frozen *f);                   /* NULL is fine */

/* ---- trees ---- */
/* Leaves in the order in which they were made; a path is relative to the tree: of the gradient by "net" it is
 * "hidden.w", of that by a single tensor "". */
GLIA_API size_t glia_tree_count(const glia_tree *t);
/* k from 0 to count - 1; path and out may be NULL. out becomes a view, which lives as long as the tree. GLIA_NOT_FOUND:
 * no such path. */
GLIA_API glia_status glia_tree_at(const glia_tree *t, size_t k, const char **path, glia_array *out);
GLIA_API glia_status glia_tree_get(const glia_tree *t, const char *path, glia_array *out);

/* ---- parameters ---- */
/* Every `param` of the session by its path ("net.hidden.w"). A view shows the present value and is valid until the next
 * call that loads, runs or sets. */
GLIA_API size_t glia_parameter_count(glia_session *s);
GLIA_API glia_status glia_parameter_at(glia_session *s, size_t k, const char **path, glia_array *out);
/* out->data NULL: a view; else the value is copied there, and out must have the parameter's type. */
GLIA_API glia_status glia_parameter_get(glia_session *s, const char *path, glia_array *out);
GLIA_API glia_status glia_parameter_set(glia_session *s, const char *path, const glia_array *value);

/* `save` and `load` of the language: writes the tree that `name` names ("net", "net.hidden", "net[0]") to a file, or
 * reads the file into it. Missing, extra or misshapen entries are refused by name, and then nothing is changed. */
GLIA_API glia_status glia_save(glia_session *s, const char *path, const char *name);
GLIA_API glia_status glia_load_tree(glia_session *s, const char *path, const char *name);

#ifdef __cplusplus
}
#endif
#endif

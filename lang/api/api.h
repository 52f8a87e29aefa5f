/* api: what the files behind glia.h share: the handles, and how a call begins, fails and tells. */
#ifndef LANG_API_H
#define LANG_API_H
#include "api/function.h"
#include "api/glia.h"

enum { MAX_ARGS = 64 };                /* of one call, and results */

typedef struct TreeLeaf { const char *path; glia_array view; } TreeLeaf;
struct glia_tree {
  size_t n, cap;
  TreeLeaf *leaf;
};

struct glia_function {
  glia_session *owner;
  glia_function *next;                 /* of the session's */
  Function *function;
  uint32_t users;                      /* how often it was got and not closed; 0: closed */
  glia_tree *tree;                     /* of its last gradient */
};

struct glia_session {
  Session *s;
  atomic_flag busy;                    /* a call is going on */
  glia_config config;
  glia_function *functions;            /* each that was got, once */
  const char *error;                   /* never NULL */
  char text[512];
  Session *checked;                    /* of the last glia_check: its diagnostics live there */
  glia_diagnostic *list;
  size_t n_list;
  bool listed;                         /* list is of the last call */
  Arena *list_arena;                   /* of `param`; NULL: there is none */
  SlotId *param;                       /* the parameters, a path once, by the number of slots that there were */
  size_t n_param;
  uint32_t param_slots;
};

/* A call of the session begins, which forgets what the last one told; it ends with the block. */
#define API_CALL(session) \
  __attribute__((cleanup(api_end), unused)) glia_session *api_of = (session); \
  if (!api_begin(session)) { \
    api_of = NULL; \
    return GLIA_BUSY; \
  }
bool api_begin(glia_session *s);       /* false: another one is going on */
void api_end(glia_session **s);
glia_status api_say(glia_session *s, glia_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
glia_status api_failed(glia_session *s);               /* a guard was left by failure */
glia_status api_told(glia_session *s, Status status);

extern const double api_nothing[8];    /* what stands for the data of an array without elements */
void api_fill(glia_array *out, const Type *t, void *data);
bool api_type_of(const glia_array *a, Type *out);      /* false: it is no tensor */
bool api_matches(const glia_array *a, const Type *t);
#endif

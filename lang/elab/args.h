/* args: the arguments of a call, read by the face of what is called (runtime/graph/face.h). In: evaluated arguments, in
 * order or by name. Out: a typed value for each parameter, or one message: the place, what was found, what was
 * expected, a way out.
 */
#ifndef LANG_ARGS_H
#define LANG_ARGS_H
#include "elab/elab.h"
#include "runtime/graph/face.h"

enum { MOST_PARAMS = 64 };

/* ---- which argument is which parameter's ---- */
typedef struct Param { const char *name; bool optional, by_name; } Param;   /* by_name: and in no other way */
enum { REST_POSITIONAL = 1, REST_NAMED = 2 };   /* what no parameter takes is let through */
typedef struct Params {
  const char *fn;
  const Param *at;
  uint32_t n;
  int rest;
  const char *face;            /* their text, or NULL */
  const char *several;         /* an example of the last one, if that takes several numbers in one bracket */
} Params;
/* to[k]: the number of the argument of parameter k, or -1; false: reported. */
bool match_args(Elab *e, const Params *p, const Args *a, int *to, const Ast *at);

/* ---- by a face ---- */
struct Arg {
  bool given;
  const Ast *at;               /* where it stands; the call, if it was left out */
  Sym name;                    /* of one in a rest, if it has one */
  /* As it was given; of kinds that are tensors or numbers what a cell holds. V_ABSENT: it was left out. */
  Value value;
  uint32_t n;                  /* how many nodes, ints or arguments */
  union {
    NodeId node;               /* tensor */
    int64_t i;                 /* int, size, flag, word, axis, dtype */
    double f;                  /* float */
    const NodeId *nodes;       /* tensors */
    const int64_t *ints;       /* axes, perm, pair, ints, nested, sizes */
    const char *text;          /* string */
    const TextValue *path;
    const Type *type;          /* shaped, kind */
    const struct Rows *rows;
    const Arg *rest;
  };
};

const Face *face_of(Elab *e, const char *text);              /* parsed once in a session */
/* "`axis` of `squeeze`": the parameter at `at`, of the outermost function of the library that it was given. */
const char *argument_text(Elab *e, const char *param, const char *fn, const Ast *at);
/* out: one for each parameter, at most MOST_FACE; false: reported. */
bool args_read(Elab *e, const char *fn, const Face *f, const Args *a, const Ast *at, Arg *out);
/* Those of a rest, to be passed on. */
Args args_rest(Elab *e, const Arg *rest);
/* What an op keeps of them. */
Attr args_attr(Elab *e, const Face *f, const Arg *arg);
#endif

/* import: `import "path.nn" as m`. In: the statement. Out: `m` is a module, elaborated once.
 */
#ifndef LANG_IMPORT_H
#define LANG_IMPORT_H
#include "elab/value.h"

struct Module {
  const char *name, *path;    /* as the first `import` named it; where it was found */
  uint64_t file[2];           /* device and inode */
  const char *text; size_t bytes;
  Scope *scope;               /* its definitions and `let`s */
  struct Module *by;          /* the module that imports it, NULL: the script */
  bool broken;                /* mistakes in it were reported: what is missing is no new one */
};
void elab_import(Elab *e, const Ast *ast);
Value module_member(Elab *e, const Module *m, Sym name, const Ast *at);
#endif

/* natives: all tables of functions of the host language, and the search in them. */
#include "elab/native.h"
#include <string.h>

const Native *const native_tables[] = {
    native_lists,   native_casts,     native_sequences, native_shapes,      native_making, native_numbers,
    native_einsum,  native_loops,     native_datasets,  native_random,      native_files,  native_checks,
    native_f64, native_run,     native_derivatives, native_values,    native_series, native_origins,
    native_figures, native_packed,    native_maps,      native_jacobian,    native_recompute, native_labels, NULL};

const Native *native_find(const char *name) {
  for (int t = 0; native_tables[t]; t++)
    for (const Native *n = native_tables[t]; n->name; n++)
      if (n->name[0] == name[0] && strcmp(n->name, name) == 0) return n;
  return NULL;
}

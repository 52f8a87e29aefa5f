/* pool_api: what is behind a glia_pool, for those who take one. */
#ifndef RUNTIME_POOL_API_H
#define RUNTIME_POOL_API_H
#include "glia_graph.h"
#include "exec/pool.h"

Pool *pool_behind(const glia_pool *p);     /* NULL for NULL, and for one thread */
#endif

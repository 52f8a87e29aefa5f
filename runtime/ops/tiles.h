/* tiles: the register tiles of both float types behind one face, for products whose panels a family packs itself. */
#ifdef EACH_FLOAT
static void M_(tiles_pack)(const void *rows, int64_t ld, int64_t kc, int64_t width, void *panel) {
  const T *b = rows;
  M_(pack_b)(b, ld, true, 0, kc, width, panel);
}
static void M_(tiles_strip)(const void *a, int64_t lda, int64_t rows, int64_t kc, const void *b,
                            int64_t ldb, void *c, int64_t ldc, int64_t width, bool add) {
  M_(strip)(a, lda, NULL, rows, kc, b, ldb, c, ldc, width, add);
}
static const Tiles M_(tiles) = {.columns = M_(NR), .pack = M_(tiles_pack), .strip = M_(tiles_strip)};
#else
typedef struct Tiles {
  int64_t columns;           /* of a panel */
  /* `width` rows of kc elements, ld apart, turned: the panel's columns; what is left of it is 0 */
  void (*pack)(const void *rows, int64_t ld, int64_t kc, int64_t width, void *panel);
  /* c (rows x width, ldc apart) = or += a (rows of kc, lda apart) times b: kc whole rows of a panel, ldb apart */
  void (*strip)(const void *a, int64_t lda, int64_t rows, int64_t kc, const void *b, int64_t ldb, void *c, int64_t ldc,
                int64_t width, bool add);
} Tiles;
#define EACH_FLOAT "ops/tiles.h"
#include "ops/each_float.h"
#endif

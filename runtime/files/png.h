/* png: pictures as PNG (ISO 15948), every colour type, depth and both orders. For image.c. */
#ifndef RUNTIME_PNG_H
#define RUNTIME_PNG_H
#include "files/stream.h"

typedef struct Png Png;

/* The stream stands behind the 8 bytes of PNG's mark. Everything before the pixels; NULL on error. */
Png *png_open(Arena *a, const char *path, Stream *s, Type *type, int32_t *white, FileError *e);
/* The pixels and what follows them, into a tensor of that type. */
bool png_pixels(Png *p, Tensor *t, FileError *e);
#endif

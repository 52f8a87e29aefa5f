/* A host with functions that are called as some of the library's: linked with the archive, each has its own. */
#include <glia.h>
#include <stdio.h>

int resolve(const char *name);
void *arena_new(int n);
int emit(void), load(void), parse(void);

static int wrong;
int resolve(const char *name) { return wrong++, name == NULL; }
void *arena_new(int n) { return wrong++, n ? &wrong : NULL; }
int emit(void) { return wrong++; }
int load(void) { return wrong++; }
int parse(void) { return wrong++; }

int main(void) {
  glia_session *s;
  if (glia_open(NULL, &s) != GLIA_OK) return 1;
  if (glia_load(s, "a", "let y = grad(fn (x) = x^2)(3.0)\n", GLIA_TEXT_END) != GLIA_OK) return 2;
  if (glia_load(s, "b", "let z = undefined_thing\n", GLIA_TEXT_END) != GLIA_SCRIPT) return 3;
  glia_close(s);
  if (wrong) puts("the library called a function of its host");
  return wrong != 0;
}

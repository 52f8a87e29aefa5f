/* Runs a script from C: loads it, calls a function of it on C's own numbers, reads a gradient by its path, and changes
 * a parameter.
 *
 *     cc host.c $(pkg-config --cflags --libs glia) -o host && ./host model.nn
 */
#include <glia.h>
#include <stdio.h>

static int show(void *to, const char *text, size_t n) {
  return fwrite(text, 1, n, to) == n;
}

static int run(glia_session *s, const char *path) {
  glia_function *predict, *loss;
  glia_tree *grads;
  float points[] = {0, 0, 0, 1, 1, 0, 1, 1}, wanted[] = {0, 1, 1, 0};
  const int64_t points_shape[] = {4, 2}, wanted_shape[] = {4, 1};
  glia_array x = glia_f32(points, 2, points_shape), y = {0}, value = {0}, dw;

  if (glia_load_file(s, path) != GLIA_OK) return 0;
  if (glia_get_function(s, "predict", &predict) != GLIA_OK) return 0;
  if (glia_call(predict, &x, 1, &y, 1) != GLIA_OK) return 0;       /* no buffer given: y becomes a view */
  for (int k = 0; k < 4; k++)
    printf("%g xor %g: %.2f\n", (double)points[2 * k], (double)points[2 * k + 1], (double)((float *)y.data)[k]);

  glia_array both[] = {x, glia_f32(wanted, 2, wanted_shape)};
  if (glia_get_function(s, "loss", &loss) != GLIA_OK) return 0;
  if (glia_value_and_grad(loss, "net", both, 2, &value, &grads) != GLIA_OK) return 0;
  if (glia_tree_get(grads, "hidden.w", &dw) != GLIA_OK) return 0;
  printf("loss %.4f, %zu gradients, d loss / d net.hidden.w has shape [%d, %d]\n", (double)*(float *)value.data,
         glia_tree_count(grads), (int)dw.dim[0], (int)dw.dim[1]);

  const char *name;
  glia_array p;
  for (size_t k = 0; k < glia_parameter_count(s); k++)
    if (glia_parameter_at(s, k, &name, &p) == GLIA_OK) printf("%s: %d numbers\n", name, (int)glia_count(&p));
  return 1;
}

int main(int argc, char **argv) {
  glia_session *s;
  glia_config config = {.threads = 1, .print = show, .to = stdout};
  if (glia_open(&config, &s) != GLIA_OK) return 1;
  int good = run(s, argc > 1 ? argv[1] : "examples/embed/model.nn");
  if (!good) fprintf(stderr, "%s\n", glia_error(s));
  glia_close(s);
  return good ? 0 : 1;
}

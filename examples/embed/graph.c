/* Fits a line through points with gradient descent, in C alone: no script, only glia_graph.h.
 *
 *     cc graph.c $(pkg-config --cflags --libs glia) -o graph && ./graph
 *
 * The plan computes the loss and, after it, writes the new w and b into the buffers that they were read from.
 */
#include <glia_graph.h>
#include <stdio.h>

static glia_node descend(glia_graph *g, glia_node w, glia_node dw) {
  return glia_sub(g, w, glia_mul(g, glia_scalar(g, GLIA_F32, 0.1), dw));
}

int main(void) {
  static const float points[] = {-1, 0, 1, 2}, values[] = {-1, 1, 3, 5};      /* y = 2 x + 1 */
  float weight = 0, bias = 0, loss_now = 0;
  const int64_t four[] = {4};

  glia_graph *g;
  if (glia_graph_open(NULL, &g) != GLIA_OK) return 1;
  glia_node x = glia_input(g, GLIA_F32, 1, four), y = glia_input(g, GLIA_F32, 1, four);
  glia_node w = glia_input(g, GLIA_F32, 0, NULL), b = glia_input(g, GLIA_F32, 0, NULL);
  glia_node error = glia_sub(g, glia_add(g, glia_mul(g, x, w), b), y);
  glia_node loss = glia_div(g, glia_sum_all(g, glia_op1(g, "square", error)), glia_scalar(g, GLIA_F32, 4));

  glia_node wrt[] = {w, b}, d[2];
  glia_plan *step = NULL;
  if (glia_grad(g, loss, wrt, 2, d) == GLIA_OK) {
    glia_node inputs[] = {x, y, w, b};
    glia_update updates[] = {{w, descend(g, w, d[0])}, {b, descend(g, b, d[1])}};
    glia_compile(g, inputs, 4, &loss, 1, updates, 2, &step);
  }
  if (!step) {
    fprintf(stderr, "%s\n", glia_graph_error(g));
    glia_graph_close(g);
    return 1;
  }

  glia_array in[] = {glia_f32(points, 1, four), glia_f32(values, 1, four), glia_f32(&weight, 0, NULL),
                     glia_f32(&bias, 0, NULL)};
  glia_array out = glia_f32(&loss_now, 0, NULL);
  for (int k = 1; k <= 40; k++) {
    if (glia_run(step, in, 4, &out, 1) != GLIA_OK) {
      fprintf(stderr, "%s\n", glia_graph_error(g));
      glia_graph_close(g);
      return 1;
    }
    if (k % 10 == 0)
      printf("step %d  loss %.6f  y = %.3f x + %.3f\n", k, (double)loss_now, (double)weight, (double)bias);
  }
  glia_graph_close(g);
  return 0;
}

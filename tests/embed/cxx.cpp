// The headers are C++ too: opens both kinds of handle and computes something with each.
#include <glia.h>
#include <cstdio>

int main() {
  glia_session *s = nullptr;
  glia_config config = {};
  config.threads = 1;
  if (glia_open(&config, &s) != GLIA_OK) return 1;
  glia_function *f = nullptr;
  float number = 3;
  glia_array x = glia_f32(&number, 0, nullptr), y = {};
  bool good = glia_load(s, "text.nn", "fn square_plus(x) = x^2 + 1\n", GLIA_TEXT_END) == GLIA_OK &&
              glia_get_function(s, "square_plus", &f) == GLIA_OK && glia_call(f, &x, 1, &y, 1) == GLIA_OK &&
              *static_cast<float *>(y.data) == 10;
  if (!good) std::fputs(glia_error(s), stderr);
  glia_close(s);
  glia_graph *g = nullptr;
  good = glia_graph_open(nullptr, &g) == GLIA_OK && glia_input(g, GLIA_F32, 0, nullptr) != GLIA_NO_NODE && good;
  glia_graph_close(g);
  return good ? 0 : 1;
}

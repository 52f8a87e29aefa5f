/* report_page: see report.h. Everything that the script or its data named is escaped; pictures are SVG in the page and
 * PNG in its text.
 */
#include "tool/report.h"
#include "natives/figure.h"
#include "tool/json.h"
#include <math.h>
#include <string.h>

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:1rem auto;padding:0 1rem}\n"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #8886}h3{font-size:.95rem}\n"
    ".row{display:flex;flex-wrap:wrap;gap:1rem}.row>.card{flex:1 1 26rem;max-width:32rem}\n"
    ".card{border:1px solid #8884;border-radius:6px;padding:.5rem;max-width:100%;overflow:auto}\n"
    ".card svg{max-width:100%;height:auto;background:#fff}\n"
    "table{border-collapse:collapse}td,th{padding:.15rem .5rem;text-align:left;vertical-align:top}\n"
    ".matrix td{text-align:right;min-width:2rem}.facts td:first-child{color:#888}\n"
    "pre{overflow:auto;background:#8881;padding:.5rem;max-height:24rem}\n"
    ".sample{display:inline-block;text-align:center;margin:.3rem;font-size:.85rem}\n"
    ".sample img{width:84px;image-rendering:pixelated;border:1px solid #8884}\n"
    "</style>\n";

static void put(Text *t, const char *s) { html_text(t, s, strlen(s)); }

/* A string of JSON without its quotes; other values as they are. */
static void put_json(Text *t, const char *json) {
  size_t n = strlen(json);
  bool quoted = n > 1 && json[0] == '"';
  html_text(t, json + quoted, n - 2 * quoted);
}

/* ---- curves ---- */

/* The curves of one table, or of the steps, in a figure. */
static void figure_of(Report *r, uint32_t first, Text *t) {
  const Curve *head = &r->curve.at[first];
  VEC(Line) line = {0};
  for (uint32_t k = first; k < r->curve.n; k++)
    if (r->curve.at[k].of == head->of && r->curve.at[k].n)
      vec_push(r->a, &line, (Line){r->curve.at[k].name, r->curve.at[k].x, r->curve.at[k].y, r->curve.at[k].n});
  if (!line.n) return;
  text_add(t, "<div class=\"card\"><h3>");
  put(t, head->group);
  text_add(t, "</h3>\n");
  figure_svg(t, &(Figure){.kind = FIGURE_LINES, .x_label = head->x_label, .n = line.n, .line = line.at});
  text_add(t, "<p>");
  for (uint32_t k = 0; k < line.n; k++) {
    if (k) text_add(t, ", ");
    put(t, line.at[k].label);
    text_printf(t, " %.6g", line.at[k].y[line.at[k].n - 1]);
  }
  text_add(t, " at the end</p></div>\n");
}

/* `train` tells of an epoch what its series holds, too. */
static void write_curves(Report *r, Text *t) {
  text_add(t, "<h2>Losses and metrics</h2>\n<div class=\"row\">\n");
  uint32_t shown = 0;
  for (uint32_t k = 0; k < r->curve.n; k++) {
    bool first = true;
    for (uint32_t j = 0; j < k; j++) first &= r->curve.at[j].of != r->curve.at[k].of;
    if (!first || (r->any_rows && !strcmp(r->curve.at[k].group, "epochs"))) continue;
    figure_of(r, k, t);
    shown++;
  }
  text_add(t, "</div>\n");
  if (!shown) text_add(t, "<p>The run moved no parameter and filled no series.</p>\n");
}

/* ---- histograms ---- */

/* The bins of a histogram over another range. */
static void spread(const Histogram *h, double low, double high, double *to) {
  double width = (high - low) / BINS, own = (h->high - h->low) / BINS;
  for (int k = 0; k < BINS; k++) to[k] = 0;
  for (int k = 0; k < BINS; k++) {
    double from = h->low + k * own, end = from + own;
    if (!h->bin[k]) continue;
    int a = width > 0 ? (int)fmin((from - low) / width, BINS - 1) : 0;
    int b = width > 0 && own > 0 ? (int)fmin((end - low) / width, BINS - 1) : a;
    for (int j = a; j <= b; j++) {
      double lo = fmax(from, low + j * width), hi = fmin(end, low + (j + 1) * width);
      to[j] += h->bin[k] * (own > 0 && a != b ? fmax(hi - lo, 0) / own : 1);
    }
  }
}

/* A line a shot, the first on top; all over one range. */
static void write_ridges(Text *t, const Report *r, const Histogram *const *h, const char *title) {
  enum { WIDE = 320, HIGH = 26, STEP = 12, LEFT = 58 };
  double low = INFINITY, high = -INFINITY, bin[BINS];
  uint32_t n = 0;
  for (uint32_t k = 0; k < r->n_shot; k++)
    if (h[k]->filled) low = fmin(low, h[k]->low), high = fmax(high, h[k]->high), n++;
  if (!n) return;
  text_printf(t, "<div class=\"hist\"><h3>%s</h3><svg viewBox=\"0 0 %d %u\" width=\"%d\" role=\"img\">\n", title,
              WIDE + LEFT + 70, HIGH + STEP * n + 16, WIDE + LEFT + 70);
  double y = HIGH;
  for (uint32_t k = 0; k < r->n_shot; k++) {
    if (!h[k]->filled) continue;
    double most = 0;
    spread(h[k], low, high, bin);
    for (int j = 0; j < BINS; j++) most = fmax(most, bin[j]);
    text_printf(t, "<g><title>%s %.6g: from %.4g to %.4g, norm %.4g", r->shot[k].when, r->shot[k].at, h[k]->low,
                h[k]->high, h[k]->norm);
    if (h[k]->odd) text_printf(t, ", %lld NaN or infinite", (long long)h[k]->odd);
    text_printf(t, "</title><path fill=\"#4a7fd4\" fill-opacity=\".55\" stroke=\"#2a5298\" "
                   "stroke-width=\".6\" d=\"M%d %.1f", LEFT, y);
    for (int j = 0; j < BINS; j++)
      text_printf(t, "L%.1f %.1f", LEFT + (j + 0.5) * WIDE / BINS, y - (most > 0 ? bin[j] / most * (HIGH - 4) : 0));
    text_printf(t, "L%d %.1fZ\"/><text x=\"%d\" y=\"%.1f\" font-size=\"9\" text-anchor=\"end\" "
                   "fill=\"currentColor\">%s %.6g</text><text x=\"%d\" y=\"%.1f\" font-size=\"9\" "
                   "fill=\"currentColor\">|.| %.3g</text></g>\n",
                LEFT + WIDE, y, LEFT - 4, y, r->shot[k].when, r->shot[k].at, LEFT + WIDE + 6, y, h[k]->norm);
    y += STEP;
  }
  text_printf(t, "<text x=\"%d\" y=\"%.1f\" font-size=\"9\" fill=\"currentColor\">%.4g</text><text x=\"%d\" y=\"%.1f\" "
                 "font-size=\"9\" text-anchor=\"end\" fill=\"currentColor\">%.4g</text></svg></div>\n",
              LEFT, y + 2, low, LEFT + WIDE, y + 2, high);
}

static void write_histograms(Report *r, const Session *s, Text *t) {
  if (!r->n_shot) return;
  const Histogram *h[MOST_SHOTS];
  text_add(t, "<h2>Parameters and their gradients</h2>\n");
  text_printf(t, "<p>By %s; each line is as high as its fullest place. A gradient is that of the last batch's loss, at "
                 "the parameters of then.</p>\n", r->shot[0].when);
  for (uint32_t k = 0; k < r->n_parameter; k++) {
    const Slot *slot = &s->program->slot.at[r->parameter[k]];
    text_add(t, "<details open><summary><b>");
    put(t, slot->path ? slot->path : "a parameter");
    text_add(t, "</b> ");
    put(t, type_show(r->a, &slot->type));
    text_add(t, "</summary><div class=\"row\">\n");
    for (uint32_t j = 0; j < r->n_shot; j++) h[j] = &r->shot[j].weight[k];
    write_ridges(t, r, h, "values");
    for (uint32_t j = 0; j < r->n_shot; j++) h[j] = &r->shot[j].gradient[k];
    write_ridges(t, r, h, "gradient");
    text_add(t, "</div></details>\n");
  }
  if (r->more_parameters) text_printf(t, "<p>and %u more parameters</p>\n", r->more_parameters);
}

/* ---- classes ---- */

static void write_sample(Report *r, const Sample *s, Text *t) {
  enum { MOST_NUMBERS = 8 };
  text_add(t, "<div class=\"sample\">");
  if (s->height) {
    Text png = {.arena = r->a};
    figure_png(&png, &(Figure){.kind = FIGURE_IMAGE, .rows = s->height, .columns = s->width, .pixel = s->x,
                               .gray = true});
    text_add(t, "<img alt=\"\" src=\"data:image/png;base64,");
    json_base64(t, png.at, png.n);
    text_add(t, "\"><br>");
  } else if (s->n) {
    text_add(t, "[");
    for (int64_t k = 0; k < s->n && k < MOST_NUMBERS; k++) text_printf(t, "%s%.4g", k ? ", " : "", s->x[k]);
    text_add(t, s->n > MOST_NUMBERS ? ", ..]<br>" : "]<br>");
  }
  if (s->truth == s->given) text_printf(t, "%lld, %.0f %%", (long long)s->truth, 100 * s->sure);
  else text_printf(t, "%lld, taken for %lld, %.0f %%", (long long)s->truth, (long long)s->given, 100 * s->sure);
  text_add(t, "</div>\n");
}

static void write_matrix(const Classes *c, Text *t) {
  int64_t most = 1;
  for (int64_t k = 0; k < c->n * c->n; k++)
    if (c->count[k] > most) most = c->count[k];
  text_add(t, "<div class=\"card\"><table class=\"matrix\"><tr><th>is \\ taken for</th>");
  for (int64_t k = 0; k < c->n; k++) text_printf(t, "<th>%lld</th>", (long long)k);
  text_add(t, "<th>right</th></tr>\n");
  for (int64_t k = 0; k < c->n; k++) {
    int64_t all = 0;
    text_printf(t, "<tr><th>%lld</th>", (long long)k);
    for (int64_t j = 0; j < c->n; j++) {
      int64_t v = c->count[k * c->n + j];
      all += v;
      text_printf(t, "<td style=\"background:rgba(%s,%.2f)\">%lld</td>", j == k ? "46,125,50" : "198,40,40",
                  v ? 0.1 + 0.7 * (double)v / (double)most : 0, (long long)v);
    }
    if (all) text_printf(t, "<td>%.1f %%</td></tr>\n", 100.0 * (double)c->count[k * c->n + k] / (double)all);
    else text_add(t, "<td></td></tr>\n");
  }
  text_add(t, "</table></div>\n");
}

static void write_classes(Report *r, Session *s, Text *t) {
  Classes c;
  if (!report_classes(s, r->trained.at, r->trained.n, r->a, &c)) return;
  text_printf(t, "<h2>Classes</h2>\n<p>%lld of %lld rows are right: %.2f %%. These are rows that the run trained on, "
                 "with the parameters of its end.</p>\n", (long long)c.right, (long long)c.rows,
              100.0 * (double)c.right / (double)c.rows);
  write_matrix(&c, t);
  if (c.n_bad) text_add(t, "<h3>wrong, and sure of it</h3>\n");
  for (uint32_t k = 0; k < c.n_bad; k++) write_sample(r, &c.bad[k], t);
  if (c.n_good) text_add(t, "<h3>right</h3>\n");
  for (uint32_t k = 0; k < c.n_good; k++) write_sample(r, &c.good[k], t);
}

/* ---- the rest ---- */

static void write_facts(const Facts *f, Text *t) {
  for (uint32_t k = 0; k < f->n; k++) {
    text_add(t, "<tr><td>");
    put(t, f->at[k].name);
    text_add(t, "</td><td>");
    put_json(t, f->at[k].json);
    text_add(t, "</td></tr>\n");
  }
}

static void write_texts(const Report *r, Session *s, Text *t) {
  const char *told = diags_render(s->diags, r->a, &(RenderOptions){0});
  if (told && *told) {
    text_add(t, "<h2>Warnings and errors</h2>\n<pre>");
    put(t, told);
    text_add(t, "</pre>\n");
  }
  if (r->printed.n) {
    text_add(t, "<h2>Output</h2>\n<pre>");
    html_text(t, r->printed.at, r->printed.n);
    text_add(t, r->cut ? "..</pre>\n" : "</pre>\n");
  }
  for (uint32_t k = 0; k < s->sources->source.n; k++) {
    const Source *source = s->sources->source.at[k];
    if (source->library) continue;
    text_add(t, "<details><summary>");
    put(t, source->name);
    text_add(t, "</summary><pre>");
    html_text(t, source->text, source->n);
    text_add(t, "</pre></details>\n");
  }
}

void report_page(Report *r, Session *s, const Facts *facts, const Facts *outcome, Text *t) {
  const char *script = facts->n > 2 ? facts->at[2].json : "";
  text_add(t, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
  put_json(t, script);
  text_add(t, "</title>\n");
  text_add(t, style);
  text_add(t, "</head><body>\n<h1>A run of ");
  put_json(t, script);
  text_add(t, "</h1>\n");
  write_curves(r, t);
  write_classes(r, s, t);
  write_histograms(r, s, t);
  text_add(t, "<h2>Environment</h2>\n<table class=\"facts\">\n");
  write_facts(facts, t);
  text_add(t, "</table>\n<h2>Outcome</h2>\n<table class=\"facts\">\n");
  write_facts(outcome, t);
  text_printf(t, "<tr><td>steps</td><td>%lld</td></tr>\n</table>\n", (long long)r->steps);
  write_texts(r, s, t);
  text_add(t, "</body></html>\n");
}

/* plots: steps that show numbers or write them for other programs: plot, hist, heat, show, boundary_map, to_csv,
 * to_npy. In: tensors, records of them, a series. Out: text as `print` writes it, or a file that is there whole or not
 * at all.
 *
 * What is shown is gathered when the step runs: tensors as the step's needs, a series from its table.
 */
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/literal.h"
#include "elab/native.h"
#include "elab/series.h"
#include "elab/show.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include "natives/figure.h"
#include "runtime/base/locale.h"
#include "steps/effects.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Shown {
  enum { SHOW_LINES, SHOW_HIST, SHOW_HEAT, SHOW_IMAGE, SHOW_MAP, SHOW_CSV, SHOW_NPY } what;
  const Template *path;         /* NULL: to the terminal */
  bool png;
  uint32_t n;                   /* needs that are shown; behind them those of the path */
  const char **label;           /* of the needs: columns, lines */
  bool has_x;                   /* SHOW_LINES: the first need is what the others stand over */
  int64_t bins;
  Table *table;                 /* a series, in place of needs */
} Shown;

/* What is known of the end of a path: of a text with holes the part behind them. */
static const char *path_end(const TextValue *path) {
  const Template *t = path->text;
  const char *last = t->part.at[t->part.n - 1].text;
  return last ? last : "";
}

static bool ends_in(const TextValue *path, const char *suffix) {
  const char *end = path_end(path);
  size_t n = strlen(end), m = strlen(suffix);
  return n >= m + (text_known(path) != NULL) && strcmp(end + n - m, suffix) == 0;
}

/* ---- when it runs ---- */
/* The columns of what is shown, as doubles: `rows` of each. */
typedef struct Columns { uint32_t n; const char **label; double **at; int64_t *rows; } Columns;

static double *doubles(Arena *a, const Tensor *t) {
  int64_t n = type_count(&t->type);
  double *d = NEW_N(a, double, n + 1);
  for (int64_t k = 0; k < n; k++) d[k] = tensor_get(t, k);
  return d;
}

/* A matrix is as many columns. */
static void add_columns(Arena *a, Columns *c, const char *label, const Tensor *t) {
  int64_t rows = t->type.rank ? t->type.dim[0] : 1, width = rows ? type_count(&t->type) / rows : 1;
  const double *d = doubles(a, t);
  for (int64_t k = 0; k < width; k++) {
    double *one = NEW_N(a, double, rows + 1);
    for (int64_t i = 0; i < rows; i++) one[i] = d[i * width + k];
    c->label[c->n] = width == 1 ? label
                                : arena_printf(a, "%s%s%lld", label ? label : "", label ? "." : "", (long long)k);
    c->at[c->n] = one;
    c->rows[c->n++] = rows;
  }
}

static Columns columns_of(Session *s, const Step *step, Tensor *const *value, Arena *a) {
  const Shown *w = step->data;
  uint32_t n = w->table ? table_columns(w->table) : w->n;
  Tensor **t = NEW_N(a, Tensor *, n + 1);
  size_t width = 0;
  for (uint32_t k = 0; k < n; k++) {
    t[k] = w->table ? table_tensor(s, w->table, table_name(w->table, k)) : value[k];
    int64_t rows = t[k] && t[k]->type.rank ? t[k]->type.dim[0] : 1;
    width += t[k] && rows ? (size_t)(type_count(&t[k]->type) / rows) : 1;
  }
  Columns c = {0, NEW_N(a, const char *, width + 1), NEW_N(a, double *, width + 1), NEW_N(a, int64_t, width + 1)};
  for (uint32_t k = 0; k < n; k++) {
    const char *label = w->table ? table_name(w->table, k) : w->label[k];
    if (t[k]) add_columns(a, &c, label, t[k]);
    if (w->table) tensor_unref(t[k]);
  }
  return c;
}

/* Names that say what the rest of a series stands over. */
static bool is_axis(const char *name) {
  static const char *const names[] = {"epoch", "step", "turn", "t", "x", "lr", NULL};
  for (int k = 0; name && names[k]; k++)
    if (strcmp(name, names[k]) == 0) return true;
  return false;
}

static void lines_figure(const Shown *w, const Columns *c, Arena *a, Figure *f) {
  bool x = w->has_x || (c->n > 1 && is_axis(c->label[0]));
  Line *line = NEW_N(a, Line, c->n + 1);
  for (uint32_t k = x; k < c->n; k++) {
    double *over = c->at[0];
    if (!x) {
      over = NEW_N(a, double, c->rows[k] + 1);
      for (int64_t i = 0; i < c->rows[k]; i++) over[i] = (double)i;
    }
    line[f->n++] = (Line){c->label[k], over, c->at[k], x && c->rows[0] < c->rows[k] ? c->rows[0] : c->rows[k]};
  }
  f->kind = FIGURE_LINES;
  f->line = line;
  f->x_label = x ? c->label[0] : NULL;
}

static void hist_figure(const Shown *w, const Tensor *t, Arena *a, Figure *f) {
  int64_t n = type_count(&t->type), bins = w->bins;
  const double *d = doubles(a, t);
  double low = INFINITY, high = -INFINITY, *edge = NEW_N(a, double, bins + 1), *count = NEW_N(a, double, bins + 1);
  for (int64_t k = 0; k < n; k++)
    if (isfinite(d[k])) low = d[k] < low ? d[k] : low, high = d[k] > high ? d[k] : high;
  if (!(low <= high)) low = 0, high = 1;
  if (low == high) low -= 0.5, high += 0.5;
  double width = high / (double)bins - low / (double)bins;
  for (int64_t k = 0; k <= bins; k++) edge[k] = k == bins ? high : low + width * (double)k, count[k] = 0;
  for (int64_t k = 0; k < n; k++) {
    if (!isfinite(d[k])) continue;
    double at = floor((d[k] - low) / width);
    count[at >= (double)bins ? bins - 1 : at < 0 ? 0 : (int64_t)at]++;
  }
  Line *line = NEW(a, Line);
  *line = (Line){NULL, edge, count, bins};
  f->kind = FIGURE_BARS;
  f->n = 1;
  f->line = line;
}

/* [H, W]; [1, H, W] and a row of squares are images too: which axes they are was settled while checking. */
static void image_figure(const Tensor *t, bool gray, Arena *a, Figure *f) {
  const Type *type = &t->type;
  f->kind = FIGURE_IMAGE;
  f->gray = gray;
  f->rows = type->rank == 1 ? (int64_t)(sqrt((double)type->dim[0]) + 0.5) : type->dim[type->rank - 2];
  f->columns = type->rank == 1 ? f->rows : type->dim[type->rank - 1];
  f->pixel = doubles(a, t);
}

static void map_figure(Tensor *const *value, Arena *a, Figure *f) {
  f->kind = FIGURE_CLASSES;
  f->rows = value[0]->type.dim[0];
  f->columns = value[0]->type.dim[1];
  f->pixel = doubles(a, value[0]);
  f->points = value[1]->type.dim[0];
  f->point = doubles(a, value[1]);
  f->point_class = doubles(a, value[2]);
  const double *bound = doubles(a, value[3]);
  f->left = bound[0], f->right = bound[1], f->bottom = bound[2], f->top = bound[3];
  if (!(f->right > f->left)) f->left -= 0.5, f->right += 0.5;
  if (!(f->top > f->bottom)) f->bottom -= 0.5, f->top += 0.5;
}

static bool write_file(Session *s, const Step *step, const char *path, const Text *t) {
  FileError e = {0};
  if (file_write_atomic(&s->host, path, t->at, t->n, &e)) return true;
  diag_at(s->diags, step->loc, E_WRITE_FAILED, e.text);
  return false;
}

/* Digits that give the same number back. */
static void csv_number(Text *t, double v, DType d) {
  char s[40];
  if (isnan(v)) { text_add(t, "nan"); return; }
  if (isinf(v)) { text_add(t, v < 0 ? "-inf" : "inf"); return; }
  for (int digits = d == F32 ? 6 : 15; digits <= 17; digits++) {
    c_snprintf(s, sizeof s, "%.*g", digits, v);
    double back = c_strtod(s, NULL);
    if (d == F32 ? (float)back == (float)v : back == v) break;
  }
  text_add(t, s);
}

static void csv_name(Text *t, const char *name) {
  if (!strpbrk(name, ",\"\n\r")) {
    text_add(t, name);
    return;
  }
  text_add(t, "\"");
  for (; *name; name++) text_printf(t, *name == '"' ? "\"\"" : "%c", *name);
  text_add(t, "\"");
}

static bool csv_run(Session *s, const Step *step, Tensor *const *value, Arena *a) {
  const Shown *w = step->data;
  Columns c = columns_of(s, step, value, a);
  Text t = {.arena = a};
  text_add(&t, "");
  bool wide = !w->table && w->n > 0;
  DType d = wide ? (DType)value[0]->type.dtype : F64;
  for (uint32_t k = 0; wide && k < w->n; k++)
    if (value[k]->type.dtype == F64) d = F64;
  if (w->table) d = F32;
  for (uint32_t k = 0; k < c.n; k++) {
    if (k) text_add(&t, ",");
    csv_name(&t, c.label[k] ? c.label[k] : arena_printf(a, "column%u", k));
  }
  text_add(&t, "\n");
  for (int64_t i = 0; c.n && i < c.rows[0]; i++) {
    for (uint32_t k = 0; k < c.n; k++) {
      if (k) text_add(&t, ",");
      csv_number(&t, c.at[k][i], d);
    }
    text_add(&t, "\n");
  }
  return write_file(s, step, template_text(a, w->path, value), &t);
}

static bool shown_run(Session *s, Step *step, Tensor *const *value) {
  const Shown *w = step->data;
  Arena *a = arena_new(&s->host);
  Figure f = {0};
  Text t = {.arena = a};
  bool ok = true;
  if (w->what == SHOW_CSV) ok = csv_run(s, step, value, a);
  else if (w->what == SHOW_NPY) {
    FileError e = {0};
    ok = npy_write(&s->host, template_text(a, w->path, value), value[0], &e);
    if (!ok) diag_at(s->diags, step->loc, E_WRITE_FAILED, e.text);
  } else {
    if (w->what == SHOW_LINES) {
      Columns c = columns_of(s, step, value, a);
      lines_figure(w, &c, a, &f);
    } else if (w->what == SHOW_HIST) hist_figure(w, value[0], a, &f);
    else if (w->what == SHOW_MAP) map_figure(value, a, &f);
    else image_figure(value[0], w->what == SHOW_IMAGE, a, &f);
    if (w->path) {
      if (w->png) figure_png(&t, &f);
      else figure_svg(&t, &f);
      ok = write_file(s, step, template_text(a, w->path, value), &t);
    } else if (s->config.print) {
      figure_text(&t, &f);
      ok = s->config.print(s->config.to, t.at, t.n, step->loc);
      if (!ok) s->closed = true;
    }
  }
  arena_free(a);
  return ok;
}
/* A file that cannot be written stops the run: what stands behind has not happened. */
static const Effect shown_effect = {.name = "show", .cuts = true, .writes = true, .run = shown_run};

/* ---- while checking ---- */
static Value step_of(Elab *e, const Shown *what, const Arg *path, const NodeId *node, uint32_t n, const Ast *at) {
  Step *step = NEW(e->a, Step);
  Shown *w = arena_copy(e->a, what, sizeof *what);
  *step = (Step){.kind = STEP_EFFECT, .loc = elab_loc(e, at), .turn = NO_SLOT, .effect = &shown_effect, .data = w};
  for (uint32_t k = 0; k < n; k++) vec_push(e->a, &step->need, (Need){node[k], NO_SLOT});
  w->n = n;
  if (path->given) {
    w->path = step_text(e->s, step, path->path);
    w->png = ends_in(path->path, ".png");
  }
  step_effect(e, step);
  return v_unit();
}

/* A path, if there is one, has a suffix that the figure can be written as. */
static bool figure_path(Elab *e, const Arg *path, const char *name, bool png) {
  if (!path->given || ends_in(path->path, ".svg") || (png && ends_in(path->path, ".png"))) return true;
  elab_error(e, path->at, E_FIGURE_SUFFIX, name, png ? "files that end in .svg or .png" : "files that end in .svg",
             text_known(path->path) ? path_end(path->path) : arena_printf(e->a, "...%s", path_end(path->path)));
  return false;
}

typedef struct Parts { VEC(NodeId) node; VEC(const char *) label; } Parts;

/* The columns of a tensor [n] or [n, k], or of a record or list of them. */
static bool parts_of(Elab *e, Value v, const char *label, const char *name, Parts *p, const Ast *at) {
  host_deeper(&e->s->host);
  v = value_decay(e, v);
  bool ok = true;
  if (v.kind == V_BAD) return false;
  if (v.kind == V_RECORD) {
    for (uint32_t k = 0; ok && k < v.fields->n; k++) ok = parts_of(e, v.fields->at[k], v.fields->name[k], name, p, at);
    return ok;
  }
  if (v.kind == V_LIST || v.kind == V_TUPLE) {
    for (uint32_t k = 0; ok && k < v.items->n; k++)
      ok = parts_of(e, v.items->at[k], label ? label : arena_printf(e->a, "%u", k), name, p, at);
    return ok;
  }
  NodeId n = v.kind == V_NODE ? settle(e, v.node) : NO_NODE;
  if (v.kind != V_NODE || (n != NO_NODE && (node_type(e, n)->rank == 0 || node_type(e, n)->rank > 2))) {
    elab_error(e, at, E_PLOT_WHAT, name, "tensors [n] or [n, k], records of them and series", value_kind_text(e, &v));
    return false;
  }
  if (n == NO_NODE) return false;
  vec_push(e->a, &p->node, n);
  vec_push(e->a, &p->label, label);
  return true;
}

static bool one_length(Elab *e, const Parts *p, const char *name, const Ast *at) {
  for (uint32_t k = 1; k < p->node.n; k++)
    if (node_type(e, p->node.at[k])->dim[0] != node_type(e, p->node.at[0])->dim[0]) {
      elab_error(e, at, E_FIGURE_LENGTHS, name, node_text(e, p->node.at[0]), node_text(e, p->node.at[k]));
      return false;
    }
  return true;
}

/* Of a series its table, of other things the columns of each of n arguments. */
static Value columns_step(Elab *e, Shown w, const char *name, const Arg *a, uint32_t n, const Arg *path,
                          const Ast *at) {
  Parts p = {0};
  if (a[0].value.kind == V_SERIES) {
    w.table = a[0].value.series->table;
    return step_of(e, &w, path, NULL, 0, at);
  }
  for (uint32_t k = 0; k < n; k++)
    if (!parts_of(e, a[k].value, NULL, name, &p, a[k].at)) return v_bad();
  if ((n > 1 || w.what == SHOW_CSV) && !one_length(e, &p, name, at)) return v_bad();
  w.label = p.label.at;
  return step_of(e, &w, path, p.node.at, p.node.n, at);
}

/* plot(y), plot(x, y), plot(series), each with a path behind. */
static Value n_plot(Elab *e, const Arg *a, const Ast *at) {
  bool two = a[1].given;
  if (!step_here(e, at, "`plot`") || !figure_path(e, &a[2], "plot", false)) return v_bad();
  return columns_step(e, (Shown){.what = SHOW_LINES, .has_x = two}, "plot", a, 1 + two, &a[2], at);
}

static Value n_hist(Elab *e, const Arg *a, const Ast *at) {
  if (!step_here(e, at, "`hist`") || !figure_path(e, &a[2], "hist", false)) return v_bad();
  if (a[1].i < 1 || a[1].i > 10000) {
    elab_error(e, a[1].at, E_BINS, (long long)a[1].i);
    return v_bad();
  }
  NodeId x = settle(e, a[0].node);
  return x == NO_NODE ? v_bad() : step_of(e, &(Shown){.what = SHOW_HIST, .bins = a[1].i}, &a[2], &x, 1, at);
}

static Value image(Elab *e, const char *name, bool gray, const Arg *a, const Ast *at) {
  if (!step_here(e, at, arena_printf(e->a, "`%s`", name)) || !figure_path(e, &a[1], name, true)) return v_bad();
  NodeId x = settle(e, a[0].node);
  if (x == NO_NODE) return v_bad();
  const Type *t = node_type(e, x);
  int64_t n = type_count(t), side = (int64_t)(sqrt((double)n) + 0.5);
  bool square = t->rank == 1 && side * side == n && gray,
       flat = t->rank >= 2 && t->dim[t->rank - 2] * t->dim[t->rank - 1] == n;
  if ((!square && !flat) || n == 0 || n > (int64_t)1 << 24) {
    elab_error(e, a[0].at, E_PLOT_WHAT, name,
               gray ? "an image [H, W], or a row of a square one, of 1 to 16777216 numbers"
                    : "a matrix of 1 to 16777216 numbers",
               node_text(e, x));
    return v_bad();
  }
  return step_of(e, &(Shown){.what = gray ? SHOW_IMAGE : SHOW_HEAT}, &a[1], &x, 1, at);
}

static Value n_heat(Elab *e, const Arg *a, const Ast *at) { return image(e, "heat", false, a, at); }

static Value n_show(Elab *e, const Arg *a, const Ast *at) { return image(e, "show", true, a, at); }

/* What `boundary` of the library has computed: classes on a grid, points over it with theirs, left right bottom top. */
static Value n_map(Elab *e, const Arg *a, const Ast *at) {
  NodeId x[4];
  if (!step_here(e, at, "`boundary`") || !figure_path(e, &a[4], "boundary", true)) return v_bad();
  for (uint32_t k = 0; k < 4; k++)
    if ((x[k] = settle(e, a[k].node)) == NO_NODE) return v_bad();
  const Type *grid = node_type(e, x[0]), *point = node_type(e, x[1]), *class_ = node_type(e, x[2]),
             *bound = node_type(e, x[3]);
  if (grid->rank != 2 || type_count(grid) == 0 || point->rank != 2 || point->dim[1] != 2 || class_->rank != 1 ||
      class_->dim[0] != point->dim[0] || bound->rank != 1 || bound->dim[0] != 4) {
    elab_error(e, at, E_PLOT_WHAT, "boundary", "classes [H, W] under points [n, 2] with classes [n]",
               arena_printf(e->a, "%s, %s, %s", node_text(e, x[0]), node_text(e, x[1]), node_text(e, x[2])));
    return v_bad();
  }
  return step_of(e, &(Shown){.what = SHOW_MAP}, &a[4], x, 4, at);
}

static Value n_to_csv(Elab *e, const Arg *a, const Ast *at) {
  if (!step_here(e, at, "`to_csv`")) return v_bad();
  return columns_step(e, (Shown){.what = SHOW_CSV}, "to_csv", &a[1], 1, &a[0], at);
}

static Value n_to_npy(Elab *e, const Arg *a, const Ast *at) {
  if (!step_here(e, at, "`to_npy`")) return v_bad();
  NodeId x = settle(e, a[1].node);
  return x == NO_NODE ? v_bad() : step_of(e, &(Shown){.what = SHOW_NPY}, &a[0], &x, 1, at);
}

const Native native_figures[] = {
    {"plot", "x:any, y:any?, path:path?", n_plot,
     "Curves: plot(series), plot(y) or plot(x, y), in the terminal, or with a path as an SVG file. A column of a "
     "series named\n"
     "epoch, step, turn, t, x or lr that stands first is the axis. A matrix or a record is several curves. A step.",
     "plot([1, 4, 9], \"squares.svg\")"},
    {"hist", "x, bins:int=10, path:path?", n_hist,
     "How often the numbers of x fall into each of `bins` (10) equal parts of their range. A step.", "hist(net.w, 20)"},
    {"heat", "x, path:path?", n_heat,
     "A matrix as a picture, dark blue for its least number, yellow for its greatest; a path ends in .svg or .png. A "
     "step.",
     "heat(confusion(net(x), y), \"confusion.svg\")"},
    {"show", "x, path:path?", n_show,
     "An image [H, W], or a row of a square one, black for its least number; a path ends in .svg or .png. A step.",
     "show(digits.test.x[0])"},
    {"boundary_map", "grid, points, classes, bounds, path:path?", n_map,
     "What `boundary` draws: a grid of classes, points over it, and where it lies: left, right, bottom, top. A step.",
     NULL},
    {"to_csv", "path:path, x:any", n_to_csv,
     "Writes a series, a record of columns or a matrix as comma-separated values with a header. A step.",
     "to_csv(\"curve.csv\", curve)"},
    {"to_npy", "path:path, x", n_to_npy, "Writes a tensor in NumPy's format. A step.", "to_npy(\"w.npy\", net.w)"},
    {0}};

/* gradbench [FOLDER [THREADS]]: Glia as a tool of GradBench. In: GradBench's messages on the standard input, a JSON
 * object a line; out: an answer to each on the standard output, a line. The module `gmm` is the script FOLDER/gmm.nn
 * (bench/gradbench), its function `jacobian` the function of that name; the table below says which fields of a message
 * are its arguments and what its results are called. The shapes are those that the message has: the first call compiles
 * for them, the next ones, which are timed, allocate nothing and read the numbers where they were put once.
 *
 *     cc gradbench.c $(pkg-config --cflags --libs glia jansson) -o gradbench
 */
#include <ctype.h>
#include <glia.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST 16

/* A field is a path (`data.points`), read as f64; behind a colon stands `i` for i32, and `n` for a number that shapes
 * depend on: it is handed over as an array of that length. Results that are named become an object. A script that has
 * to lay its arguments out first, before the clock runs, has a function `prepare` with so many results; one that shows
 * a part of what it computed, after the clock ran, a function `show_NAME`. `as`, if there is one, is what the script
 * calls it. */
typedef struct Function {
  const char *module, *name, *arguments, *results;
  int prepared, computed, shown;
  const char *as;
} Function;

static const char ba[] = "n:n m:n p:n cam x w feat", gmm[] = "alpha mu q l x m:i gamma";
static const char ht[] = "theta us data.correspondences:i data.points data.model.parents:i data.model.base_relatives "
  "data.model.inverse_base_absolutes data.model.base_positions data.model.weights data.model.triangles:i "
  "data.model.is_mirrored:i";
static const char lstm[] = "state main_params extra_params sequence";
static const Function functions[] = {
  {"hello", "square", "", "", 0, 1, 0, NULL},
  {"hello", "double", "", "", 0, 1, 0, NULL},
  {"det", "primal", "ell:n A", "", 0, 1, 0, NULL},
  {"det", "gradient", "ell:n A", "", 0, 1, 0, NULL},
  {"lse", "primal", "x", "", 0, 1, 0, NULL},
  {"lse", "gradient", "x", "", 0, 1, 0, NULL},
  {"llsq", "primal", "x n:n", "", 0, 1, 0, NULL},
  {"llsq", "gradient", "x n:n", "", 0, 1, 0, NULL},
  {"ode", "primal", "x s:n", "", 0, 1, 0, NULL},
  {"ode", "gradient", "x s:n", "", 0, 1, 0, NULL},
  {"gmm", "objective", gmm, "", 0, 1, 0, NULL},
  {"gmm", "jacobian", gmm, "alpha mu q l", 0, 4, 0, NULL},
  {"ba", "objective", ba, "reproj_error.elements reproj_error.repeated w_err.element w_err.repeated", 5, 2, 4, NULL},
  {"ba", "jacobian", ba, "rows cols vals", 5, 3, 3, "derivatives"},
  {"ht", "objective", ht, "", 0, 1, 0, NULL},
  {"ht", "jacobian", ht, "", 0, 1, 0, "derivatives"},
  {"kmeans", "cost", "points centroids", "", 0, 1, 0, NULL},
  {"kmeans", "dir", "points centroids", "", 0, 1, 0, NULL},
  {"lstm", "objective", lstm, "", 0, 1, 0, NULL},
  {"lstm", "jacobian", lstm, "", 0, 1, 0, NULL},
  {"particle", "ff", "w", "", 0, 1, 0, NULL},
  {"particle", "fr", "w", "", 0, 1, 0, NULL},
  {"particle", "rf", "w", "", 0, 1, 0, NULL},
  {"particle", "rr", "w", "", 0, 1, 0, NULL},
  {"saddle", "ff", "start", "", 0, 1, 0, NULL},
  {"saddle", "fr", "start", "", 0, 1, 0, NULL},
  {"saddle", "rf", "start", "", 0, 1, 0, NULL},
  {"saddle", "rr", "start", "", 0, 1, 0, NULL},
};

typedef struct Tool {
  const char *folder;
  int threads;
  glia_session *session;       /* of the module that was defined last */
  char error[4096];
} Tool;

static int fail(Tool *t, const char *what, const char *of) {
  snprintf(t->error, sizeof t->error, "%s: %s", of, what);
  return 0;
}
static int refused(Tool *t, const char *of) { return fail(t, glia_error(t->session), of); }

/* ---- numbers: from JSON to arrays and back ---- */
static int fill(const json_t *v, const glia_array *a, int axis, int64_t *at) {
  if (axis < a->rank) {
    if (!json_is_array(v) || (int64_t)json_array_size(v) != a->dim[axis]) return 0;
    for (size_t k = 0; k < json_array_size(v); k++)
      if (!fill(json_array_get(v, k), a, axis + 1, at)) return 0;
    return 1;
  }
  if (!json_is_number(v) && !json_is_boolean(v)) return 0;
  double x = json_is_true(v) ? 1 : json_number_value(v);
  if (a->dtype == GLIA_I32) ((int32_t *)a->data)[(*at)++] = (int32_t)x;
  else ((double *)a->data)[(*at)++] = x;
  return 1;
}

/* The array that a field holds; its data is the caller's to free. */
static int read_array(Tool *t, const json_t *v, const char *field, char kind, glia_array *a) {
  *a = glia_array_of(kind == 'i' ? GLIA_I32 : kind == 'n' ? GLIA_U8 : GLIA_F64, NULL, 0, NULL);
  if (!v) return fail(t, "the input has no such field", field);
  if (kind == 'n') {
    if (!json_is_integer(v) || json_integer_value(v) < 0) return fail(t, "a count is expected", field);
    a->rank = 1;
    a->dim[0] = json_integer_value(v);
  }
  for (const json_t *row = v; json_is_array(row) && a->rank < GLIA_MAX_RANK; row = json_array_get(row, 0))
    a->dim[a->rank++] = (int64_t)json_array_size(row);
  int64_t at = 0, n = glia_count(a);
  a->data = n < 0 ? NULL : calloc((size_t)n + 1, sizeof(double));
  if (!a->data) return fail(t, "too large", field);
  return kind == 'n' || fill(v, a, 0, &at) || fail(t, "numbers, in rows of one length, are expected", field);
}

static json_t *write_array(const glia_array *a, int axis, int64_t *at) {
  if (axis == a->rank) {
    int64_t k = (*at)++;
    return a->dtype == GLIA_I32 ? json_integer(((int32_t *)a->data)[k]) : json_real(((double *)a->data)[k]);
  }
  json_t *row = json_array();
  for (int64_t k = 0; k < a->dim[axis]; k++) json_array_append_new(row, write_array(a, axis + 1, at));
  return row;
}

/* The next word of a list, without what stands behind its colon. */
static const char *next_word(const char *list, char *word, size_t size, char *kind) {
  while (*list == ' ') list++;
  size_t n = strcspn(list, " ");
  snprintf(word, size, "%.*s", (int)n, list);
  char *colon = strchr(word, ':');
  *kind = colon ? colon[1] : 'f';
  if (colon) *colon = 0;
  return n ? list + n : NULL;
}

static json_t *find(const json_t *v, char *path) {
  for (char *name = strtok(path, "."); v && name; name = strtok(NULL, ".")) v = json_object_get(v, name);
  return (json_t *)(uintptr_t)v;
}

static int read_arguments(Tool *t, const json_t *input, const char *list, glia_array *x, int *n) {
  char word[64], path[64], kind;
  if (!*list) return read_array(t, input, "input", 'f', &x[(*n)++]);       /* the input itself is the one argument */
  while ((list = next_word(list, word, sizeof word, &kind)) != NULL) {
    strcpy(path, word);
    if (!read_array(t, find(input, path), word, kind, &x[(*n)++])) return 0;
  }
  return 1;
}

static json_t *write_results(const char *list, const glia_array *y) {
  char word[64], kind;
  int64_t at = 0;
  if (!*list) return write_array(y, 0, &at);
  json_t *all = json_object();
  for (; (list = next_word(list, word, sizeof word, &kind)) != NULL; at = 0) {
    json_t *into = all;
    char *name = word, *point = strchr(word, '.');
    if (point) {
      *point = 0;
      name = point + 1;
      if (!json_object_get(all, word)) json_object_set_new(all, word, json_object());
      into = json_object_get(all, word);
    }
    json_object_set_new(into, name, write_array(y++, 0, &at));
  }
  return all;
}

/* ---- calls ---- */
/* Nothing is given to write into: the results are views, valid until the next call of that function. */
static int call(Tool *t, const char *name, const glia_array *x, int n_x, glia_array *y, int n_y) {
  glia_function *f;
  memset(y, 0, (size_t)n_y * sizeof *y);
  return (glia_get_function(t->session, name, &f) == GLIA_OK && glia_call(f, x, n_x, y, n_y) == GLIA_OK) ||
    refused(t, name);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double timed(Tool *t, const char *as, const char *name, const glia_array *x, int n_x, glia_array *y, int n_y,
                    json_t *timings) {
  double start = seconds(), took;
  if (!call(t, name, x, n_x, y, n_y)) return -1;
  took = seconds() - start;
  json_array_append_new(timings, json_pack("{s:s, s:I}", "name", as, "nanoseconds", (json_int_t)(1e9 * took)));
  return took;
}

static int evaluate(Tool *t, const Function *f, const json_t *input, glia_array *x, int *n_x, json_t *answer) {
  glia_array laid_out[MOST], y[MOST], shown[MOST];
  const glia_array *given = x;
  const char *name = f->as ? f->as : f->name;
  char show[64];
  if (!read_arguments(t, input, f->arguments, x, n_x)) return 0;
  int n_given = *n_x;
  if (f->prepared) {
    if (!call(t, "prepare", x, *n_x, laid_out, f->prepared)) return 0;
    given = laid_out;
    n_given = f->prepared;
  }
  json_t *timings = json_array();
  json_object_set_new(answer, "timings", timings);
  if (timed(t, "prepare", name, given, n_given, y, f->computed, timings) < 0) return 0;   /* compiles */
  double min_seconds = json_number_value(json_object_get(input, "min_seconds")), all = 0, took;
  json_int_t min_runs = json_integer_value(json_object_get(input, "min_runs"));
  for (json_int_t k = 0; k == 0 || k < min_runs || all < min_seconds; k++, all += took)
    if ((took = timed(t, "evaluate", name, given, n_given, y, f->computed, timings)) < 0) return 0;
  snprintf(show, sizeof show, "show_%s", f->name);
  if (f->shown && !call(t, show, y, f->computed, shown, f->shown)) return 0;
  json_object_set_new(answer, "output", write_results(f->results, f->shown ? shown : y));
  return 1;
}

/* ---- messages ---- */
static int define(Tool *t, const char *module) {
  char path[1024];
  glia_config config = {.threads = t->threads};
  glia_close(t->session);
  t->session = NULL;
  if (strspn(module, "abcdefghijklmnopqrstuvwxyz") != strlen(module)) return fail(t, "no such module", module);
  if (glia_open(&config, &t->session) != GLIA_OK) return fail(t, "no session", module);
  snprintf(path, sizeof path, "%s/%s.nn", t->folder, module);
  return glia_load_file(t->session, path) == GLIA_OK || refused(t, module);
}

static int answer_evaluate(Tool *t, const json_t *message, const char *module, json_t *answer) {
  const char *name = json_string_value(json_object_get(message, "function"));
  if (!t->session) return fail(t, "no module is defined", module);
  for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
    const Function *f = &functions[k];
    if (!name || strcmp(f->module, module) != 0 || strcmp(f->name, name) != 0) continue;
    glia_array x[MOST];
    int n = 0, good = evaluate(t, f, json_object_get(message, "input"), x, &n, answer);
    while (n > 0) free(x[--n].data);
    return good;
  }
  return fail(t, "has no such function", module);
}

static json_t *respond(Tool *t, const json_t *message) {
  const char *kind = json_string_value(json_object_get(message, "kind"));
  const char *module = json_string_value(json_object_get(message, "module"));
  json_t *answer = json_object();
  int good;
  json_object_set(answer, "id", json_object_get(message, "id"));
  if (!kind) kind = "";
  if (!module) module = "";
  if (strcmp(kind, "start") == 0) json_object_set_new(answer, "tool", json_string("glia"));
  if (strcmp(kind, "define") == 0) good = define(t, module);
  else if (strcmp(kind, "evaluate") == 0) good = answer_evaluate(t, message, module, answer);
  else return answer;
  json_object_set_new(answer, "success", json_boolean(good));
  if (!good) json_object_set_new(answer, "error", json_string(t->error));
  return answer;
}

static int more(void) {
  int c;
  while (isspace(c = getchar())) {}
  return c != EOF && ungetc(c, stdin) != EOF;
}

int main(int argc, char **argv) {
  Tool t = {.folder = argc > 1 ? argv[1] : "bench/gradbench", .threads = argc > 2 ? atoi(argv[2]) : 1};
  json_error_t error;
  int status = 0;
  while (status == 0 && more()) {
    json_t *message = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &error);
    json_t *answer = message ? respond(&t, message) : NULL;
    if (!message) {
      fprintf(stderr, "gradbench: a message is no JSON: %s\n", error.text);
      status = 1;
    } else if (json_dumpf(answer, stdout, JSON_COMPACT) != 0 || puts("") == EOF || fflush(stdout) == EOF) {
      fputs("gradbench: nobody reads the answers\n", stderr);
      status = 1;
    }
    json_decref(answer);
    json_decref(message);
  }
  glia_close(t.session);
  return status;
}

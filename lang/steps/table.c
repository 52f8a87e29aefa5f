/* table: the rows of a series while a script runs. In: rows, column by column. Out: columns as tensors. Invariant:
 * every column has room for every row, and a table lives in its session's arena while its rows are the session's,
 * dropped with it.
 */
#include "steps/table.h"
#include <stddef.h>
#include <string.h>
#include "steps/format.h"
#include "steps/state.h"

typedef struct Column {
  const char *name;
  Type type;                  /* of a row */
  char *data;
  size_t row, room;           /* bytes */
} Column;

struct Table {
  Owned owned;
  Host *host;
  VEC(Column) column;
  int64_t rows;
};

static void table_drop(Owned *o) {
  Table *t = (Table *)(void *)((char *)o - offsetof(Table, owned));
  for (uint32_t k = 0; k < t->column.n; k++) host_free(t->host, t->column.at[k].data, t->column.at[k].room);
}

Table *table_new(Session *s) {
  Table *t = NEW(s->arena, Table);
  t->host = &s->host;
  owned_born(&s->host, &t->owned, table_drop);
  arena_own(s->arena, &t->owned);
  vec_push(s->arena, &s->program->table, t);
  return t;
}

static Column *column_find(const Table *t, const char *name) {
  for (uint32_t k = 0; k < t->column.n; k++)
    if (strcmp(t->column.at[k].name, name) == 0) return &t->column.at[k];
  return NULL;
}

bool table_column(Session *s, Table *t, const char *name, const Type *type) {
  const Column *c = column_find(t, name);
  if (c) return type_eq(&c->type, type);
  vec_push(s->arena, &t->column,
           (Column){arena_text(s->arena, name, strlen(name)), *type, NULL, (size_t)type_bytes(type), 0});
  return true;
}

const Type *table_type(const Table *t, const char *name) {
  const Column *c = column_find(t, name);
  return c ? &c->type : NULL;
}

uint32_t table_columns(const Table *t) { return t->column.n; }
const char *table_name(const Table *t, uint32_t k) { return t->column.at[k].name; }
void table_columns_cut(Table *t, uint32_t n) {
  for (uint32_t k = n; k < t->column.n; k++) host_free(t->host, t->column.at[k].data, t->column.at[k].room);
  if (n < t->column.n) t->column.n = n;
}

TableMark table_mark(const Table *t) { return (TableMark){t->column.at, t->column.n, t->column.cap, t->rows}; }

void table_back(Table *t, const TableMark *m, bool rows) {
  table_columns_cut(t, m->n);
  if (m->n && m->at != t->column.at) memcpy(m->at, t->column.at, m->n * sizeof *t->column.at);
  t->column.at = m->at;
  t->column.cap = m->cap;
  if (rows) table_cut(t, m->rows);
}

int64_t table_rows(const Table *t) { return t->rows; }
void table_cut(Table *t, int64_t rows) { if (rows < t->rows) t->rows = rows; }

/* Room for n rows; what is new is zero. */
static void column_room(Table *t, Column *c, int64_t n) {
  size_t bytes;
  if (!size_mul(c->row, (size_t)n, &bytes)) host_fail(t->host, FAIL_MEMORY, "a series is too large");
  if (c->data && bytes <= c->room) return;
  size_t room = c->room ? c->room * 2 : c->row * 16;
  if (room < bytes || room < c->room) room = bytes;
  if (room == 0) room = 1;
  c->data = host_resize(t->host, c->data, c->room, room);
  c->room = room;
}

void table_rows_set(Table *t, int64_t rows) {
  for (uint32_t k = 0; k < t->column.n; k++) column_room(t, &t->column.at[k], rows);
  t->rows = rows;
}

void table_fill(Table *t, uint32_t column, const Tensor *rows) {
  Column *c = &t->column.at[column];
  if (rows->bytes) memcpy(c->data, rows->data, rows->bytes);
}

Tensor *table_tensor(Session *s, const Table *t, const char *name) {
  const Column *c = column_find(t, name);
  if (!c) return NULL;
  Type type = c->type;
  if (type.rank == MAX_RANK) return NULL;
  memmove(type.dim + 1, type.dim, type.rank * sizeof *type.dim);
  type.dim[0] = t->rows;
  type.rank++;
  Tensor *x = tensor_new(&s->host, &type);
  if (x->bytes && c->data) memcpy(x->data, c->data, x->bytes);
  return x;
}

/* ---- as text: a line a row, numbers below each other; of a long one the first and last rows ---- */
enum { MOST_SHOWN = 1000, EDGE = 3, CELL_ELEMENTS = 8 };

static const char *cell_text(const Table *t, const Column *c, int64_t row, Arena *a) {
  Text out = {.arena = a};
  text_add(&out, "");
  if (type_count(&c->type) > CELL_ELEMENTS) return type_show(a, &c->type);
  Tensor *x = tensor_from(t->host, &c->type, c->data + c->row * (size_t)row);
  format_tensor(&out, x, &(Format){.digits = -1}, 0);
  tensor_unref(x);
  for (char *p = out.at; *p; p++)
    if (*p == '\n') *p = ' ';
  return out.at;
}

static size_t width_of(const char *s) {
  size_t n = 0;
  for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
  return n;
}

void table_write(Text *out, const void *table) {
  const Table *t = table;
  Arena *a = arena_new(t->host);
  uint32_t columns = t->rows ? t->column.n : 0;      /* those of rows to come are known already */
  bool part = t->rows * columns > MOST_SHOWN && t->rows > 2 * EDGE;
  int64_t lines = part ? 2 * EDGE + 1 : t->rows;
  const char **cell = NEW_N(a, const char *, (size_t)(lines + 1) * columns + 1);
  if (!columns) text_add(out, "a series without rows");
  for (uint32_t k = 0; k < columns; k++) {
    const Column *c = &t->column.at[k];
    size_t width = width_of(c->name);
    cell[k] = c->name;
    for (int64_t line = 0; line < lines; line++) {
      int64_t row = !part || line < EDGE ? line : t->rows - lines + line;
      const char *s = part && line == EDGE ? "..." : cell_text(t, c, row, a);
      if (width_of(s) > width) width = width_of(s);
      cell[(size_t)(line + 1) * columns + k] = s;
    }
    for (int64_t line = 0; line <= lines; line++) {
      const char **s = &cell[(size_t)line * columns + k];
      *s = arena_printf(a, "%s%*s%s", k ? "  " : "", (int)(width - width_of(*s)), "", *s);
    }
  }
  for (int64_t line = 0; line <= lines && columns; line++) {
    if (line) text_add(out, "\n");
    for (uint32_t k = 0; k < columns; k++) text_add(out, cell[(size_t)line * columns + k]);
  }
  if (part) text_printf(out, "\n%lld rows", (long long)t->rows);
  arena_free(a);
}

void table_add(Table *t, const char *const *column, Tensor *const *value, uint32_t n) {
  for (uint32_t k = 0; k < t->column.n; k++) column_room(t, &t->column.at[k], t->rows + 1);
  for (uint32_t k = 0; k < t->column.n; k++)
    memset(t->column.at[k].data + t->column.at[k].row * (size_t)t->rows, 0, t->column.at[k].row);
  for (uint32_t k = 0; k < n; k++) {
    Column *c = column_find(t, column[k]);
    if (c->row) memcpy(c->data + c->row * (size_t)t->rows, value[k]->data, c->row);
  }
  t->rows++;
}

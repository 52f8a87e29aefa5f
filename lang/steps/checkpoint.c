/* checkpoint: see checkpoint.h. The text of `~run`, a fact a line:
 *   script 0f..     arguments 0f..     library 0f..
 *   folder PATH                           where the run began
 *   data NUMBER 0f.. READ 0f.. PATH       the slot of a file: digest of its type; of its bytes, if READ is 1
 *   part FROM ROWS...                     the parts that were begun, with the rows of each series then
 *   slot NUMBER NAME                      a tensor of the file and where it goes
 *   series NUMBER ROWS COLUMNS            its columns are the entries `~series NUMBER NAME`
 *   whole 0f..     at the end: of the text before it and of all other entries
 *   frame AT INTO PIECE TURN TURN_IN_PIECE COUNT    outermost first; INTO: which block of the step the next frame
 *   stands in
 */
#define _POSIX_C_SOURCE 200809L
#include "steps/checkpoint.h"
#include "runtime/base/digest.h"
#include "steps/event.h"
#include "steps/state.h"
#include "steps/table.h"
#include "text/stdlib.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { INTO_NONE, INTO_PIECE, INTO_HEAD, INTO_BODY, INTO_THEN, INTO_ELSE, N_INTO } Into;

/* ---- digests ---- */
static uint64_t digest_text(uint64_t h, const char *text) { return digest(h, text, strlen(text) + 1); }

static uint64_t digest_type(const Type *t) {
  uint64_t h = digest(6, &(int64_t){(int64_t)t->dtype}, sizeof(int64_t));
  return digest(h, t->dim, (size_t)t->rank * sizeof *t->dim);
}

static uint64_t digest_arguments(const Session *s) {
  uint64_t h = 2;
  for (int k = 0; k < s->config.n_args; k++) h = digest_text(h, s->config.args[k]);
  h = digest_text(h, "-D");
  for (int k = 0; k < s->config.n_defines; k++) h = digest_text(h, s->config.defines[k]);
  return h;
}

/* The version and the standard library: another one makes other graphs. */
static uint64_t digest_library(void) {
  uint64_t h = digest_text(3, PACKAGE_VERSION);
  for (int k = 0; k < stdlib_n_files; k++) h = digest(h, stdlib_files[k].text, stdlib_files[k].n);
  return h;
}

/* Of a text and of all tensors but the one that holds it. */
static uint64_t digest_whole(const char *text, size_t n, const NamedTensor *t, size_t n_tensors) {
  uint64_t h = digest(5, text, n);
  for (size_t k = 0; k < n_tensors; k++) {
    if (strcmp(t[k].name, CHECKPOINT_TEXT) == 0) continue;
    h = digest_text(h, t[k].name);
    h = digest(h, t[k].tensor->data, t[k].tensor->bytes);
  }
  return h;
}

void checkpoint_script(Session *s) {
  uint64_t h = 4;
  for (uint32_t k = 0; k < s->sources->source.n; k++) {
    const Source *x = s->sources->source.at[k];
    if (!x->library) h = digest(h, x->text, x->n);
  }
  s->run.script = h;
  s->run.part.n = 0;
  s->run.steps = NULL;
}

void checkpoint_part(Session *s, uint32_t from, const Steps *steps) {
  uint32_t n = s->program->table.n;
  RunPart p = {.from = from, .n = n, .rows = NEW_N(s->arena, int64_t, n + 1)};
  for (uint32_t k = 0; k < n; k++) p.rows[k] = table_rows(s->program->table.at[k]);
  vec_push(s->arena, &s->run.part, p);
  s->run.steps = steps;
}

/* ---- what is still to be read ---- */
/* From each frame's step on: a loop that stands there is read whole, for it may turn again. */
static uint8_t *still_read(Session *s, Arena *a) {
  uint8_t *read = NEW_N(a, uint8_t, s->program->slot.n + 1);
  for (uint32_t k = 0; k < s->run.position.frame.n; k++)
    program_reads(s->program, s->run.position.frame.at[k].block, s->run.position.frame.at[k].at, a, read);
  return read;
}

/* The number of a slot in a file: those that are there for a listener alone are not counted, so that it does not matter
 * whether a log is kept, now or then. */
static uint32_t slot_number(const Program *p, SlotId id) {
  uint32_t n = 0;
  for (SlotId k = 0; k < id; k++) n += p->slot.at[k].kind != SLOT_TOLD;
  return n;
}

/* slot.n: there is none of this number. */
static SlotId slot_of_number(const Program *p, uint32_t number) {
  for (SlotId k = 0; k < p->slot.n; k++)
    if (p->slot.at[k].kind != SLOT_TOLD && number-- == 0) return k;
  return p->slot.n;
}

/* ---- writing ---- */
typedef VEC(NamedTensor) Entries;

static const char *cell_name(const Program *p, Arena *a, SlotId id) {
  const char *path = p->slot.at[id].path;
  bool once = path && path[0] && path[0] != '~' && !strchr(path, '\n');
  for (SlotId k = 0; once && k < p->slot.n; k++) {
    const Slot *x = &p->slot.at[k];
    if (k != id && x->kind == SLOT_CELL && x->value && x->path && strcmp(x->path, path) == 0) once = false;
  }
  return once ? path : arena_printf(a, "~cell %u", slot_number(p, id));
}

static void write_slots(Session *s, Arena *a, Text *t, Entries *out) {
  const Program *p = s->program;
  bool all = s->run.part.n > 1 || s->run.waiting;      /* a part that is read later may ask for any value */
  const uint8_t *read = still_read(s, a);
  for (SlotId k = 0; k < p->slot.n; k++) {
    const Slot *x = &p->slot.at[k];
    bool value = x->kind == SLOT_VALUE && p->segment.at[x->segment]->ran && (all || read[k]);
    if (!x->value || !(x->kind == SLOT_CELL || value)) continue;
    uint32_t number = slot_number(p, k);
    const char *name = value ? arena_printf(a, "~value %u", number) : cell_name(p, a, k);
    text_printf(t, "slot %u %s\n", number, name);
    vec_push(a, out, (NamedTensor){name, x->value});
  }
}

static void write_series(Session *s, Arena *a, Text *t, Entries *out) {
  for (uint32_t k = 0; k < s->program->table.n; k++) {
    const Table *table = s->program->table.at[k];
    uint32_t n = table_columns(table);
    text_printf(t, "series %u %lld %u\n", k, (long long)table_rows(table), n);
    for (uint32_t j = 0; j < n; j++) {
      Tensor *column = table_tensor(s, table, table_name(table, j));
      if (!column) continue;
      tensor_hold(a, column);
      tensor_unref(column);
      vec_push(a, out, (NamedTensor){arena_printf(a, "~series %u %s", k, table_name(table, j)), column});
    }
  }
}

static Into into(const Step *step, const Steps *inner, uint32_t piece) {
  switch (step->kind) {
  case STEP_LOOP: return inner == &step->piece.at[piece].body ? INTO_PIECE : INTO_NONE;
  case STEP_WHILE: return inner == &step->head ? INTO_HEAD : INTO_BODY;
  case STEP_IF: return inner == &step->body ? INTO_THEN : INTO_ELSE;
  default: return INTO_NONE;
  }
}

static void write_position(Session *s, Text *t, bool done) {
  uint32_t n = s->run.position.frame.n;
  for (uint32_t k = 0; k < n; k++) {
    const Frame *f = &s->run.position.frame.at[k];
    bool inner = k + 1 == n;
    Into to = inner ? INTO_NONE : into(f->step, s->run.position.frame.at[k + 1].block, f->piece);
    text_printf(t, "frame %u %d %u %lld %lld %lld\n", f->at + (inner && done), (int)to, f->piece, (long long)f->turn,
                (long long)f->turn_in_piece, (long long)f->count);
  }
}

/* What was read of a data file, and what was taken of it while checking: its type. */
static void write_data(const Program *p, Text *t) {
  for (SlotId k = 0; k < p->slot.n; k++) {
    const Slot *x = &p->slot.at[k];
    if (x->kind != SLOT_DATA || !x->file) continue;
    text_printf(t, "data %u %016llx %d %016llx %s\n", slot_number(p, k), (unsigned long long)digest_type(&x->type),
                x->file->digested, (unsigned long long)x->file->digest, x->file->path);
  }
}

bool checkpoint_write(Session *s, const char *path, bool done, Loc loc) {
  if (!s->run.steps || !s->run.position.frame.n || s->run.position.frame.at[0].block != s->run.steps) {
    Diag *d = diag_at(s->diags, loc, E_CHECKPOINT_HERE);
    diag_hint(s->diags, d, "`save(path, tree)` keeps a tree");
    return false;
  }
  Arena *a = arena_new(&s->host);
  Text t = {.arena = a};
  Entries out = {0};
  text_printf(&t, "script %016llx\narguments %016llx\nlibrary %016llx\n", (unsigned long long)s->run.script,
              (unsigned long long)digest_arguments(s), (unsigned long long)digest_library());
  char here[PATH_MAX];
  const char *began = s->run.began ? s->run.began : getcwd(here, sizeof here);
  if (began && !strchr(began, '\n')) text_printf(&t, "folder %s\n", began);
  write_data(s->program, &t);
  for (uint32_t k = 0; k < s->run.part.n; k++) {
    text_printf(&t, "part %u", s->run.part.at[k].from);
    for (uint32_t j = 0; j < s->run.part.at[k].n; j++) text_printf(&t, " %lld", (long long)s->run.part.at[k].rows[j]);
    text_add(&t, "\n");
  }
  write_slots(s, a, &t, &out);
  write_series(s, a, &t, &out);
  write_position(s, &t, done);
  uint64_t whole = digest_whole(t.at, t.n, out.at, out.n);
  text_printf(&t, "whole %016llx\n", (unsigned long long)whole);
  Type type = type_make(U8, 1, (int64_t[]){(int64_t)t.n});
  Tensor *text = tensor_from(&s->host, &type, t.at);
  tensor_hold(a, text);
  tensor_unref(text);
  vec_push(a, &out, (NamedTensor){CHECKPOINT_TEXT, text});
  FileError e = {0};
  bool ok = true;
  /* what was given is not given again */
  if (ok && s->config.flush && !s->config.flush(s->config.to)) ok = !(s->closed = true);
  if (ok && !safetensors_write(&s->host, path, out.at, out.n, &e)) {
    diag_at(s->diags, loc, E_CHECKPOINT_WRITE, e.text);
    ok = false;
  }
  arena_free(a);
  return ok;
}

/* room: the last path that the run gave, for an interrupt behind it. */
typedef struct Keeping { const Template *path; char *room; size_t all; } Keeping;

static bool checkpoint_run(Session *s, Step *step, Tensor *const *value) {
  Keeping *k = step->data;
  Arena *a = arena_new(&s->host);
  const char *path = template_text(a, k->path, value);
  size_t n = strlen(path) + 1;
  if (k->path->part.n != 1 || !k->path->part.at[0].text) {
    if (n > k->all) {
      char *room = NEW_N(s->arena, char, 2 * n);
      arena_change(s->arena, k, sizeof *k);
      *k = (Keeping){k->path, room, 2 * n};
    }
    s->run.checkpoint = memcpy(k->room, path, n);
  }
  bool ok = checkpoint_write(s, path, true, step->loc);
  if (ok && s->config.heard)
    s->config.heard(s->config.to, s,
                    &(Event){.kind = EVENT_CHECKPOINT, .loc = step->loc, .text = path, .length = strlen(path)});
  arena_free(a);
  return ok;
}
static const Effect checkpoint_effect = {.name = "checkpoint", .cuts = true, .writes = true, .run = checkpoint_run};

Step *effect_checkpoint(Session *s, const TextValue *path, Loc loc) {
  if (!s->run.checkpoint) s->run.checkpoint = text_known(path);
  Step *step = NEW(s->arena, Step);
  Keeping *k = NEW(s->arena, Keeping);
  *step = (Step){.kind = STEP_EFFECT, .loc = loc, .turn = NO_SLOT, .effect = &checkpoint_effect, .data = k};
  k->path = step_text(s, step, path);
  return step;
}

/* ---- reading ---- */
typedef struct SlotLine { uint32_t number; const char *name; Tensor *tensor; bool taken; } SlotLine;
typedef struct FrameLine { long long at, into, piece, turn, turn_in_piece, count; } FrameLine;
typedef struct DataLine { uint32_t number; uint64_t type, digest; bool read, same; const char *path; } DataLine;
typedef struct SeriesLine { uint32_t number; int64_t rows; uint32_t columns; } SeriesLine;

struct Checkpoint {
  Arena *arena;
  const char *path;
  NamedTensor *entry;
  size_t n;
  uint64_t script, arguments, library;
  VEC(RunPart) part;
  VEC(SlotLine) slot;
  VEC(SeriesLine) series;
  VEC(FrameLine) frame;
  VEC(DataLine) data;
  const char *folder;
};

static bool unfit(Session *s, const Checkpoint *c, const char *why) {
  Diag *d = diag_at(s->diags, 0, E_RESUME_FORM, c->path, why);
  diag_hint(s->diags, d, "run the script from its beginning, or name a file that `checkpoint` wrote");
  return false;
}

static Tensor *entry_of(const Checkpoint *c, const char *name) {
  for (size_t k = 0; k < c->n; k++)
    if (strcmp(c->entry[k].name, name) == 0) return c->entry[k].tensor;
  return NULL;
}

static bool part_line(Checkpoint *c, const char *text) {
  char *end;
  RunPart p = {.from = (uint32_t)strtoul(text, &end, 10), .rows = NEW_N(c->arena, int64_t, strlen(text) + 1)};
  if (end == text) return false;
  while (*end == ' ') {
    const char *from = end + 1;
    p.rows[p.n] = strtoll(from, &end, 10);
    if (end == from || p.rows[p.n++] < 0) return false;
  }
  vec_push(c->arena, &c->part, p);
  return *end == 0;
}

static bool line(Checkpoint *c, char *text) {
  unsigned long long h, type;
  unsigned number, columns;
  long long rows;
  int read, used = 0;
  FrameLine f;
  if (sscanf(text, "script %16llx", &h) == 1) return c->script = h, true;
  if (sscanf(text, "arguments %16llx", &h) == 1) return c->arguments = h, true;
  if (sscanf(text, "library %16llx", &h) == 1) return c->library = h, true;
  if (strncmp(text, "part ", 5) == 0) return part_line(c, text + 5);
  if (strncmp(text, "folder ", 7) == 0) return c->folder = text + 7, true;
  if (sscanf(text, "data %u %16llx %d %16llx %n", &number, &type, &read, &h, &used) == 4 && used) {
    DataLine x = {.number = number, .type = type, .digest = h, .read = read != 0, .path = text + used};
    vec_push(c->arena, &c->data, x);
    return true;
  }
  if (sscanf(text, "slot %u %n", &number, &used) == 1 && used) {
    vec_push(c->arena, &c->slot, (SlotLine){.number = number, .name = text + used});
    return true;
  }
  if (sscanf(text, "series %u %lld %u", &number, &rows, &columns) == 3 && rows >= 0) {
    vec_push(c->arena, &c->series, (SeriesLine){number, rows, columns});
    return true;
  }
  if (sscanf(text, "frame %lld %lld %lld %lld %lld %lld", &f.at, &f.into, &f.piece, &f.turn, &f.turn_in_piece,
             &f.count) == 6) {
    vec_push(c->arena, &c->frame, f);
    return true;
  }
  return false;
}

static bool read_text(Session *s, Checkpoint *c) {
  const Tensor *t = entry_of(c, CHECKPOINT_TEXT);
  if (!t || t->type.dtype != U8 || t->type.rank != 1) return unfit(s, c, "it has no place in a run");
  char *text = arena_text(c->arena, t->data, (size_t)t->type.dim[0]);
  enum { WHOLE = 6 + 16 + 1 };          /* its last line */
  size_t n = strlen(text);
  if (n != (size_t)t->type.dim[0] || n < WHOLE || strncmp(text + n - WHOLE, "whole ", 6) != 0 ||
      strtoull(text + n - WHOLE + 6, NULL, 16) != digest_whole(text, n - WHOLE, c->entry, c->n))
    return unfit(s, c, "it is damaged");
  text[n - WHOLE] = 0;
  while (*text) {
    char *end = strchr(text, '\n');
    if (!end) return unfit(s, c, "it is damaged");
    *end = 0;
    if (!line(c, text)) return unfit(s, c, "it is damaged");
    text = end + 1;
  }
  if (!c->part.n || !c->frame.n) return unfit(s, c, "it has no place in a run");
  for (uint32_t k = 0; k < c->slot.n; k++)
    if (!(c->slot.at[k].tensor = entry_of(c, c->slot.at[k].name))) return unfit(s, c, "a tensor is missing");
  return true;
}

Checkpoint *checkpoint_open(Session *s, const char *path) {
  Arena *a = arena_new(&s->host);
  Checkpoint *c = NEW(a, Checkpoint);
  c->arena = a;
  c->path = arena_text(a, path, strlen(path));
  FileError e = {0};
  bool ok = safetensors_read(a, path, &c->entry, &c->n, &e);
  if (!ok) diag_at(s->diags, 0, E_RESUME_READ, e.text);
  for (size_t k = 0; ok && k < c->n; k++) {
    tensor_hold(a, c->entry[k].tensor);
    tensor_unref(c->entry[k].tensor);
  }
  if (!ok || !read_text(s, c)) {
    checkpoint_close(c);
    return NULL;
  }
  char here[PATH_MAX];
  bool elsewhere = c->folder && !(getcwd(here, sizeof here) && strcmp(here, c->folder) == 0);
  s->run.began = elsewhere ? arena_text(s->arena, c->folder, strlen(c->folder)) : NULL;
  return c;
}

bool checkpoint_fits(Session *s, const Checkpoint *c) {
  DiagId other = N_DIAGS;
  if (c->library != digest_library()) other = E_RESUME_VERSION;
  else if (c->script != s->run.script) other = E_RESUME_SCRIPT;
  else if (c->arguments != digest_arguments(s)) other = E_RESUME_ARGUMENTS;
  if (other == N_DIAGS) return true;
  Diag *d = diag_at(s->diags, 0, other, c->path);
  diag_hint(s->diags, d, "`load` reads trees from it: `load(\"%s\", net)`", c->path);
  return false;
}

void checkpoint_close(Checkpoint *c) { arena_free(c->arena); }
uint32_t checkpoint_parts(const Checkpoint *c) { return c->part.n; }

void checkpoint_rows(Session *s, const Checkpoint *c, uint32_t k) {
  for (uint32_t j = 0; j < c->part.at[k].n && j < s->program->table.n; j++)
    table_rows_set(s->program->table.at[j], c->part.at[k].rows[j]);
}

/* ---- taking it over ---- */
/* The files of the parts that are ready are read now, if they were then, and are what they were. */
static bool data_fits(Session *s, Checkpoint *c, bool last) {
  const Program *p = s->program;
  for (uint32_t k = 0; k < c->data.n; k++) {
    DataLine *x = &c->data.at[k];
    SlotId id = slot_of_number(p, x->number);
    if (x->same || (id >= p->slot.n && !last)) continue;
    const Slot *slot = id < p->slot.n ? &p->slot.at[id] : NULL;
    x->same = slot && slot->kind == SLOT_DATA && slot->file && digest_type(&slot->type) == x->type;
    if (x->same && x->read) {
      if (!slot->file->digested && !slot_tensor(s, id, 0)) return false;
      x->same = slot->file->digest == x->digest;
    }
    if (x->same) continue;
    bool found = slot && slot->kind == SLOT_DATA && slot->file;
    Diag *d = diag_at(s->diags, 0, E_RESUME_DATA, found ? slot->file->path : x->path);
    diag_note(s->diags, d, 0, "the checkpoint is `%s`", c->path);
    return false;
  }
  return true;
}

static bool slots_fit(Session *s, const Checkpoint *c, bool last) {
  const Program *p = s->program;
  for (uint32_t k = 0; k < c->slot.n; k++) {
    const SlotLine *x = &c->slot.at[k];
    SlotId id = slot_of_number(p, x->number);
    if (id >= p->slot.n) {
      if (last) return unfit(s, c, "the script has no place for one of its values");
      continue;
    }
    const Slot *slot = &p->slot.at[id];
    if ((slot->kind != SLOT_CELL && slot->kind != SLOT_VALUE) || !type_eq(&slot->type, &x->tensor->type))
      return unfit(s, c, "a value has another type in the script");
  }
  return true;
}

static bool position_fits(Session *s, const Checkpoint *c, Arena *a, Frame *out) {
  const Steps *block = s->run.steps;
  for (uint32_t k = 0; k < c->frame.n; k++) {
    const FrameLine *x = &c->frame.at[k];
    bool inner = k + 1 == c->frame.n;
    if (x->at < 0 || x->at > block->n || (!inner && x->at == block->n) || x->turn < 0 || x->turn > INT32_MAX ||
        x->turn_in_piece < 0 || x->piece < 0)
      return unfit(s, c, "its place is not in the script");
    out[k] = (Frame){.block = (Steps *)(uintptr_t)block, .at = (uint32_t)x->at, .piece = (uint32_t)x->piece,
                     .turn = x->turn,
                     .turn_in_piece = x->turn_in_piece, .count = x->count};
    if (inner) break;
    Step *step = out[k].step = block->at[x->at];
    bool loop = step->kind == STEP_LOOP, while_ = step->kind == STEP_WHILE, branch = step->kind == STEP_IF;
    switch (x->into) {
    case INTO_PIECE: block = loop && x->piece < step->piece.n ? &step->piece.at[x->piece].body : NULL; break;
    case INTO_HEAD: block = while_ ? &step->head : NULL; break;
    case INTO_BODY: block = while_ ? &step->body : NULL; break;
    case INTO_THEN: block = branch ? &step->body : NULL; break;
    case INTO_ELSE: block = branch ? &step->other : NULL; break;
    default: block = NULL;
    }
    if (!block) return unfit(s, c, "its place is not in the script");
    out[k].phase = x->into == INTO_BODY;
  }
  (void)a;
  return true;
}

static bool series_fit(Session *s, const Checkpoint *c) {
  if (c->series.n != s->program->table.n) return unfit(s, c, "the script has other series");
  for (uint32_t k = 0; k < c->series.n; k++) {
    const SeriesLine *x = &c->series.at[k];
    Table *t = x->number == k ? s->program->table.at[k] : NULL;
    if (!t || x->columns != table_columns(t)) return unfit(s, c, "the script has other series");
    for (uint32_t j = 0; j < x->columns; j++) {
      const Tensor *column = entry_of(c, arena_printf(c->arena, "~series %u %s", k, table_name(t, j)));
      Type row = *table_type(t, table_name(t, j));
      if (!column || column->type.dtype != row.dtype || column->type.rank != row.rank + 1 ||
          column->type.dim[0] != x->rows || memcmp(column->type.dim + 1, row.dim, row.rank * sizeof *row.dim) != 0)
        return unfit(s, c, "a series has other columns in the script");
    }
  }
  return true;
}

bool checkpoint_take(Session *s, Checkpoint *c, bool last) {
  Program *p = s->program;
  Frame *frame = NEW_N(c->arena, Frame, c->frame.n);
  if (!data_fits(s, c, last) || !slots_fit(s, c, last)) return false;
  if (last && (!position_fits(s, c, c->arena, frame) || !series_fit(s, c))) return false;
  for (uint32_t k = 0; k < c->slot.n; k++) {
    SlotLine *x = &c->slot.at[k];
    SlotId id = slot_of_number(p, x->number);
    if (x->taken || id >= p->slot.n) continue;
    slot_put(p, id, x->tensor);
    if (p->slot.at[id].kind == SLOT_VALUE) p->segment.at[p->slot.at[id].segment]->ran = true;
    x->taken = true;
  }
  if (!last) return true;
  for (uint32_t k = 0; k < c->series.n; k++) {
    Table *t = s->program->table.at[k];
    table_rows_set(t, c->series.at[k].rows);
    for (uint32_t j = 0; j < table_columns(t); j++)
      table_fill(t, j, entry_of(c, arena_printf(c->arena, "~series %u %s", k, table_name(t, j))));
  }
  s->run.position.frame.n = 0;
  for (uint32_t k = 0; k < c->frame.n; k++) {
    vec_push(s->arena, &s->run.position.frame, frame[k]);
    if (!frame[k].step || frame[k].step->turn == NO_SLOT) continue;
    Type type = type_scalar(I32);
    Tensor *turn = tensor_from(&s->host, &type, &(int32_t){(int32_t)frame[k].turn});
    slot_put(p, frame[k].step->turn, turn);
    tensor_unref(turn);
  }
  return true;
}

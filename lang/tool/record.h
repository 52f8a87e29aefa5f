/* record: what a run leaves behind besides its output, as flags ask for: --log (a line of JSON an event), --profile (a
 * trace for chrome://tracing), --html (a page). In: what the session tells (event.h, run.h). Out: files.
 *
 * A file that cannot be written is said once, and the run goes on: its status is then 1. Without these flags the
 * session tells nothing, and pays nothing.
 */
#ifndef LANG_RECORD_H
#define LANG_RECORD_H
#include "steps/event.h"
#include "tool/cli.h"

typedef struct Record Record;

/* Opens the files, and sets the session's configuration. c->record: NULL if no flag asks. false: said. */
bool record_open(Cli *c);
/* The run begins; it ended with a status, which becomes another if a file could not be written. */
void record_begin(Cli *c, Session *s);
int record_end(Cli *c, Session *s, int status);

/* What the run was made of: "script", "seed", ... as JSON values. */
typedef struct Fact { const char *name, *json; } Fact;
typedef VEC(Fact) Facts;
/* Seconds since the run began. */
double record_seconds(const Record *r);

/* The name that the script has for a series; NULL: none. */
const char *series_name(const Session *s, const struct Table *t);
#endif

/* stream: bytes of a file from front to back, decompressed on the way when asked for. For the readers of this
 * folder. */
#ifndef RUNTIME_STREAM_H
#define RUNTIME_STREAM_H
#include "files/files.h"

typedef struct Stream Stream;

/* gunzip: decompress what begins with gzip's magic. NULL on error. A young arena owns it: stream_close, or a failure
 * below a guard, gives everything back. */
Stream *stream_open(Host *h, const char *path, bool gunzip, FileError *e);
/* A regular file as it is. Any other is refused unopened: a pipe without a writer would wait for ever. */
Stream *stream_open_regular(Host *h, const char *path, FileError *e);
void stream_close(Stream *s);
/* Up to n bytes; *got < n only at the end of the file. False: *e says why. */
bool stream_read(Stream *s, void *to, size_t n, size_t *got, FileError *e);
/* To byte `at`, of a regular file that is not compressed. */
bool stream_seek(Stream *s, int64_t at, FileError *e);
int64_t stream_size(const Stream *s);        /* of a regular file that is not compressed, else -1 */
int64_t stream_at_most(const Stream *s);     /* no more bytes than this can come out; -1 if nothing is known */

/* Always false: "cannot DO `PATH`: " and the reason. */
bool file_bad(FileError *e, const char *to_do, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool file_bad_errno(FileError *e, const char *to_do, const char *path, int code);

typedef struct Number { char text[32]; } Number;
Number number_show(uint64_t n);              /* 47,040,000 */

/* Turns n elements of `size` bytes from big (or little) endian to the machine's order, or back. */
void elements_order(void *data, size_t size, int64_t n, bool big);
#endif

/* pages: what docs/errors says of each diagnostic, held in the program. The array ends with a page without a code.
 */
#ifndef LANG_PAGES_H
#define LANG_PAGES_H

typedef struct Page { const char *code, *text; } Page;    /* "E0101", Markdown */
extern const Page pages[];
#endif

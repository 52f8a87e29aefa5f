/* stack: where the C stack of the calling thread ends. Out: the lowest address that it may use; a guess that is safe
 * where nobody says (an unknown system, a stack that a program made for itself).
 */
#ifndef RUNTIME_STACK_H
#define RUNTIME_STACK_H
#include <stddef.h>
#include <stdint.h>

/* What was found out of a thread, so that the next call on it need not ask the system. All zero: of none. */
typedef struct Stack { uintptr_t thread, low, high; } Stack;

/* Where the stack of this thread ends: the lowest address that it may use. */
uintptr_t stack_end(Stack *s);

/* The present frame: an address in the stack, also where locals are kept elsewhere (the address sanitizer). */
#if defined __GNUC__
#define STACK_HERE ((uintptr_t)__builtin_frame_address(0))
#else
#define STACK_HERE ((uintptr_t)&(char){0})
#endif
#endif

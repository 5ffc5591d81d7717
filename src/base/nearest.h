/* nearest.h - which known word was meant by one that is not known. Pure. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* The candidate nearest to `text` by edit distance, for "did you mean"; NULL: none is near. */
const char *nearest_word(const char *text, const char *const *candidates, size_t count);

#endif

#include "base/nearest.h"

#include <stdbool.h>
#include <string.h>

#define WORD_MAX 64 /* longer texts are no misspelt names */

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Optimal string alignment distance (Damerau 1964: insert, delete, replace, swap neighbours),
 * letters without case; three rows of the matrix are enough. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			bool same = fold(a[i - 1]) == fold(b[j - 1]);
			unsigned best = last[j - 1] + (same ? 0 : 1);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

const char *nearest_word(const char *text, const char *const *candidates, size_t count)
{
	size_t len = strlen(text);
	const char *nearest = NULL;
	unsigned best = (unsigned)(len + 2) / 3 + 1; /* more than a third wrong: another word */

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t candidate_len = strlen(candidates[i]);
		unsigned d;

		if (candidate_len > WORD_MAX)
			continue;
		d = distance(text, len, candidates[i], candidate_len);
		if (d < best && d < candidate_len) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}

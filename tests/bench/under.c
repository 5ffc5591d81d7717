/* under.c - stands in for a program of the data plane and starts it below another one, valgrind say.
 *
 * signpostd starts its programs from a folder, by execveat: a script could not stand there. The
 * words of BENCH_UNDER come first, then BENCH_PROGRAM, then the arguments as given. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 64

int main(int argc, char **argv)
{
	const char *program = getenv("BENCH_PROGRAM"), *under = getenv("BENCH_UNDER");
	char *words[WORDS_MAX + 1], *text, *rest = NULL;
	int count = 0;

	if (program == NULL || under == NULL || (text = strdup(under)) == NULL) {
		(void)fprintf(stderr, "under: BENCH_UNDER and BENCH_PROGRAM say what to run\n");
		return 2;
	}
	for (char *word = strtok_r(text, " ", &rest); word != NULL && count < WORDS_MAX;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	if (count == 0 || count + argc > WORDS_MAX) {
		(void)fprintf(stderr, "under: no words, or too many\n");
		return 2;
	}
	words[count++] = strdup(program);
	for (int i = 1; i < argc; i++)
		words[count++] = argv[i];
	words[count] = NULL;
	(void)execvp(words[0], words);
	(void)fprintf(stderr, "under: %s: %s\n", words[0], strerror(errno));
	return 1;
}

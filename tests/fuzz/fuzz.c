#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

unsigned long fuzz_accepted;

void fuzz_fail(const char *what, const char *why)
{
	(void)fprintf(stderr, "fuzz: %s: %s\n", what, why);
	abort();
}

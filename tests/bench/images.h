/* images.h - the commands of bench-images: see images.c. */
#ifndef TESTS_BENCH_IMAGES_H
#define TESTS_BENCH_IMAGES_H

#include "image/world.h"

_Noreturn void die(const char *what, const char *why);

/* Prints what each image has and where its octets go, as JSON. */
void images_print_sizes(const struct image images[IMAGE_KINDS]);

struct ask_options {
	const char *queries; /* file: see images_ask.c */
	unsigned long count; /* 0: each once */
	unsigned rounds;
	unsigned threads;
};

/* Answers queries and prints what that took, as JSON. */
void images_ask(const struct world *world, const struct ask_options *options);

#endif

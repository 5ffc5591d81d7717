/* images.h - the commands of bench-images: see images.c. */
#ifndef TESTS_BENCH_IMAGES_H
#define TESTS_BENCH_IMAGES_H

#include "image/world.h"
#include "serve/batch.h"

_Noreturn void die(const char *what, const char *why);

/* Prints what each image has and where its octets go, as JSON. */
void images_print_sizes(const struct image images[IMAGE_KINDS]);

struct ask_options {
	const char *queries; /* file: see images_ask.c */
	unsigned long count; /* 0: each once */
	unsigned rounds;
	unsigned threads;
	unsigned batch; /* so many are answered at once, BATCH_MAX at most */
	bool detour;
};

/* Answers queries and prints what that took, as JSON. */
void images_ask(const struct world *world, const struct ask_options *options);

/* A server's way through the kernel: see images_detour.c. One thread's. */
struct detour;
struct detour *detour_open(void);
void detour_close(struct detour *detour);
/* Before they are answered: what is asked stands where the kernel wrote it. BATCH_MAX at most. */
void detour_in(struct detour *detour, struct batch_query *queries, unsigned count);
/* Their replies are sent. */
void detour_out(struct detour *detour, const struct batch_query *queries, unsigned count);

#endif

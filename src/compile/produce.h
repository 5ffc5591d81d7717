/* produce.h - all of a compilation: configuration, zones, geo and plan image, in this order, so
 * that every mistake in every file is found in one go. */
#ifndef COMPILE_PRODUCE_H
#define COMPILE_PRODUCE_H

#include "conf/config.h"
#include "conf/diag.h"
#include "image/compiled.h"

/* Images that are served now, which then stand for the folder's: on disk they arrive a little
 * later, or never, where it is full. -1: none. */
struct served {
	int zones, locations;
};

struct product {
	struct config config;
	struct compile_result result;
	int fds[COMPILED_FDS]; /* -1 where there were mistakes */
	struct arena arena;
};

/* `state_dir` replaces the server file's (NULL: it does not). `cache_dir` is the folder of the
 * last good world's images, from which unchanged parts are taken (NULL: none). 0, also when there
 * are mistakes: ask diag_errors. -1: it failed for a reason of its own. *out is always to be
 * freed. */
int produce(struct product *out, const char *file, const char *state_dir, const char *cache_dir,
	    const struct served *served, struct diag *diag, struct err *err);
void product_free(struct product *product);

#endif

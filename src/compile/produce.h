/* produce.h - all of a compilation: configuration, zones, geo and plan image, in this order, so
 * that every mistake in every file is found in one go. */
#ifndef COMPILE_PRODUCE_H
#define COMPILE_PRODUCE_H

#include "conf/config.h"
#include "conf/diag.h"
#include "image/compiled.h"

struct product {
	struct config config;
	struct compile_result result;
	int fds[COMPILED_FDS]; /* -1 where there were mistakes */
	struct arena arena;
};

/* `state_dir` replaces the server file's (NULL: it does not). `cache_dir` is the folder of the
 * last good world's images, from which unchanged parts are taken (NULL: none). `served_zones` is the
 * zones image that is served now, which then stands for the folder's (-1: none). 0, also when there
 * are mistakes: ask diag_errors. -1: it failed for a reason of its own. *out is always to be
 * freed. */
int produce(struct product *out, const char *file, const char *state_dir, const char *cache_dir,
	    int served_zones, struct diag *diag, struct err *err);
void product_free(struct product *product);

#endif

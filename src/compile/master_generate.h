/* master_generate.h - $GENERATE, which BIND has beside RFC 1035: many records from one line.
 *
 *   $GENERATE start-stop[/step] owner [TTL] [class] type data
 *
 * In owner and data, $ is the number at hand, ${offset,width,base} the number plus offset with at
 * least `width` digits in base d, o, x, X, n or N (the last two: hexadecimal digits from the
 * lowest, with dots between), $$ a dollar. Data of several words stand in quotes. */
#ifndef COMPILE_MASTER_GENERATE_H
#define COMPILE_MASTER_GENERATE_H

#include "base/mem.h"
#include "compile/master_lexer.h"

#define GENERATE_RECORDS_MAX 65536

struct master_generate {
	struct buf line; /* the directive's words, copied: "owner\0middle\0data\0" */
	size_t middle, data;
	uint32_t at, stop, step;
	struct buf made;
	char message[200];
};

/* From the directive's line. false: tokens[*bad] is wrong as `message` says. */
bool master_generate_start(struct master_generate *generate, const struct master_line *line,
			   size_t *bad);

/* The next line into `made`. false: that was all. */
bool master_generate_next(struct master_generate *generate);

void master_generate_free(struct master_generate *generate);

#endif

/* operator_part.h - what the operator says of networks beside the databases: the files of overrides
 * and resolvers, and the part of the locations image that they become. */
#ifndef COMPILE_OPERATOR_PART_H
#define COMPILE_OPERATOR_PART_H

#include "compile/overrides.h"

struct operator_part {
	struct override_context context;
	struct overrides files[2]; /* overrides, resolvers */
	uint64_t key;              /* as in the image's root */
};

/* Reads the files, and no line of them yet. Mistakes go to a diag of its own. Free it. */
void operator_part_open(struct operator_part *part, const struct config *config,
			struct countries *countries);
void operator_part_free(struct operator_part *part);

void operator_part_parse(struct operator_part *part);
void operator_part_sweep(void *part); /* may be done beside other things (compile/beside.h) */
/* Hands over the mistakes. */
void operator_part_tell(struct operator_part *part, struct diag *diag);
/* Appends it behind the databases' part. */
int operator_part_write(struct operator_part *part, struct image_writer *writer, struct err *err);

#endif

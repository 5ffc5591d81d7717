/* override_row.h - one line of a file of overrides (compile/overrides.h). */
#ifndef COMPILE_OVERRIDE_ROW_H
#define COMPILE_OVERRIDE_ROW_H

#include "compile/overrides.h"

struct override_row {
	struct override_context *context;
	struct override_line {
		const char *file;
		unsigned number;
		const char *text; /* whole, NUL-terminated without its newline */
		size_t len;
	} line;
	/* What it says: */
	struct ip_prefix network;
	struct location location; /* texts are those of the context */
	uint32_t named;           /* bits of the keys that it has */
};

/* false: there is no row in it; either it is empty, or its mistakes are in diag. */
bool override_row_read(struct override_row *row);

#endif

/* master_directive.h - $ORIGIN, $TTL (RFC 1035, 5.1; RFC 2308, 4), $INCLUDE and $GENERATE. */
#ifndef COMPILE_MASTER_DIRECTIVE_H
#define COMPILE_MASTER_DIRECTIVE_H

#include "compile/master_parse.h"

/* The line at hand begins with a "$". Mistakes are reported. */
void directive_read(const struct master_parse *parse);

#endif

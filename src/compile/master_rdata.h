/* master_rdata.h - the tokens behind a record's type to RDATA, by ldns' tables and converters.
 *
 * Field by field, so that the token that is wrong can be named; where ldns' converters take what
 * is no value of the field (numbers out of range, an odd number of hex digits, unknown type
 * names), it is refused here. */
#ifndef COMPILE_MASTER_RDATA_H
#define COMPILE_MASTER_RDATA_H

#include "base/mem.h"
#include "compile/master_lexer.h"
#include "wire/name.h"

struct master_rdata {
	uint16_t type;
	const struct name *origin;
	const struct master_token *tokens; /* those behind the type */
	size_t count;
	struct buf *out;   /* the RDATA is appended here, names not compressed */
	struct buf *text;  /* scratch */
	size_t bad;        /* index of the token that is wrong; count: one is missing */
	char message[400]; /* what is wrong with it */
};

/* false: `bad` and `message` are set, and `out` is not to be used. */
bool master_rdata_parse(struct master_rdata *rdata);

#endif

/* master_field.h - one field of RDATA: its words to wire form, by ldns' converters. */
#ifndef COMPILE_MASTER_FIELD_H
#define COMPILE_MASTER_FIELD_H

#include <ldns/ldns.h>

#include "compile/master_rdata.h"

/* How many of the `left` words the field takes. */
size_t master_field_tokens(ldns_rdf_type field, bool last, size_t left);

/* Appends the field that is made of the words from `index` up to `end`. false: one is wrong. */
bool master_field_put(struct master_rdata *rdata, size_t index, size_t end, ldns_rdf_type field);

/* The first word from `index` up to `end` that cannot be part of such a field; `end`: none. */
size_t master_field_find_bad(const struct master_rdata *rdata, size_t index, size_t end,
			     ldns_rdf_type field);

/* What the field wants, for "... is not ...", "... is missing". */
const char *master_field_noun(ldns_rdf_type field);

/* Remembers what is wrong with a word; returns false. */
bool master_rdata_bad(struct master_rdata *rdata, size_t index, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

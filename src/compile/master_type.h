/* master_type.h - the record types of a master file: their names, and the fields of their RDATA.
 *
 * ldns' table, and what it lacks: types that are written like one that it has, or of which only
 * the order of fields is new. */
#ifndef COMPILE_MASTER_TYPE_H
#define COMPILE_MASTER_TYPE_H

#include <ldns/ldns.h>

#include "compile/master_lexer.h"

struct master_type {
	char name[16];
	uint16_t written_like;  /* a type of ldns with the same RDATA, 0: there is none */
	size_t min, max;        /* fields */
	ldns_rdf_type first[5]; /* where written_like is 0 */
};

/* 0: no such type. Also TYPE65280 (RFC 3597, 5). */
uint16_t master_type_parse(const struct master_token *token);

/* Always sets the name. false: the RDATA has no form of its own, only that of RFC 3597. */
bool master_type_find(uint16_t number, struct master_type *type);

ldns_rdf_type master_type_field(const struct master_type *type, size_t field);

#endif

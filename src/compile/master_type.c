#include "compile/master_type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "compile/master_word.h"

/* Types of IANA's list that Debian's ldns does not know, or not right. */
static const struct own {
	uint16_t number;
	struct master_type type;
} own[] = {
	{ 23, { .name = "NSAP-PTR", .written_like = LDNS_RR_TYPE_PTR } }, /* RFC 1348 */
	{ 56, { .name = "NINFO", .written_like = LDNS_RR_TYPE_TXT } },
	{ 57, { .name = "RKEY", .written_like = LDNS_RR_TYPE_DNSKEY } },
	{ 258, { .name = "AVC", .written_like = LDNS_RR_TYPE_TXT } },
	{ 259,
	  { .name = "DOA",
	    .min = 5,
	    .max = 5,
	    .first = { LDNS_RDF_TYPE_INT32, LDNS_RDF_TYPE_INT32, LDNS_RDF_TYPE_INT8,
		       LDNS_RDF_TYPE_STR, LDNS_RDF_TYPE_B64 } } },
	{ 260, { .name = "AMTRELAY", .min = 1, .max = 1, .first = { LDNS_RDF_TYPE_AMTRELAY } } },
	{ 261, { .name = "RESINFO", .written_like = LDNS_RR_TYPE_TXT } }, /* RFC 9606 */
	{ 262, { .name = "WALLET", .written_like = LDNS_RR_TYPE_TXT } },
	{ 32768, { .name = "TA", .written_like = LDNS_RR_TYPE_DS } },
};

static uint16_t own_number(const char *name)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcasecmp(name, own[i].type.name) == 0)
			return own[i].number;
	}
	return 0;
}

uint16_t master_type_parse(const struct master_token *token)
{
	char name[32];
	uint64_t number;

	if (token->len >= sizeof(name) || token->quoted)
		return 0;
	memcpy(name, token->text, token->len);
	name[token->len] = '\0';
	if (strncasecmp(name, "TYPE", 4) == 0)
		return master_number_parse(name + 4, token->len - 4U, UINT16_MAX, &number)
			       ? (uint16_t)number
			       : 0;
	number = own_number(name);
	return number != 0 ? (uint16_t)number : (uint16_t)ldns_get_rr_type_by_name(name);
}

/* NULL: ldns does not know the form of its RDATA. */
static const ldns_rr_descriptor *find_row(uint16_t number)
{
	const ldns_rr_descriptor *row = ldns_rr_descript(number);

	if (number == 0 || row == NULL || row->_type != number ||
	    ldns_rr_descriptor_field_type(row, 0) == LDNS_RDF_TYPE_UNKNOWN)
		return NULL;
	return row;
}

bool master_type_find(uint16_t number, struct master_type *type)
{
	const ldns_rr_descriptor *row;

	*type = (struct master_type){ .written_like = number };
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i].number == number)
			*type = own[i].type;
	}
	if (type->written_like == 0)
		return true;
	row = find_row(type->written_like);
	if (type->name[0] == '\0' && row != NULL && strlen(row->_name) < sizeof(type->name))
		(void)snprintf(type->name, sizeof(type->name), "%s", row->_name);
	else if (type->name[0] == '\0')
		(void)snprintf(type->name, sizeof(type->name), "TYPE%u", number);
	if (row == NULL) {
		type->written_like = 0;
		return false;
	}
	type->min = ldns_rr_descriptor_minimum(row);
	type->max = ldns_rr_descriptor_maximum(row);
	if (number == LDNS_RR_TYPE_CSYNC)
		type->min = 2; /* the list of types may be empty (RFC 7477, 2.1.1.3) */
	return true;
}

ldns_rdf_type master_type_field(const struct master_type *type, size_t field)
{
	if (type->written_like == 0)
		return type->first[field];
	return ldns_rr_descriptor_field_type(ldns_rr_descript(type->written_like), field);
}

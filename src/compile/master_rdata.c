#include "compile/master_rdata.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/master_field.h"
#include "compile/master_rules.h"
#include "compile/master_type.h"
#include "compile/master_word.h"

#define RDATA_MAX 65535

bool master_rdata_bad(struct master_rdata *rdata, size_t index, const char *format, ...)
{
	va_list args;

	rdata->bad = index;
	va_start(args, format);
	(void)vsnprintf(rdata->message, sizeof(rdata->message), format, args);
	va_end(args);
	return false;
}

/* --- RFC 3597, 5: \# length hex ... ------------------------------------------------------------- */

static bool is_generic(const struct master_rdata *rdata)
{
	return rdata->count > 0 && !rdata->tokens[0].quoted && rdata->tokens[0].len == 2 &&
	       memcmp(rdata->tokens[0].text, "\\#", 2) == 0;
}

/* Is this what a record of a known type holds? ldns reads it, and what it read must be the same
 * octets again: so nothing is left over, and no name is compressed. */
static bool is_valid_wire(const struct master_type *type, const uint8_t *data, size_t len)
{
	uint8_t *wire = mem_alloc(len + 2);
	ldns_rr *rr = ldns_rr_new();
	size_t pos = 0, same = 0;
	bool valid;

	ldns_write_uint16(wire, (uint16_t)len);
	if (len > 0)
		memcpy(wire + 2, data, len);
	ldns_rr_set_type(rr, type->written_like);
	valid = ldns_wire2rdf(rr, wire, len + 2, &pos) == LDNS_STATUS_OK;
	for (size_t i = 0; valid && i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		if (ldns_rdf_size(rdf) > len - same ||
		    memcmp(wire + 2 + same, ldns_rdf_data(rdf), ldns_rdf_size(rdf)) != 0)
			valid = false;
		else
			same += ldns_rdf_size(rdf);
	}
	valid = valid && same == len && ldns_rr_rd_count(rr) >= type->min;
	ldns_rr_free(rr);
	free(wire);
	return valid;
}

static void put_hex(struct master_rdata *rdata)
{
	unsigned value = 0;
	bool high = true;

	for (size_t i = 2; i < rdata->count; i++) {
		for (uint32_t k = 0; k < rdata->tokens[i].len; k++) {
			value = value << 4 |
				(unsigned)ldns_hexdigit_to_int(rdata->tokens[i].text[k]);
			if (!high)
				buf_append(rdata->out, &(uint8_t){ (uint8_t)value }, 1);
			high = !high;
		}
	}
}

static bool parse_generic(struct master_rdata *rdata, const struct master_type *type)
{
	size_t digits = 0, start = rdata->out->len, bad;
	uint64_t len;

	if (rdata->count < 2)
		return master_rdata_bad(rdata, rdata->count,
					"after \\# the length of the RDATA is missing");
	if (!master_number_parse(rdata->tokens[1].text, rdata->tokens[1].len, RDATA_MAX, &len))
		return master_rdata_bad(rdata, 1, "\"%.*s\" is not a length from 0 to 65535",
					master_token_shown(&rdata->tokens[1]),
					rdata->tokens[1].text);
	bad = master_field_find_bad(rdata, 2, rdata->count, LDNS_RDF_TYPE_HEX);
	if (bad < rdata->count)
		return master_rdata_bad(rdata, bad, "\"%.*s\" is not hexadecimal",
					master_token_shown(&rdata->tokens[bad]),
					rdata->tokens[bad].text);
	for (size_t i = 2; i < rdata->count; i++)
		digits += rdata->tokens[i].len;
	if (digits != 2 * len)
		return master_rdata_bad(rdata, 1,
					"the length is %llu octets, but %zu digits follow",
					(unsigned long long)len, digits);
	put_hex(rdata);
	if (type->written_like != 0 && !is_valid_wire(type, rdata->out->data + start, (size_t)len))
		return master_rdata_bad(rdata, 0, "these octets are not the RDATA of this type");
	return true;
}

/* --- all fields ------------------------------------------------------------------------------- */

static bool parse_fields(struct master_rdata *rdata, const struct master_type *type)
{
	size_t index = 0, field = 0;

	for (; field < type->max && index < rdata->count; field++) {
		ldns_rdf_type kind = master_type_field(type, field);
		size_t used = master_field_tokens(kind, field == type->max - 1,
						  rdata->count - index);

		if (!master_field_put(rdata, index, index + used, kind))
			return false;
		index += used;
	}
	if (index < rdata->count)
		return master_rdata_bad(rdata, index, "\"%.*s\" is more than %s records hold",
					master_token_shown(&rdata->tokens[index]),
					rdata->tokens[index].text, type->name);
	if (field < type->min)
		return master_rdata_bad(rdata, rdata->count, "%s records go on here: %s is missing",
					type->name,
					master_field_noun(master_type_field(type, field)));
	return true;
}

bool master_rdata_parse(struct master_rdata *rdata)
{
	struct master_type type;
	bool known = master_type_find(rdata->type, &type);
	size_t start = rdata->out->len;
	const char *reason;

	if (is_generic(rdata)) {
		if (!parse_generic(rdata, &type))
			return false;
	} else if (!known) {
		return master_rdata_bad(
			rdata, 0, "%s records are written as \\# length hexadecimal (RFC 3597)",
			type.name);
	} else if (!master_rules_words(rdata) || !parse_fields(rdata, &type)) {
		return false;
	}
	if (rdata->out->len - start > RDATA_MAX)
		return master_rdata_bad(rdata, 0, "more than 65535 octets of RDATA");
	if (!master_rules_data(rdata->type, rdata->out->data + start, rdata->out->len - start,
			       &reason))
		return master_rdata_bad(rdata, 0, "%s", reason);
	return true;
}

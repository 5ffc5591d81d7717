#include "compile/master_reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "compile/master_directive.h"
#include "compile/master_quick.h"
#include "compile/master_rdata.h"
#include "compile/master_type.h"
#include "compile/master_word.h"
#include "image/pool_types.h"

struct master_reader *master_reader_open(const char *path, const struct name *origin,
					 struct master_sources *sources)
{
	struct master_reader *reader = mem_alloc(sizeof(*reader));
	struct err err;

	reader->sources = sources;
	reader->zone = origin;
	(void)buf_reserve(&reader->data, QUICK_RDATA_MAX);
	if (master_sources_add(sources, path, &err) == 0)
		parse_push_file(reader, origin);
	else
		master_report_file(sources, path, "the zone file cannot be read: %s", err.text);
	return reader;
}

void master_reader_close(struct master_reader *reader)
{
	while (reader->depth > 0)
		parse_pop_file(reader);
	buf_free(&reader->data);
	buf_free(&reader->scratch);
	free(reader);
}

void master_reader_go_without_quick(struct master_reader *reader)
{
	reader->without_quick = true;
}

/* --- records ---------------------------------------------------------------------------------- */

static bool read_owner(struct master_parse *parse)
{
	const struct master_token *token = &parse->line->tokens[0];
	struct master_file *file = parse->file;

	if (parse->line->indented) {
		if (!file->has_owner)
			parse_report(
				parse, token,
				"the line is indented, but no record above it has an owner name");
		else if (file->origin_is_new)
			parse_warn(
				parse, token,
				"the owner is left out, so it is that of the record before $ORIGIN");
		file->origin_is_new = false;
		return file->has_owner;
	}
	file->origin_is_new = false;
	parse->next = 1;
	/* The records below must not go to the owner above a bad one: they have none. */
	file->has_owner = parse_name(parse, token, "owner name", &file->owner);
	file->owner_known = 0;
	return file->has_owner;
}

static bool is_class(const struct master_token *token)
{
	static const char *const classes[] = { "IN", "CH", "HS", "CS", "NONE", "ANY" };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (parse_token_is(token, classes[i]))
			return true;
	}
	return token->len > 5 && strncasecmp(token->text, "CLASS", 5) == 0;
}

static bool read_class(struct master_parse *parse, const struct master_token *token)
{
	if (!parse_token_is(token, "IN") && !parse_token_is(token, "CLASS1")) {
		parse_report(parse, token, "class \"%.*s\" is not served: the class is IN",
			     master_token_shown(token), token->text);
		return false;
	}
	parse->has_class = true;
	return true;
}

/* TTL and class, in any order, up to the type. */
static bool read_ttl_and_class(struct master_parse *parse)
{
	for (; parse->next < parse->line->count; parse->next++) {
		const struct master_token *token = &parse->line->tokens[parse->next];

		if (!parse->has_ttl && token->len > 0 && *token->text >= '0' &&
		    *token->text <= '9') {
			if (!parse_ttl_s(parse, token, &parse->ttl_s))
				return false;
			parse->has_ttl = true;
		} else if (!parse->has_class && is_class(token)) {
			if (!read_class(parse, token))
				return false;
		} else {
			return true;
		}
	}
	parse_report(parse, parse_last_token(parse), "the record ends here, before its type");
	return false;
}

/* Types of queries and of messages (RFC 6895, 3.1): 128 to 255 and OPT; 0 is no type at all. */
static bool is_data_type(uint16_t type)
{
	return type != TYPE_OPT && (type < 128 || type > 255);
}

/* RFC 1035, 3.3.4 and 3.3.5: "the recommended policy [...] is to reject them, or to convert". */
static bool is_obsolete(uint16_t type)
{
	return type == TYPE_MD || type == TYPE_MF;
}

static bool read_type(const struct master_parse *parse, const struct master_token *token,
		      struct master_record *record)
{
	record->pool = parse_token_is(token, "POOL");
	record->type = record->pool ? 0 : master_type_parse(token);
	if (record->pool)
		return true;
	if (record->type == 0 && *token->text == '$') {
		parse_report(parse, token, "a directive starts in the first column");
		return false;
	}
	if (record->type == 0) {
		parse_report(parse, token, "unknown type \"%.*s\"", master_token_shown(token),
			     token->text);
		return false;
	}
	if (!is_data_type(record->type)) {
		parse_report(parse, token, "\"%.*s\" is no type of records in a zone",
			     master_token_shown(token), token->text);
		return false;
	}
	if (is_obsolete(record->type)) {
		parse_report(parse, token, "\"%.*s\" is obsolete: write an MX record instead",
			     master_token_shown(token), token->text);
		return false;
	}
	return true;
}

/* Adds the type that a word behind the pool names. */
static bool read_pool_type(const struct master_parse *parse, const struct master_token *token,
			   struct master_record *record)
{
	static const char *const names[] = { "A", "AAAA", "SRV", "HTTPS", "SVCB" };
	uint8_t bit = pool_type_bit(master_type_parse(token));
	char word[16] = "";
	const char *nearest;

	if (token->quoted) {
		parse_report(parse, token, "the types of a POOL record stand without quotes");
		return false;
	}
	if (bit == 0) {
		if (token->len < sizeof(word))
			(void)memcpy(word, token->text, token->len);
		for (char *p = word; *p != '\0'; p++)
			*p = (char)toupper((unsigned char)*p);
		nearest = diag_nearest(word, names, sizeof(names) / sizeof(names[0]));
		parse_report(
			parse, token,
			"\"%.*s\" is no type that a POOL record answers: those are A, AAAA, SRV, "
			"HTTPS and SVCB%s%s%s",
			master_token_shown(token), token->text,
			nearest != NULL ? " (did you mean \"" : "", nearest != NULL ? nearest : "",
			nearest != NULL ? "\"?)" : "");
		return false;
	}
	if ((record->pool_types & bit) != 0) {
		parse_report(parse, token, "%.*s is listed twice", master_token_shown(token),
			     token->text);
		return false;
	}
	if ((record->pool_types & POOL_TYPES_SERVICE) == 0)
		record->service_place = master_token_place(&parse->file->lexer, token);
	record->pool_types |= bit;
	return true;
}

static bool read_pool(const struct master_parse *parse, struct master_record *record)
{
	const struct master_token *word = &parse->line->tokens[parse->next];

	if (parse->next == parse->line->count) {
		parse_report(parse, parse_last_token(parse),
			     "the pool is missing: it is written POOL pool, or POOL pool/site, and "
			     "then the types, if not A AAAA");
		return false;
	}
	for (size_t i = parse->next + 1; i < parse->line->count; i++) {
		if (!read_pool_type(parse, &parse->line->tokens[i], record))
			return false;
	}
	if (record->pool_types == 0)
		record->pool_types = POOL_TYPES_ADDRESS;
	buf_append(&parse->reader->data, word->text, word->len);
	record->len = (uint16_t)(word->len < UINT16_MAX ? word->len : UINT16_MAX);
	return true;
}

static bool read_rdata(const struct master_parse *parse, struct master_record *record)
{
	struct master_reader *reader = parse->reader;
	struct master_rdata rdata = {
		.type = record->type,
		.origin = &parse->file->origin,
		.tokens = parse->line->tokens + parse->next,
		.count = parse->line->count - parse->next,
		.out = &reader->data,
		.text = &reader->scratch,
	};

	if (!master_rdata_parse(&rdata)) {
		parse_report(parse,
			     rdata.bad < rdata.count ? &rdata.tokens[rdata.bad]
						     : parse_last_token(parse),
			     "%s", rdata.message);
		return false;
	}
	record->len = (uint16_t)reader->data.len;
	return true;
}

static bool choose_ttl(struct master_parse *parse, const struct master_token *type,
		       struct master_record *record)
{
	struct master_reader *reader = parse->reader;

	if (parse->has_ttl)
		record->ttl_s = parse->ttl_s;
	else if (reader->has_default_ttl)
		record->ttl_s = reader->default_ttl_s;
	else if (reader->has_last_ttl)
		record->ttl_s = reader->last_ttl_s;
	else if (!record->pool && record->type == TYPE_SOA && record->len >= 4)
		record->ttl_s = load_u32(reader->data.data + record->len - 4);
	else {
		parse_report(parse, type, "the record has no TTL, and there is no $TTL before it");
		return false;
	}
	if (!parse->has_ttl && !reader->has_default_ttl && !reader->told_of_ttl) {
		parse_warn(
			parse, type,
			"no TTL, and no $TTL before it: the TTL is %u, that of the %s (RFC 2308, "
			"section 4, wants a $TTL)",
			record->ttl_s, reader->has_last_ttl ? "record before" : "SOA's minimum");
		reader->told_of_ttl = true;
	}
	reader->last_ttl_s = record->ttl_s;
	reader->has_last_ttl = true;
	return true;
}

/* Without quotes, so that parts of the word can be pointed at. */
static struct master_place data_place(const struct master_parse *parse,
				      const struct master_token *type)
{
	struct master_token word = *type;

	if (parse->next < parse->line->count)
		word = type[1];
	word.quoted = false;
	return master_token_place(&parse->file->lexer, &word);
}

static bool read_record(struct master_parse *parse, struct master_record *record)
{
	const struct master_token *type;
	struct master_file *file = parse->file;

	*record = (struct master_record){ .owner = &file->owner };
	if (!read_owner(parse) || !read_ttl_and_class(parse))
		return false;
	type = &parse->line->tokens[parse->next++];
	parse->reader->data.len = 0;
	if (!read_type(parse, type, record))
		return false;
	if (!(record->pool ? read_pool(parse, record) : read_rdata(parse, record)))
		return false;
	if (!choose_ttl(parse, type, record))
		return false;
	record->data = parse->reader->data.data;
	record->place = master_token_place(&file->lexer, type);
	if (record->pool)
		record->data_place = data_place(parse, type);
	if (!parse->line->indented)
		record->owner_place = master_token_place(&file->lexer, &parse->line->tokens[0]);
	return true;
}

/* One line, word by word; false: no record came of it. Not inline, as nearly all are read quickly. */
static __attribute__((noinline)) bool read_line(struct master_reader *reader,
						struct master_file *file,
						struct master_record *record)
{
	struct master_line line;
	struct master_parse parse = { .reader = reader, .file = file, .line = &line };

	if (!parse_next_line(file, &line)) {
		parse_pop_file(reader);
		return false;
	}
	if (file->generates || line.indented || line.tokens[0].quoted || line.tokens[0].len == 0 ||
	    *line.tokens[0].text != '$')
		return read_record(&parse, record);
	directive_read(&parse);
	return false;
}

bool master_reader_next(struct master_reader *reader, struct master_record *record)
{
	const struct master_sources *sources = reader->sources;

	while (reader->depth > 0) {
		struct master_file *file = &reader->files[reader->depth - 1];

		if (diag_errors(sources->diag) > 0 &&
		    diag_file_is_full(sources->diag, sources->items[file->lexer.source].path)) {
			parse_pop_file(reader);
			continue;
		}
		if (master_quick_read(reader, file, record) || read_line(reader, file, record))
			return true;
	}
	return false;
}

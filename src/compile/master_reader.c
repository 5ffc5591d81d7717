#include "compile/master_reader.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "compile/master_generate.h"
#include "compile/master_lexer.h"
#include "compile/master_rdata.h"
#include "compile/master_type.h"
#include "compile/master_word.h"
#include "image/pool_types.h"

#define INCLUDE_DEPTH 16
#define TTL_MAX       UINT32_C(0x7fffffff) /* RFC 2181, 8 */

struct file {
	struct master_lexer lexer;
	struct name origin, owner;
	bool has_owner, origin_is_new;
	/* Lines that $GENERATE makes are read as if they were a file. */
	bool generates;
	struct master_generate generate;
	struct master_place made_from;
};

struct master_reader {
	struct master_sources *sources;
	struct file
		files[INCLUDE_DEPTH + 1]; /* the last one is being read; $GENERATE goes deeper */
	unsigned depth;
	bool has_default_ttl, has_last_ttl, told_of_ttl;
	uint32_t default_ttl_s, last_ttl_s;
	struct buf data, scratch;
};

/* A line on its way to a record: what was read of it so far. */
struct parse {
	struct master_reader *reader;
	struct file *file;
	const struct master_line *line;
	size_t next; /* token */
	bool has_ttl, has_class;
	uint32_t ttl_s;
};

static bool token_is(const struct master_token *token, const char *text)
{
	return !token->quoted && token->len == strlen(text) &&
	       strncasecmp(token->text, text, token->len) == 0;
}

static void tell(const struct parse *parse, enum diag_severity severity,
		 const struct master_token *token, const char *format, va_list args)
	__attribute__((format(printf, 4, 0)));

static void tell(const struct parse *parse, enum diag_severity severity,
		 const struct master_token *token, const char *format, va_list args)
{
	struct master_place place = master_token_place(&parse->file->lexer, token);
	char *message = NULL;

	if (vasprintf(&message, format, args) < 0)
		abort(); /* no memory: as base/mem.h */
	master_report(parse->reader->sources, severity, &place, "%s", message);
	free(message);
}

static void report(const struct parse *parse, const struct master_token *token, const char *format,
		   ...) __attribute__((format(printf, 3, 4)));

static void report(const struct parse *parse, const struct master_token *token, const char *format,
		   ...)
{
	va_list args;

	va_start(args, format);
	tell(parse, DIAG_ERROR, token, format, args);
	va_end(args);
}

static void warn(const struct parse *parse, const struct master_token *token, const char *format,
		 ...) __attribute__((format(printf, 3, 4)));

static void warn(const struct parse *parse, const struct master_token *token, const char *format,
		 ...)
{
	va_list args;

	va_start(args, format);
	tell(parse, DIAG_WARNING, token, format, args);
	va_end(args);
}

static const struct master_token *last_token(const struct parse *parse)
{
	return &parse->line->tokens[parse->line->count - 1];
}

/* --- files ------------------------------------------------------------------------------------ */

static void push_file(struct master_reader *reader, const struct name *origin)
{
	struct file *file = &reader->files[reader->depth++];

	*file = (struct file){ .origin = *origin };
	master_lexer_start(&file->lexer, reader->sources, (uint16_t)(reader->sources->count - 1));
}

static void push_made(struct master_reader *reader, const struct master_generate *generate,
		      const struct master_place *made_from)
{
	const struct file *above = &reader->files[reader->depth - 1];
	struct file *file = &reader->files[reader->depth++];

	*file = (struct file){ .origin = above->origin,
			       .generates = true,
			       .generate = *generate,
			       .made_from = *made_from };
	master_lexer_start_made(&file->lexer, reader->sources, &file->made_from);
}

static void pop_file(struct master_reader *reader)
{
	struct file *file = &reader->files[--reader->depth];

	master_lexer_free(&file->lexer);
	master_generate_free(&file->generate);
}

static bool next_line(struct file *file, struct master_line *line)
{
	while (!master_lexer_next(&file->lexer, line)) {
		if (!file->generates || !master_generate_next(&file->generate))
			return false;
		master_lexer_set_text(&file->lexer, (const char *)file->generate.made.data,
				      file->generate.made.len);
	}
	return true;
}

struct master_reader *master_reader_open(const char *path, const struct name *origin,
					 struct master_sources *sources)
{
	struct master_reader *reader = mem_alloc(sizeof(*reader));
	struct err err;

	reader->sources = sources;
	(void)buf_reserve(&reader->data, 1); /* empty RDATA has a place, too */
	if (master_sources_add(sources, path, &err) == 0)
		push_file(reader, origin);
	else
		master_report_file(sources, path, "the zone file cannot be read: %s", err.text);
	return reader;
}

void master_reader_close(struct master_reader *reader)
{
	while (reader->depth > 0)
		pop_file(reader);
	buf_free(&reader->data);
	buf_free(&reader->scratch);
	free(reader);
}

/* --- directives ------------------------------------------------------------------------------- */

static bool parse_name(const struct parse *parse, const struct master_token *token,
		       const char *what, struct name *out)
{
	const char *reason = "";

	if (name_parse(token->text, token->len, &parse->file->origin, out, &reason))
		return true;
	report(parse, token, "\"%.*s\" is not a valid %s: %s", master_token_shown(token),
	       token->text, what, reason);
	return false;
}

static bool parse_ttl(const struct parse *parse, const struct master_token *token, uint32_t *ttl_s)
{
	if (!master_ttl_parse(token->text, token->len, ttl_s)) {
		report(parse, token,
		       "\"%.*s\" is not a TTL: it is a number of seconds, or like 1h30m",
		       master_token_shown(token), token->text);
		return false;
	}
	if (*ttl_s > TTL_MAX) {
		warn(parse, token,
		     "the TTL is larger than 2147483647, and so taken for 0 (RFC 2181, section 8)");
		*ttl_s = 0;
	}
	return true;
}

/* Does the directive have at least `min` and at most `max` arguments? */
static bool has_arguments(const struct parse *parse, size_t min, size_t max, const char *usage)
{
	size_t count = parse->line->count - 1;

	if (count < min) {
		report(parse, last_token(parse), "something is missing: it is written %s", usage);
		return false;
	}
	if (count > max) {
		report(parse, &parse->line->tokens[max + 1], "this is too much: it is written %s",
		       usage);
		return false;
	}
	return true;
}

static void read_origin(const struct parse *parse)
{
	struct name origin;

	if (has_arguments(parse, 1, 1, "$ORIGIN name") &&
	    parse_name(parse, &parse->line->tokens[1], "origin", &origin)) {
		parse->file->origin = origin;
		parse->file->origin_is_new = true;
	}
}

static void read_ttl(const struct parse *parse)
{
	uint32_t ttl_s;

	if (!has_arguments(parse, 1, 1, "$TTL seconds") ||
	    !parse_ttl(parse, &parse->line->tokens[1], &ttl_s))
		return;
	parse->reader->default_ttl_s = ttl_s;
	parse->reader->has_default_ttl = true;
}

/* A file name, relative to the folder of the file that includes it. To be freed. */
static char *include_path(const struct parse *parse, const struct master_token *token)
{
	const struct master_sources *sources = parse->reader->sources;
	const char *from = sources->items[parse->file->lexer.source].path;
	const char *slash = strrchr(from, '/');

	if (slash == NULL || (token->len > 0 && *token->text == '/'))
		return mem_format("%.*s", (int)token->len, token->text);
	return mem_format("%.*s/%.*s", (int)(slash - from), from, (int)token->len, token->text);
}

/* Is the newest source a file that is being read right now? */
static bool includes_itself(const struct master_reader *reader)
{
	const struct master_source *items = reader->sources->items;
	const struct master_source *newest = &items[reader->sources->count - 1];

	for (unsigned i = 0; i < reader->depth; i++) {
		const struct master_source *open = &items[reader->files[i].lexer.source];

		if (open->device == newest->device && open->inode == newest->inode)
			return true;
	}
	return false;
}

static void read_include(const struct parse *parse)
{
	struct master_reader *reader = parse->reader;
	const struct master_token *token = &parse->line->tokens[1];
	struct name origin = parse->file->origin;
	struct err err;
	char *path;

	if (!has_arguments(parse, 1, 2, "$INCLUDE file, or $INCLUDE file origin"))
		return;
	if (parse->line->count == 3 && !parse_name(parse, token + 1, "origin", &origin))
		return;
	if (reader->depth == INCLUDE_DEPTH) {
		report(parse, token, "more than %d files include each other", INCLUDE_DEPTH);
		return;
	}
	path = include_path(parse, token);
	if (master_sources_add(reader->sources, path, &err) != 0)
		report(parse, token, "\"%s\" cannot be read: %s", path, err.text);
	else if (includes_itself(reader))
		report(parse, token, "\"%s\" includes itself", path);
	else
		push_file(reader, &origin);
	free(path);
}

static void read_generate(const struct parse *parse)
{
	struct master_generate generate = { .at = 0 };
	struct master_place place = master_token_place(&parse->file->lexer,
						       &parse->line->tokens[0]);
	size_t bad;

	if (master_generate_start(&generate, parse->line, &bad)) {
		push_made(parse->reader, &generate, &place);
	} else {
		report(parse, &parse->line->tokens[bad], "%s", generate.message);
		master_generate_free(&generate);
	}
}

static void read_directive(const struct parse *parse)
{
	const struct master_token *token = &parse->line->tokens[0];

	if (token_is(token, "$ORIGIN"))
		read_origin(parse);
	else if (token_is(token, "$TTL"))
		read_ttl(parse);
	else if (token_is(token, "$INCLUDE"))
		read_include(parse);
	else if (token_is(token, "$GENERATE"))
		read_generate(parse);
	else
		report(parse, token,
		       "unknown directive \"%.*s\": there are $ORIGIN, $TTL, $INCLUDE and $GENERATE",
		       master_token_shown(token), token->text);
}

/* --- records ---------------------------------------------------------------------------------- */

static bool read_owner(struct parse *parse)
{
	const struct master_token *token = &parse->line->tokens[0];
	struct file *file = parse->file;

	if (parse->line->indented) {
		if (!file->has_owner)
			report(parse, token,
			       "the line is indented, but no record above it has an owner name");
		else if (file->origin_is_new)
			warn(parse, token,
			     "the owner is left out, so it is that of the record before $ORIGIN");
		file->origin_is_new = false;
		return file->has_owner;
	}
	file->origin_is_new = false;
	parse->next = 1;
	/* The records below must not go to the owner above a bad one: they have none. */
	file->has_owner = parse_name(parse, token, "owner name", &file->owner);
	return file->has_owner;
}

static bool is_class(const struct master_token *token)
{
	static const char *const classes[] = { "IN", "CH", "HS", "CS", "NONE", "ANY" };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (token_is(token, classes[i]))
			return true;
	}
	return token->len > 5 && strncasecmp(token->text, "CLASS", 5) == 0;
}

static bool read_class(struct parse *parse, const struct master_token *token)
{
	if (!token_is(token, "IN") && !token_is(token, "CLASS1")) {
		report(parse, token, "class \"%.*s\" is not served: the class is IN",
		       master_token_shown(token), token->text);
		return false;
	}
	parse->has_class = true;
	return true;
}

/* TTL and class, in any order, up to the type. */
static bool read_ttl_and_class(struct parse *parse)
{
	for (; parse->next < parse->line->count; parse->next++) {
		const struct master_token *token = &parse->line->tokens[parse->next];

		if (!parse->has_ttl && token->len > 0 && *token->text >= '0' &&
		    *token->text <= '9') {
			if (!parse_ttl(parse, token, &parse->ttl_s))
				return false;
			parse->has_ttl = true;
		} else if (!parse->has_class && is_class(token)) {
			if (!read_class(parse, token))
				return false;
		} else {
			return true;
		}
	}
	report(parse, last_token(parse), "the record ends here, before its type");
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

static bool read_type(const struct parse *parse, const struct master_token *token,
		      struct master_record *record)
{
	record->pool = token_is(token, "POOL");
	record->type = record->pool ? 0 : master_type_parse(token);
	if (record->pool)
		return true;
	if (record->type == 0 && *token->text == '$') {
		report(parse, token, "a directive starts in the first column");
		return false;
	}
	if (record->type == 0) {
		report(parse, token, "unknown type \"%.*s\"", master_token_shown(token),
		       token->text);
		return false;
	}
	if (!is_data_type(record->type)) {
		report(parse, token, "\"%.*s\" is no type of records in a zone",
		       master_token_shown(token), token->text);
		return false;
	}
	if (is_obsolete(record->type)) {
		report(parse, token, "\"%.*s\" is obsolete: write an MX record instead",
		       master_token_shown(token), token->text);
		return false;
	}
	return true;
}

/* Adds the type that a word behind the pool names. */
static bool read_pool_type(const struct parse *parse, const struct master_token *token,
			   struct master_record *record)
{
	static const char *const names[] = { "A", "AAAA", "SRV", "HTTPS", "SVCB" };
	uint8_t bit = pool_type_bit(master_type_parse(token));
	char word[16] = "";
	const char *nearest;

	if (token->quoted) {
		report(parse, token, "the types of a POOL record stand without quotes");
		return false;
	}
	if (bit == 0) {
		if (token->len < sizeof(word))
			(void)memcpy(word, token->text, token->len);
		for (char *p = word; *p != '\0'; p++)
			*p = (char)toupper((unsigned char)*p);
		nearest = diag_nearest(word, names, sizeof(names) / sizeof(names[0]));
		report(parse, token,
		       "\"%.*s\" is no type that a POOL record answers: those are A, AAAA, SRV, "
		       "HTTPS and SVCB%s%s%s",
		       master_token_shown(token), token->text,
		       nearest != NULL ? " (did you mean \"" : "", nearest != NULL ? nearest : "",
		       nearest != NULL ? "\"?)" : "");
		return false;
	}
	if ((record->pool_types & bit) != 0) {
		report(parse, token, "%.*s is listed twice", master_token_shown(token),
		       token->text);
		return false;
	}
	if ((record->pool_types & POOL_TYPES_SERVICE) == 0)
		record->service_place = master_token_place(&parse->file->lexer, token);
	record->pool_types |= bit;
	return true;
}

static bool read_pool(const struct parse *parse, struct master_record *record)
{
	const struct master_token *word = &parse->line->tokens[parse->next];

	if (parse->next == parse->line->count) {
		report(parse, last_token(parse),
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

static bool read_rdata(const struct parse *parse, struct master_record *record)
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
		report(parse,
		       rdata.bad < rdata.count ? &rdata.tokens[rdata.bad] : last_token(parse), "%s",
		       rdata.message);
		return false;
	}
	record->len = (uint16_t)reader->data.len;
	return true;
}

static bool choose_ttl(struct parse *parse, const struct master_token *type,
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
		report(parse, type, "the record has no TTL, and there is no $TTL before it");
		return false;
	}
	if (!parse->has_ttl && !reader->has_default_ttl && !reader->told_of_ttl) {
		warn(parse, type,
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
static struct master_place data_place(const struct parse *parse, const struct master_token *type)
{
	struct master_token word = *type;

	if (parse->next < parse->line->count)
		word = type[1];
	word.quoted = false;
	return master_token_place(&parse->file->lexer, &word);
}

static bool read_record(struct parse *parse, struct master_record *record)
{
	const struct master_token *type;
	struct file *file = parse->file;

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
	record->data_place = data_place(parse, type);
	if (!parse->line->indented)
		record->owner_place = master_token_place(&file->lexer, &parse->line->tokens[0]);
	return true;
}

bool master_reader_next(struct master_reader *reader, struct master_record *record)
{
	const struct master_sources *sources = reader->sources;

	while (reader->depth > 0) {
		struct file *file = &reader->files[reader->depth - 1];
		struct master_line line;
		struct parse parse = { .reader = reader, .file = file, .line = &line };

		if (diag_file_is_full(sources->diag, sources->items[file->lexer.source].path) ||
		    !next_line(file, &line)) {
			pop_file(reader);
			continue;
		}
		if (!file->generates && !line.indented && !line.tokens[0].quoted &&
		    line.tokens[0].len > 0 && *line.tokens[0].text == '$')
			read_directive(&parse);
		else if (read_record(&parse, record))
			return true;
	}
	return false;
}

#include "compile/master_parse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "compile/master_type.h"
#include "compile/master_word.h"

bool parse_token_is(const struct master_token *token, const char *text)
{
	return !token->quoted && token->len == strlen(text) &&
	       strncasecmp(token->text, text, token->len) == 0;
}

static void tell(const struct master_parse *parse, enum diag_severity severity,
		 const struct master_token *token, const char *format, va_list args)
	__attribute__((format(printf, 4, 0)));

static void tell(const struct master_parse *parse, enum diag_severity severity,
		 const struct master_token *token, const char *format, va_list args)
{
	struct master_place place = master_token_place(&parse->file->lexer, token);
	char *message = NULL;

	if (vasprintf(&message, format, args) < 0)
		abort(); /* no memory: as base/mem.h */
	master_report(parse->reader->sources, severity, &place, "%s", message);
	free(message);
}

void parse_report(const struct master_parse *parse, const struct master_token *token,
		  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(parse, DIAG_ERROR, token, format, args);
	va_end(args);
}

void parse_warn(const struct master_parse *parse, const struct master_token *token,
		const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(parse, DIAG_WARNING, token, format, args);
	va_end(args);
}

const struct master_token *parse_last_token(const struct master_parse *parse)
{
	return &parse->line->tokens[parse->line->count - 1];
}

/* --- files ------------------------------------------------------------------------------------ */

static bool is_plain(const struct name *name)
{
	for (const uint8_t *label = name->wire; *label != 0; label += 1 + *label) {
		if (label[1] == '-' || label[*label] == '-')
			return false;
		for (unsigned i = 1; i <= *label; i++) {
			if (!isalnum(label[i]) && label[i] != '-')
				return false;
		}
	}
	return true;
}

void parse_set_origin(const struct master_reader *reader, struct master_file *file,
		      const struct name *origin)
{
	const struct name *zone = reader->zone;

	file->origin = *origin;
	file->origin_known = 0;
	if (is_plain(origin))
		file->origin_known |= OWNER_PLAIN;
	if (name_is_under(origin->wire, origin->len, zone->wire, zone->len))
		file->origin_known |= OWNER_INSIDE;
}

void parse_push_file(struct master_reader *reader, const struct name *origin)
{
	struct master_file *file = &reader->files[reader->depth++];

	*file = (struct master_file){ 0 };
	parse_set_origin(reader, file, origin);
	master_lexer_start(&file->lexer, reader->sources, (uint16_t)(reader->sources->count - 1));
}

void parse_push_made(struct master_reader *reader, const struct master_generate *generate,
		     const struct master_place *made_from)
{
	const struct master_file *above = &reader->files[reader->depth - 1];
	struct master_file *file = &reader->files[reader->depth++];

	*file = (struct master_file){ .origin = above->origin,
				      .generates = true,
				      .generate = *generate,
				      .made_from = *made_from };
	master_lexer_start_made(&file->lexer, reader->sources, &file->made_from);
}

void parse_pop_file(struct master_reader *reader)
{
	struct master_file *file = &reader->files[--reader->depth];

	master_lexer_free(&file->lexer);
	master_generate_free(&file->generate);
}

bool parse_next_line(struct master_file *file, struct master_line *line)
{
	while (!master_lexer_next(&file->lexer, line)) {
		if (!file->generates || !master_generate_next(&file->generate))
			return false;
		master_lexer_set_text(&file->lexer, (const char *)file->generate.made.data,
				      file->generate.made.len);
	}
	return true;
}

bool parse_name(const struct master_parse *parse, const struct master_token *token,
		const char *what, struct name *out)
{
	const char *reason = "";

	if (name_parse(token->text, token->len, &parse->file->origin, out, &reason))
		return true;
	parse_report(parse, token, "\"%.*s\" is not a valid %s: %s", master_token_shown(token),
		     token->text, what, reason);
	return false;
}

bool parse_ttl_s(const struct master_parse *parse, const struct master_token *token,
		 uint32_t *ttl_s)
{
	if (!master_ttl_parse(token->text, token->len, ttl_s)) {
		parse_report(parse, token,
			     "\"%.*s\" is not a TTL: it is a number of seconds, or like 1h30m",
			     master_token_shown(token), token->text);
		return false;
	}
	if (*ttl_s > TTL_MAX) {
		parse_warn(
			parse, token,
			"the TTL is larger than 2147483647, and so taken for 0 (RFC 2181, section 8)");
		*ttl_s = 0;
	}
	return true;
}

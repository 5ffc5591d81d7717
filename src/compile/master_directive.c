#include "compile/master_directive.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "compile/master_word.h"

/* Does the directive have at least `min` and at most `max` arguments? */
static bool has_arguments(const struct master_parse *parse, size_t min, size_t max,
			  const char *usage)
{
	size_t count = parse->line->count - 1;

	if (count < min) {
		parse_report(parse, parse_last_token(parse),
			     "something is missing: it is written %s", usage);
		return false;
	}
	if (count > max) {
		parse_report(parse, &parse->line->tokens[max + 1],
			     "this is too much: it is written %s", usage);
		return false;
	}
	return true;
}

static void read_origin(const struct master_parse *parse)
{
	struct name origin;

	if (has_arguments(parse, 1, 1, "$ORIGIN name") &&
	    parse_name(parse, &parse->line->tokens[1], "origin", &origin)) {
		parse_set_origin(parse->reader, parse->file, &origin);
		parse->file->origin_is_new = true;
	}
}

static void read_ttl(const struct master_parse *parse)
{
	uint32_t ttl_s;

	if (!has_arguments(parse, 1, 1, "$TTL seconds") ||
	    !parse_ttl_s(parse, &parse->line->tokens[1], &ttl_s))
		return;
	parse->reader->default_ttl_s = ttl_s;
	parse->reader->has_default_ttl = true;
}

/* A file name, relative to the folder of the file that includes it. To be freed. */
static char *include_path(const struct master_parse *parse, const struct master_token *token)
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

static void read_include(const struct master_parse *parse)
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
		parse_report(parse, token, "more than %d files include each other", INCLUDE_DEPTH);
		return;
	}
	path = include_path(parse, token);
	if (master_sources_add(reader->sources, path, &err) != 0)
		parse_report(parse, token, "\"%s\" cannot be read: %s", path, err.text);
	else if (includes_itself(reader))
		parse_report(parse, token, "\"%s\" includes itself", path);
	else
		parse_push_file(reader, &origin);
	free(path);
}

static void read_generate(const struct master_parse *parse)
{
	struct master_generate generate = { .at = 0 };
	struct master_place place = master_token_place(&parse->file->lexer,
						       &parse->line->tokens[0]);
	size_t bad;

	if (master_generate_start(&generate, parse->line, &bad)) {
		parse_push_made(parse->reader, &generate, &place);
	} else {
		parse_report(parse, &parse->line->tokens[bad], "%s", generate.message);
		master_generate_free(&generate);
	}
}

void directive_read(const struct master_parse *parse)
{
	const struct master_token *token = &parse->line->tokens[0];

	if (parse_token_is(token, "$ORIGIN"))
		read_origin(parse);
	else if (parse_token_is(token, "$TTL"))
		read_ttl(parse);
	else if (parse_token_is(token, "$INCLUDE"))
		read_include(parse);
	else if (parse_token_is(token, "$GENERATE"))
		read_generate(parse);
	else
		parse_report(
			parse, token,
			"unknown directive \"%.*s\": there are $ORIGIN, $TTL, $INCLUDE and $GENERATE",
			master_token_shown(token), token->text);
}

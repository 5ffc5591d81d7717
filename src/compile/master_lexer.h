/* master_lexer.h - the text of a master file (RFC 1035, 5.1) as lines of tokens.
 *
 * A line goes on over line ends inside parentheses; comments are gone. A token points into the
 * text, its escapes (\. and \ddd) untouched, as what they mean depends on the field. Mistakes
 * (quotes and parentheses that do not close, octets that are no text) are reported, and the line
 * is left out. The text is that of a source, or lines that a directive has made. */
#ifndef COMPILE_MASTER_LEXER_H
#define COMPILE_MASTER_LEXER_H

#include <stdbool.h>

#include "compile/master_source.h"

struct master_token {
	const char *text;
	uint32_t len;
	uint32_t line;
	bool quoted; /* it stood in quotes, which are not part of text */
};

struct master_line {
	struct master_token *tokens; /* the lexer's, until the next line */
	size_t count;
	bool indented; /* starts with white space: the owner is that of the record before */
};

struct master_lexer {
	const struct master_sources *sources;
	uint16_t source;
	const struct master_place *made_from; /* the directive, for made lines; else NULL */
	const char *text, *at, *end;
	uint32_t line;
	unsigned depth;           /* of parentheses */
	struct master_place open; /* the first of them */
	struct master_place
		long_string; /* the first string that goes over a line end; line 0: none */
	struct master_token *tokens;
	size_t count, cap;
};

/* The text of sources->items[source], from its start. Zero-initialise the lexer before. */
void master_lexer_start(struct master_lexer *lexer, const struct master_sources *sources,
			uint16_t source);

/* The same for lines that the directive at `made_from` makes: it is the place of all that is in
 * them. Both are the caller's, as is the text that is set then, again and again. */
void master_lexer_start_made(struct master_lexer *lexer, const struct master_sources *sources,
			     const struct master_place *made_from);
void master_lexer_set_text(struct master_lexer *lexer, const char *text, size_t len);

void master_lexer_free(struct master_lexer *lexer);

/* The next line with a token in it. false: the text has ended (or is not text at all, which has
 * then been reported). */
bool master_lexer_next(struct master_lexer *lexer, struct master_line *line);

struct master_place master_token_place(const struct master_lexer *lexer,
				       const struct master_token *token);

#endif

#include "compile/master_lexer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum token_end { TOKEN_DONE, TOKEN_BAD };

static struct master_place place_of(const struct master_lexer *lexer, const char *text, size_t len)
{
	if (lexer->made_from != NULL)
		return *lexer->made_from;
	return (struct master_place){
		.offset = (uint32_t)(text - lexer->text),
		.line = lexer->line,
		.source = lexer->source,
		.len = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX),
	};
}

struct master_place master_token_place(const struct master_lexer *lexer,
				       const struct master_token *token)
{
	struct master_place place = place_of(lexer, token->text, token->len);

	if (lexer->made_from != NULL)
		return place;
	place.line = token->line;
	if (token->quoted) { /* the quotes are shown, too */
		place.offset--;
		place.len = (uint16_t)(token->len + 2 < UINT16_MAX ? token->len + 2 : UINT16_MAX);
	}
	return place;
}

/* U+FEFF, with which some editors start a file: it would become part of the first owner name. */
static bool has_byte_order_mark(const struct master_lexer *lexer)
{
	struct master_place place = place_of(lexer, lexer->text, 3);

	if (lexer->end - lexer->text < 3 || memcmp(lexer->text, "\xef\xbb\xbf", 3) != 0)
		return false;
	master_report(lexer->sources, DIAG_ERROR, &place,
		      "the file starts with a byte order mark: save it as UTF-8 without one");
	return true;
}

/* Octets that no text has: it is better said at the first one than at each token. */
static bool is_text(struct master_lexer *lexer)
{
	const char *bad = memchr(lexer->text, '\0', (size_t)(lexer->end - lexer->text));
	struct master_place place;

	if (bad == NULL)
		return !has_byte_order_mark(lexer);
	for (const char *p = lexer->text; p < bad; p++)
		lexer->line += *p == '\n';
	place = place_of(lexer, bad, 1);
	master_report(lexer->sources, DIAG_ERROR, &place,
		      "a NUL octet: this file is not text, so it is not read");
	return false;
}

void master_lexer_start(struct master_lexer *lexer, const struct master_sources *sources,
			uint16_t source)
{
	const struct master_source *from = &sources->items[source];

	lexer->sources = sources;
	lexer->source = source;
	lexer->text = lexer->at = from->text;
	lexer->end = from->text + from->size;
	lexer->line = 1;
	lexer->depth = 0;
	lexer->long_string.line = 0;
	if (!is_text(lexer))
		lexer->at = lexer->end;
}

void master_lexer_start_made(struct master_lexer *lexer, const struct master_sources *sources,
			     const struct master_place *made_from)
{
	lexer->sources = sources;
	lexer->made_from = made_from;
	lexer->source = made_from->source;
	lexer->line = made_from->line;
}

void master_lexer_set_text(struct master_lexer *lexer, const char *text, size_t len)
{
	lexer->text = lexer->at = text;
	lexer->end = text + len;
}

void master_lexer_free(struct master_lexer *lexer)
{
	free(lexer->tokens);
	*lexer = (struct master_lexer){ 0 };
}

/* RFC 1035, 5.1: tabs and spaces. */
static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* LF, CR LF, or (as BIND and NSD have it) CR alone. */
static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* Does a word end at this octet? */
static bool ends_word(char c)
{
	return is_blank(c) || is_line_end(c) || c == ';' || c == '(' || c == ')';
}

static void add_token(struct master_lexer *lexer, const char *text, const char *end, bool quoted)
{
	array_add(lexer->tokens, lexer->count, lexer->cap) = (struct master_token){
		.text = text,
		.len = (uint32_t)(end - text),
		.line = lexer->line,
		.quoted = quoted,
	};
}

/* RFC 1035, 5.1: "text literals can contain CRLF within the text". But far more often a quote is
 * missing, and the records up to the next one are swallowed. */
static void tell_of_long_string(struct master_lexer *lexer, const char *open, uint32_t lines)
{
	struct master_place place = place_of(lexer, open, 1);

	master_report(lexer->sources, DIAG_WARNING, &place,
		      "this string goes on for %u more line%s: is a quote missing?", lines,
		      lines == 1 ? "" : "s");
	if (lexer->long_string.line == 0)
		lexer->long_string = place;
}

/* Where quotes come in an odd number, the first string that does not end in its line is the one. */
static void tell_of_open_string(const struct master_lexer *lexer, const char *open)
{
	struct master_place place = place_of(lexer, open, 1);

	if (lexer->long_string.line == 0)
		master_report(lexer->sources, DIAG_ERROR, &place, "this quote is not closed");
	else
		master_report(lexer->sources, DIAG_ERROR, &lexer->long_string,
			      "this quote is not closed in its line, and then one is missing in "
			      "line %u",
			      place.line);
}

/* The closing quote of the string whose opening one stands at `open`, NULL: it has none. *lines
 * grows by the line ends in it. */
static const char *closing_quote(struct master_lexer *lexer, const char *open, uint32_t *lines)
{
	uint32_t inside = 0;

	for (const char *p = open + 1; p < lexer->end; p++) {
		if (*p == '"') {
			if (inside > 0)
				tell_of_long_string(lexer, open, inside);
			*lines += inside;
			return p;
		}
		if (*p == '\\' && p + 1 < lexer->end && p[1] != '\n')
			p++;
		else if (*p == '\n')
			inside++;
	}
	tell_of_open_string(lexer, open);
	return NULL;
}

static enum token_end take_quoted(struct master_lexer *lexer)
{
	uint32_t lines = 0;
	const char *end = closing_quote(lexer, lexer->at, &lines);

	if (end == NULL)
		return TOKEN_BAD;
	add_token(lexer, lexer->at + 1, end, true);
	lexer->line += lines;
	lexer->at = end + 1;
	return TOKEN_DONE;
}

/* A quote starts a word of its own, but for key="a value" (RFC 9460, 2.1), which is one word. */
static enum token_end take_word(struct master_lexer *lexer)
{
	const char *p = lexer->at;
	uint32_t lines = 0;

	while (p < lexer->end && !ends_word(*p)) {
		if (*p == '\\' && p + 1 < lexer->end && !is_line_end(p[1])) {
			p += 2;
		} else if (*p == '"' && p > lexer->at && p[-1] != '=') {
			break;
		} else if (*p == '"') {
			p = closing_quote(lexer, p, &lines);
			if (p == NULL)
				return TOKEN_BAD;
			p++;
		} else {
			p++;
		}
	}
	add_token(lexer, lexer->at, p, false);
	lexer->line += lines;
	lexer->at = p;
	return TOKEN_DONE;
}

static enum token_end take_parenthesis(struct master_lexer *lexer)
{
	struct master_place place = place_of(lexer, lexer->at, 1);

	if (*lexer->at == '(') {
		if (lexer->depth++ == 0)
			lexer->open = place;
	} else if (lexer->depth > 0) {
		lexer->depth--;
	} else {
		master_report(lexer->sources, DIAG_ERROR, &place,
			      "no parenthesis is open that this one could close");
		return TOKEN_BAD;
	}
	lexer->at++;
	return TOKEN_DONE;
}

static void skip_to_line_end(struct master_lexer *lexer)
{
	while (lexer->at < lexer->end && !is_line_end(*lexer->at))
		lexer->at++;
}

static enum token_end take_one(struct master_lexer *lexer)
{
	switch (*lexer->at) {
	case ';': skip_to_line_end(lexer); return TOKEN_DONE;
	case '"': return take_quoted(lexer);
	case '(':
	case ')': return take_parenthesis(lexer);
	default: return take_word(lexer);
	}
}

/* Goes on behind a mistake: what is left of the line is not looked at, but for a parenthesis that
 * it closes, so that the lines which follow are read as what they are. */
static void skip_bad(struct master_lexer *lexer)
{
	const char *from = lexer->at;

	skip_to_line_end(lexer);
	if (memchr(from, ')', (size_t)(lexer->at - from)) != NULL)
		lexer->depth = 0;
}

/* Reads up to and over the end of one line. false: something in it was wrong. */
static bool take_line(struct master_lexer *lexer)
{
	bool good = true;

	while (lexer->at < lexer->end) {
		if (is_line_end(*lexer->at)) {
			lexer->line += *lexer->at == '\n';
			lexer->at++;
			if (lexer->depth == 0)
				return good;
		} else if (is_blank(*lexer->at)) {
			lexer->at++;
		} else if (take_one(lexer) == TOKEN_BAD) {
			skip_bad(lexer);
			good = false;
		}
	}
	if (lexer->depth > 0) {
		master_report(lexer->sources, DIAG_ERROR, &lexer->open,
			      "this parenthesis is not closed before the file ends");
		lexer->depth = 0;
		return false;
	}
	return good;
}

bool master_lexer_next(struct master_lexer *lexer, struct master_line *line)
{
	while (lexer->at < lexer->end) {
		bool indented = is_blank(*lexer->at);

		lexer->count = 0;
		if (!take_line(lexer) || lexer->count == 0)
			continue;
		*line = (struct master_line){ lexer->tokens, lexer->count, indented };
		return true;
	}
	return false;
}

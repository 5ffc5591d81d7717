#include "compile/master_generate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/master_word.h"

#define NUMBER_MAX UINT32_C(0x7fffffff)
#define DIGITS_MAX 127 /* of one number */

static bool wrong(struct master_generate *generate, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool wrong(struct master_generate *generate, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(generate->message, sizeof(generate->message), format, args);
	va_end(args);
	return false;
}

/* --- the range -------------------------------------------------------------------------------- */

/* Takes a number off the front of *text. */
static bool take_number(const char **text, size_t *len, uint32_t *number)
{
	size_t digits = 0;
	uint64_t value;

	while (digits < *len && (*text)[digits] >= '0' && (*text)[digits] <= '9')
		digits++;
	if (!master_number_parse(*text, digits, NUMBER_MAX, &value))
		return false;
	*number = (uint32_t)value;
	*text += digits;
	*len -= digits;
	return true;
}

static bool take_char(const char **text, size_t *len, char c)
{
	if (*len == 0 || **text != c)
		return false;
	++*text;
	--*len;
	return true;
}

static bool read_range(struct master_generate *generate, const struct master_token *token)
{
	const char *text = token->text;
	size_t len = token->len;

	generate->step = 1;
	if (!take_number(&text, &len, &generate->at) || !take_char(&text, &len, '-') ||
	    !take_number(&text, &len, &generate->stop) ||
	    (take_char(&text, &len, '/') && !take_number(&text, &len, &generate->step)) ||
	    len != 0 || generate->at > generate->stop || generate->step == 0)
		return wrong(generate, "\"%.*s\" is not a range like 1-100 or 0-254/2",
			     master_token_shown(token), token->text);
	if ((generate->stop - generate->at) / generate->step >= GENERATE_RECORDS_MAX)
		return wrong(generate, "more than %d records at once", GENERATE_RECORDS_MAX);
	return true;
}

/* --- one number ------------------------------------------------------------------------------- */

struct modifier {
	int offset;
	unsigned width;
	char base;
};

/* "{offset,width,base}", of which the last one or two may be missing; what follows in *text. */
static bool read_modifier(const char **text, struct modifier *modifier)
{
	int used[3] = { 0 };
	char base[2] = "d";
	int got = sscanf(*text, "{%9d%n,%3u%n,%1[doxXnN]%n", &modifier->offset, &used[0],
			 &modifier->width, &used[1], base, &used[2]);
	const char *end;

	if (got < 1 || modifier->width > DIGITS_MAX)
		return false;
	end = *text + used[got - 1];
	if (*end != '}')
		return false;
	modifier->base = base[0];
	*text = end + 1;
	return true;
}

/* As BIND: the width counts the dots. */
static void put_nibbles(struct buf *out, uint32_t value, unsigned width, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	do {
		buf_append(out, &digits[value & 15], 1);
		value >>= 4;
		width -= width > 0;
		if (width > 0 || value != 0) {
			buf_append(out, ".", 1);
			width -= width > 0;
		}
	} while (width > 0 || value != 0);
}

static void put_number(struct buf *out, uint32_t number, const struct modifier *modifier)
{
	int value = (int)((int64_t)number + modifier->offset);
	int width = (int)modifier->width;

	switch (modifier->base) {
	case 'o': buf_format(out, "%0*o", width, (unsigned)value); break;
	case 'x': buf_format(out, "%0*x", width, (unsigned)value); break;
	case 'X': buf_format(out, "%0*X", width, (unsigned)value); break;
	case 'n':
	case 'N': put_nibbles(out, (uint32_t)value, modifier->width, modifier->base == 'N'); break;
	default: buf_format(out, "%0*d", width, value); break;
	}
}

/* --- owner and data --------------------------------------------------------------------------- */

/* Appends the text with the number in it. false: a modifier is wrong. */
static bool put_text(struct buf *out, const char *text, uint32_t number)
{
	while (*text != '\0') {
		struct modifier modifier = { .base = 'd' };

		if (*text == '\\' && text[1] != '\0') {
			buf_append(out, text, 2);
			text += 2;
		} else if (*text != '$') {
			buf_append(out, text++, 1);
		} else if (*++text == '$') {
			buf_append(out, "\\$", 2);
			text++;
		} else if (*text != '{') {
			put_number(out, number, &modifier);
		} else if (read_modifier(&text, &modifier)) {
			put_number(out, number, &modifier);
		} else {
			return false;
		}
	}
	return true;
}

static bool check_text(struct master_generate *generate, const char *text)
{
	generate->made.len = 0;
	return put_text(&generate->made, text, generate->at) ||
	       wrong(generate, "a modifier is written ${offset}, ${offset,width} or "
			       "${offset,width,base}, the base as d, o, x, X, n or N");
}

/* Appends a word and its NUL; where it starts is returned. */
static size_t keep_word(struct master_generate *generate, const struct master_token *token)
{
	size_t start = generate->line.len;

	for (uint32_t i = 0; i < token->len; i++) {
		/* The quotes around all go, so those inside lose their escape. */
		if (token->quoted && token->text[i] == '\\' && i + 1 < token->len &&
		    token->text[i + 1] == '"')
			i++;
		buf_append(&generate->line, &token->text[i], 1);
	}
	buf_append(&generate->line, "", 1);
	return start;
}

static void keep_words(struct master_generate *generate, const struct master_line *line)
{
	(void)keep_word(generate, &line->tokens[2]);
	generate->middle = generate->line.len;
	for (size_t i = 3; i + 1 < line->count; i++) {
		buf_append(&generate->line, line->tokens[i].text, line->tokens[i].len);
		buf_append(&generate->line, " ", 1);
	}
	buf_append(&generate->line, "", 1);
	generate->data = keep_word(generate, &line->tokens[line->count - 1]);
}

static const char *word(const struct master_generate *generate, size_t offset)
{
	return (const char *)generate->line.data + offset;
}

/* Do the words between owner and data look like [TTL] [class] type? What they say is looked at in
 * each line that is made. */
static bool count_words(struct master_generate *generate, const struct master_line *line,
			size_t *bad)
{
	*bad = line->count - 1;
	if (line->count < 5)
		return wrong(generate, "something is missing: it is written $GENERATE "
				       "start-stop[/step] owner [TTL] [class] type data");
	if (line->count > 7)
		return wrong(generate, "this is too much: data of several words stand in quotes");
	*bad = 2;
	if (line->tokens[2].quoted)
		return wrong(generate, "the owner name stands without quotes");
	return true;
}

bool master_generate_start(struct master_generate *generate, const struct master_line *line,
			   size_t *bad)
{
	if (!count_words(generate, line, bad))
		return false;
	*bad = 1;
	if (!read_range(generate, &line->tokens[1]))
		return false;
	keep_words(generate, line);
	*bad = 2;
	if (!check_text(generate, word(generate, 0)))
		return false;
	*bad = line->count - 1;
	return check_text(generate, word(generate, generate->data));
}

bool master_generate_next(struct master_generate *generate)
{
	if (generate->at > generate->stop)
		return false;
	generate->made.len = 0;
	(void)put_text(&generate->made, word(generate, 0), generate->at);
	buf_format(&generate->made, " %s", word(generate, generate->middle));
	(void)put_text(&generate->made, word(generate, generate->data), generate->at);
	buf_append(&generate->made, "\n", 1);
	generate->at += generate->step; /* both are below 2^31 */
	return true;
}

void master_generate_free(struct master_generate *generate)
{
	buf_free(&generate->line);
	buf_free(&generate->made);
}

#include "conf/words.h"

#include <string.h>

bool words_open(struct words *words, struct conf *conf, const char *path)
{
	*words = (struct words){ .conf = conf };
	if (!source_read(&words->source, path, -1, conf->arena, conf->diag))
		return false;
	words->walk.source = &words->source;
	words->at = words->source.text;
	return true;
}

size_t words_until(const char *text, size_t len, char end)
{
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		quoted = quoted != (text[i] == '"');
		if (!quoted && text[i] == end)
			return i;
	}
	return len;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The length of the word that begins here; 0: its quotes have no end. */
static size_t word_length(const char *text, const char *end)
{
	bool quoted = false;
	const char *at = text;

	for (; at < end && (quoted || !is_blank(*at)); at++)
		quoted = quoted != (*at == '"');
	return quoted ? 0 : (size_t)(at - text);
}

static bool complain(struct words *words, const char *text, size_t len, const char *what)
{
	struct place place = source_walk_place(&words->walk, (size_t)(text - words->source.text),
					       len);

	conf_error(words->conf, &place, "%s", what);
	words->count = 0;
	return false;
}

static bool split(struct words *words, const char *at, const char *end)
{
	words->count = 0;
	for (;;) {
		size_t len;

		while (at < end && is_blank(*at))
			at++;
		if (at == end || *at == '#')
			return true;
		len = word_length(at, end);
		if (len == 0)
			return complain(words, at, 1, "these quotes do not end in this line");
		if (words->count == WORDS_MAX)
			return complain(words, at, len, "there are too many words in this line");
		words->list[words->count++] = (struct word){ at, len };
		at += len;
	}
}

bool words_next(struct words *words)
{
	const char *end = words->source.text + words->source.size;

	while (words->at < end && !diag_file_is_full(words->conf->diag, words->source.file)) {
		const char *line = words->at;
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		if (stop == NULL)
			stop = end;
		words->at = stop < end ? stop + 1 : end;
		if (split(words, line, stop) && words->count > 0)
			return true;
	}
	return false;
}

const struct yaml_node *words_value(struct words *words, const char *text, size_t len)
{
	struct arena *arena = words->conf->arena;
	struct yaml_node *value = arena_alloc(arena, sizeof(*value));
	char *plain = arena_text(arena, text, len);
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '"')
			plain[count++] = text[i];
	}
	plain[count] = '\0';
	value->kind = YAML_SCALAR;
	value->text = plain;
	value->empty = len == 0;
	value->place = source_walk_place(&words->walk, (size_t)(text - words->source.text), len);
	return value;
}

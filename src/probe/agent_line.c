#include "probe/agent_line.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOAD_MAX 10.

/* --- words ------------------------------------------------------------------------------------- */

static void copy_printable(char *out, size_t size, const char *text, size_t len)
{
	size_t count = 0;

	for (; count < len && count + 1 < size; count++)
		out[count] = isprint((unsigned char)text[count]) ? text[count] : '?';
	out[count] = '\0';
}

static void note_mistake(const char *word, size_t len, bool too_much, struct agent_line *out)
{
	if (out->mistake[0] != '\0')
		return;
	copy_printable(out->mistake, sizeof(out->mistake), word, len);
	out->too_much = too_much;
}

/* Digits and "%". */
static bool take_weight(const char *word, size_t len, struct agent_line *out)
{
	size_t at = len > 1 && word[0] == '+' ? 1 : 0;
	size_t digits = at;
	uint32_t percent = 0;

	for (; digits + 1 < len && isdigit((unsigned char)word[digits]); digits++) {
		percent = percent * 10 + (uint32_t)(word[digits] - '0');
		if (percent > AGENT_PERCENT_MAX)
			percent = AGENT_PERCENT_MAX + 1;
	}
	if (digits == at || digits + 1 != len || word[digits] != '%')
		return false;
	if (percent > AGENT_PERCENT_MAX) {
		note_mistake(word, len, true, out);
		percent = AGENT_PERCENT_MAX;
	}
	out->has_weight = true;
	out->weight_percent = (uint16_t)percent;
	return true;
}

bool agent_load_parse(const char *text, size_t len, double *out)
{
	bool percent = len > 0 && text[len - 1] == '%';
	char number[32], *end;

	len -= percent;
	if (len == 0 || len >= sizeof(number))
		return false;
	memcpy(number, text, len); /* which no NUL ends */
	number[len] = '\0';
	if (strspn(number, ".0123456789") < len)
		return false;
	*out = strtod(number, &end) / (percent ? 100 : 1);
	return *end == '\0' && *out <= LOAD_MAX;
}

static bool is_word(const char *word, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(word, name, len) == 0;
}

static bool begins(const char *word, size_t len, const char *name)
{
	return len > strlen(name) && strncasecmp(word, name, strlen(name)) == 0;
}

static bool take_name(const char *word, size_t len, struct agent_line *out)
{
	static const struct {
		const char *name;
		enum agent_health health;
		enum probe_wish wish;
	} rows[] = {
		{ "up", AGENT_UP, WISH_NONE },         { "down", AGENT_DOWN, WISH_NONE },
		{ "fail", AGENT_DOWN, WISH_NONE },     { "stopped", AGENT_DOWN, WISH_NONE },
		{ "ready", AGENT_UNSAID, WISH_READY }, { "drain", AGENT_UNSAID, WISH_DRAIN },
		{ "maint", AGENT_UNSAID, WISH_MAINT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!is_word(word, len, rows[i].name))
			continue;
		if (rows[i].health != AGENT_UNSAID)
			out->health = rows[i].health;
		if (rows[i].wish != WISH_NONE)
			out->wish = rows[i].wish;
		return true;
	}
	return false;
}

static bool take_word(const char *word, size_t len, struct agent_line *out)
{
	static const char maxconn[] = "maxconn:", load[] = "load:";

	if (begins(word, len, maxconn))
		return true;
	if (begins(word, len, load)) {
		out->has_load = agent_load_parse(word + strlen(load), len - strlen(load),
						 &out->load);
		return out->has_load;
	}
	if (memchr(word, '%', len) != NULL)
		return take_weight(word, len, out);
	return take_name(word, len, out);
}

/* --- the line ---------------------------------------------------------------------------------- */

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

static void take_description(const char *at, const char *end, struct agent_line *out)
{
	while (at < end && (*at == '#' || is_separator(*at)))
		at++;
	while (end > at && is_separator(end[-1]))
		end--;
	copy_printable(out->description, sizeof(out->description), at, (size_t)(end - at));
}

static void take_words(const char *at, const char *end, struct agent_line *out)
{
	while (at < end) {
		const char *word = at;

		if (is_separator(*at)) {
			at++;
			continue;
		}
		if (*at == '#') {
			take_description(at, end, out);
			return;
		}
		while (at < end && !is_separator(*at))
			at++;
		if (take_word(word, (size_t)(at - word), out))
			out->says = true;
		else
			note_mistake(word, (size_t)(at - word), false, out);
	}
}

bool agent_line_parse(const char *text, size_t len, bool whole, struct agent_line *out)
{
	size_t line = 0;

	*out = (struct agent_line){ 0 };
	while (line < len && text[line] != '\r' && text[line] != '\n')
		line++;
	if (line == len && !whole)
		return false;
	take_words(text, text + line, out);
	return true;
}

/* --- what holds -------------------------------------------------------------------------------- */

void agent_said_take(struct agent_said *said, const struct agent_line *line)
{
	if (line->health != AGENT_UNSAID) {
		said->health = line->health;
		memcpy(said->description, line->description, sizeof(said->description));
	}
	if (line->wish != WISH_NONE)
		said->wish = line->wish;
	if (line->has_weight) {
		said->has_weight = true;
		said->weight_percent = line->weight_percent;
	}
	said->has_load = line->has_load; /* a measurement, and not an order */
	said->load = line->load;
}

static const char *wish_text(enum probe_wish wish)
{
	switch (wish) {
	case WISH_DRAIN: return ", drain";
	case WISH_MAINT: return ", maint";
	default: return "";
	}
}

static const char *fault(const struct agent_line *line)
{
	return line->too_much ? "is too much" : "is no word";
}

const char *agent_line_silence(const struct agent_line *line, const char *empty,
			       char why[PROBE_WHY_SIZE])
{
	if (line->mistake[0] == '\0')
		return empty;
	(void)snprintf(why, PROBE_WHY_SIZE, "\"%s\" %s", line->mistake, fault(line));
	return why;
}

struct probe_result agent_said_result(const struct agent_said *said, const struct agent_line *line,
				      char why[PROBE_WHY_SIZE])
{
	bool down = said->health == AGENT_DOWN;
	struct probe_result result = { .outcome = down ? PROBE_FAILURE : PROBE_SUCCESS,
				       .why = why,
				       .has_use = said->has_load,
				       .use = said->load,
				       .has_weight = said->has_weight,
				       .weight_percent = said->weight_percent,
				       .wish = said->wish };
	char weight[16] = "";

	if (said->has_weight)
		(void)snprintf(weight, sizeof(weight), ", %u%%", (unsigned)said->weight_percent);
	if (line->mistake[0] != '\0') {
		if (!down)
			result.outcome = PROBE_WARNING;
		(void)snprintf(why, PROBE_WHY_SIZE, "says %s%s%s; \"%s\" %s", down ? "down" : "up",
			       weight, wish_text(said->wish), line->mistake, fault(line));
	} else {
		(void)snprintf(why, PROBE_WHY_SIZE, "says %s%s%s%s%s", down ? "down" : "up",
			       said->description[0] != '\0' ? ": " : "", said->description, weight,
			       wish_text(said->wish));
	}
	return result;
}

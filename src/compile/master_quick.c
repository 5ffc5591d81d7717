#include "compile/master_quick.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/cursor.h"
#include "compile/master_rules.h"
#include "compile/master_word.h"

#define STRING_MAX     255
#define NUMBER_DIGITS  9 /* of a number that is looked at here: then no sum overflows */
#define IPV6_TEXT_SIZE 46

/* A source's text ends with a NUL, which is a mistake anywhere before: so each loop over octets
 * ends by itself. */
struct quick {
	struct master_reader *reader;
	struct master_file *file;
	const char *at;
	const struct name *origin;
};

/* What an octet of a word may be. */
enum {
	ENDS_WORD = 1, /* white space, a comment, the end of the line or of the text */
	LEAVES = 2,    /* has a meaning of its own: not for us */
	STOPS = ENDS_WORD | LEAVES,
};

static const uint8_t octet_class[256] = {
	['\0'] = ENDS_WORD, ['\t'] = ENDS_WORD, ['\n'] = ENDS_WORD, ['\r'] = ENDS_WORD,
	[' '] = ENDS_WORD,  [';'] = ENDS_WORD,  ['('] = LEAVES,     [')'] = LEAVES,
	['"'] = LEAVES,     ['\\'] = LEAVES,
};

static inline bool is(char c, unsigned classes)
{
	return (octet_class[(uint8_t)c] & classes) != 0;
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* --- words ------------------------------------------------------------------------------------ */

/* Digits only, and at most `max`; leaves quick->at behind them. */
static bool take_number(struct quick *quick, uint32_t max, uint32_t *value)
{
	const char *start = quick->at;
	uint32_t number = 0;

	for (; is_digit(*quick->at); quick->at++)
		number = number * 10 + (uint32_t)(*quick->at - '0');
	*value = number;
	return quick->at != start && quick->at - start <= NUMBER_DIGITS && number <= max &&
	       is(*quick->at, ENDS_WORD);
}

/* The labels of a word, up to the last one, which no dot ends: its length is in *last, 0 where the
 * name is absolute. */
static bool take_labels(struct quick *quick, struct name *out, size_t *last)
{
	const char *p = quick->at;
	uint8_t *label = out->wire, *w = label + 1, *end = out->wire + DNS_NAME_MAX;

	out->labels = 0;
	for (; !is(*p, STOPS) && w < end; p++) {
		if (*p != '.') {
			*w++ = (uint8_t)*p;
			continue;
		}
		*last = (size_t)(w - label) - 1;
		if (*last == 0 || *last > DNS_LABEL_MAX)
			return false;
		*label = (uint8_t)*last;
		out->labels++;
		label = w++;
	}
	if (p == quick->at || !is(*p, ENDS_WORD))
		return false;
	*last = (size_t)(w - label) - 1;
	out->len = (uint8_t)(label - out->wire);
	quick->at = p;
	return *last <= DNS_LABEL_MAX;
}

/* A name as it is written, but for the origin that completes it. */
static bool take_name(struct quick *quick, struct name *out)
{
	const struct name *origin = quick->origin;
	size_t last;

	if (*quick->at == '@' && is(quick->at[1], ENDS_WORD)) {
		memcpy(out->wire, origin->wire, origin->len);
		out->len = origin->len;
		out->labels = origin->labels;
		quick->at++;
		return true;
	}
	if (!take_labels(quick, out, &last))
		return false;
	if (last == 0) {
		out->wire[out->len++] = 0;
		return true;
	}
	if (out->len + 1 + last + origin->len > DNS_NAME_MAX)
		return false;
	out->wire[out->len] = (uint8_t)last;
	out->len = (uint8_t)(out->len + 1 + last);
	memcpy(out->wire + out->len, origin->wire, origin->len);
	out->len = (uint8_t)(out->len + origin->len);
	out->labels = (uint8_t)(out->labels + 1 + origin->labels);
	return true;
}

/* The letters of a short word as one number, whatever their case; 0: it is none. */
static uint64_t take_mnemonic(struct quick *quick)
{
	const char *start = quick->at;
	uint64_t word = 0;

	for (; !is(*quick->at, STOPS); quick->at++)
		word = word << 8 | ((uint8_t)*quick->at & 0xdfU); /* 'a' is 'A' and a bit */
	return quick->at - start <= 8 && is(*quick->at, ENDS_WORD) ? word : 0;
}

#define MNEMONIC_2(a, b)       ((uint64_t)(a) << 8 | (b))
#define MNEMONIC_3(a, b, c)    (MNEMONIC_2(a, b) << 8 | (c))
#define MNEMONIC_4(a, b, c, d) (MNEMONIC_3(a, b, c) << 8 | (d))

static uint16_t type_of(uint64_t mnemonic)
{
	switch (mnemonic) {
	case 'A': return TYPE_A;
	case MNEMONIC_4('A', 'A', 'A', 'A'): return TYPE_AAAA;
	case MNEMONIC_2('N', 'S'): return TYPE_NS;
	case MNEMONIC_4('C', 'N', 'A', 'M') << 8 | 'E': return TYPE_CNAME;
	case MNEMONIC_3('P', 'T', 'R'): return TYPE_PTR;
	case MNEMONIC_2('M', 'X'): return TYPE_MX;
	case MNEMONIC_3('S', 'R', 'V'): return TYPE_SRV;
	case MNEMONIC_3('T', 'X', 'T'): return TYPE_TXT;
	case MNEMONIC_2('D', 'S'): return TYPE_DS;
	default: return 0;
	}
}

/* --- RDATA: each leaves quick->at behind the last word ------------------------------------------ */

/* As inet_pton: four numbers without leading zeros. */
static size_t take_a(struct quick *quick, uint8_t *out)
{
	const char *p = quick->at;

	for (unsigned i = 0; i < 4; i++) {
		const char *start = p;
		unsigned value = 0;

		if (i > 0 && *p++ != '.')
			return 0;
		start = p;
		for (; is_digit(*p) && p - start < 3; p++)
			value = value * 10 + (unsigned)(*p - '0');
		if (p == start || value > 255 || (*start == '0' && p - start > 1))
			return 0;
		out[i] = (uint8_t)value;
	}
	quick->at = p;
	return 4;
}

static size_t take_aaaa(struct quick *quick, uint8_t *out)
{
	char text[IPV6_TEXT_SIZE];
	size_t len = 0;

	while (!is(quick->at[len], STOPS) && len < sizeof(text) - 1)
		len++;
	memcpy(text, quick->at, len);
	text[len] = '\0';
	quick->at += len;
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

/* Numbers of 16 bits, blanks behind each, then a name. */
static size_t take_numbers_and_name(struct quick *quick, unsigned numbers, uint8_t *out)
{
	struct name name;

	for (unsigned i = 0; i < numbers; i++) {
		uint32_t value;

		if (!take_number(quick, UINT16_MAX, &value))
			return 0;
		store_u16(out + 2 * (size_t)i, (uint16_t)value);
		quick->at = skip_blanks(quick->at);
	}
	if (!take_name(quick, &name))
		return 0;
	memcpy(out + 2 * (size_t)numbers, name.wire, name.len);
	return 2 * (size_t)numbers + name.len;
}

/* One string, in quotes or without; returns its length, -1: it is not for us. */
static int take_string(struct quick *quick)
{
	bool quoted = *quick->at == '"';
	const char *p = quick->at + quoted;
	const char *start = p;

	if (quoted) {
		while (*p != '"' && *p != '\\' && *p != '\n' && *p != '\0')
			p++;
		if (*p != '"' || !is(p[1], ENDS_WORD))
			return -1;
	} else {
		while (!is(*p, STOPS))
			p++;
		if (p == start || !is(*p, ENDS_WORD))
			return -1;
	}
	quick->at = p + quoted;
	return p - start <= STRING_MAX ? (int)(p - start) : -1;
}

static bool at_end(const struct quick *quick)
{
	return is(*quick->at, ENDS_WORD) && *quick->at != ' ' && *quick->at != '\t';
}

static size_t take_txt(struct quick *quick, uint8_t *out)
{
	size_t len = 0;

	while (!at_end(quick)) {
		const char *text = quick->at + (*quick->at == '"');
		int size = take_string(quick);

		if (size < 0 || len + 1 + (size_t)size > QUICK_RDATA_MAX)
			return 0;
		out[len] = (uint8_t)size;
		memcpy(out + len + 1, text, (size_t)size);
		len += 1 + (size_t)size;
		quick->at = skip_blanks(quick->at);
	}
	return len;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Key tag, algorithm and type of digest as numbers, and the digest as one word. */
static size_t take_ds(struct quick *quick, uint8_t *out)
{
	static const uint32_t max[] = { UINT16_MAX, UINT8_MAX, UINT8_MAX };
	uint32_t number[3];
	const char *reason;
	size_t len = 4;

	for (unsigned i = 0; i < 3; i++) {
		if (!take_number(quick, max[i], &number[i]))
			return 0;
		quick->at = skip_blanks(quick->at);
	}
	store_u16(out, (uint16_t)number[0]);
	out[2] = (uint8_t)number[1];
	out[3] = (uint8_t)number[2];
	for (; !is(*quick->at, STOPS); quick->at += 2) {
		int high = hex_value(quick->at[0]), low = hex_value(quick->at[1]);

		if (high < 0 || low < 0 || len == QUICK_RDATA_MAX)
			return 0;
		out[len++] = (uint8_t)(high << 4 | low);
	}
	return len > 4 && master_rules_data(TYPE_DS, out, len, &reason) ? len : 0;
}

/* 0: it is not for us. */
static size_t take_rdata(struct quick *quick, uint16_t type, uint8_t *out)
{
	switch (type) {
	case TYPE_A: return take_a(quick, out);
	case TYPE_AAAA: return take_aaaa(quick, out);
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR: return take_numbers_and_name(quick, 0, out);
	case TYPE_MX: return take_numbers_and_name(quick, 1, out);
	case TYPE_SRV: return take_numbers_and_name(quick, 3, out);
	case TYPE_TXT: return take_txt(quick, out);
	case TYPE_DS: return take_ds(quick, out);
	default: return 0;
	}
}

/* --- the line --------------------------------------------------------------------------------- */

static struct master_place place(const struct quick *quick, const char *start, const char *end)
{
	const struct master_lexer *lexer = &quick->file->lexer;
	size_t len = (size_t)(end - start);

	return (struct master_place){
		.offset = (uint32_t)(start - lexer->text),
		.line = lexer->line,
		.source = lexer->source,
		.len = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX),
	};
}

/* Into `owner`, as the file's own is still that of the record before if nothing comes of this.
 * Indented: there is none, and that of the record before holds. */
static bool take_owner(struct quick *quick, struct name *owner, struct master_record *record)
{
	const char *start = quick->at;

	if (*start == ' ' || *start == '\t')
		return quick->file->has_owner && !quick->file->origin_is_new;
	if (*start == '$' || !take_name(quick, owner))
		return false;
	record->owner_place = place(quick, start, quick->at);
	return true;
}

/* TTL and class in any order, up to the type. */
static bool take_type(struct quick *quick, struct master_record *record)
{
	bool has_ttl = false, has_class = false;
	const char *start;
	uint64_t word;

	for (;;) {
		quick->at = start = skip_blanks(quick->at);
		if (is_digit(*start)) {
			if (has_ttl || !take_number(quick, TTL_MAX, &record->ttl_s))
				return false;
			has_ttl = true;
			continue;
		}
		word = take_mnemonic(quick);
		if (word != MNEMONIC_2('I', 'N'))
			break;
		if (has_class)
			return false;
		has_class = true;
	}
	record->type = type_of(word);
	record->place = place(quick, start, quick->at);
	if (!has_ttl)
		record->ttl_s = quick->reader->default_ttl_s;
	return record->type != 0 && (has_ttl || quick->reader->has_default_ttl);
}

/* Its first word, of which master_reader.h wants no quotes. */
static struct master_place data_place(const struct quick *quick, const char *start)
{
	const char *p = start + (*start == '"');

	while (*start == '"' ? *p != '"' : !is(*p, STOPS))
		p++;
	return place(quick, start + (*start == '"'), p);
}

/* Over blanks and a comment to behind the end of the line. */
static bool take_end(struct quick *quick, bool *line_feed)
{
	const char *p = skip_blanks(quick->at);

	if (*p == ';') {
		while (*p != '\n' && *p != '\r' && *p != '\0')
			p++;
	}
	if (p[0] == '\r' && p[1] == '\n')
		p++;
	*line_feed = *p == '\n';
	if (*p != '\n' && *p != '\r' && p != quick->file->lexer.end)
		return false;
	quick->at = p + (p != quick->file->lexer.end);
	return true;
}

/* Lines without any word, which are nothing to anybody. */
static void skip_empty_lines(struct master_lexer *lexer)
{
	while (*lexer->at == '\n' || *lexer->at == '\r' || *lexer->at == ';') {
		while (*lexer->at != '\n' && *lexer->at != '\r' && lexer->at != lexer->end)
			lexer->at++;
		lexer->line += *lexer->at == '\n';
		lexer->at += lexer->at != lexer->end;
	}
}

static void keep_owner(struct master_file *file, const struct name *owner)
{
	for (unsigned i = 0; i < owner->len; i++) /* octets of length are below 'A' */
		file->owner.wire[i] = name_lower(owner->wire[i]);
	file->owner.len = owner->len;
	file->owner.labels = owner->labels;
	file->has_owner = true;
	file->origin_is_new = false;
}

bool master_quick_read(struct master_reader *reader, struct master_file *file,
		       struct master_record *record)
{
	struct master_lexer *lexer = &file->lexer;
	struct quick quick = { .reader = reader, .file = file, .origin = &file->origin };
	const char *data;
	struct name owner;
	size_t len;
	bool line_feed;

	if (file->generates || reader->without_quick)
		return false;
	skip_empty_lines(lexer);
	quick.at = lexer->at;
	owner.len = 0;
	*record = (struct master_record){ .owner = &file->owner };
	if (!take_owner(&quick, &owner, record) || !take_type(&quick, record))
		return false;
	data = quick.at = skip_blanks(quick.at);
	len = take_rdata(&quick, record->type, reader->data.data);
	if (len == 0 || !take_end(&quick, &line_feed))
		return false;
	record->data = reader->data.data;
	record->len = (uint16_t)len;
	record->data_place = data_place(&quick, data);
	if (owner.len != 0)
		keep_owner(file, &owner);
	reader->last_ttl_s = record->ttl_s;
	reader->has_last_ttl = true;
	lexer->at = quick.at;
	lexer->line += line_feed;
	return true;
}

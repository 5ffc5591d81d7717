#include "compile/master_quick.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/cursor.h"
#include "compile/master_rules.h"
#include "compile/master_scan.h"
#include "compile/master_word.h"

#define STRING_MAX     255
#define NUMBER_DIGITS  9 /* of a number that is looked at here: then no sum overflows */
#define IPV6_TEXT_SIZE 46

/* A source's text ends with a NUL, which is a mistake anywhere before, and SOURCE_ROOM octets more:
 * so each loop over octets ends by itself. */
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
	if (at[0] == ' ' && (uint8_t)at[1] > ' ') /* mostly it is one */
		return at + 1;
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

/* A name that is being read, with room for what is copied beyond its end. */
struct taken {
	uint8_t wire[DNS_NAME_MAX + 1 + DNS_LABEL_MAX + 2 * SCAN_ROOM];
	unsigned len, labels;
	unsigned known; /* bits of enum master_owner */
};

/* One label from `at` on, behind its octet of length. false: it is not for us. */
static inline bool take_label(const char *at, uint8_t *label, unsigned *len, unsigned *known,
			      bool lower)
{
	unsigned done = 0, rest;
	struct scan scan;

	for (;; done += SCAN_ROOM) {
		scan = scan_copy(at + done, label + 1 + done, lower);
		if (scan.special != 0)
			break;
		if (scan.odd != 0)
			*known &= ~(unsigned)OWNER_PLAIN;
		if (done >= DNS_LABEL_MAX - SCAN_ROOM + 1)
			return false;
	}
	rest = (unsigned)__builtin_ctz(scan.special);
	*len = done + rest;
	*label = (uint8_t)*len;
	if ((scan.odd & ((1U << rest) - 1)) != 0 || label[1] == '-' || label[*len] == '-')
		*known &= ~(unsigned)OWNER_PLAIN;
	return *len <= DNS_LABEL_MAX;
}

static inline void add_origin(struct taken *out, const struct quick *quick)
{
	const struct name *origin = quick->origin;

	if (origin->len <= 2 * SCAN_ROOM)
		memcpy(out->wire + out->len, origin->wire, 2 * (size_t)SCAN_ROOM);
	else
		memcpy(out->wire + out->len, origin->wire, origin->len);
	out->len += origin->len;
	out->labels += origin->labels;
	out->known &= quick->file->origin_known;
}

/* A name as it is written, but for the origin that completes it. */
static inline bool take_name(struct quick *quick, struct taken *out, bool lower)
{
	const char *at = quick->at;
	uint8_t *label = out->wire;
	unsigned len;

	out->len = out->labels = 0;
	out->known = OWNER_PLAIN | OWNER_INSIDE;
	if (*at == '@' && is(at[1], ENDS_WORD)) {
		add_origin(out, quick);
		quick->at++;
		return true;
	}
	for (;;) {
		if (!take_label(at, label, &len, &out->known, lower))
			return false;
		at += len;
		if (*at != '.')
			break;
		out->len += 1 + len;
		out->labels++;
		if (len == 0 || out->len >= DNS_NAME_MAX)
			return false;
		label += 1 + len;
		at++;
	}
	if (at == quick->at || !is(*at, ENDS_WORD))
		return false;
	quick->at = at;
	if (len == 0) { /* a dot at its end */
		*label = 0;
		out->len++;
		out->known &= ~(unsigned)OWNER_INSIDE;
		return true;
	}
	out->len += 1 + len;
	out->labels++;
	if (out->len + quick->origin->len > DNS_NAME_MAX)
		return false;
	add_origin(out, quick);
	return true;
}

/* The letters of a short word as one number, whatever their case; 0: it is none. */
static inline uint64_t take_mnemonic(struct quick *quick)
{
	const char *start = quick->at, *at = start;
	uint64_t word = 0;

	for (; !is(*at, STOPS); at++)
		word = word << 8 | ((uint8_t)*at & 0xdfU); /* 'a' is 'A' and a bit */
	quick->at = at;
	return at - start <= 8 && is(*at, ENDS_WORD) ? word : 0;
}

#define MNEMONIC_2(a, b)       ((uint64_t)(a) << 8 | (b))
#define MNEMONIC_3(a, b, c)    (MNEMONIC_2(a, b) << 8 | (c))
#define MNEMONIC_4(a, b, c, d) (MNEMONIC_3(a, b, c) << 8 | (d))

static inline uint16_t type_of(uint64_t mnemonic)
{
	if (mnemonic == 'A')
		return TYPE_A;
	switch (mnemonic) {
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

/* A number up to 255 without leading zeros; what follows it, NULL: it is none. */
static inline const char *take_octet(const char *at, uint8_t *out)
{
	unsigned value = (unsigned)(uint8_t)*at - '0', digit;

	if (value > 9)
		return NULL;
	digit = (unsigned)(uint8_t)at[1] - '0';
	if (digit > 9) {
		*out = (uint8_t)value;
		return at + 1;
	}
	if (value == 0)
		return NULL;
	value = value * 10 + digit;
	digit = (unsigned)(uint8_t)at[2] - '0';
	if (digit > 9) {
		*out = (uint8_t)value;
		return at + 2;
	}
	value = value * 10 + digit;
	*out = (uint8_t)value;
	return value <= UINT8_MAX ? at + 3 : NULL;
}

/* As inet_pton: four numbers. */
static inline size_t take_a(struct quick *quick, uint8_t *out)
{
	const char *at = take_octet(quick->at, out);

	for (unsigned i = 1; i < 4; i++) {
		if (at == NULL || *at != '.')
			return 0;
		at = take_octet(at + 1, out + i);
	}
	if (at == NULL)
		return 0;
	quick->at = at;
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
	struct taken name;

	for (unsigned i = 0; i < numbers; i++) {
		uint32_t value;

		if (!take_number(quick, UINT16_MAX, &value))
			return 0;
		store_u16(out + 2 * (size_t)i, (uint16_t)value);
		quick->at = skip_blanks(quick->at);
	}
	if (!take_name(quick, &name, false))
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
static inline size_t take_rdata(struct quick *quick, uint16_t type, uint8_t *out)
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

static inline struct master_place place(const struct quick *quick, const char *start,
					const char *end)
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
static inline bool take_owner(struct quick *quick, struct taken *owner,
			      struct master_record *record)
{
	const char *start = quick->at;

	if (*start == ' ' || *start == '\t') {
		owner->len = 0;
		record->owner_place = (struct master_place){ 0 };
		return quick->file->has_owner && !quick->file->origin_is_new;
	}
	if (*start == '$' || !take_name(quick, owner, true))
		return false;
	record->owner_place = place(quick, start, quick->at);
	return true;
}

/* TTL and class in any order, up to the type. */
static inline bool take_type(struct quick *quick, struct master_record *record)
{
	bool has_ttl = false, has_class = false;
	const char *start;

	for (;;) {
		quick->at = start = skip_blanks(quick->at);
		if ((start[0] & 0xdf) == 'I' && (start[1] & 0xdf) == 'N' &&
		    is(start[2], ENDS_WORD)) {
			if (has_class)
				return false;
			has_class = true;
			quick->at = start + 2;
			continue;
		}
		if (is_digit(*start)) {
			if (has_ttl || !take_number(quick, TTL_MAX, &record->ttl_s))
				return false;
			has_ttl = true;
			continue;
		}
		record->type = type_of(take_mnemonic(quick));
		break;
	}
	record->place = place(quick, start, quick->at);
	if (!has_ttl)
		record->ttl_s = quick->reader->default_ttl_s;
	return record->type != 0 && (has_ttl || quick->reader->has_default_ttl);
}

/* Over blanks and a comment to behind the end of the line. */
static inline bool take_end(struct quick *quick, bool *line_feed)
{
	const char *p = quick->at;

	if (*p == '\n') {
		quick->at = p + 1;
		return *line_feed = true;
	}
	p = skip_blanks(p);
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
static inline void skip_empty_lines(struct master_lexer *lexer)
{
	while (*lexer->at == '\n' || *lexer->at == '\r' || *lexer->at == ';') {
		while (*lexer->at != '\n' && *lexer->at != '\r' && lexer->at != lexer->end)
			lexer->at++;
		lexer->line += *lexer->at == '\n';
		lexer->at += lexer->at != lexer->end;
	}
}

static inline void keep_owner(struct master_file *file, const struct taken *owner)
{
	if (owner->len <= 2 * SCAN_ROOM)
		memcpy(file->owner.wire, owner->wire, 2 * (size_t)SCAN_ROOM);
	else
		memcpy(file->owner.wire, owner->wire, owner->len);
	file->owner.len = (uint8_t)owner->len;
	file->owner.labels = (uint8_t)owner->labels;
	file->owner_known = (uint8_t)owner->known;
	file->has_owner = true;
	file->origin_is_new = false;
}

bool master_quick_read(struct master_reader *reader, struct master_file *file,
		       struct master_record *record)
{
	struct master_lexer *lexer = &file->lexer;
	struct quick quick = { .reader = reader, .file = file, .origin = &file->origin };
	struct taken owner;
	size_t len;
	bool line_feed;

	if (file->generates || reader->without_quick)
		return false;
	skip_empty_lines(lexer);
	quick.at = lexer->at;
	if (!take_owner(&quick, &owner, record) || !take_type(&quick, record))
		return false;
	quick.at = skip_blanks(quick.at);
	len = take_rdata(&quick, record->type, reader->data.data);
	if (len == 0 || !take_end(&quick, &line_feed))
		return false;
	if (owner.len != 0)
		keep_owner(file, &owner);
	record->owner = &file->owner;
	record->owner_known = file->owner_known;
	record->pool = false;
	record->data = reader->data.data;
	record->len = (uint16_t)len;
	reader->last_ttl_s = record->ttl_s;
	reader->has_last_ttl = true;
	lexer->at = quick.at;
	lexer->line += line_feed;
	return true;
}

#include "serve/chaos.h"

#include "base/cursor.h"

static const struct chaos_name {
	const char *wire;
	uint8_t len;
	bool identity; /* else version */
} names[] = {
	{ "\7version\4bind", 14, false },
	{ "\7version\6server", 16, false },
	{ "\2id\6server", 11, true },
	{ "\10hostname\4bind", 15, true },
};

static const struct settings_text *find_text(const struct name_key *name,
					     const struct dns_settings *settings)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name->len == names[i].len && memcmp(name->wire, names[i].wire, name->len) == 0)
			return names[i].identity ? &settings->identity : &settings->version;
	}
	return NULL;
}

static void put_text(struct message *message, const struct settings_text *text)
{
	struct writer w = { .data = message->data, .size = message->limit, .pos = message->pos };

	put_u16(&w, (uint16_t)(DNS_POINTER << 8 | DNS_HEADER_SIZE)); /* the name in the question */
	put_u16(&w, TYPE_TXT);
	put_u16(&w, CLASS_CH);
	put_u32(&w, 0); /* RFC 4892, 3: not to be cached */
	put_u16(&w, (uint16_t)(1 + text->len));
	put_u8(&w, text->len);
	put_bytes(&w, text->octets, text->len);
	if (w.full) {
		message->truncated = true;
		return;
	}
	message->pos = w.pos;
	message->count[SECTION_ANSWER] = 1;
}

static enum rcode refuse(struct asking *asking, enum edns_error error)
{
	asking->opt.error = (int16_t)error;
	return RCODE_REFUSED;
}

enum rcode chaos_fill(struct asking *asking, const struct dns_settings *settings)
{
	const struct settings_text *text = find_text(&asking->query->name, settings);

	if (text == NULL)
		return refuse(asking, EDNS_ERROR_NOT_AUTHORITATIVE);
	if (text->len == 0)
		return refuse(asking, EDNS_ERROR_PROHIBITED);
	asking->authoritative = true;
	if (asking->query->type == TYPE_TXT || asking->query->type == TYPE_ANY)
		put_text(&asking->message, text);
	return RCODE_NOERROR;
}

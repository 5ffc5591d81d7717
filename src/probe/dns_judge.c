#include "probe/dns_judge.h"

#include <stdio.h>
#include <string.h>

#include "wire/query.h"
#include "wire/reply.h"

size_t dns_make_query(const struct dns_probe_settings *settings, uint16_t id,
		      uint8_t out[DNS_QUERY_SIZE])
{
	struct writer w = { .data = out, .size = DNS_QUERY_SIZE };

	put_u16(&w, id);
	put_u16(&w, settings->recursion != 0 ? HEADER_RD : 0);
	put_u32(&w, 0x00010000); /* one question, no records */
	put_u32(&w, 0);
	put_bytes(&w, probe_text(settings, settings->question), settings->question.len);
	return w.pos;
}

static const char *rcode_text(enum rcode rcode, char text[12])
{
	static const char *const names[] = { "NOERROR",  "FORMERR", "SERVFAIL",
					     "NXDOMAIN", "NOTIMP",  "REFUSED" };

	if ((unsigned)rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	(void)snprintf(text, 12, "rcode %u", (unsigned)rcode & 15);
	return text;
}

/* The addresses of the settings are numbered from 0; bits: which of them this record has. */
static uint32_t match(const struct dns_probe_settings *settings, const struct reply_record *record)
{
	const char *from = probe_text(settings, settings->addresses);
	size_t count = settings->addresses.len / sizeof(struct ip_address);
	uint32_t bits = 0;

	for (size_t i = 0; i < count; i++) {
		struct ip_address address;

		memcpy(&address, from + i * sizeof(address), sizeof(address));
		if (record->rdata_len == ip_bits(address.family) / 8 &&
		    memcmp(record->rdata, address.bytes, record->rdata_len) == 0)
			bits |= 1U << i;
	}
	return bits;
}

/* RFC 1035, section 3.4.1, and RFC 3596, section 2.2. None of the other types that can be asked for has
 * RDATA without an octet. */
static bool has_its_rdata(const struct reply_record *record)
{
	switch (record->type) {
	case TYPE_A: return record->rdata_len == 4;
	case TYPE_AAAA: return record->rdata_len == 16;
	default: return record->rdata_len > 0;
	}
}

static enum probe_outcome judge_records(const struct dns_probe_settings *settings,
					struct reply *reply, char why[PROBE_WHY_SIZE])
{
	const uint8_t *question = (const uint8_t *)probe_text(settings, settings->question);
	uint16_t type = load_u16(question + settings->question.len - 4);
	uint32_t wanted = (1U << settings->addresses.len / sizeof(struct ip_address)) - 1;
	const char *truncated = (reply->flags & HEADER_TC) != 0 ? ", truncated" : "";
	struct reply_record record;
	unsigned count = 0;

	while (reply_next(reply, &record)) {
		if (record.type != type || record.class != CLASS_IN)
			continue;
		reply->reader.bad |= !has_its_rdata(&record);
		count++;
		wanted &= ~match(settings, &record);
	}
	if (reply->reader.bad) {
		(void)snprintf(why, PROBE_WHY_SIZE, "an answer that cannot be read");
		return PROBE_FAILURE;
	}
	(void)snprintf(why, PROBE_WHY_SIZE, "NOERROR, %u record%s%s", count, count == 1 ? "" : "s",
		       truncated);
	if (count < settings->answers_min)
		return PROBE_FAILURE;
	if (wanted != 0)
		(void)snprintf(why, PROBE_WHY_SIZE, "NOERROR, but an expected address is missing%s",
			       truncated);
	return wanted != 0 ? PROBE_FAILURE : PROBE_SUCCESS;
}

bool dns_judge(const struct dns_probe_settings *settings, uint16_t id, const uint8_t *message,
	       size_t len, enum probe_outcome *outcome, char why[PROBE_WHY_SIZE])
{
	const uint8_t *question = (const uint8_t *)probe_text(settings, settings->question);
	struct reply reply;
	const char *none = reply_read(&reply, message, len, id, question, settings->question.len);
	char text[12];

	if (none != NULL) {
		(void)snprintf(why, PROBE_WHY_SIZE, "%s", none);
		return false;
	}
	*outcome = PROBE_SUCCESS;
	(void)snprintf(why, PROBE_WHY_SIZE, "%s", rcode_text(reply.rcode, text));
	if ((settings->rcodes >> reply.rcode & 1) == 0)
		*outcome = PROBE_FAILURE;
	else if (reply.rcode == RCODE_NOERROR)
		*outcome = judge_records(settings, &reply, why);
	return true;
}

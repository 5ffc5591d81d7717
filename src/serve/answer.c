#include "serve/answer.h"

#include <assert.h>

#include "base/cursor.h"
#include "serve/chaos.h"
#include "serve/cookies.h"
#include "serve/count.h"
#include "serve/sections.h"

#define TYPE_META_FIRST 249 /* TKEY; 249 to 255 are no data (RFC 6895, 3.1) */

static unsigned known_options(const struct dns_settings *settings, const struct client *client)
{
	unsigned known = EDNS_HAS_NSID;

	if (settings->ecs != 0)
		known |= EDNS_HAS_CLIENT_SUBNET;
	if (settings->cookies != 0 && settings->cookie_secret_count > 0)
		known |= EDNS_HAS_COOKIE;
	if (client->tcp) /* by UDP it is to be ignored (RFC 7828, 3.3.1) */
		known |= EDNS_HAS_TCP_KEEPALIVE;
	return known;
}

/* Padding (RFC 7830) is for encrypted transports only (RFC 8467, 3). */
static __attribute__((noinline)) void begin_options(struct asking *asking,
						    const struct dns_settings *settings)
{
	const struct client *client = asking->client;
	const struct edns *edns = &asking->query->edns;
	struct edns_reply *opt = &asking->opt;

	if ((edns->has & EDNS_HAS_NSID) != 0 && settings->nsid.len > 0) {
		opt->has |= EDNS_HAS_NSID;
		opt->nsid = settings->nsid.octets;
		opt->nsid_len = settings->nsid.len;
	}
	if ((edns->has & EDNS_HAS_TCP_KEEPALIVE) != 0 && client->tells_keepalive) {
		opt->has |= EDNS_HAS_TCP_KEEPALIVE;
		opt->keepalive_100ms = client->tcp_keepalive;
	}
	if ((edns->has & EDNS_HAS_COOKIE) != 0) {
		opt->has |= EDNS_HAS_COOKIE;
		asking->cookie_verdict = cookie_answer(settings, edns->cookie, edns->cookie_len,
						       &client->address, client->unix_s,
						       asking->cookie);
		opt->cookie = asking->cookie;
		opt->cookie_len = COOKIE_ANSWER_SIZE;
	}
}

/* Returns how many octets the sections have to leave. */
static size_t begin_opt(struct asking *asking, const struct dns_settings *settings)
{
	const struct edns *edns = &asking->query->edns;
	struct edns_reply *opt = &asking->opt;

	opt->query = edns;
	opt->udp_size = settings->udp_size_max;
	opt->has = 0;
	if ((edns->has & ~EDNS_HAS_CLIENT_SUBNET) != 0)
		begin_options(asking, settings);
	return edns_size(opt);
}

/* How long an answer to a message of `len` octets may be. Whatever the limit is, it holds header,
 * question and OPT record: twice a query is more than that, for the OPT record has no more than a
 * server cookie (16 octets) that the query's has not. */
static size_t reply_limit(const struct asking *asking, const struct dns_settings *settings,
			  size_t len, size_t size)
{
	size_t limit = EDNS_UDP_SIZE_MIN;

	if (asking->client->tcp)
		return size < DNS_MESSAGE_MAX ? size : DNS_MESSAGE_MAX;
	if (asking->query->has_edns)
		limit = asking->query->edns.udp_size;
	if (limit > settings->udp_size_max)
		limit = settings->udp_size_max;
	if (settings->amplification > 0 && asking->cookie_verdict != COOKIE_VALID &&
	    limit > settings->amplification * len)
		limit = settings->amplification * len;
	return limit < size ? limit : size;
}

/* Returns how long the answer may be. */
static size_t begin(struct asking *asking, const struct dns_settings *settings,
		    const uint8_t *message, size_t len, uint8_t *reply, size_t size)
{
	const struct query *query = asking->query;
	size_t opt_size, limit;

	memset(&asking->message, 0, sizeof(asking->message));
	asking->links = 0;
	asking->dname_count = 0;
	asking->authoritative = false;
	asking->steered = false;
	asking->cookie_verdict = COOKIE_NEW;
	asking->opt.scope = 0;
	asking->opt.error = EDNS_ERROR_NONE;
	asking->opt.error_text = NULL;
	opt_size = query->has_edns ? begin_opt(asking, settings) : 0;
	limit = reply_limit(asking, settings, len, size);
	memcpy(reply, message, DNS_HEADER_SIZE + (size_t)query->question_len);
	asking->message.data = reply;
	asking->message.pos = DNS_HEADER_SIZE + (size_t)query->question_len;
	asking->message.limit = limit - opt_size;
	return limit;
}

/* The id is there already. RA, Z, AD and CD are 0 (RFC 4035, 3.1.6). */
static void put_header(const struct asking *asking, enum rcode rcode)
{
	const struct message *m = &asking->message;
	uint16_t flags = asking->query->flags & (HEADER_OPCODE_MASK | HEADER_RD);

	flags |= HEADER_QR | (rcode & 15);
	if (asking->authoritative)
		flags |= HEADER_AA;
	if (m->truncated)
		flags |= HEADER_TC;
	store_u16(m->data + 2, flags);
	store_u16(m->data + 4, asking->query->question_len > 0);
	store_u16(m->data + 6, m->count[SECTION_ANSWER]);
	store_u16(m->data + 8, m->count[SECTION_AUTHORITY]);
	store_u16(m->data + 10, (uint16_t)(m->count[SECTION_ADDITIONAL] + asking->query->has_edns));
}

static size_t finish(struct asking *asking, enum rcode rcode, size_t limit)
{
	struct message *m = &asking->message;

	put_header(asking, rcode);
	if (!asking->query->has_edns)
		return m->pos;
	return m->pos + edns_write(m->data + m->pos, limit - m->pos, &asking->opt, rcode);
}

static void count_steered(const struct asking *asking, struct counters *counters)
{
	counter_add(&counters->steered, 1);
	if (asking->client->classes != NULL && asking->class_id != GEO_CLASS_NONE)
		class_counters_add(asking->client->classes, &asking->world->geo, asking->class_id);
}

static void count_answer(const struct asking *asking, enum rcode rcode, struct counters *counters)
{
	static const uint8_t of_rcode[] = {
		[RCODE_NOERROR] = offsetof(struct counters, noerror),
		[RCODE_FORMERR] = offsetof(struct counters, formerr),
		[RCODE_SERVFAIL] = offsetof(struct counters, servfail),
		[RCODE_NXDOMAIN] = offsetof(struct counters, nxdomain),
		[RCODE_NOTIMP] = offsetof(struct counters, notimp),
		[RCODE_REFUSED] = offsetof(struct counters, refused),
		[RCODE_YXDOMAIN] = offsetof(struct counters, nxdomain), /* hardly ever */
		[RCODE_NOTAUTH] = offsetof(struct counters, refused),   /* neither */
		[RCODE_BADVERS] = offsetof(struct counters, badvers),
		[RCODE_BADCOOKIE] = offsetof(struct counters, refused), /* nor this */
	};

	counter_add((uint64_t *)(void *)((uint8_t *)counters + of_rcode[rcode]), 1);
	if (asking->message.truncated)
		counter_add(&counters->truncated, 1);
	if (asking->steered)
		count_steered(asking, counters);
	if (asking->query->has_edns && (asking->query->edns.has & EDNS_HAS_CLIENT_SUBNET) != 0)
		counter_add(&counters->with_ecs, 1);
}

/* Behind all else comes the record that says why (RFC 8945, 5.1). Where there is no room for it,
 * TC sends the client to TCP, where there is. Returns how much is to be left. */
static size_t make_room_for_tsig(struct asking *asking)
{
	struct message *m = &asking->message;
	size_t size = tsig_size(&asking->query->tsig);

	m->truncated = m->limit - m->pos < size;
	m->count[SECTION_ADDITIONAL] = !m->truncated;
	return m->truncated ? 0 : size;
}

static size_t append_tsig(const struct asking *asking, size_t len)
{
	const struct message *m = &asking->message;

	if (m->truncated)
		return len;
	tsig_write_badkey(m->data + len, &asking->query->tsig);
	return len + tsig_size(&asking->query->tsig);
}

static enum rcode fail(struct asking *asking, enum rcode rcode, enum edns_error error)
{
	asking->opt.error = (int16_t)error;
	return rcode;
}

/* Zones are not transferred; that is said of our zones, and of others that they are not ours
 * (RFC 5936, 2.2.1). OPT, TSIG and NXNAME stand in messages or bitmaps, but are never asked for
 * (RFC 9824, 3.5). What the other types that name no data stand for is not
 * implemented (RFC 8906, 3.1.2). */
static __attribute__((noinline)) enum rcode refuse_type(struct asking *asking)
{
	const struct name_key *name = &asking->query->name;
	uint16_t type = asking->query->type;

	if (type == TYPE_OPT || type == TYPE_NXNAME || type == TYPE_TSIG)
		return RCODE_FORMERR;
	if (type != TYPE_AXFR && type != TYPE_IXFR) /* TKEY, MAILB, MAILA */
		return fail(asking, RCODE_NOTIMP, EDNS_ERROR_NOT_SUPPORTED);
	if (asking->query->class == CLASS_IN &&
	    zones_find(&asking->world->zones, name->wire, name->len) == ZONES_NONE)
		return fail(asking, RCODE_NOTAUTH, EDNS_ERROR_NOT_AUTHORITATIVE);
	return fail(asking, RCODE_REFUSED, EDNS_ERROR_NOT_SUPPORTED);
}

static enum rcode fill(struct asking *asking, const struct dns_settings *settings)
{
	const struct query *query = asking->query;
	uint16_t type = query->type;

	if (query->question_len == 0) /* RFC 7873, 5.4 */
		return asking->cookie_verdict == COOKIE_INVALID ? RCODE_BADCOOKIE : RCODE_NOERROR;
	if (query->class != CLASS_IN && query->class != CLASS_CH)
		return fail(asking, RCODE_REFUSED, EDNS_ERROR_NOT_SUPPORTED);
	if (asking->world == NULL)
		return fail(asking, RCODE_SERVFAIL, EDNS_ERROR_NOT_READY);
	if (type == TYPE_OPT || type == TYPE_NXNAME || (type >= TYPE_META_FIRST && type < TYPE_ANY))
		return refuse_type(asking);
	return query->class == CLASS_IN ? sections_fill(asking) : chaos_fill(asking, settings);
}

size_t answer(const struct world *world, const struct client *client, const uint8_t *message,
	      size_t len, uint8_t *reply, size_t size, struct counters *counters)
{
	const struct dns_settings *settings = world_settings(world);
	struct query query;
	struct asking asking;
	enum rcode rcode;
	size_t limit;
	bool badkey; /* of its NOTAUTH a TSIG record says more */

	assert(size >= EDNS_UDP_SIZE_MIN); /* holds any question and OPT record */
	counter_add(client->tcp ? &counters->queries_tcp : &counters->queries_udp, 1);
	if (!query_wants_answer(message, len)) {
		counter_add(&counters->dropped, 1);
		return 0;
	}
	asking.world = world;
	asking.client = client;
	asking.query = &query;
	rcode = query_read(&query, message, len, known_options(settings, client));
	badkey = rcode == RCODE_NOTAUTH;
	limit = begin(&asking, settings, message, len, reply, size);
	if (rcode == RCODE_NOERROR)
		rcode = fill(&asking, settings);
	else if (badkey)
		limit -= make_room_for_tsig(&asking);
	else if (rcode == RCODE_NOTIMP)
		(void)fail(&asking, rcode, EDNS_ERROR_NOT_SUPPORTED);
	count_answer(&asking, rcode, counters);
	len = finish(&asking, rcode, limit);
	return badkey ? append_tsig(&asking, len) : len;
}

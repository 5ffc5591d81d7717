#include "serve/answer.h"

#include <assert.h>

#include "base/cursor.h"
#include "serve/count.h"
#include "serve/sections.h"

#define TYPE_META_FIRST 249 /* TKEY; 249 to 255 are no data (RFC 6895, 3.1) */

static unsigned known_options(const struct dns_settings *settings, const struct client *client)
{
	unsigned known = EDNS_HAS_NSID;

	if (settings->ecs != 0)
		known |= EDNS_HAS_CLIENT_SUBNET;
	if (client->tcp) /* by UDP it is to be ignored (RFC 7828, 3.3.1) */
		known |= EDNS_HAS_TCP_KEEPALIVE;
	return known;
}

/* How long an answer may be. */
static size_t reply_limit(const struct query *query, const struct client *client,
			  const struct dns_settings *settings, size_t size)
{
	size_t limit = EDNS_UDP_SIZE_MIN;

	if (client->tcp)
		return size < DNS_MESSAGE_MAX ? size : DNS_MESSAGE_MAX;
	if (query->has_edns)
		limit = query->edns.udp_size;
	if (limit > settings->udp_size_max)
		limit = settings->udp_size_max;
	return limit < size ? limit : size;
}

/* Zones are not transferred; that is said of our zones, and of others that they are not ours
 * (RFC 5936, 2.2.1). OPT, TSIG and NXNAME stand in messages or bitmaps, but are never asked for
 * (RFC 9824, 3.5). Nor are the other types that name no data a question for this server. */
static __attribute__((noinline)) enum rcode refuse_type(const struct world *world,
							const struct query *query)
{
	const struct name_key *name = &query->name;

	switch (query->type) {
	case TYPE_OPT:
	case TYPE_NXNAME:
	case TYPE_TSIG: return RCODE_FORMERR;
	case TYPE_AXFR:
	case TYPE_IXFR:
		return zones_find(&world->zones, name->hash[0], name->wire, name->len) == ZONES_NONE
			       ? RCODE_NOTAUTH
			       : RCODE_REFUSED;
	default: return RCODE_REFUSED;
	}
}

static enum rcode check_question(const struct world *world, const struct query *query)
{
	uint16_t type = query->type;

	if (query->class != CLASS_IN)
		return RCODE_REFUSED;
	if (world == NULL)
		return RCODE_SERVFAIL;
	if (type == TYPE_OPT || type == TYPE_NXNAME || (type >= TYPE_META_FIRST && type < TYPE_ANY))
		return refuse_type(world, query);
	return RCODE_NOERROR;
}

/* Padding (RFC 7830) is for encrypted transports only (RFC 8467, 3). */
static __attribute__((noinline)) void begin_options(struct asking *asking,
						    const struct dns_settings *settings)
{
	const struct client *client = asking->client;
	unsigned asked = asking->query->edns.has;
	struct edns_reply *opt = &asking->opt;

	if ((asked & EDNS_HAS_NSID) != 0 && settings->nsid.len > 0) {
		opt->has |= EDNS_HAS_NSID;
		opt->nsid = settings->nsid.octets;
		opt->nsid_len = settings->nsid.len;
	}
	if ((asked & EDNS_HAS_TCP_KEEPALIVE) != 0 && client->tells_keepalive) {
		opt->has |= EDNS_HAS_TCP_KEEPALIVE;
		opt->keepalive_100ms = client->tcp_keepalive;
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

static void begin(struct asking *asking, const struct dns_settings *settings,
		  const uint8_t *message, uint8_t *reply, size_t limit)
{
	const struct query *query = asking->query;

	memset(&asking->message, 0, sizeof(asking->message));
	asking->links = 0;
	asking->dname_count = 0;
	asking->authoritative = false;
	asking->steered = false;
	asking->opt.scope = 0;
	asking->opt.error = EDNS_ERROR_NONE;
	memcpy(reply, message, DNS_HEADER_SIZE + (size_t)query->question_len);
	asking->message.data = reply;
	asking->message.pos = DNS_HEADER_SIZE + (size_t)query->question_len;
	asking->message.limit = limit - (query->has_edns ? begin_opt(asking, settings) : 0);
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
	};

	counter_add((uint64_t *)(void *)((uint8_t *)counters + of_rcode[rcode]), 1);
	if (asking->message.truncated)
		counter_add(&counters->truncated, 1);
	if (asking->steered)
		counter_add(&counters->steered, 1);
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
	limit = reply_limit(&query, client, settings, size);
	begin(&asking, settings, message, reply, limit);
	if (rcode == RCODE_NOERROR)
		rcode = check_question(world, &query);
	else if (badkey)
		limit -= make_room_for_tsig(&asking);
	if (rcode == RCODE_NOERROR)
		rcode = sections_fill(&asking);
	count_answer(&asking, rcode, counters);
	len = finish(&asking, rcode, limit);
	return badkey ? append_tsig(&asking, len) : len;
}

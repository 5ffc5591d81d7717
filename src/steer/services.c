#include "steer/services.h"

#include <string.h>

#include "image/rrset_build.h"

/* SvcParamKeys (RFC 9460, 14.3.2), which stand in ascending order (2.2). */
enum svc_param { SVC_ALPN = 1, SVC_PORT = 3, SVC_IPV4HINT = 4, SVC_IPV6HINT = 6 };

#define SERVICE_MODE 1 /* the first SvcPriority that is not 0 (AliasMode) */

static void put_u16_be(struct buf *out, uint16_t value)
{
	uint8_t octets[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	buf_append(out, octets, sizeof(octets));
}

uint32_t service_target_of(const struct plan_record *record, const struct service_node *from)
{
	if (from->node != NULL && from->node->host != 0)
		return STEERING_TARGET_NODE;
	return record->target_types != 0 ? STEERING_TARGET_SHARED : 0;
}

uint8_t service_address_types(const struct plan_record *record, const struct service_node *from)
{
	switch (service_target_of(record, from)) {
	case STEERING_TARGET_NODE: return POOL_TYPES_ADDRESS;
	case STEERING_TARGET_SHARED: return record->target_types;
	default: return 0;
	}
}

/* The target name in full. */
static void put_target(struct buf *out, const struct service_set *set,
		       const struct service_node *from)
{
	const struct plan_record *record = set->record;

	if (service_target_of(record, from) == STEERING_TARGET_NODE)
		buf_append(out, set->plan->base + from->node->host, from->node->host_len);
	else
		buf_append(out, set->plan->base + record->owner + record->target_skip,
			   record->owner_len - record->target_skip);
}

/* The order of preference; equal where clients are to take any. */
static uint16_t priority(const struct service_set *set, unsigned place)
{
	return set->pool->order == ORDER_SHUFFLED ? 0 : (uint16_t)place;
}

/* Records of one priority have the same weight: the nodes' own decided who is in the set. */
static void put_srv(struct buf *out, const struct service_set *set, const struct service_node *from,
		    unsigned place)
{
	put_u16_be(out, priority(set, place));
	put_u16_be(out, 0);
	put_u16_be(out, from->node->port);
	put_target(out, set, from);
}

static void put_param(struct buf *out, enum svc_param key, const void *value, size_t size)
{
	put_u16_be(out, (uint16_t)key);
	put_u16_be(out, (uint16_t)size);
	buf_append(out, value, size);
}

static void put_hint(struct buf *out, const struct image *plan, const struct plan_range *range,
		     uint8_t family)
{
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address) +
					     range->first;
	struct buf value = { 0 };

	for (uint32_t i = 0; i < range->count; i++) {
		if (addresses[i].family == family)
			buf_append(&value, addresses[i].bytes, family == IP_V4 ? 4 : 16);
	}
	if (value.len > 0)
		put_param(out, family == IP_V4 ? SVC_IPV4HINT : SVC_IPV6HINT, value.data,
			  value.len);
	buf_free(&value);
}

/* The port is told whatever it is: without it a client takes the port of what it asked for, and
 * by which names it came here nobody knows (RFC 9460, 7.2). */
static void put_svcb(struct buf *out, const struct service_set *set,
		     const struct service_node *from, unsigned place)
{
	const struct plan_record *record = set->record;
	uint8_t types = service_address_types(record, from);

	put_u16_be(out, (uint16_t)(SERVICE_MODE + priority(set, place)));
	if (service_target_of(record, from) == STEERING_TARGET_SHARED && record->target_skip == 0)
		buf_append(out, "", 1); /* "." is the owner name (RFC 9460, 2.5.2) */
	else
		put_target(out, set, from);
	if (set->pool->alpn_len > 0)
		put_param(out, SVC_ALPN, set->plan->base + set->pool->alpn, set->pool->alpn_len);
	if (from->node != NULL && from->node->port != 0) {
		uint8_t port[2] = { (uint8_t)(from->node->port >> 8), (uint8_t)from->node->port };

		put_param(out, SVC_PORT, port, sizeof(port));
	}
	if ((types & POOL_TYPE_A) != 0 && (from->families & STEER_IPV4) != 0)
		put_hint(out, set->plan, from->addresses, IP_V4);
	if ((types & POOL_TYPE_AAAA) != 0 && (from->families & STEER_IPV6) != 0)
		put_hint(out, set->plan, from->addresses, IP_V6);
}

/* Has it what a record of the type says? Fallback addresses have no port. */
static bool can_serve(const struct plan_record *record, const struct service_node *from,
		      uint16_t type)
{
	if (service_target_of(record, from) == 0 || from->addresses->count == 0)
		return false;
	return type != TYPE_SRV || (from->node != NULL && from->node->port != 0);
}

/* The records of a set, one behind another. */
struct service_records {
	struct buf data;
	uint32_t ends[SERVICE_NODES_MAX]; /* in data */
	uint32_t targets[SERVICE_NODES_MAX];
	unsigned count;
};

/* Is the record that begins here the same as an earlier one but for its place in the order? Then it
 * tells nothing new (and with equal priorities it must not be: RFC 2181, 5). */
static bool told_before(const struct service_records *records, uint32_t start)
{
	size_t size = records->data.len - start;
	uint32_t from = 0;

	for (unsigned i = 0; i < records->count; from = records->ends[i++])
		if (records->ends[i] - from == size &&
		    memcmp(records->data.data + from + 2, records->data.data + start + 2,
			   size - 2) == 0)
			return true;
	return false;
}

static void put_record(struct service_records *out, const struct service_set *set,
		       const struct service_node *from, uint16_t type)
{
	uint32_t start = (uint32_t)out->data.len;
	uint32_t target = service_target_of(set->record, from);

	if (type == TYPE_SRV)
		put_srv(&out->data, set, from, out->count);
	else
		put_svcb(&out->data, set, from, out->count);
	if (told_before(out, start)) {
		out->data.len = start;
		return;
	}
	out->ends[out->count] = (uint32_t)out->data.len;
	out->targets[out->count++] = target == STEERING_TARGET_NODE ? target + from->number
								    : target;
}

static ptrdiff_t build(struct buf *bytes, const struct service_set *set, uint16_t type,
		       const struct service_records *records)
{
	struct rrset_rdata rdatas[SERVICE_NODES_MAX];
	struct rrset_source source = { .owner = set->plan->base + set->record->owner,
				       .owner_len = (uint16_t)set->record->owner_len,
				       .type = type,
				       .ttl_s = set->ttl_s,
				       .rdatas = rdatas,
				       .count = records->count,
				       .extra_nodes = records->targets };
	uint32_t from = 0;

	for (unsigned i = 0; i < records->count; from = records->ends[i++]) {
		if (records->ends[i] - from > UINT16_MAX)
			return -1;
		rdatas[i] = (struct rrset_rdata){ records->data.data + from,
						  (uint16_t)(records->ends[i] - from) };
	}
	return rrset_build(bytes, &source);
}

int service_build(struct buf *bytes, const struct service_set *set, uint16_t type,
		  ptrdiff_t *offset)
{
	struct service_records records = { .count = 0 };

	for (unsigned i = 0; i < set->count; i++)
		if (can_serve(set->record, &set->nodes[i], type))
			put_record(&records, set, &set->nodes[i], type);
	*offset = records.count > 0 ? build(bytes, set, type, &records) : SERVICE_NODATA;
	buf_free(&records.data);
	return *offset == -1 ? -1 : 0;
}

#include "steer/services.h"

#include <string.h>

#include "image/rrset_build.h"

/* SvcParamKeys (RFC 9460, 14.3.2), which stand in ascending order (2.2). */
enum svc_param { SVC_ALPN = 1, SVC_PORT = 3, SVC_IPV4HINT = 4, SVC_IPV6HINT = 6 };

#define SERVICE_MODE 1 /* SvcPriority; there is one record, so any but 0 (AliasMode) */

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

uint32_t service_address_ttl_s(const struct plan_record *record, const struct service_node *from)
{
	return service_target_of(record, from) == STEERING_TARGET_SHARED ? record->target_ttl_s
									 : record->ttl_s;
}

/* The target name in full. */
static void put_target(struct buf *out, const struct image *plan, const struct plan_record *record,
		       const struct service_node *from)
{
	if (service_target_of(record, from) == STEERING_TARGET_NODE)
		buf_append(out, plan->base + from->node->host, from->node->host_len);
	else
		buf_append(out, plan->base + record->owner + record->target_skip,
			   record->owner_len - record->target_skip);
}

/* There is one record, so priority and weight have nothing to tell apart. */
static void put_srv(struct buf *out, const struct image *plan, const struct plan_record *record,
		    const struct service_node *from)
{
	put_u16_be(out, 0);
	put_u16_be(out, 0);
	put_u16_be(out, from->node->port);
	put_target(out, plan, record, from);
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
static void put_svcb(struct buf *out, const struct image *plan, const struct plan_record *record,
		     const struct service_node *from)
{
	const struct plan_pool *pool = plan_items(plan, pools, struct plan_pool) + record->pool;
	uint8_t types = service_address_types(record, from);

	put_u16_be(out, SERVICE_MODE);
	if (service_target_of(record, from) == STEERING_TARGET_SHARED && record->target_skip == 0)
		buf_append(out, "", 1); /* "." is the owner name (RFC 9460, 2.5.2) */
	else
		put_target(out, plan, record, from);
	if (pool->alpn_len > 0)
		put_param(out, SVC_ALPN, plan->base + pool->alpn, pool->alpn_len);
	if (from->node != NULL && from->node->port != 0) {
		uint8_t port[2] = { (uint8_t)(from->node->port >> 8), (uint8_t)from->node->port };

		put_param(out, SVC_PORT, port, sizeof(port));
	}
	if ((types & POOL_TYPE_A) != 0)
		put_hint(out, plan, from->addresses, IP_V4);
	if ((types & POOL_TYPE_AAAA) != 0)
		put_hint(out, plan, from->addresses, IP_V6);
}

/* Has it what a record of the type says? Fallback addresses have no port. */
static bool can_serve(const struct plan_record *record, const struct service_node *from,
		      uint16_t type)
{
	if (service_target_of(record, from) == 0 || from->addresses->count == 0)
		return false;
	return type != TYPE_SRV || (from->node != NULL && from->node->port != 0);
}

int service_build(struct buf *bytes, const struct image *plan, const struct plan_record *record,
		  const struct service_node *from, uint16_t type, ptrdiff_t *offset)
{
	uint32_t whose = service_target_of(record, from);
	struct rrset_rdata rdata;
	struct rrset_source source = { .owner = plan->base + record->owner,
				       .owner_len = (uint16_t)record->owner_len,
				       .type = type,
				       .ttl_s = record->ttl_s,
				       .rdatas = &rdata,
				       .count = 1,
				       .extra_nodes = &whose };
	struct buf data = { 0 };

	*offset = 0;
	if (!can_serve(record, from, type))
		return 0;
	if (type == TYPE_SRV)
		put_srv(&data, plan, record, from);
	else
		put_svcb(&data, plan, record, from);
	rdata = (struct rrset_rdata){ data.data, (uint16_t)data.len };
	*offset = data.len <= UINT16_MAX ? rrset_build(bytes, &source) : -1;
	buf_free(&data);
	return *offset < 0 ? -1 : 0;
}

#include "serve/choose.h"

#include "base/hash.h"

/* The client's address as it is located and hashed: an IPv4 address inside IPv6 counts as what it
 * is, so that both spellings of one client get one node. `shift`: how many more bits the prefix
 * lengths of the spelling that was asked with have. */
static void client_address(const struct client_network *client, struct ip_address *out,
			   unsigned *shift)
{
	*shift = 96;
	if (client->network.address.family == IP_V6 &&
	    geo_embedded_ipv4(&client->network.address, out))
		return;
	*shift = 0;
	*out = client->network.address;
}

static uint32_t hashed_slot(struct choice *out, const struct steering_pool *pool,
			    uint32_t slot_count, const struct client_network *client)
{
	struct ip_address address;
	unsigned shift, persistence;

	client_address(client, &address, &shift);
	persistence = address.family == IP_V4 ? pool->persistence_v4 : pool->persistence_v6;
	ip_mask(address.bytes, persistence);
	if (address.family == IP_V6) /* IPv4 clients in there are hashed as such */
		persistence = geo_exclude_embedded(&client->network.address, (uint8_t)persistence);
	if (out->scope < persistence + shift)
		out->scope = (uint8_t)(persistence + shift);
	return hash_below(hash_bytes(address.bytes, address.family == IP_V4 ? 4 : 16, pool->seed),
			  slot_count);
}

/* A record that is bound to one site has one table; else the client's location decides. */
static void find_table(struct choice *out, const struct world *world,
		       const struct steering_record *record, const struct steering_pool *pool,
		       const struct client_network *client)
{
	if (record->table != STEERING_NONE) {
		out->match = (struct geo_match){ 0 };
		out->pref = STEERING_NONE;
		out->table = record->table;
		return;
	}
	out->match = geo_find(&world->geo, &client->network.address);
	out->pref = geo_class_pref(&world->geo, out->match.class_id, record->pool);
	out->table = image_at(&world->steering, uint32_t, pool->pref_tables_off)[out->pref];
}

static bool persists(const struct steering_pool *pool, const struct client_network *client)
{
	return pool->persistence != PERSISTENCE_NONE &&
	       (client->from_ecs || pool->persistence_without_ecs != PERSISTENCE_NONE);
}

void choose(struct choice *out, const struct world *world, uint32_t record,
	    const struct client_network *client, uint64_t random)
{
	const struct steering_record *bound = steering_record(&world->steering, record);
	const struct steering_pool *pool = steering_pool(&world->steering, bound->pool);
	const struct steering_table *table;

	out->pool = bound->pool;
	find_table(out, world, bound, pool, client);
	/* Where a pool has one preference for all (sites in one place, say), the location decided
	 * nothing, and caches need no answer for each prefix (RFC 7871, 7.2.1). */
	out->scope = pool->pref_count > 1 ? out->match.prefix_len : 0;
	table = steering_table(&world->steering, out->table);
	out->random = table->hashed && !persists(pool, client);
	out->hashed = table->hashed && !out->random;
	if (out->hashed)
		out->slot = hashed_slot(out, pool, table->slot_count, client);
	else
		out->slot = out->random ? hash_below(random, table->slot_count) : 0;
	out->choice = steering_slot(&world->steering, table, out->slot);
}

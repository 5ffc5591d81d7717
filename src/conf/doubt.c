/* Self-doubt: has each family that is probed a reference? */
#include "conf/parts.h"

static bool has_reference(const struct config *config, uint8_t family)
{
	for (size_t i = 0; i < config->reference_count; i++) {
		if (config->references[i].address.family == family)
			return true;
	}
	return false;
}

static bool is_probed(const struct config_pool *pool, const struct config_node *node,
		      uint8_t family)
{
	bool own = node->probe_address_count == 0;
	const struct ip_address *addresses = own ? node->addresses : node->probe_addresses;
	size_t count = own ? node->address_count : node->probe_address_count;
	bool has = false;

	for (size_t a = 0; a < count; a++)
		has |= addresses[a].family == family;
	for (size_t p = 0; has && p < pool->probe_count; p++) {
		const struct config_probe *probe = &pool->probes[p];

		if ((probe->roles & PROBE_HEALTH) != 0 && !probe->addressless &&
		    (probe->family == 0 || probe->family == family))
			return true;
	}
	return false;
}

/* Some node; NULL: none. */
static const struct config_node *find_probed(const struct config_pool *pool, uint8_t family)
{
	for (size_t s = 0; s < pool->site_count; s++) {
		const struct config_pool_site *site = &pool->sites[s];

		for (size_t n = 0; n < site->node_count; n++) {
			if (is_probed(pool, &site->nodes[n], family))
				return &site->nodes[n];
		}
	}
	return NULL;
}

static void check_family(struct conf *conf, const struct place *place, uint8_t family)
{
	const struct config *config = conf->config;
	const struct config_node *node = NULL;

	if (has_reference(config, family))
		return;
	for (size_t p = 0; p < config->pool_count && node == NULL; p++)
		node = find_probed(&config->pools[p], family);
	if (node != NULL)
		conf_warning(conf, place,
			     "no reference has an IPv%u address, but node \"%s\" is probed "
			     "at one: when only the IPv%u of this machine fails, that counts "
			     "as the nodes' failure; add one, such as a router's",
			     (unsigned)family, node->name, (unsigned)family);
}

void doubt_check(struct conf *conf, const struct yaml_node *root)
{
	const struct yaml_node *doubt = yaml_get(root, "doubt"), *references;

	if (conf->config->reference_count == 0)
		return; /* without any nothing is ever held: nobody counts on it */
	references = yaml_get(doubt, "references");
	check_family(conf, &references->place, IP_V4);
	check_family(conf, &references->place, IP_V6);
}

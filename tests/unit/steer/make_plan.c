#include "make_plan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "wire/name.h"

#define WORDS_MAX 1024

struct words {
	char *text;
	char *word[WORDS_MAX];
	size_t count;
};

static struct words split(const char *text)
{
	struct words words = { .text = mem_copy_text(text != NULL ? text : "") };
	char *rest = words.text, *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word == '\0')
			continue;
		ck_assert_uint_lt(words.count, WORDS_MAX);
		words.word[words.count++] = word;
	}
	return words;
}

static struct image seal(struct image_writer *writer, enum image_kind kind)
{
	struct image image = { 0 };
	struct err err = { "" };
	int fd = -1;

	ck_assert_msg(image_writer_finish(writer, NULL, &fd, &err) == 0, "%s", err.text);
	ck_assert_msg(image_open(&image, fd, kind, &err) == 0, "%s", err.text);
	close(fd);
	return image;
}

static struct image_writer open_writer(enum image_kind kind, size_t root_size)
{
	struct image_writer writer;
	struct err err = { "" };

	ck_assert_msg(image_writer_open(&writer, kind, root_size, &err) == 0, "%s", err.text);
	return writer;
}

static uint32_t site_number(const struct make_plan *make, const char *name)
{
	for (uint32_t i = 0; i < make->site_count; i++)
		if (strcmp(make->sites[i].name, name) == 0)
			return i;
	ck_abort_msg("no site '%s'", name);
}

static uint32_t pool_number(const struct make_plan *make, const char *name)
{
	for (uint32_t i = 0; i < make->pool_count; i++)
		if (strcmp(make->pools[i].name, name) == 0)
			return i;
	ck_abort_msg("no pool '%s'", name);
}

/* --- plan ---------------------------------------------------------------------------------------- */

struct plan_lists {
	const struct make_plan *make;
	struct image_writer writer;
	struct plan_pool_site *pool_sites;
	size_t pool_site_count, pool_site_cap;
	struct plan_node *nodes;
	size_t node_count, node_cap;
	uint32_t *numbers;
	size_t number_count, number_cap;
	struct ip_address *addresses;
	size_t address_count, address_cap;
};

static uint32_t add_text(struct image_writer *writer, const char *text)
{
	return (uint32_t)image_writer_append(writer, text, strlen(text) + 1, 1);
}

static struct plan_range add_addresses(struct plan_lists *lists, const char *text)
{
	struct words words = split(text);
	struct plan_range range = { (uint32_t)lists->address_count, (uint32_t)words.count };

	for (size_t i = 0; i < words.count; i++) {
		struct ip_address address;

		ck_assert_msg(ip_parse(words.word[i], &address), "%s", words.word[i]);
		array_add(lists->addresses, lists->address_count, lists->address_cap) = address;
	}
	free(words.text);
	return range;
}

static uint32_t add_name(struct plan_lists *lists, const char *text, struct name *name)
{
	const char *reason = "";

	ck_assert_msg(name_parse(text, strlen(text), NULL, name, &reason), "%s", reason);
	return (uint32_t)image_writer_append(&lists->writer, name->wire, name->len, 1);
}

static void add_service(struct plan_lists *lists, struct plan_node *node, const char *name)
{
	const struct make_plan *make = lists->make;
	struct name host;

	for (size_t i = 0; i < make->service_count; i++) {
		if (strcmp(make->services[i].node, name) != 0)
			continue;
		node->port = make->services[i].port;
		if (make->services[i].host == NULL)
			continue;
		node->host = add_name(lists, make->services[i].host, &host);
		node->host_len = host.len;
	}
}

static void add_nodes(struct plan_lists *lists, uint32_t pool, const char *site)
{
	const struct make_plan *make = lists->make;

	for (size_t i = 0; i < make->node_count; i++) {
		const struct make_node *from = &make->nodes[i];
		struct plan_node node = { .pool = pool, .weight = from->weight };

		if (strcmp(from->pool, make->pools[pool].name) != 0 ||
		    strcmp(from->site, site) != 0)
			continue;
		node.name = add_text(&lists->writer, from->name);
		node.pool_site = (uint32_t)lists->pool_site_count;
		node.addresses = add_addresses(lists, from->addresses);
		add_service(lists, &node, from->name);
		array_add(lists->nodes, lists->node_count, lists->node_cap) = node;
	}
}

static void set_site(const struct make_plan *make, const char *pool, const char *name,
		     struct plan_pool_site *site)
{
	for (size_t i = 0; i < make->pool_site_count; i++) {
		const struct make_pool_site *from = &make->pool_sites[i];

		if (strcmp(from->pool, pool) != 0 || strcmp(from->site, name) != 0)
			continue;
		site->priority = from->priority;
		site->min_nodes = from->min_nodes;
	}
}

static void add_sites(struct plan_lists *lists, uint32_t pool, const char *text)
{
	struct words words = split(text);

	for (size_t i = 0; i < words.count; i++) {
		struct plan_pool_site site = { .pool = pool,
					       .priority = (uint32_t)i,
					       .min_nodes = 1 };

		site.site = site_number(lists->make, words.word[i]);
		set_site(lists->make, lists->make->pools[pool].name, words.word[i], &site);
		site.nodes.first = (uint32_t)lists->node_count;
		add_nodes(lists, pool, words.word[i]);
		site.nodes.count = (uint32_t)lists->node_count - site.nodes.first;
		array_add(lists->pool_sites, lists->pool_site_count, lists->pool_site_cap) = site;
	}
	free(words.text);
}

static uint32_t other_pool(const struct make_plan *make, const char *name)
{
	return name == NULL ? PLAN_NONE : pool_number(make, name);
}

static void set_restrictions(const struct make_plan *make, const char *name, struct plan_pool *pool)
{
	for (size_t i = make->fence_count; i-- > 0;)
		if (strcmp(make->fences[i].pool, name) == 0)
			pool->fences = (struct plan_range){ (uint32_t)i, pool->fences.count + 1 };
	for (size_t i = make->avoid_count; i-- > 0;)
		if (strcmp(make->avoids[i].pool, name) == 0)
			pool->avoids = (struct plan_range){ (uint32_t)i, pool->avoids.count + 1 };
}

static struct plan_pool make_pool(struct plan_lists *lists, uint32_t number)
{
	const struct make_pool *from = &lists->make->pools[number];
	struct plan_pool pool = {
		.policy = (uint8_t)from->policy,
		.persistence = PERSISTENCE_SUBNET,
		.fallback = (uint8_t)from->fallback,
		.persistence_v4 = 24,
		.persistence_v6 = 56,
		.strict_pair = from->strict_pair,
		.answers = from->answers != 0 ? (uint8_t)from->answers : 1,
		.spare = (uint8_t)from->spare,
		.spread = (uint8_t)from->spread,
		.spare_km = from->spare_km,
		.order = (uint8_t)from->order,
		.max_automatic_down = 50,
		.load = from->load,
		.ramp_percent = 10,
		.ramp_ms = 60000,
		.own_policy = POLICY_WEIGHTED,
		.backup = other_pool(lists->make, from->backup),
		.fallback_pool = other_pool(lists->make, from->fallback_pool),
		.ttl_floor_s = from->ttl_floor_s,
		.ttl_ceiling_s = from->ttl_ceiling_s != 0 ? from->ttl_ceiling_s : INT32_MAX,
		.seed = hash_text(from->name, 0),
	};

	pool.name = add_text(&lists->writer, from->name);
	if (lists->make->alpn != NULL) {
		pool.alpn = add_text(&lists->writer, lists->make->alpn);
		pool.alpn_len = (uint32_t)strlen(lists->make->alpn);
	}
	pool.sites.first = (uint32_t)lists->pool_site_count;
	pool.nodes.first = (uint32_t)lists->node_count;
	add_sites(lists, number, from->sites);
	set_restrictions(lists->make, from->name, &pool);
	pool.sites.count = (uint32_t)lists->pool_site_count - pool.sites.first;
	pool.nodes.count = (uint32_t)lists->node_count - pool.nodes.first;
	pool.fallback_addresses = add_addresses(lists, from->fallback_addresses);
	return pool;
}

static struct plan_array add_array(struct image_writer *writer, const void *items, size_t count,
				   size_t size)
{
	struct plan_array array = { .count = (uint32_t)count };

	array.offset = image_writer_append(writer, items, count * size, 8);
	return array;
}

static uint32_t find_pool_site(const struct plan_lists *lists, uint32_t pool, const char *name)
{
	for (uint32_t i = 0; i < lists->pool_site_count; i++)
		if (lists->pool_sites[i].pool == pool &&
		    lists->pool_sites[i].site == site_number(lists->make, name))
			return i;
	ck_abort_msg("pool %u has no site '%s'", pool, name);
}

static struct plan_fence make_fence(struct plan_lists *lists, const struct make_fence *from)
{
	struct words never = split(from->never);
	struct plan_fence fence = { .pool = pool_number(lists->make, from->pool),
				    .otherwise = other_pool(lists->make, from->otherwise),
				    .never = { (uint32_t)lists->number_count,
					       (uint32_t)never.count } };

	for (size_t i = 0; i < never.count; i++)
		array_add(lists->numbers, lists->number_count,
			  lists->number_cap) = find_pool_site(lists, fence.pool, never.word[i]);
	free(never.text);
	return fence;
}

static uint32_t find_node(const struct plan_lists *lists, uint32_t pool, const char *name)
{
	for (uint32_t i = 0; name != NULL && i < lists->node_count; i++)
		if (lists->nodes[i].pool == pool &&
		    strcmp((const char *)lists->writer.base + lists->nodes[i].name, name) == 0)
			return i;
	return PLAN_NONE;
}

static struct plan_avoid make_avoid(struct plan_lists *lists, const struct make_avoid *from)
{
	struct plan_avoid avoid = { .pool = pool_number(lists->make, from->pool),
				    .until_unix_s = from->until_unix_s };

	avoid.pool_site = find_pool_site(lists, avoid.pool, from->site);
	avoid.node = find_node(lists, avoid.pool, from->node);
	return avoid;
}

static void add_restrictions(struct plan_lists *lists, struct plan_root *root)
{
	const struct make_plan *make = lists->make;
	struct plan_fence *fences = mem_array(make->fence_count, sizeof(*fences));
	struct plan_avoid *avoids = mem_array(make->avoid_count, sizeof(*avoids));

	for (size_t i = 0; i < make->fence_count; i++)
		fences[i] = make_fence(lists, &make->fences[i]);
	for (size_t i = 0; i < make->avoid_count; i++)
		avoids[i] = make_avoid(lists, &make->avoids[i]);
	root->fences = add_array(&lists->writer, fences, make->fence_count, sizeof(*fences));
	root->avoids = add_array(&lists->writer, avoids, make->avoid_count, sizeof(*avoids));
	root->numbers = add_array(&lists->writer, lists->numbers, lists->number_count,
				  sizeof(*lists->numbers));
	free(fences);
	free(avoids);
	free(lists->numbers);
}

static struct plan_record make_record(struct plan_lists *lists, const struct make_record *from)
{
	const struct make_types *types = lists->make->types;
	struct plan_record record = { .pool_site = PLAN_NONE,
				      .ttl_s = from->ttl_s,
				      .types = POOL_TYPES_ADDRESS };
	struct name name;

	if (types != NULL) {
		types += from - lists->make->records;
		record.types = types->types;
		record.target_skip = types->target_skip;
		record.target_types = types->target_types;
		record.target_ttl_s = types->target_ttl_s;
	}
	record.owner = add_name(lists, from->owner, &name);
	record.owner_len = name.len;
	record.pool = pool_number(lists->make, from->pool);
	if (from->site != NULL)
		record.pool_site = find_pool_site(lists, record.pool, from->site);
	return record;
}

static const struct dns_settings dns = { .udp_size_max = 1232,
					 .ecs = 1,
					 .cookies = 1,
					 .tcp_idle_ms = 10000,
					 .tcp_lifetime_ms = 1800000,
					 .tcp_connections = 1000 };

static struct image make_plan_image(const struct make_plan *make)
{
	struct plan_lists lists = { .make = make };
	struct plan_site *sites = mem_array(make->site_count, sizeof(*sites));
	struct plan_pool *pools = mem_array(make->pool_count, sizeof(*pools));
	struct plan_record *records = mem_array(make->record_count, sizeof(*records));
	struct plan_rule *rules = mem_array(make->pool_count, sizeof(*rules));
	struct plan_root root = { .settings = { .dns = dns } };
	struct image_writer *writer = &lists.writer;

	lists.writer = open_writer(IMAGE_PLAN, sizeof(struct plan_root));
	for (size_t i = 0; i < make->site_count; i++) {
		sites[i].name = add_text(writer, make->sites[i].name);
		sites[i].latitude = make->sites[i].latitude;
		sites[i].longitude = make->sites[i].longitude;
	}
	for (uint32_t i = 0; i < make->pool_count; i++) {
		pools[i] = make_pool(&lists, i);
		pools[i].rules = (struct plan_range){ i, 1 };
		rules[i] = (struct plan_rule){ .pool = i, .policy = PLAN_NONE };
	}
	for (size_t i = 0; i < make->record_count; i++)
		records[i] = make_record(&lists, &make->records[i]);
	root.sites = add_array(writer, sites, make->site_count, sizeof(*sites));
	root.pools = add_array(writer, pools, make->pool_count, sizeof(*pools));
	root.pool_sites = add_array(writer, lists.pool_sites, lists.pool_site_count,
				    sizeof(*lists.pool_sites));
	root.nodes = add_array(writer, lists.nodes, lists.node_count, sizeof(*lists.nodes));
	root.addresses = add_array(writer, lists.addresses, lists.address_count,
				   sizeof(*lists.addresses));
	root.rules = add_array(writer, rules, make->pool_count, sizeof(*rules));
	root.checks = root.probes = root.windows = root.watched = add_array(writer, NULL, 0, 1);
	add_restrictions(&lists, &root);
	root.records = add_array(writer, records, make->record_count, sizeof(*records));
	*image_writer_root(writer, struct plan_root) = root;
	free(sites);
	free(pools);
	free(records);
	free(rules);
	free(lists.pool_sites);
	free(lists.nodes);
	free(lists.addresses);
	return seal(writer, IMAGE_PLAN);
}

/* --- geo and zones: preferences and counts only, since nobody looks a client up here ------------- */

/* Numbers of rows. */
static uint64_t add_numbers(struct image_writer *writer, const char *text, uint32_t *count)
{
	struct words words = split(text);
	uint64_t at = image_writer_reserve(writer, words.count * sizeof(uint32_t), 4);

	for (size_t i = 0; i < words.count; i++)
		image_writer_at(writer, uint32_t, at)[i] = (uint32_t)strtoul(words.word[i], NULL,
									     10);
	*count = (uint32_t)words.count;
	free(words.text);
	return at;
}

static void add_order(const struct make_plan *make, struct image_writer *writer,
		      struct geo_pref *pref, const char *text)
{
	uint16_t sites[WORDS_MAX], bands[WORDS_MAX], band = 0;
	struct words words = split(text);

	for (size_t i = 0; i < words.count; i++) {
		char *rest = words.word[i], *name;

		while ((name = strsep(&rest, ",")) != NULL) {
			sites[pref->site_count] = (uint16_t)site_number(make, name);
			bands[pref->site_count++] = band;
		}
		band++;
	}
	pref->sites_off = image_writer_append(writer, sites, pref->site_count * sizeof(*sites), 2);
	pref->bands_off = image_writer_append(writer, bands, pref->site_count * sizeof(*bands), 2);
	free(words.text);
}

static struct geo_pref make_pref(const struct make_plan *make, struct image_writer *writer,
				 const struct make_pref *from)
{
	struct make_limits limits = { NULL, NULL, NULL, 0 };
	uint32_t pool = pool_number(make, from->pool);
	struct geo_pref pref = { .rule = from->rule ? pool : GEO_RULE_NONE,
				 .nearest = GEO_SITE_NONE };

	pref.policy = (uint8_t)make->pools[pool].policy;
	if (make->limits != NULL)
		limits = make->limits[from - make->prefs];
	if (limits.nearest != NULL)
		pref.nearest = (uint16_t)site_number(make, limits.nearest);
	if (limits.policy > 0)
		pref.policy = (uint8_t)(limits.policy - 1);
	add_order(make, writer, &pref, from->sites);
	pref.fences_off = add_numbers(writer, limits.fences, &pref.fence_count);
	pref.avoids_off = add_numbers(writer, limits.avoids, &pref.avoid_count);
	return pref;
}

static struct geo_pool make_geo_pool(const struct make_plan *make, struct image_writer *writer,
				     uint32_t number)
{
	struct geo_pref *prefs = mem_array(make->pref_count, sizeof(*prefs));
	struct geo_pool pool = { 0 };

	for (size_t i = 0; i < make->pref_count; i++)
		if (pool_number(make, make->prefs[i].pool) == number)
			prefs[pool.pref_count++] = make_pref(make, writer, &make->prefs[i]);
	pool.prefs_off = image_writer_append(writer, prefs, pool.pref_count * sizeof(*prefs), 8);
	free(prefs);
	return pool;
}

static void add_classes(struct image_writer *writer, const struct geo_pool *pools, uint32_t count)
{
	uint32_t classes = 1;
	uint64_t at;

	for (uint32_t i = 0; i < count; i++)
		classes = pools[i].pref_count > classes ? pools[i].pref_count : classes;
	at = image_writer_reserve(writer, (size_t)classes * count * sizeof(uint32_t), 8);
	for (uint32_t i = 0; i < classes * count; i++) {
		uint32_t prefs = pools[i % count].pref_count;

		image_writer_at(writer, uint32_t, at)[i] = i / count < prefs ? i / count
							   : prefs > 0       ? prefs - 1
									     : 0;
	}
	image_writer_root(writer, struct geo_root)->class_count = classes;
	image_writer_root(writer, struct geo_root)->class_prefs_off = at;
}

static struct image make_geo_image(const struct make_plan *make)
{
	struct image_writer writer = open_writer(IMAGE_GEO, sizeof(struct geo_root));
	struct geo_pool *pools = mem_array(make->pool_count, sizeof(*pools));
	struct geo_root *root;
	uint64_t at;

	for (uint32_t i = 0; i < make->pool_count; i++)
		pools[i] = make_geo_pool(make, &writer, i);
	at = image_writer_append(&writer, pools, make->pool_count * sizeof(*pools), 8);
	add_classes(&writer, pools, (uint32_t)make->pool_count);
	root = image_writer_root(&writer, struct geo_root);
	root->pool_count = (uint32_t)make->pool_count;
	root->site_count = (uint32_t)make->site_count;
	root->pools_off = at;
	free(pools);
	return seal(&writer, IMAGE_GEO);
}

static struct image make_zones_image(const struct make_plan *make)
{
	struct image_writer writer = open_writer(IMAGE_ZONES, sizeof(struct zones_root));

	image_writer_root(&writer, struct zones_root)->pool_record_count =
		(uint32_t)make->record_count;
	return seal(&writer, IMAGE_ZONES);
}

struct made make_images(const struct make_plan *make)
{
	return (struct made){ .zones = make_zones_image(make),
			      .geo = make_geo_image(make),
			      .plan = make_plan_image(make) };
}

void made_close(struct made *made)
{
	image_close(&made->zones);
	image_close(&made->geo);
	image_close(&made->plan);
}

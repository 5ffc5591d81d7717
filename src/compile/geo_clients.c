#include "compile/geo_clients.h"

#include <stdlib.h>
#include <string.h>

/* --- matchers ------------------------------------------------------------------------------ */

/* Equal clients are one matcher. Compared as bytes. */
struct matcher_key {
	uint32_t kind;   /* enum client_match */
	uint32_t number; /* AS number, name + 1, field or list, or of the network */
	uint16_t country;
	uint16_t reserved;
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Only ASCII letters have their case ignored. */
static char *lower_text(const char *text)
{
	char *copy = mem_copy_text(text);

	for (char *c = copy; *c != '\0'; c++)
		*c = lower(*c);
	return copy;
}

static uint32_t add_name(struct geo_clients *clients, const char *text)
{
	char *name = lower_text(text);
	uint32_t number = numbering_add(&clients->names, name, strlen(name) + 1) + 1;

	free(name);
	return number;
}

static uint32_t find_matcher(const struct geo_clients *clients, enum client_match kind,
			     uint32_t number, uint16_t country)
{
	struct matcher_key key = { kind, number, country, 0 };

	return numbering_find(&clients->matchers, &key, sizeof(key));
}

static uint32_t add_network(struct geo_clients *clients, const struct ip_prefix *prefix)
{
	uint32_t count = clients->network_count;
	struct matcher_key key = { MATCH_PREFIX, count, 0, 0 };

	array_add(clients->networks, clients->network_count,
		  clients->network_cap) = (struct client_network){
		.prefix = *prefix, .matcher = numbering_add(&clients->matchers, &key, sizeof(key))
	};
	return clients->networks[count].matcher;
}

static uint32_t add_matcher(struct geo_clients *clients, const struct config_client *client)
{
	struct matcher_key key = { .kind = client->kind };
	uint32_t matcher;
	bool found;

	switch (client->kind) {
	case MATCH_PREFIX: return add_network(clients, &client->prefix);
	case MATCH_LIST:
	case MATCH_FIELD: key.number = client->number; break;
	case MATCH_ASN: key.number = client->asn; break;
	case MATCH_CITY:
	case MATCH_SUBDIVISION:
		*(client->kind == MATCH_CITY ? &clients->sees_cities
					     : &clients->sees_subdivisions) = true;
		key.number = add_name(clients, client->name);
		key.country = (uint16_t)(country_index(client->code) + 1);
		break;
	case MATCH_COUNTRY:
	case MATCH_CONTINENT: key.country = (uint16_t)(country_index(client->code) + 1); break;
	case MATCH_OWN:
	case MATCH_UNKNOWN:
	case MATCH_ALL: break;
	}
	matcher = numbering_add(&clients->matchers, &key, sizeof(key));
	if (client->kind == MATCH_ASN)
		*memo_find(&clients->asns, client->asn, &found) = matcher;
	return matcher;
}

/* --- entries ------------------------------------------------------------------------------- */

struct gathering {
	struct geo_clients *clients;
	struct gathered {
		uint32_t matcher;
		struct client_entry entry;
	} * list;
	uint32_t count, cap;
};

static void gather(struct gathering *g, const struct config_clients *from,
		   struct client_entry entry)
{
	for (size_t i = 0; i < from->count; i++)
		array_add(g->list, g->count, g->cap) =
			(struct gathered){ add_matcher(g->clients, &from->list[i]), entry };
}

static void gather_pool(struct gathering *g, uint32_t pool)
{
	const struct config_pool *config = &g->clients->config->pools[pool];
	struct client_entry entry = { .pool = pool, .rule = CLIENTS_NONE, .bit = CLIENTS_NONE };

	for (uint32_t i = 0; i < config->rule_count; i++) {
		entry.rule = i;
		gather(g, &config->rules[i].clients, entry);
	}
	entry.rule = CLIENTS_NONE;
	for (uint32_t i = 0; i < config->fence_count; i++) {
		entry.bit = facts_fence_bit(i);
		gather(g, &config->fences[i].clients, entry);
		entry.bit = facts_except_bit(config, i);
		gather(g, &config->fences[i].except, entry);
	}
	for (uint32_t i = 0; i < config->avoid_count; i++) {
		entry.bit = facts_avoid_bit(config, i);
		gather(g, &config->avoids[i].clients, entry);
	}
}

/* Side by side for each matcher, in the order of the files. */
static void index_entries(struct geo_clients *clients, const struct gathering *g)
{
	uint32_t *next;

	clients->first = mem_array(clients->matchers.count + 2, sizeof(*clients->first));
	next = clients->first +
	       1; /* counts, then starts, then ends: those of the next one's start */
	for (uint32_t i = 0; i < g->count; i++)
		next[g->list[i].matcher + 1]++;
	for (uint32_t i = 1; i <= clients->matchers.count; i++)
		next[i] += next[i - 1];
	clients->entries = mem_array(g->count, sizeof(*clients->entries));
	for (uint32_t i = 0; i < g->count; i++)
		clients->entries[next[g->list[i].matcher]++] = g->list[i].entry;
}

static void find_singles(struct geo_clients *clients)
{
	const struct config *config = clients->config;

	clients->of_list = mem_array(config->list_count, sizeof(*clients->of_list));
	for (uint32_t i = 0; i < config->list_count; i++)
		clients->of_list[i] = find_matcher(clients, MATCH_LIST, i, 0);
	clients->of_field = mem_array(config->field_count, sizeof(*clients->of_field));
	for (uint32_t i = 0; i < config->field_count; i++)
		clients->of_field[i] = find_matcher(clients, MATCH_FIELD, i, 0);
	clients->own = find_matcher(clients, MATCH_OWN, 0, 0);
	clients->unknown = find_matcher(clients, MATCH_UNKNOWN, 0, 0);
	clients->all = find_matcher(clients, MATCH_ALL, 0, 0);
}

/* --- views --------------------------------------------------------------------------------- */

static uint32_t name_at(struct geo_clients *clients, uint32_t text)
{
	bool found;
	uint32_t *name;
	char *copy;

	if (text == 0)
		return 0;
	name = memo_find(&clients->name_of, text, &found);
	if (!found) {
		copy = lower_text(location_text(clients->locations, text));
		/* None is CLIENTS_NONE, and one more is 0. */
		*name = numbering_find(&clients->names, copy, strlen(copy) + 1) + 1;
		free(copy);
	}
	return *name;
}

uint32_t geo_clients_view(struct geo_clients *clients, const struct location *location)
{
	struct view view = { .country = (uint16_t)(country_index(location->country) + 1),
			     .continent = (uint16_t)(country_index(location->continent) + 1),
			     .fields = location->fields,
			     .is_unknown = location->country[0] == '\0' &&
					   (location->has & LOCATION_COORDINATES) == 0 };
	bool found = false;

	if (clients->sees_cities)
		view.city = name_at(clients, location->city);
	if (clients->sees_subdivisions) {
		view.subdivision = name_at(clients, location->subdivision);
		view.subdivision_name = name_at(clients, location->subdivision_name);
	}
	if (location->asn != 0 && clients->asns.count > 0) {
		uint32_t *matcher = memo_find(&clients->asns, location->asn, &found);

		if (!found)
			*matcher = CLIENTS_NONE;
		view.asn = *matcher != CLIENTS_NONE ? location->asn : 0;
	}
	return numbering_add(&clients->views, &view, sizeof(view));
}

/* --- judging ------------------------------------------------------------------------------- */

static struct facts *touch(struct geo_clients *clients, uint32_t pool)
{
	struct facts *facts = clients->touched_facts[pool];

	if (!clients->is_touched[pool]) {
		clients->is_touched[pool] = true;
		clients->touched[clients->touched_count++] = pool;
		facts_get(clients->pools[pool], 0, facts);
	}
	return facts;
}

/* Of rules the most specific one holds, and of equal ones the first in the file. */
static void apply(struct geo_clients *clients, uint32_t matcher, enum client_match kind)
{
	const struct client_entry *entries;
	uint32_t count;

	if (matcher == CLIENTS_NONE)
		return;
	count = geo_clients_entries(clients, matcher, &entries);
	for (uint32_t i = 0; i < count; i++) {
		struct facts *facts = touch(clients, entries[i].pool);

		if (entries[i].bit != CLIENTS_NONE) {
			facts_set_bit(facts->bits, entries[i].bit);
		} else if (facts->rule == FACTS_NO_RULE || kind < facts->rank ||
			   (kind == facts->rank && entries[i].rule < facts->rule)) {
			facts->rule = entries[i].rule;
			facts->rank = (uint8_t)kind;
		}
	}
}

static void apply_fields(struct geo_clients *clients, uint32_t set)
{
	const struct locations_root *root = image_root(clients->locations, struct locations_root);
	const uint64_t *bits = image_at(clients->locations, uint64_t, root->field_sets_off) +
			       (size_t)set * root->field_words;

	for (uint32_t i = 0; i < clients->config->field_count; i++)
		if (facts_bit(bits, i))
			apply(clients, clients->of_field[i], MATCH_FIELD);
}

static void apply_name(struct geo_clients *clients, enum client_match kind, uint32_t name,
		       uint16_t country)
{
	if (name == 0)
		return;
	apply(clients, find_matcher(clients, kind, name, 0), kind);
	if (country != 0)
		apply(clients, find_matcher(clients, kind, name, country), kind);
}

static void apply_view(struct geo_clients *clients, const struct view *view)
{
	if (view->asn != 0)
		apply(clients, find_matcher(clients, MATCH_ASN, view->asn, 0), MATCH_ASN);
	if (view->fields != 0)
		apply_fields(clients, view->fields);
	apply_name(clients, MATCH_CITY, view->city, view->country);
	apply_name(clients, MATCH_SUBDIVISION, view->subdivision, view->country);
	apply_name(clients, MATCH_SUBDIVISION, view->subdivision_name, view->country);
	if (view->country != 0)
		apply(clients, find_matcher(clients, MATCH_COUNTRY, 0, view->country),
		      MATCH_COUNTRY);
	if (view->continent != 0)
		apply(clients, find_matcher(clients, MATCH_CONTINENT, 0, view->continent),
		      MATCH_CONTINENT);
	if (view->is_unknown != 0)
		apply(clients, clients->unknown, MATCH_UNKNOWN);
	apply(clients, clients->all, MATCH_ALL);
}

/* Numbers what was gathered for the pools that were touched; the others have facts 0. */
static uint32_t number_joint(struct geo_clients *clients)
{
	memset(clients->tuple, 0, clients->tuple_size);
	for (uint32_t i = 0; i < clients->touched_count; i++) {
		uint32_t pool = clients->touched[i];

		clients->touched_facts[pool]->rank = 0; /* one rule has many clients */
		clients->tuple[pool] = facts_add(clients->pools[pool],
						 clients->touched_facts[pool]);
		clients->is_touched[pool] = false;
	}
	clients->touched_count = 0;
	return numbering_add(&clients->joint, clients->tuple, clients->tuple_size);
}

uint32_t geo_clients_judge(struct geo_clients *clients, uint32_t view)
{
	if (view >= clients->joint_cap) {
		uint32_t old = clients->joint_cap;

		clients->joint_cap = clients->views.cap;
		clients->joint_of = mem_resize(clients->joint_of, clients->joint_cap,
					       sizeof(*clients->joint_of));
		memset(clients->joint_of + old, 0xff,
		       (clients->joint_cap - old) * sizeof(*clients->joint_of));
	}
	if (clients->joint_of[view] == CLIENTS_NONE) {
		struct view copy;

		memcpy(&copy, numbering_item(&clients->views, view), sizeof(copy));
		apply_view(clients, &copy);
		clients->joint_of[view] = number_joint(clients);
	}
	return clients->joint_of[view];
}

/* --- life ---------------------------------------------------------------------------------- */

/* The facts of "all" alone: those of who is seen by nobody else. */
static void judge_all(struct geo_clients *clients)
{
	const uint32_t *facts;

	apply(clients, clients->all, MATCH_ALL);
	facts = geo_clients_facts(clients, number_joint(clients));
	for (size_t i = 0; i < clients->config->pool_count; i++)
		clients->pools[i]->all = facts[i];
}

void geo_clients_init(struct geo_clients *clients, const struct config *config,
		      struct pool_facts **pools, const struct image *locations)
{
	struct gathering g = { .clients = clients };
	size_t count = config->pool_count;

	*clients = (struct geo_clients){ .config = config, .pools = pools, .locations = locations };
	for (uint32_t i = 0; i < count; i++)
		gather_pool(&g, i);
	index_entries(clients, &g);
	free(g.list);
	find_singles(clients);
	clients->tuple_size = (count > 0 ? count : 1) * sizeof(*clients->tuple);
	clients->tuple = mem_alloc(clients->tuple_size);
	clients->is_touched = mem_array(count, sizeof(*clients->is_touched));
	clients->touched = mem_array(count, sizeof(*clients->touched));
	clients->touched_facts = mem_array(count, sizeof(*clients->touched_facts));
	for (size_t i = 0; i < count; i++)
		clients->touched_facts[i] = mem_alloc(pools[i]->size);
	judge_all(clients);
}

void geo_clients_free(struct geo_clients *clients)
{
	for (size_t i = 0; i < clients->config->pool_count; i++)
		free(clients->touched_facts[i]);
	free(clients->touched_facts);
	free(clients->pools);
	free(clients->is_touched);
	free(clients->touched);
	free(clients->tuple);
	numbering_free(&clients->matchers);
	numbering_free(&clients->names);
	numbering_free(&clients->views);
	numbering_free(&clients->joint);
	memo_free(&clients->asns);
	memo_free(&clients->name_of);
	free(clients->joint_of);
	free(clients->first);
	free(clients->entries);
	free(clients->networks);
	free(clients->of_list);
	free(clients->of_field);
}

#include "ctl/explain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "ctl/asking.h"
#include "ctl/field.h"
#include "image/locations.h"
#include "serve/answer.h"
#include "serve/choose.h"
#include "serve/lookup.h"
#include "steer/steer.h"

static json_t *prefix_text(const struct ip_address *address, uint8_t len)
{
	struct ip_prefix prefix = { *address, len };
	char text[IP_PREFIX_SIZE];

	ip_mask(prefix.address.bytes, len);
	return json_string(ip_prefix_format(&prefix, text));
}

/* --- types ------------------------------------------------------------------------------------- */

const struct explained_type explained_types[EXPLAINED_TYPES] = { { "A", TYPE_A },
								 { "AAAA", TYPE_AAAA },
								 { "SRV", TYPE_SRV },
								 { "HTTPS", TYPE_HTTPS },
								 { "SVCB", TYPE_SVCB } };

static json_t *type_names(uint8_t types)
{
	json_t *list = json_array();

	for (size_t i = 0; i < EXPLAINED_TYPES; i++) {
		if ((types & pool_type_bit(explained_types[i].type)) != 0)
			json_array_append_new(list, json_string(explained_types[i].name));
	}
	return list;
}

/* --- location --------------------------------------------------------------------------------- */

/* JSON text of a country or continent code; null where it is not known. */
static json_t *code(const char letters[2])
{
	return letters[0] == '\0' ? json_null() : json_stringn(letters, 2);
}

static json_t *text_or_null(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *location(const struct borrowed *b, const struct location *l,
			const struct ip_address *address, uint8_t prefix_len)
{
	const struct image *image = &b->locations;
	json_t *told = json_object();

	json_object_set_new(told, "prefix", prefix_text(address, prefix_len));
	json_object_set_new(told, "continent", code(l->continent));
	json_object_set_new(told, "country", code(l->country));
	json_object_set_new(told, "country_database",
			    text_or_null(location_database(image, l->country_database)));
	json_object_set_new(told, "subdivision",
			    text_or_null(location_text(image, l->subdivision)));
	json_object_set_new(told, "city", text_or_null(location_text(image, l->city)));
	json_object_set_new(told, "city_database",
			    text_or_null(location_database(image, l->city_database)));
	json_object_set_new(told, "asn", l->asn == 0 ? json_null() : json_integer(l->asn));
	json_object_set_new(told, "asn_database",
			    text_or_null(location_database(image, l->asn_database)));
	if ((l->has & LOCATION_COORDINATES) == 0)
		return told;
	json_object_set_new(told, "latitude", json_real((double)l->latitude));
	json_object_set_new(told, "longitude", json_real((double)l->longitude));
	json_object_set_new(told, "coordinates_of_country",
			    json_boolean((l->has & LOCATION_COORDINATES_OF_COUNTRY) != 0));
	json_object_set_new(told, "coordinates_database",
			    text_or_null(location_database(image, l->coordinates_database)));
	return told;
}

/* --- sites ------------------------------------------------------------------------------------ */

static const struct plan_site *site_of(const struct borrowed *b, uint32_t pool_site)
{
	uint32_t site = plan_items(&b->plan, pool_sites, struct plan_pool_site)[pool_site].site;

	return &plan_items(&b->plan, sites, struct plan_site)[site];
}

static json_t *site(const struct borrowed *b, uint32_t pool_site, const struct location *from)
{
	const struct plan_pool_site *ps = &plan_items(&b->plan, pool_sites,
						      struct plan_pool_site)[pool_site];
	const struct plan_site *place = site_of(b, pool_site);
	json_int_t up = 0;
	json_t *told;

	for (uint32_t n = 0; n < ps->nodes.count; n++)
		up += strcmp(field_text(json_array_get(b->nodes, ps->nodes.first + n), "status"),
			     "down") != 0;
	told = json_pack("{s:s, s:I, s:I}", "name", plan_text(&b->plan, place->name), "up", up,
			 "total", (json_int_t)ps->nodes.count);
	if (from != NULL && (from->has & LOCATION_COORDINATES) != 0)
		json_object_set_new(
			told, "km",
			json_real(steer_distance_km((double)from->latitude, (double)from->longitude,
						    place->latitude, place->longitude)));
	return told;
}

/* In the order in which they are tried: those of the preference, or the one of a bound record. */
static json_t *sites(const struct borrowed *b, const struct choice *choice,
		     const struct plan_record *record, const struct location *from)
{
	const struct plan_pool *pool = &plan_items(&b->plan, pools, struct plan_pool)[record->pool];
	uint32_t *order = mem_array(pool->sites.count + 1U, sizeof(*order));
	json_t *list = json_array();
	uint32_t count = 1;

	order[0] = record->pool_site;
	if (record->pool_site == PLAN_NONE)
		count = steer_site_order(b->steer, record->pool, choice->steps[0].pref, order,
					 pool->sites.count);
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, site(b, order[i], from));
	free(order);
	return list;
}

/* --- the choice ------------------------------------------------------------------------------- */

static json_t *rule(const struct borrowed *b, const struct choice *choice)
{
	const struct geo_pref *pref;
	const struct plan_rule *r;
	char *place;
	json_t *told;

	if (choice->steps[0].pref == STEERING_NONE)
		return json_null();
	pref = geo_pool_pref(&b->world.geo, choice->steps[0].pool, choice->steps[0].pref);
	if (pref->rule == GEO_RULE_NONE)
		return json_null();
	r = &plan_items(&b->plan, rules, struct plan_rule)[pref->rule];
	place = mem_format("%s:%u:%u", plan_text(&b->plan, r->file), r->line, r->column);
	told = json_pack("{s:s, s:s}", "place", place, "clients", plan_text(&b->plan, r->text));
	free(place);
	return told;
}

static json_t *node(const struct borrowed *b, const struct choice *choice)
{
	const struct plan_pool *pool = &plan_items(&b->plan, pools,
						   struct plan_pool)[choice_last(choice)->pool];
	const struct plan_node *n;
	json_t *told;

	if (choice->node >= pool->nodes.count)
		return json_null(); /* the fallback addresses */
	n = &plan_items(&b->plan, nodes, struct plan_node)[pool->nodes.first + choice->node];
	told = json_deep_copy(json_array_get(b->nodes, pool->nodes.first + choice->node));
	if (told == NULL)
		told = json_object();
	json_object_set_new(told, "site",
			    json_string(plan_text(&b->plan, site_of(b, n->pool_site)->name)));
	return told;
}

static const char *const policy_name[] = { "nearest", "weighted", "failover", "round-robin" };

static json_t *steering(const struct borrowed *b, uint32_t number,
			const struct client_network *client, uint64_t random,
			const struct location *from)
{
	const struct plan_record *record = &plan_items(&b->plan, records,
						       struct plan_record)[number];
	const struct plan_pool *pool = &plan_items(&b->plan, pools, struct plan_pool)[record->pool];
	struct choice c;
	json_t *told;

	choose(&c, &b->world, number, client, random);
	told = json_pack(
		"{s:s, s:s, s:I, s:b, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:b, s:I, s:s, s:I, s:I}",
		"pool", plan_text(&b->plan, pool->name), "policy", policy_name[pool->policy], "ttl",
		(json_int_t)record->ttl_s, "fallback_active",
		steering_pool(&b->world.steering, record->pool)->applied > APPLIED_DRAINING, "rule",
		rule(b, &c), "sites", sites(b, &c, record, from), "node", node(b, &c), "table",
		(json_int_t)c.table, "slot", (json_int_t)c.slot, "slots",
		(json_int_t)steering_table(&b->world.steering, c.table)->slot_count, "hashed",
		c.hashed, "random", c.random, "scope", (json_int_t)c.scope, "file",
		plan_text(&b->plan, pool->file), "persistence_v4", (json_int_t)pool->persistence_v4,
		"persistence_v6", (json_int_t)pool->persistence_v6);
	json_object_set_new(told, "types", type_names(record->types));
	json_object_set_new(
		told, "site",
		record->pool_site == PLAN_NONE
			? json_null()
			: json_string(plan_text(&b->plan, site_of(b, record->pool_site)->name)));
	if (c.steps[0].pref != STEERING_NONE) {
		json_object_set_new(told, "class", json_integer(c.match.class_id));
		json_object_set_new(told, "preference", json_integer(c.steps[0].pref));
		json_object_set_new(told, "class_prefix",
				    prefix_text(&client->network.address, c.match.prefix_len));
	}
	return told;
}

/* --- the answers ------------------------------------------------------------------------------ */

struct asked {
	struct client client;
	const struct ip_prefix *subnet; /* NULL: none is sent */
	struct name name, final;
};

static int ask(const struct borrowed *b, struct asked *asked, const struct explained_type *type,
	       json_t *answers, struct err *err)
{
	uint8_t query[ASKING_SIZE_MAX];
	uint8_t *reply = mem_alloc(DNS_MESSAGE_MAX);
	struct counters ignored = { 0 };
	size_t len = asking_write(query, &asked->name, type->type, asked->subnet);
	json_t *told;

	len = answer(&b->world, &asked->client, query, len, reply, DNS_MESSAGE_MAX, &ignored);
	told = asking_read(reply, len, &asked->final);
	free(reply);
	if (told == NULL)
		return err_set(err, "the answer to a query of type %s cannot be read", type->name);
	json_object_set_new(told, "type", json_string(type->name));
	json_array_append_new(answers, told);
	return 0;
}

/* The POOL record that answers for a name; PLAN_NONE: none does, the answer is the zone's. */
static uint32_t find_record(const struct borrowed *b, const struct name *name, json_t *told)
{
	struct name_key key;
	struct lookup found;
	uint32_t zone;
	char text[NAME_TEXT_SIZE];

	(void)name_key_read(&key, name->wire, name->len);
	zone = lookup_zone(&b->world.zones, &key, TYPE_A);
	json_object_set_new(told, "zone", json_null());
	if (zone == ZONES_NONE)
		return PLAN_NONE;
	lookup_name(&found, zones_segment(&b->world.zones, zone), &key);
	json_object_set_new(told, "zone", json_string(name_format(found.segment->origin, text)));
	if (found.node == NULL || found.cut != NULL || found.node->pool_record == 0)
		return PLAN_NONE;
	json_object_set_new(told, "owner",
			    json_string(name_format(zone_node_name(found.node), text)));
	return zones_entry(&b->world.zones, zone)->pool_record_base + found.node->pool_record - 1;
}

/* The types that are answered at a name by its POOL record; without one, addresses. */
static uint8_t types_of(const struct borrowed *b, const struct name *name)
{
	json_t *ignored = json_object();
	uint32_t record = find_record(b, name, ignored);

	json_decref(ignored);
	return record == PLAN_NONE
		       ? POOL_TYPES_ADDRESS
		       : plan_items(&b->plan, records, struct plan_record)[record].types;
}

static int explain_into(json_t *told, const struct borrowed *b, const struct question *question,
			struct asked *asked, struct err *err)
{
	const struct client_network client = { question->network, asked->subnet != NULL };
	const struct location *from = NULL;
	struct located located;
	uint8_t types = question->types;
	uint32_t record;
	json_t *step, *answers = json_array();

	json_object_set_new(told, "answers", answers);
	if (types == 0)
		types = types_of(b, &asked->name);
	for (size_t i = 0; i < EXPLAINED_TYPES; i++) {
		if ((types & pool_type_bit(explained_types[i].type)) != 0 &&
		    ask(b, asked, &explained_types[i], answers, err) != 0)
			return -1;
	}
	if (b->locations.base != NULL) {
		locations_find(&b->locations, &question->network.address, &located);
		from = &located.location;
	}
	json_object_set_new(
		told, "location",
		from == NULL ? json_null()
			     : location(b, from, &question->network.address, located.prefix_len));
	record = find_record(b, &asked->final, told);
	step = json_null();
	if (record != PLAN_NONE)
		step = steering(b, record, &client, asked->client.random, from);
	json_object_set_new(told, "steering", step);
	return 0;
}

json_t *explain(const struct borrowed *b, const struct question *question, struct err *err)
{
	const struct steering_root *root = image_root(&b->world.steering, struct steering_root);
	struct asked asked = { .client = { .address = question->network.address, .tcp = true } };
	const char *reason;
	char text[NAME_TEXT_SIZE];
	json_t *told;

	if (!name_parse(question->name, strlen(question->name), NULL, &asked.name, &reason)) {
		(void)err_set(err, "\"%s\" is not a domain name: %s", question->name, reason);
		return NULL;
	}
	if (root->dns.ecs != 0 && !question->as_source && question->network.len > 0)
		asked.subnet = &question->network;
	if (getrandom(&asked.client.random, sizeof(asked.client.random), 0) < 0)
		asked.client.random = 0; /* any bits do: they choose where nothing else does */
	told = json_pack("{s:b, s:s, s:o, s:s}", "ok", true, "name",
			 name_format(asked.name.wire, text), "network",
			 prefix_text(&question->network.address, question->network.len), "known_by",
			 asked.subnet != NULL ? "client subnet" : "source address");
	if (explain_into(told, b, question, &asked, err) != 0) {
		json_decref(told);
		return NULL;
	}
	return told;
}

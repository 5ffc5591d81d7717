#include "ctl/explain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "ctl/asking.h"
#include "ctl/explain_parts.h"
#include "serve/answer.h"
#include "serve/choose.h"
#include "serve/lookup.h"
#include "steer/steer.h"

json_t *explain_prefix(const struct ip_address *address, uint8_t len)
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
	if (found.node == NULL || found.cut != NULL || zone_node_pool_record(found.node) == 0)
		return PLAN_NONE;
	json_object_set_new(told, "owner",
			    json_string(zone_node_format(found.segment, found.node, text)));
	return zones_entry(&b->world.zones, zone)->pool_record_base +
	       zone_node_pool_record(found.node) - 1;
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

/* Where the asker is: by the resolver table first, where it asks itself. */
static const struct location *find_location(json_t *told, const struct borrowed *b,
					    const struct client_network *client,
					    struct located *located)
{
	const struct ip_address *address = &client->network.address;
	bool by_table = false;

	json_object_set_new(told, "location", json_null());
	if (b->locations.base == NULL)
		return NULL;
	if (client->from_ecs)
		locations_find(&b->locations, address, located);
	else
		by_table = locations_find_source(&b->locations, address, located);
	json_object_set_new(told, "location", explain_location(&b->locations, located, address));
	json_object_set_new(json_object_get(told, "location"), "resolver_table",
			    json_boolean(by_table));
	return &located->location;
}

static int explain_into(json_t *told, const struct borrowed *b, const struct question *question,
			struct asked *asked, struct err *err)
{
	const struct client_network client = { question->network, asked->subnet != NULL };
	const struct location *from;
	struct located located;
	uint8_t types = question->types;
	uint32_t record;
	json_t *answers = json_array();

	json_object_set_new(told, "answers", answers);
	if (types == 0)
		types = types_of(b, &asked->name);
	for (size_t i = 0; i < EXPLAINED_TYPES; i++) {
		if ((types & pool_type_bit(explained_types[i].type)) != 0 &&
		    ask(b, asked, &explained_types[i], answers, err) != 0)
			return -1;
	}
	from = find_location(told, b, &client, &located);
	record = find_record(b, &asked->final, told);
	json_object_set_new(told, "steering",
			    record == PLAN_NONE ? json_null()
						: explain_steering(b, record, &client,
								   asked->client.random, from));
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
			 explain_prefix(&question->network.address, question->network.len),
			 "known_by", asked.subnet != NULL ? "client subnet" : "source address");
	if (explain_into(told, b, question, &asked, err) != 0) {
		json_decref(told);
		return NULL;
	}
	return told;
}

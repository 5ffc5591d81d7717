/* A pool file's nodes. */
#include <stdlib.h>
#include <string.h>

#include "conf/pool_parts.h"
#include "conf/seen.h"

#define NODES_MAX 65534 /* a choice of the steering image is 16 bits, and one is the fallback */

/* --- addresses -------------------------------------------------------------------------------- */

struct address_reading {
	struct ip_address *addresses;
	size_t count;
};

/* Why no VPN client could ever reach this address; NULL: nothing speaks against it. */
static const char *unusable(const struct ip_address *address)
{
	static const uint8_t zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *b = address->bytes;

	if (memcmp(b, zero, sizeof(zero)) == 0)
		return "the unspecified address";
	if (address->family == IP_V4)
		return b[0] >= 224 ? "a multicast or reserved address" : NULL;
	if (b[0] == 0xff)
		return "a multicast address";
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return "a link-local address";
	if (memcmp(b, mapped, sizeof(mapped)) == 0)
		return "an IPv4 address in IPv6 form (write the IPv4 address)";
	return NULL;
}

static void read_address(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct address_reading *reading = context;
	struct ip_address address;

	if (!ip_parse(item->text, &address)) {
		conf_error(conf, &item->place, "\"%.100s\" is neither an IPv4 nor an IPv6 address",
			   item->text);
		return;
	}
	if (unusable(&address) != NULL) {
		conf_error(conf, &item->place, "%.100s cannot be a node's address: it is %s",
			   item->text, unusable(&address));
		return;
	}
	for (size_t i = 0; i < reading->count; i++) {
		if (memcmp(&reading->addresses[i], &address, sizeof(address)) == 0) {
			conf_error(conf, &item->place, "%.100s is listed twice", item->text);
			return;
		}
	}
	reading->addresses[reading->count++] = address;
}

void addresses_read(struct conf *conf, const struct yaml_node *value,
		    const struct ip_address **addresses, size_t *count)
{
	struct address_reading reading = { 0 };

	reading.addresses = arena_alloc(conf->arena,
					items_count(value) * sizeof(*reading.addresses));
	items_read(conf, value, "an address or a list of addresses", read_address, &reading);
	*addresses = reading.addresses;
	*count = reading.count;
}

/* --- host names ------------------------------------------------------------------------------- */

/* Letters, digits and hyphens that stand between them (RFC 952, RFC 1123, 2.1). */
static bool is_host_label(const uint8_t *label)
{
	for (unsigned i = 1; i <= *label; i++) {
		uint8_t c = label[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!plain && (c != '-' || i == 1 || i == *label))
			return false;
	}
	return true;
}

static bool is_host(const struct name *name)
{
	for (const uint8_t *label = name->wire; *label != 0; label += 1 + *label) {
		if (!is_host_label(label))
			return false;
	}
	return name->labels > 0;
}

static void read_host(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_node *node = out;
	struct name *name = arena_alloc(conf->arena, sizeof(*name));
	struct ip_address address;
	const char *reason = "a host name has letters, digits and hyphens";

	if (!conf_expect(conf, value, YAML_SCALAR, "a host name"))
		return;
	if (ip_parse(value->text, &address))
		reason = "it is an address";
	else if (name_parse(value->text, strlen(value->text), NULL, name, &reason) && is_host(name))
		node->host = name;
	if (node->host == NULL)
		conf_error(conf, &value->place, "\"%.100s\" is not a host name: %s", value->text,
			   reason);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void read_node_address(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_node *node = out;

	addresses_read(conf, value, &node->addresses, &node->address_count);
}

static void read_probe_address(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_node *node = out;

	addresses_read(conf, value, &node->probe_addresses, &node->probe_address_count);
}

static const char *default_capacity(struct conf *conf, const void *out)
{
	const struct config_node *node = out;

	return conf_text(conf, "%u", node->weight > 0 ? node->weight : 1);
}

#define INHERITED .above = (LEVEL_SITE | LEVEL_POOL | LEVEL_DEFAULTS)

static const struct option node_options[] = {
	{ "address", OPTION_OTHER, .required = true, .read = read_node_address, .kind = "list",
	  .accepts = "one or a list of IPv4 and IPv6 addresses",
	  .manual = "the node's addresses, which are answered together" },
	{ "probe-address", OPTION_OTHER, .read = read_probe_address, .kind = "list",
	  .accepts = "one or a list of IPv4 and IPv6 addresses",
	  .manual = "addresses that are probed in place of those that are answered" },
	{ "weight", OPTION_NUMBER, OPTION_FIELD(struct config_node, weight), INHERITED,
	  .max = 65535, .dflt = "100",
	  .manual = "share of clients beside the other nodes; 0: none while others are up" },
	{ "capacity", OPTION_NUMBER, OPTION_FIELD(struct config_node, capacity), INHERITED,
	  .min = 1, .max = UINT32_MAX, .dflt = "its weight", .dflt_from = default_capacity,
	  .manual = "how much it can carry, beside the other nodes: what its load is a part of" },
	{ "port", OPTION_NUMBER, OPTION_FIELD(struct config_node, port), INHERITED, .min = 1,
	  .max = 65535, .manual = "the service's port, for SRV, HTTPS and SVCB" },
	{ "host", OPTION_OTHER, .read = read_host, .kind = "host name",
	  .accepts = "a whole host name, with or without a dot at its end",
	  .manual = "this one node's name, the target of its SRV, HTTPS and SVCB records" },
};

const struct option_section node_section = { .name = "pool: sites.NAME.nodes.NAME",
					     .options = node_options,
					     .count = OPTION_COUNT(node_options),
					     .level = LEVEL_NODE,
					     .size = sizeof(struct config_node) };

/* A host's addresses are told to everybody (RFC 9460, 4.4), so it is one node's. */
static void check_host(struct conf *conf, const struct yaml_node *item,
		       const struct config_node *node)
{
	const struct yaml_node *value = yaml_get(item, "host");
	char text[NAME_TEXT_SIZE];
	const struct place *before;

	if (node->host == NULL)
		return;
	(void)name_format(node->host->wire, text);
	before = seen_add(&conf->nodes->hosts, arena_text(conf->arena, text, strlen(text)),
			  &value->place);
	if (before != NULL)
		conf_error(conf, &value->place, "host %.300s is already that of a node in line %u",
			   text, before->line);
}

static bool read_node(struct conf *conf, const struct yaml_node *item, struct config_node *node)
{
	const struct place *before = seen_add(&conf->nodes->names, item->key->text,
					      &item->key->place);

	(void)conf_name(conf, item->key, "node");
	if (before != NULL) {
		conf_error(conf, &item->key->place, "node \"%.100s\" is already defined in line %u",
			   item->key->text, before->line);
		return false;
	}
	if (++conf->nodes->total == NODES_MAX + 1)
		conf_error(conf, &item->key->place, "a pool has at most %d nodes", NODES_MAX);
	node->name = item->key->text;
	node->place = item->key->place;
	option_read_map(conf, &node_section, item, &item->key->place, node);
	check_host(conf, item, node);
	return true;
}

void nodes_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool_site *site = out;
	struct config_node *nodes;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_MAP, "a map of nodes"))
		return;
	if (value->count == 0)
		conf_error(conf, &value->place, "there are no nodes");
	nodes = arena_alloc(conf->arena, value->count * sizeof(*nodes));
	yaml_foreach(item, value)
		count += read_node(conf, item, &nodes[count]);
	site->nodes = nodes;
	site->node_count = count;
}

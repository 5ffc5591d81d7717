/* The server file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conf/answering.h"
#include "conf/data.h"
#include "conf/networks.h"
#include "conf/parts.h"
#include "conf/places.h"
#include "conf/seen.h"

#define SITES_MAX    UINT16_MAX
#define LISTEN_MAX   64 /* BOOT_LISTEN_MAX */
#define WORKERS_MAX  128
#define RUN_PATH_MAX 90 /* with the socket's name it must fit sockaddr_un (108 octets) */
#define DAY_MS       86400000U

/* --- listen ----------------------------------------------------------------------------------- */

struct listen_reading {
	struct config_listen *listen;
	size_t count;
	struct seen seen;
};

static void read_endpoint(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct listen_reading *reading = context;
	struct config_listen *listen = &reading->listen[reading->count];
	const struct place *before;
	char text[IP_ENDPOINT_SIZE];

	if (!ip_endpoint_parse(item->text, 53, &listen->address, &listen->port)) {
		conf_error(conf, &item->place,
			   "\"%.100s\" is not an address to listen on, such as 192.0.2.1:53 or "
			   "\"[2001:db8::1]:53\"",
			   item->text);
		return;
	}
	(void)ip_endpoint_format(&listen->address, listen->port, text);
	before = seen_add(&reading->seen, arena_text(conf->arena, text, strlen(text)),
			  &item->place);
	if (before != NULL)
		conf_error(conf, &item->place, "%s is listed twice", text);
	else
		reading->count++;
}

static void read_listen(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;
	struct listen_reading reading = { 0 };

	if (items_count(value) > LISTEN_MAX) {
		conf_error(conf, &value->place, "there are more than %d addresses to listen on",
			   LISTEN_MAX);
		return;
	}
	reading.listen = arena_alloc(conf->arena, items_count(value) * sizeof(*reading.listen));
	items_read(conf, value, "an address or a list of addresses", read_endpoint, &reading);
	config->listen = reading.listen;
	config->listen_count = reading.count;
	seen_free(&reading.seen);
}

/* --- single values ---------------------------------------------------------------------------- */

static void read_workers(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct amount amount = {
		.min = 1, .max = WORKERS_MAX, .counts = "threads", .word = "auto"
	};
	struct config *config = out;
	int64_t workers = 0;

	if (value->kind != YAML_SCALAR || strcmp(value->text, "auto") != 0)
		(void)conf_amount(conf, value, &amount, &workers);
	config->workers = (uint32_t)workers;
}

static void read_user(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	if (!conf_expect(conf, value, YAML_SCALAR, "the name of a user"))
		return;
	if (value->text[0] == '\0' || strlen(value->text) > 32 ||
	    strspn(value->text,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") !=
		    strlen(value->text))
		conf_error(conf, &value->place,
			   "\"%.100s\" is not the name of a user: 1 to 32 of a-z, A-Z, 0-9, "
			   "\"_\", \"-\" and \".\"",
			   value->text);
	else
		config->user = value->text;
}

static void read_run(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	if (!conf_expect(conf, value, YAML_SCALAR, "a path"))
		return;
	config->run_dir = conf_path(conf, value->text);
	if (value->text[0] == '\0')
		conf_error(conf, &value->place, "the path is empty");
	else if (strlen(config->run_dir) > RUN_PATH_MAX)
		conf_error(conf, &value->place,
			   "\"%.100s\" is too long for the path of a socket: at most %d octets",
			   config->run_dir, RUN_PATH_MAX);
}

/* --- doubt ------------------------------------------------------------------------------------ */

#define REFERENCES_MAX 16

static void read_reference(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct listen_reading *reading = context;
	struct config_listen *reference = &reading->listen[reading->count];

	if (ip_endpoint_parse(item->text, 0, &reference->address, &reference->port))
		reading->count++;
	else
		conf_error(conf, &item->place,
			   "\"%.100s\" is not an address that can be asked, such as 192.0.2.1, "
			   "192.0.2.1:53 or \"[2001:db8::1]:53\"",
			   item->text);
}

static void read_references(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;
	struct listen_reading reading = { 0 };

	if (items_count(value) > REFERENCES_MAX) {
		conf_error(conf, &value->place, "there are more than %d references",
			   REFERENCES_MAX);
		return;
	}
	reading.listen = arena_alloc(conf->arena, items_count(value) * sizeof(*reading.listen));
	items_read(conf, value, "an address or a list of addresses", read_reference, &reading);
	config->references = reading.listen;
	config->reference_count = reading.count;
}

static const struct option doubt_options[] = {
	{ "references", OPTION_OTHER, .read = read_references, .kind = "list",
	  .accepts = "one or up to 16 of ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT",
	  .manual = "who is asked, by ping or TCP, before verdicts when many targets fail" },
	{ "share", OPTION_NUMBER, OPTION_FIELD(struct config, doubt_percent), .min = 1, .max = 100,
	  .suffix = "%", .dflt = "50%",
	  .manual = "when no reference answers and so many of the targets fail, statuses are "
		    "frozen" },
};

static const struct option_section doubt_section = OPTION_SECTION("server: doubt", doubt_options);

/* --- tcp -------------------------------------------------------------------------------------- */

static const struct option tcp_options[] = {
	{ "idle", OPTION_DURATION, OPTION_FIELD(struct config, dns.tcp_idle_ms), .unit_ms = 100,
	  .field_ms = 1, .min = 1, .max = 36000, .dflt = "10s",
	  .manual = "a connection on which nothing gets on is closed after this" },
	{ "lifetime", OPTION_DURATION, OPTION_FIELD(struct config, dns.tcp_lifetime_ms),
	  .unit_ms = 1000, .field_ms = 1, .min = 1, .max = 86400, .dflt = "30m",
	  .manual = "a connection is closed after this in any case" },
	{ "connections", OPTION_NUMBER, OPTION_FIELD(struct config, dns.tcp_connections), .min = 1,
	  .max = DNS_TCP_CONNECTIONS_MAX, .counts = "connections", .dflt = "1000",
	  .manual = "connections of a worker; one more closes one of whoever has most" },
};

static const struct option_section tcp_section = OPTION_SECTION("server: tcp", tcp_options);

/* --- log -------------------------------------------------------------------------------------- */

static const char *const level_words[] = { "error", "warning", "info", "debug", NULL };
static const char *const target_words[] = { "stderr", "syslog", NULL };

static const struct option log_options[] = {
	{ "level", OPTION_WORD, OPTION_FIELD(struct config, log_level), .words = level_words,
	  .dflt = "info", .manual = "the least important events to log" },
	{ "target", OPTION_WORD, OPTION_FIELD(struct config, log_syslog), .words = target_words,
	  .dflt = "stderr", .manual = "where log lines go" },
};

static const struct option_section log_section = OPTION_SECTION("server: log", log_options);

/* --- own networks ----------------------------------------------------------------------------- */

struct own_reading {
	struct ip_prefix *prefixes;
	size_t count, cap;
	struct seen seen;
};

static void read_own_list(struct conf *conf, const struct yaml_node *item,
			  struct own_reading *reading)
{
	const struct config_list *list;
	uint32_t number;

	if (!data_list(conf, item, item->text + strlen(LIST_WORD), &number))
		return;
	list = data_list_at(conf, number);
	for (size_t i = 0; i < list->prefix_count; i++)
		array_add(reading->prefixes, reading->count, reading->cap) = list->prefixes[i];
}

static void read_own_network(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct own_reading *reading = context;
	struct ip_prefix prefix;

	if (seen_add(&reading->seen, item->text, &item->place) != NULL)
		conf_error(conf, &item->place, "%.100s is listed twice", item->text);
	else if (strncmp(item->text, LIST_WORD, strlen(LIST_WORD)) == 0)
		read_own_list(conf, item, reading);
	else if (network_parse(conf, item, &prefix))
		array_add(reading->prefixes, reading->count, reading->cap) = prefix;
}

static void read_own_networks(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;
	struct own_reading reading = { 0 };

	items_read(conf, value, "a network or a list of networks", read_own_network, &reading);
	config->own_networks = arena_copy(conf->arena, reading.prefixes,
					  reading.count * sizeof(*reading.prefixes));
	config->own_network_count = reading.count;
	free(reading.prefixes);
	seen_free(&reading.seen);
}

/* --- geoip ------------------------------------------------------------------------------------ */

static const struct option field_options[] = {
#define GEO_FIELD(field, text)                                                        \
	{                                                                             \
#field, OPTION_TEXT, OPTION_FIELD(struct config_geo_fields, field),   \
			.accepts = "keys and indexes between dots, such as names.en", \
			.manual = text                                                \
	}
	GEO_FIELD(country, "the ISO 3166-1 code of the country"),
	GEO_FIELD(continent, "the code of the continent"),
	GEO_FIELD(subdivision, "the state or province"),
	GEO_FIELD(city, "the city"),
	GEO_FIELD(latitude, "the latitude in degrees"),
	GEO_FIELD(longitude, "the longitude in degrees"),
	GEO_FIELD(asn, "the number of the autonomous system"),
#undef GEO_FIELD
};

static const struct option_section field_section = OPTION_SECTION(
	"server: geoip.databases[].fields", field_options);

static const struct option database_options[] = {
	{ "path", OPTION_PATH, OPTION_FIELD(struct config_database, path), .required = true,
	  .accepts = "path, relative to the server file", .manual = "the MMDB file" },
	{ "fields", OPTION_MAP, OPTION_FIELD(struct config_database, fields),
	  .section = &field_section,
	  .accepts = "a map of what to the path of its field in a record",
	  .manual = "where this database keeps what; only needed where it is not found by itself" },
};

static const struct option_section database_section = OPTION_SECTION("server: geoip.databases[]",
								     database_options);

static void read_databases(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;
	struct config_database *databases;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_LIST, "a list of databases"))
		return;
	databases = arena_alloc(conf->arena, value->count * sizeof(*databases));
	yaml_foreach(item, value) {
		struct config_database *database = &databases[count];

		database->place = item->place;
		if (item->kind == YAML_SCALAR && !item->empty)
			database->path = conf_path(conf, item->text);
		else
			option_read_map(conf, &database_section, item, &item->place, database);
		data_watch(conf, database->path);
		if (database->path != NULL)
			count++;
	}
	config->databases = databases;
	config->database_count = count;
}

static void read_overrides(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	if (conf_expect(conf, value, YAML_SCALAR, "the path of a file"))
		config->overrides_path = data_file(conf, value, value->text);
}

static void read_resolvers(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	if (conf_expect(conf, value, YAML_SCALAR, "the path of a file"))
		config->resolvers_path = data_file(conf, value, value->text);
}

/* That of a table which is read where it is needed. */
static const char *table_path(struct conf *conf, const struct yaml_node *value)
{
	return conf_expect(conf, value, YAML_SCALAR, "the path of a file")
		       ? data_path(conf, value, value->text)
		       : NULL;
}

static void read_countries(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	config->countries_path = table_path(conf, value);
}

static void read_places(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	config->places_path = table_path(conf, value);
}

static const struct option geoip_options[] = {
	{ "databases", OPTION_OTHER, .read = read_databases, .kind = "list",
	  .accepts = "paths, or maps with path and fields",
	  .manual = "MMDB files; of several the first that knows a field wins" },
	{ "countries", OPTION_OTHER, .read = read_countries, .kind = "path",
	  .accepts = "path, relative to the server file",
	  .manual = "coordinates of countries, for databases without; by default "
		    "geoip/countries.tsv if there is one" },
	{ "places", OPTION_OTHER, .read = read_places, .kind = "path",
	  .accepts = "path, relative to the server file",
	  .manual = "coordinates of cities and airports, for sites that are named by a code; by "
		    "default places.tsv beside the countries table if there is one" },
	{ "overrides", OPTION_OTHER, .read = read_overrides, .kind = "path",
	  .accepts = "path, relative to the server file",
	  .manual = "a file of networks and where they are, which wins over the databases" },
	{ "resolvers", OPTION_OTHER, .read = read_resolvers, .kind = "path",
	  .accepts = "path, relative to the server file",
	  .manual = "a file of networks of resolvers and where their clients are, for queries "
		    "without client subnet" },
};

static const struct option_section geoip_section = OPTION_SECTION("server: geoip", geoip_options);

/* --- sites ------------------------------------------------------------------------------------ */

/* Decimal degrees: strtod alone would take "inf", "0x1p3" and leading spaces. */
static bool read_degrees(struct conf *conf, const struct yaml_node *value, double max,
			 const char *what, double *out)
{
	char *end = NULL;
	double degrees;

	if (!conf_expect(conf, value, YAML_SCALAR, what))
		return false;
	degrees = strtod(value->text, &end);
	if (value->text[0] == '\0' || *end != '\0' ||
	    strspn(value->text, "+-.0123456789") != strlen(value->text)) {
		conf_error(conf, &value->place, "\"%.100s\" is not %s in degrees", value->text,
			   what);
		return false;
	}
	if (!(fabs(degrees) <= max)) {
		conf_error(conf, &value->place, "%.40s is out of range: %s is from %.0f to %.0f",
			   value->text, what, -max, max);
		return false;
	}
	*out = degrees;
	return true;
}

static void read_location(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_site *site = out;

	if (value->kind == YAML_SCALAR)
		return; /* the name of a place: places.c */
	if (value->kind != YAML_LIST || value->count != 2) {
		conf_error(conf, &value->place, "a location is " LOCATION_FORMS);
		return;
	}
	(void)read_degrees(conf, value->first, 90, "a latitude", &site->latitude);
	(void)read_degrees(conf, value->first->next, 180, "a longitude", &site->longitude);
}

static const struct option site_options[] = {
	{ "location", OPTION_OTHER, .required = true, .read = read_location, .kind = "list or text",
	  .accepts = LOCATION_FORMS,
	  .manual = "where the site stands, for the distance to clients" },
	{ "bias", OPTION_NUMBER, OPTION_FIELD(struct config_site, bias_percent), .negative = true,
	  .max = 99, .suffix = "%", .dflt = "0%",
	  .manual = "how much nearer (or farther) than it is it counts to be, in all pools" },
};

static const struct option_section site_section = OPTION_SECTION("server: sites.NAME",
								 site_options);

static void read_sites(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;
	struct seen seen = { 0 };
	struct config_site *sites;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_MAP, "a map of sites"))
		return;
	if (value->count == 0 || value->count > SITES_MAX) {
		conf_error(conf, &value->place, "there are %s sites",
			   value->count == 0 ? "no" : "more than 65535");
		return;
	}
	sites = arena_alloc(conf->arena, value->count * sizeof(*sites));
	yaml_foreach(item, value) {
		struct config_site *site = &sites[count];
		const struct place *before = seen_add(&seen, item->key->text, &item->key->place);

		(void)conf_name(conf, item->key, "site");
		if (before != NULL) {
			conf_error(conf, &item->key->place,
				   "site \"%.100s\" is already defined in line %u", item->key->text,
				   before->line);
			continue;
		}
		site->name = item->key->text;
		site->place = item->key->place;
		option_read_map(conf, &site_section, item, &item->key->place, site);
		count++;
	}
	config->sites = sites;
	config->site_count = count;
	seen_free(&seen);
}

bool site_find(struct conf *conf, const struct yaml_node *name, uint16_t *out)
{
	const struct config *config = conf->config;
	const char **names;

	for (size_t i = 0; i < config->site_count; i++) {
		if (strcmp(config->sites[i].name, name->text) == 0) {
			*out = (uint16_t)i;
			return true;
		}
	}
	if (config->site_count == 0)
		return false; /* the server file's sites are what is wrong, and reported */
	names = mem_array(config->site_count, sizeof(*names));
	for (size_t i = 0; i < config->site_count; i++)
		names[i] = config->sites[i].name;
	conf_error(conf, &name->place, "there is no site \"%.100s\" in %.200s%s", name->text,
		   config->file, conf_hint(conf, name->text, names, config->site_count));
	free(names);
	return false;
}

/* --- the file --------------------------------------------------------------------------------- */

/* It has no options of its own. */
static const struct option_section *const below_defaults[] = { &pool_section, &pool_site_section,
							       &node_section, NULL };

static const struct option_section defaults_section = { .name = "server: defaults",
							.level = LEVEL_DEFAULTS,
							.below = below_defaults };

static const struct option server_options[] = {
	{ "listen", OPTION_OTHER, .read = read_listen, .dflt = "0.0.0.0:53 [::]:53", .kind = "list",
	  .accepts = "one or up to 64 of ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT",
	  .manual = "addresses and ports to answer on, UDP and TCP" },
	{ "zones", OPTION_TEXT, OPTION_FIELD(struct config, zones_dir), .required = true,
	  .later = true, .accepts = "path, relative to the server file",
	  .manual = "folder of *.zone and *.pool.yaml" },
	{ "state", OPTION_PATH, OPTION_FIELD(struct config, state_dir), .dflt = "/var/lib/signpost",
	  .accepts = "path, relative to the server file",
	  .manual = "folder of the database and the last good images" },
	{ "run", OPTION_OTHER, .read = read_run, .dflt = "/run/signpost", .kind = "path",
	  .accepts = "path of at most 90 octets, relative to the server file",
	  .manual = "folder of the control socket" },
	{ "user", OPTION_OTHER, .read = read_user, .dflt = "signpost", .kind = "text",
	  .accepts = "name of a user", .manual = "whom to run as where started as root" },
	{ "workers", OPTION_OTHER, .read = read_workers, .dflt = "auto", .kind = "number",
	  .accepts = "auto or 1..128 threads", .manual = "threads that answer; auto: one a core" },
	{ "socket-affinity", OPTION_BOOL, OPTION_FIELD(struct config, socket_affinity),
	  .dflt = "false",
	  .manual = "a query by UDP is answered by the worker of the processor it came to" },
	{ "ecs", OPTION_BOOL, OPTION_FIELD(struct config, dns.ecs), .later = true, .dflt = "true",
	  .manual = "accept EDNS Client Subnet (RFC 7871)" },
	{ "udp-size", OPTION_NUMBER, OPTION_FIELD(struct config, dns.udp_size_max), .later = true,
	  .min = DNS_UDP_SIZE_LOWEST, .max = DNS_UDP_SIZE_HIGHEST, .counts = "octets",
	  .dflt = "1232", .manual = "octets of the largest answer over UDP" },
	{ "amplification", OPTION_OTHER, .read = read_amplification, .later = true, .dflt = "off",
	  .kind = "number", .accepts = "off or 2..100 times",
	  .manual = "how many times as long as its query an answer over UDP may be, for a client "
		    "without a valid cookie" },
	{ "cookies", OPTION_BOOL, OPTION_FIELD(struct config, dns.cookies), .later = true,
	  .dflt = "true", .manual = "answer with DNS cookies (RFC 7873)" },
	{ "cookie-secrets", OPTION_OTHER, .read = read_cookie_secrets, .later = true,
	  .kind = "path", .accepts = "path, relative to the server file",
	  .manual = "file of the secrets that cookies are made of, for servers that share them "
		    "(RFC 9018)" },
	{ "version", OPTION_OTHER, .read = read_version, .later = true, .dflt = "auto",
	  .kind = "text", .accepts = "text of at most 255 octets, auto or off",
	  .manual = "the answer to version.bind and version.server; auto: name and version" },
	{ "identity", OPTION_OTHER, .read = read_identity, .later = true, .dflt = "auto",
	  .kind = "text", .accepts = "text of at most 255 octets, auto or off",
	  .manual = "the answer to id.server and hostname.bind; auto: the host's name" },
	{ "nsid", OPTION_OTHER, .read = read_nsid, .later = true, .dflt = "auto", .kind = "text",
	  .accepts = "text of at most 255 octets, 0x and hexadecimal digits, auto or off",
	  .manual = "the name server identifier (RFC 5001); auto: the host's name" },
	{ "tcp", OPTION_MAP, .section = &tcp_section, .later = true,
	  .manual = "limits of connections" },
	{ "doubt", OPTION_MAP, .section = &doubt_section, .later = true,
	  .manual = "what to do when most targets fail at once" },
	{ "log", OPTION_MAP, .section = &log_section, .manual = "what to log, and where" },
	{ "history", OPTION_DURATION, OPTION_FIELD(struct config, history_days), .later = true,
	  .unit_ms = DAY_MS, .min = 1, .max = 36500, .dflt = "90d",
	  .manual = "how long transitions of nodes, and what operators did, are kept" },
	{ "history-minutes", OPTION_DURATION, OPTION_FIELD(struct config, minutes_days),
	  .later = true, .unit_ms = DAY_MS, .min = 1, .max = 366, .dflt = "7d",
	  .manual = "how long what was measured of each node is kept, minute by minute" },
	{ "preference-depth", OPTION_NUMBER, OPTION_FIELD(struct config, preference_depth),
	  .later = true, .min = 1, .max = 16, .counts = "sites", .dflt = "4",
	  .manual = "how many sites of a pool each client's preference holds; the others follow "
		    "by distance from the first" },
	{ "own-networks", OPTION_OTHER, .later = true, .read = read_own_networks, .kind = "list",
	  .accepts = "networks, addresses and files of them (file:PATH)",
	  .manual = "networks whose queries come through our own nodes, so that their place says "
		    "nothing of the client's" },
	{ "geoip", OPTION_MAP, .section = &geoip_section, .later = true,
	  .manual = "where clients are" },
	{ "defaults", OPTION_MAP, .section = &defaults_section, .later = true,
	  .accepts = "a map of options of pools, their sites and nodes",
	  .manual = "what holds in all pools that do not say otherwise" },
	{ "hooks", OPTION_OTHER, .later = true, .read = hooks_read, .kind = "list",
	  .accepts = "a list of hooks",
	  .manual = "commands that are run, and URLs that are told, when something changes" },
	{ "sites", OPTION_OTHER, .required = true, .later = true, .read = read_sites, .kind = "map",
	  .accepts = "a map of names (1 to 63 of a-z, 0-9, \"-\") to sites",
	  .manual = "places where nodes stand" },
};

static const struct option_section server_section = OPTION_SECTION("server", server_options);

const struct option_section *const server_sections[] = {
	&server_section,   &doubt_section, &tcp_section,  &log_section,  &geoip_section,
	&database_section, &field_section, &site_section, &hook_section,
};
const size_t server_section_count = OPTION_COUNT(server_sections);

/* What a reload compares with what runs is not changed by another name for it. */
static void find_folders(struct conf *conf)
{
	struct config *config = conf->config;
	const char *run = config->run_dir;

	if (config->state_dir != NULL)
		config->state_dir = conf_real_path(conf->arena, config->state_dir);
	if (run != NULL)
		run = conf_real_path(conf->arena, run);
	if (run != NULL && strlen(run) <= RUN_PATH_MAX)
		config->run_dir = run;
}

void server_read(struct conf *conf, const struct yaml_node *root)
{
	static const struct yaml_node no_options = { .kind = YAML_MAP };
	const struct yaml_node *defaults = yaml_get(root, "defaults");

	option_read_map(conf, &server_section, root, &root->place, conf->config);
	find_folders(conf);
	conf->defaults = (struct option_map){ defaults != NULL ? defaults : &no_options,
					      LEVEL_DEFAULTS, NULL };
	conf->sites = yaml_get(root, "sites");
}

const struct yaml_node *server_site(const struct conf *conf, uint16_t site)
{
	return yaml_get(conf->sites, conf->config->sites[site].name);
}

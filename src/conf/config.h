/* config.h - what the operator wrote, as plain structs: the server file and the pool files.
 *
 * Owned by one arena; read-only once config_read returned. Defaults are filled in, names are
 * resolved to numbers: site numbers are the order in the server file, pool numbers the order of
 * the pool files' names. Used by signpost-compile alone. */
#ifndef CONF_CONFIG_H
#define CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/netprefix.h"
#include "conf/diag.h"
#include "image/plan.h" /* enum policy, persistence, fallback, probe_kind; dns_settings */
#include "wire/name.h"

struct config_listen {
	struct ip_address address;
	uint16_t port;
};

struct config_site {
	const char *name;
	double latitude, longitude; /* degrees */
	int8_t bias_percent;        /* -99..99: see struct config_pool_site, whose default it is */
	struct place place;
};

/* Which field of a database record holds what: paths like "country.iso_code". NULL: look for the
 * usual ones (MaxMind's nested and ip-location-db's flat names). */
struct config_geo_fields {
	const char *country, *continent, *subdivision, *city, *latitude, *longitude, *asn;
};

struct config_database {
	const char *path; /* resolved against the server file's folder */
	struct config_geo_fields fields;
	struct place place;
};

struct config_probe {
	const char *name;   /* unique in its pool */
	const char *signal; /* what its readings are called; NULL: it tells no load */
	enum probe_kind kind;
	uint8_t family;   /* IP_V4, IP_V6, 0: both */
	uint8_t roles;    /* bits of enum probe_role */
	bool addressless; /* made once a node, and not once an address of it */
	uint16_t port;    /* 0: the kind has none */
	uint32_t interval_ms, timeout_ms, fall, rise, jitter_percent;
	struct ip_address source_v4, source_v6; /* family 0: the kernel chooses */
	const void *settings;                   /* of its kind: image/probe_settings.h */
	uint32_t settings_len;
	struct place place;
};

struct config_node {
	const char *name;
	const struct ip_address *addresses;
	size_t address_count;
	const struct ip_address *probe_addresses; /* that are probed in place of those */
	size_t probe_address_count;
	uint32_t weight;
	uint32_t capacity;       /* what its load is a part of; beside those of other nodes */
	uint16_t port;           /* of its service; 0: none is named */
	const struct name *host; /* its own host name; NULL: none */
	struct place place;
};

struct config_pool_site {
	uint16_t site;
	/* Its distance to clients counts as this much less (1..99 %) or more (-1..-99 %): x (1 - b / 100)
	 * and / (1 + b / 100), as in Route 53's geoproximity. */
	int8_t bias_percent;
	uint8_t spill_high, spill_low; /* percent of capacity used; 0: it never spills over */
	uint32_t priority;             /* policy failover: lower first, equal ones share */
	uint32_t min_nodes;            /* with fewer nodes up it does not count; 1 or more */
	const struct config_node *nodes;
	size_t node_count;
	struct place place;
};

/* --- who asks --------------------------------------------------------------------------------- */

/* The most specific first; of networks (PREFIX, LIST, OWN) the longest. */
enum client_match {
	MATCH_PREFIX,
	MATCH_LIST, /* "file:lists/office.txt": the networks in a file */
	MATCH_OWN,  /* "own-networks": those of the server file */
	MATCH_ASN,
	MATCH_FIELD,       /* "field:traits.is_anonymous=true": any field of the databases */
	MATCH_CITY,        /* "city:Berlin", "city:DE/Berlin" */
	MATCH_SUBDIVISION, /* "subdivision:US/California" */
	MATCH_COUNTRY,
	MATCH_CONTINENT,
	MATCH_UNKNOWN, /* "unknown": no country and no coordinates are known */
	MATCH_ALL,     /* "all" */
};

/* A file of networks, one a line. Each file is read once, whoever names it. */
struct config_list {
	const char *path; /* absolute */
	const struct ip_prefix *prefixes;
	size_t prefix_count;
};

/* A field of the databases that some client is told by: path and value, each pair once. */
struct config_field {
	const char *path, *value;
};

struct config_client {
	enum client_match kind;
	struct ip_prefix prefix;
	uint32_t asn;
	char code[2];     /* country or continent; of a city or subdivision: its country, or NULs */
	const char *name; /* of the city or subdivision, compared without regard to ASCII case */
	uint32_t number;  /* of config.fields or config.lists */
	struct place place;
};

struct config_clients {
	const struct config_client *list;
	size_t count;
	const char *text; /* as written, for explain: "[CN, AS4134]" */
};

struct config_rule {
	struct config_clients clients;
	const uint16_t *sites; /* site numbers, in order; none: those of the policy */
	const uint16_t *bands; /* of each: sites of one band are equally preferred; from 0 up */
	size_t site_count;
	bool has_policy;
	enum policy policy; /* instead of the pool's */
	struct place place;
};

/* Never these sites for these clients, whatever else holds. All fences that match count. */
struct config_fence {
	struct config_clients clients, except;
	const uint16_t *never; /* site numbers */
	size_t never_count;
	uint32_t otherwise; /* pool that is answered where no site is left; PLAN_NONE: NODATA */
	struct place place;
};

/* These nodes count as down for these clients. All that match count. */
struct config_avoid {
	struct config_clients clients;
	uint32_t site, node;   /* of the pool: number among its sites, and of that one's nodes;
                                node PLAN_NONE: all of the site */
	uint64_t until_unix_s; /* 0: no end */
	const char *reason;    /* "" */
	struct place place;
};

/* A maintenance window. */
struct config_window {
	uint32_t site, node; /* as above; site PLAN_NONE: the whole pool */
	bool disable;        /* else drain */
	uint64_t from_unix_s, until_unix_s;
	const char *reason;
	struct place place;
};

/* --- pools ------------------------------------------------------------------------------------ */

/* What is called when something changes. */
struct config_hook {
	uint32_t events; /* bits of enum hook_event */
	const char **pools;
	size_t pool_count; /* none: all */
	const struct yaml_node *pools_written;
	uint32_t *pool_numbers;
	const char *words; /* of a command, with a NUL between them; NULL: none */
	size_t words_len;
	const char *url;           /* NULL: none */
	struct ip_address address; /* of its host; family 0: it is one itself */
	const char *header_path;   /* file of a header line; NULL: none */
	uint32_t rate, rate_ms;    /* so many calls in that time */
	uint32_t timeout_ms, attempts;
};

struct config_pool {
	const char *name, *file;
	enum policy policy;
	enum persistence persistence, persistence_without_ecs;
	uint8_t persistence_v4, persistence_v6;
	enum fallback fallback;
	const struct ip_address *fallback_addresses;
	size_t fallback_address_count;
	uint32_t fallback_pool;         /* PLAN_NONE but for FALLBACK_POOL */
	uint32_t backup;                /* pool that takes what its sites cannot; PLAN_NONE: none */
	enum policy own_policy;         /* for clients of the server's own networks */
	uint32_t band_percent, band_km; /* as near as the nearest, or this much farther: one band */
	uint8_t answers;                /* nodes in an answer, spares among them */
	uint8_t spare;                  /* how many of them are far away */
	enum spread spread;
	enum answer_order order;
	uint32_t spare_km;          /* from the first answer's site at least */
	uint8_t max_automatic_down; /* percent of its nodes */
	bool freeze;                /* beyond that, further nodes stay in */
	uint32_t ttl_floor_s, ttl_ceiling_s;
	uint32_t load_age_ms;  /* older reports count no more */
	struct plan_load load; /* how weights follow load */
	uint32_t ramp_ms;      /* after a recovery */
	uint8_t ramp_percent;  /* that a node begins with then */
	bool strict_pair;
	const uint8_t *alpn; /* as it stands in the RDATA of HTTPS and SVCB (RFC 9460, 7.1.1) */
	size_t alpn_len;
	bool flap_off;
	uint32_t flap_half_life_ms, flap_max_hold_ms;
	uint8_t require;                   /* how many of a node's probes must be up; 0: all */
	const struct config_probe *probes; /* those of health, then the sources of load */
	size_t probe_count;
	const struct config_pool_site *sites;
	size_t site_count;
	const struct config_rule *rules;
	size_t rule_count;
	const struct config_fence *fences;
	size_t fence_count;
	const struct config_avoid *avoids;
	size_t avoid_count;
	const struct config_window *windows;
	size_t window_count;
	bool faulty; /* there are mistakes in its file, so what is missing here may stand there */
};

struct config {
	const char *file;   /* the server file, as given */
	const char *path;   /* the same, absolute */
	const char *folder; /* paths in it are relative to this one; absolute */
	const struct config_listen *listen;
	size_t listen_count;
	const struct config_listen *references; /* port 0: pinged */
	size_t reference_count;
	uint32_t doubt_percent;
	const char *zones_dir, *state_dir, *run_dir, *user;
	uint64_t boot_id; /* see image/boot.h; set by produce */
	uint32_t workers; /* 0: auto */
	bool socket_affinity;
	struct dns_settings dns;
	enum log_level_setting {
		CONFIG_LOG_ERROR,
		CONFIG_LOG_WARNING,
		CONFIG_LOG_INFO,
		CONFIG_LOG_DEBUG
	} log_level; /* the numbers of enum log_level */
	bool log_syslog;
	uint32_t history_days, minutes_days;
	uint32_t preference_depth;
	const struct config_database *databases;
	size_t database_count;
	const char *countries_path;
	const char *places_path; /* cities and airports, for sites by name; conf reads it itself */
	/* Files of lines NETWORK KEY=VALUE..., see signpost.yaml(5): compile/overrides.h. NULL: none. */
	const char *overrides_path; /* wins over the databases */
	const char *resolvers_path; /* for queries without client subnet */
	const struct ip_prefix *own_networks;
	size_t own_network_count;
	const struct config_field *fields; /* what MATCH_FIELD clients ask for */
	size_t field_count;
	const struct config_list *lists; /* what MATCH_LIST clients name */
	size_t list_count;
	const char *const *watched; /* data files that are read again when they change: lists,
                                       overrides, resolvers, databases; absolute paths */
	size_t watched_count;
	const struct config_site *sites;
	size_t site_count;
	const struct config_pool *pools;
	size_t pool_count;
	struct config_hook *hooks;
	size_t hook_count;
	const char *const *zone_files; /* paths of *.zone, sorted */
	size_t zone_file_count;
};

/* Reads the server file and all pool files, and lists the zone files. `boot_only`: of the server
 * file what a start needs, and nothing else: mistakes in the rest must not keep a server from
 * starting with its last good world. The result lives in the arena. 0, also when there are mistakes:
 * ask diag_errors. -1: the server file cannot be read at all (also in diag). */
int config_read(struct config *out, const char *path, bool boot_only, struct arena *arena,
		struct diag *diag);

/* The same with the server file's text read from a descriptor that is open already (it stays the
 * caller's); `path` says what is relative to what. */
int config_read_fd(struct config *out, int fd, const char *path, bool boot_only,
		   struct arena *arena, struct diag *diag);

/* All options that there are, one a line, between tabs: where in which file, name, type, default,
 * range, description. The manual pages are made from this. */
void config_print_options(FILE *out);

#endif

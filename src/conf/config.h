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
	enum probe_kind kind;
	uint8_t family; /* IP_V4, IP_V6, 0: both */
	uint16_t port;
	uint32_t interval_ms, timeout_ms, fall, rise, jitter_percent;
	struct place place;
};

struct config_node {
	const char *name;
	const struct ip_address *addresses;
	size_t address_count;
	uint32_t weight;
	uint16_t port;           /* of its service; 0: the pool's */
	const struct name *host; /* its own host name; NULL: none */
	struct place place;
};

struct config_pool_site {
	uint16_t site;
	const struct config_node *nodes;
	size_t node_count;
	struct place place;
};

enum client_match { MATCH_PREFIX, MATCH_ASN, MATCH_COUNTRY, MATCH_CONTINENT };

struct config_client {
	enum client_match kind;
	struct ip_prefix prefix;
	uint32_t asn;
	char code[2]; /* country or continent */
	struct place place;
};

struct config_rule {
	const struct config_client *clients;
	size_t client_count;
	const uint16_t *sites; /* site numbers, in order */
	size_t site_count;
	const char *text; /* the clients as written, for explain: "[CN, AS4134]" */
	struct place place;
};

struct config_pool {
	const char *name, *file;
	enum policy policy;
	enum persistence persistence, persistence_without_ecs;
	uint8_t persistence_v4, persistence_v6;
	enum fallback fallback;
	const struct ip_address *fallback_addresses;
	size_t fallback_address_count;
	bool strict_pair;
	uint16_t port;       /* of the nodes that name none; 0: none */
	const uint8_t *alpn; /* as it stands in the RDATA of HTTPS and SVCB (RFC 9460, 7.1.1) */
	size_t alpn_len;
	const struct config_probe *probes;
	size_t probe_count;
	const struct config_pool_site *sites;
	size_t site_count;
	const struct config_rule *rules;
	size_t rule_count;
	bool faulty; /* there are mistakes in its file, so what is missing here may stand there */
};

static inline uint16_t config_node_port(const struct config_pool *pool,
					const struct config_node *node)
{
	return node->port != 0 ? node->port : pool->port;
}

struct config {
	const char *file;   /* the server file, as given */
	const char *path;   /* the same, absolute */
	const char *folder; /* paths in it are relative to this one; absolute */
	const struct config_listen *listen;
	size_t listen_count;
	const char *zones_dir, *state_dir, *run_dir, *user;
	uint64_t boot_id; /* see image/boot.h; set by produce */
	uint32_t workers; /* 0: auto */
	struct dns_settings dns;
	enum log_level_setting {
		CONFIG_LOG_ERROR,
		CONFIG_LOG_WARNING,
		CONFIG_LOG_INFO,
		CONFIG_LOG_DEBUG
	} log_level; /* the numbers of enum log_level */
	bool log_syslog;
	uint32_t history_days;
	uint32_t preference_depth;
	const struct config_database *databases;
	size_t database_count;
	const char *countries_path;
	const struct config_site *sites;
	size_t site_count;
	const struct config_pool *pools;
	size_t pool_count;
	const char *const *zone_files; /* paths of *.zone, sorted */
	size_t zone_file_count;
};

/* Reads the server file and all pool files, and lists the zone files. `boot_only`: of the server
 * file what a start needs, and nothing else: mistakes in the rest must not keep a server from
 * starting with its last good world. The result lives in the arena. 0, also when there are mistakes: ask diag_errors. -1: the server
 * file cannot be read at all (also in diag). */
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

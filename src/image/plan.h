/* plan.h - the plan image: what control is to do. Compiled from server and pool files, so that
 * control parses no text; sites, pools, nodes, probes and POOL records have the numbers here that
 * the zones, geo and steering images use. Texts are offsets of NUL-terminated UTF-8, from the
 * image's first byte; 0 means none. Arrays are contiguous; "first, count" pairs index them. */
#ifndef IMAGE_PLAN_H
#define IMAGE_PLAN_H

#include "base/netprefix.h"
#include "image/image.h"
#include "image/pool_types.h"
#include "image/settings.h"

#define PLAN_VERSION 10
#define PLAN_NONE    UINT32_MAX

#define PLAN_ANSWERS_MAX    16    /* nodes in an answer */
#define PLAN_RESULTS_MAX    100   /* in a row, until a check is down or up */
#define PLAN_HOLD_MAX_S     86400 /* that flapping holds a check down */
#define PLAN_HOOK_TRIES_MAX 10

struct plan_range {
	uint32_t first, count;
};

struct plan_array {
	uint64_t offset;
	uint32_t count;
	uint32_t reserved;
};

struct plan_settings {
	uint64_t boot_id;     /* of the server file as it was compiled (image/boot.h); 0: none */
	uint32_t server_file; /* text: path */
	uint32_t state_dir, run_dir;
	uint32_t history_days; /* how long transitions and what operators did are kept */
	uint32_t minutes_days; /* how long what was measured of nodes is kept */
	uint32_t preference_depth;
	uint32_t log_level;     /* enum log_level */
	uint32_t doubt_percent; /* of the targets that fail at once, 1 to 100; see references */
	struct dns_settings dns;
};
_Static_assert(sizeof(struct plan_settings) ==
		       sizeof(uint64_t) + 8 * sizeof(uint32_t) + sizeof(struct dns_settings),
	       "equal settings are equal octets: no padding");

struct plan_site {
	uint32_t name;
	uint32_t reserved;
	double latitude, longitude; /* degrees */
};

enum policy { POLICY_NEAREST, POLICY_WEIGHTED, POLICY_FAILOVER, POLICY_ROUND_ROBIN };
enum persistence { PERSISTENCE_NONE, PERSISTENCE_SUBNET };
enum fallback {
	FALLBACK_ALL,
	FALLBACK_NONE,
	FALLBACK_ADDRESSES,
	FALLBACK_LAST_GOOD,
	FALLBACK_NEAREST,
	FALLBACK_POOL
};
enum spread { SPREAD_NODE, SPREAD_SITE };
enum answer_order { ORDER_PREFERENCE, ORDER_SHUFFLED };

/* How a pool's weights follow the load of its nodes (control/load.h). */
struct plan_load {
	uint8_t on;                         /* 0: they do not */
	uint8_t floor_percent;              /* of the weight; 1 to 100 */
	uint8_t step_percent;               /* of the weight; 1 to 100 */
	uint8_t loss_percent;               /* of its probes, that counts as full; 0: none does */
	uint16_t low_percent, high_percent; /* of what there may be; low below high */
	uint32_t smoothing_ms, dwell_ms;
	uint32_t stale_ms; /* never 0 */
	uint32_t rtt_ms;   /* of its probes, that counts as full; 0: none does */
};

struct plan_pool {
	uint32_t name, file;
	uint8_t policy;                  /* enum policy */
	uint8_t persistence;             /* enum persistence */
	uint8_t persistence_without_ecs; /* for queries without a client subnet */
	uint8_t fallback;                /* enum fallback: what is answered when nothing is up */
	uint8_t persistence_v4, persistence_v6; /* prefix lengths */
	uint8_t strict_pair;            /* 1: a node without the asked family gives NODATA */
	uint8_t answers;                /* nodes in an answer, spares among them: 1 to 16 */
	uint8_t spare;                  /* how many of them are far away */
	uint8_t spread;                 /* enum spread */
	uint8_t order;                  /* enum answer_order */
	uint8_t max_automatic_down;     /* percent of its nodes; beyond it an alarm */
	uint8_t freeze;                 /* 1: beyond it, further nodes stay in */
	uint8_t own_policy;             /* enum policy: for the server's own networks */
	uint8_t require;                /* how many of a node's probes must be up; 0: all */
	uint32_t spare_km;              /* distance of a spare from the first answer's site */
	uint32_t backup, fallback_pool; /* pools, PLAN_NONE: none */
	uint32_t ttl_floor_s, ttl_ceiling_s;
	/* Penalty of checks that go down again and again (probe/flap.h). half_life 0: none. */
	uint32_t flap_half_life_ms, flap_max_hold_ms;
	uint32_t load_age_ms; /* older reports of load count no more */
	struct plan_load load;
	/* After a recovery a node has so much of its weight to begin with, and all of it after so
	 * long; 0: at once. */
	uint32_t ramp_percent, ramp_ms;
	uint64_t seed;                        /* of its consistent hashing; from its name alone */
	struct plan_range sites;              /* plan_pool_site, in the file's order */
	struct plan_range nodes;              /* plan_node: those of its sites, in order */
	struct plan_range fallback_addresses; /* plan_address */
	struct plan_range rules, fences, avoids, windows;
	/* The value of SvcParamKey alpn (RFC 9460, 7.1.1) of all its nodes; no octets: none. */
	uint32_t alpn, alpn_len;
};

struct plan_pool_site {
	uint32_t pool, site;
	struct plan_range nodes;
	uint32_t priority;             /* policy failover: lower first, equal ones share */
	uint32_t min_nodes;            /* with fewer nodes up it does not count; 1 or more */
	uint8_t spill_high, spill_low; /* percent of capacity used; 0: it never spills over */
	int8_t bias_percent;
	uint8_t reserved;
};

struct plan_node {
	uint32_t name; /* unique in its pool; "pool/name" is its key in the database */
	uint32_t pool, pool_site;
	uint32_t weight;   /* 0..65535; 0: gets no clients while others are up */
	uint32_t capacity; /* what its load is a part of, beside those of other nodes */
	uint32_t host;     /* offset of its own host name, lower-case wire form; no octets: none */
	uint16_t host_len;
	uint16_t port; /* of its service; 0: none is named */
	struct plan_range addresses;
	struct plan_range checks; /* plan_check; those of one probe stand side by side */
};

/* One probe of one address. Checks that are equal in all but `node` and `judges` are made once. */
struct plan_check {
	uint32_t node;
	uint32_t probe;
	struct ip_address address; /* that is probed; family 0: the kind probes none */
	uint8_t judges;            /* IP_V4, IP_V6: the node's addresses of that family; 0: both */
	uint16_t port;             /* 0 for kinds without */
};

enum probe_kind {
	PROBE_TCP,
	PROBE_ICMP,
	PROBE_WIREGUARD,
	PROBE_OPENVPN,
	PROBE_EXEC,
	PROBE_AGENT,
	PROBE_FILE,
	PROBE_PUSH,
	PROBE_HTTP,
	PROBE_HTTPS,
	PROBE_IKEV2,
	PROBE_PROMETHEUS,
	PROBE_TLS,
	PROBE_DNS,
	PROBE_UDP,
	PROBE_OPENVPN_MANAGEMENT,
	PROBE_OPENVPN_STATUS,
	PROBE_KINDS
};

/* What the results of a probe are for. */
enum probe_role {
	PROBE_HEALTH = 1, /* they judge its nodes */
	PROBE_LOAD = 2,   /* they tell its nodes' load */
};

struct plan_probe {
	uint32_t name;   /* text: unique among those of its pool */
	uint32_t signal; /* text: what its readings are called; 0: its name */
	uint8_t kind;    /* enum probe_kind */
	uint8_t family;  /* IP_V4, IP_V6: that family's addresses only; 0: both */
	uint8_t roles;   /* bits of enum probe_role */
	uint8_t reserved;
	uint32_t interval_ms, timeout_ms;
	uint32_t fall, rise;     /* results in a row; 1 to PLAN_RESULTS_MAX */
	uint32_t jitter_percent; /* an interval is shortened by up to this much */
	/* From where it is made; family 0: the kernel chooses. */
	struct ip_address source_v4, source_v6;
	uint8_t reserved2[2];
	uint32_t settings, settings_len; /* of its kind: image/probe_settings.h; no octets: none */
};

struct plan_rule {
	uint32_t pool;
	uint32_t file, line, column; /* where it is written */
	uint32_t text;               /* as written: "[CN, HK, AS4134]" */
	uint32_t policy;             /* enum policy, PLAN_NONE: the pool's */
};

/* Never these sites for these clients (geo_pref names the fences that hold). */
struct plan_fence {
	uint32_t pool;
	uint32_t file, line, column;
	uint32_t text;           /* its clients, as written */
	uint32_t otherwise;      /* pool for whom no site is left; PLAN_NONE: NODATA */
	struct plan_range never; /* numbers: plan_pool_site */
};

/* These nodes count as down for these clients (geo_pref names those that hold). */
struct plan_avoid {
	uint32_t pool;
	uint32_t file, line, column;
	uint32_t text, reason;
	uint32_t pool_site, node; /* node PLAN_NONE: all of the site */
	uint64_t until_unix_s;    /* 0: no end */
};

/* A maintenance window of the pool file. */
struct plan_window {
	uint32_t pool;
	uint32_t file, line, column;
	uint32_t reason;
	uint32_t pool_site, node; /* PLAN_NONE: the whole pool; all of the site */
	uint32_t disable;         /* 1: disabled, 0: draining */
	uint64_t from_unix_s, until_unix_s;
};

struct plan_record {    /* one POOL record */
	uint32_t owner; /* offset of the owner name, lower-case wire form */
	uint32_t owner_len;
	uint32_t pool;
	uint32_t pool_site; /* plan_pool_site, PLAN_NONE: every site */
	uint32_t ttl_s;
	uint8_t types; /* bits of enum pool_type: what is answered at this name */
	/* The target name of services whose node has no host: the owner name without its first
	 * `target_skip` octets, and which addresses are answered there; 0: there is none. */
	uint8_t target_skip, target_types;
	uint8_t reserved;
	uint32_t target_ttl_s;
};

/* What is tested when most targets fail: is it our own network? */
struct plan_reference {
	struct ip_address address;
	uint8_t reserved;
	uint16_t port; /* TCP; 0: it is pinged */
};

/* What is called when a node or a pool has become something. */
struct plan_hook {
	uint32_t events;           /* bits of enum hook_event */
	struct plan_range pools;   /* numbers; none: all */
	uint32_t words, words_len; /* of a command, with a NUL between them; 0: none */
	uint32_t url;              /* text; 0: none */
	uint32_t header;           /* text: path of the file with a header line; 0: none */
	struct ip_address address; /* of the URL's host; family 0: it is one itself */
	uint8_t reserved[3];
	uint32_t rate, rate_ms;        /* at most so many calls in that time */
	uint32_t timeout_ms, attempts; /* attempts: 1 to PLAN_HOOK_TRIES_MAX */
};

struct plan_root {
	struct plan_settings settings;
	struct plan_array sites, pools, pool_sites, nodes, addresses, checks, probes, rules,
		records, fences, avoids, windows, hooks;
	struct plan_array references;
	struct plan_array numbers; /* uint32_t: what others have lists of */
	struct plan_array
		watched; /* uint32_t, texts: data files to be read again when they change */
};

#define plan_items(plan, member, type) \
	image_at(plan, type, image_root(plan, struct plan_root)->member.offset)
#define plan_count(plan, member) (image_root(plan, struct plan_root)->member.count)

static inline const char *plan_text(const struct image *plan, uint32_t offset)
{
	return offset == 0 ? "" : (const char *)(plan->base + offset);
}

/* Pools that may stand in for one: plan_stand_in(plan, pool, 0 .. plan_stand_ins(pool) - 1), with
 * PLAN_NONE among them. Its backup, the one that it falls back to, and those that its fences name. */
static inline uint32_t plan_stand_ins(const struct plan_pool *pool)
{
	return 2 + pool->fences.count;
}

static inline uint32_t plan_stand_in(const struct image *plan, const struct plan_pool *pool,
				     uint32_t i)
{
	if (i < 2)
		return i == 0 ? pool->backup : pool->fallback_pool;
	return plan_items(plan, fences, struct plan_fence)[pool->fences.first + i - 2].otherwise;
}

int plan_verify(const struct image *plan, struct err *err);

#endif

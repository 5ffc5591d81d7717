/* pool_parts.h - what pool.c takes from the files that read parts of a pool file. */
#ifndef CONF_POOL_PARTS_H
#define CONF_POOL_PARTS_H

#include "conf/parts.h"
#include "conf/seen.h"

/* One address or a list of them. */
void addresses_read(struct conf *conf, const struct yaml_node *value,
		    const struct ip_address **addresses, size_t *count);

/* What the nodes of a pool share while they are read: conf->nodes. */
struct pool_nodes {
	struct seen names, hosts;
	size_t total;
};

/* Those of one site: `out` is its struct config_pool_site. */
void nodes_read(struct conf *conf, const struct yaml_node *value, void *out);

/* `out` is the struct config_pool of the file. */
void probes_read(struct conf *conf, const struct yaml_node *value, void *out);
void require_read(struct conf *conf, const struct yaml_node *value, void *out);
void pool_sites_read(struct conf *conf, const struct yaml_node *value, void *out);
/* These need the pool's sites. */
void rules_read(struct conf *conf, const struct yaml_node *value, void *out);
void fences_read(struct conf *conf, const struct yaml_node *value, void *out);
void avoids_read(struct conf *conf, const struct yaml_node *value, void *out);
void windows_read(struct conf *conf, const struct yaml_node *value, void *out);
/* What load says beside its options: it is on, or off. */
void load_read(struct conf *conf, const struct yaml_node *value, void *out);
/* Sources of load: they come behind the pool's probes. */
void sources_read(struct conf *conf, const struct yaml_node *value, void *out);
/* Are all nodes looked at? */
void probes_check(struct conf *conf, const struct config_pool *pool);

/* A site, or a node, of this pool by its name: numbers as in struct config_avoid. false: there is
 * none, and that is reported. */
bool pool_site_find(struct conf *conf, const struct config_pool *pool, const struct yaml_node *name,
		    uint32_t *site);
bool pool_node_find(struct conf *conf, const struct config_pool *pool, const struct yaml_node *name,
		    uint32_t *site, uint32_t *node);

extern const struct option_section probe_section, load_section, source_section,
	prometheus_capacity_section, spill_section, rule_section, fence_section, avoid_section,
	window_section;
extern const char *const policy_words[];

#endif

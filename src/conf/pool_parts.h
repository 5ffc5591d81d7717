/* pool_parts.h - what pool.c takes from nodes.c and rules.c. */
#ifndef CONF_POOL_PARTS_H
#define CONF_POOL_PARTS_H

#include "conf/parts.h"

/* One address or a list of them. */
void addresses_read(struct conf *conf, const struct yaml_node *value,
		    const struct ip_address **addresses, size_t *count);

void pool_sites_read(struct conf *conf, const struct yaml_node *value, void *pool);
void rules_read(struct conf *conf, const struct yaml_node *value, struct config_pool *pool);

extern const struct option_section pool_site_section, node_section, rule_section;

#endif

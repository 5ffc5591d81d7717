/* parts.h - the halves of config_read: the server file and one pool file. Inside src/conf only. */
#ifndef CONF_PARTS_H
#define CONF_PARTS_H

#include "conf/config.h"
#include "conf/option.h"

/* The struct fields of config.h are const for its users; while reading they are built in the
 * arena and attached when whole. */
void server_read(struct conf *conf, const struct yaml_node *root);
void pool_read(struct conf *conf, const struct yaml_node *root, struct config_pool *pool);

/* When the pools are known: what the server file's `doubt` lacks is told. */
void doubt_check(struct conf *conf, const struct yaml_node *root);

/* `out` is the struct config. */
void hooks_read(struct conf *conf, const struct yaml_node *value, void *out);
/* When the pools are known that hooks name. */
void hooks_link(struct conf *conf);
extern const struct option_section hook_section;

extern const struct option_section *const server_sections[];
extern const size_t server_section_count;
extern const struct option_section *const pool_sections[];
extern const size_t pool_section_count;

/* What the server file's `defaults` may hold: options of these. */
extern const struct option_section pool_section, pool_site_section, node_section;

/* The options of a site that stand in the server file, by its number. */
const struct yaml_node *server_site(const struct conf *conf, uint16_t site);

/* The number of a site by name; false: there is none (reported with what may be meant). */
bool site_find(struct conf *conf, const struct yaml_node *name, uint16_t *out);

#endif

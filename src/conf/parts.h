/* parts.h - the halves of config_read: the server file and one pool file. Inside src/conf only. */
#ifndef CONF_PARTS_H
#define CONF_PARTS_H

#include "conf/config.h"
#include "conf/option.h"

/* The struct fields of config.h are const for its users; while reading they are built in the
 * arena and attached when whole. */
void server_read(struct conf *conf, const struct yaml_node *root);
void pool_read(struct conf *conf, const struct yaml_node *root, struct config_pool *pool);

extern const struct option_section server_sections[];
extern const size_t server_section_count;
extern const struct option_section pool_sections[];
extern const size_t pool_section_count;

/* The number of a site by name; false: there is none (reported with what may be meant). */
bool site_find(struct conf *conf, const struct yaml_node *name, uint16_t *out);

#endif

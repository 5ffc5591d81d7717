/* networks.h - files of networks: one network or address a line, # begins a comment. */
#ifndef CONF_NETWORKS_H
#define CONF_NETWORKS_H

#include "conf/config.h"
#include "conf/option.h"

/* Reads list->path into the rest of *list. Mistakes are reported with their lines; what is right is
 * in the list all the same. */
void networks_read(struct conf *conf, struct config_list *list);

#define LIST_WORD "file:" /* before the path, where networks may stand as well */

/* A network or an address; false: it is neither, and that is reported. */
bool network_parse(struct conf *conf, const struct yaml_node *item, struct ip_prefix *out);

/* What is wrong with a network of which bits are set behind the prefix, with what may be meant, in
 * the arena; NULL: it is no network at all. */
const char *network_host_bits(struct conf *conf, const char *text);

#endif

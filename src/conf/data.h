/* data.h - what configuration files name besides each other: files of networks, fields of the GeoIP
 * databases, data files that are watched. Each is there once, whoever names it. */
#ifndef CONF_DATA_H
#define CONF_DATA_H

#include "conf/option.h"

struct config_list;
struct data;

struct data *data_new(void);
/* All that was named becomes part of conf->config; ends conf->data. */
void data_finish(struct conf *conf);

/* The path of a data file that `value` names as `name`, which is relative to the folder of the
 * file in which it stands; the file is watched. NULL, and reported: there is no such file. */
const char *data_file(struct conf *conf, const struct yaml_node *value, const char *name);
/* The same of a file that is not watched. */
const char *data_path(struct conf *conf, const struct yaml_node *value, const char *name);
/* For files whose mistakes are told elsewhere. NULL is fine. */
void data_watch(struct conf *conf, const char *path);

/* The number in config.lists of the file that `value` names as `name`. false: there is no such file,
 * which is told; so are mistakes in it. */
bool data_list(struct conf *conf, const struct yaml_node *value, const char *name,
	       uint32_t *number);
/* It, until data_finish. */
const struct config_list *data_list_at(const struct conf *conf, uint32_t number);

/* The number in config.fields of a field and its value. */
uint32_t data_field(struct conf *conf, const char *path, const char *value);

#endif

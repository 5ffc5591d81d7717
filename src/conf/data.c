#include "conf/data.h"

#include <stdlib.h>
#include <string.h>

#include "conf/config.h"
#include "conf/networks.h"

struct data {
	struct config_list *lists;
	size_t list_count, list_cap;
	struct config_field *fields;
	size_t field_count, field_cap;
	const char **watched;
	size_t watched_count, watched_cap;
};

struct data *data_new(void)
{
	return mem_alloc(sizeof(struct data));
}

void data_finish(struct conf *conf)
{
	struct config *config = conf->config;
	struct data *data = conf->data;

	config->lists = arena_copy(conf->arena, data->lists,
				   data->list_count * sizeof(*data->lists));
	config->list_count = data->list_count;
	config->fields = arena_copy(conf->arena, data->fields,
				    data->field_count * sizeof(*data->fields));
	config->field_count = data->field_count;
	config->watched = arena_copy(conf->arena, data->watched,
				     data->watched_count * sizeof(*data->watched));
	config->watched_count = data->watched_count;
	free(data->lists);
	free(data->fields);
	free(data->watched);
	free(data);
	conf->data = NULL;
}

/* --- files ------------------------------------------------------------------------------------ */

void data_watch(struct conf *conf, const char *path)
{
	struct data *data = conf->data;

	if (path == NULL)
		return;
	for (size_t i = 0; i < data->watched_count; i++) {
		if (strcmp(data->watched[i], path) == 0)
			return;
	}
	array_add(data->watched, data->watched_count, data->watched_cap) = path;
}

const char *data_path(struct conf *conf, const struct yaml_node *value, const char *name)
{
	const char *path = conf_path(conf, name);
	struct err err;

	if (name[0] == '\0') {
		conf_error(conf, &value->place, "\"%.100s\" names no file", value->text);
		return NULL;
	}
	if (source_is_file(path, &err) != 0) {
		conf_error(conf, &value->place, "%.200s: %s", path, err.text);
		return NULL;
	}
	return path;
}

const char *data_file(struct conf *conf, const struct yaml_node *value, const char *name)
{
	const char *path = data_path(conf, value, name);

	data_watch(conf, path);
	return path;
}

bool data_list(struct conf *conf, const struct yaml_node *value, const char *name, uint32_t *number)
{
	struct data *data = conf->data;
	struct config_list list = { .path = data_file(conf, value, name) };

	if (list.path == NULL)
		return false;
	for (size_t i = 0; i < data->list_count; i++) {
		if (strcmp(data->lists[i].path, list.path) == 0) {
			*number = (uint32_t)i;
			return true;
		}
	}
	networks_read(conf, &list);
	*number = (uint32_t)data->list_count;
	array_add(data->lists, data->list_count, data->list_cap) = list;
	return true;
}

const struct config_list *data_list_at(const struct conf *conf, uint32_t number)
{
	return &conf->data->lists[number];
}

/* --- fields ----------------------------------------------------------------------------------- */

uint32_t data_field(struct conf *conf, const char *path, const char *value)
{
	struct data *data = conf->data;

	for (size_t i = 0; i < data->field_count; i++) {
		if (strcmp(data->fields[i].path, path) == 0 &&
		    strcmp(data->fields[i].value, value) == 0)
			return (uint32_t)i;
	}
	array_add(data->fields, data->field_count,
		  data->field_cap) = (struct config_field){ path, value };
	return (uint32_t)data->field_count - 1;
}

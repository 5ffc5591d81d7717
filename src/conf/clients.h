/* clients.h - who asks, as rules, fences and avoids name it: networks, files of them, AS numbers,
 * fields of databases, cities, subdivisions, countries, continents. What a client is follows from
 * its shape alone: JP, AS4134, 192.0.2.0/24, city:Berlin. */
#ifndef CONF_CLIENTS_H
#define CONF_CLIENTS_H

#include "conf/config.h"
#include "conf/option.h"
#include "conf/seen.h"

#define CLIENTS_ACCEPTS "one or a list of clients, see Clients"

/* Clients that are collected one by one. Zero-initialise. */
struct clients_reading {
	struct config_client *list;
	size_t count, cap;
	struct buf text;
	struct seen own;
	struct seen *rules; /* clients of all rules so far; NULL: these are for no rule */
};

void clients_add(struct conf *conf, const struct yaml_node *item, void *context); /* a reading */
/* Puts them into *out, and ends the reading. */
void clients_end(struct conf *conf, struct clients_reading *reading, struct config_clients *out);

/* One client or a list of them. */
void clients_read(struct conf *conf, const struct yaml_node *value, struct seen *rules,
		  struct config_clients *out);

#endif

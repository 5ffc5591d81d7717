/* option.h - options as rows of a table: one row gives parsing, range, default, the message when
 * it is wrong, and the manual's line.
 *
 * Defaults are text that goes through the same parsing as what operators write. */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "conf/yaml.h"

struct config;
struct config_pool;
struct data;
struct links;

/* What reading one file needs to know. */
struct conf {
	struct arena *arena;
	struct diag *diag;
	struct config *config; /* being filled in */
	const char *folder;    /* absolute; paths in the file are relative to it */
	bool boot_only;        /* options that are needed `later` are not looked at */
	bool quiet;            /* what is read has been read before, and its mistakes told */
	const struct config_pool *pool; /* that is being read; NULL: none */
	struct links *links;            /* links.h */
	struct data *data;              /* data.h */
	uint64_t now_unix_s;
};

enum option_type {
	OPTION_TEXT,     /* const char * */
	OPTION_PATH,     /* const char *, made absolute */
	OPTION_BOOL,     /* bool */
	OPTION_NUMBER,   /* an unsigned field; min..max */
	OPTION_DURATION, /* an unsigned field; min..max count in unit_ms, and so does the field */
	OPTION_WORD,     /* an unsigned field or enum: the index in words */
	OPTION_OTHER,    /* what read() makes of it */
};

/* Reads one value into the struct that the table describes; says what is wrong itself. */
typedef void option_read_fn(struct conf *conf, const struct yaml_node *value, void *out);

struct option {
	const char *name;
	enum option_type type;
	size_t offset, size; /* of the field */
	bool required;
	bool later; /* a server can start without; what is wrong with it is told by a reload */
	uint32_t min, max;
	uint32_t unit_ms;
	const char *dflt;         /* as it would be written; NULL: none */
	const char *const *words; /* NULL-terminated */
	option_read_fn *read;
	const char *kind;    /* of OPTION_OTHER: "list of addresses" */
	const char *accepts; /* for the manual, where the row does not tell by itself */
	const char *manual;
};

#define OPTION_FIELD(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* A map's options; `name` says where in the file they stand. */
struct option_section {
	const char *name;
	const struct option *options;
	size_t count;
};

#define OPTION_SECTION(name, table)                             \
	{                                                       \
		name, table, sizeof(table) / sizeof((table)[0]) \
	}

/* Fills in defaults, then reads what is written. `where` is the place to name when a required
 * option is missing (that of the map's key or first entry). */
void option_read_map(struct conf *conf, const struct option_section *section,
		     const struct yaml_node *map, const struct place *where, void *out);

/* One line an option: section, name, type, default, range, description, between tabs. */
void option_print(const struct option_section *section, FILE *out);

void conf_error(struct conf *conf, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warning(struct conf *conf, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* In the arena, cut after 599 octets. */
const char *conf_text(struct conf *conf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* " (did you mean "x"?)" or "", in the arena. */
const char *conf_hint(struct conf *conf, const char *text, const char *const *candidates,
		      size_t count);

/* false, and reported: not of this kind. `what` is what it should be: "a list of addresses". */
bool conf_expect(struct conf *conf, const struct yaml_node *value, enum yaml_kind kind,
		 const char *what);

/* Scalars; false: reported. */
bool conf_number(struct conf *conf, const struct yaml_node *value, uint32_t min, uint32_t max,
		 uint32_t *out);
bool conf_duration(struct conf *conf, const struct yaml_node *value, uint32_t min, uint32_t max,
		   uint32_t unit_ms, uint32_t *out);

/* "folder/name"; an empty folder adds nothing. */
const char *conf_join(struct arena *arena, const char *folder, const char *name);
const char *conf_path(struct conf *conf, const char *path); /* absolute */
/* That of a file; "" for one without. */
const char *conf_folder(struct arena *arena, const char *file);

/* Names of pools, sites and nodes. false: reported; `what` says of what. */
bool conf_name(struct conf *conf, const struct yaml_node *name, const char *what);

/* One text or a list of texts, at least one: calls `read` for each; `what` is what is expected:
 * "an address or a list of addresses". */
typedef void item_read_fn(struct conf *conf, const struct yaml_node *item, void *context);
void items_read(struct conf *conf, const struct yaml_node *value, const char *what,
		item_read_fn *read, void *context);
/* How many items_read will call for. */
size_t items_count(const struct yaml_node *value);

/* "5s", "200ms", "90d": the largest unit that fits. */
const char *conf_duration_text(struct conf *conf, uint64_t ms);

#endif

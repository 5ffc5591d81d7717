/* option.h - options as rows of a table: one row gives parsing, range, default, the message when
 * it is wrong, and the manual's line.
 *
 * Defaults are text that goes through the same parsing as what operators write.
 *
 * Options are inherited: a row says in which maps above its own it may stand, too. What holds is
 * what the innermost map says: the node's, its site's, its pool's, the server file's defaults. Where
 * the value is a map, this goes for each option in it. */
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
struct effective;
struct pool_nodes;

/* Maps whose options hold for what is below them, too. */
enum option_level {
	LEVEL_DEFAULTS = 1, /* of the server file */
	LEVEL_POOL = 2,
	LEVEL_SERVER_SITE = 4, /* the site as the server file has it */
	LEVEL_SITE = 8,        /* the site as the pool has it */
	LEVEL_NODE = 16,
	LEVEL_INNER = 32, /* maps that are an option's value in several of the above */
};

/* One map, and what is above it. */
struct option_map {
	const struct yaml_node *map;
	enum option_level level;
	const struct option_map *up;
};

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
	const struct option_map *map;  /* the one that is being read, or what is above the next */
	struct option_map defaults;    /* of the server file, above each pool */
	const struct yaml_node *sites; /* those of the server file */
	struct pool_nodes *nodes;      /* those of the pool that is being read */
	struct effective *effective;   /* what holds is noted below this; NULL: it is not */
};

enum option_type {
	OPTION_TEXT,     /* const char * */
	OPTION_PATH,     /* const char *, made absolute */
	OPTION_BOOL,     /* bool */
	OPTION_NUMBER,   /* an unsigned field; min..max */
	OPTION_DURATION, /* an unsigned field; min..max count in unit_ms, and so does the field */
	OPTION_WORD,     /* an unsigned field or enum: the index in words */
	OPTION_MAP,      /* options of the struct that begins at the field; see section and read */
	OPTION_OTHER,    /* what read() makes of it */
};

/* Reads one value into the struct that the table describes; says what is wrong itself. */
typedef void option_read_fn(struct conf *conf, const struct yaml_node *value, void *out);
/* Looks for values that are right one by one and contradict each other (option_contradiction);
 * called where each is right. */
typedef void option_check_fn(struct conf *conf, const struct option_map *map, void *out);
/* The default where it depends on options that stand before this one in the table. */
typedef const char *option_default_fn(struct conf *conf, const void *out);

struct option {
	const char *name;
	enum option_type type;
	size_t offset, size; /* of the field */
	bool required;
	bool later;     /* a server can start without; what is wrong with it is told by a reload */
	bool negative;  /* OPTION_NUMBER: down to -max */
	unsigned above; /* levels whose maps may hold it, beside its own */
	uint32_t min, max;
	const char *suffix; /* OPTION_NUMBER: may be written behind it: "%" */
	const char *counts; /* OPTION_NUMBER: what it is a number of, for messages and the manual:
			       "octets" */
	uint32_t unit_ms;
	uint32_t field_ms;            /* what the field of a duration counts in; 0: unit_ms */
	const char *dflt;             /* as it would be written; NULL: none */
	option_default_fn *dflt_from; /* then dflt is for the manual alone */
	const char *const *words;     /* NULL-terminated */
	const struct option_section *section; /* OPTION_MAP: the options in it */
	option_read_fn *read; /* OPTION_OTHER; OPTION_MAP: what its value says beside options,
				 a word in place of the map among it */
	const char *kind;     /* of OPTION_OTHER: "list of addresses" */
	const char *accepts;  /* for the manual, where the row does not tell by itself */
	const char *manual;
};

#define OPTION_FIELD(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* A map's options; `name` says where in the file they stand. */
struct option_section {
	const char *name;
	const struct option *options;
	size_t count;
	enum option_level level; /* 0: nothing is inherited by this map, or from it */
	size_t size;             /* of the struct that the table describes */
	const struct option_section *const *below; /* NULL-terminated: whose options may stand
						      here if they name this level; NULL: none */
	option_check_fn *check;                    /* NULL: none */
	/* Another section whose options may stand in the same maps; NULL: none. It is read by
	 * itself, and `unchecked`: which keys there are has been looked at with this one. It may
	 * have one beside it in turn. */
	const struct option_section *beside;
	bool unchecked;
};

#define OPTION_COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define OPTION_SECTION(name, table)                                             \
	{                                                                       \
		name, table, OPTION_COUNT(table), 0, 0, NULL, NULL, NULL, false \
	}

/* Fills in defaults, then reads what is written. `where` is the place to name when a required
 * option is missing (that of the map's key or first entry). A section with a level inherits from
 * conf->map; while it is read, conf->map is the section's own. */
void option_read_map(struct conf *conf, const struct option_section *section,
		     const struct yaml_node *map, const struct place *where, void *out);

/* Two options contradict each other: told at the one of them that stands in this map. Where none
 * does, it has been told where the innermost stands. */
void option_contradiction(struct conf *conf, const struct option_map *map, const char *name,
			  const char *other, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* One line an option: section, name, type, default, range, what it is inherited from, description,
 * between tabs. */
void option_print(const struct option_section *section, FILE *out);

void conf_error(struct conf *conf, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same of what may be a secret: the line is not shown, nor may the message repeat it. */
void conf_error_unseen(struct conf *conf, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warning(struct conf *conf, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* In the arena, cut after 599 octets. */
const char *conf_text(struct conf *conf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* " (did you mean "x"?)" or "", in the arena. */
const char *conf_hint(struct conf *conf, const char *text, const char *const *candidates,
		      size_t count);

/* "a, b or c", in the arena. */
const char *conf_word_list(struct conf *conf, const char *const *words);

/* false, and reported: not of this kind. `what` is what it should be: "a list of addresses". */
bool conf_expect(struct conf *conf, const struct yaml_node *value, enum yaml_kind kind,
		 const char *what);

/* Which numbers an option takes, and how that is told: "0km to 20000km", "auto or 1 to 128
 * threads". */
struct amount {
	int64_t min, max;
	const char *suffix; /* may be written behind it; NULL: none */
	const char *counts; /* what it is a number of; NULL: of nothing */
	const char *word;   /* what may stand in its place, which the caller has looked for */
};

struct duration {
	uint32_t min, max, unit_ms;
	const char *word;
};

/* Scalars; false: reported. */
bool conf_amount(struct conf *conf, const struct yaml_node *value, const struct amount *amount,
		 int64_t *out);
bool conf_duration(struct conf *conf, const struct yaml_node *value,
		   const struct duration *duration, uint32_t *out);

/* "folder/name"; an empty folder adds nothing. */
const char *conf_join(struct arena *arena, const char *folder, const char *name);
/* Without "//", "." and those ".." that stand behind a folder: the same file by a shorter name. */
const char *conf_clean_path(struct arena *arena, const char *path);
/* What links lead to: the same, whatever way it is named. What is not there yet is in a folder that
 * is. */
const char *conf_real_path(struct arena *arena, const char *path);
const char *conf_path(struct conf *conf, const char *path); /* absolute and clean */
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

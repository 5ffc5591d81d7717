#include "conf/option.h"

#include <string.h>

#include "conf/effective.h"
#include "conf/seen.h"

/* --- one option ------------------------------------------------------------------------------- */

static void store(const struct option *option, void *out, uint32_t value)
{
	char *field = (char *)out + option->offset;
	uint16_t two = (uint16_t)value;
	uint8_t one = (uint8_t)value;

	if (option->size == sizeof(value))
		memcpy(field, &value, sizeof(value));
	else if (option->size == sizeof(two))
		memcpy(field, &two, sizeof(two));
	else
		memcpy(field, &one, sizeof(one));
}

static void store_text(const struct option *option, void *out, const char *text)
{
	memcpy((char *)out + option->offset, &text, sizeof(text));
}

const char *conf_word_list(struct conf *conf, const char *const *words)
{
	const char *list = words[0];

	for (size_t i = 1; words[i] != NULL; i++)
		list = conf_text(conf, "%s%s%s", list, words[i + 1] == NULL ? " or " : ", ",
				 words[i]);
	return list;
}

static bool read_word(struct conf *conf, const struct yaml_node *value, const char *const *words,
		      const char *list, uint32_t *out)
{
	uint32_t count = 0;

	if (!conf_expect(conf, value, YAML_SCALAR, list))
		return false;
	for (; words[count] != NULL; count++) {
		if (strcmp(words[count], value->text) == 0) {
			*out = count;
			return true;
		}
	}
	conf_error(conf, &value->place, "\"%.100s\" is not %s%s", value->text, list,
		   conf_hint(conf, value->text, words, count));
	return false;
}

static const char *const bool_words[] = { "false", "true", NULL };

static void read_amount(struct conf *conf, const struct option *option,
			const struct yaml_node *value, void *out)
{
	struct amount amount = {
		.min = option->negative ? -(int64_t)option->max : (int64_t)option->min,
		.max = option->max,
		.suffix = option->suffix,
		.counts = option->counts,
	};
	int64_t number;

	if (conf_amount(conf, value, &amount, &number))
		store(option, out, (uint32_t)number);
}

static void read_duration(struct conf *conf, const struct option *option,
			  const struct yaml_node *value, void *out)
{
	uint32_t times = option->field_ms != 0 ? option->unit_ms / option->field_ms : 1;
	struct duration duration = { option->min, option->max, option->unit_ms, NULL };
	uint32_t number;

	if (conf_duration(conf, value, &duration, &number))
		store(option, out, number * times);
}

static void read_text(struct conf *conf, const struct option *option, const struct yaml_node *value,
		      void *out)
{
	bool path = option->type == OPTION_PATH;

	if (!conf_expect(conf, value, YAML_SCALAR, path ? "a path" : "text"))
		return;
	if (path && value->text[0] == '\0')
		conf_error(conf, &value->place, "the path is empty");
	else
		store_text(option, out, path ? conf_path(conf, value->text) : value->text);
}

/* All but maps of options. */
static void read_value(struct conf *conf, const struct option *option,
		       const struct yaml_node *value, void *out)
{
	uint32_t number;

	switch (option->type) {
	case OPTION_TEXT:
	case OPTION_PATH: read_text(conf, option, value, out); break;
	case OPTION_BOOL:
		if (read_word(conf, value, bool_words, "true or false", &number))
			store(option, out, number);
		break;
	case OPTION_NUMBER: read_amount(conf, option, value, out); break;
	case OPTION_DURATION: read_duration(conf, option, value, out); break;
	case OPTION_WORD:
		if (read_word(conf, value, option->words, conf_word_list(conf, option->words),
			      &number))
			store(option, out, number);
		break;
	default: option->read(conf, value, out); break;
	}
}

/* The tree of a default: one scalar, or, where it has spaces, a list of them. */
static const struct yaml_node *default_node(struct conf *conf, const char *text)
{
	struct yaml_node *list = arena_alloc(conf->arena, sizeof(*list));

	if (strchr(text, ' ') == NULL) {
		list->text = text;
		return list;
	}
	list->kind = YAML_LIST;
	while (*text != '\0') {
		struct yaml_node *item = arena_alloc(conf->arena, sizeof(*item));
		size_t len = strcspn(text, " ");

		item->text = arena_text(conf->arena, text, len);
		if (list->last != NULL)
			list->last->next = item;
		else
			list->first = item;
		list->last = item;
		list->count++;
		text += len + strspn(text + len, " ");
	}
	return list;
}

/* --- what holds ------------------------------------------------------------------------------- */

static bool may_stand(const struct option *option, const struct option_map *map,
		      const struct option_map *at)
{
	return at == map || at->level == LEVEL_INNER || (option->above & at->level) != 0;
}

/* What the innermost map says that has the option; NULL: none has. */
static const struct yaml_node *find_value(const struct option *option, const struct option_map *map,
					  const struct option_map **holds)
{
	for (const struct option_map *at = map; at != NULL; at = at->up) {
		const struct yaml_node *value = yaml_get(at->map, option->name);

		if (value == NULL || !may_stand(option, map, at) ||
		    (value->kind == YAML_SCALAR && value->empty))
			continue;
		*holds = at;
		return value;
	}
	return NULL;
}

/* --- a map as a value ------------------------------------------------------------------------- */

static void read_section(struct conf *conf, const struct option_section *section,
			 const struct option_map *map, const struct place *where, void *out);

/* What is above the map that is an option's value: its values further up, as far as these are
 * maps. A word up there replaces all of it. */
static const struct option_map *inner_maps(struct conf *conf, const struct option *option,
					   const struct option_map *map,
					   const struct option_map *holds)
{
	struct option_map *inner = arena_alloc(conf->arena, sizeof(*inner));

	inner->map = yaml_get(holds->map, option->name);
	inner->level = LEVEL_INNER;
	for (holds = holds->up; holds != NULL; holds = holds->up) {
		const struct yaml_node *value = yaml_get(holds->map, option->name);

		if (value == NULL || !may_stand(option, map, holds))
			continue;
		if (value->kind == YAML_MAP)
			inner->up = inner_maps(conf, option, map, holds);
		break;
	}
	return inner;
}

static void read_inner(struct conf *conf, const struct option *option,
		       const struct yaml_node *value, const struct option_map *map,
		       const struct option_map *holds, void *out)
{
	static const struct yaml_node no_options = { .kind = YAML_MAP };
	struct option_map none = { &no_options, LEVEL_INNER, NULL };
	const struct option_map *inner = &none;
	bool word = value != NULL && value->kind == YAML_SCALAR && option->read != NULL;
	void *field = (char *)out + option->offset;

	if (value != NULL && !word)
		inner = inner_maps(conf, option, map, holds);
	read_section(conf, option->section, inner, &inner->map->place, field);
	if (word || (value != NULL && value->kind == YAML_MAP && option->read != NULL))
		option->read(conf, value, field);
}

/* --- a map of options ------------------------------------------------------------------------- */

static const struct option *find_option(const struct option_section *section, const char *name)
{
	for (size_t i = 0; i < section->count; i++) {
		if (strcmp(section->options[i].name, name) == 0)
			return &section->options[i];
	}
	if (section->beside != NULL)
		return find_option(section->beside, name);
	for (const struct option_section *const *below = section->below;
	     below != NULL && *below != NULL; below++) {
		for (size_t i = 0; i < (*below)->count; i++) {
			const struct option *option = &(*below)->options[i];

			if ((option->above & section->level) != 0 &&
			    strcmp(option->name, name) == 0)
				return option;
		}
	}
	return NULL;
}

/* Is the unknown option, whose nearest known one this is, perhaps one that a start must not miss?
 * A "lisen" that is passed over would have us listen everywhere. */
static bool may_mean_boot(const struct option_section *section, const char *nearest)
{
	const struct option *option = nearest == NULL ? NULL : find_option(section, nearest);

	return option != NULL && !option->later;
}

#define NAMES_MAX 96

static size_t names_of(const struct option_section *section, unsigned level, const char **names,
		       size_t count)
{
	for (size_t i = 0; i < section->count && count < NAMES_MAX; i++) {
		if (level == 0 || (section->options[i].above & level) != 0)
			names[count++] = section->options[i].name;
	}
	return count;
}

static void report_unknown(struct conf *conf, const struct option_section *section,
			   const struct yaml_node *key)
{
	const char *names[NAMES_MAX];
	size_t count = names_of(section, 0, names, 0);

	for (const struct option_section *beside = section->beside; beside != NULL;
	     beside = beside->beside)
		count = names_of(beside, 0, names, count);
	for (const struct option_section *const *below = section->below;
	     below != NULL && *below != NULL; below++)
		count = names_of(*below, section->level, names, count);
	if (conf->boot_only && !may_mean_boot(section, diag_nearest(key->text, names, count)))
		return;
	conf_error(conf, &key->place, "unknown option \"%.100s\"%s", key->text,
		   conf_hint(conf, key->text, names, count));
}

static void check_key(struct conf *conf, const struct option_section *section,
		      const struct yaml_node *value)
{
	const struct option *option = find_option(section, value->key->text);

	if (option == NULL)
		report_unknown(conf, section, value->key);
	else if (value->kind == YAML_SCALAR && value->empty && !(conf->boot_only && option->later))
		conf_error(conf, &value->key->place, "\"%s\" has no value", option->name);
}

static void check_keys(struct conf *conf, const struct option_section *section,
		       const struct yaml_node *map)
{
	struct seen seen = { 0 };

	yaml_foreach(value, map) {
		const struct place *before = seen_add(&seen, value->key->text, &value->key->place);

		if (before != NULL)
			conf_error(conf, &value->key->place,
				   "\"%.100s\" is already given in line %u", value->key->text,
				   before->line);
		else
			check_key(conf, section, value);
	}
	seen_free(&seen);
}

/* What is inherited has been read where it stands, and its mistakes told there. */
static void read_held(struct conf *conf, const struct option *option, const struct yaml_node *value,
		      const struct option_map *map, const struct option_map *holds, void *out)
{
	bool quiet = conf->quiet;

	conf->quiet = quiet || (holds != NULL && holds != map);
	if (option->type == OPTION_MAP)
		read_inner(conf, option, value, map, holds, out);
	else if (value != NULL)
		read_value(conf, option, value, out);
	conf->quiet = quiet;
}

static void read_row(struct conf *conf, const struct option *option, const struct option_map *map,
		     void *out)
{
	const struct option_map *holds = NULL;
	const struct yaml_node *value = NULL, *dflt = NULL;
	const char *text = option->dflt_from != NULL ? option->dflt_from(conf, out) : option->dflt;
	struct effective *outer = conf->effective;

	if (!(conf->boot_only && option->later))
		value = find_value(option, map, &holds);
	if (text != NULL)
		dflt = default_node(conf, text);
	conf->effective = NULL;
	if (value != NULL && dflt != NULL && option->type != OPTION_MAP)
		read_value(conf, option, dflt, out); /* holds where the value is a mistake */
	conf->effective = effective_option(conf, outer, option, value != NULL ? value : dflt,
					   value == NULL);
	read_held(conf, option, value != NULL ? value : dflt, map, holds, out);
	conf->effective = outer;
}

/* What is written of a section below, or inherited by it, is read for its mistakes; what is not has
 * its default, for the sake of the check. */
static void read_scratch(struct conf *conf, const struct option_section *below,
			 enum option_level level, const struct option_map *map)
{
	void *scratch = arena_alloc(conf->arena, below->size);
	struct effective *effective = conf->effective;
	unsigned errors = diag_errors(conf->diag);

	for (size_t i = 0; i < below->count; i++) {
		const struct option *option = &below->options[i];
		const struct option_map *holds;

		if ((option->above & level) == 0)
			continue;
		conf->effective = find_value(option, map, &holds) != NULL ? effective : NULL;
		read_row(conf, option, map, scratch);
	}
	conf->effective = effective;
	if (below->check != NULL && diag_errors(conf->diag) == errors)
		below->check(conf, map, scratch);
}

static bool has_any(const struct option_section *below, enum option_level level,
		    const struct option_map *map)
{
	const struct option_map *holds;

	for (size_t i = 0; i < below->count; i++) {
		if ((below->options[i].above & level) != 0 &&
		    find_value(&below->options[i], map, &holds) != NULL)
			return true;
	}
	return false;
}

static void read_below(struct conf *conf, const struct option_section *section,
		       const struct option_map *map)
{
	for (const struct option_section *const *below = section->below;
	     below != NULL && *below != NULL; below++) {
		if (has_any(*below, section->level, map))
			read_scratch(conf, *below, section->level, map);
	}
}

#define NAMES_TOLD 8

/* "a map of options (idle, lifetime or connections)" where there are few. */
static const char *map_text(struct conf *conf, const struct option_section *section)
{
	const char *names[NAMES_TOLD + 1] = { NULL };

	if (section->count == 0 || section->count > NAMES_TOLD)
		return "a map of options";
	(void)names_of(section, 0, names, 0);
	return conf_text(conf, "a map of options (%s)", conf_word_list(conf, names));
}

static bool is_missing(struct conf *conf, const struct option *option, const struct yaml_node *map)
{
	return option->required && !(conf->boot_only && option->later) &&
	       yaml_get(map, option->name) == NULL;
}

static void read_section(struct conf *conf, const struct option_section *section,
			 const struct option_map *map, const struct place *where, void *out)
{
	const struct option_map *outer = conf->map;
	struct effective *effective = conf->effective;
	unsigned errors = diag_errors(conf->diag);

	conf->map = map;
	conf->effective = effective_map(conf, effective, map);
	if (map->map->kind == YAML_MAP && !section->unchecked)
		check_keys(conf, section, map->map);
	else if (map->map->kind != YAML_MAP && !section->unchecked)
		(void)conf_expect(conf, map->map, YAML_MAP, map_text(conf, section));
	for (size_t i = 0; i < section->count; i++)
		read_row(conf, &section->options[i], map, out);
	read_below(conf, section, map);
	if (section->check != NULL && diag_errors(conf->diag) == errors)
		section->check(conf, map, out);
	for (size_t i = 0; map->map->kind == YAML_MAP && i < section->count; i++) {
		if (is_missing(conf, &section->options[i], map->map))
			conf_error(conf, where, "the required option \"%s\" is missing",
				   section->options[i].name);
	}
	conf->effective = effective;
	conf->map = outer;
}

void option_read_map(struct conf *conf, const struct option_section *section,
		     const struct yaml_node *map, const struct place *where, void *out)
{
	struct option_map *read = arena_alloc(conf->arena, sizeof(*read));

	*read = (struct option_map){ map, section->level, section->level != 0 ? conf->map : NULL };
	read_section(conf, section, read, where, out);
}

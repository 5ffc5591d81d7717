#include "conf/option.h"

#include <stdarg.h>
#include <string.h>

#include "conf/seen.h"

/* --- saying what is wrong --------------------------------------------------------------------- */

void conf_error(struct conf *conf, const struct place *place, const char *format, ...)
{
	char message[600];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diag_add(conf->diag, DIAG_ERROR, place, NULL, 0, "%s", message);
}

void conf_warning(struct conf *conf, const struct place *place, const char *format, ...)
{
	char message[600];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diag_add(conf->diag, DIAG_WARNING, place, NULL, 0, "%s", message);
}

const char *conf_text(struct conf *conf, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return arena_text(conf->arena, text, strlen(text));
}

const char *conf_hint(struct conf *conf, const char *text, const char *const *candidates,
		      size_t count)
{
	const char *nearest = diag_nearest(text, candidates, count);

	return nearest != NULL ? conf_text(conf, " (did you mean \"%s\"?)", nearest) : "";
}

bool conf_expect(struct conf *conf, const struct yaml_node *value, enum yaml_kind kind,
		 const char *what)
{
	if (value->kind == kind)
		return true;
	if (value->kind == YAML_SCALAR)
		conf_error(conf, &value->place, "\"%.100s\" is not %s", value->text, what);
	else
		conf_error(conf, &value->place, "%s stands where %s belongs", yaml_kind_name(value),
			   what);
	return false;
}

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

static const char *word_list(struct conf *conf, const char *const *words)
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

static void read_option(struct conf *conf, const struct option *option,
			const struct yaml_node *value, void *out)
{
	uint32_t number;

	switch (option->type) {
	case OPTION_TEXT:
	case OPTION_PATH:
		if (conf_expect(conf, value, YAML_SCALAR,
				option->type == OPTION_PATH ? "a path" : "text"))
			store_text(option, out,
				   option->type == OPTION_PATH ? conf_path(conf, value->text)
							       : value->text);
		break;
	case OPTION_BOOL:
		if (read_word(conf, value, bool_words, "true or false", &number))
			store(option, out, number);
		break;
	case OPTION_NUMBER:
		if (conf_number(conf, value, option->min, option->max, &number))
			store(option, out, number);
		break;
	case OPTION_DURATION:
		if (conf_duration(conf, value, option->min, option->max, option->unit_ms, &number))
			store(option, out, number);
		break;
	case OPTION_WORD:
		if (read_word(conf, value, option->words, word_list(conf, option->words), &number))
			store(option, out, number);
		break;
	case OPTION_OTHER: option->read(conf, value, out); break;
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

/* --- a map of options ------------------------------------------------------------------------- */

static const struct option *find_option(const struct option_section *section, const char *name)
{
	for (size_t i = 0; i < section->count; i++) {
		if (strcmp(section->options[i].name, name) == 0)
			return &section->options[i];
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

static void report_unknown(struct conf *conf, const struct option_section *section,
			   const struct yaml_node *key)
{
	const char *names[64];
	size_t count = 0;

	for (; count < section->count && count < 64; count++)
		names[count] = section->options[count].name;
	if (conf->boot_only && !may_mean_boot(section, diag_nearest(key->text, names, count)))
		return;
	conf_error(conf, &key->place, "unknown option \"%.100s\"%s", key->text,
		   conf_hint(conf, key->text, names, count));
}

static void read_pair(struct conf *conf, const struct option_section *section,
		      const struct yaml_node *value, void *out)
{
	const struct option *option = find_option(section, value->key->text);

	if (option == NULL)
		report_unknown(conf, section, value->key);
	else if (conf->boot_only && option->later)
		return;
	else if (value->kind == YAML_SCALAR && value->empty)
		conf_error(conf, &value->key->place, "\"%s\" has no value", option->name);
	else
		read_option(conf, option, value, out);
}

void option_read_map(struct conf *conf, const struct option_section *section,
		     const struct yaml_node *map, const struct place *where, void *out)
{
	struct seen seen = { 0 };

	for (size_t i = 0; i < section->count; i++) {
		const struct option *option = &section->options[i];

		if (option->dflt != NULL)
			read_option(conf, option, default_node(conf, option->dflt), out);
	}
	if (!conf_expect(conf, map, YAML_MAP, "a map of options"))
		return;
	yaml_foreach(value, map) {
		const struct place *before = seen_add(&seen, value->key->text, &value->key->place);

		if (before != NULL)
			conf_error(conf, &value->key->place,
				   "\"%.100s\" is already given in line %u", value->key->text,
				   before->line);
		else
			read_pair(conf, section, value, out);
	}
	for (size_t i = 0; i < section->count; i++) {
		if (section->options[i].required &&
		    !(conf->boot_only && section->options[i].later) &&
		    seen_find(&seen, section->options[i].name) == NULL)
			conf_error(conf, where, "the required option \"%s\" is missing",
				   section->options[i].name);
	}
	seen_free(&seen);
}

/* --- the manual ------------------------------------------------------------------------------- */

static void print_range(struct conf *conf, const struct option *option, FILE *out)
{
	if (option->accepts != NULL)
		(void)fputs(option->accepts, out);
	else if (option->type == OPTION_NUMBER)
		(void)fprintf(out, "%u..%u", option->min, option->max);
	else if (option->type == OPTION_DURATION)
		(void)fprintf(out, "%s..%s",
			      conf_duration_text(conf, (uint64_t)option->min * option->unit_ms),
			      conf_duration_text(conf, (uint64_t)option->max * option->unit_ms));
	else if (option->type == OPTION_BOOL)
		(void)fputs("true or false", out);
	else if (option->type == OPTION_WORD)
		(void)fputs(word_list(conf, option->words), out);
	else
		(void)fputs("-", out);
}

void option_print(const struct option_section *section, FILE *out)
{
	static const char *const types[] = { "text",     "path", "boolean", "number",
					     "duration", "word", "" };
	struct arena arena = { 0 };
	struct conf conf = { .arena = &arena };

	for (size_t i = 0; i < section->count; i++) {
		const struct option *option = &section->options[i];

		(void)fprintf(out, "%s\t%s\t%s\t%s\t", section->name, option->name,
			      option->type == OPTION_OTHER ? option->kind : types[option->type],
			      option->required       ? "(required)"
			      : option->dflt != NULL ? option->dflt
						     : "-");
		print_range(&conf, option, out);
		(void)fprintf(out, "\t%s\n", option->manual);
	}
	arena_free(&arena);
}

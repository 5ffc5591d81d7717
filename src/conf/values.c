/* Single values as operators write them: numbers, durations, paths, names; and lists of texts. */
#include <string.h>

#include "conf/option.h"

#define NAME_SIZE_MAX 63

/* --- values ----------------------------------------------------------------------------------- */

/* Digits only, up to `end`; false: something else. Saturates. */
static bool digits(const char *text, const char *end, uint64_t *out)
{
	uint64_t value = 0;

	if (text == end)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (value < INT64_MAX / 100)
			value = value * 10 + (uint64_t)(*text - '0');
	}
	*out = value;
	return true;
}

bool conf_amount(struct conf *conf, const struct yaml_node *value, int64_t min, int64_t max,
		 const char *suffix, int64_t *out)
{
	uint64_t number = 0;
	const char *end;
	size_t suffix_len = strlen(suffix);
	bool minus;
	int64_t amount;

	if (!conf_expect(conf, value, YAML_SCALAR, "a whole number"))
		return false;
	end = value->text + strlen(value->text);
	if ((size_t)(end - value->text) > suffix_len && strcmp(end - suffix_len, suffix) == 0)
		end -= suffix_len;
	/* A minus sign is a number out of range rather than no number. */
	minus = value->text[0] == '-';
	if (!digits(value->text + minus, end, &number)) {
		conf_error(conf, &value->place, "\"%.100s\" is not a whole number", value->text);
		return false;
	}
	amount = minus ? -(int64_t)number : (int64_t)number;
	if (amount < min || amount > max || (minus && min >= 0)) {
		conf_error(conf, &value->place, "%.40s is out of range: %lld%s to %lld%s",
			   value->text, (long long)min, suffix, (long long)max, suffix);
		return false;
	}
	*out = amount;
	return true;
}

bool conf_number(struct conf *conf, const struct yaml_node *value, uint32_t min, uint32_t max,
		 uint32_t *out)
{
	int64_t number;

	if (!conf_amount(conf, value, min, max, "", &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

static const struct {
	const char *name;
	uint64_t ms;
} units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

const char *conf_duration_text(struct conf *conf, uint64_t ms)
{
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (ms >= units[i].ms && ms % units[i].ms == 0)
			return conf_text(conf, "%llu%s", (unsigned long long)(ms / units[i].ms),
					 units[i].name);
	}
	return "0s";
}

static bool duration_ms(const char *text, uint64_t *out)
{
	const char *unit = text + strspn(text, "0123456789");
	uint64_t number;

	if (!digits(text, unit, &number))
		return false;
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (strcmp(unit, units[i].name) == 0) {
			*out = number > UINT64_MAX / units[i].ms ? UINT64_MAX
								 : number * units[i].ms;
			return true;
		}
	}
	return false;
}

bool conf_duration(struct conf *conf, const struct yaml_node *value, uint32_t min, uint32_t max,
		   uint32_t unit_ms, uint32_t *out)
{
	uint64_t ms;

	if (!conf_expect(conf, value, YAML_SCALAR, "a duration such as 200ms, 5s, 1m, 12h or 90d"))
		return false;
	if (!duration_ms(value->text, &ms)) {
		conf_error(conf, &value->place,
			   "\"%.100s\" is not a duration such as 200ms, 5s, 1m, 12h or 90d",
			   value->text);
		return false;
	}
	if (ms % unit_ms != 0 || ms / unit_ms < min || ms / unit_ms > max) {
		conf_error(conf, &value->place, "%.40s is out of range: %s to %s, in steps of %s",
			   value->text, conf_duration_text(conf, (uint64_t)min * unit_ms),
			   conf_duration_text(conf, (uint64_t)max * unit_ms),
			   conf_duration_text(conf, unit_ms));
		return false;
	}
	*out = (uint32_t)(ms / unit_ms);
	return true;
}

const char *conf_join(struct arena *arena, const char *folder, const char *name)
{
	size_t len = strlen(folder);
	size_t size = len + strlen(name) + 2;
	char *path = arena_alloc(arena, size);
	bool slash = len > 0 && folder[len - 1] != '/';

	(void)snprintf(path, size, "%s%s%s", folder, slash ? "/" : "", name);
	return path;
}

const char *conf_path(struct conf *conf, const char *path)
{
	return conf_join(conf->arena, path[0] == '/' ? "" : conf->folder, path);
}

const char *conf_folder(struct arena *arena, const char *file)
{
	const char *slash = strrchr(file, '/');

	if (slash == NULL)
		return "";
	return arena_text(arena, file, slash == file ? 1 : (size_t)(slash - file));
}

bool conf_name(struct conf *conf, const struct yaml_node *name, const char *what)
{
	size_t len = strlen(name->text);

	if (len > 0 && len <= NAME_SIZE_MAX &&
	    strspn(name->text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len)
		return true;
	conf_error(conf, &name->place,
		   "\"%.100s\" is no name for a %s: 1 to 63 of a-z, 0-9 and \"-\"", name->text,
		   what);
	return false;
}

/* --- lists ------------------------------------------------------------------------------------ */

size_t items_count(const struct yaml_node *value)
{
	return value->kind == YAML_LIST ? value->count : 1;
}

static void read_item(struct conf *conf, const struct yaml_node *item, const char *what,
		      item_read_fn *read, void *context)
{
	if (item->kind == YAML_SCALAR && item->empty)
		conf_error(conf, &item->place, "there is no value here");
	else if (conf_expect(conf, item, YAML_SCALAR, what))
		read(conf, item, context);
}

void items_read(struct conf *conf, const struct yaml_node *value, const char *what,
		item_read_fn *read, void *context)
{
	if (value->kind != YAML_LIST) {
		read_item(conf, value, what, read, context);
		return;
	}
	if (value->count == 0)
		conf_error(conf, &value->place, "an empty list stands where %s belongs", what);
	yaml_foreach(item, value)
		read_item(conf, item, what, read, context);
}

/* Single values as operators write them: numbers, durations, paths, names; and lists of texts. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static const char *range_text(struct conf *conf, const struct amount *amount)
{
	const char *suffix = amount->suffix != NULL ? amount->suffix : "";

	return conf_text(conf, "%lld%s to %lld%s%s%s", (long long)amount->min, suffix,
			 (long long)amount->max, suffix, amount->counts != NULL ? " " : "",
			 amount->counts != NULL ? amount->counts : "");
}

/* "auto or " */
static const char *or_text(struct conf *conf, const char *word)
{
	return word != NULL ? conf_text(conf, "%s or ", word) : "";
}

bool conf_amount(struct conf *conf, const struct yaml_node *value, const struct amount *amount,
		 int64_t *out)
{
	size_t suffix_len = amount->suffix != NULL ? strlen(amount->suffix) : 0;
	const char *range = range_text(conf, amount), *word = or_text(conf, amount->word);
	const char *what = conf_text(conf, "%sa whole number from %s", word, range);
	uint64_t number = 0;
	const char *end;
	bool minus;

	if (!conf_expect(conf, value, YAML_SCALAR, what))
		return false;
	end = value->text + strlen(value->text);
	if ((size_t)(end - value->text) > suffix_len && suffix_len > 0 &&
	    strcmp(end - suffix_len, amount->suffix) == 0)
		end -= suffix_len;
	/* A minus sign is a number out of range rather than no number. */
	minus = value->text[0] == '-';
	if (!digits(value->text + minus, end, &number)) {
		conf_error(conf, &value->place, "\"%.100s\" is not %s", value->text, what);
		return false;
	}
	*out = minus ? -(int64_t)number : (int64_t)number;
	if (*out >= amount->min && *out <= amount->max && !(minus && amount->min >= 0))
		return true;
	conf_error(conf, &value->place, "%.40s is out of range: %s%s", value->text, word, range);
	return false;
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

static bool is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool conf_duration(struct conf *conf, const struct yaml_node *value,
		   const struct duration *duration, uint32_t *out)
{
	const char *word = or_text(conf, duration->word);
	uint64_t unit_ms = duration->unit_ms, ms;
	const char *min = conf_duration_text(conf, duration->min * unit_ms);
	const char *max = conf_duration_text(conf, duration->max * unit_ms);
	const char *what = conf_text(conf,
				     "%sa duration such as 200ms, 5s, 1m, 12h or 90d, from "
				     "%s to %s",
				     word, min, max);

	if (!conf_expect(conf, value, YAML_SCALAR, what))
		return false;
	if (!duration_ms(value->text, &ms)) {
		conf_error(conf, &value->place, "\"%.100s\" is not %s%s", value->text, what,
			   is_number(value->text) ? ": it has no unit" : "");
		return false;
	}
	if (ms % unit_ms != 0 || ms / unit_ms < duration->min || ms / unit_ms > duration->max) {
		conf_error(conf, &value->place, "%.40s is out of range: %s%s to %s, in steps of %s",
			   value->text, word, min, max, conf_duration_text(conf, unit_ms));
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

/* Is what `path` ends with a folder, and not a link that leads elsewhere? Then ".." behind it is
 * the folder that it is in. */
static bool is_plain_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (strcmp(slash != NULL ? slash + 1 : path, "..") == 0)
		return false;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

const char *conf_clean_path(struct arena *arena, const char *path)
{
	bool absolute = path[0] == '/';
	char *out = arena_alloc(arena, strlen(path) + 3);
	size_t len = 0;

	for (path += strspn(path, "/"); *path != '\0'; path += strspn(path, "/")) {
		size_t size = strcspn(path, "/");
		bool up = size == 2 && memcmp(path, "..", 2) == 0;

		if (up && len > 0 && is_plain_folder(out)) {
			while (len > 0 && out[--len] != '/')
				;
		} else if (!(up && absolute && len == 0) && !(size == 1 && *path == '.')) {
			if (absolute || len > 0)
				out[len++] = '/';
			memcpy(out + len, path, size);
			len += size;
		}
		out[len] = '\0';
		path += size;
	}
	if (len == 0)
		memcpy(out, absolute ? "/" : ".", 2);
	return out;
}

const char *conf_real_path(struct arena *arena, const char *path)
{
	char *whole = arena_text(arena, path, strlen(path)), *slash = NULL, *real;

	while ((real = realpath(whole, NULL)) == NULL && strrchr(whole, '/') > whole) {
		slash = strrchr(whole, '/');
		*slash = '\0';
	}
	if (real == NULL)
		return path;
	path = conf_join(arena, real, path + strlen(whole) + strspn(path + strlen(whole), "/"));
	free(real);
	return conf_clean_path(arena, path);
}

const char *conf_path(struct conf *conf, const char *path)
{
	const char *whole = conf_join(conf->arena, path[0] == '/' ? "" : conf->folder, path);

	return conf_clean_path(conf->arena, whole);
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

/* Saying what is wrong. */
#include <stdarg.h>
#include <string.h>

#include "conf/option.h"

void conf_error(struct conf *conf, const struct place *place, const char *format, ...)
{
	char message[600];
	va_list args;

	if (conf->quiet)
		return;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diag_add(conf->diag, DIAG_ERROR, place, NULL, 0, "%s", message);
}

void conf_error_unseen(struct conf *conf, const struct place *place, const char *format, ...)
{
	char message[600];
	va_list args;

	if (conf->quiet)
		return;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diag_add(conf->diag, DIAG_ERROR, place, "", 0, "%s", message);
}

void conf_warning(struct conf *conf, const struct place *place, const char *format, ...)
{
	char message[600];
	va_list args;

	if (conf->quiet)
		return;
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

void option_contradiction(struct conf *conf, const struct option_map *map, const char *name,
			  const char *other, const char *format, ...)
{
	const struct yaml_node *value = yaml_get(map->map, name);
	char message[600];
	va_list args;

	if (value == NULL)
		value = yaml_get(map->map, other);
	if (value == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	conf_error(conf, &value->place, "%s", message);
}

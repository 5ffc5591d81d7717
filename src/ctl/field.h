/* field.h - fields of control's answers; what is missing reads as empty. */
#ifndef CTL_FIELD_H
#define CTL_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

static inline const char *field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

static inline long long field_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static inline uint64_t field_count(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* Is it there, and not null? */
static inline bool field_has(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value != NULL && !json_is_null(value);
}

static inline bool field_is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

#endif

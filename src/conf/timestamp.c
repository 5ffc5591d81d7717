#include "conf/timestamp.h"

#include <string.h>

bool conf_timestamp(struct conf *conf, const struct yaml_node *value, uint64_t *unix_s)
{
	if (!conf_expect(conf, value, YAML_SCALAR, TIMESTAMP_ACCEPTS))
		return false;
	if (timestamp_parse(value->text, unix_s))
		return true;
	conf_error(conf, &value->place, "\"%.100s\" is not " TIMESTAMP_ACCEPTS " (RFC 3339)",
		   value->text);
	return false;
}

const char *conf_timestamp_text(struct conf *conf, uint64_t unix_s)
{
	char text[TIMESTAMP_SIZE];

	(void)timestamp_text(unix_s, text);
	return arena_text(conf->arena, text, strlen(text));
}

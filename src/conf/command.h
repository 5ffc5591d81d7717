/* command.h - options that are a command: a list of words, of which the first is the path of a
 * program. It is executed as it stands, without a shell. */
#ifndef CONF_COMMAND_H
#define CONF_COMMAND_H

#include "conf/option.h"

struct config_command {
	const char *words; /* with a NUL between them; NULL: none */
	size_t len;
};

/* false, and reported: it is no such list, or there is no such program. `placeholders` are the words
 * in braces that mean something in it, NULL-terminated; others are warned of. */
bool command_read(struct conf *conf, const struct yaml_node *value, const char *const *placeholders,
		  struct config_command *out);

/* Does any word hold this? */
bool command_has(const struct config_command *command, const char *text);

#endif

#include "conf/command.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/run_messages.h"

struct reading {
	const char *const *placeholders;
	struct buf words;
	size_t count;
};

/* "{adress}": letters in braces that mean nothing here, which may be right. */
static void warn_of_braces(struct conf *conf, const struct yaml_node *item,
			   const char *const *placeholders)
{
	for (const char *at = strchr(item->text, '{'); at != NULL; at = strchr(at + 1, '{')) {
		size_t len = 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz");
		size_t known = 0;

		if (len < 2 || at[len] != '}')
			continue;
		len++;
		while (placeholders[known] != NULL && (strlen(placeholders[known]) != len ||
						       strncmp(placeholders[known], at, len) != 0))
			known++;
		if (placeholders[known] == NULL)
			conf_warning(conf, &item->place, "%.*s stays as it is: it is not %s",
				     len > 40 ? 40 : (int)len, at,
				     conf_word_list(conf, placeholders));
	}
}

/* The program: relative to the folder of the file, as all paths are. */
static const char *program(struct conf *conf, const struct yaml_node *item)
{
	const char *path = conf_path(conf, item->text);
	struct stat st;

	if (item->text[0] == '\0')
		conf_error(conf, &item->place, "the path of the program is empty");
	else if (stat(path, &st) != 0)
		conf_error(conf, &item->place, "%.200s: %s%s", path, strerror(errno),
			   strchr(item->text, ' ') != NULL
				   ? " (a command is a list of words: [PROGRAM, ARGUMENT])"
				   : "");
	else if (!S_ISREG(st.st_mode))
		conf_error(conf, &item->place, "%.200s is no program", path);
	else if ((st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		conf_error(conf, &item->place, "%.200s is not executable", path);
	return path;
}

static void read_word(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct reading *reading = context;
	const char *word = item->text;

	if (reading->count++ == 0)
		word = program(conf, item);
	else
		warn_of_braces(conf, item, reading->placeholders);
	buf_append(&reading->words, word, strlen(word) + 1);
}

bool command_read(struct conf *conf, const struct yaml_node *value, const char *const *placeholders,
		  struct config_command *out)
{
	struct reading reading = { .placeholders = placeholders };
	unsigned errors = diag_errors(conf->diag);

	items_read(conf, value, "the path of a program, or a list of it and its arguments",
		   read_word, &reading);
	if (reading.count > RUN_WORDS_MAX || reading.words.len > RUN_TEXT_MAX / 2)
		conf_error(conf, &value->place, "a command is at most %d words and %d octets long",
			   RUN_WORDS_MAX, RUN_TEXT_MAX / 2);
	if (reading.words.len > 0) {
		out->words = arena_copy(conf->arena, reading.words.data, reading.words.len);
		out->len = reading.words.len - 1;
	}
	buf_free(&reading.words);
	return diag_errors(conf->diag) == errors;
}

bool command_has(const struct config_command *command, const char *text)
{
	return command->words != NULL &&
	       memmem(command->words, command->len, text, strlen(text)) != NULL;
}

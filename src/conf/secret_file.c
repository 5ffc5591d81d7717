#include "conf/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "conf/data.h"

#define FILE_WORD "file:"

/* Any edit makes another one: editors replace files, or write into them. */
static uint64_t version_of(const struct stat *st)
{
	uint64_t mix = hash_word((uint64_t)st->st_mtim.tv_sec);

	mix = hash_word(mix ^ (uint64_t)st->st_mtim.tv_nsec);
	mix = hash_word(mix ^ (uint64_t)st->st_size);
	return hash_word(mix ^ (uint64_t)st->st_ino);
}

/* NULL: the contents are in `text`, which has room for an octet more than `size`. */
static const char *read_whole(int fd, char *text, size_t size, size_t *len)
{
	ssize_t n;

	*len = 0;
	do {
		n = read(fd, text + *len, size - *len);
		if (n > 0)
			*len += (size_t)n;
	} while ((n > 0 && *len < size) || (n < 0 && errno == EINTR));
	if (n < 0)
		return strerror(errno);
	text[*len] = '\0';
	return *len == 0 ? "is empty" : NULL;
}

static const char *check_contents(int fd, size_t size, const struct secret_rule *rule)
{
	char *text = mem_alloc(size + 1);
	size_t len;
	const char *wrong = read_whole(fd, text, size, &len);

	if (wrong == NULL && rule->check != NULL)
		wrong = rule->check(text, len, rule->context);
	explicit_bzero(text, size);
	free(text);
	return wrong;
}

void secret_path_refuse(struct conf *conf, const struct yaml_node *value, int error)
{
	conf_error_unseen(conf, &value->place,
			  "this is no path of a file that can be read (%s): a secret stands in a "
			  "file of its own, and its path here, from this file's folder on",
			  strerror(error));
}

/* A list or a map may hold a secret as well. */
static bool is_scalar(struct conf *conf, const struct yaml_node *value,
		      const struct secret_rule *rule)
{
	if (rule->open || value->kind == YAML_SCALAR)
		return conf_expect(conf, value, YAML_SCALAR, "the path of a file");
	conf_error_unseen(conf, &value->place, "%s stands where the path of a file belongs",
			  yaml_kind_name(value));
	return false;
}

static bool check_file(struct conf *conf, const struct yaml_node *value, const char *path, int fd,
		       const struct secret_rule *rule, uint64_t *version)
{
	struct stat st;
	const char *wrong = NULL;

	if (fd < 0 && !rule->open) {
		secret_path_refuse(conf, value, errno);
		return false;
	}
	if (fd < 0 || fstat(fd, &st) != 0)
		wrong = strerror(errno);
	else if (!S_ISREG(st.st_mode) || st.st_size > SECRET_FILE_MAX)
		wrong = conf_text(conf, "is not a file of at most %d octets", SECRET_FILE_MAX);
	else
		wrong = check_contents(fd, (size_t)st.st_size, rule);
	if (wrong != NULL) {
		conf_error(conf, &value->place, "%s: %s", path, wrong);
		return false;
	}
	if (!rule->open && (st.st_mode & S_IRWXO) != 0)
		conf_warning(conf, &value->place, "%s: others than its owner and group may read it",
			     path);
	*version = version_of(&st);
	return true;
}

bool secret_path_read(struct conf *conf, const struct yaml_node *value,
		      const struct secret_rule *rule, struct secret_path *out)
{
	const char *name, *path;
	bool right;
	int fd;

	if (!is_scalar(conf, value, rule))
		return false;
	name = value->text;
	if (strncmp(name, FILE_WORD, strlen(FILE_WORD)) == 0)
		name += strlen(FILE_WORD);
	if (*name == '\0') {
		conf_error(conf, &value->place, "the path is empty");
		return false;
	}
	path = conf_path(conf, name);
	/* What is neither a file nor a folder must not keep us waiting for who writes into it. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	right = check_file(conf, value, path, fd, rule, &out->version);
	if (fd >= 0)
		(void)close(fd);
	data_watch(conf, path);
	out->path = right ? path : NULL;
	return right;
}

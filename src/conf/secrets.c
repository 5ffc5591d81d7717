/* The file that the server file's cookie-secrets names: secrets that several servers share.
 *
 * Read by itself, for what stands in it must not be shown with a message as other files' lines
 * are. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/answering.h"
#include "conf/secret_file.h"

#define FILE_SIZE_MAX 4096
#define SECRET_DIGITS (2 * COOKIE_SECRET_SIZE)

struct secrets_file {
	struct conf *conf;
	const char *path;
	struct dns_settings *dns;
	unsigned line;
};

static struct place place_at(const struct secrets_file *file, size_t column)
{
	return (struct place){ .file = file->path,
			       .line = file->line,
			       .column = (unsigned)column + 1 };
}

/* The length of what was read; 0: nothing, which is told. */
static size_t read_text(struct conf *conf, const struct yaml_node *value, const char *path,
			char text[FILE_SIZE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t len = -1;

	if (fd < 0)
		secret_path_refuse(conf, value, errno);
	else if (fstat(fd, &st) != 0)
		conf_error(conf, &value->place, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX)
		conf_error(conf, &value->place, "%s: is not a file of at most %d octets", path,
			   FILE_SIZE_MAX);
	else if ((len = read(fd, text, FILE_SIZE_MAX)) <= 0)
		conf_error(conf, &value->place, "%s: %s", path,
			   len == 0 ? "is empty" : strerror(errno));
	else if ((st.st_mode & S_IRWXO) != 0)
		conf_warning(conf, &value->place, "%s: others than its owner and group may read it",
			     path);
	if (fd >= 0)
		(void)close(fd);
	return len > 0 ? (size_t)len : 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The line's length without what does not count: a comment, space at its end. */
static size_t content_length(const char *line, size_t len)
{
	const char *comment = memchr(line, '#', len);

	if (comment != NULL)
		len = (size_t)(comment - line);
	while (len > 0 && is_space(line[len - 1]))
		len--;
	return len;
}

static bool read_secret(const char *digits, uint8_t out[COOKIE_SECRET_SIZE], size_t *wrong)
{
	for (size_t i = 0; i < SECRET_DIGITS; i++) {
		int digit = conf_hex_digit(digits[i]);

		*wrong = i;
		if (digit < 0)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
	}
	return true;
}

static void read_line(struct secrets_file *file, const char *line, size_t len)
{
	struct dns_settings *dns = file->dns;
	size_t start = 0, wrong = 0;
	uint8_t secret[COOKIE_SECRET_SIZE] = { 0 };
	struct place place;

	len = content_length(line, len);
	while (start < len && is_space(line[start]))
		start++;
	if (start == len)
		return;
	place = place_at(file, start);
	if (len - start != SECRET_DIGITS) {
		conf_error(file->conf, &place, "a secret has %d hexadecimal digits, and not %zu",
			   SECRET_DIGITS, len - start);
	} else if (!read_secret(line + start, secret, &wrong)) {
		place = place_at(file, start + wrong);
		conf_error(file->conf, &place, "this is not a hexadecimal digit");
	} else if (dns->cookie_secret_count == COOKIE_SECRETS_MAX) {
		conf_error(file->conf, &place, "there are more than %d secrets",
			   COOKIE_SECRETS_MAX);
	} else {
		memcpy(dns->cookie_secrets[dns->cookie_secret_count++], secret, sizeof(secret));
	}
}

void read_cookie_secrets(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;
	struct secrets_file file = { .conf = conf, .dns = &config->dns };
	unsigned errors = diag_errors(conf->diag);
	char text[FILE_SIZE_MAX];
	size_t len;

	if (!conf_expect(conf, value, YAML_SCALAR, "the path of a file"))
		return;
	file.path = conf_path(conf, value->text);
	len = read_text(conf, value, file.path, text);
	for (size_t pos = 0; pos < len;) {
		const char *end = memchr(text + pos, '\n', len - pos);
		size_t line_len = end == NULL ? len - pos : (size_t)(end - text) - pos;

		file.line++;
		read_line(&file, text + pos, line_len);
		pos += line_len + 1;
	}
	if (len > 0 && diag_errors(conf->diag) == errors && file.dns->cookie_secret_count == 0)
		conf_error(conf, &value->place, "%s: holds no secret", file.path);
	explicit_bzero(text, sizeof(text));
}

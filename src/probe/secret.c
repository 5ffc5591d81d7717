#include "probe/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_whole(int fd, char *text, size_t size, size_t *len)
{
	ssize_t n;

	*len = 0;
	do {
		n = read(fd, text + *len, size - *len);
		if (n > 0)
			*len += (size_t)n;
	} while ((n > 0 && *len < size) || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : 0;
}

int secret_read(const char *path, char *text, size_t size, size_t *len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int rc = -1;

	if (fd < 0 || fstat(fd, &st) != 0)
		(void)err_set(err, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		(void)err_set(err, "%s: is not a file", path);
	else if (read_whole(fd, text, size, len) != 0)
		(void)err_set(err, "%s: %s", path, strerror(errno));
	else if (*len == 0 || *len == size)
		(void)err_set(err, "%s: %s", path, *len == 0 ? "is empty" : "is too long");
	else
		rc = 0;
	if (rc == 0)
		text[*len] = '\0';
	else
		secret_wipe(text, size);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

void secret_wipe(void *bytes, size_t size)
{
	explicit_bzero(bytes, size);
}

#include "supervise/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or a name in the abstract space, which begins with '@'. 0: not a usable one. */
static socklen_t manager_address(struct sockaddr_un *out)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path == NULL ? 0 : strlen(path);

	if (len < 2 || len >= sizeof(out->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(out->sun_path, path, len);
	if (path[0] == '@')
		out->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

enum notify_result notify_send(const char *lines)
{
	enum notify_result result = NOTIFY_DONE;
	struct sockaddr_un address;
	socklen_t len = manager_address(&address);
	int fd;

	if (len == 0)
		return NOTIFY_DONE;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return NOTIFY_DONE;
	if (sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&address, len) <
		    0 &&
	    errno == EAGAIN)
		result = NOTIFY_AGAIN;
	(void)close(fd);
	return result;
}

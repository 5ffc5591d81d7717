#include "control/stamp.h"

#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#define STAMP_MAGIC UINT64_C(0x31706d6174537053)

/* id 0: no file of this kind. */
struct stamped {
	uint64_t id, inode, size, changed_ns;
};

struct stamp {
	uint64_t magic;
	char program[32];
	struct stamped files[IMAGE_KINDS];
	uint64_t sum;
};

static uint64_t sum_of(const struct stamp *stamp)
{
	return hash_bytes(stamp, offsetof(struct stamp, sum), STAMP_MAGIC);
}

static struct stamp empty_stamp(void)
{
	struct stamp stamp = { .magic = STAMP_MAGIC };

	(void)snprintf(stamp.program, sizeof(stamp.program), "%s", PACKAGE_VERSION);
	return stamp;
}

static bool look_at(int fd, struct stamped *out)
{
	struct image_header header;
	struct stat st;

	if (fstat(fd, &st) != 0 || pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return false;
	*out = (struct stamped){ header.id, (uint64_t)st.st_ino, (uint64_t)st.st_size,
				 (uint64_t)st.st_mtim.tv_sec * 1000000000U +
					 (uint64_t)st.st_mtim.tv_nsec };
	return true;
}

static bool look_in(int folder, enum image_kind kind, struct stamped *out)
{
	char name[64];
	bool found = false;
	int fd;

	(void)snprintf(name, sizeof(name), "%s.image", image_name[kind]);
	fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		found = look_at(fd, out);
		(void)close(fd);
	}
	return found;
}

int stamp_write(int folder, struct err *err)
{
	struct stamp stamp = empty_stamp();
	int rc = -1;
	int fd;

	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		(void)look_in(folder, (enum image_kind)kind, &stamp.files[kind]);
	stamp.sum = sum_of(&stamp);
	fd = openat(folder, STAMP_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, &stamp, sizeof(stamp)) == (ssize_t)sizeof(stamp) && fsync(fd) == 0)
		rc = 0;
	else
		(void)err_set(err, STAMP_NAME ": %s", strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static bool read_stamp(int folder, struct stamp *out)
{
	int fd = openat(folder, STAMP_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, out, sizeof(*out));
		(void)close(fd);
	}
	return n == (ssize_t)sizeof(*out) && out->sum == sum_of(out);
}

bool stamp_fits(int folder, const int fds[IMAGE_KINDS])
{
	struct stamp stamp, now = empty_stamp();

	if (!read_stamp(folder, &stamp))
		return false;
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (fds[kind] >= 0 && !look_at(fds[kind], &now.files[kind]))
			return false;
	}
	now.sum = sum_of(&now);
	return memcmp(&now, &stamp, sizeof(now)) == 0;
}

bool stamp_spend(int folder, const int fds[IMAGE_KINDS])
{
	return stamp_fits(folder, fds) && unlinkat(folder, STAMP_NAME, 0) == 0;
}

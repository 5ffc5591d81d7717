#include "probe/file_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/mem.h"
#include "probe/aside.h"

#define THREADS_MAX 4

struct file_read {
	LIST_ENTRY(file_read) link;
	struct file_reader *reader; /* not once it is closed */
	struct aside_job *job;
	file_read_fn *told; /* NULL: it is cancelled */
	void *context;
	bool hangs;
	/* The thread's as long as it works. */
	char *path;
	size_t max;
	struct file_text file;
	struct buf text;
};

struct file_reader {
	struct aside *aside;
	LIST_HEAD(, file_read) reads;
};

/* --- in a thread ------------------------------------------------------------------------------ */

static int read_all(struct file_read *read_it, int fd)
{
	char chunk[16384];
	ssize_t n = 1;

	while (n > 0 && read_it->text.len < read_it->max) {
		size_t room = read_it->max - read_it->text.len;

		n = read(fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
		if (n > 0)
			buf_append(&read_it->text, chunk, (size_t)n);
	}
	return n < 0 ? errno : 0;
}

static void work(void *data)
{
	struct file_read *read_it = data;
	struct file_text *file = &read_it->file;
	int fd = open(read_it->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &file->st) != 0)
		file->error = errno;
	else if (S_ISREG(file->st.st_mode))
		file->error = read_all(read_it, fd);
	file->is_file = file->error == 0 && S_ISREG(file->st.st_mode);
	buf_append(&read_it->text, "", 1);
	if (fd >= 0)
		(void)close(fd);
}

static void drop(void *data)
{
	struct file_read *read_it = data;

	buf_free(&read_it->text);
	free(read_it->path);
	free(read_it);
}

/* --- in the loop ------------------------------------------------------------------------------ */

static void done(void *data)
{
	struct file_read *read_it = data;

	LIST_REMOVE(read_it, link);
	read_it->file.text = (const char *)read_it->text.data;
	read_it->file.len = read_it->text.len - 1;
	if (read_it->told != NULL)
		read_it->told(read_it->context, &read_it->file);
}

struct file_reader *file_reader_open(struct ev_loop *loop)
{
	struct file_reader *reader = mem_alloc(sizeof(*reader));

	reader->aside = aside_open(loop, THREADS_MAX);
	LIST_INIT(&reader->reads);
	return reader;
}

void file_reader_close(struct file_reader *reader)
{
	aside_close(reader->aside);
	free(reader);
}

bool file_read_hangs(const struct file_reader *reader, const char *path)
{
	const struct file_read *read_it;

	LIST_FOREACH(read_it, &reader->reads, link)
	{
		if (read_it->hangs && strcmp(read_it->path, path) == 0)
			return true;
	}
	return false;
}

struct file_read *file_read_start(struct file_reader *reader, const char *path, size_t max,
				  file_read_fn *told, void *context)
{
	static const struct aside_work reading = { work, done, drop };
	struct file_read *read_it = mem_alloc(sizeof(*read_it));

	read_it->reader = reader;
	read_it->told = told;
	read_it->context = context;
	read_it->path = mem_copy_text(path);
	read_it->max = max;
	LIST_INSERT_HEAD(&reader->reads, read_it, link);
	read_it->job = aside_do(reader->aside, &reading, read_it);
	if (read_it->job != NULL)
		return read_it;
	LIST_REMOVE(read_it, link);
	drop(read_it);
	return NULL;
}

bool file_read_has_begun(struct file_read *read_it)
{
	return aside_has_begun(read_it->job);
}

void file_read_cancel(struct file_read *read_it, bool hangs)
{
	struct file_reader *reader = read_it->reader;

	LIST_REMOVE(read_it, link);
	if (aside_cancel(read_it->job))
		return;
	read_it->told = NULL;
	read_it->hangs = hangs;
	LIST_INSERT_HEAD(&reader->reads, read_it, link);
}

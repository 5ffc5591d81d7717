#include "control/watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define LOOK_EVERY_S 1.

/* What tells two contents of a file apart; all zero: there is no file. */
struct look {
	dev_t device;
	ino_t inode;
	off_t size;
	int64_t modified_ns, changed_ns;
};

struct file {
	char *path;
	struct look read; /* as it was when its reading began, or earlier */
	struct look seen; /* as it was a second ago */
};

struct watch {
	struct ev_loop *loop;
	struct ev_timer timer;
	watch_changed_fn *changed;
	void *context;
	struct file *files;
	size_t count;
};

static int64_t nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static struct look look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return (struct look){ 0 };
	return (struct look){ st.st_dev, st.st_ino, st.st_size, nanoseconds(&st.st_mtim),
			      nanoseconds(&st.st_ctim) };
}

static bool same(const struct look *a, const struct look *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

/* true: it is not as it was read, and has not changed for a second. */
static bool is_due(struct file *file)
{
	struct look now = look_at(file->path);
	bool quiet = same(&now, &file->seen);

	file->seen = now;
	return quiet && !same(&now, &file->read);
}

static void look(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct watch *watch = timer->data;
	const char *first = NULL;
	size_t due = 0;

	(void)loop;
	(void)events;
	for (size_t i = 0; i < watch->count; i++) {
		if (!is_due(&watch->files[i]))
			continue;
		if (due++ == 0)
			first = watch->files[i].path;
		watch->files[i].read = watch->files[i].seen; /* told now */
	}
	if (due > 0)
		watch->changed(watch->context, first, due - 1);
}

struct watch *watch_open(struct ev_loop *loop, watch_changed_fn *changed, void *context)
{
	struct watch *watch = mem_alloc(sizeof(*watch));

	watch->loop = loop;
	watch->changed = changed;
	watch->context = context;
	ev_timer_init(&watch->timer, look, LOOK_EVERY_S, LOOK_EVERY_S);
	watch->timer.data = watch;
	ev_timer_start(loop, &watch->timer);
	return watch;
}

static void free_files(struct file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(files[i].path);
	free(files);
}

void watch_close(struct watch *watch)
{
	if (watch == NULL)
		return;
	ev_timer_stop(watch->loop, &watch->timer);
	free_files(watch->files, watch->count);
	free(watch);
}

static const struct file *find(const struct watch *watch, const char *path)
{
	for (size_t i = 0; i < watch->count; i++) {
		if (strcmp(watch->files[i].path, path) == 0)
			return &watch->files[i];
	}
	return NULL;
}

/* A file as it would have been read at that time: where it was written later, as none. */
static struct look look_before(const char *path, uint64_t unix_ms)
{
	struct look now = look_at(path);

	return now.changed_ns / 1000000 < (int64_t)unix_ms ? now : (struct look){ 0 };
}

void watch_files(struct watch *watch, const char *const *paths, size_t count, uint64_t read_unix_ms)
{
	struct file *files = mem_array(count + 1, sizeof(*files));

	for (size_t i = 0; i < count; i++) {
		const struct file *known = find(watch, paths[i]);

		if (known != NULL)
			files[i] = *known;
		else
			files[i].read = look_before(paths[i], read_unix_ms);
		files[i].path = mem_copy_text(paths[i]);
	}
	free_files(watch->files, watch->count);
	watch->files = files;
	watch->count = count;
}

void watch_mark(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		watch->files[i].read = watch->files[i].seen = look_at(watch->files[i].path);
}

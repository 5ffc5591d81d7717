#include "control/watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/aside.h"

#define LOOK_EVERY_S 1.
#define QUIET_MS     900 /* from the end of a look to the beginning of the next one */

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
	struct look seen; /* as it was when it was looked at last */
	uint64_t seen_ms; /* since when, monotonic */
};

/* One round, looked at beside the loop: a disk may hang. */
struct round {
	struct watch *watch; /* not once it is closed */
	char **paths;
	struct look *looks;
	size_t count;
	uint64_t began_ms, ended_ms; /* monotonic */
};

struct watch {
	struct ev_loop *loop;
	struct ev_timer timer;
	struct aside *aside;
	struct round *round; /* NULL: none is under way */
	bool void_round;     /* it is of other files, or of before they were read */
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

/* true: it is not as it was read, and has not changed for a second. Two looks may be closer to each
 * other, where the first of them was late. */
static bool is_due(struct file *file, const struct round *round, const struct look *now)
{
	if (!same(now, &file->seen)) {
		file->seen = *now;
		file->seen_ms = round->ended_ms;
		return false;
	}
	return round->began_ms >= file->seen_ms + QUIET_MS && !same(now, &file->read);
}

static void look(void *data)
{
	struct round *round = data;

	round->began_ms = clock_mono_ms();
	for (size_t i = 0; i < round->count; i++)
		round->looks[i] = look_at(round->paths[i]);
	round->ended_ms = clock_mono_ms();
}

static void looked(void *data)
{
	struct round *round = data;
	struct watch *watch = round->watch;
	const char *first = NULL;
	size_t due = 0;

	watch->round = NULL;
	for (size_t i = 0; !watch->void_round && i < watch->count; i++) {
		if (!is_due(&watch->files[i], round, &round->looks[i]))
			continue;
		if (due++ == 0)
			first = watch->files[i].path;
		watch->files[i].read = watch->files[i].seen; /* told now */
	}
	if (due > 0)
		watch->changed(watch->context, first, due - 1);
}

static void drop(void *data)
{
	struct round *round = data;

	for (size_t i = 0; i < round->count; i++)
		free(round->paths[i]);
	free(round->paths);
	free(round->looks);
	free(round);
}

static void begin_round(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	static const struct aside_work looking = { look, looked, drop };
	struct watch *watch = timer->data;
	struct round *round;

	(void)loop;
	(void)events;
	if (watch->round != NULL || watch->count == 0)
		return;
	round = mem_alloc(sizeof(*round));
	round->watch = watch;
	round->count = watch->count;
	round->paths = mem_array(round->count, sizeof(*round->paths));
	round->looks = mem_array(round->count, sizeof(*round->looks));
	for (size_t i = 0; i < round->count; i++)
		round->paths[i] = mem_copy_text(watch->files[i].path);
	watch->void_round = false;
	watch->round = round;
	if (aside_do(watch->aside, &looking, round) == NULL) {
		watch->round = NULL;
		drop(round);
	}
}

struct watch *watch_open(struct ev_loop *loop, watch_changed_fn *changed, void *context)
{
	struct watch *watch = mem_alloc(sizeof(*watch));

	watch->loop = loop;
	watch->changed = changed;
	watch->context = context;
	watch->aside = aside_open(loop, 1);
	ev_timer_init(&watch->timer, begin_round, LOOK_EVERY_S, LOOK_EVERY_S);
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
	aside_close(watch->aside);
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
	watch->void_round = true;
}

/* While a round is under way a disk may hang, and not only for the round: then each file is taken for
 * what it was at the last look, which at worst has it read again. */
void watch_mark(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct file *file = &watch->files[i];

		file->seen = watch->round == NULL ? look_at(file->path) : file->seen;
		file->read = file->seen;
	}
	watch->void_round = true;
}

#include "control/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/stamp.h"

#define LOOK_EVERY_S 60.

/* --- reading -------------------------------------------------------------------------------- */

static int load(struct images *images, const char *folder, enum image_kind kind, struct err *err)
{
	char *path = mem_format("%s/%s.image", folder, image_name[kind]);
	int fd = -1;
	int rc = image_load(path, &fd, err);

	if (rc == 0 && (images_set(images, kind, fd, err) != 0 ||
			image_check_id(&images->image[kind], err) != 0))
		rc = err_prefix(err, "%s", path);
	free(path);
	return rc;
}

static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* The locations are for `explain` and for the next reload, which makes them anew where they are
 * damaged, and says so: no reason to go without a world. */
static int load_all(struct images *images, const char *folder, struct err *err)
{
	struct err ignored;

	if (load(images, folder, IMAGE_ZONES, err) != 0 ||
	    load(images, folder, IMAGE_GEO, err) != 0 || load(images, folder, IMAGE_PLAN, err) != 0)
		return -1;
	if (load(images, folder, IMAGE_LOCATIONS, &ignored) != 0)
		images_drop(images, IMAGE_LOCATIONS);
	return images_verify(images, NULL, err);
}

int disk_load(const char *state_dir, const char *name, struct images **out, struct err *err)
{
	char *folder = mem_format("%s/%s", state_dir, name);
	struct images *images = images_new();
	int rc = 0;

	*out = NULL;
	if (is_there(folder))
		rc = load_all(images, folder, err);
	if (rc == 0 && images_are_complete(images)) {
		*out = images;
		images = NULL; /* now the caller's */
	}
	images_free(images);
	free(folder);
	return rc;
}

/* A break of the lease is told by a signal, whose default must not be the end (SIGIO's is). */
static int open_leased(int folder, enum image_kind kind)
{
	char name[64];
	int fd;

	(void)snprintf(name, sizeof(name), "%s.image", image_name[kind]);
	fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && (fcntl(fd, F_SETSIG, SIGURG) != 0 || fcntl(fd, F_SETLEASE, F_RDLCK) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static bool open_all(struct images *images, int folder)
{
	struct err ignored;

	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		int fd = kind == IMAGE_STEERING ? -1 : open_leased(folder, (enum image_kind)kind);

		if (fd >= 0 && images_set(images, (enum image_kind)kind, fd, &ignored) != 0)
			return false;
	}
	return images_are_complete(images) && stamp_spend(folder, images->fd);
}

void disk_open(const char *state_dir, const char *name, struct images **out)
{
	char *path = mem_format("%s/%s", state_dir, name);
	struct images *images = images_new();
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*out = NULL;
	if (folder >= 0 && open_all(images, folder)) {
		*out = images;
		images = NULL; /* now the caller's */
	}
	images_free(images);
	if (folder >= 0)
		(void)close(folder);
	free(path);
}

/* --- writing: in the thread ------------------------------------------------------------------ */

struct job {
	int fd[IMAGE_KINDS]; /* -1: the world has none of this kind */
	bool thorough;       /* read what is there to the last octet before believing in it */
	const char *state_dir;
	bool wrote_world;
	uint64_t took_ms;
	struct err err; /* text[0] == 0: what is on the disk is as it should be */
};

static void close_all(int fds[IMAGE_KINDS])
{
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (fds[kind] >= 0)
			(void)close(fds[kind]);
		fds[kind] = -1;
	}
}

static bool is_image(int file, uint64_t id, enum image_kind kind, bool thorough)
{
	struct image image = { NULL, 0 };
	struct err ignored;
	bool same;

	if (image_open(&image, file, kind, &ignored) != 0)
		return false;
	same = image_header(&image)->id == id &&
	       (!thorough || image_check_id(&image, &ignored) == 0);
	image_close(&image);
	return same;
}

static uint64_t id_of(int fd)
{
	struct image_header header = { 0 };

	return pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) ? header.id : 0;
}

/* Is the image that the job has also in STATE/world? */
static bool is_on_disk(const struct job *job, int state, enum image_kind kind, bool thorough)
{
	char name[64];
	bool same = false;
	int file;

	(void)snprintf(name, sizeof(name), "world/%s.image", image_name[kind]);
	file = openat(state, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file >= 0)
		same = is_image(file, id_of(job->fd[kind]), kind, thorough);
	if (file >= 0)
		(void)close(file);
	return same;
}

static bool world_is_on_disk(const struct job *job, int state)
{
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (job->fd[kind] >= 0 &&
		    !is_on_disk(job, state, (enum image_kind)kind, job->thorough))
			return false;
	}
	return true;
}

/* A reload mostly changes one image of five: the others are linked, not copied; but never a
 * damaged one, which would go on from world to world. */
static bool link_unchanged(const struct job *job, int state, enum image_kind kind)
{
	char from[64], to[64];

	(void)snprintf(from, sizeof(from), "world/%s.image", image_name[kind]);
	(void)snprintf(to, sizeof(to), "world.new/%s.image", image_name[kind]);
	return is_on_disk(job, state, kind, true) && linkat(state, from, state, to, 0) == 0;
}

static int save_one(struct job *job, enum image_kind kind)
{
	char *path = mem_format("%s/world.new/%s.image", job->state_dir, image_name[kind]);
	int rc = image_save(job->fd[kind], path, &job->err);

	free(path);
	return rc;
}

static void remove_world(int state, const char *folder)
{
	char name[64];

	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		(void)snprintf(name, sizeof(name), "%s/%s.image", folder, image_name[kind]);
		(void)unlinkat(state, name, 0);
		(void)snprintf(name, sizeof(name), "%s/%s.image.new", folder, image_name[kind]);
		(void)unlinkat(state, name, 0);
	}
	(void)snprintf(name, sizeof(name), "%s/" STAMP_NAME, folder);
	(void)unlinkat(state, name, 0);
	(void)unlinkat(state, folder, AT_REMOVEDIR);
}

/* The stamp and the names, too, must be there after a power cut. */
static int stamp_folder(struct job *job, int state, const char *folder)
{
	int fd = openat(state, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		rc = err_set(&job->err, "%s", strerror(errno));
	else if (stamp_write(fd, &job->err) != 0)
		rc = -1;
	else if (fsync(fd) != 0)
		rc = err_set(&job->err, "fsync: %s", strerror(errno));
	if (rc != 0)
		(void)err_prefix(&job->err, "%s/%s", job->state_dir, folder);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int write_new(struct job *job, int state)
{
	remove_world(state, "world.new");
	if (mkdirat(state, "world.new", 0755) != 0)
		return err_set(&job->err, "%s/world.new: %s", job->state_dir, strerror(errno));
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (job->fd[kind] >= 0 && !link_unchanged(job, state, (enum image_kind)kind) &&
		    save_one(job, (enum image_kind)kind) != 0)
			return -1;
	}
	return stamp_folder(job, state, "world.new");
}

/* Where there is no exchange (NFS): for a moment only world.previous is there, which will do. */
static int replace(int state)
{
	remove_world(state, "world.previous");
	if (renameat(state, "world", state, "world.previous") != 0 && errno != ENOENT)
		return -1;
	return renameat(state, "world.new", state, "world");
}

static int exchange(struct job *job, int state)
{
	if (renameat2(state, "world.new", state, "world", RENAME_EXCHANGE) == 0) {
		remove_world(state, "world.previous");
		(void)renameat(state, "world.new", state, "world.previous");
	} else if ((errno != ENOENT && errno != EINVAL && errno != ENOSYS) || replace(state) != 0) {
		return err_set(&job->err, "%s/world: rename: %s", job->state_dir, strerror(errno));
	}
	if (fsync(state) != 0)
		return err_set(&job->err, "%s: fsync: %s", job->state_dir, strerror(errno));
	return 0;
}

/* Of a world that was there already, and has now been read in full. */
static void renew_stamp(struct job *job, int state)
{
	int folder = openat(state, "world", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fds[IMAGE_KINDS];
	bool fits;

	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s.image", image_name[kind]);
		fds[kind] = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	fits = stamp_fits(folder, fds);
	close_all(fds);
	if (folder >= 0)
		(void)close(folder);
	if (!fits)
		(void)stamp_folder(job, state, "world");
}

static void write_what_is_due(struct job *job, int state)
{
	if (world_is_on_disk(job, state)) {
		if (job->thorough)
			renew_stamp(job, state);
	} else {
		job->wrote_world = write_new(job, state) == 0 && exchange(job, state) == 0;
	}
}

static void write_job(struct job *job)
{
	uint64_t start = clock_mono_ms();
	int state = open(job->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (state < 0)
		(void)err_set(&job->err, "%s: %s", job->state_dir, strerror(errno));
	else
		write_what_is_due(job, state);
	if (state >= 0)
		(void)close(state);
	job->took_ms = clock_mono_ms() - start;
}

/* --- writing: in the loop --------------------------------------------------------------------- */

struct saver {
	struct ev_loop *loop;
	struct ev_async written;
	struct ev_timer minute;
	char *state_dir;
	int fd[IMAGE_KINDS]; /* duplicates: the world that belongs on the disk; -1: none */
	bool due;            /* it is newer than what is being written */
	bool checked;        /* what the disk had at the start was read in full */
	struct job job;      /* what the thread writes; its own while `running` */
	pthread_t thread;
	bool running;
	char failure[sizeof(((struct err *)NULL)->text)]; /* of the last one; "": none */
};

/* All or nothing: a world that lacks an image must not replace a whole one. Steering is not for the
 * disk: no start reads it, and it may hold secrets that nobody but processes should know. */
static int duplicate_all(int out[IMAGE_KINDS], const int fds[IMAGE_KINDS], struct err *err)
{
	int copies[IMAGE_KINDS];
	int rc = 0;

	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		bool wanted = fds[kind] >= 0 && kind != IMAGE_STEERING;

		copies[kind] = wanted ? fcntl(fds[kind], F_DUPFD_CLOEXEC, 0) : -1;
		if (copies[kind] < 0 && wanted && rc == 0)
			rc = err_set(err, "a descriptor for the %s image: %s", image_name[kind],
				     strerror(errno));
	}
	if (rc != 0) {
		close_all(copies);
		return rc;
	}
	close_all(out);
	memcpy(out, copies, sizeof(copies));
	return 0;
}

static void *run_job(void *argument)
{
	struct saver *saver = argument;

	write_job(&saver->job);
	ev_async_send(saver->loop, &saver->written);
	return NULL;
}

/* Told once, not every minute. */
static void note_failure(struct saver *saver, const char *why)
{
	if (strcmp(saver->failure, why) != 0)
		log_error("the world is not saved", "reason=\"%s\"", why);
	(void)snprintf(saver->failure, sizeof(saver->failure), "%s", why);
}

static void start_job(struct saver *saver)
{
	struct job *job = &saver->job;
	sigset_t all, before;
	struct err err;
	int rc;

	if (duplicate_all(job->fd, saver->fd, &err) != 0) {
		note_failure(saver, err.text); /* the next minute tries again */
		return;
	}
	job->state_dir = saver->state_dir;
	job->thorough = !saver->checked;
	job->wrote_world = false;
	job->err.text[0] = '\0';
	saver->due = false;
	(void)sigfillset(&all); /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&saver->thread, NULL, run_job, saver);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	saver->running = rc == 0;
	if (rc != 0) {
		note_failure(saver, strerror(rc));
		close_all(job->fd);
	}
}

static void report(struct saver *saver)
{
	const struct job *job = &saver->job;

	if (job->err.text[0] != '\0') {
		note_failure(saver, job->err.text);
		return;
	}
	saver->failure[0] = '\0';
	saver->checked = true;
	if (job->wrote_world)
		log_info("saved the world", "directory=%s/world ms=%llu", saver->state_dir,
			 (unsigned long long)job->took_ms);
}

static void end_job(struct saver *saver)
{
	if (!saver->running)
		return;
	(void)pthread_join(saver->thread, NULL);
	saver->running = false;
	report(saver);
	close_all(saver->job.fd);
}

static void written(struct ev_loop *loop, struct ev_async *async, int events)
{
	struct saver *saver = async->data;

	(void)loop;
	(void)events;
	end_job(saver);
	if (saver->due)
		start_job(saver);
}

/* Whatever happened to the disk since - it was full, it was emptied, it was replaced - it gets the
 * running world again. */
static void minute(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct saver *saver = timer->data;

	(void)loop;
	(void)events;
	if (saver->fd[IMAGE_ZONES] >= 0 && !saver->running)
		start_job(saver);
}

void saver_save(struct saver *saver, const struct images *images)
{
	struct err err;

	if (!images_are_sealed(images))
		return;
	if (duplicate_all(saver->fd, images->fd, &err) != 0) {
		note_failure(saver, err.text);
		return;
	}
	saver->due = true;
	if (!saver->running)
		start_job(saver);
}

const char *saver_failure(const struct saver *saver)
{
	return saver->failure;
}

struct saver *saver_open(struct ev_loop *loop, const char *state_dir)
{
	struct saver *saver = mem_alloc(sizeof(*saver));

	saver->loop = loop;
	saver->state_dir = mem_copy_text(state_dir);
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		saver->fd[kind] = -1;
		saver->job.fd[kind] = -1;
	}
	ev_async_init(&saver->written, written);
	ev_timer_init(&saver->minute, minute, LOOK_EVERY_S, LOOK_EVERY_S);
	saver->written.data = saver;
	saver->minute.data = saver;
	ev_async_start(loop, &saver->written);
	ev_timer_start(loop, &saver->minute);
	return saver;
}

void saver_close(struct saver *saver)
{
	if (saver == NULL)
		return;
	end_job(saver);
	if (saver->due) {
		start_job(saver);
		end_job(saver);
	}
	ev_async_stop(saver->loop, &saver->written);
	ev_timer_stop(saver->loop, &saver->minute);
	close_all(saver->fd);
	free(saver->state_dir);
	free(saver);
}

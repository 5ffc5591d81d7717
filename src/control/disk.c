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

#define STEERING_EVERY_S 60.

/* --- reading -------------------------------------------------------------------------------- */

static int load(struct images *images, const char *dir, enum image_kind kind, struct err *err)
{
	char *path = mem_format("%s/world/%s.image", dir, image_name[kind]);
	int fd = -1;
	int rc = image_load(path, &fd, err);

	if (rc == 0)
		rc = images_set(images, kind, fd, err);
	if (rc == 0)
		rc = image_check_id(&images->image[kind], err);
	if (rc != 0)
		rc = err_prefix(err, "%s", path);
	free(path);
	return rc;
}

static bool is_there(const char *dir, const char *name)
{
	char *path = mem_format("%s/%s", dir, name);
	struct stat st;
	bool there = stat(path, &st) == 0;

	free(path);
	return there;
}

int disk_load(const char *state_dir, struct images **out, struct err *err)
{
	struct images *images;

	*out = NULL;
	if (!is_there(state_dir, "world"))
		return 0;
	images = images_new();
	if (load(images, state_dir, IMAGE_ZONES, err) != 0 ||
	    load(images, state_dir, IMAGE_GEO, err) != 0 ||
	    load(images, state_dir, IMAGE_PLAN, err) != 0 ||
	    (is_there(state_dir, "world/locations.image") &&
	     load(images, state_dir, IMAGE_LOCATIONS, err) != 0) ||
	    images_verify(images, err) != 0) {
		images_free(images);
		return -1;
	}
	*out = images;
	return 0;
}

/* --- writing: in the thread ------------------------------------------------------------------ */

struct job {
	int fd[IMAGE_KINDS]; /* -1: not to be written */
	bool whole;
	const char *state_dir;
	uint64_t took_ms;
	struct err err; /* text[0] == 0: it is written */
};

/* The id of the image in a file, 0 where there is none. */
static uint64_t id_in_file(int dir, const char *name)
{
	struct image_header header = { 0 };
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) != 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
	    header.magic != IMAGE_MAGIC || header.size != (uint64_t)st.st_size)
		header.id = 0;
	(void)close(fd);
	return header.id;
}

/* A reload mostly changes one image of five: the others are linked, not copied. */
static bool link_unchanged(const struct job *job, int state, enum image_kind kind)
{
	struct image image = { NULL, 0 };
	char from[64], to[64];
	struct err err;
	bool linked = false;

	(void)snprintf(from, sizeof(from), "world/%s.image", image_name[kind]);
	(void)snprintf(to, sizeof(to), "world.new/%s.image", image_name[kind]);
	if (image_open(&image, job->fd[kind], kind, &err) != 0)
		return false;
	if (id_in_file(state, from) == image_header(&image)->id)
		linked = linkat(state, from, state, to, 0) == 0;
	image_close(&image);
	return linked;
}

static int save_one(struct job *job, const char *folder, enum image_kind kind)
{
	char *path = mem_format("%s/%s/%s.image", job->state_dir, folder, image_name[kind]);
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
	(void)unlinkat(state, folder, AT_REMOVEDIR);
}

static int write_new(struct job *job, int state)
{
	remove_world(state, "world.new");
	if (mkdirat(state, "world.new", 0755) != 0)
		return err_set(&job->err, "%s/world.new: %s", job->state_dir, strerror(errno));
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (job->fd[kind] >= 0 && !link_unchanged(job, state, (enum image_kind)kind) &&
		    save_one(job, "world.new", (enum image_kind)kind) != 0)
			return -1;
	}
	return 0;
}

static int exchange(struct job *job, int state)
{
	if (renameat2(state, "world.new", state, "world", RENAME_EXCHANGE) == 0) {
		remove_world(state, "world.previous");
		(void)renameat(state, "world.new", state, "world.previous");
	} else if (errno != ENOENT || renameat(state, "world.new", state, "world") != 0) {
		return err_set(&job->err, "%s/world: rename: %s", job->state_dir, strerror(errno));
	}
	if (fsync(state) != 0)
		return err_set(&job->err, "%s: fsync: %s", job->state_dir, strerror(errno));
	return 0;
}

static void *write_job(void *argument)
{
	struct job *job = argument;
	uint64_t start = clock_mono_ms();
	int state = open(job->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (state < 0) {
		(void)err_set(&job->err, "%s: %s", job->state_dir, strerror(errno));
	} else if (job->whole) {
		if (write_new(job, state) == 0)
			(void)exchange(job, state);
	} else if (id_in_file(state, "world/zones.image") != 0) {
		(void)save_one(job, "world", IMAGE_STEERING);
	}
	if (state >= 0)
		(void)close(state);
	job->took_ms = clock_mono_ms() - start;
	return NULL;
}

/* --- writing: in the loop --------------------------------------------------------------------- */

struct saver {
	struct ev_loop *loop;
	struct ev_async written;
	struct ev_timer minute;
	char *state_dir;
	struct job next; /* what waits; its descriptors are duplicates */
	bool whole_due, steering_due;
	struct job job; /* what the thread writes; its own while `running` */
	pthread_t thread;
	bool running;
	bool failing; /* the last one failed: reported once, not every minute */
};

static void job_clear(struct job *job)
{
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (job->fd[kind] >= 0)
			(void)close(job->fd[kind]);
		job->fd[kind] = -1;
	}
}

static void *run_job(void *argument)
{
	struct saver *saver = argument;

	(void)write_job(&saver->job);
	ev_async_send(saver->loop, &saver->written);
	return NULL;
}

static void start_job(struct saver *saver)
{
	sigset_t all, before;
	int rc;

	saver->job = saver->next;
	saver->job.whole = saver->whole_due;
	saver->job.state_dir = saver->state_dir;
	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		saver->next.fd[kind] = -1;
	saver->whole_due = false;
	saver->steering_due = false;
	(void)sigfillset(&all); /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&saver->thread, NULL, run_job, saver);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	saver->running = rc == 0;
	if (rc != 0) {
		log_error("the world is not saved", "reason=\"%s\"", strerror(rc));
		job_clear(&saver->job);
	}
}

static void report(struct saver *saver)
{
	const struct job *job = &saver->job;

	if (job->err.text[0] != '\0') {
		if (!saver->failing)
			log_error("the world is not saved", "reason=\"%s\"", job->err.text);
	} else if (job->whole) {
		log_info("saved the world", "directory=%s/world ms=%llu", saver->state_dir,
			 (unsigned long long)job->took_ms);
	}
	saver->failing = job->err.text[0] != '\0';
}

static void end_job(struct saver *saver)
{
	if (!saver->running)
		return;
	(void)pthread_join(saver->thread, NULL);
	saver->running = false;
	report(saver);
	job_clear(&saver->job);
	saver->job.err.text[0] = '\0';
}

static void written(struct ev_loop *loop, struct ev_async *async, int events)
{
	struct saver *saver = async->data;

	(void)loop;
	(void)events;
	end_job(saver);
	if (saver->whole_due)
		start_job(saver);
}

static void minute(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct saver *saver = timer->data;

	(void)loop;
	(void)events;
	if (saver->steering_due && !saver->running)
		start_job(saver);
}

static void duplicate(struct saver *saver, const struct images *images, enum image_kind kind)
{
	int *fd = &saver->next.fd[kind];

	if (*fd >= 0)
		(void)close(*fd);
	*fd = images->fd[kind] < 0 ? -1 : fcntl(images->fd[kind], F_DUPFD_CLOEXEC, 0);
}

void saver_save(struct saver *saver, const struct images *images)
{
	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		duplicate(saver, images, (enum image_kind)kind);
	saver->whole_due = true;
	if (!saver->running)
		start_job(saver);
}

void saver_save_steering(struct saver *saver, const struct images *images)
{
	duplicate(saver, images, IMAGE_STEERING);
	saver->steering_due = true;
}

struct saver *saver_open(struct ev_loop *loop, const char *state_dir)
{
	struct saver *saver = mem_alloc(sizeof(*saver));

	saver->loop = loop;
	saver->state_dir = mem_copy_text(state_dir);
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		saver->next.fd[kind] = -1;
		saver->job.fd[kind] = -1;
	}
	ev_async_init(&saver->written, written);
	ev_timer_init(&saver->minute, minute, STEERING_EVERY_S, STEERING_EVERY_S);
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
	if (saver->whole_due) {
		start_job(saver);
		end_job(saver);
	}
	ev_async_stop(saver->loop, &saver->written);
	ev_timer_stop(saver->loop, &saver->minute);
	job_clear(&saver->next);
	free(saver->state_dir);
	free(saver);
}

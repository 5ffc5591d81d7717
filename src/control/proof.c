#include "control/proof.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct proof {
	struct ev_loop *loop;
	struct ev_async read_all;
	pthread_t thread;
	bool running;
	proof_fn *done;
	void *context;
	struct images *on_disk; /* descriptors only */
	/* The thread's until it has ended. */
	struct images *proven;
	int rc;
	struct err err;
};

static int read_one(struct proof *proof, enum image_kind kind)
{
	struct err *err = &proof->err;
	int fd;

	if (proof->on_disk->fd[kind] < 0)
		return 0;
	if (image_share(proof->on_disk->fd[kind], &fd, err) != 0 ||
	    images_set(proof->proven, kind, fd, err) != 0)
		return -1;
	return image_check_id(&proof->proven->image[kind], err);
}

static void *read_world(void *argument)
{
	struct proof *proof = argument;

	proof->rc = 0;
	for (int kind = 0; kind < IMAGE_KINDS && proof->rc == 0; kind++)
		proof->rc = read_one(proof, (enum image_kind)kind);
	if (proof->rc == 0)
		proof->rc = images_verify(proof->proven, NULL, &proof->err);
	ev_async_send(proof->loop, &proof->read_all);
	return NULL;
}

static void drop(struct images **images)
{
	images_free(*images);
	*images = NULL;
}

/* Nobody needs the files any more then. */
static void join(struct proof *proof)
{
	if (proof->running)
		(void)pthread_join(proof->thread, NULL);
	proof->running = false;
	drop(&proof->on_disk);
}

static void read_all(struct ev_loop *loop, struct ev_async *async, int events)
{
	struct proof *proof = async->data;
	struct images *proven;

	(void)events;
	if (!proof->running)
		return;
	join(proof);
	ev_async_stop(loop, async);
	if (proof->rc != 0)
		drop(&proof->proven);
	proven = proof->proven;
	proof->proven = NULL; /* the callee's */
	proof->done(proof->context, proven, proof->err.text);
}

struct proof *proof_start(struct ev_loop *loop, const struct images *images, proof_fn *done,
			  void *context, struct err *err)
{
	struct images *on_disk = images_duplicate(images, err);
	sigset_t all, before;
	struct proof *proof;
	int rc;

	if (on_disk == NULL)
		return NULL;
	images_drop(on_disk, IMAGE_STEERING); /* is made anew, and is no disk's */
	proof = mem_alloc(sizeof(*proof));
	*proof = (struct proof){ .loop = loop,
				 .done = done,
				 .context = context,
				 .on_disk = on_disk,
				 .proven = images_new() };
	ev_async_init(&proof->read_all, read_all);
	proof->read_all.data = proof;
	ev_async_start(loop, &proof->read_all);
	(void)sigfillset(&all); /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&proof->thread, NULL, read_world, proof);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	proof->running = rc == 0;
	if (rc != 0) {
		(void)err_set(err, "no thread to read the world: %s", strerror(rc));
		proof_close(proof);
		return NULL;
	}
	return proof;
}

void proof_close(struct proof *proof)
{
	if (proof == NULL)
		return;
	join(proof);
	ev_async_stop(proof->loop, &proof->read_all);
	drop(&proof->proven);
	free(proof);
}

#include "probe/aside.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/mem.h"

struct aside_job {
	TAILQ_ENTRY(aside_job) link;
	struct aside *aside;
	const struct aside_work *work;
	void *data;
	bool has_begun;
};

TAILQ_HEAD(aside_jobs, aside_job);

/* The loop's, until it is closed while threads hang; then the last thread's. */
struct aside {
	struct ev_loop *loop;
	struct ev_async finished;
	unsigned threads_max;

	pthread_mutex_t lock; /* never held while something is done */
	pthread_cond_t wake, left;
	struct aside_jobs waiting, done;
	unsigned waiting_count, threads, idle, busy;
	bool closing, abandoned;
};

static void free_job(struct aside_job *job)
{
	job->work->drop(job->data);
	free(job);
}

static void free_jobs(struct aside_jobs *jobs)
{
	struct aside_job *job;

	while ((job = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, job, link);
		free_job(job);
	}
}

static void free_aside(struct aside *aside)
{
	(void)pthread_cond_destroy(&aside->wake);
	(void)pthread_cond_destroy(&aside->left);
	(void)pthread_mutex_destroy(&aside->lock);
	free(aside);
}

/* --- the threads ------------------------------------------------------------------------------ */

/* Called and left with the lock. NULL: it is closed. */
static struct aside_job *take(struct aside *aside)
{
	struct aside_job *job;

	aside->idle++;
	while (TAILQ_EMPTY(&aside->waiting) && !aside->closing)
		(void)pthread_cond_wait(&aside->wake, &aside->lock);
	aside->idle--;
	if (aside->closing)
		return NULL;
	job = TAILQ_FIRST(&aside->waiting);
	TAILQ_REMOVE(&aside->waiting, job, link);
	aside->waiting_count--;
	job->has_begun = true;
	return job;
}

/* The same. */
static void make(struct aside *aside, struct aside_job *job)
{
	aside->busy++;
	(void)pthread_mutex_unlock(&aside->lock);
	job->work->work(job->data);
	(void)pthread_mutex_lock(&aside->lock);
	aside->busy--;
	if (aside->closing) {
		free_job(job);
		return;
	}
	TAILQ_INSERT_TAIL(&aside->done, job, link);
	ev_async_send(aside->loop, &aside->finished);
}

static void *run(void *context)
{
	struct aside *aside = context;
	struct aside_job *job;
	bool is_last;

	(void)pthread_mutex_lock(&aside->lock);
	while ((job = take(aside)) != NULL)
		make(aside, job);
	aside->threads--;
	is_last = aside->abandoned && aside->threads == 0;
	(void)pthread_cond_signal(&aside->left);
	(void)pthread_mutex_unlock(&aside->lock);
	if (is_last)
		free_aside(aside);
	return NULL;
}

/* Without signals: those are the loop's. Called with the lock. */
static bool start_thread(struct aside *aside)
{
	sigset_t all, before;
	pthread_t thread;
	int failed;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&thread, NULL, run, aside);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0)
		return false;
	(void)pthread_detach(thread);
	aside->threads++;
	return true;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void finished(struct ev_loop *loop, struct ev_async *async, int events)
{
	struct aside *aside = async->data;
	struct aside_jobs done = TAILQ_HEAD_INITIALIZER(done);
	struct aside_job *job;

	(void)loop;
	(void)events;
	(void)pthread_mutex_lock(&aside->lock);
	TAILQ_CONCAT(&done, &aside->done, link);
	(void)pthread_mutex_unlock(&aside->lock);
	while ((job = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, job, link);
		job->work->done(job->data);
		free_job(job);
	}
}

struct aside *aside_open(struct ev_loop *loop, unsigned threads_max)
{
	struct aside *aside = mem_alloc(sizeof(*aside));

	aside->loop = loop;
	aside->threads_max = threads_max;
	(void)pthread_mutex_init(&aside->lock, NULL);
	(void)pthread_cond_init(&aside->wake, NULL);
	(void)pthread_cond_init(&aside->left, NULL);
	TAILQ_INIT(&aside->waiting);
	TAILQ_INIT(&aside->done);
	ev_async_init(&aside->finished, finished);
	ev_set_priority(&aside->finished, EV_MAXPRI); /* before timers of what is done */
	aside->finished.data = aside;
	ev_async_start(loop, &aside->finished);
	return aside;
}

void aside_close(struct aside *aside)
{
	bool is_free;

	ev_async_stop(aside->loop, &aside->finished);
	(void)pthread_mutex_lock(&aside->lock);
	aside->closing = true;
	(void)pthread_cond_broadcast(&aside->wake);
	while (aside->threads > aside->busy)
		(void)pthread_cond_wait(&aside->left, &aside->lock);
	free_jobs(&aside->waiting);
	free_jobs(&aside->done);
	aside->abandoned = aside->threads > 0;
	is_free = !aside->abandoned;
	(void)pthread_mutex_unlock(&aside->lock);
	if (is_free)
		free_aside(aside);
}

struct aside_job *aside_do(struct aside *aside, const struct aside_work *work, void *data)
{
	struct aside_job *job = mem_alloc(sizeof(*job));

	*job = (struct aside_job){ .aside = aside, .work = work, .data = data };
	(void)pthread_mutex_lock(&aside->lock);
	if (aside->waiting_count >= aside->idle && aside->threads < aside->threads_max &&
	    !start_thread(aside) && aside->threads == 0) {
		free(job);
		job = NULL;
	} else {
		TAILQ_INSERT_TAIL(&aside->waiting, job, link);
		aside->waiting_count++;
		(void)pthread_cond_signal(&aside->wake);
	}
	(void)pthread_mutex_unlock(&aside->lock);
	return job;
}

bool aside_has_begun(struct aside_job *job)
{
	struct aside *aside = job->aside;
	bool has_begun;

	(void)pthread_mutex_lock(&aside->lock);
	has_begun = job->has_begun;
	(void)pthread_mutex_unlock(&aside->lock);
	return has_begun;
}

bool aside_cancel(struct aside_job *job)
{
	struct aside *aside = job->aside;
	bool waits;

	(void)pthread_mutex_lock(&aside->lock);
	waits = !job->has_begun;
	if (waits) {
		TAILQ_REMOVE(&aside->waiting, job, link);
		aside->waiting_count--;
	}
	(void)pthread_mutex_unlock(&aside->lock);
	if (waits)
		free_job(job);
	return waits;
}

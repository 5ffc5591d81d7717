#include "serve/thread.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

/* Signals are for the main thread. */
static int create(struct server_thread *thread, void *(*body)(void *), void *object)
{
	sigset_t all, before;
	int error;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread->thread, NULL, body, object);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int server_thread_start(struct server_thread *thread, void *(*body)(void *), void *object,
			struct err *err)
{
	int error;

	if (getrandom(&thread->random, sizeof(thread->random), 0) != sizeof(thread->random))
		return err_set(err, "getrandom: %s", strerror(errno));
	error = create(thread, body, object);
	if (error != 0)
		return err_set(err, "thread %s: %s", thread->name, strerror(error));
	(void)pthread_setname_np(thread->thread, thread->name);
	return 0;
}

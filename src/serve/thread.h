/* thread.h - what every thread that answers has: its counters, its random bits, its name. */
#ifndef SERVE_THREAD_H
#define SERVE_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "image/handover.h"

/* A thread's own, on the counters page. */
struct thread_counters {
	struct counters *counters;
	struct class_counters *classes;
};

struct server_thread {
	pthread_t thread;
	char name[16];             /* as ps and top show it: 15 characters */
	struct counters *counters; /* this thread is their one writer */
	struct class_counters *classes;
	uint64_t random; /* state of server_thread_counter */
};

/* Fresh bits: SplitMix64 from a seed of the system's. They spread clients, they keep no secret. The
 * counter's next state; hash_word of it are the bits. */
static inline uint64_t server_thread_counter(struct server_thread *thread)
{
	return thread->random += UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t server_thread_random(struct server_thread *thread)
{
	return hash_word(server_thread_counter(thread));
}

/* Starts it at body(object); `thread` is a member of object, and the name and counters are set. */
int server_thread_start(struct server_thread *thread, void *(*body)(void *), void *object,
			struct err *err);

#endif

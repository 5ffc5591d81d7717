/* store_parts.h - the store from inside: what control's side, the writer and the loading share. */
#ifndef STORE_STORE_PARTS_H
#define STORE_STORE_PARTS_H

#include <pthread.h>
#include <sys/types.h>

#include "store/database.h"

#define STORE_US_PER_S    ((uint64_t)1000000)
#define STORE_OPEN_MAX_US (1 * STORE_US_PER_S) /* for somebody else's lock, at the start */

#define STORE_HEALTH_TEXT sizeof(((struct store_health *)NULL)->error)

struct store {
	char *path;
	struct store_kept kept;
	pthread_t thread;
	_Atomic uint64_t give_up_us; /* clock_mono_us when to wait for locks no longer */

	/* Under `lock`, which is never held during I/O. */
	pthread_mutex_t lock;
	pthread_cond_t wake;        /* the writer */
	pthread_cond_t end;         /* store_close */
	struct queue queue;         /* rows that came since `batch` was taken */
	struct store_health health; /* pending: of the batch alone */
	ino_t damaged;              /* the file that store_load found to be so; 0: none */
	uint64_t last_ticket, stored_ticket;
	bool stopping;  /* store_close wants the thread to end */
	bool ended;     /* the thread needs the store no longer */
	bool losing;    /* rows were lost since writing worked last */
	bool abandoned; /* store_close did not wait for that: the thread frees the store */

	void (*told)(void *context); /* NULL: nobody wants to know */
	void *told_context;

	/* The writer's own (before it starts: store_open's). */
	struct database database;
	struct queue batch;         /* being written; kept until it is */
	struct queue_orders orders; /* the last that were told; ticket 0: none yet */
	bool orders_due;            /* they are to be written */
	struct queue_drill drill;   /* the last that was told */
	bool drill_due;
	bool failing;
	uint64_t failing_since_us, retry_us, next_write_us, next_prune_us;
	uint64_t clock_ahead_ms; /* of the wall clock before the monotonic one, when seen last */
	uint64_t prune_not_before_us; /* the clock was stepped */
};

/* --- store.c ------------------------------------------------------------------------------------- */

void store_free(struct store *store); /* nobody uses it any more */

/* The file that has the database's name now; 0: none. */
ino_t store_file_now(const struct store *store);

/* pthread_cond_timedwait wants CLOCK_MONOTONIC, clock_mono_us may count suspension: only
 * differences are shared. */
void store_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t us);

/* Has the writer look whether that file is damaged, and is still there. */
void store_tell_damage(struct store *store, ino_t file);

/* --- writer.c ------------------------------------------------------------------------------------ */

/* Before the thread: the first attempt to open the database. err is "" when all is well. */
void store_writer_prepare(struct store *store, struct err *err);
int store_writer_start(struct store *store, struct err *err);

#endif

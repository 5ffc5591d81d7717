#include "control/reload.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/compiler.h"
#include "control/diff.h"
#include "control/report.h"
#include "control/watch.h"

#define SERVED_WAIT_S 2. /* for the data plane, which takes milliseconds */

struct waiter {
	struct reload_asker by;
	reload_done_fn *done;
	void *context;
};

struct waiters {
	struct waiter *items;
	size_t count, cap;
};

struct reload {
	struct ev_loop *loop;
	struct running *running;
	const struct supervisor *supervisor;
	char *server_file, *state_dir;
	uint64_t boot_id;             /* of what the supervisor acts on; 0: it did not say */
	struct compiler *compiler;    /* NULL: no reload runs */
	struct compilation *compiled; /* the compiler's, once it has ended */
	struct waiters waiting;       /* for the one that runs */
	struct waiters queued;        /* for the next one */
	json_t *last;
	uint64_t start_us, start_unix_ms;
	struct watch *watch;
	/* Verifying takes up to a second of a large world, so a thread does it. */
	pthread_t verifier;
	bool verifying;
	struct ev_async verified;
	int verify_rc; /* the thread's, until it is joined; so are the next two */
	struct err verify_err;
	uint64_t verify_us;
	struct images *served;    /* while verifying: what is known to be well; NULL: nothing */
	json_t *published;        /* the report of a world that is not served yet; NULL: none */
	bool late;                /* the last one was waited for in vain */
	struct ev_timer unserved; /* how long that is waited for */
	struct ev_timer next; /* starts the queued one from the loop, not from a callback's depth */
};

static void start(struct reload *reload);

/* --- its end ---------------------------------------------------------------------------------- */

static void record(const struct reload *reload, const struct reload_asker *by, const json_t *report)
{
	struct store_action row;

	if (reload_record(by, report, clock_unix_ms(), &row))
		running_record(reload->running, &row);
}

static void finish(struct reload *reload, json_t *report)
{
	struct waiters told = reload->waiting;

	reload->waiting = (struct waiters){ 0 };
	compiler_close(reload->compiler);
	reload->compiler = NULL;
	reload->compiled = NULL;
	report_log(report);
	json_object_set_new(report, "at_ms", json_integer((json_int_t)clock_unix_ms()));
	json_decref(reload->last);
	reload->last = report;
	for (size_t i = 0; i < told.count; i++) {
		record(reload, &told.items[i].by, report);
		told.items[i].done(told.items[i].context, report);
	}
	free(told.items);
	if (reload->queued.count > 0)
		ev_timer_start(reload->loop, &reload->next);
}

static void finish_published(struct reload *reload, json_t *report)
{
	reload->published = NULL;
	ev_timer_stop(reload->loop, &reload->unserved);
	finish(reload, report);
}

void reload_served(struct reload *reload)
{
	reload->late = false;
	if (reload->published != NULL)
		finish_published(reload, reload->published);
}

void reload_not_served(struct reload *reload)
{
	if (reload->published == NULL)
		return;
	json_decref(reload->published);
	finish_published(reload, report_failure("the data plane does not serve the new world",
						"it refused it, or ended; its log says why\n"));
}

static void served_too_late(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct reload *reload = timer->data;

	(void)loop;
	(void)events;
	reload->late = true;
	json_object_set_new(reload->published, "served", json_false());
	finish_published(reload, reload->published);
}

/* A data plane that stands still is waited for once, and not again until it goes on. */
static void finish_when_served(struct reload *reload, json_t *report)
{
	bool served = supervisor_serves_newest(reload->supervisor);

	if (served || reload->late) {
		if (!served)
			json_object_set_new(report, "served", json_false());
		finish(reload, report);
		return;
	}
	reload->published = report;
	ev_now_update(reload->loop); /* taking the world may have been a long round of the loop */
	ev_timer_set(&reload->unserved, SERVED_WAIT_S, 0.);
	ev_timer_start(reload->loop, &reload->unserved);
}

/* What of the server file's settings holds from now on. */
static void follow_settings(const struct images *images)
{
	const struct image *plan = &images->image[IMAGE_PLAN];
	const struct plan_settings *settings = &image_root(plan, struct plan_root)->settings;

	log_set_level((enum log_level)settings->log_level);
}

/* Sockets, users and folders are the supervisor's, which acts on the file as it was at its start. */
static bool waits_for_restart(const struct reload *reload)
{
	const struct image *plan = &running_images(reload->running)->image[IMAGE_PLAN];
	uint64_t id = image_root(plan, struct plan_root)->settings.boot_id;

	return id != 0 && reload->boot_id != 0 && id != reload->boot_id;
}

static void take(struct reload *reload)
{
	struct compilation *compiled = reload->compiled;
	const struct images *before = running_images(reload->running);
	struct reload_times times = { .verify_us = reload->verify_us };
	struct running_times took = { 0 };
	json_t *changes = NULL, *report;
	struct err err;

	if (before == NULL || !images_equal(before, compiled->images)) {
		changes = diff_worlds(before, compiled->images);
		if (running_take(reload->running, compiled->images, WORLD_COMPILED, &took, &err) !=
		    0) {
			json_decref(changes);
			finish(reload, report_failure("the new world cannot be steered", err.text));
			return;
		}
		compiled->images = NULL; /* the running world's */
		follow_settings(running_images(reload->running));
	} else {
		running_save(reload->running);
	}
	reload_watch(reload, reload->start_unix_ms);
	times.steer_us = took.steer_us;
	times.publish_us = took.publish_us;
	times.total_us = clock_mono_us() - reload->start_us;
	report = report_success(compiled, running_images(reload->running), changes, &times);
	if (waits_for_restart(reload))
		json_object_set_new(report, "restart_needed", json_true());
	finish_when_served(reload, report);
}

/* --- verifying --------------------------------------------------------------------------------- */

static void *verify(void *argument)
{
	struct reload *reload = argument;
	uint64_t start_us = clock_mono_us();

	reload->verify_rc = images_verify(reload->compiled->images, reload->served,
					  &reload->verify_err);
	reload->verify_us = clock_mono_us() - start_us;
	ev_async_send(reload->loop, &reload->verified);
	return NULL;
}

static void verified(struct ev_loop *loop, struct ev_async *async, int events)
{
	struct reload *reload = async->data;

	(void)loop;
	(void)events;
	if (!reload->verifying)
		return;
	(void)pthread_join(reload->verifier, NULL);
	reload->verifying = false;
	images_free(reload->served);
	reload->served = NULL;
	if (reload->verify_rc == 0)
		take(reload);
	else
		finish(reload, report_failure("signpost-compile made an image that is not valid",
					      reload->verify_err.text));
}

static void start_verifying(struct reload *reload)
{
	const struct images *running = running_images(reload->running);
	struct err ignored; /* without, all is verified once more */
	sigset_t all, before;
	int rc;

	/* By descriptors of its own: the world that runs now may be another one by then. */
	reload->served = running == NULL ? NULL : images_duplicate(running, &ignored);
	(void)sigfillset(&all); /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&reload->verifier, NULL, verify, reload);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	reload->verifying = rc == 0;
	if (rc != 0) {
		images_free(reload->served);
		reload->served = NULL;
		finish(reload, report_failure("no thread to verify the images", strerror(rc)));
	}
}

static void compiled(void *context, struct compilation *compiled)
{
	struct reload *reload = context;
	json_t *report;

	reload->compiled = compiled;
	if (compiled->images != NULL) {
		start_verifying(reload);
		return;
	}
	report = report_failure(compiled->refused ? "the files have mistakes" : "compiling failed",
				compiled->text);
	json_object_set_new(report, "mistakes", json_boolean(compiled->refused));
	finish(reload, report);
}

/* --- its start --------------------------------------------------------------------------------- */

static void start(struct reload *reload)
{
	const struct images *served = running_images(reload->running);
	struct err err;

	free(reload->waiting.items);
	reload->waiting = reload->queued;
	reload->queued = (struct waiters){ 0 };
	reload->start_us = clock_mono_us();
	reload->start_unix_ms = clock_unix_ms();
	watch_mark(reload->watch);
	if (compiler_start(&reload->compiler, reload->loop, reload->server_file, reload->state_dir,
			   served, compiled, reload, &err) != 0)
		finish(reload, report_failure("compiling cannot be started", err.text));
}

static void start_next(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct reload *reload = timer->data;

	(void)events;
	(void)loop;
	if (reload->compiler == NULL && reload->queued.count > 0)
		start(reload);
}

void reload_request(struct reload *reload, const struct reload_asker *by, reload_done_fn *done,
		    void *context)
{
	array_add(reload->queued.items, reload->queued.count,
		  reload->queued.cap) = (struct waiter){ *by, done, context };
	if (reload->compiler == NULL)
		ev_timer_start(reload->loop, &reload->next);
}

/* --- data files ------------------------------------------------------------------------------- */

static void reloaded(void *context, const json_t *report)
{
	(void)context;
	(void)report; /* is in the log */
}

static void file_changed(void *context, const char *path, size_t others)
{
	static const struct reload_asker by = { .who = "data file", .uid = STORE_NO_UID };
	struct reload *reload = context;

	log_info("a data file has changed, all are read again", "path=%s others=%zu", path, others);
	reload_request(reload, &by, reloaded, NULL);
}

void reload_watch(struct reload *reload, uint64_t compiled_unix_ms)
{
	const struct image *plan = &running_images(reload->running)->image[IMAGE_PLAN];
	const uint32_t *texts = plan_items(plan, watched, uint32_t);
	uint32_t count = plan_count(plan, watched);
	const char **paths = mem_array(count + 1U, sizeof(*paths));

	for (uint32_t i = 0; i < count; i++)
		paths[i] = plan_text(plan, texts[i]);
	watch_files(reload->watch, paths, count, compiled_unix_ms);
	free(paths);
}

/* --- life ------------------------------------------------------------------------------------- */

struct reload *reload_open(struct ev_loop *loop, struct running *running,
			   const struct supervisor *supervisor, const char *server_file,
			   const char *state_dir, uint64_t boot_id)
{
	struct reload *reload = mem_alloc(sizeof(*reload));

	reload->loop = loop;
	reload->running = running;
	reload->supervisor = supervisor;
	reload->server_file = mem_copy_text(server_file);
	reload->state_dir = mem_copy_text(state_dir);
	reload->boot_id = boot_id;
	reload->watch = watch_open(loop, file_changed, reload);
	ev_async_init(&reload->verified, verified);
	ev_timer_init(&reload->next, start_next, 0., 0.);
	ev_timer_init(&reload->unserved, served_too_late, 0., 0.);
	reload->unserved.data = reload;
	reload->verified.data = reload;
	reload->next.data = reload;
	ev_async_start(loop, &reload->verified);
	return reload;
}

void reload_close(struct reload *reload)
{
	if (reload == NULL)
		return;
	if (reload->verifying)
		(void)pthread_join(reload->verifier, NULL);
	images_free(reload->served);
	compiler_close(reload->compiler);
	ev_async_stop(reload->loop, &reload->verified);
	ev_timer_stop(reload->loop, &reload->next);
	ev_timer_stop(reload->loop, &reload->unserved);
	watch_close(reload->watch);
	json_decref(reload->published);
	json_decref(reload->last);
	free(reload->waiting.items);
	free(reload->queued.items);
	free(reload->server_file);
	free(reload->state_dir);
	free(reload);
}

const json_t *reload_last(const struct reload *reload)
{
	return reload->last;
}

bool reload_is_running(const struct reload *reload)
{
	return reload->compiler != NULL;
}

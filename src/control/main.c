/* signpost-control: compiles, probes, steers. Started by signpostd, which holds what it makes;
 * its end is noticed by nobody who asks the data plane. */
#include <config.h>
#include <errno.h>
#include <ev.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "control/commands.h"
#include "control/disk.h"
#include "control/proof.h"
#include "control/reload.h"
#include "control/running.h"
#include "control/socket.h"
#include "control/supervisor.h"
#include "probe/runner.h"
#include "probe/web.h"

#define AGAIN_S 5. /* where there is no world at all */

struct options {
	const char *server_file, *state_dir, *run_dir;
	enum log_level level;
	enum log_target target;
};

/* Lives from start to exit. */
struct control {
	struct ev_loop *loop;
	const struct options *options;
	char *server_file;
	uint64_t boot_id; /* of the boot record that the supervisor acts on */
	struct supervisor *supervisor;
	struct runner *runner;
	struct store *store;
	struct saver *saver;
	struct running *running;
	struct reload *reload;
	struct proof *proof; /* of the world that was begun with; NULL: it needs none */
	struct ev_timer again;
	struct stored *stored;
	struct history *history;
	struct commands commands;
	struct control_socket *socket;
	int status; /* the exit status */
};

static const char usage[] =
	"usage: signpost-control --config FILE --state DIR --run DIR [--log-level LEVEL] "
	"[--syslog]\n"
	"signpostd starts this program; it is of no use alone.\n";

static int parse_options(struct options *out, int argc, char **argv)
{
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "syslog", no_argument, NULL, 'y' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*out = (struct options){ .level = LOG_LEVEL_INFO, .target = LOG_TARGET_STDERR };
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'c': out->server_file = optarg; break;
		case 's': out->state_dir = optarg; break;
		case 'r': out->run_dir = optarg; break;
		case 'y': out->target = LOG_TARGET_SYSLOG; break;
		case 'V': puts("signpost-control " PACKAGE_VERSION); exit(EXIT_SUCCESS);
		case 'l':
			if (!log_level_parse(optarg, &out->level))
				return -1;
			break;
		default: return -1;
		}
	}
	return out->server_file != NULL && out->state_dir != NULL && out->run_dir != NULL &&
			       optind == argc
		       ? 0
		       : -1;
}

/* --- what happens ----------------------------------------------------------------------------- */

/* Who was killed for want of memory, say, may get on soon; nobody knows of it who would reload, and
 * until then nothing is answered. */
static void first_reload_done(void *context, const json_t *report)
{
	struct control *control = context;

	if (running_images(control->running) != NULL)
		return;
	supervisor_tell_refused(control->supervisor,
				json_string_value(json_object_get(report, "error")));
	if (!json_is_true(json_object_get(report, "mistakes")))
		ev_timer_start(control->loop, &control->again);
}

static void supervisor_reload_done(void *context, const json_t *report)
{
	struct control *control = context;
	const char *error = json_string_value(json_object_get(report, "error"));

	supervisor_tell_reload(control->supervisor, error == NULL ? "" : error);
}

static void asked_to_reload(void *context, uint32_t uid)
{
	const struct reload_asker by = { .who = "signal", .uid = uid, .person = true };
	struct control *control = context;

	if (control->reload != NULL)
		reload_request(control->reload, &by, supervisor_reload_done, control);
}

static void newest_is_served(void *context)
{
	struct control *control = context;

	if (control->running != NULL)
		running_served(control->running);
	if (control->reload != NULL)
		reload_served(control->reload);
}

static void supervisor_gone(void *context)
{
	struct control *control = context;

	log_info("the supervisor has gone, ending", "pid=%d", (int)getpid());
	ev_break(control->loop, EVBREAK_ALL);
}

static void terminated(struct ev_loop *loop, struct ev_signal *watcher, int events)
{
	(void)watcher;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

/* --- start ------------------------------------------------------------------------------------ */

/* true: `images` is the running world now; else they are closed. */
static bool take_or_drop(struct control *control, struct images *images, enum world_source source)
{
	struct err err;

	if (running_take(control->running, images, source, NULL, &err) == 0) {
		log_info("took a world", "source=%s zones=%016llx geo=%016llx plan=%016llx",
			 world_source_name[source],
			 (unsigned long long)images_id(images, IMAGE_ZONES),
			 (unsigned long long)images_id(images, IMAGE_GEO),
			 (unsigned long long)images_id(images, IMAGE_PLAN));
		return true;
	}
	log_error("a world is not taken", "source=%s reason=\"%s\"", world_source_name[source],
		  err.text);
	images_free(images);
	return false;
}

/* Its data files may have changed since. */
static void watch_adopted(const struct control *control)
{
	const struct images *images = running_images(control->running);

	reload_watch(control->reload, image_header(&images->image[IMAGE_PLAN])->made_unix_ms);
}

/* Failover must reach who asks, so what is served is what we go on with; a reload tries the files
 * again. A supervisor that repeats itself is told nothing. */
static void other_world_is_served(void *context, struct images *images)
{
	struct control *control = context;
	const struct images *running;

	if (control->running == NULL || !images_are_complete(images)) {
		images_free(images);
		return;
	}
	running = running_images(control->running);
	if (running != NULL && images_equal(running, images)) {
		images_free(images);
		return;
	}
	if (take_or_drop(control, images, WORLD_FALLBACK) && control->reload != NULL)
		watch_adopted(control);
	if (control->reload != NULL)
		reload_not_served(control->reload);
}

/* The last good world on disk, or the one before; NULL: there is none that is of use. */
static struct images *load_world(const struct control *control)
{
	static const char *const names[] = { DISK_WORLD, DISK_WORLD_PREVIOUS };
	struct images *images = NULL;
	struct err err;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && images == NULL; i++) {
		if (disk_load(control->options->state_dir, names[i], &images, &err) != 0)
			log_error("a world on disk is of no use", "reason=\"%s\"", err.text);
		else if (images != NULL && i > 0)
			log_warning("the world before the last one is used", "directory=%s/%s",
				    control->options->state_dir, names[i]);
	}
	return images;
}

static void reload_at_start(struct control *control)
{
	struct reload_asker by = { .uid = STORE_NO_UID };

	if (running_images(control->running) != NULL)
		(void)snprintf(by.who, sizeof(by.who), "start"); /* edits since that world */
	reload_request(control->reload, &by, first_reload_done, control);
}

static void start_again(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct control *control = timer->data;

	(void)loop;
	(void)events;
	if (running_images(control->running) == NULL)
		reload_at_start(control);
}

/* The world that was begun with has been read. What has been taken in the meantime is newer. */
static void world_is_read(void *context, struct images *proven, const char *why)
{
	struct control *control = context;
	const struct images *running = running_images(control->running);
	bool is_newer = running != NULL && images_are_sealed(running);

	if (proven == NULL) {
		log_error("a world on disk is of no use", "reason=\"%s\"", why);
		if (!is_newer)
			proven = load_world(control);
	}
	if (is_newer)
		images_free(proven);
	else if (proven != NULL)
		(void)take_or_drop(control, proven, WORLD_FROM_DISK);
	reload_at_start(control);
}

static void prove(struct control *control, const struct images *images)
{
	struct err err;

	control->proof = proof_start(control->loop, images, world_is_read, control, &err);
	if (control->proof == NULL)
		world_is_read(control, NULL, err.text);
}

/* How long the database keeps what; without a plan as by default. */
static struct store_kept kept_by(const struct images *images)
{
	const struct plan_settings *settings;

	if (images == NULL || !images_are_complete(images))
		return (struct store_kept){ .audit = 90, .minutes = 7 };
	settings = &image_root(&images->image[IMAGE_PLAN], struct plan_root)->settings;
	return (struct store_kept){ settings->history_days, settings->minutes_days };
}

static void make_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		log_error("a directory is missing", "path=%s reason=\"%s\"", path, strerror(errno));
}

static int open_parts(struct control *control, const struct store_kept *kept, struct err *err)
{
	const struct options *options = control->options;

	make_directory(options->state_dir, 0750);
	make_directory(options->run_dir, 0755);
	err->text[0] = '\0';
	if (store_open(&control->store, options->state_dir, kept, err) != 0)
		return -1;
	if (err->text[0] != '\0')
		log_error("the store is not in order", "reason=\"%s\"", err->text);
	control->saver = saver_open(control->loop, options->state_dir);
	if (running_open(&control->running, control->loop, control->supervisor, control->store,
			 control->saver, options->state_dir, control->runner, err) != 0)
		return -1;
	control->reload = reload_open(control->loop, control->running, control->supervisor,
				      control->server_file, options->state_dir, control->boot_id);
	control->stored = stored_open(control->loop, control->store);
	if (history_open(&control->history, control->loop, control->store, err) != 0)
		return -1;
	control->commands = (struct commands){ .supervisor = control->supervisor,
					       .running = control->running,
					       .reload = control->reload,
					       .store = control->store,
					       .stored = control->stored,
					       .history = control->history,
					       .saver = control->saver,
					       .server_file = control->server_file,
					       .state_dir = options->state_dir };
	control->socket = control_socket_open(control->loop, control->supervisor, options->run_dir,
					      commands_request, &control->commands);
	return 0;
}

/* After a crash of ours before the world was read: it may be the reason. */
static struct images *without_files(struct images *adopted)
{
	if (adopted == NULL || images_are_sealed(adopted))
		return adopted;
	images_free(adopted);
	return NULL;
}

/* What there is to begin with; *source says what it is. Unread if that is safe: then it has to be
 * read. */
static struct images *begin_with(const struct control *control, struct images *adopted,
				 enum world_source *source)
{
	struct images *images = without_files(adopted);

	*source = images != NULL ? WORLD_ADOPTED : WORLD_FROM_DISK;
	if (adopted == NULL)
		disk_open(control->options->state_dir, DISK_WORLD, &images);
	return images != NULL ? images : load_world(control);
}

/* One that nobody has read and that is not taken may be damaged: then those on disk are read. */
static bool take_or_read(struct control *control, struct images *images, enum world_source source)
{
	bool unread = source == WORLD_FROM_DISK && !images_are_sealed(images);

	if (take_or_drop(control, images, source))
		return true;
	images = unread ? load_world(control) : NULL;
	return images != NULL && take_or_drop(control, images, source);
}

/* A world that goes on after a crash of ours is adopted as it is: no file is read again. Else the
 * last good one on disk is served while the files are compiled. */
static void started(void *context, const char *server_file, uint64_t boot_id,
		    struct images *adopted)
{
	struct control *control = context;
	enum world_source source;
	struct images *images = begin_with(control, adopted, &source);
	struct store_kept kept = kept_by(images);
	struct err err;

	control->boot_id = boot_id;
	ev_timer_init(&control->again, start_again, AGAIN_S, 0.);
	control->again.data = control;
	control->server_file = mem_copy_text(
		server_file[0] != '\0' ? server_file : control->options->server_file);
	if (open_parts(control, &kept, &err) != 0) {
		log_error("cannot go on", "reason=\"%s\"", err.text);
		images_free(images);
		control->status = EXIT_FAILURE;
		ev_break(control->loop, EVBREAK_ALL);
		return;
	}
	if (images != NULL && take_or_read(control, images, source)) {
		const struct images *running = running_images(control->running);

		if (source == WORLD_ADOPTED) {
			watch_adopted(control);
			return;
		}
		if (!images_are_sealed(running)) {
			prove(control, running);
			return;
		}
	}
	reload_at_start(control);
}

static void end(struct control *control)
{
	proof_close(control->proof);
	stored_close(control->stored);   /* it answers */
	history_close(control->history); /* so does this */
	control_socket_close(control->socket);
	reload_close(control->reload);
	commands_close(&control->commands);
	running_close(control->running);
	saver_close(control->saver);
	store_close(control->store);
	runner_close(control->runner);
	supervisor_close(control->supervisor);
	free(control->server_file);
}

/* It has the keys and passwords of probes: they must not get into a core file. */
static int keep_secrets(struct err *err)
{
#ifndef SIGNPOST_SANITIZED /* the leak checker traces the process */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_set(err, "prctl: %s", strerror(errno));
#endif
	(void)err;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct supervisor_events events = { started, other_world_is_served,
							 asked_to_reload, newest_is_served,
							 supervisor_gone };
	struct options options;
	struct control control = { .options = &options };
	struct ev_signal terminate;
	struct err err;

	if (parse_options(&options, argc, argv) != 0) {
		(void)fputs(usage, stderr);
		return 2;
	}
	log_open("signpost-control", options.target, options.level);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN); /* the supervisor's: it sends RELOAD */
	(void)signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C: the supervisor ends us */
	if (keep_secrets(&err) != 0) {
		log_error("secrets cannot be kept", "reason=\"%s\"", err.text);
		return EXIT_FAILURE;
	}
	if (web_library_open(&err) != 0) {
		log_error("no HTTP", "reason=\"%s\"", err.text);
		return EXIT_FAILURE;
	}
	control.loop = ev_default_loop(EVFLAG_AUTO);
	if (control.loop == NULL) {
		log_error("no event loop", "reason=\"%s\"", strerror(errno));
		return EXIT_FAILURE;
	}
	ev_signal_init(&terminate, terminated, SIGTERM);
	ev_signal_start(control.loop, &terminate);
	control.runner = runner_open(control.loop); /* before there are threads */
	control.supervisor = supervisor_open(control.loop, HANDOVER_FD, &events, &control);
	(void)ev_run(control.loop, 0);
	end(&control);
	web_library_close();
	return control.status;
}

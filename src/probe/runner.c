#include "probe/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/program.h"
#include "probe/kind.h"
#include "probe/leftovers.h"
#include "probe/runner_result.h"

/* A helper that ended again so soon is not started at once. */
#define SOON_MS     10000
#define PAUSE_MIN_S 0.1
#define PAUSE_MAX_S 10.
#define END_MS      1000 /* that it has to end */

/* One that leaves so many pings in a row unanswered is stopped, or hangs. */
#define PING_S         0.5
#define UNANSWERED_MAX 6

struct run_job {
	TAILQ_ENTRY(run_job) link; /* in its class's queue, or among those that run */
	uint64_t id;
	enum run_class class;
	bool started;
	run_done_fn *done; /* NULL: it is cancelled */
	void *context;
	struct buf request;
};

TAILQ_HEAD(jobs, run_job);

struct queue {
	struct jobs waiting;
	size_t waiting_count, running_count;
};

struct runner {
	struct ev_loop *loop;
	struct ev_io io;
	struct ev_child child;
	struct ev_timer again, pings; /* pings: while commands run */
	unsigned unanswered;
	int channel; /* -1: there is no helper */
	pid_t pid;   /* it leads a session */
	struct leftovers *leftovers;
	uint64_t started_ms;
	double pause_s;
	uint64_t last_id;
	struct queue queues[RUN_CLASSES];
	struct jobs running;
};

static const size_t running_max[RUN_CLASSES] = {
	[RUN_PROBES] = RUN_PROBES_MAX, [RUN_HOOKS] = RUN_HOOKS_MAX
};

static void job_free(struct run_job *job)
{
	buf_free(&job->request);
	free(job);
}

/* --- to the helper ---------------------------------------------------------------------------- */

static void watch(struct runner *runner, int events)
{
	if (runner->io.events == events && ev_is_active(&runner->io))
		return;
	ev_io_stop(runner->loop, &runner->io);
	ev_io_set(&runner->io, runner->channel, events);
	ev_io_start(runner->loop, &runner->io);
}

/* false: it is not taken now. A helper that is gone is noticed when the channel is read. */
static bool send_message(struct runner *runner, const void *message, size_t size)
{
	struct err err;

	return channel_send(runner->channel, message, size, NULL, 0, &err) == 0;
}

static bool start_next(struct runner *runner, enum run_class class)
{
	struct queue *queue = &runner->queues[class];
	struct run_job *job = TAILQ_FIRST(&queue->waiting);

	if (job == NULL || queue->running_count == running_max[class])
		return false;
	if (!send_message(runner, job->request.data, job->request.len)) {
		watch(runner, EV_READ | EV_WRITE);
		return false;
	}
	TAILQ_REMOVE(&queue->waiting, job, link);
	queue->waiting_count--;
	queue->running_count++;
	job->started = true;
	TAILQ_INSERT_TAIL(&runner->running, job, link);
	buf_free(&job->request);
	if (!ev_is_active(&runner->pings))
		ev_timer_again(runner->loop, &runner->pings);
	return true;
}

static void dispatch(struct runner *runner)
{
	if (runner->channel < 0 || !ev_is_active(&runner->io))
		return;
	watch(runner, EV_READ);
	for (int class = 0; class < RUN_CLASSES; class ++) {
		while (start_next(runner, (enum run_class) class))
			continue;
	}
}

/* --- from the helper -------------------------------------------------------------------------- */

static void finish(struct runner *runner, struct run_job *job, const struct run_outcome *outcome)
{
	TAILQ_REMOVE(&runner->running, job, link);
	runner->queues[job->class].running_count--;
	if (job->done != NULL)
		job->done(job->context, outcome);
	job_free(job);
}

/* Of a command that is not known any more, or of none: nothing is to be done. */
static void take_result(struct runner *runner, const struct runner_result *result)
{
	const struct run_result *head = &result->head;
	const struct run_outcome outcome = { (enum run_end)head->end, head->status,
					     head->took_us,           result->output,
					     result->errors,          head->output_len,
					     head->errors_len };
	struct run_job *job;

	TAILQ_FOREACH(job, &runner->running, link)
	{
		if (job->id == head->id) {
			finish(runner, job, &outcome);
			return;
		}
	}
}

/* If it lives at all; helper_ended follows. Once that was called, its pid may be another's. */
static void kill_helper(const struct runner *runner)
{
	if (runner->pid > 0)
		(void)kill(runner->pid, SIGKILL);
}

/* false: there is none, or no helper. */
static bool receive(struct runner *runner)
{
	char message[RUN_RESULT_MAX];
	struct runner_result result;
	int fds[CHANNEL_FDS_MAX];
	size_t fd_count;
	struct err err;
	ssize_t n = channel_receive(runner->channel, message, sizeof(message), fds, &fd_count,
				    &err);

	channel_close_fds(fds, fd_count);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n > 0 && runner_result_read(message, (size_t)n, &result, &err) != 0) {
		log_error("signpost-run is not understood, it is killed", "reason=\"%s\"",
			  err.text);
		n = -1;
	}
	if (n <= 0) {
		kill_helper(runner);
		ev_io_stop(runner->loop, &runner->io);
		return false;
	}
	runner->unanswered = 0;
	take_result(runner, &result);
	return true;
}

static void readable(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct runner *runner = io->data;

	(void)loop;
	if ((events & EV_READ) != 0) {
		while (receive(runner))
			continue;
	}
	dispatch(runner);
}

/* What it said is read first: it may be us who were stopped. What runs when a ping goes unanswered may
 * hang for the same reason, so that its time being up says nothing (runner_answers). */
static void ping(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	const struct run_request request = { .magic = RUN_MAGIC, .ask = RUN_PING };
	struct runner *runner = timer->data;

	(void)events;
	while (ev_is_active(&runner->io) && receive(runner))
		continue;
	dispatch(runner);
	if (TAILQ_EMPTY(&runner->running) || !ev_is_active(&runner->io)) {
		ev_timer_stop(loop, timer);
		runner->unanswered = 0;
		return;
	}
	if (runner->unanswered == UNANSWERED_MAX) {
		log_error("signpost-run does not answer, it is killed", "unanswered=%d",
			  UNANSWERED_MAX);
		kill_helper(runner);
	}
	runner->unanswered++;
	(void)send_message(runner, &request, sizeof(request));
}

/* --- the helper ------------------------------------------------------------------------------- */

static void lose_all(struct runner *runner)
{
	static const struct run_outcome lost = { .end = RUN_LOST, .output = "", .errors = "" };
	struct run_job *job;

	while ((job = TAILQ_FIRST(&runner->running)) != NULL)
		finish(runner, job, &lost);
}

static void start_in(struct runner *runner, double pause_s)
{
	ev_timer_stop(runner->loop, &runner->again);
	ev_timer_set(&runner->again, pause_s, 0.);
	ev_timer_start(runner->loop, &runner->again);
}

static void helper_ended(struct ev_loop *loop, struct ev_child *child, int events)
{
	struct runner *runner = child->data;
	bool soon = clock_mono_ms() - runner->started_ms < SOON_MS;

	(void)events;
	ev_child_stop(loop, child);
	leftovers_kill(runner->leftovers, runner->pid);
	runner->pid = 0;
	while (ev_is_active(&runner->io) && receive(runner))
		continue;
	ev_io_stop(loop, &runner->io);
	(void)close(runner->channel);
	runner->channel = -1;
	ev_timer_stop(loop, &runner->pings);
	runner->unanswered = 0;
	runner->pause_s = soon ? runner->pause_s * 2 : PAUSE_MIN_S;
	if (runner->pause_s > PAUSE_MAX_S)
		runner->pause_s = PAUSE_MAX_S;
	log_warning("signpost-run ended, it is started again",
		    "status=\"%s %d\" lost_commands=%zu pause=%gs",
		    WIFSIGNALED(child->rstatus) ? "signal" : "exit",
		    WIFSIGNALED(child->rstatus) ? WTERMSIG(child->rstatus)
						: WEXITSTATUS(child->rstatus),
		    runner->queues[RUN_PROBES].running_count +
			    runner->queues[RUN_HOOKS].running_count,
		    runner->pause_s);
	lose_all(runner);
	start_in(runner, runner->pause_s);
}

static int spawn(pid_t *pid, int channel, struct err *err)
{
	char path[PATH_MAX];
	char *argv[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int rc;

	if (program_find("signpost-run", path, sizeof(path), err) != 0)
		return -1;
	(void)sigemptyset(&none);
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, channel, RUN_FD);
	(void)posix_spawn_file_actions_addclosefrom_np(&actions, RUN_FD + 1);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &defaults);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							    POSIX_SPAWN_SETSID);
	rc = posix_spawn(pid, path, &actions, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	return rc == 0 ? 0 : err_set(err, "%s: %s", path, strerror(rc));
}

static int start_helper(struct runner *runner, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_set(err, "socketpair: %s", strerror(errno));
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	if (spawn(&runner->pid, ends[1], err) != 0) {
		channel_close_fds(ends, 2);
		runner->pid = 0;
		return -1;
	}
	(void)close(ends[1]);
	runner->channel = ends[0];
	runner->started_ms = clock_mono_ms();
	ev_child_set(&runner->child, runner->pid, 0);
	ev_child_start(runner->loop, &runner->child);
	watch(runner, EV_READ);
	dispatch(runner);
	return 0;
}

static void try_again(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct runner *runner = timer->data;
	struct err err;

	(void)loop;
	(void)events;
	if (start_helper(runner, &err) == 0)
		return;
	log_error("signpost-run cannot be started, no command is run", "reason=\"%s\"", err.text);
	start_in(runner, PAUSE_MAX_S);
}

/* --- for callers ------------------------------------------------------------------------------ */

struct runner *runner_open(struct ev_loop *loop)
{
	struct runner *runner = mem_alloc(sizeof(*runner));

	runner->loop = loop;
	runner->channel = -1;
	runner->pause_s = PAUSE_MIN_S / 2;
	runner->leftovers = leftovers_open(loop);
	for (int class = 0; class < RUN_CLASSES; class ++)
		TAILQ_INIT(&runner->queues[class].waiting);
	TAILQ_INIT(&runner->running);
	ev_io_init(&runner->io, readable, -1, EV_READ);
	ev_set_priority(&runner->io, KIND_IO_PRIORITY);
	ev_child_init(&runner->child, helper_ended, 0, 0);
	ev_timer_init(&runner->again, try_again, 0., 0.);
	ev_timer_init(&runner->pings, ping, 0., PING_S);
	runner->io.data = runner;
	runner->child.data = runner;
	runner->again.data = runner;
	runner->pings.data = runner;
	try_again(loop, &runner->again, 0);
	return runner;
}

/* It ends by itself, after what it runs; one that does not is killed. */
static void end_helper(struct runner *runner)
{
	uint64_t until_ms = clock_mono_ms() + END_MS;

	(void)close(runner->channel);
	while (waitpid(runner->pid, NULL, WNOHANG) == 0) {
		if (clock_mono_ms() > until_ms)
			(void)kill(runner->pid, SIGKILL);
		(void)usleep(1000);
	}
	leftovers_kill(runner->leftovers, runner->pid);
}

void runner_close(struct runner *runner)
{
	struct run_job *job;

	if (runner == NULL)
		return;
	ev_timer_stop(runner->loop, &runner->again);
	ev_timer_stop(runner->loop, &runner->pings);
	ev_io_stop(runner->loop, &runner->io);
	ev_child_stop(runner->loop, &runner->child);
	if (runner->channel >= 0)
		end_helper(runner);
	leftovers_close(runner->leftovers);
	while ((job = TAILQ_FIRST(&runner->running)) != NULL) {
		TAILQ_REMOVE(&runner->running, job, link);
		job_free(job);
	}
	for (int class = 0; class < RUN_CLASSES; class ++) {
		while ((job = TAILQ_FIRST(&runner->queues[class].waiting)) != NULL) {
			TAILQ_REMOVE(&runner->queues[class].waiting, job, link);
			job_free(job);
		}
	}
	free(runner);
}

static uint32_t put_texts(struct buf *out, const char *const *texts)
{
	uint32_t count = 0;

	for (; texts[count] != NULL; count++)
		buf_append(out, texts[count], strlen(texts[count]) + 1);
	return count;
}

static int put_request(struct buf *out, uint64_t id, const char *const *words,
		       const char *const *variables, uint32_t timeout_ms, struct err *err)
{
	struct run_request request = {
		.magic = RUN_MAGIC, .ask = RUN_START, .id = id, .timeout_ms = timeout_ms
	};

	buf_append(out, &request, sizeof(request));
	request.words = put_texts(out, words);
	request.variables = put_texts(out, variables);
	request.text_len = (uint32_t)(out->len - sizeof(request));
	memcpy(out->data, &request, sizeof(request));
	if (request.words < 1 || request.words > RUN_WORDS_MAX ||
	    request.variables > RUN_VARIABLES_MAX || request.text_len > RUN_TEXT_MAX ||
	    timeout_ms == 0)
		return err_set(err, "the command is too long");
	return 0;
}

struct run_job *runner_run(struct runner *runner, enum run_class class, const char *const *words,
			   const char *const *variables, uint32_t timeout_ms, run_done_fn *done,
			   void *context, struct err *err)
{
	struct queue *queue = &runner->queues[class];
	struct run_job *job;

	if (queue->waiting_count == RUN_QUEUE_MAX) {
		(void)err_set(err, "%d commands wait already", RUN_QUEUE_MAX);
		return NULL;
	}
	job = mem_alloc(sizeof(*job));
	job->id = ++runner->last_id;
	job->class = class;
	job->done = done;
	job->context = context;
	if (put_request(&job->request, job->id, words, variables, timeout_ms, err) != 0) {
		job_free(job);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&queue->waiting, job, link);
	queue->waiting_count++;
	dispatch(runner);
	return job;
}

bool runner_has_started(const struct run_job *job)
{
	return job->started;
}

bool runner_answers(const struct runner *runner)
{
	return runner->channel >= 0 && runner->unanswered <= 1;
}

/* Where the channel is full the command goes on until its time is up. */
void runner_cancel(struct runner *runner, struct run_job *job)
{
	const struct run_request stop = { .magic = RUN_MAGIC, .ask = RUN_STOP, .id = job->id };

	job->done = NULL;
	if (job->started) {
		(void)send_message(runner, &stop, sizeof(stop));
		return;
	}
	TAILQ_REMOVE(&runner->queues[job->class].waiting, job, link);
	runner->queues[job->class].waiting_count--;
	job_free(job);
}

const char *runner_end_text(const struct run_outcome *outcome, char text[RUN_END_SIZE])
{
	switch (outcome->end) {
	case RUN_EXITED:
		(void)snprintf(text, RUN_END_SIZE, "exit status %d", outcome->status);
		break;
	case RUN_SIGNALLED:
		(void)snprintf(text, RUN_END_SIZE, "ended by signal %d (%s)", outcome->status,
			       strsignal(outcome->status));
		break;
	case RUN_NOT_STARTED:
		(void)snprintf(text, RUN_END_SIZE, "cannot be started: %s",
			       strerror(outcome->status));
		break;
	case RUN_TIMEOUT: (void)snprintf(text, RUN_END_SIZE, "timeout"); break;
	case RUN_FLOOD:
		(void)snprintf(text, RUN_END_SIZE, "killed, for it writes without end");
		break;
	case RUN_STOPPED: (void)snprintf(text, RUN_END_SIZE, "stopped"); break;
	case RUN_LOST:
	case RUN_PONG: (void)snprintf(text, RUN_END_SIZE, "lost, for signpost-run ended"); break;
	}
	return text;
}

#include "supervise/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise/messages.h"
#include "supervise/status.h"

#define PATIENCE_MS 5000 /* between SIGTERM, or the end of a channel, and SIGKILL */
#define CRASHES_MAX 3    /* within CHILD_WINDOW_MS: then another world is tried */
#define CHILDREN    2
#define NEVER       UINT64_MAX

static struct child *child_at(struct supervisor *supervisor, unsigned i)
{
	return i == 0 ? &supervisor->dns : &supervisor->control;
}

static bool stopping(const struct supervisor *supervisor)
{
	return supervisor->kill_at_ms != 0;
}

static void start_child(struct supervisor *supervisor, struct child *child)
{
	unsigned due = messages_due_at_start(supervisor, child);
	struct err err;

	if (child_start(child, supervisor->folder, due, &err) != 0) {
		uint64_t pause_ms = child_ended(child, clock_mono_ms());

		log_error("process cannot be started", "process=%s again_in_ms=%llu: %s",
			  child->name, (unsigned long long)pause_ms, err.text);
		return;
	}
	log_info("process started", "process=%s pid=%d user=%u restarts=%u", child->name,
		 (int)child->pid, (unsigned)child->identity.uid, child->restarts);
	messages_flush(supervisor, child);
	status_changed(supervisor);
}

/* --- the end of a child -------------------------------------------------------------------- */

static void log_end(const struct child *child, pid_t pid, int status, bool expected)
{
	enum log_level level = expected ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR;

	if (WIFSIGNALED(status))
		log_event(level, "process ended", "process=%s pid=%d signal=%d (%s%s)", child->name,
			  (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)),
			  WCOREDUMP(status) ? ", core dumped" : "");
	else
		log_event(level, "process ended", "process=%s pid=%d status=%d", child->name,
			  (int)pid, WEXITSTATUS(status));
}

/* A data plane that keeps crashing may be crashing on what it serves. */
static void consider_other_world(struct supervisor *supervisor)
{
	struct child *dns = &supervisor->dns;

	worlds_crashed(&supervisor->worlds);
	if (child_recent_ends(dns, clock_mono_ms()) < CRASHES_MAX)
		return;
	if (!worlds_swap(&supervisor->worlds)) {
		log_error("the data plane keeps ending and there is no previous world to try",
			  "crashes=%u", CRASHES_MAX);
		return;
	}
	log_error(supervisor->worlds.distrusted
			  ? "the data plane keeps ending: the previous world is served"
			  : "the data plane keeps ending with the previous world, too: the newest "
			    "one is served",
		  "crashes=%u", CRASHES_MAX);
	child_forget_ends(dns);
	messages_other_world(supervisor);
}

static void child_reaped(struct supervisor *supervisor, struct child *child, int status)
{
	uint64_t pause_ms;

	messages_receive_rest(supervisor, child);
	log_end(child, child->pid, status, stopping(supervisor));
	pause_ms = child_ended(child, clock_mono_ms());
	if (stopping(supervisor)) {
		child->start_at_ms = 0;
		return;
	}
	if (child == &supervisor->dns)
		consider_other_world(supervisor);
	else if (supervisor->told.reloading)
		status_reloaded(supervisor, "the control plane ended during a reload");
	if (pause_ms == 0) {
		start_child(supervisor, child);
		return;
	}
	log_warning("process is started again after a pause", "process=%s pause_ms=%llu",
		    child->name, (unsigned long long)pause_ms);
	status_changed(supervisor);
}

static void reap(struct supervisor *supervisor)
{
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct child *child = child_at(supervisor, i);
		int status;

		if (child->pid > 0 && waitpid(child->pid, &status, WNOHANG) == child->pid)
			child_reaped(supervisor, child, status);
	}
}

/* --- signals ------------------------------------------------------------------------------- */

static void begin_end(struct supervisor *supervisor, uint32_t signal)
{
	if (stopping(supervisor))
		return;
	log_info("ending", "signal=%u", signal);
	supervisor->kill_at_ms = clock_mono_ms() + PATIENCE_MS;
	status_stopping(supervisor);
	for (unsigned i = 0; i < CHILDREN; i++) {
		child_signal(child_at(supervisor, i), SIGTERM);
		child_at(supervisor, i)->start_at_ms = 0;
	}
}

/* A terminal that hangs up is no user. */
static uint32_t sender_of(const struct signalfd_siginfo *info)
{
	return info->ssi_code <= 0 ? info->ssi_uid : HANDOVER_NOBODY;
}

static void take_signals(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;

	while (read(supervisor->signals_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD: reap(supervisor); break;
		case SIGHUP:
			if (!stopping(supervisor))
				status_reloading(supervisor, sender_of(&info));
			break;
		default: begin_end(supervisor, info.ssi_signo); break;
		}
	}
}

static int open_signals(struct supervisor *supervisor, struct err *err)
{
	static const int taken[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
	sigset_t set;

	(void)sigemptyset(&set);
	for (unsigned i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		(void)sigaddset(&set, taken[i]);
	/* A log that nobody reads any more must not end the service, nor must a signal that means
	 * something to other daemons. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGUSR1, SIG_IGN) == SIG_ERR ||
	    signal(SIGUSR2, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_set(err, "signals: %s", strerror(errno));
	supervisor->signals_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->signals_fd < 0)
		return err_set(err, "signalfd: %s", strerror(errno));
	return 0;
}

/* --- the loop ------------------------------------------------------------------------------ */

/* Twice: first whoever has not ended is killed; who then still has not waits for a disk that does
 * not answer, say, and is left to the kernel. */
static void lose_patience(struct supervisor *supervisor, uint64_t now_ms)
{
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct child *child = child_at(supervisor, i);

		if (child->pid == 0)
			continue;
		log_warning(supervisor->killed ? "process cannot be killed and is left behind"
					       : "process does not end and is killed",
			    "process=%s pid=%d", child->name, (int)child->pid);
		child_signal(child, SIGKILL);
		if (supervisor->killed)
			child->pid = 0;
	}
	supervisor->killed = true;
	supervisor->kill_at_ms = now_ms + PATIENCE_MS;
}

static void end_without_channel(struct child *child)
{
	log_error("process has closed its channel, does not end and is killed", "process=%s pid=%d",
		  child->name, (int)child->pid);
	child_signal(child, SIGKILL);
	child->end_by_ms = 0;
}

static void run_timers(struct supervisor *supervisor, uint64_t now_ms)
{
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct child *child = child_at(supervisor, i);

		if (child->start_at_ms != 0 && now_ms >= child->start_at_ms)
			start_child(supervisor, child);
		if (now_ms >= child->send_at_ms)
			child->send_at_ms = 0;
		if (child->end_by_ms != 0 && now_ms >= child->end_by_ms)
			end_without_channel(child);
	}
	if (stopping(supervisor) && now_ms >= supervisor->kill_at_ms)
		lose_patience(supervisor, now_ms);
	if (!supervisor->told.ready && now_ms >= supervisor->started_ms + STATUS_PATIENCE_MS)
		status_no_world(supervisor, "the control plane has not made one yet");
	if (supervisor->told.retry_ms != 0 && now_ms >= supervisor->told.retry_ms)
		status_tell(supervisor);
}

/* 0 is no time at all. */
static uint64_t earlier(uint64_t next_ms, uint64_t at_ms)
{
	return at_ms != 0 && at_ms < next_ms ? at_ms : next_ms;
}

static uint64_t next_timer(struct supervisor *supervisor)
{
	uint64_t next = stopping(supervisor) ? supervisor->kill_at_ms : NEVER;

	for (unsigned i = 0; i < CHILDREN; i++) {
		const struct child *child = child_at(supervisor, i);

		next = earlier(next, child->start_at_ms);
		next = earlier(next, child->send_at_ms);
		next = earlier(next, child->end_by_ms);
	}
	if (!supervisor->told.ready && supervisor->started_ms + STATUS_PATIENCE_MS < next)
		next = supervisor->started_ms + STATUS_PATIENCE_MS;
	if (supervisor->told.retry_ms != 0 && supervisor->told.retry_ms < next)
		next = supervisor->told.retry_ms;
	return next;
}

static int poll_timeout(uint64_t next_ms, uint64_t now_ms)
{
	if (next_ms == NEVER)
		return -1;
	return next_ms <= now_ms ? 0 : (int)(next_ms - now_ms);
}

static void serve_channel(struct supervisor *supervisor, struct child *child, short events)
{
	/* It mostly ends just then, which is reaped separately and is not to be told as our doing; one
	 * that lives on without a channel cannot be steered. */
	if ((events & (POLLIN | POLLHUP | POLLERR)) && !messages_receive(supervisor, child)) {
		child_close_channel(child);
		if (!stopping(supervisor))
			child->end_by_ms = clock_mono_ms() + PATIENCE_MS;
		return;
	}
	if (events & POLLOUT)
		messages_flush(supervisor, child);
}

static int wait_and_serve(struct supervisor *supervisor, struct err *err)
{
	struct pollfd fds[1 + CHILDREN] = { { .fd = supervisor->signals_fd, .events = POLLIN } };

	for (unsigned i = 0; i < CHILDREN; i++) {
		const struct child *child = child_at(supervisor, i);

		fds[1 + i].fd = child->channel; /* -1 is skipped */
		fds[1 + i].events = messages_wait(child) ? POLLIN | POLLOUT : POLLIN;
	}
	if (poll(fds, 1 + CHILDREN, poll_timeout(next_timer(supervisor), clock_mono_ms())) < 0) {
		if (errno == EINTR)
			return 0;
		return err_set(err, "poll: %s", strerror(errno));
	}
	for (unsigned i = 0; i < CHILDREN; i++) {
		if (fds[1 + i].revents != 0)
			serve_channel(supervisor, child_at(supervisor, i), fds[1 + i].revents);
	}
	if (fds[0].revents != 0)
		take_signals(supervisor);
	run_timers(supervisor, clock_mono_ms());
	return 0;
}

int supervisor_run(struct supervisor *supervisor, struct err *err)
{
	int rc = -1;

	supervisor->started_ms = clock_mono_ms();
	supervisor->started_unix_ms = clock_unix_ms();
	if (open_signals(supervisor, err) != 0)
		return -1;
	for (unsigned i = 0; i < CHILDREN; i++)
		start_child(supervisor, child_at(supervisor, i));
	while (!stopping(supervisor) || supervisor->dns.pid > 0 || supervisor->control.pid > 0) {
		if (wait_and_serve(supervisor, err) != 0)
			goto out;
	}
	rc = 0;
out:
	for (unsigned i = 0; i < CHILDREN; i++)
		child_close_channel(child_at(supervisor, i));
	if (supervisor->control_socket >= 0)
		(void)close(supervisor->control_socket);
	(void)close(supervisor->signals_fd);
	worlds_close(&supervisor->worlds);
	return rc;
}

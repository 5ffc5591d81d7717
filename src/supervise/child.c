#include "supervise/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

int child_start(struct child *child, int folder, unsigned due, struct err *err)
{
	struct program program = { .name = child->name,
				   .argv = child->argv,
				   .identity = &child->identity,
				   .out = PROGRAM_NONE };
	int ends[2];

	child->start_at_ms = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_set(err, "%s: socketpair: %s", child->name, strerror(errno));
	program.channel = ends[1];
	/* Only our end is non-blocking; the flag belongs to the end, not to the pair. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
		(void)err_set(err, "%s: channel: %s", child->name, strerror(errno));
		goto fail;
	}
	child->pid = program_start(folder, &program, err);
	if (child->pid < 0) {
		child->pid = 0;
		goto fail;
	}
	(void)close(ends[1]);
	child->channel = ends[0];
	child->due = due;
	child->listeners_sent = 0;
	child->icmp_sent = 0;
	child->send_at_ms = 0;
	child->unanswered = false;
	child->started_unix_ms = clock_unix_ms();
	return 0;
fail:
	(void)close(ends[0]);
	(void)close(ends[1]);
	return -1;
}

uint64_t child_ended(struct child *child, uint64_t now_ms)
{
	static const uint64_t pauses_ms[CHILD_ENDS] = { 0, 100, 1000, 5000 };
	uint64_t pause_ms;

	memmove(child->ends_ms + 1, child->ends_ms, sizeof(child->ends_ms[0]) * (CHILD_ENDS - 1));
	child->ends_ms[0] = now_ms;
	pause_ms = pauses_ms[child_recent_ends(child, now_ms) - 1];
	if (pause_ms > child->pause_max_ms)
		pause_ms = child->pause_max_ms;
	child_close_channel(child);
	child->pid = 0;
	child->end_by_ms = 0;
	child->start_at_ms = now_ms + pause_ms;
	child->restarts++;
	return pause_ms;
}

unsigned child_recent_ends(const struct child *child, uint64_t now_ms)
{
	unsigned count = 0;

	while (count < CHILD_ENDS && child->ends_ms[count] != 0 &&
	       now_ms - child->ends_ms[count] < CHILD_WINDOW_MS)
		count++;
	return count;
}

void child_forget_ends(struct child *child)
{
	memset(child->ends_ms, 0, sizeof(child->ends_ms));
}

void child_signal(const struct child *child, int signal)
{
	if (child->pid > 0)
		(void)kill(child->pid, signal); /* until it is reaped the pid is ours */
}

void child_close_channel(struct child *child)
{
	if (child->channel >= 0)
		(void)close(child->channel);
	child->channel = -1;
	child->due = 0;
}

struct handover_process child_process(const struct child *child)
{
	return (struct handover_process){ .pid = (int32_t)child->pid,
					  .restarts = child->restarts,
					  .started_unix_ms = child->started_unix_ms };
}

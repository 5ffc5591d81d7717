#include "probe/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define LOOK_S    0.02
#define GIVEUP_MS 5000
#define CLOSE_MS  1000

struct session {
	TAILQ_ENTRY(session) link;
	pid_t number;
	uint64_t since_ms;
};

TAILQ_HEAD(sessions, session);

struct leftovers {
	struct ev_loop *loop;
	struct ev_timer timer;
	struct sessions sessions;
};

/* What a look at all processes has found. */
struct found {
	size_t left; /* in the session */
	bool blind;  /* not all were looked at, for want of descriptors */
};

static void note_lack(struct found *found, int error)
{
	found->blind |= error == EMFILE || error == ENFILE;
}

/* proc(5): "pid (name) state ppid pgrp session ..."; a name may hold anything. false: it is none that
 * could be killed, or none at all. */
static bool is_alive_in(int proc, const char *pid, pid_t session, struct found *found)
{
	char path[32], text[512];
	const char *after;
	ssize_t n = -1;
	int of = 0, fd;
	char state = 'X';

	(void)snprintf(path, sizeof(path), "%.20s/stat", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	} else {
		note_lack(found, errno);
	}
	if (n <= 0)
		return false;
	text[n] = '\0';
	after = strrchr(text, ')');
	return after != NULL && sscanf(after, ") %c %*d %*d %d", &state, &of) == 2 &&
	       of == session && state != 'Z' && state != 'X';
}

/* Looked at once it is held, so that it is the process that is killed. */
static void kill_one(int proc, const char *name, pid_t session, struct found *found)
{
	int fd = pidfd_open((pid_t)strtol(name, NULL, 10), 0);

	if (fd < 0) {
		note_lack(found, errno);
		return;
	}
	if (is_alive_in(proc, name, session, found)) {
		(void)pidfd_send_signal(fd, SIGKILL, NULL, 0);
		found->left++;
	}
	(void)close(fd);
}

static struct found kill_all(pid_t session)
{
	DIR *proc = opendir("/proc");
	struct found found = { 0 };
	struct dirent *entry;

	if (proc == NULL) {
		note_lack(&found, errno);
		if (!found.blind)
			log_warning("what signpost-run has left behind is not looked for",
				    "reason=\"/proc: %s\"", strerror(errno));
		return found;
	}
	while ((entry = readdir(proc)) != NULL) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    is_alive_in(dirfd(proc), entry->d_name, session, &found))
			kill_one(dirfd(proc), entry->d_name, session, &found);
	}
	(void)closedir(proc);
	return found;
}

/* true: nothing is left of it, or it is given up. */
static bool is_done(const struct session *session, uint64_t patience_ms)
{
	struct found found = kill_all(session->number);

	if (found.left == 0 && !found.blind)
		return true;
	if (clock_mono_ms() - session->since_ms < patience_ms)
		return false;
	if (found.left > 0)
		log_warning("what signpost-run has left behind cannot be killed",
			    "processes=%zu session=%d", found.left, (int)session->number);
	else
		log_warning("what signpost-run has left behind is not looked for",
			    "reason=\"no descriptors\" session=%d", (int)session->number);
	return true;
}

static void look_again(struct leftovers *leftovers, uint64_t patience_ms)
{
	struct session *session = TAILQ_FIRST(&leftovers->sessions);

	while (session != NULL) {
		struct session *next = TAILQ_NEXT(session, link);

		if (is_done(session, patience_ms)) {
			TAILQ_REMOVE(&leftovers->sessions, session, link);
			free(session);
		}
		session = next;
	}
}

static void on_time(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct leftovers *leftovers = timer->data;

	(void)events;
	look_again(leftovers, GIVEUP_MS);
	if (TAILQ_EMPTY(&leftovers->sessions))
		ev_timer_stop(loop, timer);
}

struct leftovers *leftovers_open(struct ev_loop *loop)
{
	struct leftovers *leftovers = mem_alloc(sizeof(*leftovers));

	leftovers->loop = loop;
	ev_timer_init(&leftovers->timer, on_time, 0., LOOK_S);
	leftovers->timer.data = leftovers;
	TAILQ_INIT(&leftovers->sessions);
	return leftovers;
}

void leftovers_close(struct leftovers *leftovers)
{
	if (leftovers == NULL)
		return;
	ev_timer_stop(leftovers->loop, &leftovers->timer);
	look_again(leftovers, CLOSE_MS);
	while (!TAILQ_EMPTY(&leftovers->sessions)) {
		(void)usleep(2000);
		look_again(leftovers, CLOSE_MS);
	}
	free(leftovers);
}

/* Beginning with the first turn: the commands themselves may be about to start something. */
void leftovers_kill(struct leftovers *leftovers, pid_t number)
{
	struct session *session = mem_alloc(sizeof(*session));

	session->number = number;
	session->since_ms = clock_mono_ms();
	TAILQ_INSERT_TAIL(&leftovers->sessions, session, link);
	ev_timer_again(leftovers->loop, &leftovers->timer);
}

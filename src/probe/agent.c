/* agent.c - asks an agent as HAProxy's agent-check does: connect, send a text where one is
 * configured, read one line (probe/agent_line.h).
 *
 * An agent that cannot be reached, or that says nothing that is understood, changes nothing: what it
 * said last holds. HAProxy would let that hold for ever; here its weight and what it asks for are
 * forgotten after a time, so that an agent that died while its node was busy does not keep the node
 * at 5 % for weeks. That it said "down" is not forgotten: only "up" ends that, as with HAProxy. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/probe_agent.h"
#include "probe/agent_line.h"
#include "probe/kind.h"
#include "probe/placeholders.h"

struct agent {
	struct kind kind; /* first: a struct kind * is a struct agent * */
	struct ev_loop *loop;
};

struct agent_own {
	struct agent *agent;
	ev_io io;
	struct buf send;
	size_t sent;
	char text[AGENT_LINE_MAX];
	size_t len;
	struct agent_said said;
	uint64_t said_ms; /* monotonic; 0: it has said nothing yet, or all is forgotten */
};

static void stop(struct agent *agent, struct agent_own *own)
{
	ev_io_stop(agent->loop, &own->io);
	(void)close(own->io.fd);
	buf_free(&own->send);
	own->send = (struct buf){ 0 };
}

/* --- nothing was said -------------------------------------------------------------------------- */

static bool is_stale(const struct agent_own *own, const struct agent_settings *settings)
{
	return own->said_ms != 0 && clock_mono_ms() - own->said_ms > settings->max_age_ms;
}

/* Nothing that holds any longer was said: what that counts as. `why` says what happened. */
static void count_silence(struct probe *probe, const char *why, struct probe_result *result)
{
	const struct agent_settings *settings = probe->settings;
	struct agent_own *own = probe->own;
	bool stale = is_stale(own, settings);

	result->why = why;
	result->outcome = PROBE_NOT_MADE;
	if (stale) {
		own->said.wish = WISH_READY;
		own->said.has_weight = true;
		own->said.weight_percent = 100;
		result->has_weight = true;
		result->weight_percent = 100;
		result->wish = WISH_READY;
		result->outcome = own->said.health == AGENT_DOWN ? PROBE_FAILURE : PROBE_WARNING;
		evidence_note(probe->evidence,
			      "it has said nothing for %u s: its weight and its wish are forgotten",
			      settings->max_age_ms / 1000);
	}
	if (settings->unreachable == AGENT_FAILURE)
		result->outcome = PROBE_FAILURE;
}

static void end_silent(struct probe *probe, const char *why)
{
	struct probe_result result = { 0 };

	count_silence(probe, why, &result);
	probe->done(probe, &result);
}

/* --- the conversation -------------------------------------------------------------------------- */

static void take_line(struct probe *probe, const struct agent_line *line)
{
	struct agent_own *own = probe->own;
	char why[PROBE_WHY_SIZE];
	struct probe_result result;

	if (!line->says) {
		end_silent(probe, agent_line_silence(line, "says nothing", why));
		return;
	}
	agent_said_take(&own->said, line);
	own->said_ms = clock_mono_ms();
	result = agent_said_result(&own->said, line, why);
	evidence_note(probe->evidence, "with what it said before: %s", why);
	probe->done(probe, &result);
}

static void on_readable(struct agent *agent, struct probe *probe)
{
	struct agent_own *own = probe->own;
	ssize_t n = recv(own->io.fd, own->text + own->len, sizeof(own->text) - own->len, 0);
	struct agent_line line;
	int error = errno;

	if (n < 0 && (error == EAGAIN || error == EINTR))
		return;
	if (n > 0) {
		evidence_octets(probe->evidence, own->text + own->len, (size_t)n,
				"received %zd octets", n);
		own->len += (size_t)n;
		if (agent_line_parse(own->text, own->len, false, &line)) {
			stop(agent, own);
			take_line(probe, &line);
			return;
		}
		if (own->len < sizeof(own->text))
			return;
	}
	stop(agent, own);
	if (n < 0)
		end_silent(probe, strerrordesc_np(error));
	else if (n > 0)
		end_silent(probe, "its line is too long");
	else
		end_silent(probe, own->len > 0 ? "its line has no end" : "says nothing");
}

static void on_writable(struct agent *agent, struct probe *probe)
{
	struct agent_own *own = probe->own;
	int error = 0;
	socklen_t size = sizeof(error);
	ssize_t n = 0;

	if (getsockopt(own->io.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error == 0 && own->sent < own->send.len) {
		n = send(own->io.fd, own->send.data + own->sent, own->send.len - own->sent,
			 MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		error = n < 0 ? errno : 0;
	}
	if (error != 0) {
		stop(agent, own);
		end_silent(probe, strerrordesc_np(error));
		return;
	}
	own->sent += (size_t)n;
	if (own->sent < own->send.len)
		return;
	evidence_octets(probe->evidence, own->send.data, own->send.len,
			"connected, sent %zu octets", own->send.len);
	ev_io_stop(agent->loop, &own->io);
	ev_io_set(&own->io, own->io.fd, EV_READ);
	ev_io_start(agent->loop, &own->io);
}

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;
	struct agent_own *own = probe->own;

	(void)loop;
	if ((events & EV_WRITE) != 0)
		on_writable(own->agent, probe);
	else
		on_readable(own->agent, probe);
	kind_went_on(probe);
}

/* --- the kind ---------------------------------------------------------------------------------- */

static void agent_start(struct kind *kind, struct probe *probe)
{
	const struct agent_settings *settings = probe->settings;
	struct agent_own *own = probe->own;
	int fd = kind_socket(probe, SOCK_STREAM);
	int error = errno;

	if (fd < 0) {
		if (kind_outcome(error) == PROBE_NOT_MADE)
			kind_failed(probe, error);
		else
			end_silent(probe, strerrordesc_np(error));
		return;
	}
	own->agent = (struct agent *)kind;
	own->sent = own->len = 0;
	placeholders_fill(probe_text(settings, settings->send), probe, &own->send);
	ev_io_init(&own->io, on_event, fd, EV_WRITE);
	ev_set_priority(&own->io, KIND_IO_PRIORITY);
	own->io.data = probe;
	ev_io_start(own->agent->loop, &own->io);
}

static void agent_cancel(struct kind *kind, struct probe *probe)
{
	stop((struct agent *)kind, probe->own);
}

static void agent_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	stop((struct agent *)kind, probe->own);
	count_silence(probe, "timeout", result);
}

static void agent_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_agent_open(const struct kind_tools *tools)
{
	struct agent *agent = mem_alloc(sizeof(*agent));

	agent->kind = (struct kind){ .name = "agent",
				     .own_size = sizeof(struct agent_own),
				     .has_descriptor = true,
				     .start = agent_start,
				     .cancel = agent_cancel,
				     .expire = agent_expire,
				     .close = agent_close };
	agent->loop = tools->loop;
	return &agent->kind;
}

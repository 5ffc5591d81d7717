#include "supervise/status.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/log.h"
#include "supervise/messages.h"

static const char *what_is_served(const struct worlds *worlds)
{
	if (worlds_to_serve(worlds) == NULL)
		return "no world yet: every query is answered SERVFAIL";
	if (worlds->distrusted)
		return "serving the previous world: the newest one was refused or ended the data "
		       "plane";
	return "serving";
}

static void process_text(const struct child *child, char *text, size_t size)
{
	if (child->pid > 0)
		(void)snprintf(text, size, "%d", (int)child->pid);
	else
		(void)snprintf(text, size, "not running");
}

void status_text(const struct supervisor *supervisor, char *text, size_t size)
{
	char dns[32], control[32];

	process_text(&supervisor->dns, dns, sizeof(dns));
	process_text(&supervisor->control, control, sizeof(control));
	(void)snprintf(text, size, "%s; data plane %s, control plane %s",
		       what_is_served(&supervisor->worlds), dns, control);
}

/* sd_notify does nothing where there is no NOTIFY_SOCKET, and its failure concerns nobody else. */
static void notify(const struct supervisor *supervisor, const char *state)
{
	char text[512];

	status_text(supervisor, text, sizeof(text));
	(void)sd_notifyf(0, "%sSTATUS=%s", state, text);
}

static void tell_ready(struct supervisor *supervisor)
{
	const char *state = supervisor->told_ready || supervisor->reloading ? "" : "READY=1\n";

	if (!supervisor->reloading)
		supervisor->told_ready = true;
	notify(supervisor, state);
}

void status_serving(struct supervisor *supervisor)
{
	if (!supervisor->told_ready)
		log_info("ready", "workers=%u", supervisor->listeners.workers);
	tell_ready(supervisor);
}

void status_no_world(struct supervisor *supervisor, const char *why)
{
	log_error("there is no world to serve: every query is answered SERVFAIL", "reason=\"%s\"",
		  why);
	tell_ready(supervisor);
}

void status_reloading(struct supervisor *supervisor)
{
	struct timespec now;

	supervisor->reloading = true;
	supervisor->control.due |= DUE_RELOAD;
	messages_flush(supervisor, &supervisor->control);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
			 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void status_reloaded(struct supervisor *supervisor, const char *how)
{
	if (!supervisor->reloading)
		return; /* the operator's tool asked for it, not a signal */
	supervisor->reloading = false;
	supervisor->told_ready = true;
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", how);
}

void status_stopping(struct supervisor *supervisor)
{
	notify(supervisor, "STOPPING=1\n");
}

void status_changed(struct supervisor *supervisor)
{
	supervisor->control.due |= DUE_PROCESSES;
	messages_flush(supervisor, &supervisor->control);
	notify(supervisor, "");
}

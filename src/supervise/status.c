#include "supervise/status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise/messages.h"
#include "supervise/notify.h"

#define RETRY_MS 200 /* while the service manager's queue is full */

static const char *what_is_served(const struct worlds *worlds)
{
	if (worlds_to_serve(worlds) == NULL)
		return "no files yet: every query is answered SERVFAIL";
	if (worlds->distrusted)
		return "serving the previous files: the newest ones were refused or ended the data "
		       "plane, and a reload tries them again";
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

/* --- the service manager ------------------------------------------------------------------- */

void status_tell(struct supervisor *supervisor)
{
	struct status_told *told = &supervisor->told;
	char text[sizeof(told->status)], lines[sizeof(told->status) + sizeof(told->due) + 16];

	status_text(supervisor, text, sizeof(text));
	if (told->due[0] == '\0' && strcmp(text, told->status) == 0)
		return;
	(void)snprintf(lines, sizeof(lines), "%sSTATUS=%s", told->due, text);
	if (notify_send(lines) == NOTIFY_AGAIN) {
		told->retry_ms = clock_mono_ms() + RETRY_MS;
		return;
	}
	memcpy(told->status, text, sizeof(text));
	told->due[0] = '\0';
	told->retry_ms = 0;
}

/* Only the last state counts: who has not yet been told of a reload need not hear of it after. */
static void tell_state(struct supervisor *supervisor, const char *state)
{
	(void)snprintf(supervisor->told.due, sizeof(supervisor->told.due), "%s\n", state);
	status_tell(supervisor);
}

static void tell_ready(struct supervisor *supervisor)
{
	if (supervisor->told.ready)
		return status_tell(supervisor);
	supervisor->told.ready = true;
	if (!supervisor->told.reloading)
		tell_state(supervisor, "READY=1");
}

void status_serving(struct supervisor *supervisor)
{
	if (!supervisor->told.ready)
		log_info("ready", "workers=%u", supervisor->listeners.workers);
	tell_ready(supervisor);
}

void status_no_world(struct supervisor *supervisor, const char *why)
{
	log_error("there is no world to serve: every query is answered SERVFAIL", "reason=\"%s\"",
		  why);
	tell_ready(supervisor);
}

void status_reloading(struct supervisor *supervisor, uint32_t asked_by)
{
	struct timespec now;
	char state[64];

	supervisor->told.reloading = true;
	supervisor->told.asked_by = asked_by;
	supervisor->control.due |= DUE_RELOAD;
	messages_flush(supervisor, &supervisor->control);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	tell_state(supervisor, state);
}

void status_reloaded(struct supervisor *supervisor, const char *how)
{
	if (!supervisor->told.reloading)
		return; /* the operator's tool asked for it, not a signal */
	log_debug("reload ended", "how=\"%s\"", how);
	supervisor->told.reloading = false;
	supervisor->told.ready = true;
	tell_state(supervisor, "READY=1");
}

void status_stopping(struct supervisor *supervisor)
{
	tell_state(supervisor, "STOPPING=1");
}

void status_changed(struct supervisor *supervisor)
{
	supervisor->control.due |= DUE_PROCESSES;
	messages_flush(supervisor, &supervisor->control);
	status_tell(supervisor);
}

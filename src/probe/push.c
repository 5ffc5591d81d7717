/* push.c - what was reported of the node last, as long as that counts. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/probe_push.h"
#include "probe/kind.h"
#include "probe/reports.h"

struct push {
	struct kind kind; /* first: a struct kind * is a struct push * */
	struct reports *reports;
};

struct push_own {
	struct report_reader reader;
	struct report_of *of; /* NULL: not looked for yet */
	uint64_t since_ms;    /* when the first was waited for */
};

static void end_stale(struct probe *probe, const char *why)
{
	const struct push_settings *settings = probe->settings;

	kind_done(probe, settings->stale == STALE_FAILURE ? PROBE_FAILURE : PROBE_NOT_MADE, why);
}

static void look(struct probe *probe, const struct report *report, uint64_t since_ms)
{
	const struct push_settings *settings = probe->settings;
	uint64_t now_ms = clock_mono_ms(), max_ms = settings->max_age_ms, age_ms;
	char why[PROBE_WHY_SIZE];

	/* What was true before a restart of ours goes on until a report would have been due. */
	if (report->at_ms == 0) {
		if (now_ms - since_ms > max_ms)
			end_stale(probe, "nothing was reported yet");
		else
			kind_done(probe, PROBE_NOT_MADE, "nothing was reported yet");
		return;
	}
	age_ms = now_ms - report->at_ms;
	if (report->for_ms != 0)
		max_ms = report->for_ms;
	evidence_note(probe->evidence, "reported %llu ms ago, counts for %llu ms: %s",
		      (unsigned long long)age_ms, (unsigned long long)max_ms, report->reason);
	if (age_ms <= max_ms) {
		kind_done(probe, report->outcome, report->reason);
		return;
	}
	(void)snprintf(why, sizeof(why), "nothing was reported for %llu s",
		       (unsigned long long)age_ms / 1000);
	end_stale(probe, why);
}

static void push_start(struct kind *kind, struct probe *probe)
{
	struct push *push = (struct push *)kind;
	struct push_own *own = probe->own;

	if (push->reports == NULL || probe->node == NULL) {
		kind_done(probe, PROBE_NOT_MADE, "nothing here takes reports");
		return;
	}
	if (own->of == NULL) {
		own->of = reports_of(push->reports, probe->pool, probe->node);
		own->since_ms = clock_mono_ms();
		own->reader.probe = probe;
		report_join(own->of, &own->reader);
	}
	look(probe, report_last(own->of), own->since_ms);
}

static void push_release(struct kind *kind, struct probe *probe)
{
	struct push_own *own = probe->own;

	(void)kind;
	if (own->of != NULL)
		report_leave(&own->reader);
}

/* Nothing runs after start. */
static void push_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	(void)probe;
}

static void push_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_push_open(const struct kind_tools *tools)
{
	struct push *push = mem_alloc(sizeof(*push));

	push->kind = (struct kind){ .name = "push",
				    .own_size = sizeof(struct push_own),
				    .release = push_release,
				    .start = push_start,
				    .cancel = push_cancel,
				    .close = push_close };
	push->reports = tools->reports;
	return &push->kind;
}

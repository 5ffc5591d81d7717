#include "probe/references.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "image/probe_icmp.h"

#define GAP_US    200000   /* between the beginnings of tests */
#define FROZEN_US 3000000  /* the same while all is frozen */
#define IDLE_US   60000000 /* the same while there is no doubt */

/* One that answers a ping is well, however long it took. */
static const struct icmp_settings ping = { .window = 1 };

static void wait_until(struct references *references, uint64_t at_us)
{
	struct ev_loop *loop = references->engine->loop;
	uint64_t now_us = clock_mono_us();
	uint64_t delay_us = at_us > now_us ? at_us - now_us : 0;

	ev_timer_stop(loop, &references->timer);
	if (references->count == 0)
		return;
	ev_now_update(loop);
	ev_timer_set(&references->timer, (double)delay_us / 1e6, 0.);
	ev_timer_start(loop, &references->timer);
}

static void plan_next(struct references *references)
{
	const struct doubt *doubt = &references->engine->doubt;
	uint64_t gap_us = doubt->frozen ? FROZEN_US : doubt->wanted ? GAP_US : IDLE_US;

	wait_until(references, references->began_us + gap_us);
}

/* Told once: they are of no use then, and whoever named them may not know. */
static void note_silence(struct references *references)
{
	bool silent = !references->answered && references->missed;

	if (silent && !references->silent)
		log_warning("no reference answers", "references=%u", references->count);
	if (!silent && references->silent)
		log_info("references answer again", "references=%u", references->count);
	references->silent = silent;
	references->tested_unix_ms = clock_unix_ms();
}

/* Where none could be asked, for want of something of our own, nothing speaks against the network. */
static void end(struct references *references)
{
	struct doubt *doubt = &references->engine->doubt;
	enum doubt_change change = doubt_tested(doubt, references->began_us,
						references->answered || !references->missed);

	note_silence(references);
	references->tell(references->context, change);
	plan_next(references);
}

static void stop(struct references *references)
{
	for (uint32_t i = 0; i < references->count; i++) {
		if (references->list[i].check != NULL)
			check_end(references->list[i].check);
		references->list[i].check = NULL;
	}
	references->running = 0;
}

/* One answer is enough. */
static void on_ended(struct check *check, const struct probe_result *result)
{
	struct references *references = check->context;
	enum probe_outcome outcome = result->outcome;

	for (uint32_t i = 0; i < references->count; i++) {
		if (references->list[i].check == check)
			references->list[i].check = NULL;
	}
	check_end(check);
	references->running--;
	references->answered |= outcome == PROBE_SUCCESS || outcome == PROBE_WARNING;
	references->missed |= outcome == PROBE_FAILURE;
	if (references->answered)
		stop(references);
	if (references->running == 0)
		end(references);
}

static void begin(struct references *references)
{
	references->began_us = clock_mono_us();
	references->answered = references->missed = false;
	references->running = references->count;
	for (uint32_t i = 0; i < references->count; i++) {
		struct reference *reference = &references->list[i];

		reference->check = check_begin_once(references->engine, &reference->key, &ping,
						    NULL, on_ended, references);
		reference->check->paced = true; /* they have a pace of their own */
	}
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct references *references = timer->data;

	(void)loop;
	(void)events;
	if (references->running == 0 && references->count > 0)
		begin(references);
}

void references_want(struct references *references)
{
	if (references->running == 0)
		plan_next(references);
}

void references_open(struct references *references, struct engine *engine, references_fn *tell,
		     void *context)
{
	*references = (struct references){ .engine = engine, .tell = tell, .context = context };
	ev_timer_init(&references->timer, on_timer, 0., 0.);
	references->timer.data = references;
}

void references_close(struct references *references)
{
	stop(references);
	ev_timer_stop(references->engine->loop, &references->timer);
}

static struct check_key key_of(const struct plan_reference *from)
{
	struct check_key key = { .kind = from->port != 0 ? PROBE_TCP : PROBE_ICMP,
				 .family = from->address.family,
				 .port = from->port,
				 .interval_ms = REFERENCES_TIMEOUT_MS,
				 .timeout_ms = REFERENCES_TIMEOUT_MS,
				 .fall = 1,
				 .rise = 1,
				 .settings_len = from->port != 0 ? 0 : sizeof(ping) };

	memcpy(key.address, from->address.bytes, sizeof(key.address));
	return key;
}

void references_take(struct references *references, const struct image *plan)
{
	const struct plan_reference *list = plan_items(plan, references, struct plan_reference);
	struct doubt *doubt = &references->engine->doubt;

	stop(references);
	references->count = plan_count(plan, references);
	if (references->count > REFERENCES_MAX)
		references->count = REFERENCES_MAX;
	for (uint32_t i = 0; i < references->count; i++)
		references->list[i].key = key_of(&list[i]);
	doubt->share_percent = references->count > 0
				       ? image_root(plan, struct plan_root)->settings.doubt_percent
				       : 0;
	if (references->count == 0) {
		doubt->frozen = false;
		doubt->unsure = 0;
	}
	doubt_restart(doubt);
	wait_until(references, 0);
}

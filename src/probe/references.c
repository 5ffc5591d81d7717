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

static const char *const family_name[] = { [DOUBT_V4] = "IPv4", [DOUBT_V6] = "IPv6" };

static struct doubt *doubt_of(struct references *references)
{
	return &references->engine->doubts.of[references->family];
}

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
	const struct doubt *doubt = doubt_of(references);
	uint64_t gap_us = doubt->frozen ? FROZEN_US : doubt->wanted ? GAP_US : IDLE_US;

	wait_until(references, references->began_us + gap_us);
}

/* Told once: they are of no use then, and whoever named them may not know. */
static void note_silence(struct references *references)
{
	bool silent = !references->answered && references->missed;

	if (silent && !references->silent)
		log_warning("no reference answers", "family=%s references=%u",
			    family_name[references->family], references->count);
	if (!silent && references->silent)
		log_info("references answer again", "family=%s references=%u",
			 family_name[references->family], references->count);
	references->silent = silent;
	references->tested_unix_ms = clock_unix_ms();
}

/* Where none could be asked, for want of something of our own, nothing speaks against the network. */
static void end(struct references *references)
{
	enum doubt_change change = doubts_tested(&references->engine->doubts, references->family,
						 references->began_us,
						 references->answered || !references->missed);

	note_silence(references);
	references->tell(references->context, references->family, change);
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
		reference->check->own_pace = true;
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

void references_open(struct references *references, struct engine *engine, enum doubt_family family,
		     references_fn *tell, void *context)
{
	*references = (struct references){
		.engine = engine, .family = family, .tell = tell, .context = context
	};
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

/* How many are taken. */
static uint32_t take_of(struct references *references, const struct image *plan, uint8_t family)
{
	const struct plan_reference *list = plan_items(plan, references, struct plan_reference);
	uint32_t count = 0;

	for (uint32_t i = 0; i < plan_count(plan, references) && count < REFERENCES_MAX; i++) {
		if (list[i].address.family == family)
			references->list[count++].key = key_of(&list[i]);
	}
	return count;
}

static void take_list(struct references *references, const struct image *plan)
{
	bool is_v4 = references->family == DOUBT_V4;

	references->count = take_of(references, plan, is_v4 ? IP_V4 : IP_V6);
	references->borrowed = references->count == 0;
	if (references->borrowed)
		references->count = take_of(references, plan, is_v4 ? IP_V6 : IP_V4);
}

void references_take(struct references *references, const struct image *plan, uint32_t targets)
{
	struct doubt *doubt = doubt_of(references);

	stop(references);
	take_list(references, plan);
	if (targets == 0)
		references->count = 0;
	doubt->targets = targets;
	doubt->share_percent = references->count > 0
				       ? image_root(plan, struct plan_root)->settings.doubt_percent
				       : 0;
	if (references->count == 0) {
		doubt->frozen = references->silent = false;
		doubt->unsure = 0;
	}
	doubt_restart(doubt);
	wait_until(references, 0);
}

/* Clocks that are stepped: by hand, or by whatever sets them after a long time without.
 *
 * Probing, ramps and what weights follow go by the monotonic clock. What operators order up to a
 * time ends at that time, whatever the clock was before; the rest must not notice. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/running_parts.h"

#define STEP_MS 2000 /* less is how clocks are mended, and how late we may look */

static int64_t clock_ahead_ms(void)
{
	return (int64_t)(clock_unix_ms() - clock_mono_ms());
}

void running_open_clock(struct running *running)
{
	running->clock_ahead_ms = clock_ahead_ms();
}

void running_follow_clock(struct running *running)
{
	int64_t ahead_ms = clock_ahead_ms();
	int64_t step_ms = ahead_ms - running->clock_ahead_ms;

	if (llabs(step_ms) < STEP_MS)
		return; /* slow drifting adds up to a step, and is then one */
	running->clock_ahead_ms = ahead_ms;
	log_warning("the clock was stepped", "by_s=%.1f", (double)step_ms / 1000);
	memory_step_clock(running->memory, step_ms);
	if (running->inputs != NULL)
		inputs_step_clock(running->inputs, step_ms);
}

static void stop_drill(struct running *running)
{
	struct order order = running->drill.order;
	struct order_changes changes = { 0 };
	struct store_action *row = &order.row;
	struct err err;

	order.action = ORDER_DRILL_STOP;
	row->at_unix_ms = row->from_unix_ms = clock_unix_ms();
	row->until_unix_ms = 0;
	row->uid = (uint32_t)getuid();
	(void)snprintf(row->action, sizeof(row->action), "%s", order_action_name[order.action]);
	(void)snprintf(row->who, sizeof(row->who), "signpost-control");
	(void)snprintf(row->reason, sizeof(row->reason),
		       "its time is over; the clock was set back meanwhile");
	if (orders_take(&running->orders, &order, &changes, &err) != 0)
		log_error("the drill cannot be ended", "reason=\"%s\"", err.text);
	free(changes.ended);
}

void running_end_drill_in_time(struct running *running)
{
	const struct drill *drill = &running->drill;
	uint64_t now_ms = clock_unix_ms(), mono_ms = clock_mono_ms();

	if (!drill->running)
		return;
	if (running->drill_at_ms != drill->order.row.at_unix_ms) {
		const struct store_action *row = &drill->order.row;
		uint64_t from_ms = row->from_unix_ms > now_ms ? row->from_unix_ms : now_ms;

		running->drill_at_ms = row->at_unix_ms;
		running->drill_end_mono_ms =
			mono_ms + (row->until_unix_ms > from_ms ? row->until_unix_ms - from_ms : 0);
	}
	if (mono_ms > running->drill_end_mono_ms + STEP_MS)
		stop_drill(running);
}

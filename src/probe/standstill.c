#include "probe/standstill.h"

#include "base/clock.h"

#define US_PER_S 1e6
#define BEAT_US  20000

static void on_beat(struct ev_loop *loop, ev_timer *beat, int events)
{
	(void)loop;
	(void)events;
	(void)standstill_us(beat->data, clock_mono_us());
}

void standstill_open(struct standstill *still, struct ev_loop *loop)
{
	*still = (struct standstill){ .loop = loop };
	ev_timer_init(&still->beat, on_beat, 0.0, BEAT_US / US_PER_S);
	still->beat.data = still;
}

void standstill_watch(struct standstill *still, uint64_t now_us)
{
	if (still->watchers++ > 0)
		return;
	still->due_us = now_us + BEAT_US;
	ev_now_update(still->loop);
	ev_timer_again(still->loop, &still->beat);
}

void standstill_leave(struct standstill *still)
{
	if (--still->watchers == 0)
		ev_timer_stop(still->loop, &still->beat);
}

uint64_t standstill_us(struct standstill *still, uint64_t now_us)
{
	if (now_us >= still->due_us + STANDSTILL_MIN_US)
		still->all_us += now_us - still->due_us;
	still->due_us = now_us + BEAT_US; /* the timer's may be earlier */
	return still->all_us;
}

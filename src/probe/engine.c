#include "probe/engine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "probe/schedule.h"
#include "probe/verdict.h"

#define US_PER_S        1000000
#define REPORT_EVERY_US (10 * (uint64_t)US_PER_S)

void check_text(const struct check *check, char text[CHECK_TEXT_SIZE])
{
	char where[IP_ENDPOINT_SIZE];
	char why[32];

	if (check->key.port != 0)
		(void)ip_endpoint_format(&check->probe.address, check->key.port, where);
	else
		(void)ip_format(&check->probe.address, where);
	(void)snprintf(why, sizeof(why), "%s", check->why != NULL ? check->why : "no result yet");
	/* "Connection refused" follows a colon, but "IPv6..." and the like stay as they are. */
	if (islower((unsigned char)why[1]))
		why[0] = (char)tolower((unsigned char)why[0]);
	(void)snprintf(text, CHECK_TEXT_SIZE, "%s %s: %s", check->kind->name, where, why);
}

/* --- one turn of a check ------------------------------------------------------------------- */

static void wait_until(struct check *check, uint64_t at_us, uint64_t now_us)
{
	struct ev_loop *loop = check->engine->loop;
	uint64_t delay_us = at_us > now_us ? at_us - now_us : 0;

	ev_now_update(loop); /* a long round of the loop must not shorten waits and timeouts */
	ev_timer_stop(loop, &check->timer);
	ev_timer_set(&check->timer, (double)delay_us / US_PER_S, 0.0);
	ev_timer_start(loop, &check->timer);
}

/* One line in ten seconds: thousands of checks may lack the same thing. */
static void report_not_made(struct engine *engine, const struct check *check, uint64_t now_us)
{
	char text[CHECK_TEXT_SIZE];

	if (engine->reported_us != 0 && now_us - engine->reported_us < REPORT_EVERY_US)
		return;
	engine->reported_us = now_us;
	check_text(check, text);
	log_warning("probes cannot be made", "example=\"%s\" so_far=%llu", text,
		    (unsigned long long)engine->counters.not_made);
}

static void take_result(struct check *check, bool success, uint64_t took_us)
{
	struct engine *engine = check->engine;
	int32_t before = check->verdict;

	engine->counters.successes += success;
	engine->counters.failures += !success;
	check->verdict = verdict_step(before, success, check->key.fall, check->key.rise);
	check->checked_unix_ms = clock_unix_ms();
	/* When the loop was busy beyond the timeout, it is not known when the answer came. */
	if (success && took_us <= (uint64_t)check->key.timeout_ms * 1000)
		check->rtt_us = took_us > 0 ? (uint32_t)took_us : 1;
	engine->result(check, before);
}

static void finish(struct check *check, enum probe_outcome outcome, const char *why)
{
	struct engine *engine = check->engine;
	uint64_t now_us = clock_mono_us();

	check->phase = CHECK_WAITING;
	engine->descriptors += check->kind->has_descriptor;
	engine->random = hash_word(engine->random);
	check->due_us = schedule_next_us(check->due_us, check->key.interval_ms,
					 check->key.jitter_percent, engine->random);
	wait_until(check, check->due_us, now_us);
	check->why = why;
	if (outcome == PROBE_NOT_MADE) {
		engine->counters.not_made++;
		report_not_made(engine, check, now_us);
	} else {
		take_result(check, outcome == PROBE_SUCCESS, now_us - check->started_us);
	}
	engine_continue(engine);
}

static void on_done(struct probe *probe, enum probe_outcome outcome, const char *why)
{
	finish((struct check *)probe, outcome, why);
}

static void start(struct check *check)
{
	struct engine *engine = check->engine;
	uint64_t now_us = clock_mono_us();
	uint64_t late_us = now_us > check->due_us ? now_us - check->due_us : 0;

	if (late_us > engine->counters.late_max_us)
		engine->counters.late_max_us = late_us;
	/* Very late, after a pause or a long queue: its place in the interval is here from now on. */
	if (schedule_start_us(check->due_us, now_us, check->key.interval_ms) != check->due_us)
		check->due_us = now_us;
	check->phase = CHECK_RUNNING;
	check->passed_over = false;
	check->started_us = now_us;
	engine->counters.started++;
	engine->descriptors -= check->kind->has_descriptor;
	/* First the timer: the probe may end before start returns. */
	wait_until(check, now_us + (uint64_t)check->key.timeout_ms * 1000, now_us);
	check->kind->start(check->kind, &check->probe);
}

/* A loop, not a recursion: probes may end at once, and the queue may be long. */
void engine_continue(struct engine *engine)
{
	struct check *check;

	if (engine->continuing)
		return;
	engine->continuing = true;
	while (engine->descriptors > 0 && (check = TAILQ_FIRST(&engine->queue)) != NULL) {
		TAILQ_REMOVE(&engine->queue, check, queue);
		start(check);
	}
	engine->continuing = false;
}

/* Its time has come: starts, waits for a descriptor, or is left out this once. */
static void take_turn(struct check *check)
{
	struct engine *engine = check->engine;
	uint64_t now_us = clock_mono_us();
	uint64_t start_us = schedule_start_us(check->due_us, now_us, check->key.interval_ms);

	if (start_us != check->due_us && !check->passed_over) {
		engine->counters.passed_over++;
		check->passed_over = true;
		check->due_us = start_us;
		wait_until(check, start_us, now_us);
		return;
	}
	if (check->kind->has_descriptor && engine->descriptors == 0) {
		engine->counters.queued++;
		check->phase = CHECK_QUEUED;
		TAILQ_INSERT_TAIL(&engine->queue, check, queue);
		return;
	}
	start(check);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct check *check = timer->data;

	(void)loop;
	(void)events;
	if (check->phase == CHECK_RUNNING) {
		check->kind->cancel(check->kind, &check->probe);
		finish(check, PROBE_FAILURE, "timeout");
	} else {
		take_turn(check);
	}
}

/* --- lifetimes ----------------------------------------------------------------------------- */

struct check *check_begin(struct engine *engine, const struct check_key *key, uint64_t delay_us)
{
	struct check *check = mem_alloc(sizeof(*check));
	uint64_t now_us = clock_mono_us();

	check->key = *key;
	check->engine = engine;
	check->kind = engine->kinds[key->kind];
	check->probe.address.family = key->family;
	memcpy(check->probe.address.bytes, key->address, sizeof(key->address));
	check->probe.port = key->port;
	check->probe.done = on_done;
	check->phase = CHECK_WAITING;
	check->due_us = now_us + delay_us;
	ev_timer_init(&check->timer, on_timer, 0.0, 0.0);
	check->timer.data = check;
	wait_until(check, check->due_us, now_us);
	return check;
}

void check_end(struct check *check)
{
	struct engine *engine = check->engine;

	if (check->phase == CHECK_QUEUED)
		TAILQ_REMOVE(&engine->queue, check, queue);
	if (check->phase == CHECK_RUNNING) {
		check->kind->cancel(check->kind, &check->probe);
		engine->descriptors += check->kind->has_descriptor;
	}
	ev_timer_stop(engine->loop, &check->timer);
	free(check);
}

void engine_open(struct engine *engine, struct ev_loop *loop, int icmp_v4, int icmp_v6,
		 uint32_t descriptors, void (*result)(struct check *check, int32_t before))
{
	*engine = (struct engine){ .loop = loop, .descriptors = descriptors, .result = result };
	TAILQ_INIT(&engine->queue);
	engine->kinds[PROBE_TCP] = kind_tcp_open(loop);
	engine->kinds[PROBE_ICMP] = kind_icmp_open(loop, icmp_v4, icmp_v6);
	if (getrandom(&engine->random, sizeof(engine->random), GRND_NONBLOCK) < 0)
		engine->random = clock_mono_us(); /* jitter is against bunching, not guessing */
}

void engine_close(struct engine *engine)
{
	for (size_t i = 0; i < sizeof(engine->kinds) / sizeof(engine->kinds[0]); i++)
		engine->kinds[i]->close(engine->kinds[i]);
}

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

#define US_PER_S        1000000
#define REPORT_EVERY_US (10 * (uint64_t)US_PER_S)

/* libev takes the events of 64 descriptors in a turn, and of twice as many in the next one where there were
 * so many: what came while the loop was busy is seen within so many turns. A probe for whose end we may be
 * late is given up only then. */
#define LOOKS_MAX 10

/* A probe whose other side goes on has more time for as long as we stood still: it did not keep us waiting.
 * That ends, too, where we stand still at every step. */
#define MOVES_MAX 16

void check_text(const struct check *check, char text[CHECK_TEXT_SIZE])
{
	char where[IP_ENDPOINT_SIZE + 1] = "";
	char why[PROBE_WHY_SIZE];

	if (check->key.port != 0 && check->key.family != 0)
		(void)ip_endpoint_format(&check->probe.address, check->key.port, where + 1);
	else if (check->key.family != 0)
		(void)ip_format(&check->probe.address, where + 1);
	if (check->key.family != 0)
		where[0] = ' ';
	(void)snprintf(why, sizeof(why), "%s",
		       check->why[0] != '\0' ? check->why : "no result yet");
	/* "Connection refused" follows a colon, but "IPv6..." and the like stay as they are. */
	if (islower((unsigned char)why[1]))
		why[0] = (char)tolower((unsigned char)why[0]);
	(void)snprintf(text, CHECK_TEXT_SIZE, "%s%s: %s", check->kind->name, where, why);
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

struct doubt *check_doubt(const struct check *check)
{
	struct doubt *list = check->engine->doubts.of;

	if (check->target == NULL)
		return NULL;
	return &list[check->key.family == IP_V4 ? DOUBT_V4 : DOUBT_V6];
}

bool check_is_frozen(const struct check *check)
{
	const struct doubt *doubt = check_doubt(check);

	return doubt != NULL ? doubt->frozen : doubts_frozen(&check->engine->doubts);
}

static bool doubt_counts(struct check *check, bool success)
{
	struct doubt *doubt = check_doubt(check);

	if (!check->judges)
		return true;
	if (doubt == NULL)
		return doubts_see(&check->engine->doubts, &check->doubt, &check->flap, success,
				  check->started_us);
	return doubt_sees(doubt, &check->target->doubt, &check->doubt, &check->flap, success,
			  check->started_us);
}

/* Who is down already, or takes nobody down, waits for nothing. */
static bool is_held(struct check *check, const struct flap *next)
{
	struct doubt *doubt = check_doubt(check);

	if (!check->judges || check->flap.verdict < 0 || next->verdict >= 0)
		return false;
	return doubt != NULL ? doubt_holds(doubt, &check->doubt, &check->flap)
			     : doubts_hold(&check->engine->doubts, &check->doubt, &check->flap);
}

/* While it is held, a check stays at its last failure but one. */
static void count_result(struct check *check, bool success, uint64_t now_us)
{
	struct flap next = check->flap;
	const struct flap_rules rules = { .fall = check->key.fall,
					  .rise = check->key.rise,
					  .half_life_ms = check->key.half_life_ms,
					  .rise_max = check->key.rise_max };

	flap_step(&next, &rules, success, now_us);
	if (is_held(check, &next))
		return;
	check->flap = next;
	check->verdict = check->flap.verdict;
	check->rise = flap_rise(&check->flap, &rules, now_us);
}

void check_release(struct check *check)
{
	if (!check->doubt.held)
		return;
	check->doubt.held = false;
	count_result(check, false, clock_mono_us());
}

static void take_result(struct check *check, const struct probe_result *result, uint64_t took_us)
{
	struct engine *engine = check->engine;
	struct probe_result told = *result;
	int32_t before = check->verdict;
	bool success = result->outcome != PROBE_FAILURE;

	engine->counters.successes += success;
	engine->counters.failures += !success;
	if (doubt_counts(check, success))
		count_result(check, success, check->started_us + check->took_us);
	check->checked_unix_ms = clock_unix_ms();
	/* When the loop was busy beyond the timeout, it is not known when the answer came. */
	if (result->rtt_us != 0)
		took_us = result->rtt_us;
	if (took_us > (uint64_t)check->key.timeout_ms * 1000)
		told.rtt_us = 0;
	else if (success)
		check->rtt_us = took_us > 0 ? (uint32_t)took_us : 1;
	check->warned = result->outcome == PROBE_WARNING;
	if (result->wish != WISH_NONE)
		check->wish = result->wish;
	if (result->has_weight) {
		check->has_weight = true;
		check->weight_percent = result->weight_percent;
	}
	engine->result(check, before, &told);
}

/* Told from the loop: its kind may still be in start, with the probe in its hands. */
static void finish_single(struct check *check, const struct probe_result *result, uint64_t now_us)
{
	check->single = *result;
	check->single.why = check->why;
	check->phase = CHECK_OVER;
	wait_until(check, now_us, now_us);
}

static void finish(struct check *check, const struct probe_result *result)
{
	struct engine *engine = check->engine;
	uint64_t now_us = clock_mono_us();

	check->phase = CHECK_WAITING;
	standstill_leave(&engine->standstill);
	check->took_us = now_us - check->started_us;
	engine->descriptors += check->kind->has_descriptor;
	kind_reason(check->why, result->why);
	evidence_tame(check->why);
	if (check->ended != NULL) {
		finish_single(check, result, now_us);
		engine_continue(engine);
		return;
	}
	engine->random = hash_word(engine->random);
	check->due_us = schedule_next_us(check->due_us, check->key.interval_ms,
					 check->key.jitter_percent, engine->random);
	wait_until(check, check->due_us, now_us);
	if (result->outcome == PROBE_NOT_MADE) {
		engine->counters.not_made++;
		report_not_made(engine, check, now_us);
	} else {
		take_result(check, result, check->took_us);
	}
	engine_continue(engine);
}

static void on_done(struct probe *probe, const struct probe_result *result)
{
	finish((struct check *)probe, result);
}

uint64_t engine_late_us(const struct engine_counters *counters, double part)
{
	uint64_t all = 0, seen = 0;

	for (unsigned i = 0; i < LATE_BUCKETS; i++)
		all += counters->late[i];
	for (unsigned i = 0; i < LATE_BUCKETS; i++) {
		seen += counters->late[i];
		if (seen > 0 && (double)seen >= part * (double)all)
			return lateness_bound_us(i);
	}
	return 0;
}

static void start(struct check *check)
{
	struct engine *engine = check->engine;
	uint64_t now_us = clock_mono_us();
	uint64_t late_us = now_us > check->due_us ? now_us - check->due_us : 0;

	engine->counters.late[lateness_bucket(late_us)]++;
	lateness_add(&engine->lateness, now_us, late_us);
	if (late_us > engine->counters.late_max_us)
		engine->counters.late_max_us = late_us;
	/* Very late, after a pause or a long queue: its place in the interval is here from now on. */
	if (schedule_start_us(check->due_us, now_us, check->key.interval_ms) != check->due_us)
		check->due_us = now_us;
	check->phase = CHECK_RUNNING;
	check->looks = check->moves = 0;
	check->passed_over = check->paced = false;
	check->started_us = now_us;
	check->end_us = now_us + (uint64_t)check->key.timeout_ms * 1000;
	standstill_watch(&engine->standstill, now_us);
	check->stood_us = standstill_us(&engine->standstill, now_us);
	if (check->probe.evidence != NULL)
		check->probe.evidence->began_us = now_us;
	engine->counters.started++;
	engine->descriptors -= check->kind->has_descriptor;
	/* First the timer: the probe may end before start returns. */
	wait_until(check, check->end_us, now_us);
	if (check->prepared)
		check->kind->start(check->kind, &check->probe);
	else
		kind_done(&check->probe, PROBE_NOT_MADE, check->lack);
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

/* Where its address has had many: waits until it may start. A place in that order that has passed,
 * since we were stopped for example, is none: all that wait would start in the same moment. */
static bool is_held_back(struct check *check, uint64_t now_us)
{
	uint64_t start_us;

	if (check->target == NULL || check->own_pace ||
	    (check->paced && !schedule_pace_is_over(check->paced_us, now_us)))
		return false;
	start_us = schedule_pace_us(&check->target->paced_us, now_us);
	if (start_us <= now_us)
		return false;
	check->engine->counters.paced++;
	check->paced = true;
	check->paced_us = start_us;
	wait_until(check, start_us, now_us);
	return true;
}

/* Its time has come: starts, waits for its address or for a descriptor, or is left out this once, unless
 * there is no other turn for it. */
static void take_turn(struct check *check)
{
	struct engine *engine = check->engine;
	uint64_t now_us = clock_mono_us();
	uint64_t start_us = schedule_start_us(check->due_us, now_us, check->key.interval_ms);

	if (start_us != check->due_us && !check->passed_over && !check->paced &&
	    check->ended == NULL) {
		engine->counters.passed_over++;
		check->passed_over = true;
		check->due_us = start_us;
		wait_until(check, start_us, now_us);
		return;
	}
	if (is_held_back(check, now_us))
		return;
	if (check->kind->has_descriptor && engine->descriptors == 0) {
		engine->counters.queued++;
		check->phase = CHECK_QUEUED;
		TAILQ_INSERT_TAIL(&engine->queue, check, queue);
		return;
	}
	start(check);
}

static void expire(struct check *check)
{
	struct probe_result result = { .outcome = PROBE_FAILURE, .why = "timeout" };

	evidence_note(check->probe.evidence, "no answer that counts within %u ms: given up",
		      check->key.timeout_ms);
	if (check->kind->expire != NULL)
		check->kind->expire(check->kind, &check->probe, &result);
	else
		check->kind->cancel(check->kind, &check->probe);
	finish(check, &result);
}

static void on_went_on(struct probe *probe)
{
	struct check *check = (struct check *)probe;
	uint64_t all_us, stood_us;

	if (check->phase != CHECK_RUNNING)
		return;
	all_us = standstill_us(&check->engine->standstill, clock_mono_us());
	stood_us = all_us - check->stood_us;
	check->stood_us = all_us;
	if (stood_us == 0 || check->moves == MOVES_MAX)
		return;
	check->moves++;
	check->looks = 0;
	check->end_us += stood_us;
	evidence_note(probe->evidence,
		      "signpost-control stood still for %llu ms: they do not count",
		      (unsigned long long)stood_us / 1000);
}

/* Who was stopped until just now is not told of what came before: epoll_wait(2) ends with EINTR then, and
 * the loop looks at its timers first. */
static bool may_have_missed_it(struct check *check, uint64_t now_us)
{
	return now_us >= check->end_us + STANDSTILL_MIN_US ||
	       standstill_us(&check->engine->standstill, now_us) != check->stood_us;
}

/* Its time is up, unless its end was moved; but its answer may have come while we were busy. */
static void take_end(struct check *check)
{
	uint64_t now_us = clock_mono_us();

	if (now_us < check->end_us) {
		wait_until(check, check->end_us, now_us);
		return;
	}
	if (check->looks == LOOKS_MAX || !may_have_missed_it(check, now_us)) {
		expire(check);
		return;
	}
	check->looks++;
	wait_until(check, now_us, now_us);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct check *check = timer->data;

	(void)loop;
	(void)events;
	if (check->phase == CHECK_RUNNING)
		take_end(check);
	else if (check->phase == CHECK_OVER)
		check->ended(check, &check->single);
	else
		take_turn(check);
}

void kind_hasten(struct probe *probe)
{
	struct check *check = (struct check *)probe;

	if (check->phase != CHECK_WAITING)
		return;
	check->due_us = clock_mono_us();
	wait_until(check, check->due_us, check->due_us);
}

/* --- lifetimes ----------------------------------------------------------------------------- */

static void prepare(struct check *check, const void *settings)
{
	struct kind *kind = check->kind;
	struct probe *probe = &check->probe;
	struct err err;

	if (check->key.settings_len > 0) {
		check->settings = mem_alloc(check->key.settings_len);
		memcpy(check->settings, settings, check->key.settings_len);
		probe->settings = check->settings;
	}
	if (kind->own_size > 0)
		probe->own = mem_alloc(kind->own_size);
	check->prepared = kind->prepare == NULL || kind->prepare(kind, probe, &err) == 0;
	if (!check->prepared)
		check->lack = mem_copy_text(err.text);
}

struct check *check_begin(struct engine *engine, const struct check_key *key, const void *settings,
			  uint64_t delay_us)
{
	struct check *check = mem_alloc(sizeof(*check));
	uint64_t now_us = clock_mono_us();

	check->key = *key;
	check->rise = key->rise;
	check->judges = true;
	check->engine = engine;
	check->kind = engine->kinds[key->kind];
	check->probe.address.family = key->family;
	memcpy(check->probe.address.bytes, key->address, sizeof(key->address));
	check->probe.port = key->port;
	check->probe.source.family = key->source_family;
	memcpy(check->probe.source.bytes, key->source, sizeof(key->source));
	check->probe.timeout_ms = key->timeout_ms;
	check->probe.interval_ms = key->interval_ms;
	check->probe.done = on_done;
	check->probe.went_on = on_went_on;
	if (key->family != 0)
		check->target = target_have(&engine->targets, &check->probe.address);
	prepare(check, settings);
	check->phase = CHECK_WAITING;
	check->due_us = now_us + delay_us;
	ev_timer_init(&check->timer, on_timer, 0.0, 0.0);
	check->timer.data = check;
	wait_until(check, check->due_us, now_us);
	return check;
}

struct check *check_begin_once(struct engine *engine, const struct check_key *key,
			       const void *settings, struct evidence *evidence,
			       check_ended_fn *ended, void *context)
{
	struct check *check = check_begin(engine, key, settings, 0);

	check->probe.evidence = evidence;
	check->ended = ended;
	check->context = context;
	return check;
}

void check_name(struct check *check, const char *pool, const char *node)
{
	check->probe.pool = check->pool = mem_copy_text(pool);
	check->probe.node = check->node = mem_copy_text(node);
}

void check_end(struct check *check)
{
	struct engine *engine = check->engine;

	if (check->phase == CHECK_QUEUED)
		TAILQ_REMOVE(&engine->queue, check, queue);
	if (check->phase == CHECK_RUNNING) {
		check->kind->cancel(check->kind, &check->probe);
		standstill_leave(&engine->standstill);
		engine->descriptors += check->kind->has_descriptor;
	}
	ev_timer_stop(engine->loop, &check->timer);
	if (check->kind->release != NULL)
		check->kind->release(check->kind, &check->probe);
	if (check->target != NULL)
		target_drop(&engine->targets, check->target);
	free(check->pool);
	free(check->node);
	free(check->probe.own);
	free(check->settings);
	free(check->lack);
	free(check);
}

static kind_open_fn *const kind_openers[PROBE_KINDS] = {
	[PROBE_TCP] = kind_tcp_open,
	[PROBE_ICMP] = kind_icmp_open,
	[PROBE_WIREGUARD] = kind_wireguard_open,
	[PROBE_OPENVPN] = kind_openvpn_open,
	[PROBE_OPENVPN_MANAGEMENT] = kind_openvpn_management_open,
	[PROBE_OPENVPN_STATUS] = kind_openvpn_status_open,
	[PROBE_EXEC] = kind_exec_open,
	[PROBE_AGENT] = kind_agent_open,
	[PROBE_FILE] = kind_file_open,
	[PROBE_PUSH] = kind_push_open,
	[PROBE_HTTP] = kind_http_open,
	[PROBE_HTTPS] = kind_https_open,
	[PROBE_IKEV2] = kind_ikev2_open,
	[PROBE_PROMETHEUS] = kind_prometheus_open,
	[PROBE_TLS] = kind_tls_open,
	[PROBE_DNS] = kind_dns_open,
	[PROBE_UDP] = kind_udp_open,
};

void engine_open(struct engine *engine, const struct kind_tools *tools, uint32_t descriptors,
		 engine_result_fn *result)
{
	*engine = (struct engine){ .loop = tools->loop,
				   .descriptors = descriptors,
				   .result = result };
	TAILQ_INIT(&engine->queue);
	standstill_open(&engine->standstill, tools->loop);
	for (size_t i = 0; i < PROBE_KINDS; i++)
		engine->kinds[i] = kind_openers[i](tools);
	if (getrandom(&engine->random, sizeof(engine->random), GRND_NONBLOCK) < 0)
		engine->random = clock_mono_us(); /* jitter is against bunching, not guessing */
}

void engine_close(struct engine *engine)
{
	for (size_t i = 0; i < PROBE_KINDS; i++)
		engine->kinds[i]->close(engine->kinds[i]);
}

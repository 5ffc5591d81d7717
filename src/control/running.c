#include "control/running.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/names.h"
#include "control/running_parts.h"

#define ORDERS_RETRY_S 10

const char *const world_source_name[] = { "none", "adopted", "disk", "compiled", "fallback" };

/* --- steering -------------------------------------------------------------------------------- */

const struct node_state *running_probed(const void *prober, uint32_t node)
{
	return prober_state(prober, node);
}

int running_compile(struct steer *steer, const struct inputs *inputs, int *fd, struct err *err)
{
	const struct steer_input input = inputs_steer(inputs, clock_unix_ms());
	uint32_t before = steer_left_out(steer), now;
	int rc = steer_compile(steer, &input, fd, err);

	now = steer_left_out(steer);
	if (now > 0 && before == 0)
		log_warning("a pool has more sets of nodes than can be told apart, of some the "
			    "first node is answered alone",
			    "count=%u", now);
	return rc;
}

/* A new steering image for the running world, published. */
static int steer_anew(struct running *running, struct err *err)
{
	int fd = -1;

	if (running_compile(running->steer, running->inputs, &fd, err) != 0 ||
	    images_set(running->images, IMAGE_STEERING, fd, err) != 0)
		return -1;
	supervisor_publish_steering(running->supervisor, running->images);
	drill_published(&running->drill, plan_of(running), running->inputs->nodes, clock_unix_ms());
	return 0;
}

/* What failed is tried again at the next look, and told once. */
void running_steer(struct running *running)
{
	bool failed_before = running->unsteered;
	struct err err;

	running->unsteered = steer_anew(running, &err) != 0;
	if (running->unsteered && !failed_before)
		log_error("steering failed, the last image goes on", "reason=\"%s\"", err.text);
	if (!running->unsteered && failed_before)
		log_info("steering works again", "%s", "");
}

/* An avoided node may be answered again. */
static bool avoid_has_ended(const struct running *running, uint64_t now_unix_ms)
{
	uint64_t next_s = steer_next_unix_s(running->steer);

	return next_s != 0 && now_unix_ms / 1000 >= next_s;
}

static void store_spilling(const struct running *running)
{
	const struct rows rows = rows_of(running);
	const struct image *plan = plan_of(running);

	for (uint32_t s = 0; s < plan_count(plan, pool_sites); s++)
		rows_store_spilling(&rows, plan, s, running->inputs->sites[s].spilling);
}

/* Who comes back and has no healthy node beside it serves all of its clients at once. */
static void end_ramps(struct running *running)
{
	bool *yields;

	if (!inputs_are_ramping(running->inputs))
		return;
	yields = mem_array(plan_count(plan_of(running), nodes) + 1U, sizeof(*yields));
	steer_find_yielding(running->steer, running->inputs->ramp_levels, yields);
	inputs_end_ramps(running->inputs, yields);
	free(yields);
}

/* Whatever has changed is answered from here on. */
void running_follow(struct running *running)
{
	uint64_t now_ms = clock_unix_ms();

	if (inputs_update(running->inputs, running_probed, running->prober, now_ms,
			  clock_mono_ms()) ||
	    avoid_has_ended(running, now_ms) || running->unsteered) {
		running_steer(running);
		end_ramps(running);
	}
	store_spilling(running);
}

/* --- drills ---------------------------------------------------------------------------------- */

void running_follow_drill(struct running *running, bool plan_is_new)
{
	drill_follow(&running->drill, &running->orders, plan_of(running), running->prober,
		     plan_is_new, clock_unix_ms());
}

void running_look_at_drill(struct running *running)
{
	uint64_t now_ms = clock_unix_ms();
	struct store_action row;
	bool done;

	drill_look(&running->drill, plan_of(running), running->inputs->nodes, now_ms);
	done = drill_is_done(&running->drill, now_ms, &row);
	drill_save(&running->drill, running->store, done ? &row : NULL);
}

void running_served(struct running *running)
{
	drill_served(&running->drill, clock_unix_ms());
	drill_save(&running->drill, running->store, NULL);
}

static void open_drill(struct running *running)
{
	struct store_drill stored;
	struct store_drill_node *nodes;
	size_t count = 0;
	struct err err;

	drill_open(&running->drill, clock_unix_ms());
	if (store_load_drill(running->store, &stored, &nodes, &count, &err) != 0) {
		log_error("the last drill is not known", "reason=\"%s\"", err.text);
		return;
	}
	drill_restore(&running->drill, &stored, nodes, count);
	free(nodes);
}

/* --- verdicts -------------------------------------------------------------------------------- */

static const char *const families_name[] = { "none", "ipv4", "ipv6", "ipv4,ipv6" };

/* It is as it was, up or down, but something of it has changed. Agents may say another weight each
 * time: of thousands of nodes that is no news. */
static void tell_aspect(const struct store_status *row, const char *site,
			const struct verdict *verdict)
{
	const struct node_state *now = &verdict->now;

	log_event(verdict->weight_alone ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "node changed",
		  "node=%s site=%s status=%s families_down=%s degraded=%s weight_percent=%u "
		  "reason=\"%s\"",
		  row->node, site, row->status, families_name[now->down_families],
		  now->degraded ? "yes" : "no", (unsigned)now->weight_percent, row->reason);
}

static void tell_verdict(struct running *running, const struct verdict *verdict)
{
	const struct image *plan = plan_of(running);
	const struct plan_node *node = &plan_items(plan, nodes, struct plan_node)[verdict->node];
	const struct rows rows = rows_of(running);
	const struct store_status row = row_of(&rows, plan, verdict->node, &verdict->now);

	const struct store_before from = {
		.status = node_status_name[verdict->from],
		.families_down = families_text(verdict->from, verdict->from_families),
	};

	if (verdict->from != verdict->now.status ||
	    strcmp(from.families_down, row.families_down) != 0)
		store_transition(running->store, &row, &from);
	if (verdict->from == verdict->now.status) {
		tell_aspect(&row, plan_site_name(plan, node->pool_site), verdict);
		return;
	}
	log_info("node changed state", "node=%s site=%s from=%s to=%s reason=\"%s\"", row.node,
		 plan_site_name(plan, node->pool_site), node_status_name[verdict->from], row.status,
		 row.reason);
}

void running_tell_verdicts(struct running *running)
{
	for (size_t i = 0; i < running->verdict_count; i++)
		tell_verdict(running, &running->verdicts[i]);
	running->verdict_count = 0;
}

void running_tell_standing(struct running *running)
{
	const struct standing_tools tools = { running->hooks,
					      running->taking ? NULL : running->prober };

	standing_tell(running->standing, running->images, running->inputs, &running->drill, &tools);
}

/* Publishes first, then stores and logs: a slow disk or terminal delays no failover. */
void running_settle_verdicts(struct running *running)
{
	running_follow(running);
	running_tell_verdicts(running);
	running_tell_standing(running);
	ev_timer_stop(running->loop, &running->coalesce); /* a new plan waits for nothing */
	ev_timer_set(&running->coalesce, RUNNING_COALESCE_MS / 1000., 0.);
	ev_timer_start(running->loop, &running->coalesce);
}

static void coalesced(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct running *running = timer->data;

	(void)loop;
	(void)events;
	if (running->verdict_count > 0)
		running_settle_verdicts(running);
}

static void changed(void *context, uint32_t node, const struct node_state *before,
		    const struct node_state *now)
{
	struct running *running = context;

	if (before->status != now->status)
		drill_verdict(&running->drill, plan_of(running), node, now);
	array_add(running->verdicts, running->verdict_count, running->verdict_cap) =
		(struct verdict){ node, before->status, before->down_families,
				  !node_state_differs(before, now), *now };
	if (!running->taking && !ev_is_active(&running->coalesce))
		running_settle_verdicts(running);
}

/* --- loads ------------------------------------------------------------------------------------- */

/* A node that is down, or has a family that is, loses all probes of it: that it does says nothing of how
 * it is for those whom it serves. */
static void read_probe(struct running *running, uint32_t node, const struct probe_result *result)
{
	const struct node_state *state = prober_state(running->prober, node);
	bool lost = result->reach == REACH_AS_OUTCOME ? result->outcome == PROBE_FAILURE
						      : result->reach == REACH_LOST;

	if (state->status != NODE_DOWN)
		inputs_probed(running->inputs, node, lost, state->rtt_us, clock_mono_ms());
}

/* Steering follows within a second. */
static void read_load(void *context, uint32_t node, uint32_t probe, bool down,
		      const struct probe_result *result)
{
	struct running *running = context;
	const struct image *plan = plan_of(running);
	const struct plan_probe *p = &plan_items(plan, probes, struct plan_probe)[probe];

	if ((p->roles & PROBE_HEALTH) != 0 && !down)
		read_probe(running, node, result);
	if (result->has_use)
		inputs_reading(running->inputs, node, inputs_load_signal(plan, p), result->use,
			       clock_mono_ms());
}

/* --- what operators and nodes say -------------------------------------------------------------- */

int running_order(struct running *running, const struct order *order, struct order_changes *changes,
		  struct err *err)
{
	if (orders_take(&running->orders, order, changes, err) != 0)
		return -1;
	running_look(running);
	return 0;
}

int running_probe(struct running *running, uint32_t node, const char *name, const char *kind,
		  once_fn *done, void *context, struct err *err)
{
	return prober_probe_once(running->prober, node, name, kind, done, context, err);
}

void running_record(struct running *running, const struct store_action *done)
{
	orders_record(&running->orders, done);
}

/* Steering follows within a second, with what other nodes report meanwhile. */
void running_report(struct running *running, uint32_t node, double load)
{
	const struct image *plan = plan_of(running);
	const struct node_load report = { load, clock_unix_ms() };
	const struct rows rows = rows_of(running);
	struct store_status row;
	char key[NODE_KEY_SIZE];

	memory_keep_load(running->memory, node_key(plan, node, key), &report);
	inputs_report(running->inputs, node, &report, clock_mono_ms());
	row = row_of(&rows, plan, node, prober_state(running->prober, node));
	store_status(running->store, &row);
}

unsigned running_report_state(struct running *running, uint32_t node, const struct report *report)
{
	const struct image *plan = plan_of(running);
	const struct plan_node *of = &plan_items(plan, nodes, struct plan_node)[node];

	return report_take(reports_of(running->reports, plan_pool_name(plan, of->pool),
				      plan_text(plan, of->name)),
			   report);
}

void running_look(struct running *running)
{
	if (running->images == NULL)
		return;
	inputs_orders_changed(running->inputs);
	running_follow_drill(running, false);
	running_follow(running);
	running_look_at_drill(running);
	running_tell_standing(running);
}

/* Orders that the store could not tell at the start. */
static void load_orders(struct running *running)
{
	struct store_health health;
	struct err err;

	store_health(running->store, &health);
	if (health.error[0] == '\0' && orders_load(&running->orders, &err)) {
		log_info("operators' orders are known again", "count=%zu", running->orders.count);
		running_look(running);
	}
}

/* Once a second. Windows, reports that grow old and doubts about nodes need no timers of their
 * own, and wall clocks step: what holds is worked out anew. */
static void tick(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct running *running = timer->data;
	const struct rows rows = rows_of(running);

	(void)loop;
	(void)events;
	running->ticks++;
	running_follow_clock(running);
	if (!running->orders.loaded && running->ticks % ORDERS_RETRY_S == 0)
		load_orders(running);
	if (running->images == NULL)
		return;
	rows_store(&rows, plan_of(running), running->ticks % RUNNING_ROWS_EVERY_S,
		   RUNNING_ROWS_EVERY_S);
	running_follow_minute(running);
	running_end_drill_in_time(running);
	running_follow_drill(running, false);
	running_follow(running);
	running_look_at_drill(running);
	running_tell_standing(running);
}

/* --- life ------------------------------------------------------------------------------------ */

static void keep_row(void *context, const struct store_status *row)
{
	memory_keep_row(context, row);
}

int running_open(struct running **out, struct ev_loop *loop, struct supervisor *supervisor,
		 struct store *store, struct saver *saver, const char *state_dir,
		 struct runner *runner, struct err *err)
{
	struct running *running = mem_alloc(sizeof(*running));
	struct reports *reports = reports_new();
	struct err load_err;
	const struct kind_tools tools = { .loop = loop,
					  .icmp_v4 = supervisor_icmp(supervisor, IP_V4),
					  .icmp_v6 = supervisor_icmp(supervisor, IP_V6),
					  .state_dir = state_dir,
					  .runner = runner,
					  .reports = reports };
	const struct prober_callbacks callbacks = { .changed = changed,
						    .reading = read_load,
						    .context = running };

	if (prober_open(&running->prober, &tools, &callbacks, err) != 0) {
		reports_free(reports);
		free(running);
		return -1;
	}
	running->reports = reports;
	running->hooks = hooks_open(loop, runner);
	running->loop = loop;
	running->supervisor = supervisor;
	running->store = store;
	running->saver = saver;
	running->memory = memory_new();
	if (store_load(store, keep_row, running->memory, &load_err) != 0)
		log_error("the nodes' last status is not known", "reason=\"%s\"", load_err.text);
	running_open_clock(running);
	orders_open(&running->orders, store);
	open_drill(running);
	ev_timer_init(&running->coalesce, coalesced, 0., 0.);
	running_open_settling(running);
	ev_timer_init(&running->tick, tick, 1., 1.);
	running->coalesce.data = running;
	running->tick.data = running;
	ev_timer_start(loop, &running->tick);
	running_open_secrets(running);
	*out = running;
	return 0;
}

void running_close(struct running *running)
{
	struct rows rows;

	if (running == NULL)
		return;
	rows = rows_of(running);
	ev_timer_stop(running->loop, &running->coalesce);
	ev_timer_stop(running->loop, &running->settle);
	ev_timer_stop(running->loop, &running->tick);
	running_close_secrets(running);
	if (running->images != NULL) {
		running_tell_verdicts(running);
		rows_store(&rows, plan_of(running), 0, 1);
		running_end_minute(running);
	}
	hooks_close(running->hooks);
	prober_close(running->prober);
	reports_free(running->reports);
	steer_close(running->steer);
	memory_free(running->memory);
	inputs_free(running->inputs);
	standing_free(running->standing);
	images_free(running->images); /* those speak of its plan */
	orders_close(&running->orders);
	drill_close(&running->drill);
	free(running->verdicts);
	free(running);
}

void running_save(struct running *running)
{
	if (running->images != NULL)
		saver_save(running->saver, running->images);
}

const struct images *running_images(const struct running *running)
{
	return running->images;
}

const struct node_state *running_node(const struct running *running, uint32_t node)
{
	return prober_state(running->prober, node);
}

enum world_source running_source(const struct running *running)
{
	return running->source;
}

uint64_t running_since_unix_ms(const struct running *running)
{
	return running->since_unix_ms;
}

const struct inputs *running_inputs(const struct running *running)
{
	return running->inputs;
}

const struct orders *running_orders(const struct running *running)
{
	return &running->orders;
}

struct prober_pace running_pace(const struct running *running)
{
	return prober_pace(running->prober);
}

struct prober_doubt running_doubt(const struct running *running, enum doubt_family family)
{
	return prober_doubt(running->prober, family);
}

const struct drill *running_drill(const struct running *running)
{
	return &running->drill;
}

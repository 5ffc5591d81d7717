#include "control/running.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/memory.h"
#include "control/secrets.h"
#include "image/steering.h"

const char *const world_source_name[] = { "none", "adopted", "disk", "compiled", "fallback" };

/* A change of status that waits for its steering image. */
struct verdict {
	uint32_t node;
	enum node_status from;
	struct node_state now;
};

/* What steering is made of: of each node of the plan. */
struct steered {
	struct steer_node *nodes;
	bool *last_good; /* was it up when any of its pool was last? */
};

struct running {
	struct ev_loop *loop;
	struct supervisor *supervisor;
	struct prober *prober;
	struct store *store;
	struct saver *saver;
	struct memory *memory;
	struct images *images; /* NULL: no world yet */
	struct steer *steer;
	enum world_source source;
	uint64_t since_unix_ms;
	struct steered steered; /* as in the running steering image */
	bool taking;            /* a plan is being replaced: verdicts wait */
	struct verdict *verdicts;
	size_t verdict_count, verdict_cap;
	struct ev_timer coalesce; /* runs: a steering image was made a moment ago */
	struct ev_timer rows;
	struct ev_timer settle;
	struct ev_timer roll;
	uint32_t rows_tick;
	struct secrets secrets;
};

/* --- the store ------------------------------------------------------------------------------ */

static void status_row(const struct running *running, uint32_t node, const struct node_state *state,
		       struct store_status *row)
{
	*row = (struct store_status){ .since_unix_ms = state->since_unix_ms,
				      .checked_unix_ms = state->checked_unix_ms,
				      .rtt_us = state->rtt_us };
	(void)node_key(&running->images->image[IMAGE_PLAN], node, row->node);
	(void)snprintf(row->status, sizeof(row->status), "%s", node_status_name[state->status]);
	(void)snprintf(row->reason, sizeof(row->reason), "%s", state->reason);
}

/* Writes the rows of the nodes first, first + step, ... that were ever checked: what was adopted
 * and not measured since is in the store already. */
static void store_rows(const struct running *running, uint32_t first, uint32_t step)
{
	struct store_status row;

	if (running->images == NULL)
		return;
	for (uint32_t n = first; n < plan_count(&running->images->image[IMAGE_PLAN], nodes);
	     n += step) {
		const struct node_state *state = prober_state(running->prober, n);

		if (state->checked_unix_ms == 0)
			continue;
		status_row(running, n, state, &row);
		store_status(running->store, &row);
	}
}

static void write_rows(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct running *running = timer->data;

	(void)loop;
	(void)events;
	store_rows(running, running->rows_tick, RUNNING_ROWS_EVERY_S);
	running->rows_tick = (running->rows_tick + 1) % RUNNING_ROWS_EVERY_S;
}

/* --- steering -------------------------------------------------------------------------------- */

/* What may be answered: unknown counts as up. */
static struct steer_node steer_node_of(const struct plan_node *node, const struct node_state *state)
{
	return (struct steer_node){ .state = state->status == NODE_DOWN ? STEER_DOWN : STEER_UP,
				    .level = STEER_ALL,
				    .weight = node->weight };
}

/* Pools of which no node is up keep what was last good. */
static void remember_good(const struct image *plan, const struct steered *steered)
{
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);

	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		const struct plan_range *range = &pools[p].nodes;
		bool any = false;

		for (uint32_t n = range->first; n < range->first + range->count; n++)
			any |= steered->nodes[n].state == STEER_UP;
		for (uint32_t n = range->first; any && n < range->first + range->count; n++)
			steered->last_good[n] = steered->nodes[n].state == STEER_UP;
	}
}

static struct steered steered_new(const struct image *plan, const struct node_state *states)
{
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	size_t count = plan_count(plan, nodes) + 1U;
	struct steered steered = { mem_array(count, sizeof(*steered.nodes)),
				   mem_array(count, sizeof(*steered.last_good)) };

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		steered.nodes[n] = steer_node_of(&nodes[n], &states[n]);
	remember_good(plan, &steered);
	return steered;
}

static void steered_free(struct steered *steered)
{
	free(steered->nodes);
	free(steered->last_good);
}

/* true when the plan's nodes are not as the running steering image has them. */
static bool update_nodes(struct running *running)
{
	const struct image *plan = &running->images->image[IMAGE_PLAN];
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	bool changed = false;

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		struct steer_node *node = &running->steered.nodes[n];
		struct steer_node now = steer_node_of(&nodes[n], prober_state(running->prober, n));

		changed |= memcmp(&now, node, sizeof(now)) != 0;
		*node = now;
	}
	remember_good(plan, &running->steered);
	return changed;
}

static int compile_steering(struct steer *steer, const struct steered *steered, int *fd,
			    struct err *err)
{
	const struct steer_input input = { .nodes = steered->nodes,
					   .last_good = steered->last_good,
					   .now_unix_s = clock_unix_ms() / 1000 };

	return steer_compile(steer, &input, fd, err);
}

static uint8_t pool_applied(const struct images *images, uint32_t pool)
{
	return steering_pool(&images->image[IMAGE_STEERING], pool)->applied;
}

static void log_applied(const char *pool, uint8_t now, uint8_t before)
{
	if (now > APPLIED_DRAINING)
		log_warning("pool has no node up, fallback applies", "pool=%s applied=%s", pool,
			    steering_applied_name[now]);
	else if (before > APPLIED_DRAINING)
		log_info("pool has a node up again, fallback ends", "pool=%s", pool);
	if (now == APPLIED_DRAINING)
		log_warning("pool has draining nodes only, they are answered", "pool=%s", pool);
}

/* Pools whose last node went, or whose first one came back: `before` has the same pools. */
static void log_fallbacks(const struct images *images, const uint8_t *before)
{
	const struct image *plan = &images->image[IMAGE_PLAN];
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);

	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		uint8_t now = pool_applied(images, p);

		if (now != before[p])
			log_applied(plan_text(plan, pools[p].name), now, before[p]);
	}
}

static uint8_t *applied_now(const struct images *images)
{
	uint32_t count = plan_count(&images->image[IMAGE_PLAN], pools);
	uint8_t *applied = mem_array(count + 1U, sizeof(*applied));

	for (uint32_t p = 0; p < count; p++)
		applied[p] = pool_applied(images, p);
	return applied;
}

/* A new steering image for the running world, published. */
static int steer_anew(struct running *running, struct err *err)
{
	uint8_t *before = applied_now(running->images);
	int fd = -1;
	int rc = compile_steering(running->steer, &running->steered, &fd, err);

	if (rc == 0)
		rc = images_set(running->images, IMAGE_STEERING, fd, err);
	if (rc == 0) {
		supervisor_publish_steering(running->supervisor, running->images);
		log_fallbacks(running->images, before);
	}
	free(before);
	return rc;
}

/* --- secrets of cookies ----------------------------------------------------------------------- */

/* Without random octets the former secrets go on; where there are none, so does the world, without
 * cookies. */
static void roll_secrets(struct running *running)
{
	if (!secrets_roll(&running->secrets))
		log_error("there is no new secret for DNS cookies", "reason=\"%s\"",
			  strerror(errno));
}

static void hand_secrets(const struct running *running, struct steer *steer)
{
	steer_set_cookie_secrets(steer, running->secrets.octets, running->secrets.count);
}

static void roll(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct running *running = timer->data;
	struct err err;

	(void)loop;
	(void)events;
	roll_secrets(running);
	if (running->steer == NULL)
		return;
	hand_secrets(running, running->steer);
	if (steer_anew(running, &err) != 0)
		log_error("steering failed, the last image goes on", "reason=\"%s\"", err.text);
}

static const struct dns_settings *steered_settings(const struct images *images)
{
	return &image_root(&images->image[IMAGE_STEERING], struct steering_root)->dns;
}

/* Cookies outlive the control process that made their secrets. */
static void have_secrets(struct running *running, const struct images *images, bool has_steering)
{
	const struct plan_root *plan = image_root(&images->image[IMAGE_PLAN], struct plan_root);

	if (has_steering)
		secrets_adopt(&running->secrets, &plan->settings.dns, steered_settings(images));
	if (running->secrets.count == 0)
		roll_secrets(running);
}

/* --- verdicts -------------------------------------------------------------------------------- */

static void tell_verdict(struct running *running, const struct verdict *verdict)
{
	const struct image *plan = &running->images->image[IMAGE_PLAN];
	const struct plan_node *node = &plan_items(plan, nodes, struct plan_node)[verdict->node];
	uint32_t site = plan_items(plan, pool_sites, struct plan_pool_site)[node->pool_site].site;
	struct store_status row;

	status_row(running, verdict->node, &verdict->now, &row);
	store_transition(running->store, &row, node_status_name[verdict->from]);
	log_info("node changed state", "node=%s site=%s from=%s to=%s reason=\"%s\"", row.node,
		 plan_text(plan, plan_items(plan, sites, struct plan_site)[site].name),
		 node_status_name[verdict->from], row.status, row.reason);
}

/* Publishes first, then stores and logs: a slow disk or terminal delays no failover. */
static void settle_verdicts(struct running *running)
{
	struct err err;

	if (update_nodes(running) && steer_anew(running, &err) != 0)
		log_error("steering failed, the last image goes on", "reason=\"%s\"", err.text);
	for (size_t i = 0; i < running->verdict_count; i++)
		tell_verdict(running, &running->verdicts[i]);
	running->verdict_count = 0;
	ev_timer_set(&running->coalesce, RUNNING_COALESCE_MS / 1000., 0.);
	ev_timer_start(running->loop, &running->coalesce);
}

static void coalesced(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct running *running = timer->data;

	(void)loop;
	(void)events;
	if (running->verdict_count > 0)
		settle_verdicts(running);
}

static void changed(void *context, uint32_t node, enum node_status from,
		    const struct node_state *now)
{
	struct running *running = context;

	array_add(running->verdicts, running->verdict_count,
		  running->verdict_cap) = (struct verdict){ node, from, *now };
	if (!running->taking && !ev_is_active(&running->coalesce))
		settle_verdicts(running);
}

/* --- taking a world -------------------------------------------------------------------------- */

static void remember_states(struct running *running)
{
	const struct image *plan;
	char key[NODE_KEY_SIZE];

	if (running->images == NULL)
		return;
	plan = &running->images->image[IMAGE_PLAN];
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		memory_keep(running->memory, node_key(plan, n, key),
			    prober_state(running->prober, n));
}

static struct node_state *recall_states(const struct running *running, const struct image *plan)
{
	uint32_t count = plan_count(plan, nodes);
	struct node_state *states = mem_array(count + 1U, sizeof(*states));
	char key[NODE_KEY_SIZE];

	for (uint32_t n = 0; n < count; n++) {
		const struct node_state *known = memory_recall(running->memory,
							       node_key(plan, n, key));

		if (known != NULL)
			states[n] = *known;
	}
	return states;
}

/* The steer of a world that is to be taken, and its first steering image. */
static struct steer *steer_world(struct running *running, struct images *images,
				 const struct steered *steered, bool has_steering, struct err *err)
{
	struct steer *steer = NULL;
	int fd = -1;

	if (steer_open(&steer, &images->image[IMAGE_ZONES], &images->image[IMAGE_GEO],
		       &images->image[IMAGE_PLAN], err) != 0)
		return NULL;
	have_secrets(running, images, has_steering);
	hand_secrets(running, steer);
	if (!has_steering && (compile_steering(steer, steered, &fd, err) != 0 ||
			      images_set(images, IMAGE_STEERING, fd, err) != 0))
		goto fail;
	if (images_verify_steering(images, err) != 0)
		goto fail;
	return steer;
fail:
	steer_close(steer);
	return NULL;
}

/* The number of the pool of this name, searched from `hint` on: pools mostly keep their places. */
static uint32_t find_pool(const struct image *plan, const char *name, uint32_t hint)
{
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	uint32_t count = plan_count(plan, pools);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t p = (hint + i) % count;

		if (strcmp(plan_text(plan, pools[p].name), name) == 0)
			return p;
	}
	return PLAN_NONE;
}

/* What was applied before in the pools of the new world, by name. */
static uint8_t *applied_before(const struct running *running, const struct images *images)
{
	const struct image *plan = &images->image[IMAGE_PLAN];
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	uint32_t count = plan_count(plan, pools);
	uint8_t *before = mem_array(count + 1U, sizeof(*before)); /* APPLIED_NODES */

	for (uint32_t p = 0; running->images != NULL && p < count; p++) {
		uint32_t former = find_pool(&running->images->image[IMAGE_PLAN],
					    plan_text(plan, pools[p].name), p);

		if (former != PLAN_NONE)
			before[p] = pool_applied(running->images, former);
	}
	return before;
}

/* The step from the old world to the new one; nothing in it can fail. */
static void replace_world(struct running *running, struct images *images, struct steer *steer,
			  const struct steered *steered, const struct node_state *states)
{
	struct images *old_images = running->images;
	struct steer *old_steer = running->steer;

	for (size_t i = 0; i < running->verdict_count; i++) /* numbers of the old plan */
		tell_verdict(running, &running->verdicts[i]);
	running->verdict_count = 0;
	running->images = images;
	running->steer = steer;
	steered_free(&running->steered);
	running->steered = *steered;
	running->taking = true;
	prober_apply(running->prober, &images->image[IMAGE_PLAN], states);
	running->taking = false;
	steer_close(old_steer);
	images_free(old_images);
	if (running->verdict_count > 0)
		settle_verdicts(running);
}

/* An adopted steering image may know of verdicts that never reached the store. Once every check
 * had the time for a verdict of its own, steering is made from those, whatever was adopted. */
static void settled(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct running *running = timer->data;
	struct err err;

	(void)loop;
	(void)events;
	(void)update_nodes(running);
	if (steer_anew(running, &err) != 0)
		log_error("steering failed, the last image goes on", "reason=\"%s\"", err.text);
}

static void settle_later(struct running *running)
{
	const struct image *plan = &running->images->image[IMAGE_PLAN];
	const struct plan_probe *probes = plan_items(plan, probes, struct plan_probe);
	double longest_ms = 1000;

	for (uint32_t p = 0; p < plan_count(plan, probes); p++) {
		double ms = ((double)probes[p].interval_ms + probes[p].timeout_ms) *
			    (probes[p].fall > probes[p].rise ? probes[p].fall : probes[p].rise);

		longest_ms = ms > longest_ms ? ms : longest_ms;
	}
	ev_timer_set(&running->settle, longest_ms / 1000., 0.);
	ev_timer_start(running->loop, &running->settle);
}

int running_take(struct running *running, struct images *images, enum world_source source,
		 struct running_times *times, struct err *err)
{
	const struct image *plan = &images->image[IMAGE_PLAN];
	bool has_steering = source == WORLD_ADOPTED && images->fd[IMAGE_STEERING] >= 0;
	struct steered steered;
	struct node_state *states;
	struct steer *steer;
	uint8_t *before = NULL;
	uint64_t start = clock_mono_us();
	uint64_t steered_us;
	int rc = -1;

	remember_states(running);
	states = recall_states(running, plan);
	steered = steered_new(plan, states);
	steer = steer_world(running, images, &steered, has_steering, err);
	if (steer == NULL)
		goto out;
	steered_us = clock_mono_us();
	before = applied_before(running, images);
	if (source == WORLD_FALLBACK) /* its other images are served already */
		supervisor_publish_steering(running->supervisor, images);
	else if (!has_steering)
		supervisor_publish_world(running->supervisor, images);
	if (times != NULL)
		*times = (struct running_times){ steered_us - start, clock_mono_us() - steered_us };
	log_fallbacks(images, before);
	replace_world(running, images, steer, &steered, states);
	steered = (struct steered){ NULL, NULL }; /* the running world's */
	running->source = source;
	running->since_unix_ms = clock_unix_ms();
	ev_timer_stop(running->loop, &running->settle);
	if (source == WORLD_ADOPTED)
		settle_later(running);
	saver_save(running->saver, images);
	rc = 0;
out:
	free(states);
	free(before);
	steered_free(&steered);
	return rc;
}

/* --- life ------------------------------------------------------------------------------------ */

static void keep_row(void *context, const struct store_status *row)
{
	memory_keep_row(context, row);
}

int running_open(struct running **out, struct ev_loop *loop, struct supervisor *supervisor,
		 struct store *store, struct saver *saver, struct err *err)
{
	struct running *running = mem_alloc(sizeof(*running));
	struct err load_err;

	if (prober_open(&running->prober, loop, supervisor_icmp(supervisor, IP_V4),
			supervisor_icmp(supervisor, IP_V6), changed, running, err) != 0) {
		free(running);
		return -1;
	}
	running->loop = loop;
	running->supervisor = supervisor;
	running->store = store;
	running->saver = saver;
	running->memory = memory_new();
	if (store_load(store, keep_row, running->memory, &load_err) != 0)
		log_error("the nodes' last status is not known", "reason=\"%s\"", load_err.text);
	ev_timer_init(&running->coalesce, coalesced, 0., 0.);
	ev_timer_init(&running->settle, settled, 0., 0.);
	ev_timer_init(&running->rows, write_rows, 1., 1.);
	ev_timer_init(&running->roll, roll, SECRETS_ROLL_EVERY_S, SECRETS_ROLL_EVERY_S);
	running->coalesce.data = running;
	running->settle.data = running;
	running->rows.data = running;
	running->roll.data = running;
	ev_timer_start(loop, &running->rows);
	ev_timer_start(loop, &running->roll);
	*out = running;
	return 0;
}

void running_close(struct running *running)
{
	if (running == NULL)
		return;
	ev_timer_stop(running->loop, &running->coalesce);
	ev_timer_stop(running->loop, &running->settle);
	ev_timer_stop(running->loop, &running->rows);
	ev_timer_stop(running->loop, &running->roll);
	for (size_t i = 0; i < running->verdict_count; i++)
		tell_verdict(running, &running->verdicts[i]);
	store_rows(running, 0, 1);
	prober_close(running->prober);
	steer_close(running->steer);
	images_free(running->images);
	memory_free(running->memory);
	steered_free(&running->steered);
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

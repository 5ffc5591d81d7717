/* Taking a world: its steer and first steering image, then the step from the old one to it. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "control/names.h"
#include "control/running_parts.h"

static void remember_states(struct running *running)
{
	const struct image *plan;
	char key[NODE_KEY_SIZE];

	if (running->images == NULL)
		return;
	plan = plan_of(running);
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

		states[n].weight_percent = 100;
		if (known != NULL)
			states[n] = *known;
	}
	return states;
}

/* The steer of a world that is to be taken, and its first steering image. */
static struct steer *steer_world(struct running *running, struct images *images,
				 const struct inputs *inputs, bool has_steering, struct err *err)
{
	struct steer *steer = NULL;
	int fd = -1;

	if (steer_open(&steer, &images->image[IMAGE_ZONES], &images->image[IMAGE_GEO],
		       &images->image[IMAGE_PLAN], err) != 0)
		return NULL;
	running_hand_secrets(running, steer, images, has_steering);
	if (!has_steering)
		steer_inherit(steer, running->steer);
	if (!has_steering && (running_compile(steer, inputs, &fd, err) != 0 ||
			      images_set(images, IMAGE_STEERING, fd, err) != 0))
		goto fail;
	if (images_verify_steering(images, err) != 0)
		goto fail;
	return steer;
fail:
	steer_close(steer);
	return NULL;
}

/* The step from the old world to the new one; nothing in it can fail. `is_published`: its steering
 * image was made from the inputs, so a verdict that waited for one has had it. */
static void replace_world(struct running *running, struct images *images, struct steer *steer,
			  struct inputs *inputs, const struct node_state *states, bool is_published)
{
	struct images *old_images = running->images;
	struct steer *old_steer = running->steer;
	struct standing *old_standing = running->standing;

	if (running->verdict_count > 0)
		running_tell_verdicts(running); /* numbers of the old plan */
	running->images = images;
	running->steer = steer;
	inputs_free(running->inputs);
	running->inputs = inputs;
	running->standing = standing_new(plan_of(running), old_standing);
	hooks_apply(running->hooks, plan_of(running));
	running->taking = true;
	running_tell_standing(running);
	prober_apply(running->prober, plan_of(running), states);
	running_follow_drill(running, true);
	if (is_published)
		drill_published(&running->drill, plan_of(running), inputs->nodes, clock_unix_ms());
	running->taking = false;
	running_tell_standing(running);
	steer_close(old_steer);
	standing_free(old_standing);
	images_free(old_images);
	if (running->verdict_count > 0)
		running_settle_verdicts(running);
	running_look_at_drill(running);
}

/* An adopted steering image may know of verdicts that never reached the store. Once every check
 * had the time for a verdict of its own, steering is made from those, whatever was adopted. */
static void settled(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct running *running = timer->data;

	(void)loop;
	(void)events;
	(void)inputs_update(running->inputs, running_probed, running->prober, clock_unix_ms(),
			    clock_mono_ms());
	running_steer(running);
	running_tell_standing(running);
}

/* A window that began or ended while nobody was there to see it. */
static bool is_out_of_date(const struct running *running)
{
	const struct image_header *made = image_header(&running->images->image[IMAGE_STEERING]);

	return running->inputs->span.from_unix_ms >= made->made_unix_ms;
}

static void settle_later(struct running *running)
{
	const struct image *plan = plan_of(running);
	const struct plan_probe *probes = plan_items(plan, probes, struct plan_probe);
	double longest_ms = 1000;

	for (uint32_t p = 0; p < plan_count(plan, probes); p++) {
		double ms = ((double)probes[p].interval_ms + probes[p].timeout_ms) *
			    (probes[p].fall > probes[p].rise ? probes[p].fall : probes[p].rise);

		if ((probes[p].roles & PROBE_HEALTH) != 0 && ms > longest_ms)
			longest_ms = ms;
	}
	ev_now_update(running->loop); /* taking the world may have been a long round of the loop */
	ev_timer_set(&running->settle, longest_ms / 1000., 0.);
	ev_timer_start(running->loop, &running->settle);
}

static const struct node_state *recalled(const void *states, uint32_t node)
{
	return (const struct node_state *)states + node;
}

int running_take(struct running *running, struct images *images, enum world_source source,
		 struct running_times *times, struct err *err)
{
	const struct image *plan = &images->image[IMAGE_PLAN];
	bool has_steering = source == WORLD_ADOPTED && images->fd[IMAGE_STEERING] >= 0;
	struct inputs *inputs;
	struct node_state *states;
	struct steer *steer;
	uint64_t start = clock_mono_us();
	uint64_t steered_us;
	int rc = -1;

	remember_states(running);
	states = recall_states(running, plan);
	inputs = inputs_new(plan, &running->orders, running->memory, running->inputs);
	(void)inputs_update(inputs, recalled, states, clock_unix_ms(), clock_mono_ms());
	steer = steer_world(running, images, inputs, has_steering, err);
	if (steer == NULL)
		goto out;
	steered_us = clock_mono_us();
	if (source == WORLD_FALLBACK) /* its other images are served already */
		supervisor_publish_steering(running->supervisor, images);
	else if (!has_steering)
		supervisor_publish_world(running->supervisor, images);
	if (times != NULL)
		*times = (struct running_times){ steered_us - start, clock_mono_us() - steered_us };
	running->unsteered = false;
	replace_world(running, images, steer, inputs, states, !has_steering);
	inputs = NULL; /* the running world's */
	running->source = source;
	running->since_unix_ms = clock_unix_ms();
	ev_timer_stop(running->loop, &running->settle);
	if (source == WORLD_ADOPTED)
		settle_later(running);
	if (has_steering && is_out_of_date(running))
		running_steer(running);
	saver_save(running->saver, images);
	rc = 0;
out:
	free(states);
	inputs_free(inputs);
	return rc;
}

void running_open_settling(struct running *running)
{
	ev_timer_init(&running->settle, settled, 0., 0.);
	running->settle.data = running;
}

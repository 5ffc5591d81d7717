/* The secrets of DNS cookies: made, rolled each day, handed to whatever steers. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "control/running_parts.h"
#include "image/steering.h"

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

	(void)loop;
	(void)events;
	roll_secrets(running);
	if (running->steer == NULL)
		return;
	hand_secrets(running, running->steer);
	running_steer(running);
}

static const struct dns_settings *steered_settings(const struct images *images)
{
	return &image_root(&images->image[IMAGE_STEERING], struct steering_root)->dns;
}

/* Cookies outlive the control process that made their secrets. */
void running_hand_secrets(struct running *running, struct steer *steer, const struct images *images,
			  bool has_steering)
{
	const struct plan_root *plan = image_root(&images->image[IMAGE_PLAN], struct plan_root);

	if (has_steering)
		secrets_adopt(&running->secrets, &plan->settings.dns, steered_settings(images));
	if (running->secrets.count == 0)
		roll_secrets(running);
	hand_secrets(running, steer);
}

void running_open_secrets(struct running *running)
{
	ev_timer_init(&running->roll, roll, SECRETS_ROLL_EVERY_S, SECRETS_ROLL_EVERY_S);
	running->roll.data = running;
	ev_timer_start(running->loop, &running->roll);
}

void running_close_secrets(struct running *running)
{
	ev_timer_stop(running->loop, &running->roll);
}

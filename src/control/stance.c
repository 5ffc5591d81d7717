#include "control/stance.h"

#define PERCENT_AS_IS 100

static enum admin_state wished_state(enum probe_wish wish)
{
	switch (wish) {
	case WISH_DRAIN: return ADMIN_DRAINING;
	case WISH_MAINT: return ADMIN_DISABLED;
	default: return ADMIN_ENABLED;
	}
}

static bool is_ordered(const struct admin *admin)
{
	return admin->order != ADMIN_NONE || admin->forced_up != ADMIN_NONE;
}

static void set_state(struct stance *stance, const struct admin *admin,
		      const struct node_state *state)
{
	enum admin_state wished = wished_state(state->wish);

	stance->state = admin->state;
	stance->wished = !is_ordered(admin) && wished > admin->state;
	if (stance->wished)
		stance->state = wished;
}

/* Who is forced up is so whole. */
static void set_health(struct stance *stance, const struct admin *admin,
		       const struct orders *orders, const struct node_state *state)
{
	bool up = admin->forced_up != ADMIN_NONE, down = admin->state == ADMIN_FORCED_DOWN;

	stance->forced = up || down;
	stance->down = down || (state->status == NODE_DOWN && !up);
	stance->since_unix_ms = state->since_unix_ms;
	if (down)
		stance->since_unix_ms = orders->list[admin->order].row.from_unix_ms;
	stance->families = up || stance->down ? STEER_FAMILIES
					      : STEER_FAMILIES & ~state->down_families;
}

/* Less than its weight is a level of it, so that nobody else's client moves. */
static void set_weight(struct stance *stance, const struct admin *admin,
		       const struct node_state *state)
{
	uint64_t percent = admin->weight_order != ADMIN_NONE ? PERCENT_AS_IS
							     : state->weight_percent;
	uint64_t weight = admin->weight;

	stance->percent = percent;
	stance->level = STEER_ALL;
	if (percent < PERCENT_AS_IS)
		stance->level = (uint16_t)(STEER_ALL * percent / PERCENT_AS_IS);
	else
		weight = weight * percent / PERCENT_AS_IS;
	stance->weight = (uint32_t)(weight < UINT16_MAX ? weight : UINT16_MAX);
}

struct stance stance_of(const struct admin *admin, const struct orders *orders,
			const struct node_state *state)
{
	struct stance stance = { .state = ADMIN_ENABLED };

	set_state(&stance, admin, state);
	set_health(&stance, admin, orders, state);
	set_weight(&stance, admin, state);
	return stance;
}

const char *const condition_name[] = { "unknown",  "up",   "ramping", "degraded",
				       "draining", "down", "forced",  "disabled" };

enum condition condition_of(const struct stance *stance, const struct node_state *state,
			    bool ramping)
{
	if (stance->state == ADMIN_DISABLED)
		return CONDITION_DISABLED;
	if (stance->forced)
		return CONDITION_FORCED;
	if (stance->down)
		return CONDITION_DOWN;
	if (stance->state == ADMIN_DRAINING)
		return CONDITION_DRAINING;
	if (ramping)
		return CONDITION_RAMPING;
	if (state->degraded)
		return CONDITION_DEGRADED;
	return state->status == NODE_UNKNOWN ? CONDITION_UNKNOWN : CONDITION_UP;
}

const char *stance_state_name(const struct stance *stance)
{
	if (stance->forced && stance->state == ADMIN_ENABLED)
		return "forced-up";
	return admin_state_name[stance->state];
}

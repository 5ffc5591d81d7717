#include "control/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "control/names.h"
#include "control/news.h"
#include "image/steering.h"

struct pool_standing {
	uint8_t applied; /* enum steering_applied */
	bool over;
	uint8_t dark; /* bits of enum steer_family: see dark_families */
};

struct node_standing {
	uint8_t admin; /* enum admin_state */
	bool held, forced, ramping;
	uint8_t condition; /* enum hook_event: what hooks were told last */
};

struct standing {
	struct image plan; /* a copy: the mapping is that of who made it */
	struct pool_standing *pools;
	struct node_standing *nodes;
	bool *spilling; /* of each plan_pool_site */
	bool fresh;     /* of a process that was just started */
	bool unheard;   /* the same, for hooks: conditions are not known yet */
};

/* --- from plan to plan ------------------------------------------------------------------------ */

static void carry_nodes(struct standing *standing, uint32_t pool, const struct standing *before,
			uint32_t former_pool)
{
	const struct plan_range *range =
		&plan_items(&standing->plan, pools, struct plan_pool)[pool].nodes;
	const struct plan_node *nodes = plan_items(&standing->plan, nodes, struct plan_node);

	for (uint32_t i = 0; i < range->count; i++) {
		uint32_t n = range->first + i;
		uint32_t former = plan_find_node(&before->plan, former_pool,
						 plan_text(&standing->plan, nodes[n].name), i);

		if (former != PLAN_NONE)
			standing->nodes[n] = before->nodes[former];
	}
}

static void carry(struct standing *standing, const struct standing *before)
{
	const struct image *plan = &standing->plan;
	const struct plan_pool_site *sites = plan_items(plan, pool_sites, struct plan_pool_site);

	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		uint32_t former = plan_find_pool(&before->plan, plan_pool_name(plan, p), p);

		if (former == PLAN_NONE)
			continue;
		standing->pools[p] = before->pools[former];
		carry_nodes(standing, p, before, former);
	}
	for (uint32_t s = 0; s < plan_count(plan, pool_sites); s++) {
		uint32_t former = plan_find_site(&before->plan, plan_pool_name(plan, sites[s].pool),
						 plan_site_name(plan, s), s);

		if (former != PLAN_NONE)
			standing->spilling[s] = before->spilling[former];
	}
}

struct standing *standing_new(const struct image *plan, const struct standing *before)
{
	struct standing *standing = mem_alloc(sizeof(*standing));

	standing->plan = *plan;
	standing->pools = mem_array(plan_count(plan, pools) + 1U, sizeof(*standing->pools));
	standing->nodes = mem_array(plan_count(plan, nodes) + 1U, sizeof(*standing->nodes));
	standing->spilling = mem_array(plan_count(plan, pool_sites) + 1U,
				       sizeof(*standing->spilling));
	standing->fresh = before == NULL;
	standing->unheard = before == NULL || before->unheard;
	if (before != NULL)
		carry(standing, before);
	return standing;
}

void standing_free(struct standing *standing)
{
	if (standing == NULL)
		return;
	free(standing->pools);
	free(standing->nodes);
	free(standing->spilling);
	free(standing);
}

/* --- what is told ------------------------------------------------------------------------------ */

static void tell_applied(const char *pool, uint8_t now, uint8_t before)
{
	if (now > APPLIED_DRAINING)
		log_warning("pool has no usable node, fallback applies", "pool=%s applied=%s", pool,
			    steering_applied_name[now]);
	else if (before > APPLIED_DRAINING)
		log_info("pool has a usable node again, fallback ends", "pool=%s", pool);
	if (now == APPLIED_DRAINING)
		log_warning("pool has draining nodes only, they are answered", "pool=%s", pool);
}

static void tell_alarm(struct hooks *hooks, uint32_t number, const struct cap *cap, bool is_drill)
{
	char reason[96];

	(void)snprintf(reason, sizeof(reason), "%u of %u nodes are down, %u may be%s", cap->down,
		       cap->counted, cap->limit, is_drill ? "; drill" : "");
	news_of_pool(hooks, number, cap->over ? HOOK_ALARM : HOOK_ALARM_END, "", reason);
}

static void tell_pool(const struct image *plan, uint32_t number, struct pool_standing *told,
		      uint8_t applied, const struct cap *cap, bool is_drill, struct hooks *hooks)
{
	const char *name = plan_pool_name(plan, number);

	bool fell_back = told->applied > APPLIED_DRAINING, falls_back = applied > APPLIED_DRAINING;

	if (applied != told->applied)
		tell_applied(name, applied, told->applied);
	if (falls_back != fell_back)
		news_of_pool(hooks, number, falls_back ? HOOK_FALLBACK : HOOK_FALLBACK_END,
			     steering_applied_name[applied], is_drill ? "drill" : "");
	if (cap->over != told->over)
		tell_alarm(hooks, number, cap, is_drill);
	if (cap->over && !told->over)
		log_warning("more nodes of a pool are down than may be",
			    "pool=%s down=%u of=%u max=%u%s%s", name, cap->down, cap->counted,
			    cap->limit,
			    plan_items(plan, pools, struct plan_pool)[number].freeze ? " frozen=yes"
										     : "",
			    is_drill ? " drill=yes" : "");
	else if (!cap->over && told->over)
		log_info("a pool has no more nodes down than may be", "pool=%s down=%u of=%u", name,
			 cap->down, cap->counted);
	told->applied = applied;
	told->over = cap->over;
}

static uint8_t families_of(const struct image *plan, const struct plan_node *node)
{
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);
	uint8_t families = 0;

	for (uint32_t i = 0; i < node->addresses.count; i++)
		families |= addresses[node->addresses.first + i].family == IP_V4 ? STEER_IPV4
										 : STEER_IPV6;
	return families;
}

/* Families that nodes of the pool have and are not answered for, and no other node stands in: nothing
 * is, so that whoever asks for it gets NODATA. */
static uint8_t dark_families(const struct inputs *inputs, const struct plan_range *nodes)
{
	const struct plan_node *list = plan_items(inputs->plan, nodes, struct plan_node);
	uint8_t has = 0, live = 0;

	for (uint32_t n = nodes->first; n < nodes->first + nodes->count; n++) {
		uint8_t state = inputs->nodes[n].state, families;

		if (state != STEER_UP && state != STEER_DRAINING)
			continue;
		families = families_of(inputs->plan, &list[n]);
		has |= families;
		live |= families & inputs->nodes[n].families;
	}
	return has & (uint8_t)~live;
}

/* Nothing stands in for a family: clients of the other one are better served without it. But where it
 * is down everywhere it may be our own path that is. */
static void tell_families(const struct inputs *inputs, uint32_t number, struct pool_standing *told)
{
	static const char *const name[] = { "", "IPv4", "IPv6", "IPv4,IPv6" };
	const struct plan_pool *pool = &plan_items(inputs->plan, pools, struct plan_pool)[number];
	uint8_t dark = dark_families(inputs, &pool->nodes);

	if ((dark & ~told->dark) != 0)
		log_warning("no node of a pool is answered for a family, is it down here?",
			    "pool=%s family=%s", plan_pool_name(inputs->plan, number), name[dark]);
	else if ((told->dark & ~dark) != 0)
		log_info("a family of a pool is answered again", "pool=%s family=%s",
			 plan_pool_name(inputs->plan, number), name[told->dark & ~dark]);
	told->dark = dark;
}

static void tell_site(const struct image *plan, uint32_t number, bool *told,
		      const struct spill_site *site)
{
	const struct plan_pool_site *s = &plan_items(plan, pool_sites,
						     struct plan_pool_site)[number];

	if (site->spilling && !*told)
		log_info("site begins to spill over", "pool=%s site=%s use=%.2f keep=%.2f",
			 plan_pool_name(plan, s->pool), plan_site_name(plan, number), site->use,
			 (double)site->keep / SPILL_KEEP_ALL);
	else if (!site->spilling && *told)
		log_info("site spills over no longer", "pool=%s site=%s use=%.2f",
			 plan_pool_name(plan, s->pool), plan_site_name(plan, number), site->use);
	*told = site->spilling;
}

static const char *reason_of(const struct inputs *inputs, uint32_t node)
{
	const struct admin *admin = &inputs->admin[node];

	if (inputs->stances[node].wished)
		return "its agent asks for it";
	if (admin->order != ADMIN_NONE)
		return inputs->orders->list[admin->order].row.reason;
	if (admin->window != ADMIN_NONE)
		return plan_text(inputs->plan, plan_items(inputs->plan, windows,
							  struct plan_window)[admin->window]
						       .reason);
	if (admin->forced_up != ADMIN_NONE)
		return inputs->orders->list[admin->forced_up].row.reason;
	return "";
}

/* --- admin states: what many nodes have in common is told once ---------------------------------- */

struct change {
	const struct standing *standing;
	const struct inputs *inputs;
};

static bool has_changed(const struct change *change, uint32_t node)
{
	const struct stance *stance = &change->inputs->stances[node];
	const struct node_standing *told = &change->standing->nodes[node];

	return stance->state != told->admin || stance->forced != told->forced;
}

/* Several nodes, which all went from one state to another for the same reason. */
static bool changed_together(const struct change *change, const struct plan_range *nodes)
{
	const struct admin *first = &change->inputs->admin[nodes->first];
	const struct stance *stances = change->inputs->stances;
	const struct node_standing *told = change->standing->nodes;

	if (nodes->count < 2 || !has_changed(change, nodes->first))
		return false;
	for (uint32_t n = nodes->first + 1; n < nodes->first + nodes->count; n++) {
		const struct admin *admin = &change->inputs->admin[n];

		if (stances[n].state != stances[nodes->first].state ||
		    stances[n].wished != stances[nodes->first].wished ||
		    admin->order != first->order || admin->window != first->window ||
		    admin->forced_up != first->forced_up ||
		    told[n].admin != told[nodes->first].admin ||
		    told[n].forced != told[nodes->first].forced)
			return false;
	}
	return true;
}

/* `node` stands for all of them. */
static void tell_change(const struct change *change, const char *what, const char *name,
			uint32_t node, uint32_t count)
{
	const struct node_standing *told = &change->standing->nodes[node];
	const struct stance before = { .state = told->admin, .forced = told->forced };

	log_info("admin state changed", "%s=%s nodes=%u from=%s to=%s reason=\"%s\"", what, name,
		 count, stance_state_name(&before),
		 stance_state_name(&change->inputs->stances[node]),
		 reason_of(change->inputs, node));
}

static void tell_nodes(const struct change *change, const struct plan_range *nodes)
{
	for (uint32_t n = nodes->first; n < nodes->first + nodes->count; n++) {
		char key[NODE_KEY_SIZE];

		(void)node_key(change->inputs->plan, n, key);
		if (has_changed(change, n))
			tell_change(change, "node", key, n, 1);
	}
}

static void tell_pool_nodes(const struct change *change, uint32_t number)
{
	const struct image *plan = change->inputs->plan;
	const struct plan_pool *pool = &plan_items(plan, pools, struct plan_pool)[number];
	const struct plan_pool_site *sites = plan_items(plan, pool_sites, struct plan_pool_site);

	if (changed_together(change, &pool->nodes)) {
		tell_change(change, "pool", plan_pool_name(plan, number), pool->nodes.first,
			    pool->nodes.count);
		return;
	}
	for (uint32_t s = pool->sites.first; s < pool->sites.first + pool->sites.count; s++) {
		char name[NODE_KEY_SIZE];

		(void)snprintf(name, sizeof(name), "%s/@%s", plan_pool_name(plan, number),
			       plan_site_name(plan, s));
		if (changed_together(change, &sites[s].nodes))
			tell_change(change, "site", name, sites[s].nodes.first,
				    sites[s].nodes.count);
		else
			tell_nodes(change, &sites[s].nodes);
	}
}

static void tell_held(const struct inputs *inputs, uint32_t number, struct node_standing *told)
{
	bool held = inputs->held[number];
	char key[NODE_KEY_SIZE];

	(void)node_key(inputs->plan, number, key);
	if (held && !told->held)
		log_warning("node is down but held in, for too many of its pool are", "node=%s",
			    key);
	else if (!held && told->held)
		log_info("node is held in no longer", "node=%s", key);
	told->held = held;
}

static void tell_ramp(const struct inputs *inputs, uint32_t number, struct node_standing *told)
{
	bool ramping = inputs->ramp_levels[number] != RAMP_ALL;
	char key[NODE_KEY_SIZE];

	(void)node_key(inputs->plan, number, key);
	if (ramping && !told->ramping)
		log_info("node gets its clients back little by little", "node=%s level=%.0f%%", key,
			 100. * inputs->ramp_levels[number] / RAMP_ALL);
	else if (!ramping && told->ramping && inputs->nodes[number].state == STEER_UP)
		log_info("node has all of its weight again", "node=%s", key);
	told->ramping = ramping;
}

static void call_hooks(struct standing *standing, const struct inputs *inputs,
		       const struct standing_tools *tools)
{
	for (uint32_t n = 0; n < plan_count(inputs->plan, nodes); n++) {
		enum hook_event was = (enum hook_event)standing->nodes[n].condition;
		enum hook_event now = news_condition(inputs, tools->prober, n);
		bool by_order = (now == HOOK_DISABLED || now == HOOK_DRAINING ||
				 now == HOOK_FORCED) &&
				!inputs->stances[n].wished;

		if (now == was)
			continue;
		standing->nodes[n].condition = (uint8_t)now;
		if (!standing->unheard)
			news_of_node(tools->hooks, inputs, n, was, now,
				     by_order ? reason_of(inputs, n)
					      : prober_state(tools->prober, n)->reason);
	}
	standing->unheard = false;
}

void standing_tell(struct standing *standing, const struct images *images,
		   const struct inputs *inputs, const struct drill *drill,
		   const struct standing_tools *tools)
{
	const struct image *plan = inputs->plan;
	const struct change change = { standing, inputs };

	/* Admin states from before a start were told when they began. */
	for (uint32_t p = 0; p < plan_count(plan, pools) && !standing->fresh; p++)
		tell_pool_nodes(&change, p);
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		struct node_standing *told = &standing->nodes[n];

		tell_held(inputs, n, told);
		tell_ramp(inputs, n, told);
		told->admin = (uint8_t)inputs->stances[n].state;
		told->forced = inputs->stances[n].forced;
	}
	for (uint32_t s = 0; s < plan_count(plan, pool_sites); s++)
		tell_site(plan, s, &standing->spilling[s], &inputs->sites[s]);
	for (uint32_t p = 0; p < plan_count(plan, pools); p++)
		tell_pool(plan, p, &standing->pools[p],
			  steering_pool(&images->image[IMAGE_STEERING], p)->applied,
			  &inputs->caps[p], drill_concerns(drill, plan, p), tools->hooks);
	for (uint32_t p = 0; p < plan_count(plan, pools); p++)
		tell_families(inputs, p, &standing->pools[p]);
	if (tools->prober != NULL)
		call_hooks(standing, inputs, tools);
	standing->fresh = false;
}

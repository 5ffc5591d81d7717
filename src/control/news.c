#include "control/news.h"

#include "base/mem.h"
#include "control/names.h"

_Static_assert((int)HOOK_UP == (int)CONDITION_UP && (int)HOOK_DOWN == (int)CONDITION_DOWN &&
		       (int)HOOK_DISABLED == (int)CONDITION_DISABLED,
	       "what a node can become is what it can be");

enum hook_event news_condition(const struct inputs *inputs, const struct prober *prober,
			       uint32_t node)
{
	return (enum hook_event)condition_of(&inputs->stances[node], prober_state(prober, node),
					     inputs->ramp_levels[node] != RAMP_ALL);
}

static void put_addresses(const struct image *plan, const struct plan_node *node, struct buf *out)
{
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);

	for (uint32_t a = 0; a < node->addresses.count; a++) {
		char text[IP_TEXT_SIZE];

		buf_format(out, "%s%s", a > 0 ? " " : "",
			   ip_format(&addresses[node->addresses.first + a], text));
	}
	buf_append(out, "", 1);
}

void news_of_node(struct hooks *hooks, const struct inputs *inputs, uint32_t number,
		  enum hook_event from, enum hook_event to, const char *reason)
{
	const struct plan_node *node = &plan_items(inputs->plan, nodes, struct plan_node)[number];
	struct buf addresses = { 0 };

	put_addresses(inputs->plan, node, &addresses);
	hooks_tell(hooks,
		   &(struct hook_news){ .event = to,
					.pool = node->pool,
					.node = plan_text(inputs->plan, node->name),
					.site = plan_site_name(inputs->plan, node->pool_site),
					.addresses = (const char *)addresses.data,
					.from = hook_event_name[from],
					.to = hook_event_name[to],
					.reason = reason });
	buf_free(&addresses);
}

void news_of_pool(struct hooks *hooks, uint32_t pool, enum hook_event event, const char *applied,
		  const char *reason)
{
	hooks_tell(hooks, &(struct hook_news){
				  .event = event, .pool = pool, .to = applied, .reason = reason });
}

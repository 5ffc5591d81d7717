#include "compile/geo_overlay.h"

#include <stdlib.h>
#include <string.h>

#include "compile/network_sweep.h"

/* The value of a network is its matcher. Own networks that no matcher asks for have this one. */
#define OWN_UNASKED UINT32_MAX

struct layering {
	struct geo_overlay *overlay;
	struct geo_clients *clients;
	struct numbering batches; /* uint32_t[]: matchers of equal networks */
	struct memo entered;      /* what holds around, and batch -> what holds inside */
	uint32_t own;             /* the matcher of own networks, or OWN_UNASKED */
	uint32_t *tuple;
	struct facts **facts; /* of each pool */
};

static void list_networks(const struct geo_clients *clients, uint32_t own,
			  struct network_list *list)
{
	const struct config *config = clients->config;

	for (uint32_t i = 0; i < clients->network_count; i++)
		network_list_add(list, &clients->networks[i].prefix, clients->networks[i].matcher);
	for (size_t i = 0; i < config->own_network_count; i++)
		network_list_add(list, &config->own_networks[i], own);
	for (size_t l = 0; l < config->list_count; l++)
		for (size_t i = 0;
		     clients->of_list[l] != CLIENTS_NONE && i < config->lists[l].prefix_count; i++)
			network_list_add(list, &config->lists[l].prefixes[i], clients->of_list[l]);
}

/* In an own network the pools' own policies hold, but where a rule is for a network as long. */
static void enter_own(struct layering *l)
{
	for (size_t p = 0; p < l->clients->config->pool_count; p++) {
		l->facts[p]->rule = FACTS_NO_RULE;
		l->facts[p]->own = 1;
		l->facts[p]->is_by_own = 1;
	}
}

/* Networks are entered from the widest to the longest, so a rule here takes the place of those
 * around; of equal networks' rules the first in the file holds. */
static void enter_matcher(struct layering *l, uint32_t matcher, bool *has_rule)
{
	const struct client_entry *entries;
	uint32_t count = geo_clients_entries(l->clients, matcher, &entries);

	for (uint32_t i = 0; i < count; i++) {
		const struct client_entry *e = &entries[i];
		struct facts *facts = l->facts[e->pool];

		if (e->bit != CLIENTS_NONE) {
			facts_set_bit(facts->bits, e->bit);
		} else if (!has_rule[e->pool] || e->rule < facts->rule) {
			facts->rule = e->rule;
			facts->is_by_own = 0;
			has_rule[e->pool] = true;
		}
	}
}

static uint32_t layer(struct layering *l, uint32_t around, const uint32_t *matchers, uint32_t count)
{
	size_t pools = l->clients->config->pool_count;
	bool *has_rule = mem_array(pools, sizeof(*has_rule));

	memcpy(l->tuple, numbering_item(&l->overlay->numbers, around), l->clients->tuple_size);
	for (size_t p = 0; p < pools; p++)
		facts_get(l->clients->pools[p], l->tuple[p], l->facts[p]);
	for (uint32_t i = 0; i < count; i++)
		if (matchers[i] == l->own)
			enter_own(l);
	for (uint32_t i = 0; i < count; i++)
		if (matchers[i] != OWN_UNASKED)
			enter_matcher(l, matchers[i], has_rule);
	for (size_t p = 0; p < pools; p++)
		l->tuple[p] = facts_add(l->clients->pools[p], l->facts[p]);
	free(has_rule);
	return numbering_add(&l->overlay->numbers, l->tuple, l->clients->tuple_size);
}

/* Millions of networks have few matchers: what was worked out once is not worked out again. */
static uint32_t enter(void *context, uint32_t around, const struct network *equal, uint32_t count)
{
	struct layering *l = context;
	uint32_t one = equal->value, batch, *known;
	uint32_t *matchers = count == 1 ? &one : mem_array(count, sizeof(*matchers));
	bool found;

	for (uint32_t i = 0; i < count; i++)
		matchers[i] = equal[i].value;
	batch = numbering_add(&l->batches, matchers, count * sizeof(*matchers));
	known = memo_find(&l->entered, (uint64_t)around << 32 | batch, &found);
	if (!found)
		*known = layer(l, around, matchers, count);
	if (matchers != &one)
		free(matchers);
	return *known;
}

void geo_overlay_init(struct geo_overlay *overlay, struct geo_clients *clients)
{
	size_t pools = clients->config->pool_count;
	struct layering l = { .overlay = overlay,
			      .clients = clients,
			      .own = clients->own != CLIENTS_NONE ? clients->own : OWN_UNASKED,
			      .tuple = mem_alloc(clients->tuple_size),
			      .facts = mem_array(pools, sizeof(*l.facts)) };
	struct network_list list = { 0 };

	*overlay = (struct geo_overlay){ .breaks = { { .family = IP_V4 }, { .family = IP_V6 } } };
	(void)numbering_add(&overlay->numbers, l.tuple, clients->tuple_size);
	for (size_t p = 0; p < pools; p++)
		l.facts[p] = mem_alloc(clients->pools[p]->size);
	list_networks(clients, l.own, &list);
	network_list_sort(&list);
	for (int family = 0; family < 2; family++)
		network_sweep(&list, &overlay->breaks[family], enter, &l);
	network_list_free(&list);
	for (size_t p = 0; p < pools; p++)
		free(l.facts[p]);
	free(l.facts);
	free(l.tuple);
	numbering_free(&l.batches);
	memo_free(&l.entered);
}

void geo_overlay_free(struct geo_overlay *overlay)
{
	numbering_free(&overlay->numbers);
	for (int family = 0; family < 2; family++)
		breaks_free(&overlay->breaks[family]);
}

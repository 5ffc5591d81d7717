#include "serve/eviction.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"

/* --- lists of connections --------------------------------------------------------------------- */

static void list_add(struct candidates *list, struct candidate *c, enum candidate_order order)
{
	c->links[order].newer = NULL;
	c->links[order].older = list->newest;
	*(list->newest != NULL ? &list->newest->links[order].newer : &list->oldest) = c;
	list->newest = c;
}

static void list_remove(struct candidates *list, struct candidate *c, enum candidate_order order)
{
	struct candidate *newer = c->links[order].newer, *older = c->links[order].older;

	*(newer != NULL ? &newer->links[order].older : &list->newest) = older;
	*(older != NULL ? &older->links[order].newer : &list->oldest) = newer;
	c->links[order].newer = c->links[order].older = NULL;
}

/* --- networks by the number of their connections ---------------------------------------------- */

static void leave_rank(struct eviction *e, struct network_share *n)
{
	*(n->previous != NULL ? &n->previous->next : &e->with[n->count]) = n->next;
	if (n->next != NULL)
		n->next->previous = n->previous;
}

static void enter_rank(struct eviction *e, struct network_share *n)
{
	n->previous = NULL;
	n->next = e->with[n->count];
	if (n->next != NULL)
		n->next->previous = n;
	e->with[n->count] = n;
}

/* Numbers change by one: where nobody is left with most, somebody has one less. */
static void count_up(struct eviction *e, struct network_share *n)
{
	if (n->count > 0)
		leave_rank(e, n);
	n->count++;
	enter_rank(e, n);
	if (n->count > e->most)
		e->most = n->count;
}

static void count_down(struct eviction *e, struct network_share *n)
{
	leave_rank(e, n);
	if (e->most == n->count && e->with[n->count] == NULL)
		e->most--;
	n->count--;
	if (n->count > 0)
		enter_rank(e, n);
}

/* --- networks by address ---------------------------------------------------------------------- */

static uint64_t key_of(const struct ip_address *client)
{
	return client->family == IP_V6 ? load_u64(client->bytes) : load_u32(client->bytes);
}

static struct network_share **chain_of(const struct eviction *e, uint64_t key)
{
	return &e->table[hash_word(key ^ e->seed) & e->table_mask];
}

static struct network_share *new_network(struct eviction *e)
{
	struct network_share *n = e->unused;

	if (n == NULL)
		return &e->networks[e->networks_used++];
	e->unused = n->chain;
	return n;
}

static struct network_share *network_of(struct eviction *e, const struct ip_address *client)
{
	uint64_t key = key_of(client);
	bool v6 = client->family == IP_V6;
	struct network_share **chain = chain_of(e, key), *n;

	for (n = *chain; n != NULL; n = n->chain) {
		if (n->key == key && n->v6 == v6)
			return n;
	}
	n = new_network(e);
	*n = (struct network_share){ .key = key, .v6 = v6, .chain = *chain };
	*chain = n;
	return n;
}

static void drop_network(struct eviction *e, struct network_share *n)
{
	struct network_share **at = chain_of(e, n->key);

	while (*at != n)
		at = &(*at)->chain;
	*at = n->chain;
	n->chain = e->unused;
	e->unused = n;
}

/* --- what callers use ------------------------------------------------------------------------- */

void eviction_open(struct eviction *e, unsigned max, uint64_t seed)
{
	size_t size = 1;

	while (size < (size_t)max * 2)
		size *= 2;
	*e = (struct eviction){ .seed = seed, .table_mask = size - 1 };
	e->table = mem_array(size, sizeof(struct network_share *));
	e->with = mem_array((size_t)max + 1, sizeof(struct network_share *));
	e->networks = mem_array(max, sizeof(e->networks[0]));
}

void eviction_close(struct eviction *e)
{
	free(e->table);
	free(e->with);
	free(e->networks);
}

void eviction_add(struct eviction *e, struct candidate *c, const struct ip_address *client)
{
	c->network = network_of(e, client);
	c->activity = ++e->now;
	e->count++;
	count_up(e, c->network);
	list_add(&e->by_activity, c, BY_ACTIVITY);
	list_add(&c->network->by_activity, c, OF_NETWORK);
	list_add(&e->by_age, c, BY_AGE);
}

/* Alone in its list, or forgotten: both have no neighbours, but the list tells. */
void eviction_forget_age(struct eviction *e, struct candidate *c)
{
	if (c->links[BY_AGE].newer != NULL || c->links[BY_AGE].older != NULL ||
	    e->by_age.newest == c)
		list_remove(&e->by_age, c, BY_AGE);
}

void eviction_remove(struct eviction *e, struct candidate *c)
{
	struct network_share *n = c->network;

	assert(n->count > 0 && e->count > 0);
	e->count--;
	list_remove(&e->by_activity, c, BY_ACTIVITY);
	list_remove(&n->by_activity, c, OF_NETWORK);
	eviction_forget_age(e, c);
	count_down(e, n);
	if (n->count == 0)
		drop_network(e, n);
	c->network = NULL;
}

void eviction_touch(struct eviction *e, struct candidate *c)
{
	c->activity = ++e->now;
	list_remove(&e->by_activity, c, BY_ACTIVITY);
	list_add(&e->by_activity, c, BY_ACTIVITY);
	list_remove(&c->network->by_activity, c, OF_NETWORK);
	list_add(&c->network->by_activity, c, OF_NETWORK);
}

struct candidate *eviction_choose(const struct eviction *e)
{
	const struct network_share *n = e->with[e->most];
	struct candidate *chosen = e->by_activity.oldest;

	if (e->most <= 1)
		return chosen;
	chosen = n->by_activity.oldest;
	for (unsigned i = 1; i < EVICTION_TIES_MAX && n->next != NULL; i++) {
		n = n->next;
		if (n->by_activity.oldest->activity < chosen->activity)
			chosen = n->by_activity.oldest;
	}
	return chosen;
}

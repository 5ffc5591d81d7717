/* From one plan to the next. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "image/probe_settings.h"
#include "probe/prober_parts.h"
#include "probe/schedule.h"

struct wanted {
	struct check_key key;
	uint32_t use; /* plan check */
};

static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *x = a;
	const struct wanted *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	return order != 0 ? order : (x->use > y->use) - (x->use < y->use);
}

static bool names_node(const struct image *plan, uint32_t use)
{
	uint32_t probe = plan_items(plan, checks, struct plan_check)[use].probe;
	const struct plan_probe *of = &plan_items(plan, probes, struct plan_probe)[probe];

	return probe_names_node(of->kind, plan->base + of->settings);
}

static const char *node_name(const struct image *plan, uint32_t node)
{
	return plan_text(plan, plan_items(plan, nodes, struct plan_node)[node].name);
}

static const char *pool_name(const struct image *plan, uint32_t node)
{
	uint32_t pool = plan_items(plan, nodes, struct plan_node)[node].pool;

	return plan_text(plan, plan_items(plan, pools, struct plan_pool)[pool].name);
}

/* No name has a NUL. */
static void hash_names(const struct image *plan, uint32_t node, uint64_t out[2])
{
	const char *pool = pool_name(plan, node), *name = node_name(plan, node);
	XXH128_hash_t of_pool = XXH3_128bits(pool, strlen(pool) + 1);
	XXH128_hash_t hash = XXH3_128bits_withSeed(name, strlen(name), of_pool.low64);

	out[0] = hash.low64;
	out[1] = hash.high64;
}

/* As many successes as there are in the longest time that a check is held down. */
static uint32_t rise_max(const struct plan_pool *pool, const struct plan_probe *probe)
{
	uint32_t most = pool->flap_max_hold_ms / probe->interval_ms;

	return most > probe->rise ? most : probe->rise;
}

static const struct plan_pool *pool_of(const struct image *plan, uint32_t node)
{
	uint32_t pool = plan_items(plan, nodes, struct plan_node)[node].pool;

	return &plan_items(plan, pools, struct plan_pool)[pool];
}

struct check_key round_key(const struct image *plan, uint32_t use)
{
	const struct plan_check *check = &plan_items(plan, checks, struct plan_check)[use];
	const struct plan_probe *probe = &plan_items(plan, probes, struct plan_probe)[check->probe];
	const struct ip_address *source = check->address.family == IP_V6 ? &probe->source_v6
									 : &probe->source_v4;
	const struct plan_pool *pool = pool_of(plan, check->node);
	struct check_key key = { .kind = probe->kind,
				 .family = check->address.family,
				 .source_family = check->address.family != 0 ? source->family : 0,
				 .port = check->port,
				 .interval_ms = probe->interval_ms,
				 .timeout_ms = probe->timeout_ms,
				 .fall = probe->fall,
				 .rise = probe->rise,
				 .jitter_percent = probe->jitter_percent,
				 .half_life_ms = pool->flap_half_life_ms,
				 .rise_max = rise_max(pool, probe),
				 .settings_len = probe->settings_len };
	XXH128_hash_t hash = XXH3_128bits(plan->base + probe->settings, probe->settings_len);

	if (key.source_family != 0)
		memcpy(key.source, source->bytes, sizeof(key.source));
	key.settings[0] = hash.low64;
	key.settings[1] = hash.high64;
	memcpy(key.address, check->address.bytes, sizeof(key.address));
	if (names_node(plan, use))
		hash_names(plan, check->node, key.node);
	return key;
}

uint8_t round_roles(const struct image *plan, uint32_t use)
{
	uint32_t probe = plan_items(plan, checks, struct plan_check)[use].probe;

	return plan_items(plan, probes, struct plan_probe)[probe].roles;
}

const void *round_settings(const struct image *plan, uint32_t use)
{
	uint32_t probe = plan_items(plan, checks, struct plan_check)[use].probe;

	return plan->base + plan_items(plan, probes, struct plan_probe)[probe].settings;
}

/* The plan's checks, sorted by key: equal ones side by side. The caller's to free. */
static struct wanted *list_wanted(const struct image *plan)
{
	uint32_t count = plan_count(plan, checks);
	struct wanted *wanted = mem_array(count, sizeof(*wanted));

	for (uint32_t i = 0; i < count; i++)
		wanted[i] = (struct wanted){ round_key(plan, i), i };
	qsort(wanted, count, sizeof(*wanted), compare_wanted);
	return wanted;
}

/* The running check with this key, or NULL. Both lists are sorted: *place only moves on. */
static struct check *find_running(const struct round *old, uint32_t *place,
				  const struct check_key *key)
{
	while (*place < old->check_count) {
		int order = memcmp(&old->checks[*place]->key, key, sizeof(*key));

		if (order == 0)
			return old->checks[(*place)++];
		if (order > 0)
			break;
		check_end(old->checks[(*place)++]);
	}
	return NULL;
}

/* Gives every plan check its check: one that runs already, or (left NULL) a new one to begin.
 * Checks that the new plan has no more are ended. */
static void share_checks(struct round *round, const struct wanted *wanted, struct round *old)
{
	uint32_t count = plan_count(&round->plan, checks);
	uint32_t place = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (i > 0 && memcmp(&wanted[i].key, &wanted[i - 1].key, sizeof(wanted->key)) == 0)
			continue;
		round->checks[round->check_count++] = find_running(old, &place, &wanted[i].key);
	}
	while (place < old->check_count)
		check_end(old->checks[place++]);
}

void round_name(struct check *check, const struct image *plan, uint32_t use)
{
	uint32_t node = plan_items(plan, checks, struct plan_check)[use].node;

	if (names_node(plan, use))
		check_name(check, pool_name(plan, node), node_name(plan, node));
}

/* Checks of one probe stand side by side, its first address first. */
void round_home(struct check *check, const struct image *plan, uint32_t use)
{
	const struct plan_check *checks = plan_items(plan, checks, struct plan_check);
	uint32_t first = use;

	while (first > 0 && checks[first - 1].node == checks[use].node &&
	       checks[first - 1].probe == checks[use].probe)
		first--;
	check->probe.home = checks[first].address;
}

static struct check *begin_check(struct engine *engine, const struct image *plan,
				 const struct wanted *wanted, uint64_t delay_us)
{
	struct check *check = check_begin(engine, &wanted->key, round_settings(plan, wanted->use),
					  delay_us);

	round_name(check, plan, wanted->use);
	return check;
}

/* What was counted of it is forgotten when that changes: with the plan a new watch begins. */
static void set_judges(struct check *check, bool judges)
{
	if (check->judges == judges)
		return;
	check->judges = judges;
	check->doubt = (struct doubt_check){ 0 };
}

static void begin_new(struct engine *engine, struct round *round, const struct wanted *wanted)
{
	uint32_t count = plan_count(&round->plan, checks);
	uint32_t fresh = 0;
	uint32_t begun = 0;
	uint32_t at = 0;

	for (uint32_t i = 0; i < round->check_count; i++)
		fresh += round->checks[i] == NULL;
	for (uint32_t i = 0; i < round->check_count; i++) {
		const struct check_key *key = &wanted[at].key;
		uint8_t roles = 0;

		if (round->checks[i] == NULL)
			round->checks[i] = begin_check(
				engine, &round->plan, &wanted[at],
				schedule_first_us(begun++, fresh, key->interval_ms));
		round->checks[i]->first_use = NO_USE;
		round_home(round->checks[i], &round->plan, wanted[at].use);
		for (; at < count && memcmp(&wanted[at].key, key, sizeof(*key)) == 0; at++) {
			uint32_t use = wanted[at].use;

			round->check_of[use] = round->checks[i];
			round->next_use[use] = round->checks[i]->first_use;
			round->checks[i]->first_use = use;
			roles |= round_roles(&round->plan, use);
		}
		set_judges(round->checks[i], (roles & PROBE_HEALTH) != 0);
	}
}

struct named_node {
	const char *pool, *name;
	uint32_t node;
};

static int compare_names(const void *a, const void *b)
{
	const struct named_node *x = a;
	const struct named_node *y = b;
	int order = strcmp(x->pool, y->pool);

	return order != 0 ? order : strcmp(x->name, y->name);
}

/* All nodes of a plan, sorted by "pool/name". The caller's to free. */
static struct named_node *list_names(const struct image *plan)
{
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	uint32_t count = plan_count(plan, nodes);
	struct named_node *names = mem_array(count, sizeof(*names));

	for (uint32_t i = 0; i < count; i++)
		names[i] = (struct named_node){ plan_text(plan, pools[nodes[i].pool].name),
						plan_text(plan, nodes[i].name), i };
	qsort(names, count, sizeof(*names), compare_names);
	return names;
}

static void adopt(struct node_state *state, const struct node_state *initial)
{
	if (initial == NULL || initial->status == NODE_UNKNOWN) {
		state->since_unix_ms = clock_unix_ms();
	} else {
		*state = *initial;
		state->adopted = true;
	}
	state->wish = WISH_NONE;
	state->weight_percent = 100;
	state->measure = (struct measure){ 0 };
}

/* A node's pretences go to the same checks of it in the new plan; to checks that are new where it
 * is pretended to be down. */
static void carry_pretences(struct round *round, const struct plan_range *checks,
			    const struct round *old, const struct plan_range *before)
{
	bool down = before->count > 0 && old->pretences[before->first].down;

	for (uint32_t i = checks->first; i < checks->first + checks->count; i++) {
		struct check_key key = round_key(&round->plan, i);

		round->pretences[i] = (struct pretence){ .is = down, .down = down };
		for (uint32_t o = before->first; o < before->first + before->count; o++) {
			struct check_key other = round_key(&old->plan, o);

			if (memcmp(&key, &other, sizeof(key)) == 0)
				round->pretences[i] = old->pretences[o];
		}
	}
}

/* Every node of the new plan gets the state it had, or else the one that it is opened with. */
static void carry_states(struct round *round, const struct round *old,
			 const struct node_state *initial)
{
	struct named_node *now = list_names(&round->plan);
	struct named_node *before = old->plan.base != NULL ? list_names(&old->plan) : NULL;
	uint32_t before_count = old->plan.base != NULL ? plan_count(&old->plan, nodes) : 0;
	uint32_t count = plan_count(&round->plan, nodes);
	uint32_t at = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t node = now[i].node;

		while (at < before_count && compare_names(&before[at], &now[i]) < 0)
			at++;
		if (at < before_count && compare_names(&before[at], &now[i]) == 0) {
			const struct plan_node *former = &plan_items(
				&old->plan, nodes, struct plan_node)[before[at].node];

			round->states[node] = old->states[before[at].node];
			carry_pretences(
				round,
				&plan_items(&round->plan, nodes, struct plan_node)[node].checks,
				old, &former->checks);
		} else {
			adopt(&round->states[node], initial != NULL ? &initial[node] : NULL);
		}
	}
	free(now);
	free(before);
}

void round_free(struct round *round)
{
	free(round->pretences);
	free(round->votes);
	free(round->voters);
	free(round->states);
	free(round->checks);
	free(round->check_of);
	free(round->next_use);
}

/* The most checks that a node has. */
static uint32_t most_checks(const struct image *plan)
{
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	uint32_t most = 0;

	for (uint32_t i = 0; i < plan_count(plan, nodes); i++)
		most = nodes[i].checks.count > most ? nodes[i].checks.count : most;
	return most;
}

void round_begin(struct prober *prober, const struct image *plan, const struct node_state *initial)
{
	struct round old = prober->round;
	uint32_t check_count = plan_count(plan, checks);
	struct wanted *wanted = list_wanted(plan);
	struct round round = { .plan = *plan };

	round.pretences = mem_array(check_count, sizeof(*round.pretences));
	round.states = mem_array(plan_count(plan, nodes), sizeof(*round.states));
	round.checks = mem_array(check_count, sizeof(struct check *));
	round.check_of = mem_array(check_count, sizeof(struct check *));
	round.next_use = mem_array(check_count, sizeof(*round.next_use));
	round.votes = mem_array(most_checks(plan), sizeof(*round.votes));
	round.voters = mem_array(most_checks(plan), sizeof(*round.voters));
	carry_states(&round, &old, initial);
	share_checks(&round, wanted, &old);
	begin_new(&prober->engine, &round, wanted);
	free(wanted);
	prober->round = round;
	round_free(&old);
}

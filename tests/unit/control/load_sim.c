#include "load_sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "control/load.h"

#define DAY_S       86400
#define NETWORKS    3000
#define CAPACITY    3000 /* sessions of a node, as configured */
#define MEAN_S      7200.0
#define SIGMA       1.0 /* of the logarithm of a session's length */
#define YOUNG_S     120
#define EVERY_S     15 /* loads are told */
#define SESSIONS_S  60 /* so old are they */
#define WORK_S      30
#define WORK_MEAN_S 60
#define NOISE       0.03
#define FAILS_S     (8 * 3600)
#define RETURNS_S   (FAILS_S + 600)
#define COUNTS_S    (RETURNS_S + 6 * 3600)

struct network {
	uint32_t node;
	uint32_t until_s;
	uint32_t keeps_s;
};

struct sim {
	const struct plan_load *settings;
	double demand, young_work;
	uint64_t random;
	struct network networks[NETWORKS];
	struct load_node loads[SIM_NODES];
	double capacity[SIM_NODES];
	bool up[SIM_NODES];
	uint32_t sessions[SIM_NODES], young[SIM_NODES];
	uint32_t crowd; /* that lost its node and comes back */
	double arriving;
	/* By second and node. */
	uint16_t (*come)[SIM_NODES], (*go)[SIM_NODES];
	float (*use)[SIM_NODES], (*work)[SIM_NODES];
	int direction[SIM_NODES];
	uint32_t turned[SIM_NODES], changed;
};

static double uniform(struct sim *sim)
{
	sim->random = hash_word(sim->random + 1);
	return ((double)(sim->random >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller. */
static double normal(struct sim *sim)
{
	return sqrt(-2 * log(uniform(sim))) * cos(6.283185307179586 * uniform(sim));
}

/* The node of a network: the lowest of -ln(h) / weight. */
static uint32_t choose(const struct sim *sim, uint32_t network)
{
	double least = INFINITY;
	uint32_t best = 0;

	for (uint32_t n = 0; n < SIM_NODES; n++) {
		uint64_t hash = hash_word(hash_word(network * 7919 + 1) ^ hash_word(n + 1));
		double score = -log(((double)(hash >> 11) + 0.5) / 9007199254740992.0) /
			       sim->loads[n].level;

		if (sim->up[n] && score < least) {
			least = score;
			best = n;
		}
	}
	return best;
}

static uint32_t ask(struct sim *sim, uint32_t now_s)
{
	uint32_t number = (uint32_t)(uniform(sim) * NETWORKS);
	struct network *network = &sim->networks[number];

	if (now_s >= network->until_s || !sim->up[network->node])
		*network = (struct network){ choose(sim, number), now_s + network->keeps_s,
					     network->keeps_s };
	return network->node;
}

static void begin_session(struct sim *sim, uint32_t node, uint32_t now_s, bool is_old)
{
	double length_s = MEAN_S * exp(SIGMA * normal(sim) - SIGMA * SIGMA / 2);
	uint32_t end_s = now_s + 1 + (uint32_t)(is_old ? length_s * uniform(sim) : length_s);

	sim->sessions[node]++;
	if (!is_old)
		sim->come[now_s][node]++;
	sim->young[node] += !is_old;
	if (end_s < DAY_S)
		sim->go[end_s][node]++;
}

static void fail(struct sim *sim, uint32_t now_s)
{
	sim->up[0] = false;
	sim->crowd = sim->sessions[0];
	sim->sessions[0] = sim->young[0] = 0;
	for (uint32_t s = now_s > YOUNG_S ? now_s - YOUNG_S : 0; s <= now_s; s++)
		sim->come[s][0] = 0;
	for (uint32_t s = now_s; s < DAY_S; s++)
		sim->go[s][0] = 0;
}

static void arrive(struct sim *sim, uint32_t now_s)
{
	uint32_t again = sim->crowd > 0 ? sim->crowd / 20 + 1 : 0;

	sim->crowd -= again;
	sim->arriving += SIM_NODES * CAPACITY * sim->demand / MEAN_S;
	for (; sim->arriving >= 1; sim->arriving--)
		begin_session(sim, ask(sim, now_s), now_s, false);
	while (again-- > 0)
		begin_session(sim, ask(sim, now_s), now_s, false);
}

static void leave(struct sim *sim, uint32_t now_s)
{
	for (uint32_t n = 0; n < SIM_NODES; n++) {
		sim->sessions[n] -= sim->go[now_s][n];
		if (now_s >= YOUNG_S)
			sim->young[n] -= sim->come[now_s - YOUNG_S][n];
		sim->use[now_s][n] = (float)(sim->sessions[n] / sim->capacity[n]);
		/* Such that in the mean it is as much as the sessions. */
		sim->work[now_s][n] = (float)((sim->sessions[n] + sim->young_work * sim->young[n]) /
					      (sim->capacity[n] *
					       (1 + sim->young_work * YOUNG_S / MEAN_S)));
	}
}

static double mean_work(const struct sim *sim, uint32_t node, uint32_t end_s)
{
	double sum = 0;

	for (uint32_t s = end_s - WORK_MEAN_S; s < end_s; s++)
		sum += sim->work[s][node];
	return sum / WORK_MEAN_S;
}

static void follow(struct sim *sim, uint32_t node, uint32_t now_s)
{
	struct load_node *load = &sim->loads[node];
	uint64_t now_ms = now_s * UINT64_C(1000);
	uint16_t before = load->level;
	int direction;

	if (sim->up[node] && now_s % EVERY_S == node && now_s > WORK_S + WORK_MEAN_S) {
		load_report(load, sim->settings, "sessions",
			    sim->use[now_s - SESSIONS_S][node] * (1 + NOISE * normal(sim)), now_ms);
		load_report(load, sim->settings, "cpu",
			    mean_work(sim, node, now_s - WORK_S) * (1 + NOISE * normal(sim)),
			    now_ms);
	}
	if (!load_update(load, sim->settings, now_ms))
		return;
	direction = load->level > before ? 1 : -1;
	if (now_s >= COUNTS_S) {
		sim->changed++;
		sim->turned[node] += direction != sim->direction[node];
	}
	sim->direction[node] = direction;
}

static void begin(struct sim *sim)
{
	sim->come = mem_array(DAY_S, sizeof(*sim->come));
	sim->go = mem_array(DAY_S, sizeof(*sim->go));
	sim->use = mem_array(DAY_S, sizeof(*sim->use));
	sim->work = mem_array(DAY_S, sizeof(*sim->work));
	for (uint32_t n = 0; n < SIM_NODES; n++) {
		sim->loads[n] = LOAD_NODE;
		sim->up[n] = true;
		sim->capacity[n] = CAPACITY * (0.8 + 0.4 * n / (SIM_NODES - 1));
	}
	for (uint32_t i = 0; i < NETWORKS; i++)
		sim->networks[i].keeps_s = i % 5 == 0 ? 300 : 30;
	for (uint32_t i = 0; i < SIM_NODES * CAPACITY * sim->demand; i++)
		begin_session(sim, ask(sim, 0), 0, true);
}

static void end(struct sim *sim)
{
	free(sim->come);
	free(sim->go);
	free(sim->use);
	free(sim->work);
	for (uint32_t n = 0; n < SIM_NODES; n++)
		load_free(&sim->loads[n]);
}

static double back_hours(const struct sim *sim)
{
	for (uint32_t s = RETURNS_S; s < DAY_S; s++) {
		if (sim->use[s][0] >= 0.9 * sim->demand)
			return (s - RETURNS_S) / 3600.0;
	}
	return 24;
}

static struct sim_result judge(const struct sim *sim)
{
	const double hours = (DAY_S - COUNTS_S) / 3600.0;
	struct sim_result result = { .changes = sim->changed / hours,
				     .back_hours = back_hours(sim) };

	for (uint32_t n = 0; n < SIM_NODES; n++) {
		double least = INFINITY, most = 0;

		for (uint32_t s = RETURNS_S + WORK_MEAN_S; s < DAY_S; s += EVERY_S) {
			double use = fmax(mean_work(sim, n, s), sim->use[s][n]);

			result.highest = fmax(result.highest, use);
			if (s < COUNTS_S)
				continue;
			least = fmin(least, use);
			most = fmax(most, use);
		}
		result.amplitude = fmax(result.amplitude, most - least);
		result.turns = fmax(result.turns, sim->turned[n] / hours);
	}
	return result;
}

struct sim_result simulate(const struct plan_load *settings, const struct sim_world *world,
			   uint64_t seed)
{
	static struct sim sim;
	struct sim_result result;

	sim = (struct sim){ .settings = settings,
			    .demand = world->demand,
			    .young_work = world->young_work,
			    .random = seed };
	begin(&sim);
	for (uint32_t now_s = 0; now_s < DAY_S; now_s++) {
		if (now_s == FAILS_S)
			fail(&sim, now_s);
		if (now_s == RETURNS_S)
			sim.up[0] = true;
		arrive(&sim, now_s);
		leave(&sim, now_s);
		for (uint32_t n = 0; n < SIM_NODES; n++)
			follow(&sim, n, now_s);
	}
	result = judge(&sim);
	end(&sim);
	return result;
}

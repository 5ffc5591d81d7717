#include "serve/batch.h"

#include "base/hash.h"
#include "base/netprefix.h"
#include "serve/count.h"
#include "serve/quick.h"

static __attribute__((noinline)) size_t answer_whole(const struct world *world,
						     const struct batch_query *q, uint32_t unix_s,
						     struct class_counters *classes,
						     struct counters *counters)
{
	struct client client = { .unix_s = unix_s, .classes = classes };

	client.random = hash_word(q->random);
	ip_from_sockaddr(q->from, &client.address, NULL);
	return answer(world, &client, q->message, q->len, q->reply, q->size, counters);
}

static void begin(struct quick *quick, const struct world *world, struct class_counters *classes)
{
	const struct dns_settings *settings = world_settings(world);

	*quick = (struct quick){
		.world = world,
		.classes = classes,
		.opt = htobe64((uint64_t)TYPE_OPT << 40 | (uint64_t)settings->udp_size_max << 24),
		.udp_size_max = settings->udp_size_max,
		.amplification = settings->amplification,
		.ecs = settings->ecs != 0,
	};
}

static void count(const struct quick *quick, struct counters *counters)
{
	counter_add(&counters->queries_udp, quick->answered);
	counter_add(&counters->noerror, quick->answered);
	counter_add(&counters->steered, quick->steered);
	counter_add(&counters->with_ecs, quick->with_ecs);
}

static inline size_t answer_quick(struct quick *quick, const struct batch_query *query)
{
	const struct image *zones = &quick->world->zones;
	struct quick_query q;

	if (!quick_read(quick, &q, query->message, query->len))
		return 0;
	q.zone = lookup_zone(zones, &q.name, q.type);
	if (q.zone == ZONES_NONE)
		return 0;
	q.segment = zones_segment(zones, q.zone);
	return quick_answer(quick, &q, query);
}

void batch_answer(const struct world *world, struct batch_query *queries, unsigned count_,
		  uint32_t unix_s, struct class_counters *classes, struct counters *counters)
{
	struct quick quick;

	begin(&quick, world, classes);
	for (unsigned i = 0; i < count_; i++) {
		struct batch_query *q = &queries[i];

		q->reply_len = world != NULL ? answer_quick(&quick, q) : 0;
		if (q->reply_len == 0)
			q->reply_len = answer_whole(world, q, unix_s, classes, counters);
	}
	count(&quick, counters);
}

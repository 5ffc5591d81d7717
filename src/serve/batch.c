#include "serve/batch.h"

#include "base/hash.h"
#include "base/netprefix.h"
#include "serve/count.h"
#include "serve/quick.h"

/* So many take each step together. More would be more waits that overlap, but what is known of
 * them would not stay in the nearest cache. */
#define GROUP 32

_Static_assert(BATCH_READABLE >= NAME_ROOM, "names are read by name_key_read_roomy");

struct batch {
	struct quick quick;
	uint32_t unix_s;
	struct counters *counters;
};

/* Whatever takes no quick path. */
static __attribute__((noinline)) void answer_whole(const struct batch *batch, struct batch_query *q)
{
	struct client client = { .unix_s = batch->unix_s, .classes = batch->quick.classes };

	client.random = hash_word(q->random);
	ip_from_sockaddr(q->from, &client.address, NULL);
	q->reply_len = answer(batch->quick.world, &client, q->message, q->len, q->reply, q->size,
			      batch->counters);
}

/* What each step needs from memory is asked for one step before. */
static void answer_group(struct batch *batch, struct batch_query *queries, unsigned count)
{
	struct quick_query group[GROUP];
	unsigned on = 0;

	for (unsigned i = 0; i < count; i++) {
		struct quick_query *q = &group[on];

		q->query = &queries[i];
		if (quick_read(&batch->quick, q) && quick_find_zone(&batch->quick, q))
			on++;
		else
			answer_whole(batch, q->query);
	}
	for (unsigned i = 0; i < on; i++)
		quick_find_node(&group[i]);
	for (unsigned i = 0; i < on; i++) {
		if (quick_find_block(&group[i]))
			continue;
		answer_whole(batch, group[i].query);
		group[i].query = NULL;
	}
	for (unsigned i = 0; i < on; i++) {
		struct quick_query *q = &group[i];

		if (q->query != NULL && !quick_write(&batch->quick, q))
			answer_whole(batch, q->query);
	}
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

static void end(const struct quick *quick, struct counters *counters)
{
	counter_add(&counters->queries_udp, quick->answered);
	counter_add(&counters->noerror, quick->answered);
	counter_add(&counters->steered, quick->steered);
	counter_add(&counters->with_ecs, quick->with_ecs);
}

void batch_answer(const struct world *world, struct batch_query *queries, unsigned count,
		  uint32_t unix_s, struct class_counters *classes, struct counters *counters)
{
	struct batch batch = { .unix_s = unix_s, .counters = counters };

	begin(&batch.quick, world, classes);
	if (world == NULL) {
		for (unsigned i = 0; i < count; i++)
			answer_whole(&batch, &queries[i]);
		return;
	}
	for (unsigned i = 0; i < count; i += GROUP)
		answer_group(&batch, queries + i, count - i < GROUP ? count - i : GROUP);
	end(&batch.quick, counters);
}

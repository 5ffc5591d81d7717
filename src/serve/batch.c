#include "serve/batch.h"

#include "base/netprefix.h"
#include "serve/count.h"
#include "serve/quick.h"

/* So many take each step together. More would be more waits that overlap, but what is known of
 * them would not stay in the nearest cache. */
#define GROUP 32

_Static_assert(BATCH_READABLE >= NAME_ROOM, "names are read by name_key_read_roomy");

struct batch {
	struct quick quick;
	struct counters *counters;
};

/* Whatever takes no quick path. */
static __attribute__((noinline)) void answer_whole(const struct batch *batch, struct batch_query *q)
{
	struct client client = { .unix_s = batch->quick.unix_s, .classes = batch->quick.classes };

	client.random = q->random;
	ip_from_sockaddr(q->from, &client.address, NULL);
	q->reply_len = answer(batch->quick.world, &client, q->message, q->len, q->reply, q->size,
			      batch->counters);
}

/* The steps. What each needs from memory is asked for one step before. They are functions of their
 * own, so that none has to share its registers with the others. */

/* Returns how many of the queries go on, in *group. */
static __attribute__((noinline)) unsigned read_all(struct batch *batch, struct quick_query *group,
						   struct batch_query *queries, unsigned count)
{
	struct quick_query *q = group;

	for (const struct batch_query *end = queries + count; queries < end; queries++) {
		q->query = queries;
		if (quick_read(&batch->quick, q) && quick_find_zone(&batch->quick, q))
			q++;
		else
			answer_whole(batch, queries);
	}
	return (unsigned)(q - group);
}

static __attribute__((noinline)) void find_nodes(struct quick_query *group, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		quick_find_node(&group[i]);
}

/* Returns how many names are steered. */
static __attribute__((noinline)) unsigned find_blocks(const struct quick *quick,
						      struct quick_query *group, unsigned count,
						      struct quick_steered *steered)
{
	struct quick_steered *end = steered;

	for (unsigned i = 0; i < count; i++)
		quick_find_block(quick, &group[i], &end);
	return (unsigned)(end - steered);
}

/* Those that are steered have more steps to take. */

static __attribute__((noinline)) void find_classes(const struct world *world,
						   struct quick_steered *steered, unsigned count)
{
	struct geo_walk *walks[GROUP];
	unsigned left = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!quick_find_class(world, &steered[i]))
			walks[left++] = &steered[i].walk;
	}
	if (left > 0)
		geo_walk_on(&world->geo, walks, left);
	for (unsigned i = 0; i < left; i++)
		quick_find_leaf(world, (struct quick_steered *)walks[i]);
}

static __attribute__((noinline)) void find_prefs(const struct world *world,
						 struct quick_steered *steered, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		quick_find_pref(world, &steered[i]);
}

static __attribute__((noinline)) void find_choices(const struct world *world,
						   struct quick_steered *steered, unsigned count)
{
	struct quick_steered *in_slots[GROUP], **end = in_slots;

	for (struct quick_steered *s = steered; s < steered + count; s++) {
		*end = s;
		end += quick_find_slot(world, s);
	}
	for (struct quick_steered **s = in_slots; s < end; s++)
		quick_find_choice(world, *s);
}

static __attribute__((noinline)) void find_answers(const struct world *world,
						   struct quick_steered *steered, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		quick_find_answer(world, &steered[i]);
}

/* One alone has nobody to overlap with, and four functions fewer to call. */
static __attribute__((noinline)) void steer_one(const struct world *world, struct quick_steered *s)
{
	struct geo_walk *walk = &s->walk;

	if (!quick_find_class(world, s)) {
		geo_walk_on(&world->geo, &walk, 1);
		quick_find_leaf(world, s);
	}
	quick_find_pref(world, s);
	if (quick_find_slot(world, s))
		quick_find_choice(world, s);
	quick_find_answer(world, s);
}

static void steer_group(const struct world *world, struct quick_steered *steered, unsigned count)
{
	if (count == 1) {
		steer_one(world, steered);
		return;
	}
	find_classes(world, steered, count);
	find_prefs(world, steered, count);
	find_choices(world, steered, count);
	find_answers(world, steered, count);
}

static __attribute__((noinline)) void write_all(struct batch *batch,
						const struct quick_query *group, unsigned count)
{
	for (const struct quick_query *q = group; q < group + count; q++) {
		if (!quick_write(&batch->quick, q))
			answer_whole(batch, q->query);
	}
}

static void answer_group(struct batch *batch, struct batch_query *queries, unsigned count)
{
	struct quick_query group[GROUP];
	struct quick_steered steered[GROUP];
	unsigned steered_count;

	count = read_all(batch, group, queries, count);
	find_nodes(group, count);
	steered_count = find_blocks(&batch->quick, group, count, steered);
	if (steered_count > 0)
		steer_group(batch->quick.world, steered, steered_count);
	write_all(batch, group, count);
}

static void begin(struct quick *quick, const struct world *world, uint32_t unix_s,
		  struct class_counters *classes)
{
	const struct dns_settings *settings = world_settings(world);

	*quick = (struct quick){
		.world = world,
		.classes = classes,
		.opt = htobe64((uint64_t)TYPE_OPT << 40 | (uint64_t)settings->udp_size_max << 24),
		.limit_min = EDNS_UDP_SIZE_MIN,
		.limit_max = settings->udp_size_max,
		.amplification = settings->amplification,
		.unix_s = unix_s,
		.ecs = settings->ecs != 0,
		.cookies = settings->cookies != 0 && settings->cookie_secret_count > 0,
	};
}

static void end(const struct quick *quick, uint64_t *queries, struct counters *counters)
{
	counter_add(queries, quick->answered);
	counter_add(&counters->noerror, quick->answered - quick->nxdomain);
	counter_add(&counters->nxdomain, quick->nxdomain);
	counter_add(&counters->steered, quick->steered);
	counter_add(&counters->with_ecs, quick->with_ecs);
}

void batch_answer(const struct world *world, struct batch_query *queries, unsigned count,
		  uint32_t unix_s, struct class_counters *classes, struct counters *counters)
{
	struct batch batch = { .counters = counters };

	begin(&batch.quick, world, unix_s, classes);
	if (world == NULL) {
		for (unsigned i = 0; i < count; i++)
			answer_whole(&batch, &queries[i]);
		return;
	}
	for (unsigned i = 0; i < count; i += GROUP)
		answer_group(&batch, queries + i, count - i < GROUP ? count - i : GROUP);
	end(&batch.quick, &counters->queries_udp, counters);
}

/* --- a connection's --------------------------------------------------------------------------- */

static __attribute__((noinline)) void answer_whole_of(const struct batch *batch,
						      struct batch_query *q,
						      const struct batch_stream *stream)
{
	struct client client = *stream->client;

	client.random = q->random;
	q->reply_len = answer(batch->quick.world, &client, q->message, q->len, q->reply,
			      DNS_MESSAGE_MAX, batch->counters);
}

static inline void put_answer(struct batch *batch, struct quick_query *q, bool is_quick,
			      struct batch_stream *stream)
{
	struct batch_query *query = q->query;

	query->reply = stream->out + stream->len + 2;
	query->size = stream->enough + BATCH_STREAM_ROOM - stream->len - 2;
	if (!is_quick || !quick_write(&batch->quick, q))
		answer_whole_of(batch, query, stream);
	if (query->reply_len == 0)
		return;
	store_u16(query->reply - 2, (uint16_t)query->reply_len);
	stream->len += 2 + query->reply_len;
	stream->answers++;
}

/* The steps of answer_group; but what takes no quick path has to wait for its place. */
static unsigned answer_group_of(struct batch *batch, struct batch_query *queries, unsigned count,
				struct batch_stream *stream)
{
	struct quick_query group[GROUP];
	struct quick_steered steered[GROUP], *end = steered;
	bool is_quick[GROUP];
	unsigned i;

	for (i = 0; i < count; i++) {
		group[i].query = &queries[i];
		is_quick[i] = batch->quick.world != NULL && quick_read(&batch->quick, &group[i]) &&
			      quick_find_zone(&batch->quick, &group[i]);
	}
	for (i = 0; i < count; i++) {
		if (is_quick[i])
			quick_find_node(&group[i]);
	}
	for (i = 0; i < count; i++) {
		if (is_quick[i])
			quick_find_block(&batch->quick, &group[i], &end);
	}
	if (end > steered)
		steer_group(batch->quick.world, steered, (unsigned)(end - steered));
	for (i = 0; i < count && stream->len <= stream->enough; i++)
		put_answer(batch, &group[i], is_quick[i], stream);
	return i;
}

unsigned batch_answer_stream(const struct world *world, struct batch_query *queries, unsigned count,
			     struct batch_stream *stream, struct counters *counters)
{
	struct batch batch = { .counters = counters };
	unsigned done = 0, took;

	begin(&batch.quick, world, stream->client->unix_s, stream->client->classes);
	batch.quick.limit_min = batch.quick.limit_max = DNS_MESSAGE_MAX;
	batch.quick.amplification = 0;
	stream->answers = 0;
	do {
		unsigned left = count - done, size = left < GROUP ? left : GROUP;

		took = answer_group_of(&batch, queries + done, size, stream);
		done += took;
	} while (took == GROUP && done < count);
	end(&batch.quick, &counters->queries_tcp, counters);
	return done;
}

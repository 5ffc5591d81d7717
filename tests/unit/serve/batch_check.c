#include "tests/unit/serve/batch_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* Two ways of answering, and what each counted. */
enum { BATCH, SINGLE, WAYS };

struct counts {
	struct counters counters;
	struct class_counters classes;
};

static struct counts counts[WAYS]; /* too large for a stack */

static void print_octets(const char *what, const uint8_t *data, size_t len)
{
	(void)fprintf(stderr, "%s", what);
	for (size_t i = 0; i < len; i++)
		(void)fprintf(stderr, " %02x", data[i]);
	(void)fprintf(stderr, "\n");
}

static void check_reply(const struct batch_message *m, const struct batch_query *got,
			const uint8_t *reply, size_t len)
{
	if (got->reply_len == len && memcmp(got->reply, reply, len) == 0)
		return;
	print_octets("query: ", m->data, m->len);
	print_octets("answer:", reply, len);
	print_octets("batch: ", got->reply, got->reply_len);
	abort();
}

/* Members of struct counters are all uint64_t. */
static void check_counts(struct counters *sum)
{
	const uint64_t *batch = &counts[BATCH].counters.queries_udp;
	const uint64_t *single = &counts[SINGLE].counters.queries_udp;
	uint64_t *to = &sum->queries_udp;

	for (size_t i = 0; i < sizeof(struct counters) / sizeof(*to); i++) {
		if (batch[i] != single[i]) {
			(void)fprintf(stderr, "counter %zu: %llu in a batch, not %llu\n", i,
				      (unsigned long long)batch[i], (unsigned long long)single[i]);
			abort();
		}
		to[i] += batch[i];
	}
}

static void check_classes(void)
{
	const struct class_counters *batch = &counts[BATCH].classes;
	const struct class_counters *single = &counts[SINGLE].classes;

	if (batch->geo_id == single->geo_id && batch->class_count == single->class_count &&
	    memcmp(batch->steered, single->steered,
		   single->class_count * sizeof(single->steered[0])) == 0)
		return;
	(void)fprintf(stderr, "classes are counted otherwise in a batch\n");
	abort();
}

/* What is behind a message that may be read, but says nothing. */
static uint8_t *copy_message(const struct batch_message *m)
{
	uint8_t *copy = mem_alloc(m->len + BATCH_READABLE);

	if (m->len > 0)
		memcpy(copy, m->data, m->len);
	memset(copy + m->len, (int)(m->random & 0xff), BATCH_READABLE);
	return copy;
}

static void answer_single(const struct world *world, const struct batch_message *m, size_t size,
			  uint32_t unix_s, const struct batch_query *got)
{
	struct client client = { .address = m->from,
				 .unix_s = unix_s,
				 .random = hash_word(m->random),
				 .classes = &counts[SINGLE].classes };
	uint8_t *reply = mem_alloc(size);
	size_t len = answer(world, &client, m->data, m->len, reply, size, &counts[SINGLE].counters);

	check_reply(m, got, reply, len);
	free(reply);
}

void batch_check(const struct world *world, const struct batch_message *messages, unsigned count,
		 size_t size, uint32_t unix_s, struct counters *counters)
{
	struct batch_query queries[BATCH_MAX];
	struct sockaddr_storage from[BATCH_MAX];

	for (unsigned i = 0; i < count; i++) {
		(void)ip_to_sockaddr(&messages[i].from, 5353, &from[i]);
		queries[i] = (struct batch_query){ .message = copy_message(&messages[i]),
						   .len = messages[i].len,
						   .reply = mem_alloc(size),
						   .size = size,
						   .from = &from[i],
						   .random = messages[i].random };
	}
	memset(&counts[BATCH].counters, 0, sizeof(counts[BATCH].counters));
	memset(&counts[SINGLE].counters, 0, sizeof(counts[SINGLE].counters));
	batch_answer(world, queries, count, unix_s, &counts[BATCH].classes,
		     &counts[BATCH].counters);
	for (unsigned i = 0; i < count; i++) {
		answer_single(world, &messages[i], size, unix_s, &queries[i]);
		free((void *)(uintptr_t)queries[i].message);
		free(queries[i].reply);
	}
	check_counts(counters);
	check_classes();
}

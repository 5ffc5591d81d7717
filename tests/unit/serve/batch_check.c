#include "tests/unit/serve/batch_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
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
				 .random = m->random,
				 .classes = &counts[SINGLE].classes };
	uint8_t *reply = mem_alloc(size);
	size_t len = answer(world, &client, m->data, m->len, reply, size, &counts[SINGLE].counters);

	check_reply(m, got, reply, len);
	free(reply);
}

static void reset_counts(void)
{
	memset(&counts[BATCH].counters, 0, sizeof(counts[BATCH].counters));
	memset(&counts[SINGLE].counters, 0, sizeof(counts[SINGLE].counters));
}

/* --- as a connection says them ------------------------------------------------------------------- */

/* Returns how many octets of the stream are its answer, with its length. */
static size_t check_streamed(const struct world *world, const struct batch_query *query,
			     const struct client *from, const uint8_t *out, size_t len)
{
	static uint8_t reply[2 + DNS_MESSAGE_MAX];
	struct client client = *from;
	size_t size;

	client.random = query->random;
	client.classes = &counts[SINGLE].classes;
	size = answer(world, &client, query->message, query->len, reply + 2, DNS_MESSAGE_MAX,
		      &counts[SINGLE].counters);
	if (size == 0)
		return 0;
	store_u16(reply, (uint16_t)size);
	if (len < 2 + size || memcmp(out, reply, 2 + size) != 0) {
		print_octets("query:  ", query->message, query->len);
		print_octets("answer: ", reply, 2 + size);
		print_octets("stream: ", out, len);
		abort();
	}
	counts[SINGLE].counters.answers_tcp++;
	return 2 + size;
}

/* Answers some, behind which there is room for one answer; returns their number. */
static unsigned check_stretch(const struct world *world, struct batch_query *queries,
			      unsigned count, const struct client *client, size_t enough)
{
	struct batch_stream stream = { .client = client, .enough = enough };
	size_t pos = 0, last = 0;
	unsigned done;

	stream.out = mem_alloc(enough + BATCH_STREAM_ROOM);
	done = batch_answer_stream(world, queries, count, &stream, &counts[BATCH].counters);
	counts[BATCH].counters.answers_tcp += stream.answers;
	for (unsigned i = 0; i < done; i++) {
		last = pos;
		pos += check_streamed(world, &queries[i], client, stream.out + pos,
				      stream.len - pos);
	}
	if (pos != stream.len || last > enough || (done < count && pos <= enough)) {
		(void)fprintf(stderr, "%u of %u queries, %zu of %zu octets\n", done, count, pos,
			      stream.len);
		abort();
	}
	free(stream.out);
	return done;
}

static void check_stream(const struct world *world, struct batch_query *queries, unsigned count,
			 struct ip_address from, size_t enough, uint32_t unix_s)
{
	const struct client client = { .address = from,
				       .tcp = true,
				       .tells_keepalive = true,
				       .tcp_keepalive = 77,
				       .unix_s = unix_s,
				       .classes = &counts[BATCH].classes };
	struct sockaddr_storage address;

	(void)ip_to_sockaddr(&from, 5353, &address);
	for (unsigned i = 0; i < count; i++)
		queries[i].from = &address;
	for (unsigned done = 0; done < count;)
		done += check_stretch(world, queries + done, count - done, &client, enough);
}

/* --- both ------------------------------------------------------------------------------------- */

void batch_check(const struct world *world, const struct batch_message *messages, unsigned count,
		 size_t size, uint32_t unix_s, struct counters *counters)
{
	struct batch_query queries[BATCH_MAX];
	struct sockaddr_storage from[BATCH_MAX];
	struct counters of_stream = { 0 };

	for (unsigned i = 0; i < count; i++) {
		(void)ip_to_sockaddr(&messages[i].from, 5353, &from[i]);
		queries[i] = (struct batch_query){ .message = copy_message(&messages[i]),
						   .len = messages[i].len,
						   .reply = mem_alloc(size),
						   .size = size,
						   .from = &from[i],
						   .random = messages[i].random };
	}
	reset_counts();
	batch_answer(world, queries, count, unix_s, &counts[BATCH].classes,
		     &counts[BATCH].counters);
	for (unsigned i = 0; i < count; i++) {
		answer_single(world, &messages[i], size, unix_s, &queries[i]);
		free(queries[i].reply);
	}
	check_counts(counters);
	reset_counts();
	if (count > 0)
		check_stream(world, queries, count, messages[0].from, size, unix_s);
	check_counts(&of_stream);
	check_classes();
	for (unsigned i = 0; i < count; i++)
		free((void *)(uintptr_t)queries[i].message);
}

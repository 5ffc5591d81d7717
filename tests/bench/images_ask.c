/* images_ask.c - queries answered from images, in batches, with nothing else in the process.
 *
 * The file of queries is binary: of each the IPv4 address it comes from (4 octets), its length (2,
 * network order), its octets. They are read beforehand and stand one behind the other: reading on
 * costs what it costs the data plane, whose queries the kernel has just written.
 *
 * With a detour they do go through the kernel, to a socket and from it, and so do the answers; only
 * batch_answer() is timed then, by the clock that goes on, which takes less than a nanosecond a query;
 * batches in which somebody else had the processor do not count. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "serve/batch.h"
#include "tests/bench/images.h"
#include "wire/types.h"

#define REPLY_SIZE  4096
#define SLOT_SIZE   (REPLY_SIZE + 64) /* as serve/udp.c has it */
#define QUERY_HEAD  6
#define QUERIES_MAX (16UL << 20)
#define NOW_UNIX_S  1800000000

struct ask_query {
	const uint8_t *message;
	struct in_addr source;
	uint16_t len;
};

/* One thread's. */
struct asker {
	pthread_t thread;
	const struct world *world;
	const struct ask_query *queries;
	unsigned long first, count,
		total; /* of the queries: where to begin, how many, of how many */
	struct counters *counters;
	struct class_counters *classes;
	unsigned batch;
	struct detour *detour; /* NULL: none */
	uint64_t random;
	unsigned long answered, with_answer, octets;
	uint64_t cpu_ns;
	uint64_t timed_ns;
	unsigned long timed; /* queries, by the detour */
	struct sockaddr_storage from[BATCH_MAX];
	uint8_t reply[BATCH_MAX][SLOT_SIZE];
};

/* --- the file --------------------------------------------------------------------------------- */

static uint8_t *read_whole(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
	    fseek(file, 0, SEEK_SET) != 0)
		die(path, strerror(errno));
	*len = (size_t)size;
	bytes = mem_alloc(*len + 64); /* batches may read on behind the last one */
	if (fread(bytes, 1, *len, file) != *len)
		die(path, "it cannot be read");
	(void)fclose(file);
	return bytes;
}

static unsigned long split(const uint8_t *bytes, size_t len, struct ask_query *out)
{
	unsigned long count = 0;
	size_t at = 0;

	while (len - at >= QUERY_HEAD && count < QUERIES_MAX) {
		struct ask_query *query = &out[count];

		memcpy(&query->source, bytes + at, sizeof(query->source));
		query->len = (uint16_t)(bytes[at + 4] << 8 | bytes[at + 5]);
		query->message = bytes + at + QUERY_HEAD;
		if (query->len > len - at - QUERY_HEAD)
			break;
		at += QUERY_HEAD + query->len;
		count++;
	}
	return at == len ? count : 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* What the kernel would have done. */
static void receive(struct asker *asker, struct batch_query *out, unsigned i, unsigned long at)
{
	const struct ask_query *query = &asker->queries[at];
	struct sockaddr_in *from = (struct sockaddr_in *)(void *)&asker->from[i];

	from->sin_family = AF_INET;
	from->sin_addr = query->source;
	*out = (struct batch_query){ .message = query->message,
				     .len = query->len,
				     .reply = asker->reply[i],
				     .size = REPLY_SIZE,
				     .from = &asker->from[i],
				     .random = asker->random++ };
}

static void tally(struct asker *asker, const struct batch_query *queries, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *reply = queries[i].reply;

		asker->answered += queries[i].reply_len > 0;
		asker->with_answer += queries[i].reply_len > DNS_HEADER_SIZE &&
				      (reply[6] | reply[7]) != 0;
		asker->octets += queries[i].reply_len;
	}
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static long times_interrupted(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

static void answer_by_detour(struct asker *asker, struct batch_query *queries, unsigned count)
{
	long interrupted;
	uint64_t ns;

	detour_in(asker->detour, queries, count);
	interrupted = times_interrupted();
	ns = clock_ns(CLOCK_MONOTONIC);
	batch_answer(asker->world, queries, count, NOW_UNIX_S, asker->classes, asker->counters);
	ns = clock_ns(CLOCK_MONOTONIC) - ns;
	if (times_interrupted() == interrupted) {
		asker->timed_ns += ns;
		asker->timed += count;
	}
	detour_out(asker->detour, queries, count);
}

static void *run(void *object)
{
	struct asker *asker = object;
	unsigned long at = asker->first % asker->total;
	uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	asker->timed_ns = asker->timed = 0;
	for (unsigned long left = asker->count; left > 0;) {
		struct batch_query queries[BATCH_MAX];
		unsigned count = 0;

		for (; count < asker->batch && count < left; count++) {
			receive(asker, &queries[count], count, at);
			at = at + 1 == asker->total ? 0 : at + 1;
		}
		if (asker->detour != NULL)
			answer_by_detour(asker, queries, count);
		else
			batch_answer(asker->world, queries, count, NOW_UNIX_S, asker->classes,
				     asker->counters);
		tally(asker, queries, count);
		left -= count;
	}
	asker->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	if (asker->detour != NULL)
		asker->cpu_ns = asker->timed > 0 ? asker->timed_ns * asker->count / asker->timed
						 : 0;
	return NULL;
}

/* --- all of it -------------------------------------------------------------------------------- */

static struct counters_page *new_counters(void)
{
	void *page = mmap(NULL, sizeof(struct counters_page), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("counters", strerror(errno));
	return page;
}

static double run_round(struct asker **askers, unsigned threads)
{
	uint64_t cpu_ns = 0;
	double count = 0;

	if (threads == 1) { /* in this thread: callgrind then has one stack */
		(void)run(askers[0]);
	} else {
		for (unsigned t = 0; t < threads; t++) {
			if (pthread_create(&askers[t]->thread, NULL, run, askers[t]) != 0)
				die("thread", "it cannot be started");
		}
		for (unsigned t = 0; t < threads; t++)
			(void)pthread_join(askers[t]->thread, NULL);
	}
	for (unsigned t = 0; t < threads; t++) {
		cpu_ns += askers[t]->cpu_ns;
		count += (double)askers[t]->count;
	}
	return (double)cpu_ns / count;
}

static void print(struct asker **askers, const struct ask_options *options, const double *ns)
{
	unsigned long answered = 0, with_answer = 0, octets = 0;
	double each = (double)options->rounds * (double)options->threads;

	for (unsigned t = 0; t < options->threads; t++) {
		answered += askers[t]->answered;
		with_answer += askers[t]->with_answer;
		octets += askers[t]->octets;
	}
	each *= (double)askers[0]->count;
	(void)printf("{\"queries\": %.0f, \"answered\": %lu, \"with_answer\": %.4f, "
		     "\"reply_octets\": %.1f, \"threads\": %u, \"cpu_ns\": [",
		     each, answered, (double)with_answer / each, (double)octets / each,
		     options->threads);
	for (unsigned r = 0; r < options->rounds; r++)
		(void)printf("%s%.1f", r == 0 ? "" : ", ", ns[r]);
	(void)printf("]}\n");
}

void images_ask(const struct world *world, const struct ask_options *options)
{
	struct asker **askers = mem_array(options->threads, sizeof(struct asker *));
	double *ns = mem_array(options->rounds, sizeof(*ns));
	struct counters_page *page = new_counters();
	size_t len;
	uint8_t *bytes = read_whole(options->queries, &len);
	struct ask_query *queries = mem_array(len / QUERY_HEAD + 1,
					      sizeof(*queries)); /* more than there can be */
	unsigned long total = split(bytes, len, queries);

	if (total == 0)
		die(options->queries, "no queries, or cut off");
	for (unsigned t = 0; t < options->threads; t++) {
		askers[t] = mem_alloc(sizeof(**askers));
		askers[t]->world = world;
		askers[t]->queries = queries;
		askers[t]->total = total;
		askers[t]->count = options->count != 0 ? options->count : total;
		askers[t]->first = total / options->threads * t;
		askers[t]->counters = &page->counters[t];
		askers[t]->classes = &page->classes[t];
		askers[t]->batch = options->batch;
		askers[t]->detour = options->detour ? detour_open() : NULL;
	}
	for (unsigned r = 0; r < options->rounds; r++)
		ns[r] = run_round(askers, options->threads);
	print(askers, options, ns);
	for (unsigned t = 0; t < options->threads; t++) {
		if (askers[t]->detour != NULL)
			detour_close(askers[t]->detour);
		free(askers[t]);
	}
	(void)munmap(page, sizeof(*page));
	free(askers);
	free(queries);
	free(bytes);
	free(ns);
}

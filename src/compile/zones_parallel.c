#include "compile/zones_parallel.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compile/beside.h"
#include "compile/zone_compile.h"

#define THREADS_MAX 16
#define KEEP_BATCH  32U                 /* zones that a thread looks at in one go */
#define LARGE_SIZE  ((uint64_t)1 << 20) /* octets of text: taken first, the largest before others */

/* Large zones that are compiled at once: their texts, together, are at most this part of the
 * machine's memory. What a draft takes is a small multiple of its text. */
#define MEMORY_SHARE 64

unsigned zones_threads(void)
{
	cpu_set_t usable;
	int count = 1;

	if (sizeof(void *) < 8)
		return 1; /* addresses are scarce, and each draft reserves many (stretch.h) */
	if (sched_getaffinity(0, sizeof(usable), &usable) == 0)
		count = CPU_COUNT(&usable);
	return count < THREADS_MAX ? (unsigned)count : THREADS_MAX;
}

/* The work is done by the caller, too: fewer threads than wanted are slower, and that is all. */
static void run(beside_work *work, void *context, unsigned threads)
{
	struct beside others[THREADS_MAX];
	unsigned count = 0;

	while (count + 1 < threads && beside_try(&others[count], work, context))
		count++;
	work(context);
	while (count > 0)
		beside_wait(&others[--count]);
}

/* --- which zones have not changed --------------------------------------------------------------- */

struct keeping {
	const struct zones_task *task;
	atomic_size_t next;
};

static void keep_zones(void *context)
{
	struct keeping *keeping = context;
	const struct zones_task *task = keeping->task;
	size_t from, to;

	while ((from = atomic_fetch_add_explicit(&keeping->next, KEEP_BATCH,
						 memory_order_relaxed)) < task->count) {
		to = task->count - from > KEEP_BATCH ? from + KEEP_BATCH : task->count;
		for (; from < to; from++)
			task->items[from].is_done = zone_keep(task, &task->items[from]);
	}
}

static void keep_all(const struct zones_task *task, unsigned threads)
{
	struct keeping keeping = { .task = task };

	if (task->previous == NULL)
		return;
	if (threads > task->count / 2)
		threads = (unsigned)(task->count / 2);
	run(keep_zones, &keeping, threads);
}

/* --- in which order the others are compiled ------------------------------------------------------- */

/* Large zones first, so that the threads end at about the same time, whatever is left being small.
 * Small ones in canonical order, in which they are copied into the image. */
struct queue {
	struct zones_line *line;
	struct zones_item **items; /* the large ones stand first */
	size_t count, large_count;
	unsigned threads;

	pthread_mutex_t lock;
	pthread_cond_t ended; /* a large one */
	size_t large_next, small_next;
	uint64_t large_now; /* octets of text of those that are being compiled */
	uint64_t large_max;
	uint64_t left; /* octets of all that are not compiled yet */
};

static uint64_t text_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static bool is_large(const struct zones_item *item)
{
	return item->text_size >= LARGE_SIZE;
}

static int compare_sizes(const void *a, const void *b)
{
	const struct zones_item *x = *(struct zones_item *const *)a;
	const struct zones_item *y = *(struct zones_item *const *)b;

	if (is_large(x) && is_large(y) && x->text_size != y->text_size)
		return x->text_size > y->text_size ? -1 : 1;
	if (is_large(x) != is_large(y))
		return is_large(x) ? -1 : 1;
	return x < y ? -1 : 1;
}

static uint64_t large_max(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / MEMORY_SHARE : 0;
}

/* One thread takes all in canonical order: then each is written into the image at once. */
static void fill(struct queue *queue, const struct zones_task *task)
{
	queue->items = mem_array(task->count, sizeof(struct zones_item *));
	for (size_t i = 0; i < task->count; i++) {
		struct zones_item *item = &task->items[i];

		if (item->is_done)
			continue;
		queue->items[queue->count++] = item;
		if (queue->threads > 1)
			item->text_size = text_size(item->path);
		queue->left += item->text_size;
		if (is_large(item))
			queue->large_count++;
	}
	if (queue->large_count > 0)
		qsort(queue->items, queue->count, sizeof(struct zones_item *), compare_sizes);
	queue->small_next = queue->large_count;
	queue->large_max = large_max();
}

/* NULL: nothing is left. The lock is held. */
static struct zones_item *take(struct queue *queue)
{
	while (queue->large_next < queue->large_count) {
		struct zones_item *item = queue->items[queue->large_next];

		if (queue->large_now == 0 ||
		    queue->large_now + item->text_size <= queue->large_max) {
			queue->large_next++;
			queue->large_now += item->text_size;
			return item;
		}
		if (queue->small_next < queue->count)
			break;
		(void)pthread_cond_wait(&queue->ended, &queue->lock);
	}
	return queue->small_next < queue->count ? queue->items[queue->small_next++] : NULL;
}

/* Would the others be ready before this one, and their processors idle? */
static bool may_have_more(const struct queue *queue, const struct zones_item *item)
{
	uint64_t others = queue->left - item->text_size;

	return queue->threads > 1 && others / (queue->threads - 1) <= item->text_size / 2;
}

static void compile_zones(void *context)
{
	struct queue *queue = context;
	struct image_writer aside = { .fd = -1 };
	struct zones_item *item;

	(void)pthread_mutex_lock(&queue->lock);
	while ((item = take(queue)) != NULL) {
		uint64_t size = item->text_size;
		bool more = may_have_more(queue, item);

		(void)pthread_mutex_unlock(&queue->lock);
		zone_compile(queue->line, item, &aside, more);
		(void)pthread_mutex_lock(&queue->lock);
		queue->left -= size;
		if (size < LARGE_SIZE)
			continue;
		queue->large_now -= size;
		(void)pthread_cond_broadcast(&queue->ended);
	}
	(void)pthread_mutex_unlock(&queue->lock);
	image_writer_discard(&aside);
}

void zones_compile_all(const struct zones_task *task, struct image_writer *writer, unsigned threads)
{
	struct zones_line line;
	struct queue queue = { .line = &line, .threads = threads };

	keep_all(task, threads);
	zones_line_open(&line, task, writer);
	fill(&queue, task);
	(void)pthread_mutex_init(&queue.lock, NULL);
	(void)pthread_cond_init(&queue.ended, NULL);
	run(compile_zones, &queue, threads < queue.count ? threads : (unsigned)queue.count);
	(void)pthread_cond_destroy(&queue.ended);
	(void)pthread_mutex_destroy(&queue.lock);
	zones_line_close(&line);
	free(queue.items);
}

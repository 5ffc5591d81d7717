#include "compile/zones_line.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

void zones_line_open(struct zones_line *line, const struct zones_task *task,
		     struct image_writer *writer)
{
	*line = (struct zones_line){ .task = task, .writer = writer };
	(void)pthread_mutex_init(&line->lock, NULL);
}

static void let_go(struct zones_item *item)
{
	if (item->mapped > 0)
		(void)munmap(item->owned, item->mapped);
	else
		free(item->owned);
	item->owned = NULL;
	item->segment = NULL;
}

static void copy(struct zones_line *line, struct zones_item *item)
{
	if (item->segment == NULL)
		return;
	item->segment_off = image_writer_reserve(line->writer, item->segment_size, IMAGE_ALIGN);
	image_writer_put(line->writer, item->segment_off, item->segment, item->segment_size);
	let_go(item);
}

/* Copies all that can be copied before `end`. The lock is held, but not meanwhile, and nobody else
 * is at the image. */
static void advance(struct zones_line *line, size_t end)
{
	struct zones_item *items = line->task->items;

	while (line->next < end && items[line->next].is_done) {
		size_t from = line->next, to = from;

		while (to < end && items[to].is_done)
			to++;
		line->taken = true;
		(void)pthread_mutex_unlock(&line->lock);
		for (size_t i = from; i < to; i++)
			copy(line, &items[i]);
		(void)pthread_mutex_lock(&line->lock);
		line->taken = false;
		line->next = to;
	}
}

bool zones_line_enter(struct zones_line *line, const struct zones_item *item)
{
	size_t index = (size_t)(item - line->task->items);
	bool turn = false;

	(void)pthread_mutex_lock(&line->lock);
	if (!line->taken) {
		advance(line, index);
		turn = line->next == index;
		line->taken = turn;
	}
	(void)pthread_mutex_unlock(&line->lock);
	return turn;
}

void zones_line_leave(struct zones_line *line, struct zones_item *item)
{
	(void)pthread_mutex_lock(&line->lock);
	item->is_done = true;
	line->next++;
	line->taken = false;
	(void)pthread_mutex_unlock(&line->lock);
}

void zones_line_put(struct zones_line *line, struct zones_item *item)
{
	(void)pthread_mutex_lock(&line->lock);
	item->is_done = true;
	if (!line->taken)
		advance(line, line->task->count);
	(void)pthread_mutex_unlock(&line->lock);
}

void zones_line_close(struct zones_line *line)
{
	(void)pthread_mutex_lock(&line->lock);
	advance(line, line->task->count);
	assert(line->next == line->task->count);
	(void)pthread_mutex_unlock(&line->lock);
	(void)pthread_mutex_destroy(&line->lock);
}

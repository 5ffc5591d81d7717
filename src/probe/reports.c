#include "probe/reports.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct report_of {
	char *key; /* "pool/node" */
	struct report last;
	LIST_HEAD(, report_reader) readers;
};

struct reports {
	void *tree;
};

static int compare(const void *a, const void *b)
{
	const struct report_of *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void free_of(void *node)
{
	struct report_of *of = node;

	free(of->key);
	free(of);
}

struct reports *reports_new(void)
{
	return mem_alloc(sizeof(struct reports));
}

void reports_free(struct reports *reports)
{
	if (reports == NULL)
		return;
	tdestroy(reports->tree, free_of);
	free(reports);
}

struct report_of *reports_of(struct reports *reports, const char *pool, const char *node)
{
	struct report_of *of = mem_alloc(sizeof(*of));
	struct report_of **found;

	of->key = mem_format("%s/%s", pool, node);
	LIST_INIT(&of->readers);
	found = tsearch(of, &reports->tree, compare);
	if (found == NULL)
		abort(); /* out of memory, as in base/mem.h */
	if (*found != of)
		free_of(of);
	return *found;
}

const struct report *report_last(const struct report_of *of)
{
	return &of->last;
}

unsigned report_take(struct report_of *of, const struct report *report)
{
	struct report_reader *reader;
	unsigned count = 0;

	of->last = *report;
	LIST_FOREACH(reader, &of->readers, link)
	{
		kind_hasten(reader->probe);
		count++;
	}
	return count;
}

void report_join(struct report_of *of, struct report_reader *reader)
{
	LIST_INSERT_HEAD(&of->readers, reader, link);
}

void report_leave(struct report_reader *reader)
{
	LIST_REMOVE(reader, link);
}

#include "tests/unit/probe/sketch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Not ck_assert: the bench uses this file, too. */
static void must(bool true_here)
{
	if (!true_here)
		abort();
}

struct draft {
	struct image_writer writer;
	struct plan_pool *pools;
	struct plan_node *nodes;
	struct plan_check *checks;
	struct plan_probe *probes;
	uint32_t pool_count, node_count, check_count;
};

static uint32_t put_text(struct draft *draft, const char *text)
{
	return (uint32_t)image_writer_append(&draft->writer, text, strlen(text) + 1, 1);
}

/* What sketch_with was given; the number is in plan_probe.settings until there is a plan. */
static const void *given[64];
static uint32_t given_count;

struct plan_probe sketch_with(struct plan_probe probe, const void *settings, uint32_t len)
{
	must(given_count < sizeof(given) / sizeof(given[0]));
	given[given_count] = settings;
	probe.settings = given_count++;
	probe.settings_len = len;
	return probe;
}

static void put_check(struct draft *draft, const struct sketch_check *from)
{
	struct plan_check *check = &draft->checks[draft->check_count];
	struct plan_probe *probe = &draft->probes[draft->check_count];
	char mark = from->address[0];

	must(ip_parse(from->address + (mark == '=' || mark == '*'), &check->address));
	check->node = draft->node_count;
	check->judges = mark == '*' ? 0 : check->address.family;
	check->port = from->port;
	check->probe = mark == '=' ? check[-1].probe : draft->check_count;
	*probe = from->probe;
	if (probe->roles == 0)
		probe->roles = PROBE_HEALTH;
	if (probe->settings_len > 0)
		probe->settings = (uint32_t)image_writer_append(
			&draft->writer, given[probe->settings], probe->settings_len, 8);
	draft->check_count++;
}

static void put_node(struct draft *draft, const struct sketch_node *from, bool new_pool)
{
	struct plan_node *node = &draft->nodes[draft->node_count];

	if (new_pool) {
		struct plan_pool *pool = &draft->pools[draft->pool_count++];

		pool->name = put_text(draft, from->pool);
		pool->nodes.first = draft->node_count;
		if (strchr(from->pool, ':') != NULL)
			pool->require = (uint8_t)(strchr(from->pool, ':')[1] - '0');
	}
	draft->pools[draft->pool_count - 1].nodes.count++;
	node->name = put_text(draft, from->name);
	node->pool = draft->pool_count - 1;
	node->checks.first = draft->check_count;
	for (int i = 0; i < 3 && from->checks[i].address != NULL; i++) {
		put_check(draft, &from->checks[i]);
		node->checks.count++;
	}
	draft->node_count++;
}

static struct plan_array put_array(struct draft *draft, const void *items, uint32_t count,
				   size_t size)
{
	uint64_t at = image_writer_append(&draft->writer, items, count * size, 64);

	return (struct plan_array){ .offset = at, .count = count };
}

struct image sketch_plan(const struct sketch_node *nodes, size_t count)
{
	return sketch_plan_beside(nodes, count, NULL, 0);
}

struct image sketch_plan_beside(const struct sketch_node *nodes, size_t count,
				const struct plan_reference *references, size_t reference_count)
{
	struct draft draft = { 0 };
	struct plan_root root = { 0 };
	struct image image;
	struct err err;
	int fd;

	must(0 == image_writer_open(&draft.writer, IMAGE_PLAN, sizeof(root), &err));
	draft.pools = mem_array(count, sizeof(*draft.pools));
	draft.nodes = mem_array(count, sizeof(*draft.nodes));
	draft.checks = mem_array(count * 3, sizeof(*draft.checks));
	draft.probes = mem_array(count * 3, sizeof(*draft.probes));
	for (size_t i = 0; i < count; i++)
		put_node(&draft, &nodes[i],
			 i == 0 || strcmp(nodes[i].pool, nodes[i - 1].pool) != 0);
	root.pools = put_array(&draft, draft.pools, draft.pool_count, sizeof(*draft.pools));
	root.nodes = put_array(&draft, draft.nodes, draft.node_count, sizeof(*draft.nodes));
	root.checks = put_array(&draft, draft.checks, draft.check_count, sizeof(*draft.checks));
	root.probes = put_array(&draft, draft.probes, draft.check_count, sizeof(*draft.probes));
	root.references = put_array(&draft, references, (uint32_t)reference_count,
				    sizeof(*references));
	root.settings.doubt_percent = 50;
	*image_writer_root(&draft.writer, struct plan_root) = root;
	must(0 == image_writer_finish(&draft.writer, NULL, &fd, &err));
	must(0 == image_open(&image, fd, IMAGE_PLAN, &err));
	(void)close(fd);
	free(draft.pools);
	free(draft.nodes);
	free(draft.checks);
	free(draft.probes);
	return image;
}

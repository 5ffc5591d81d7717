#include "compiled.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"

static char text[65536];

static void set_all_up(struct compiled *c)
{
	const struct plan_node *nodes = plan_items(&c->made.plan, nodes, struct plan_node);
	uint32_t sites = plan_count(&c->made.plan, pool_sites);

	c->nodes = mem_array(plan_count(&c->made.plan, nodes), sizeof(*c->nodes));
	c->last_good = mem_array(plan_count(&c->made.plan, nodes), sizeof(*c->last_good));
	c->keep = mem_array(sites, sizeof(*c->keep));
	memset(c->keep, 0xff, sites * sizeof(*c->keep)); /* STEER_ALL */
	for (uint32_t i = 0; i < plan_count(&c->made.plan, nodes); i++)
		c->nodes[i] = (struct steer_node){ .state = STEER_UP,
						   .level = STEER_ALL,
						   .weight = nodes[i].weight };
}

void compiled_open(struct compiled *out, const struct make_plan *make)
{
	struct err err = { "" };
	int rc;

	*out = (struct compiled){ .made = make_images(make) };
	rc = steer_open(&out->steer, &out->made.zones, &out->made.geo, &out->made.plan, &err);
	ck_assert_msg(rc == 0, "%s", err.text);
	set_all_up(out);
	compiled_update(out);
}

void compiled_close(struct compiled *compiled)
{
	steer_close(compiled->steer);
	image_close(&compiled->image);
	made_close(&compiled->made);
	free(compiled->nodes);
	free(compiled->keep);
	free(compiled->last_good);
}

void compiled_update(struct compiled *compiled)
{
	const struct steer_input input = { compiled->nodes, compiled->keep, compiled->last_good,
					   compiled->now_unix_s };
	struct err err = { "" };
	int fd = -1;

	ck_assert_msg(steer_compile(compiled->steer, &input, &fd, &err) == 0, "%s", err.text);
	image_close(&compiled->image);
	ck_assert_msg(image_open(&compiled->image, fd, IMAGE_STEERING, &err) == 0, "%s", err.text);
	ck_assert_msg(steering_verify(&compiled->image, &err) == 0, "%s", err.text);
	close(fd);
}

uint32_t compiled_node(const struct compiled *compiled, const char *name)
{
	const struct image *plan = &compiled->made.plan;
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);

	for (uint32_t i = 0; i < plan_count(plan, nodes); i++)
		if (strcmp(plan_text(plan, nodes[i].name), name) == 0)
			return i;
	ck_abort_msg("no node '%s'", name);
}

void compiled_set(struct compiled *compiled, const char *node, bool up)
{
	compiled->nodes[compiled_node(compiled, node)].state = up ? STEER_UP : STEER_DOWN;
	compiled_update(compiled);
}

const struct steering_table *compiled_table(const struct compiled *compiled, uint32_t record,
					    uint32_t pref)
{
	const struct image *image = &compiled->image;
	const struct steering_record *r = steering_record(image, record);
	const struct steering_pool *pool = steering_pool(image, r->pool);
	uint32_t branch = r->branch;

	if (branch == STEERING_NONE)
		branch = steering_pref(image, pool, pref)->branch;
	ck_assert_uint_eq(branch_kind(branch), BRANCH_TABLE);
	return steering_table(image, branch_number(branch));
}

static const struct steering_slot *slots(const struct compiled *compiled,
					 const struct steering_table *table)
{
	return image_at(&compiled->image, struct steering_slot, table->slots_off);
}

/* The addresses of a block, read from its wire bytes. */
static void add_block(const struct rrset_block *block)
{
	struct reader in = { .data = block->wire, .size = block->wire_len };

	for (unsigned i = 0; i < block->rr_count; i++) {
		struct ip_address address = { .family = block->type == TYPE_A ? IP_V4 : IP_V6 };
		char buffer[IP_TEXT_SIZE];

		ck_assert_uint_eq(get_u16(&in), 0xc00c);
		ck_assert_uint_eq(get_u16(&in), block->type);
		ck_assert_uint_eq(get_u16(&in), CLASS_IN);
		ck_assert_uint_eq(get_u32(&in), block->ttl_s);
		ck_assert_uint_eq(get_u16(&in), ip_bits(address.family) / 8);
		memcpy(address.bytes, get_bytes(&in, ip_bits(address.family) / 8),
		       ip_bits(address.family) / 8);
		if (i > 0)
			strcat(text, " ");
		strcat(text, ip_format(&address, buffer));
	}
	ck_assert(!in.bad && in.pos == in.size);
}

/* What a table's node stands for. */
static uint16_t choice_of(const struct compiled *compiled, uint32_t record, uint32_t pref,
			  uint16_t node)
{
	const struct image *image = &compiled->image;
	const struct steering_record *r = steering_record(image, record);
	const struct steering_pool *pool = steering_pool(image, r->pool);
	uint64_t choices_off = r->choices_off;

	if (r->branch == STEERING_NONE)
		choices_off = steering_pref(image, pool, pref)->choices_off;
	return steering_choice(image, choices_off, node);
}

static void add_node(const struct compiled *compiled, uint32_t record, uint32_t pref, uint16_t node,
		     enum steering_column family)
{
	const struct steering_record *r = steering_record(&compiled->image, record);
	uint16_t choice = choice_of(compiled, record, pref, node);
	const struct rrset_block *block = steering_answer(&compiled->image, r, r->answers_off,
							  choice, family);

	if (block == NULL)
		strcat(text, "-");
	else
		add_block(block);
}

const char *compiled_answers(const struct compiled *compiled, uint32_t record, uint32_t pref,
			     enum steering_column family)
{
	const struct steering_table *table = compiled_table(compiled, record, pref);
	uint32_t pool = steering_record(&compiled->image, record)->pool;
	uint32_t nodes = steering_pool(&compiled->image, pool)->node_count;
	uint32_t found = 0;

	text[0] = '\0';
	for (uint32_t node = 0; node <= nodes; node++) {
		uint32_t slot = 0;

		while (slot < table->slot_count && slots(compiled, table)[slot].node != node)
			slot++;
		if (slot == table->slot_count)
			continue;
		if (found++ > 0)
			strcat(text, " | ");
		add_node(compiled, record, pref, (uint16_t)node, family);
	}
	ck_assert_uint_eq(table->hashed, found > 1);
	return text;
}

const char *compiled_answer(const struct compiled *compiled, uint32_t record, uint32_t pref,
			    uint64_t hash, enum steering_column family)
{
	const struct steering_table *table = compiled_table(compiled, record, pref);
	uint32_t slot = hash_below(hash, table->slot_count);

	text[0] = '\0';
	add_node(compiled, record, pref, slots(compiled, table)[slot].node, family);
	return text;
}

uint16_t compiled_first(const struct compiled *compiled, uint32_t record, uint32_t pref)
{
	return slots(compiled, compiled_table(compiled, record, pref))->node;
}

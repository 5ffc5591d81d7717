#include "compiled.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"
#include "image/backup.h"

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
						   .families = STEER_FAMILIES,
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

uint64_t compiled_anew(const struct compiled *compiled, bool inherits)
{
	const struct made *made = &compiled->made;
	struct compiled anew = *compiled;
	struct err err = { "" };
	uint64_t id;

	anew.image = (struct image){ 0 };
	ck_assert_int_eq(steer_open(&anew.steer, &made->zones, &made->geo, &made->plan, &err), 0);
	if (inherits)
		steer_inherit(anew.steer, compiled->steer);
	compiled_update(&anew);
	id = image_header(&anew.image)->id;
	image_close(&anew.image);
	steer_close(anew.steer);
	return id;
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

/* What holds for a class in the pool of a record. */
static const struct steering_pref *pref_of(const struct compiled *compiled, uint32_t record,
					   uint32_t class_id)
{
	const struct steering_record *r = steering_record(&compiled->image, record);
	uint32_t pref = 0;

	if (!r->for_all)
		pref = geo_class_pref(&compiled->made.geo, class_id, r->pool);
	return steering_pref_at(&compiled->image, r->prefs_off, pref);
}

/* What there is instead of a backup that has nobody for a class; NULL: it has somebody. */
static const struct steering_pref *instead_of(const struct compiled *compiled, uint32_t number,
					      uint32_t class_id)
{
	const struct steering_backup *backup = steering_backup(&compiled->image, number);
	bool by_class = false;

	return backup_serves(&compiled->image, &compiled->made.geo, backup->pool, class_id,
			     &by_class)
		       ? NULL
		       : &backup->instead;
}

uint8_t compiled_applied(const struct compiled *compiled, uint32_t record, uint32_t class_id)
{
	const struct steering_pref *pref = pref_of(compiled, record, class_id), *instead = NULL;

	if (branch_kind(pref->branch) == BRANCH_BACKUP)
		instead = instead_of(compiled, branch_number(pref->branch), class_id);
	return instead != NULL ? instead->applied : pref->applied;
}

const struct steering_table *compiled_table(const struct compiled *compiled, uint32_t record,
					    uint32_t class_id)
{
	uint32_t branch = pref_of(compiled, record, class_id)->branch;

	ck_assert_uint_eq(branch_kind(branch), BRANCH_TABLE);
	return steering_table(&compiled->image, branch_number(branch));
}

static const struct steering_slot *slot_of(const struct compiled *compiled,
					   const struct steering_table *table, uint32_t slot)
{
	return steering_slot(&compiled->image, &table->slots, slot);
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

/* Where answers come from. */
struct source {
	const struct compiled *compiled;
	const struct steering_record *record;
	uint32_t class_id, pool;
	uint64_t choices_off;
	enum steering_column family;
	uint32_t found;
};

static void add_node(struct source *source, uint16_t node)
{
	const struct image *image = &source->compiled->image;
	const struct rrset_block *block = steering_answer(
		image, source->record, steering_answers_of(image, source->record, source->pool),
		steering_choice(image, source->choices_off, node), source->family);

	if (source->found++ > 0)
		strcat(text, " | ");
	if (block == NULL)
		strcat(text, "-");
	else
		add_block(block);
}

static bool names(const struct steering_slot *slot, uint32_t node)
{
	return (slot->node == node && slot->cut > 0) || slot->other == node;
}

static void add_table(struct source *source, uint32_t number)
{
	const struct image *image = &source->compiled->image;
	const struct steering_table *table = steering_table(image, number);
	uint32_t nodes = steering_pool(image, source->pool)->node_count, found = 0;

	for (uint32_t node = 0; node <= nodes; node++) {
		uint32_t slot = 0;

		while (slot < table->slots.count &&
		       !names(slot_of(source->compiled, table, slot), node))
			slot++;
		if (slot == table->slots.count)
			continue;
		found++;
		add_node(source, (uint16_t)node);
	}
	ck_assert_uint_eq(table->hashed, found > 1);
}

static void add_branch(struct source *source, uint32_t branch)
{
	const struct image *image = &source->compiled->image;
	uint32_t number = branch_number(branch);
	struct source next = *source;

	if (branch_kind(branch) == BRANCH_BACKUP) {
		const struct steering_pref *instead = instead_of(source->compiled, number,
								 source->class_id);

		if (instead != NULL)
			next.choices_off = instead->choices_off;
		add_branch(&next, instead != NULL
					  ? instead->branch
					  : branch_make(BRANCH_POOL,
							steering_backup(image, number)->pool));
		source->found = next.found;
	} else if (branch_kind(branch) == BRANCH_POOL) {
		const struct steering_pref *pref = steering_pref_at(
			image, steering_pool(image, number)->prefs_off,
			geo_class_pref(&source->compiled->made.geo, source->class_id, number));

		next.pool = number;
		next.choices_off = pref->choices_off;
		add_branch(&next, pref->branch);
		source->found = next.found;
	} else if (branch_kind(branch) == BRANCH_SPLIT) {
		const struct steering_split *split = steering_split(image, number);

		for (uint32_t i = 0; i < split->branch_count; i++)
			add_branch(source, image_at(image, uint32_t, split->branches_off)[i]);
	} else {
		add_table(source, number);
	}
}

static struct source source_of(const struct compiled *compiled, uint32_t record, uint32_t class_id,
			       enum steering_column family)
{
	const struct steering_record *r = steering_record(&compiled->image, record);

	return (struct source){ .compiled = compiled,
				.record = r,
				.class_id = class_id,
				.pool = r->pool,
				.choices_off = pref_of(compiled, record, class_id)->choices_off,
				.family = family };
}

const char *compiled_answers(const struct compiled *compiled, uint32_t record, uint32_t class_id,
			     enum steering_column family)
{
	struct source source = source_of(compiled, record, class_id, family);

	text[0] = '\0';
	add_branch(&source, pref_of(compiled, record, class_id)->branch);
	return text;
}

const char *compiled_answer(const struct compiled *compiled, uint32_t record, uint32_t class_id,
			    uint64_t hash, enum steering_column family)
{
	const struct steering_table *table = compiled_table(compiled, record, class_id);
	struct source source = source_of(compiled, record, class_id, family);
	uint32_t slot = hash_below(hash, table->slots.count);

	text[0] = '\0';
	add_node(&source, steering_slot_node(slot_of(compiled, table, slot), (uint16_t)hash));
	return text;
}

uint16_t compiled_first(const struct compiled *compiled, uint32_t record, uint32_t class_id)
{
	return slot_of(compiled, compiled_table(compiled, record, class_id), 0)->node;
}

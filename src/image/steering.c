#include "image/steering.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/mem.h"

#define RR_FIXED 12 /* octets of an RR in a block before its RDATA */

struct check {
	const struct image *image;
	const struct steering_root *root;
	uint32_t *choices; /* of each table: the highest choice in its slots, plus one */
	uint8_t *blocks;   /* a bit for each multiple of 8 at which a verified block starts */
	struct err *err;
};

static const uint16_t column_type[STEERING_COLUMNS] = {
	[STEERING_A] = TYPE_A,
	[STEERING_AAAA] = TYPE_AAAA,
	[STEERING_SRV] = TYPE_SRV,
	[STEERING_HTTPS] = TYPE_HTTPS,
	[STEERING_SVCB] = TYPE_SVCB,
	[STEERING_TARGET_A] = TYPE_A,
	[STEERING_TARGET_AAAA] = TYPE_AAAA,
};

static int check_root(const struct check *check)
{
	const struct image *image = check->image;
	const struct steering_root *root = check->root;

	if (!image_holds(image, IMAGE_ROOT, 1, sizeof(*root), 8))
		return err_set(check->err, "steering image: too short");
	if (!image_holds(image, root->pools_off, root->pool_count, sizeof(struct steering_pool),
			 8) ||
	    !image_holds(image, root->records_off, root->record_count,
			 sizeof(struct steering_record), 8) ||
	    !image_holds(image, root->tables_off, root->table_count, sizeof(struct steering_table),
			 8))
		return err_set(check->err, "steering image: its lists do not lie inside");
	if (!dns_settings_valid(&root->dns))
		return err_set(check->err, "steering image: the settings are damaged");
	return 0;
}

static int check_table(const struct check *check, uint32_t number)
{
	const struct steering_table *table = steering_table(check->image, number);
	uint16_t highest = 0;

	if (table->slot_count == 0 ||
	    !image_holds(check->image, table->slots_off, table->slot_count, sizeof(uint16_t), 2))
		return err_set(check->err,
			       "steering image: the slots of table %u do not lie inside", number);
	if (table->hashed > 1)
		return err_set(check->err, "steering image: table %u is hashed %u times", number,
			       table->hashed);
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		uint16_t choice = steering_slot(check->image, table, slot);

		highest = choice > highest ? choice : highest;
	}
	check->choices[number] = highest + 1U;
	return 0;
}

/* Does a pool have all the choices of a table? */
static bool table_fits(const struct check *check, const struct steering_pool *pool, uint32_t table)
{
	return table < check->root->table_count && check->choices[table] <= pool->choice_count;
}

static int check_pool(const struct check *check, uint32_t number)
{
	const struct steering_pool *pool = steering_pool(check->image, number);
	const uint32_t *tables;

	if (!image_holds(check->image, pool->pref_tables_off, pool->pref_count, sizeof(uint32_t),
			 4))
		return err_set(check->err,
			       "steering image: the preferences of pool %u do not lie inside",
			       number);
	if (pool->choice_count == 0 || pool->choice_count > UINT16_MAX + 1U)
		return err_set(check->err, "steering image: pool %u has %u choices", number,
			       pool->choice_count);
	if (pool->persistence > 1 || pool->persistence_without_ecs > 1 ||
	    pool->persistence_v4 > 32 || pool->persistence_v6 > 128 || pool->fallen_back > 1)
		return err_set(check->err, "steering image: pool %u has settings out of range",
			       number);
	tables = image_at(check->image, uint32_t, pool->pref_tables_off);
	for (uint32_t i = 0; i < pool->pref_count; i++)
		if (!table_fits(check, pool, tables[i]))
			return err_set(check->err,
				       "steering image: preference %u of pool %u has table %u, "
				       "which does not fit",
				       i, number, tables[i]);
	return 0;
}

/* Blocks are shared by many choices and records: each is looked at once. */
static bool seen_block(const struct check *check, uint64_t offset)
{
	uint8_t *byte = &check->blocks[offset / 64];
	uint8_t bit = (uint8_t)(1U << (offset / 8 % 8));
	bool seen = (*byte & bit) != 0;

	*byte |= bit;
	return seen;
}

static int check_block(const struct check *check, uint64_t offset, uint32_t record)
{
	const struct rrset_block *block;
	const char *reason;

	if (offset < IMAGE_ROOT || offset % 8 != 0 || offset >= check->image->size)
		return err_set(check->err, "steering image: an answer of record %u lies outside",
			       record);
	if (seen_block(check, offset))
		return 0;
	block = image_at(check->image, struct rrset_block, offset);
	if (!rrset_verify(block, check->image->size - offset, NULL, &reason))
		return err_set(check->err, "steering image: an answer of record %u: %s", record,
			       reason);
	return 0;
}

/* Nothing but addresses of the family: all RRs have the same size. */
static bool is_addresses(const struct rrset_block *block)
{
	uint16_t octets = block->type == TYPE_A ? 4 : 16;
	size_t rr_size = RR_FIXED + (size_t)octets;

	if (block->extra_count != 0 || block->wire_len != block->rr_count * rr_size)
		return false;
	for (size_t rr = 0; rr < block->wire_len; rr += rr_size)
		if (load_u16(block->wire + rr + RR_FIXED - 2) != octets)
			return false;
	return true;
}

/* One record, whose target name is marked. */
static bool is_service(const struct rrset_block *block)
{
	uint32_t whose;

	if (block->rr_count != 1 || block->extra_count != 1)
		return false;
	whose = rrset_extras(block)->node;
	return whose == STEERING_TARGET_SHARED || whose == STEERING_TARGET_NODE;
}

static bool fits_column(const struct check *check, uint64_t offset, unsigned column)
{
	const struct rrset_block *block = image_at(check->image, struct rrset_block, offset);

	if (block->type != column_type[column])
		return false;
	return block->type == TYPE_A || block->type == TYPE_AAAA ? is_addresses(block)
								 : is_service(block);
}

static int check_answers(const struct check *check, uint32_t number)
{
	const struct steering_record *record = steering_record(check->image, number);
	uint32_t choices = steering_pool(check->image, record->pool)->choice_count;
	const uint64_t *offsets = image_at(check->image, uint64_t, record->answers_off);

	for (uint32_t i = 0; i < choices * record->width; i++) {
		if (offsets[i] == 0)
			continue;
		if (check_block(check, offsets[i], number) != 0)
			return -1;
		if (!fits_column(check, offsets[i], i % record->width))
			return err_set(check->err,
				       "steering image: an answer of record %u is not of its type",
				       number);
	}
	return 0;
}

static int check_record(const struct check *check, uint32_t number)
{
	const struct steering_record *record = steering_record(check->image, number);
	const struct steering_pool *pool;

	if (record->pool >= check->root->pool_count)
		return err_set(check->err, "steering image: record %u names pool %u of %u", number,
			       record->pool, check->root->pool_count);
	pool = steering_pool(check->image, record->pool);
	if (record->table != STEERING_NONE && !table_fits(check, pool, record->table))
		return err_set(check->err,
			       "steering image: record %u has table %u, which does not fit", number,
			       record->table);
	if (record->types == 0 || (record->types & ~POOL_TYPES_ALL) != 0 ||
	    record->width != steering_width(record->types))
		return err_set(check->err, "steering image: record %u has types that do not fit",
			       number);
	if (!image_holds(check->image, record->answers_off, pool->choice_count,
			 sizeof(uint64_t) * record->width, 8))
		return err_set(check->err,
			       "steering image: the answers of record %u do not lie inside",
			       number);
	/* Records share lists of answers, and neighbours do so most. */
	if (number > 0 && record->pool == (record - 1)->pool &&
	    record->answers_off == (record - 1)->answers_off &&
	    record->width == (record - 1)->width)
		return 0;
	return check_answers(check, number);
}

static int check_all(const struct check *check)
{
	for (uint32_t i = 0; i < check->root->table_count; i++)
		if (check_table(check, i) != 0)
			return -1;
	for (uint32_t i = 0; i < check->root->pool_count; i++)
		if (check_pool(check, i) != 0)
			return -1;
	for (uint32_t i = 0; i < check->root->record_count; i++)
		if (check_record(check, i) != 0)
			return -1;
	return 0;
}

int steering_verify(const struct image *steering, struct err *err)
{
	struct check check = { .image = steering,
			       .root = image_root(steering, struct steering_root),
			       .err = err };
	int rc;

	if (check_root(&check) != 0)
		return -1;
	check.choices = mem_array(check.root->table_count, sizeof(*check.choices));
	check.blocks = mem_array(steering->size / 64 + 1, 1);
	rc = check_all(&check);
	free(check.blocks);
	free(check.choices);
	return rc;
}

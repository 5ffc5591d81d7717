/* Verifying the steering image: its answers. */
#include "base/cursor.h"
#include "image/steering_check.h"

#define RR_FIXED 12 /* octets of an RR in a block before its RDATA */

static const uint16_t column_type[STEERING_COLUMNS] = {
	[STEERING_A] = TYPE_A,
	[STEERING_AAAA] = TYPE_AAAA,
	[STEERING_SRV] = TYPE_SRV,
	[STEERING_HTTPS] = TYPE_HTTPS,
	[STEERING_SVCB] = TYPE_SVCB,
	[STEERING_TARGET_A] = TYPE_A,
	[STEERING_TARGET_AAAA] = TYPE_AAAA,
};

/* Blocks are shared by many choices and records: each is looked at once. */
static bool seen_block(const struct steering_check *check, uint64_t offset)
{
	uint8_t *byte = &check->blocks[offset / 64];
	uint8_t bit = (uint8_t)(1U << (offset / 8 % 8));
	bool seen = (*byte & bit) != 0;

	*byte |= bit;
	return seen;
}

static int check_block(const struct steering_check *check, uint64_t offset, uint32_t record)
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

/* Records whose target names are marked. */
static bool is_service(const struct rrset_block *block, uint32_t nodes)
{
	const struct rrset_extra *extras = rrset_extras(block);

	if (block->extra_count != block->rr_count)
		return false;
	for (unsigned i = 0; i < block->extra_count; i++)
		if (extras[i].node != STEERING_TARGET_SHARED &&
		    (extras[i].node < STEERING_TARGET_NODE ||
		     extras[i].node - STEERING_TARGET_NODE >= nodes))
			return false;
	return true;
}

static bool fits_column(const struct steering_check *check, uint64_t offset, unsigned column,
			uint32_t nodes)
{
	const struct rrset_block *block = image_at(check->image, struct rrset_block, offset);

	if (block->type != column_type[column])
		return false;
	return block->type == TYPE_A || block->type == TYPE_AAAA ? is_addresses(block)
								 : is_service(block, nodes);
}

int steering_check_answers(const struct steering_check *check, uint32_t number, uint32_t pool,
			   uint64_t answers_off)
{
	const struct steering_record *record = steering_record(check->image, number);
	uint32_t choices = steering_pool(check->image, pool)->choice_count;
	uint32_t nodes = steering_pool(check->image, pool)->node_count;
	const uint64_t *offsets;

	if (!image_holds(check->image, answers_off, choices, sizeof(uint64_t) * record->width, 8))
		return err_set(check->err,
			       "steering image: the answers of record %u do not lie inside",
			       number);
	offsets = image_at(check->image, uint64_t, answers_off);
	for (uint32_t i = 0; i < choices * record->width; i++) {
		if (offsets[i] == 0)
			continue;
		if (check_block(check, offsets[i], number) != 0)
			return -1;
		if (!fits_column(check, offsets[i], i % record->width, nodes))
			return err_set(check->err,
				       "steering image: an answer of record %u is not of its type",
				       number);
	}
	return 0;
}

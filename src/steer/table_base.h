/* table_base.h - what table.c and table_base.c share: how a table is filled from the
 * configuration alone. */
#ifndef STEER_TABLE_BASE_H
#define STEER_TABLE_BASE_H

#include "base/hash.h"
#include "steer/table.h"

/* Fills base and keep_from. */
void table_fill_base(struct table *table, uint64_t seed);

/* By which a cell is drawn lots for. cell 0: a slot's node, 1: its other. */
static inline uint64_t table_cell_key(uint32_t slot, unsigned cell)
{
	return hash_word(slot + ((uint64_t)(cell ^ 1) << 32));
}

#endif

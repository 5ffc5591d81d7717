/* backup.h - for whom a backup pool stands in: only for clients for whom it, or its own backup, and
 * so on, has a healthy node. */
#ifndef IMAGE_BACKUP_H
#define IMAGE_BACKUP_H

#include "image/geo.h"
#include "image/steering.h"

/* Has a pool, or a backup behind it, a healthy node for the clients of a class? *by_class becomes
 * true where their class had a say in that; it is not touched else. */
bool backup_serves(const struct image *steering, const struct image *geo, uint32_t pool,
		   uint32_t class_id, bool *by_class);

#endif

#include "image/backup.h"

bool backup_serves(const struct image *steering, const struct image *geo, uint32_t pool,
		   uint32_t class_id, bool *by_class)
{
	/* One backup after the other; steering_verify has seen that they are no circle. */
	for (;;) {
		const struct steering_pool *p = steering_pool(steering, pool);
		const struct steering_pref *pref = steering_pref(
			steering, p, geo_class_pref(geo, class_id, pool));
		const struct steering_backup *backup;

		*by_class |= p->pref_count > 1;
		if (branch_kind(pref->branch) != BRANCH_BACKUP)
			return pref->applied <= APPLIED_BACKUP;
		backup = steering_backup(steering, branch_number(pref->branch));
		if (backup->instead.applied <= APPLIED_DRAINING)
			return true; /* its own nodes are healthy, if overcrowded */
		pool = backup->pool;
	}
}

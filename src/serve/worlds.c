#include "serve/worlds.h"

#include <stdlib.h>

#include "base/mem.h"

struct world *worlds_published;

#ifdef __SANITIZE_THREAD__
char worlds_reads;
#endif

/* Returns what was published, which nobody reads any more: the caller's. */
static struct world *publish(const struct world *world, uint64_t *id)
{
	struct world *fresh = mem_alloc(sizeof(*fresh));
	struct world *old = worlds_published;

	*fresh = *world;
	__atomic_store_n(&worlds_published, fresh, __ATOMIC_RELEASE);
	urcu_qsbr_synchronize_rcu();
	WORLDS_GRACE_PERIOD();
	*id = image_header(&fresh->steering)->id;
	return old;
}

int worlds_take(int zones_fd, int geo_fd, int steering_fd, uint64_t *id, struct err *err)
{
	struct world world, *old;

	if (world_open(&world, zones_fd, geo_fd, steering_fd, err) != 0)
		return -1;
	old = publish(&world, id);
	if (old != NULL)
		world_close(old);
	free(old);
	return 0;
}

/* Zones and geo images go over to the new world as they are. */
int worlds_take_steering(int steering_fd, uint64_t *id, struct err *err)
{
	struct world world, *old;

	if (worlds_published == NULL)
		return err_set(err, "a steering image, and no world that it could be for");
	world = *worlds_published;
	if (image_open(&world.steering, steering_fd, IMAGE_STEERING, err) != 0)
		return -1;
	if (world_fits(&world, err) != 0) {
		image_close(&world.steering);
		return -1;
	}
	old = publish(&world, id);
	image_close(&old->steering);
	free(old);
	return 0;
}

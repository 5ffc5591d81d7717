#include "supervise/worlds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/channel.h"
#include "image/image.h"

static void set_close(struct world_set *set)
{
	channel_close_fds(set->fds, set->count);
	*set = (struct world_set){ 0 };
}

static int set_copy(struct world_set *out, const struct world_set *from, struct err *err)
{
	struct world_set copy = *from;

	copy.count = 0;
	for (size_t i = 0; i < from->count; i++) {
		copy.fds[i] = fcntl(from->fds[i], F_DUPFD_CLOEXEC, 0);
		if (copy.fds[i] < 0) {
			(void)err_set(err, "a world's descriptor: %s", strerror(errno));
			set_close(&copy);
			return -1;
		}
		copy.count++;
	}
	*out = copy;
	return 0;
}

static int read_header(int fd, enum image_kind kind, struct image_header *header, struct err *err)
{
	static const char *const names[IMAGE_KINDS] = { "zones", "geo", "plan", "steering",
							"locations" };

	if (pread(fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header) ||
	    header->magic != IMAGE_MAGIC || header->kind != (uint32_t)kind)
		return err_set(err, "control sent something that is not a %s image", names[kind]);
	return 0;
}

static int read_ids(struct world_set *set, struct err *err)
{
	struct image_header zones, geo, plan, steering;

	if (read_header(set->fds[WORLD_ZONES], IMAGE_ZONES, &zones, err) != 0 ||
	    read_header(set->fds[WORLD_GEO], IMAGE_GEO, &geo, err) != 0 ||
	    read_header(set->fds[WORLD_PLAN], IMAGE_PLAN, &plan, err) != 0 ||
	    read_header(set->fds[WORLD_STEERING], IMAGE_STEERING, &steering, err) != 0)
		return -1;
	set->zones_id = zones.id;
	set->geo_id = geo.id;
	set->plan_id = plan.id;
	set->steering_id = steering.id;
	return 0;
}

static bool is_made_for(const struct image_header *steering, const struct world_set *set)
{
	return set->count > 0 && steering->basis[IMAGE_ZONES] == set->zones_id &&
	       steering->basis[IMAGE_GEO] == set->geo_id &&
	       steering->basis[IMAGE_PLAN] == set->plan_id;
}

/* Files of the last run's, with which control has begun unread; it sends the same in memory soon. As
 * long as they are open, nobody else can write to them. */
static bool lies_on_disk(const struct world_set *set)
{
	struct stat st;

	return set->count > 0 && (fcntl(set->fds[WORLD_ZONES], F_GET_SEALS) < 0 ||
				  fstat(set->fds[WORLD_ZONES], &st) != 0 || st.st_nlink > 0);
}

/* Before newest is replaced: it becomes the proven one if it was served long enough, or if it was
 * served at all and there is none yet. */
static void keep_if_proven(struct worlds *worlds, uint64_t now_ms)
{
	struct world_set copy;
	struct err ignored;

	if (worlds->distrusted || worlds->steering_served_ms == 0 || lies_on_disk(&worlds->newest))
		return;
	if (worlds->proven.count > 0 && (now_ms - worlds->reload_served_ms < WORLD_PROVEN_MS ||
					 now_ms - worlds->steering_served_ms < STEERING_PROVEN_MS))
		return;
	if (set_copy(&copy, &worlds->newest, &ignored) != 0)
		return; /* out of descriptors: the older proven one stays, which is as good */
	set_close(&worlds->proven);
	worlds->proven = copy;
}

static void replace_newest(struct worlds *worlds, struct world_set *next)
{
	if (worlds->newest.reload != next->reload)
		worlds->reload_served_ms = 0;
	set_close(&worlds->newest);
	worlds->steering_served_ms = 0;
	worlds->newest = *next;
}

int worlds_take(struct worlds *worlds, const int *fds, size_t count, uint64_t now_ms,
		struct err *err)
{
	struct world_set next = { .reload = worlds->reloads + 1 };

	if (count < WORLD_PARTS_LEAST || count > WORLD_PARTS) {
		channel_close_fds(fds, count);
		return err_set(err, "control sent a world of %zu images", count);
	}
	memcpy(next.fds, fds, count * sizeof(fds[0]));
	next.count = count;
	if (read_ids(&next, err) != 0) {
		set_close(&next);
		return -1;
	}
	keep_if_proven(worlds, now_ms);
	replace_newest(worlds, &next);
	worlds->reloads++;
	worlds->distrusted = false;
	return 0;
}

static void replace_steering(struct world_set *set, int fd, uint64_t id)
{
	(void)close(set->fds[WORLD_STEERING]);
	set->fds[WORLD_STEERING] = fd;
	set->steering_id = id;
}

int worlds_take_steering(struct worlds *worlds, int fd, uint64_t now_ms, struct err *err)
{
	struct image_header header;
	struct world_set next;

	if (read_header(fd, IMAGE_STEERING, &header, err) != 0)
		goto fail;
	if (!is_made_for(&header, &worlds->newest)) {
		if (!worlds->distrusted || !is_made_for(&header, &worlds->proven)) {
			(void)err_set(err, "control sent a steering image for a world that is not "
					   "served");
			goto fail;
		}
		replace_steering(&worlds->proven, fd, header.id);
		return 0;
	}
	if (set_copy(&next, &worlds->newest, err) != 0)
		goto fail;
	replace_steering(&next, fd, header.id);
	keep_if_proven(worlds, now_ms);
	replace_newest(worlds, &next);
	/* With zones, geo and plan as in what is served, only the steering image was to blame. */
	if (worlds->distrusted && is_made_for(&header, &worlds->proven))
		worlds->distrusted = false;
	return 0;
fail:
	(void)close(fd);
	return -1;
}

const struct world_set *worlds_to_serve(const struct worlds *worlds)
{
	if (worlds->distrusted)
		return &worlds->proven;
	return worlds->newest.count > 0 ? &worlds->newest : NULL;
}

void worlds_served(struct worlds *worlds, uint64_t steering_id, uint64_t now_ms)
{
	if (worlds->distrusted || worlds->newest.count == 0 ||
	    worlds->newest.steering_id != steering_id)
		return;
	if (worlds->reload_served_ms == 0)
		worlds->reload_served_ms = now_ms;
	if (worlds->steering_served_ms == 0)
		worlds->steering_served_ms = now_ms;
}

void worlds_crashed(struct worlds *worlds)
{
	worlds->reload_served_ms = 0;
	worlds->steering_served_ms = 0;
}

bool worlds_swap(struct worlds *worlds)
{
	if (worlds->proven.count == 0)
		return false;
	worlds->distrusted = !worlds->distrusted;
	worlds_crashed(worlds);
	return true;
}

void worlds_close(struct worlds *worlds)
{
	set_close(&worlds->newest);
	set_close(&worlds->proven);
	*worlds = (struct worlds){ 0 };
}

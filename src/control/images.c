#include "control/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "image/locations.h"
#include "image/world.h"

typedef int verify_fn(const struct image *image, struct err *err);

static verify_fn *const verify[IMAGE_KINDS] = {
	[IMAGE_ZONES] = zones_verify,         [IMAGE_GEO] = geo_verify,
	[IMAGE_PLAN] = plan_verify,           [IMAGE_STEERING] = steering_verify,
	[IMAGE_LOCATIONS] = locations_verify,
};

struct images *images_new(void)
{
	struct images *images = mem_alloc(sizeof(*images));

	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		images->fd[kind] = -1;
	return images;
}

void images_drop(struct images *images, enum image_kind kind)
{
	image_close(&images->image[kind]);
	if (images->fd[kind] >= 0)
		(void)close(images->fd[kind]);
	images->fd[kind] = -1;
}

void images_free(struct images *images)
{
	if (images == NULL)
		return;
	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		images_drop(images, (enum image_kind)kind);
	free(images);
}

int images_set(struct images *images, enum image_kind kind, int fd, struct err *err)
{
	struct image image = { NULL, 0 };

	if (image_open(&image, fd, kind, err) != 0) {
		(void)close(fd);
		return -1;
	}
	images_drop(images, kind);
	images->fd[kind] = fd;
	images->image[kind] = image;
	return 0;
}

struct images *images_duplicate(const struct images *images, struct err *err)
{
	struct images *copy = images_new();

	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (images->fd[kind] < 0)
			continue;
		copy->fd[kind] = fcntl(images->fd[kind], F_DUPFD_CLOEXEC, 0);
		if (copy->fd[kind] < 0) {
			(void)err_set(err, "a descriptor for the %s image: %s", image_name[kind],
				      strerror(errno));
			images_free(copy);
			return NULL;
		}
	}
	return copy;
}

bool images_are_complete(const struct images *images)
{
	return images->fd[IMAGE_ZONES] >= 0 && images->fd[IMAGE_GEO] >= 0 &&
	       images->fd[IMAGE_PLAN] >= 0;
}

/* One memory under two descriptors: sealed, it is as it was. */
static bool is_same_memory(int a, int b)
{
	struct stat x, y;

	return a >= 0 && b >= 0 && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino && image_is_sealed(a);
}

/* Of zones that did not change, most of the new image is what the known one has; where that is sealed,
 * it is still what was verified. */
static int verify_zones(const struct image *zones, int known, struct err *err)
{
	struct image verified = { NULL, 0 };
	struct err ignored; /* without it, all is verified */
	int rc;

	if (known < 0 || !image_is_sealed(known) ||
	    image_open(&verified, known, IMAGE_ZONES, &ignored) != 0)
		return zones_verify(zones, err);
	rc = zones_verify_beside(zones, &verified, err);
	image_close(&verified);
	return rc;
}

static int verify_image(const struct images *images, const struct images *known,
			enum image_kind kind, struct err *err)
{
	if (kind == IMAGE_ZONES && known != NULL)
		return verify_zones(&images->image[kind], known->fd[kind], err);
	return verify[kind](&images->image[kind], err);
}

int images_verify(const struct images *images, const struct images *known, struct err *err)
{
	if (!images_are_complete(images))
		return err_set(err, "zones, geo or plan image is missing");
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (kind == IMAGE_STEERING || images->fd[kind] < 0 ||
		    (known != NULL && is_same_memory(images->fd[kind], known->fd[kind])))
			continue;
		if (verify_image(images, known, (enum image_kind)kind, err) != 0)
			return -1;
		image_drop(&images->image[kind]); /* little of it is read again here */
	}
	return 0;
}

int images_verify_steering(const struct images *images, struct err *err)
{
	const struct world world = { images->image[IMAGE_ZONES], images->image[IMAGE_GEO],
				     images->image[IMAGE_STEERING] };

	if (steering_verify(&world.steering, err) != 0)
		return -1;
	if (world_verify(&world, err) != 0)
		return -1;
	return world_verify_plan(&world.steering, &images->image[IMAGE_PLAN], err);
}

bool images_are_sealed(const struct images *images)
{
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (kind != IMAGE_STEERING && images->fd[kind] >= 0 &&
		    !image_is_sealed(images->fd[kind]))
			return false;
	}
	return true;
}

bool images_equal(const struct images *a, const struct images *b)
{
	for (int kind = 0; kind < IMAGE_KINDS; kind++) {
		if (kind != IMAGE_STEERING &&
		    images_id(a, (enum image_kind)kind) != images_id(b, (enum image_kind)kind))
			return false;
	}
	return images_are_sealed(a) == images_are_sealed(b);
}

uint64_t images_id(const struct images *images, enum image_kind kind)
{
	return images->fd[kind] < 0 ? 0 : image_header(&images->image[kind])->id;
}

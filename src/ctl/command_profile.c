#include "ctl/command_profile.h"

#include "ctl/borrow.h"
#include "ctl/profile.h"

/* Both answers are to be of one geo image: else a reload came in between. */
static bool is_of_world(const struct borrowed *borrowed, const struct reply *profile)
{
	struct image geo = { NULL, 0 };
	struct err err;
	bool same;

	if (profile->fd_count != 1 || image_open(&geo, profile->fds[0], IMAGE_GEO, &err) != 0)
		return false;
	same = image_header(&geo)->id == image_header(&borrowed->world.geo)->id;
	image_close(&geo);
	return same;
}

static int print(const struct borrowed *borrowed, const json_t *classes, struct err *err)
{
	struct space space;
	double queries;

	space_measure(&space, &borrowed->locations, &borrowed->world.geo, &borrowed->world.geo);
	queries = profile_write(&space, classes, stdout);
	space_free(&space);
	return queries > 0 ? 0
			   : err_set(err, "no query has been steered by where its client is since "
					  "the last reload that changed geography");
}

int profile_command(const struct reply *world, const struct reply *profile, struct err *err)
{
	struct borrowed borrowed;
	int rc = borrow(world, &borrowed, err);

	if (rc == 0 && !is_of_world(&borrowed, profile))
		rc = err_set(err, "there was a reload just now: try again");
	if (rc == 0)
		rc = print(&borrowed, json_object_get(profile->json, "classes"), err);
	give_back(&borrowed);
	return rc;
}

#include "ctl/borrow.h"

#include <stdlib.h>
#include <string.h>

#include "image/locations.h"

/* Opens one image of the answer by its name; an image that is not there stays empty. */
static int open_image(const struct reply *reply, enum image_kind kind, struct image *out,
		      struct err *err)
{
	const json_t *names = json_object_get(reply->json, "images"), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (strcmp(json_string_value(name), image_name[kind]) == 0 && i < reply->fd_count)
			return image_open(out, reply->fds[i], kind, err);
	}
	return kind == IMAGE_LOCATIONS
		       ? 0
		       : err_set(err, "control lends no %s image", image_name[kind]);
}

int borrow(const struct reply *reply, struct borrowed *out, struct err *err)
{
	*out = (struct borrowed){
		.nodes = json_object_get(reply->json, "nodes"),
		.pool_sites = json_object_get(reply->json, "sites"),
		.now_unix_s = (uint64_t)json_integer_value(json_object_get(reply->json, "now_ms")) /
			      1000,
	};
	if (open_image(reply, IMAGE_ZONES, &out->world.zones, err) != 0 ||
	    open_image(reply, IMAGE_GEO, &out->world.geo, err) != 0 ||
	    open_image(reply, IMAGE_STEERING, &out->world.steering, err) != 0 ||
	    open_image(reply, IMAGE_PLAN, &out->plan, err) != 0 ||
	    open_image(reply, IMAGE_LOCATIONS, &out->locations, err) != 0 ||
	    steer_open(&out->steer, &out->world.zones, &out->world.geo, &out->plan, err) != 0)
		return -1;
	return 0;
}

void give_back(struct borrowed *borrowed)
{
	steer_close(borrowed->steer);
	world_close(&borrowed->world);
	image_close(&borrowed->plan);
	image_close(&borrowed->locations);
}

bool question_network(const char *text, struct question *question)
{
	struct ip_prefix *out = &question->network;
	char address[IP_TEXT_SIZE];
	size_t len = strcspn(text, "/");
	char *end = NULL;
	unsigned long bits;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!ip_parse(address, &out->address))
		return false;
	bits = question->as_source            ? ip_bits(out->address.family)
	       : out->address.family == IP_V4 ? 24
					      : 56;
	if (text[len] == '/') {
		if (text[len + 1] < '0' || text[len + 1] > '9')
			return false;
		bits = strtoul(text + len + 1, &end, 10);
		if (*end != '\0' || bits > ip_bits(out->address.family))
			return false;
	}
	out->len = (uint8_t)bits;
	ip_mask(out->address.bytes, out->len);
	return true;
}

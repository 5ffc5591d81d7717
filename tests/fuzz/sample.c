#include "tests/fuzz/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "steer/steer.h"

static const struct sample_file {
	const char *file, *text;
} files[] = {
	{ SAMPLE_SERVER, "listen: [\"127.0.0.1:5300\", \"[::1]:5300\"]\n"
			 "zones: zones\n"
			 "nsid: sample\n"
			 "state: state\n"
			 "geoip:\n"
			 "  databases: [" FUZZ_DATA "/nested-city.mmdb, " FUZZ_DATA "/asn.mmdb]\n"
			 "  overrides: overrides\n"
			 "  resolvers: resolvers\n"
			 "doubt: { references: [192.0.2.1, \"[2001:db8::1]:53\"] }\n"
			 "hooks:\n"
			 "  - { on: [down, up], pools: [other], command: [/bin/true, a] }\n"
			 "  - { on: alarm, url: \"http://hook.test/\", address: 192.0.2.1 }\n"
			 "sites:\n"
			 "  tokyo: { location: [35.68, 139.69] }\n"
			 "  frankfurt: { location: [50.11, 8.68] }\n"
			 "  oslo: { location: [59.91, 10.75] }\n" },
	{ SAMPLE_POOL, "pool: edge\n"
		       "port: 443\n"
		       "alpn: [h2, h3]\n"
		       "persistence-without-ecs: subnet\n"
		       "backup: other\n"
		       "geofence:\n"
		       "  - { clients: [198.51.100.0/24, 2001:db8:8000::/33], never: [tokyo] }\n"
		       "  - { clients: 203.0.113.0/24, never: all, otherwise: \"pool:other\" }\n"
		       "avoid:\n"
		       "  - { node: tyo-1, clients: [DE] }\n"
		       "probes:\n"
		       "  - { kind: tcp, port: 5191 }\n"
		       "  - { kind: icmp, family: ipv4 }\n"
		       "  - { kind: http, path: /, headers: { A: b } }\n"
		       "  - { kind: dns, query: z, expect-address: [192.0.2.1] }\n"
		       "  - { kind: ikev2 }\n"
		       "maintenance:\n"
		       "  - { node: tyo-2, from: 2040-01-01T00:00:00Z, until: 2040-01-02T00:00:00Z, reason: work }\n"
		       "sites:\n"
		       "  tokyo:\n"
		       "    nodes:\n"
		       "      tyo-1: { address: [203.0.113.10, \"2001:db8::10\"], weight: 3 }\n"
		       "      tyo-2: { address: 203.0.113.11, host: tyo-2.test, port: 8443 }\n"
		       "  frankfurt:\n"
		       "    nodes:\n"
		       "      fra-1: { address: [203.0.113.20, \"2001:db8::20\"] }\n"
		       "rules:\n"
		       "  - { clients: [192.0.2.0/24, 2001:db8::/33], sites: [frankfurt] }\n"
		       "  - { clients: [JP, AS64500], sites: [tokyo] }\n" },
	{ "zones/other.pool.yaml", "pool: other\n"
				   "policy: failover\n"
				   "fallback: [192.0.2.99]\n"
				   "geofence: [{ clients: [198.51.100.0/25], never: all }]\n"
				   "sites:\n"
				   "  oslo: { nodes: { osl-1: { address: 203.0.113.30 } } }\n" },
	{ SAMPLE_ZONE, "$TTL 60\n"
		       "@ SOA n h 1 1 1 1 1\n"
		       "@ NS n\n"
		       "@ MX 1 n\n"
		       "n A 192.0.2.1\n"
		       "n AAAA 2001:db8::1\n"
		       "vpn POOL edge A AAAA HTTPS\n"
		       "_v._udp.vpn POOL edge SRV SVCB\n"
		       "*.vpn 30 POOL edge\n"
		       "tokyo.vpn POOL edge/tokyo\n"
		       "vpn TXT beside\n"
		       "o POOL other\n"
		       "*.w MX 5 n\n"
		       "c CNAME vpn\n"
		       "d DNAME w\n"
		       "a.b.c.e TXT deep\n"
		       "s SRV 1 2 3 n\n"
		       "s MX 1 vpn\n"
		       "h HTTPS 1 s\n"
		       "h SVCB 0 vpn\n"
		       "cut NS ns.cut\n"
		       "cut DS 1 8 2 "
		       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
		       "ns.cut A 192.0.2.2\n" },
	{ "overrides", "192.0.2.0/24 country=JP city=Tokyo\n"
		       "2001:db8:8000::/40 site=frankfurt\n"
		       "198.51.100.7 asn=64500\n" },
	{ "resolvers", "1.1.1.0/24 country=NO\n"
		       "203.0.113.64/26 latitude=35.68 longitude=139.69\n" },
	{ SAMPLE_SECRETS, "00112233445566778899aabbccddeeff # the first\n" },
	{ "zones/included", "i A 192.0.2.9\nj CNAME i\n" },
	{ "zones/sub.z.zone", "$TTL 60\n@ SOA n.z. h 1 1 1 1 1\n@ NS n.z.\nx CNAME vpn.z.\n" },
};
#define FILES (sizeof(files) / sizeof(files[0]))

static char folder[] = "/dev/shm/signpost-fuzz-XXXXXX"; /* the longer of two */

/* --- the folder ----------------------------------------------------------------------------- */

/* Those of which a path was asked for: all that may be there. */
static struct {
	const char *file, *path;
} known[32];

static void remove_folder(void)
{
	for (unsigned i = 0; known[i].file != NULL; i++)
		(void)unlink(known[i].path); /* fails for the folder of zones */
	(void)rmdir(sample_path("zones"));
	(void)rmdir(folder);
}

const char *sample_path(const char *file)
{
	static struct arena paths;
	unsigned i = 0;

	for (; known[i].file != NULL; i++) {
		if (strcmp(known[i].file, file) == 0)
			return known[i].path;
	}
	must(i + 1 < sizeof(known) / sizeof(known[0]));
	known[i].path = arena_alloc(&paths, sizeof(folder) + strlen(file) + 1);
	known[i].file = known[i].path + sizeof(folder);
	(void)sprintf((char *)(uintptr_t)known[i].path, "%s/%s", folder, file);
	return known[i].path;
}

void sample_write(const char *file, const void *data, size_t size)
{
	FILE *out = fopen(sample_path(file), "w");

	must(out != NULL);
	must(fwrite(data, 1, size, out) == size);
	must(fclose(out) == 0);
}

void sample_open(void)
{
	/* In memory where that is to be had: a target writes its input for each run. */
	if (mkdtemp(folder) == NULL) {
		(void)strcpy(folder, "/tmp/signpost-fuzz-XXXXXX");
		must(mkdtemp(folder) != NULL);
	}
	must(mkdir(sample_path("zones"), 0700) == 0);
	(void)atexit(remove_folder);
	for (size_t i = 0; i < FILES; i++)
		sample_write(files[i].file, files[i].text, strlen(files[i].text));
}

/* --- the world ------------------------------------------------------------------------------ */

typedef int verify_fn(const struct image *image, struct err *err);

static void open_image(struct image *out, int fd, enum image_kind kind, verify_fn *verify)
{
	struct err err;

	must_do(image_open(out, fd, kind, &err), &err);
	must_do(verify(out, &err), &err);
}

bool sample_steer(struct image *out, const struct image *zones, const struct image *geo,
		  const struct image *plan)
{
	const struct plan_node *plan_nodes = plan_items(plan, nodes, struct plan_node);
	uint32_t nodes = plan_count(plan, nodes);
	struct steer_node *states = mem_array(nodes, sizeof(*states));
	uint16_t *keep = mem_array(plan_count(plan, pool_sites), sizeof(*keep));
	const struct steer_input input = { .nodes = states, .keep = keep };
	struct steer *steer = NULL;
	struct err err;
	int fd = -1;
	bool ok;

	for (uint32_t i = 0; i < nodes; i++)
		states[i] = (struct steer_node){ .state = i == 1 ? STEER_DOWN : STEER_UP,
						 .families = i % 3 == 2 ? STEER_IPV4 : STEER_FAMILIES,
						 .level = STEER_ALL,
						 .weight = plan_nodes[i].weight };
	for (uint32_t i = 0; i < plan_count(plan, pool_sites); i++)
		keep[i] = i % 2 == 0 ? STEER_ALL / 2 : STEER_ALL;
	ok = steer_open(&steer, zones, geo, plan, &err) == 0 &&
	     steer_compile(steer, &input, &fd, &err) == 0;
	steer_close(steer);
	free(states);
	free(keep);
	if (!ok)
		return false;
	open_image(out, fd, IMAGE_STEERING, steering_verify);
	(void)close(fd);
	return true;
}

bool sample_compile(struct sample *out)
{
	struct diag *diag = diag_new();
	struct product product;
	struct err err;
	bool ok;

	*out = (struct sample){ 0 };
	must_do(produce(&product, sample_path(SAMPLE_SERVER), NULL, NULL,
			&(struct served){ -1, -1 }, diag, &err),
		&err);
	ok = diag_errors(diag) == 0;
	if (ok) {
		open_image(&out->world.zones, product.fds[COMPILED_ZONES], IMAGE_ZONES,
			   zones_verify);
		open_image(&out->world.geo, product.fds[COMPILED_GEO], IMAGE_GEO, geo_verify);
		open_image(&out->plan, product.fds[COMPILED_PLAN], IMAGE_PLAN, plan_verify);
		open_image(&out->locations, product.fds[COMPILED_LOCATIONS], IMAGE_LOCATIONS,
			   locations_verify);
		must(sample_steer(&out->world.steering, &out->world.zones, &out->world.geo,
				  &out->plan));
		must_do(world_fits(&out->world, &err), &err);
		must_do(world_verify(&out->world, &err), &err);
	}
	product_free(&product);
	diag_free(diag);
	return ok;
}

void sample_close(struct sample *sample)
{
	world_close(&sample->world);
	image_close(&sample->plan);
	image_close(&sample->locations);
}

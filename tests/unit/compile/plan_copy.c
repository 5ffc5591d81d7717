#include "plan_copy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POOL_A                                                                     \
	"pool: edge\n"                                                             \
	"policy: failover\n"                                                       \
	"fallback: [192.0.2.99]\n"                                                 \
	"persistence-without-ecs: subnet\n"                                        \
	"rules:\n"                                                                 \
	"  - { clients: [NO, AS4134], sites: [frankfurt] }\n"                      \
	"  - { clients: CN, sites: [tokyo, frankfurt] }\n"                         \
	"probes:\n"                                                                \
	"  - { kind: tcp, port: 443, family: ipv4 }\n"                             \
	"  - { kind: icmp, interval: 1s, fall: 5 }\n"                              \
	"sites:\n"                                                                 \
	"  frankfurt: { nodes: { f-1: { address: 198.51.100.1 }, f-2: { address: " \
	"[198.51.100.2, \"2001:db8::2\"], weight: 7 } } }\n"                       \
	"  tokyo: { nodes: { t-1: { address: [203.0.113.1, \"2001:db8::1\"] } } }\n"

static const uint8_t vpn[] = "\3vpn\7example\3net";
static const uint8_t tokyo_vpn[] = "\5tokyo\3vpn\7example\3net";

static const struct zones_binding bindings[] = {
	{ vpn, sizeof(vpn), 30, 0, PLAN_NONE, POOL_TYPES_ADDRESS, 0, 0, 0 },
	{ tokyo_vpn, sizeof(tokyo_vpn), 60, 0, 1, POOL_TYPES_ALL, 6, POOL_TYPE_A, 30 },
	{ vpn, sizeof(vpn), 5, 1, 0, POOL_TYPES_ADDRESS, 0, 0, 0 },
};

struct reading *sample_pools(void)
{
	struct reading *reading;

	fixture_write("zones/other.pool.yaml", POOL_B, strlen(POOL_B));
	reading = fixture_read(NULL, POOL_A);
	ck_assert_str_eq(reading->printed, "");
	return reading;
}

struct plan_copy plan_copy(const struct config *config, const struct zones_binding *records,
			   size_t count)
{
	struct plan_copy copy;
	struct image image;
	struct err err;
	int fd;

	ck_assert_int_eq(plan_build(config, records, count, &fd, &err), 0);
	ck_assert_int_eq(image_open(&image, fd, IMAGE_PLAN, &err), 0);
	copy.bytes = malloc(image.size);
	ck_assert_ptr_nonnull(copy.bytes);
	memcpy(copy.bytes, image.base, image.size);
	copy.image = (struct image){ copy.bytes, image.size };
	image_close(&image);
	(void)close(fd);
	return copy;
}

struct plan_copy sample_plan(void)
{
	struct reading *reading = sample_pools();
	struct plan_copy copy = plan_copy(&reading->config, bindings, 3);

	fixture_free(reading);
	return copy;
}

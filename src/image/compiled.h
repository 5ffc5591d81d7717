/* compiled.h - what signpost-compile hands to control when all was well: one channel message
 * (base/channel.h) of one struct compile_result with COMPILED_FDS descriptors, in the order of
 * enum compiled_fd. When there were mistakes nothing is sent: the channel just ends, the
 * mistakes are on stderr, and the exit status is 1 (2: signpost-compile itself failed). */
#ifndef IMAGE_COMPILED_H
#define IMAGE_COMPILED_H

#include <stdint.h>

#include "image/image.h"

#define COMPILED_MAGIC   UINT64_C(0x656c69706d6f4353)
#define COMPILED_VERSION 1

enum compiled_fd { COMPILED_ZONES, COMPILED_GEO, COMPILED_PLAN, COMPILED_LOCATIONS, COMPILED_FDS };

struct compile_counts {
	uint32_t zones, records, pool_records;
	uint32_t sites, pools, nodes, rules, checks;
	uint32_t classes, networks; /* client classes; networks with a location, both families */
	uint32_t warnings;
	uint32_t zones_reused; /* segments that were copied from the cached image */
};

struct compile_result {
	uint64_t magic;
	uint32_t version;
	uint32_t size; /* sizeof(struct compile_result) */
	uint64_t id[COMPILED_FDS];
	struct compile_counts counts;
	uint32_t config_ms, zones_ms, geo_ms, plan_ms; /* how long each step took */
};

#endif

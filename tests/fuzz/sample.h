/* sample.h - a small configuration without mistakes in a folder of its own, and the world that it
 * compiles to, by the code that compiles and steers for real. */
#ifndef TESTS_FUZZ_SAMPLE_H
#define TESTS_FUZZ_SAMPLE_H

#include "compile/produce.h"
#include "image/locations.h"
#include "image/plan.h"
#include "image/world.h"
#include "tests/fuzz/fuzz.h"

#define SAMPLE_SERVER  "signpost.yaml"
#define SAMPLE_POOL    "zones/edge.pool.yaml"
#define SAMPLE_ZONE    "zones/z.zone"
#define SAMPLE_SECRETS "secrets"

/* Makes the folder and the files; both end with the process. */
void sample_open(void);
/* The path of a file in the folder. Never freed. */
const char *sample_path(const char *file);
void sample_write(const char *file, const void *data, size_t size);

struct sample {
	struct world world;
	struct image plan, locations;
};

/* Compiles what is in the folder now, and ends the target where an image is not one that verifies
 * and fits the others. false: there are mistakes in the files; *out is then empty. */
bool sample_compile(struct sample *out);
void sample_close(struct sample *sample);

/* The steering image for these three, every other node of the plan down, verified. false: steering
 * refused them, with words. */
bool sample_steer(struct image *out, const struct image *zones, const struct image *geo,
		  const struct image *plan);

#endif

/* zones_test.h - compiles zone texts in a folder of their own and keeps all that came of it. */
#ifndef TESTS_ZONES_TEST_H
#define TESTS_ZONES_TEST_H

#include "compile/zones_build.h"
#include "image/zones.h"

#define ZONES_FILES_MAX 8

struct zones_file {
	const char *name; /* "example.net.zone"; another suffix: only there to be included */
	const char *text;
	size_t size; /* 0: strlen(text) */
};

/* Pools known to the config: edge with sites tokyo and frankfurt, and backup with tokyo, both
 * without nodes; ported at both sites, a node each, and both with port 443; hosts at tokyo, two nodes
 * with ports and hosts; mixed at tokyo with ports 443 and 444, at frankfurt without a port; named at tokyo,
 * whose node is n1.example.net. */
struct zones_try {
	char folder[64];
	char *paths[ZONES_FILES_MAX];
	size_t path_count;
	bool without_pools; /* then the config has none */
	struct diag *diag;
	char *report; /* what diag prints */
	struct zones_built built;
	struct image image; /* base NULL: there is none */
};

/* A new folder, without files. */
void zones_try_open(struct zones_try *try);
/* Writes the file; a *.zone becomes one of the zones. Called again, it writes it anew. */
void zones_try_write(struct zones_try *try, const struct zones_file *file);
/* Compiles; verifies the image if there is one. What came of the run before is closed. */
void zones_try_build(struct zones_try *try, const struct image *previous);
void zones_try_close(struct zones_try *try);

/* One zone, example.net, from one text. */
void zones_try_text(struct zones_try *try, const char *text);

/* The node of a name in the zone with index 0; NULL: it does not exist. */
const struct zone_node *zones_try_node(const struct zones_try *try, const char *name);

#endif

/* Server and pool files in a folder of their own, read as signpost-compile would. */
#ifndef TESTS_CONF_FIXTURE_H
#define TESTS_CONF_FIXTURE_H

#include "conf/config.h"

#define GOOD_SERVER                                  \
	"zones: zones\n"                             \
	"sites:\n"                                   \
	"  tokyo: { location: [35.68, 139.69] }\n"   \
	"  frankfurt: { location: [50.11, 8.68] }\n" \
	"  oslo: { location: [59.91, 10.75] }\n"

#define GOOD_POOL      \
	"pool: edge\n" \
	"sites:\n"     \
	"  tokyo:\n"   \
	"    nodes:\n" \
	"      tyo-1: { address: 203.0.113.10 }\n"

/* Of a health probe, as messages list them. */
#define PROBE_KIND_WORDS \
	"tcp, icmp, wireguard, openvpn, exec, agent, file, push, http, https, ikev2, tls, dns or udp"

struct reading {
	struct config config;
	struct arena arena;
	struct diag *diag;
	int rc;
	char *printed; /* what diag prints */
};

void fixture_setup(void); /* makes the folder, and it the working one */
void fixture_teardown(void);
void fixture_write(const char *file, const void *text, size_t size);

/* Reads signpost.yaml after writing the texts that are not NULL: "zones/edge.pool.yaml" is the
 * pool's. */
struct reading *fixture_read(const char *server, const char *pool);
void fixture_free(struct reading *reading);

#endif

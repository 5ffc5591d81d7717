/* fixture.h - a small world made in a test, and questions asked of it through answer().
 *
 * Zones are compiled from text by the real compiler. Geo and steering images are written by hand,
 * so that each test knows what they hold:
 *
 *   clients     192.0.0.0/8 and 2001::/16 are class 1, all others class 0
 *   pool edge   sites tokyo (nodes 0, 1), frankfurt (2, 3); class 0 prefers tokyo, class 1
 *               frankfurt; persistence /24 and /56, none without ECS.
 *               Node n is 203.0.113.(10 + n) and 2001:db8::(10 + n)
 *   pool plain  site tokyo, one node, IPv4 only: 198.51.100.1
 *   pool loose  site tokyo, nodes 0 to 3 as above; persistence none
 *   pool sticky as edge, but persistence without ECS too
 *   pool linked class 0: a quarter of the clients gets a node of tokyo, the others are pool
 *               sticky's; class 1 is pool plain's
 *   pool over   pool loose stands in for it, whoever asks
 *   pool many   as edge, but node n's answer is all nodes from n on, in random order */
#ifndef TESTS_UNIT_SERVE_FIXTURE_H
#define TESTS_UNIT_SERVE_FIXTURE_H

#include "conf/config.h"
#include "image/handover.h"
#include "serve/answer.h"

struct fixture_zone {
	const char *file; /* "example.net.zone" */
	const char *text;
};

struct fixture {
	struct world world;
	int fds[3]; /* zones, geo, steering */
	struct counters counters;
	uint64_t ids[2];
};

struct fixture_options {
	uint16_t udp_size_max; /* 0: 1232 */
	bool no_ecs;
	unsigned generation;            /* is added to the last octet of each node's address */
	const struct dns_settings *dns; /* NULL: no cookies, no texts */
};

/* Ends the test when the zones have mistakes. */
void fixture_open(struct fixture *f, const struct fixture_zone *zones, size_t count,
		  const struct fixture_options *options);
void fixture_close(struct fixture *f);

/* The sites and pools that there are, for compiling zones with; the rest is empty. */
void fixture_config(struct config *out);

/* Another steering image for the same zones and geo images: the caller's descriptor. */
int fixture_steering(const struct fixture *f, const struct fixture_options *options);

struct question {
	const char *name;
	const char *type;    /* as ldns names it; TYPEn */
	const char *ecs;     /* "192.0.2.0/24"; NULL: none */
	const char *from;    /* the resolver's address; NULL: 10.0.0.1 */
	uint16_t edns_size;  /* 0: no EDNS, unless ecs or options */
	const char *options; /* wire form, behind ecs */
	uint16_t options_len;
	uint16_t class;  /* 0: IN */
	uint32_t unix_s; /* now */
	bool tcp, dnssec_ok;
	uint64_t random;
};

/* ASK("www.example.net.", "A", .tcp = true) */
#define ASK(name_, type_, ...)                                \
	{                                                     \
		.name = (name_), .type = (type_), __VA_ARGS__ \
	}

#define FIXTURE_MESSAGE_SIZE 65535

/* Writes the query; returns its length. */
size_t question_write(const struct question *q, uint8_t out[FIXTURE_MESSAGE_SIZE]);

/* Asks, by UDP also in a batch, checks that the reply fits its size limit, and returns it as text,
 * to be freed:
 *   NOERROR aa
 *   an www.example.net. 3600 IN A 192.0.2.1
 *   au example.net. 60 IN SOA ...
 *   ad ns.example.net. 3600 IN A 192.0.2.53
 *   ecs 192.0.2.0/24/0
 *   option 3 6e7331
 *   error 20
 * The records as ldns, which is not ours, reads and prints them. */
char *fixture_ask(struct fixture *f, const struct question *q);

/* The same from a reply's bytes. */
char *reply_text(const uint8_t *reply, size_t len);

#endif

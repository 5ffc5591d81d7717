/* sections.h - which RRsets go into which section of an answer (RFC 1034, 4.3.2), from the images.
 *
 * Pure. What is asked is valid by now: one question, class IN, a type that can be answered. */
#ifndef SERVE_SECTIONS_H
#define SERVE_SECTIONS_H

#include <stdbool.h>

#include "image/world.h"
#include "serve/answer.h"
#include "serve/choose.h"
#include "serve/cookies.h"
#include "serve/lookup.h"
#include "serve/message.h"
#include "wire/query.h"

#define CNAME_LINKS_MAX 16 /* of a chain that is followed */

/* A question on its way through the zones. */
struct asking {
	const struct world *world;
	const struct client *client;
	uint32_t pool_record_base; /* of the zone at hand */
	struct edns_reply opt;     /* undefined where the query has no EDNS, but for its error */
	struct query *query; /* its name is replaced by a CNAME's target as a chain is followed */
	struct message message;
	struct owner owner;             /* the name as it stands in the message */
	uint64_t seen[CNAME_LINKS_MAX]; /* hashes of the names of the chain */
	unsigned links;
	struct {
		const struct rrset_block *block;
		uint16_t target;       /* where the message has it; 0: out of a pointer's reach */
	} dnames[CNAME_LINKS_MAX + 1]; /* that the answer has already */
	unsigned dname_count;
	bool authoritative; /* AA: for the name in the question (RFC 1035, 4.1.1) */
	bool steered;       /* a POOL was answered */
	uint16_t class_id;  /* of whom it was answered to; GEO_CLASS_NONE: it did not matter */
	enum cookie_verdict cookie_verdict; /* COOKIE_NEW also where there is no cookie */
	uint8_t cookie[COOKIE_ANSWER_SIZE];
};

/* Fills the sections and returns the rcode. The caller has set all but owner, seen and
 * dnames. */
enum rcode sections_fill(struct asking *asking);

#endif

/* master_reader.h - a master file (RFC 1035, 5), and what it includes, as a stream of records.
 *
 * As BIND reads it: owner, TTL and class may be left out; TTL and class come in any order. The
 * default TTL is $TTL (RFC 2308, 4), else that of the record before, else the SOA's MINIMUM.
 * After $INCLUDE, origin and owner are what they were before. Besides the types of DNS there is
 * POOL, whose RDATA is one word, the name of a pool, or pool/site, and the types that it answers.
 *
 * Each mistake is reported at its token, and reading goes on with the next record. */
#ifndef COMPILE_MASTER_READER_H
#define COMPILE_MASTER_READER_H

#include "compile/master_source.h"
#include "wire/name.h"

struct master_reader;

/* What is known of an owner name without looking at it again; what is not known may be so, too. */
enum master_owner {
	OWNER_PLAIN = 1,  /* all its labels are a host's (RFC 1123, 2.1) */
	OWNER_INSIDE = 2, /* it is in the zone */
};

struct master_record {
	const struct name *owner; /* the reader's, until the next record */
	uint32_t ttl_s;
	uint16_t type;       /* not for POOL */
	uint8_t owner_known; /* bits of enum master_owner */
	bool pool;           /* a POOL record: data is its word, as text */
	const uint8_t *data; /* RDATA, names not compressed; until the next record */
	uint16_t len;
	struct master_place place;       /* of the type, where an error shows the record */
	struct master_place owner_place; /* len 0: not written */
	/* Of a POOL record only: */
	uint8_t pool_types;                /* bits of enum pool_type */
	struct master_place data_place;    /* of its word */
	struct master_place service_place; /* of the first SRV, HTTPS or SVCB; len 0: none */
};

/* Opens `path`; that it cannot be read is reported, and the stream is then empty. Origin and
 * sources (their diag is set) must outlive the reader. */
struct master_reader *master_reader_open(const char *path, const struct name *origin,
					 struct master_sources *sources);
void master_reader_close(struct master_reader *reader);

/* From here on each record is read by ldns' converters, as are those that master_quick.h leaves
 * to them. For tests, which compare both. */
void master_reader_go_without_quick(struct master_reader *reader);

/* false: the file has ended, or has so many mistakes that reading on helps nobody. */
bool master_reader_next(struct master_reader *reader, struct master_record *record);

#endif

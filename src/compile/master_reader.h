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

struct master_record {
	const struct name *owner; /* the reader's, until the next record */
	uint32_t ttl_s;
	uint16_t type;       /* not for POOL */
	bool pool;           /* a POOL record: data is its word, as text */
	uint8_t pool_types;  /* of a POOL record: bits of enum pool_type */
	const uint8_t *data; /* RDATA, names not compressed; until the next record */
	uint16_t len;
	struct master_place place;         /* of the type, where an error shows the record */
	struct master_place data_place;    /* of the first word of the RDATA */
	struct master_place owner_place;   /* len 0: not written */
	struct master_place service_place; /* of a POOL record's first SRV, HTTPS or SVCB */
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

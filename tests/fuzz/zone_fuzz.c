/* A zone file: read, checked, written and verified; what compiles is then served, and each of its
 * records must be found again. $INCLUDE does not leave the folder. Whether a record is read in one
 * pass or by ldns' converters, it and what is said of it are the same. */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cursor.h"
#include "compile/master_reader.h"
#include "compile/zones_build.h"
#include "image/pool_types.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sample.h"
#include "tests/unit/serve/fixture.h"
#include "wire/key.h"

const unsigned long fuzz_runs = 3000, fuzz_runs_an_accepted = 20;

#define TYPE_NSAP_PTR 23  /* holds a name (RFC 1348), which ldns reads as a string */
#define RECORDS_MAX   100 /* of a zone that are looked for */

static const struct fixture_zone other = {
	"other.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n"
};

static struct fixture fixture; /* for all but the zones */
static const char *path;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fixture_open(&fixture, &other, 1, NULL);
	sample_open();
	path = sample_path(SAMPLE_ZONE);
	return 0;
}

/* --- each record is found ----------------------------------------------------------------------- */

/* The same octets, but for the case of names in them. */
static bool same_rdata(const ldns_rr *rr, const struct master_record *record)
{
	ldns_buffer *wire = ldns_buffer_new(DNS_MESSAGE_MAX);
	bool same;

	must(wire != NULL && ldns_rr_rdata2buffer_wire(wire, rr) == LDNS_STATUS_OK);
	same = ldns_buffer_position(wire) == record->len;
	for (size_t i = 0; same && i < record->len; i++)
		same = name_lower(*ldns_buffer_at(wire, i)) == name_lower(record->data[i]);
	ldns_buffer_free(wire);
	return same;
}

static bool is_answered(const ldns_pkt *pkt, const struct master_record *record)
{
	const ldns_rr_list *list = ldns_pkt_answer(pkt);

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		const ldns_rdf *owner = ldns_rr_owner(rr);

		if (ldns_rr_get_type(rr) == record->type &&
		    ldns_rdf_size(owner) == record->owner->len &&
		    name_equal(ldns_rdf_data(owner), record->owner->wire) &&
		    (record->type == TYPE_NSAP_PTR || same_rdata(rr, record)))
			return true;
	}
	return false;
}

static ldns_pkt *ask(const struct world *world, const struct name *name, uint16_t type)
{
	static uint8_t message[512], reply[DNS_MESSAGE_MAX];
	const struct client client = { .address = { { 192, 0, 2, 1 }, IP_V4 }, .tcp = true };
	struct writer w = { .data = message, .size = sizeof(message) };
	ldns_pkt *pkt = NULL;
	size_t len;

	put_u32(&w, 0x49440000);
	put_u32(&w, 0x00010000);
	put_u32(&w, 0);
	put_bytes(&w, name->wire, name->len);
	put_u16(&w, type);
	put_u16(&w, CLASS_IN);
	len = answer(world, &client, message, w.pos, reply, sizeof(reply), &fixture.counters);
	must(ldns_wire2pkt(&pkt, reply, len) == LDNS_STATUS_OK);
	must(ldns_pkt_get_rcode(pkt) == LDNS_RCODE_NOERROR);
	return pkt;
}

/* One record of each type that the POOL record answers; one pool has no IPv6. */
static void find_pool(const struct world *world, const struct master_record *record)
{
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA, TYPE_SRV, TYPE_HTTPS, TYPE_SVCB };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		ldns_pkt *pkt;

		if ((record->pool_types & pool_type_bit(types[i])) == 0)
			continue;
		pkt = ask(world, record->owner, types[i]);
		must(ldns_pkt_ancount(pkt) == 1 || types[i] == TYPE_AAAA);
		ldns_pkt_free(pkt);
	}
}

static void find_again(const struct world *world, const struct master_record *record)
{
	ldns_pkt *pkt;

	if (record->pool) {
		find_pool(world, record);
		return;
	}
	pkt = ask(world, record->owner, record->type);
	must(is_answered(pkt, record));
	ldns_pkt_free(pkt);
}

/* What is outside of the zone has been passed over, with a warning. Below a cut, and at it but for
 * DS, the answer is a referral. */
static bool is_ours(const struct zone_segment *segment, const struct master_record *record)
{
	const struct zone_node *node;

	if (!name_is_under(record->owner->wire, record->owner->len, segment->origin,
			   segment->origin_len))
		return false;
	node = zone_find(segment, record->owner->wire, record->owner->len);
	must(node != NULL);
	return zone_node_cut(node) == 0 ||
	       (record->type == TYPE_DS && (node->flags & ZONE_NODE_CUT) != 0);
}

static void find_all(const struct world *world)
{
	const struct zone_segment *segment = zones_segment(&world->zones, 0);
	struct diag *diag = diag_new();
	struct master_sources sources = { .diag = diag };
	struct name origin = { .len = segment->origin_len, .labels = segment->origin_labels };
	struct master_reader *reader;
	struct master_record record;

	memcpy(origin.wire, segment->origin, origin.len);
	reader = master_reader_open(path, &origin, &sources);
	for (unsigned i = 0; i < RECORDS_MAX && master_reader_next(reader, &record); i++) {
		/* ldns takes NSAP-PTR's name (RFC 1348) for a string. */
		if (is_ours(segment, &record) && record.type != LDNS_RR_TYPE_NSAP_PTR)
			find_again(world, &record);
	}
	must(diag_errors(diag) == 0);
	master_reader_close(reader);
	master_sources_free(&sources);
	diag_free(diag);
}

/* --- both ways of reading ----------------------------------------------------------------------- */

struct reading {
	struct diag *diag;
	struct master_sources sources;
	struct master_reader *reader;
	struct master_record record;
};

static void reading_open(struct reading *reading, const struct name *origin, bool quick)
{
	*reading = (struct reading){ .diag = diag_new() };
	reading->sources.diag = reading->diag;
	reading->reader = master_reader_open(path, origin, &reading->sources);
	if (!quick)
		master_reader_go_without_quick(reading->reader);
}

static void reading_close(struct reading *reading)
{
	master_reader_close(reading->reader);
	master_sources_free(&reading->sources);
	diag_free(reading->diag);
}

static bool same_place(const struct master_place *a, const struct master_place *b)
{
	return a->offset == b->offset && a->line == b->line && a->source == b->source &&
	       a->len == b->len;
}

static void compare_records(const struct master_record *a, const struct master_record *b)
{
	must(a->owner->len == b->owner->len && a->owner->labels == b->owner->labels);
	must(memcmp(a->owner->wire, b->owner->wire, a->owner->len) == 0);
	must(a->ttl_s == b->ttl_s && a->type == b->type && a->pool == b->pool);
	must(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
	must(same_place(&a->place, &b->place) && same_place(&a->owner_place, &b->owner_place));
	must(!a->pool || a->pool_types == b->pool_types);
	must(!a->pool || same_place(&a->data_place, &b->data_place));
	must(!a->pool || same_place(&a->service_place, &b->service_place));
}

static void read_both_ways(void)
{
	static const struct name origin = { .wire = "\7example\3net", .len = 13, .labels = 2 };
	struct reading quick, slow;
	bool more;

	reading_open(&quick, &origin, true);
	reading_open(&slow, &origin, false);
	do {
		more = master_reader_next(quick.reader, &quick.record);
		must(master_reader_next(slow.reader, &slow.record) == more);
		must(diag_errors(quick.diag) == diag_errors(slow.diag));
		must(diag_warnings(quick.diag) == diag_warnings(slow.diag));
		if (more)
			compare_records(&quick.record, &slow.record);
	} while (more);
	reading_close(&quick);
	reading_close(&slow);
}

/* --- one file ----------------------------------------------------------------------------------- */

static void serve(int zones_fd)
{
	struct fixture served = fixture;
	struct world *world = &served.world;
	struct err err;
	int fd;

	must_do(image_open(&world->zones, zones_fd, IMAGE_ZONES, &err), &err);
	must_do(zones_verify(&world->zones, &err), &err);
	served.ids[0] = image_header(&world->zones)->id;
	fd = fixture_steering(&served, NULL);
	must_do(image_open(&world->steering, fd, IMAGE_STEERING, &err), &err);
	must_do(steering_verify(&world->steering, &err), &err);
	must_do(world_fits(world, &err), &err);
	must_do(world_verify(world, &err), &err);
	find_all(world);
	image_close(&world->zones);
	image_close(&world->steering);
	(void)close(fd);
}

static const char *find_word(const char *text, const char *end, const char *word)
{
	for (size_t len = strlen(word); (size_t)(end - text) >= len; text++) {
		if (strncasecmp(text, word, len) == 0)
			return text;
	}
	return NULL;
}

/* A path with a slash would leave the folder, and what is there is nobody's to know. */
static bool leaves_the_folder(const char *text, const char *end)
{
	return find_word(text, end, "$INCLUDE") != NULL &&
	       memchr(text, '/', (size_t)(end - text)) != NULL;
}

/* A few thousand records are as good as millions, which somebody may want, but no fuzzer. */
static bool generates_much(const char *text, const char *end)
{
	unsigned count = 0, digits = 0;

	for (; (text = find_word(text, end, "$GENERATE")) != NULL; text++) {
		if (++count > 16)
			return true;
		for (const char *p = text; p < end && p < text + 64; p++) {
			digits = *p >= '0' && *p <= '9' ? digits + 1 : 0;
			if (digits > 3)
				return true;
		}
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;
	struct zones_built built;
	struct diag *diag;
	struct err err;

	if (leaves_the_folder((const char *)data, (const char *)data + size) ||
	    generates_much((const char *)data, (const char *)data + size))
		return 0;
	fixture_config(&config);
	config.zone_files = &path;
	config.zone_file_count = 1;
	diag = diag_new();
	sample_write(SAMPLE_ZONE, data, size);
	read_both_ways();
	must_do(zones_build(&config, NULL, &built, diag, &err), &err);
	if (diag_errors(diag) == 0) {
		fuzz_accepted++;
		serve(built.fd);
	}
	zones_built_free(&built);
	diag_free(diag);
	return 0;
}

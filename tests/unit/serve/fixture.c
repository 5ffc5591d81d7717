#include "tests/unit/serve/fixture.h"

#include <ctype.h>
#include <dirent.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "compile/zone_service.h"
#include "compile/zones_build.h"
#include "image/rrset_build.h"
#include "tests/unit/serve/batch_check.h"
#include "wire/edns.h"

/* Not Check's assertions: the fuzz target has no Check around it. */
#define must(condition)    ((condition) ? (void)0 : fixture_failed(#condition, "not true", __LINE__))
#define must_do(call, err) ((call) == 0 ? (void)0 : fixture_failed(#call, (err)->text, __LINE__))

static void fixture_failed(const char *what, const char *why, int line) __attribute__((noreturn));
static void fixture_failed(const char *what, const char *why, int line)
{
	(void)fprintf(stderr, "fixture.c:%d: %s: %s\n", line, what, why);
	abort();
}

#define NODES 4
#define SLOTS 101 /* of each table */

enum { POOL_EDGE, POOL_LOOSE, POOL_PLAIN, POOL_STICKY, POOL_LINKED, POOL_MANY, POOL_OVER, POOLS };
enum { TABLE_TOKYO, TABLE_FRANKFURT, TABLE_ONE, TABLE_ALL, TABLES };

/* --- zones ------------------------------------------------------------------------------------ */

static const struct config_site sites[] = { { .name = "tokyo" }, { .name = "frankfurt" } };
static const struct config_pool_site both[] = { { .site = 0 }, { .site = 1 } };
static const struct config_pool pools[POOLS] = {
	[POOL_EDGE] = { .name = "edge", .sites = both, .site_count = 2 },
	[POOL_LOOSE] = { .name = "loose", .sites = both, .site_count = 1 },
	[POOL_PLAIN] = { .name = "plain", .sites = both, .site_count = 1 },
	[POOL_STICKY] = { .name = "sticky", .sites = both, .site_count = 2 },
	[POOL_LINKED] = { .name = "linked", .sites = both, .site_count = 2 },
	[POOL_MANY] = { .name = "many", .sites = both, .site_count = 2 },
	[POOL_OVER] = { .name = "over", .sites = both, .site_count = 2 },
};

void fixture_config(struct config *out)
{
	*out = (struct config){
		.sites = sites, .site_count = 2, .pools = pools, .pool_count = POOLS
	};
}

static char *write_zone(const char *folder, const struct fixture_zone *zone)
{
	char *path = mem_format("%s/%s", folder, zone->file);
	FILE *file = fopen(path, "w");

	must(file != NULL);
	must(fputs(zone->text, file) >= 0);
	must(fclose(file) == 0);
	return path;
}

static void compile_zones(struct zones_built *out, const struct fixture_zone *zones, size_t count)
{
	char folder[] = "/tmp/signpost-serve-XXXXXX";
	const char **paths = mem_array(count, sizeof(*paths));
	struct config config;
	struct diag *diag = diag_new();
	struct err err;

	fixture_config(&config);
	config.zone_files = paths;
	config.zone_file_count = count;
	must(mkdtemp(folder) != NULL);
	for (size_t i = 0; i < count; i++)
		paths[i] = write_zone(folder, &zones[i]);
	must_do(zones_build(&config, NULL, out, diag, &err), &err);
	if (diag_errors(diag) > 0) /* warnings are other tests' matter */
		diag_print(diag, stderr);
	must(diag_errors(diag) == 0);
	diag_free(diag);
	for (size_t i = 0; i < count; i++) {
		(void)unlink(paths[i]);
		free((void *)(uintptr_t)paths[i]);
	}
	free(paths);
	(void)rmdir(folder);
}

static unsigned pref_count(unsigned pool)
{
	return pool == POOL_OVER ? 1 : 2;
}

/* --- geo -------------------------------------------------------------------------------------- */

/* One prefix, whose upper bits are `bits`, is class 1; around it are the longest prefixes without it. */
static void write_trie(struct image_writer *w, struct geo_trie *trie, unsigned family,
		       unsigned bits, unsigned len)
{
	unsigned below = geo_root_bits(family) - len, size = 1U << (below + len);
	uint32_t *slots;

	trie->root_off = image_writer_reserve(w, size * sizeof(uint32_t), IMAGE_ALIGN);
	trie->nodes_off = image_writer_reserve(w, 0, 8);
	trie->leaves_off = image_writer_reserve(w, 0, 8);
	slots = image_writer_at(w, uint32_t, trie->root_off);
	for (unsigned slot = 0; slot < size; slot++) {
		unsigned differ = slot >> below ^ bits;

		slots[slot] = differ == 0
				      ? geo_leaf(1, len)
				      : geo_leaf(0, len - (31U - (unsigned)__builtin_clz(differ)));
	}
}

static int write_geo(struct err *err)
{
	static const uint32_t prefs[2][POOLS] = { { 0 }, { 1, 0, 0, 1, 1, 1, 0 } };
	struct geo_root root = { .class_count = 2, .pool_count = POOLS, .site_count = 2 };
	struct geo_pool geo_pools[POOLS];
	struct image_writer w;
	int fd = -1;

	must(image_writer_open(&w, IMAGE_GEO, sizeof(root), err) == 0);
	write_trie(&w, &root.trie[0], 0, 192, 8);
	write_trie(&w, &root.trie[1], 1, 0x2001, 16);
	root.class_prefs_off = image_writer_append(&w, prefs, sizeof(prefs), 8);
	for (unsigned i = 0; i < POOLS; i++) {
		static const struct geo_pref pref[2];

		geo_pools[i] = (struct geo_pool){ .prefs_off = image_writer_append(&w, pref,
										   sizeof(pref), 8),
						  .pref_count = pref_count(i) };
	}
	root.pools_off = image_writer_append(&w, geo_pools, sizeof(geo_pools), 8);
	*image_writer_root(&w, struct geo_root) = root;
	must_do(image_writer_finish(&w, NULL, &fd, err), err);
	return fd;
}

/* --- steering --------------------------------------------------------------------------------- */

/* A quarter of the clients is for table tokyo, the others are for pool sticky. */
static void write_split(struct image_writer *w, struct steering_root *root)
{
	static const uint32_t branches[] = { (uint32_t)BRANCH_TABLE << BRANCH_SHIFT | TABLE_TOKYO,
					     (uint32_t)BRANCH_POOL << BRANCH_SHIFT | POOL_STICKY };
	static const struct steering_slot kinds[] = { { 0, 1, 32768 }, { 1, 1, 0 } };
	static const uint8_t codes[] = { 0, 1 };
	struct steering_split split = { .slots = { .count = 2, .kind_count = 2 },
					.branch_count = 2 };

	split.slots.codes_off = image_writer_append(w, codes, sizeof(codes), 8);
	split.slots.kinds_off = image_writer_append(w, kinds, sizeof(kinds), 8);
	split.branches_off = image_writer_append(w, branches, sizeof(branches), 8);
	root->split_count = 1;
	root->splits_off = root->backups_off = image_writer_append(w, &split, sizeof(split), 8);
}

static void write_tables(struct image_writer *w, struct steering_root *root)
{
	static const struct {
		unsigned first, count, slots;
	} of_table[TABLES] = { { 0, 2, SLOTS }, { 2, 2, SLOTS }, { 0, 1, 1 }, { 0, 4, SLOTS } };
	struct steering_table tables[TABLES];

	for (unsigned t = 0; t < TABLES; t++) {
		struct steering_slot kinds[SLOTS];
		uint8_t codes[SLOTS];

		for (unsigned i = 0; i < of_table[t].count; i++) {
			uint16_t node = (uint16_t)(of_table[t].first + i);

			kinds[i] = (struct steering_slot){ node, node, 0 };
		}
		for (unsigned i = 0; i < of_table[t].slots; i++)
			codes[i] = (uint8_t)(i % of_table[t].count);
		tables[t] = (struct steering_table){
			.slots = { .codes_off = image_writer_append(w, codes, of_table[t].slots, 8),
				   .kinds_off = image_writer_append(
					   w, kinds, of_table[t].count * sizeof(kinds[0]), 8),
				   .count = of_table[t].slots,
				   .kind_count = of_table[t].count },
			.hashed = of_table[t].count > 1
		};
	}
	root->table_count = TABLES;
	root->tables_off = image_writer_append(w, tables, sizeof(tables), 8);
	*image_writer_root(w, struct steering_root) = *root; /* preferences tell of tables */
	write_split(w, root);
}

static uint64_t write_prefs(struct image_writer *w, const struct steering_pref *prefs,
			    unsigned count)
{
	uint64_t at = image_writer_append(w, prefs, count * sizeof(*prefs), sizeof(*prefs));
	const struct image image = { w->base, w->len };

	for (unsigned i = 0; i < count; i++)
		steering_pref_tell(&image, &image_writer_at(w, struct steering_pref, at)[i]);
	return at;
}

static void write_pools(struct image_writer *w, struct steering_root *root)
{
	static const uint32_t tables[POOLS][2] = {
		[POOL_EDGE] = { TABLE_TOKYO, TABLE_FRANKFURT },
		[POOL_LOOSE] = { TABLE_ALL, TABLE_ALL },
		[POOL_PLAIN] = { TABLE_ONE, TABLE_ONE },
		[POOL_STICKY] = { TABLE_TOKYO, TABLE_FRANKFURT },
		[POOL_MANY] = { TABLE_TOKYO, TABLE_FRANKFURT },
	};
	struct steering_pool all[POOLS];

	for (unsigned p = 0; p < POOLS; p++) {
		struct steering_pref prefs[2] = {
			{ .branch = branch_make(BRANCH_TABLE, tables[p][0]) },
			{ .branch = branch_make(BRANCH_TABLE, tables[p][1]) },
		};

		if (p == POOL_LINKED) {
			prefs[0].branch = branch_make(BRANCH_SPLIT, 0);
			prefs[1].branch = branch_make(BRANCH_POOL, POOL_PLAIN);
		} else if (p == POOL_OVER) {
			prefs[0].branch = branch_make(BRANCH_POOL, POOL_LOOSE);
		}
		all[p] = (struct steering_pool){
			.spread = {
				.seed = 9 + p,
				.persistence = p == POOL_LOOSE ? PERSISTENCE_NONE
							       : PERSISTENCE_SUBNET,
				.persistence_without_ecs = p == POOL_STICKY ? PERSISTENCE_SUBNET
									    : PERSISTENCE_NONE,
				.persistence_v4 = 24,
				.persistence_v6 = 56,
				.shuffled = p == POOL_MANY,
			},
			.prefs_off = write_prefs(w, prefs, pref_count(p)),
			.pref_count = pref_count(p),
			.node_count = p == POOL_PLAIN ? 1 : NODES,
			.choice_count = p == POOL_PLAIN ? 2 : NODES + 1,
		};
	}
	root->pool_count = POOLS;
	root->pools_off = image_writer_append(w, all, sizeof(all), 8);
}

static uint64_t write_block(struct image_writer *w, const struct rrset_source *source)
{
	struct buf block = { 0 };
	uint64_t offset;

	must(rrset_build(&block, source) == 0);
	offset = image_writer_append(w, block.data, block.len, 8);
	buf_free(&block);
	return offset;
}

/* SRV: port 1000 + n. HTTPS, SVCB: no parameters. The target is the shared one, but in pool loose
 * it is nodeN.test. */
static uint64_t write_service(struct image_writer *w, const struct zones_binding *binding,
			      unsigned node, uint16_t type)
{
	uint8_t data[6 + DNS_NAME_MAX] = { 0 }, host[] = "\5node0\4test";
	bool own = binding->pool == POOL_LOOSE;
	const uint8_t *target = own ? host : binding->owner + binding->target_skip;
	uint8_t before = type == TYPE_SRV ? 6 : 2;
	uint32_t whose = own ? STEERING_TARGET_NODE + node : STEERING_TARGET_SHARED;
	struct rrset_rdata rdata = { data, before };
	struct rrset_source source = { .owner = binding->owner,
				       .owner_len = (uint16_t)binding->owner_len,
				       .type = type,
				       .ttl_s = binding->ttl_s,
				       .rdatas = &rdata,
				       .count = 1,
				       .extra_nodes = &whose };

	host[5] = (uint8_t)('0' + node);
	if (type != TYPE_SRV && target == binding->owner)
		target = (const uint8_t *)"";
	store_u16(data + before - 2, type == TYPE_SRV ? (uint16_t)(1000 + node) : 1);
	memcpy(data + before, target, name_length(target, DNS_NAME_MAX));
	rdata.len = (uint16_t)(before + name_length(target, DNS_NAME_MAX));
	return write_block(w, &source);
}

static uint64_t write_address(struct image_writer *w, const struct zones_binding *binding,
			      unsigned node, uint16_t type, unsigned generation)
{
	uint8_t v4[] = { 203, 0, 113, 10 };
	uint8_t v6[] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10 };
	uint8_t plain[] = { 198, 51, 100, 1 };
	uint8_t many[NODES][16];
	struct rrset_rdata rdata[NODES];
	struct rrset_source source = { .owner = binding->owner,
				       .owner_len = (uint16_t)binding->owner_len,
				       .type = type,
				       .ttl_s = binding->ttl_s,
				       .rdatas = rdata,
				       .count = binding->pool == POOL_MANY ? NODES : 1 };

	if (binding->pool == POOL_PLAIN && type == TYPE_AAAA)
		return 0;
	for (unsigned i = 0; i < source.count; i++) {
		v4[3] = (uint8_t)(10 + (node + i) % NODES + generation);
		v6[15] = v4[3];
		rdata[i] = (struct rrset_rdata){ many[i], type == TYPE_A ? 4 : 16 };
		memcpy(many[i], type == TYPE_A ? v4 : v6, rdata[i].len);
	}
	if (binding->pool == POOL_PLAIN)
		rdata[0].data = plain;
	return write_block(w, &source);
}

static uint64_t write_answer(struct image_writer *w, const struct zones_binding *binding,
			     unsigned node, unsigned column, unsigned generation)
{
	switch (column) {
	case STEERING_A:
	case STEERING_TARGET_A: return write_address(w, binding, node, TYPE_A, generation);
	case STEERING_AAAA:
	case STEERING_TARGET_AAAA: return write_address(w, binding, node, TYPE_AAAA, generation);
	case STEERING_SRV: return write_service(w, binding, node, TYPE_SRV);
	case STEERING_HTTPS: return write_service(w, binding, node, TYPE_HTTPS);
	default: return write_service(w, binding, node, TYPE_SVCB);
	}
}

/* As the record answers where a pool stands in for its own. */
static uint64_t write_answers(struct image_writer *w, const struct zones_binding *of, uint32_t pool,
			      unsigned generation)
{
	uint64_t answers[(NODES + 1) * STEERING_COLUMNS] = { 0 };
	struct zones_binding binding = *of;
	uint8_t width = steering_width(of->types);

	binding.pool = pool;
	for (unsigned n = 0; n < NODES * (unsigned)width; n++)
		answers[n] = write_answer(w, &binding, n / width, n % width, generation);
	return image_writer_append(w, answers, (NODES + 1) * (size_t)width * sizeof(answers[0]), 8);
}

static void write_links(struct image_writer *w, struct steering_record *record,
			const struct zones_binding *binding, unsigned generation)
{
	static const uint32_t to[] = { POOL_PLAIN, POOL_STICKY, POOL_LOOSE };
	struct steering_link links[3] = { 0 };

	for (unsigned i = 0; i < 3; i++)
		links[i] = (struct steering_link){
			.answers_off = write_answers(w, binding, to[i], generation), .pool = to[i]
		};
	record->link_count = 3;
	record->links_off = image_writer_append(w, links, sizeof(links), 8);
}

static void write_records(struct image_writer *w, struct steering_root *root,
			  const struct zones_binding *bindings, size_t count, unsigned generation)
{
	const struct steering_pref of_site[2] = {
		{ .branch = branch_make(BRANCH_TABLE, TABLE_TOKYO) },
		{ .branch = branch_make(BRANCH_TABLE, TABLE_FRANKFURT) },
	};
	struct steering_record *records = mem_array(count + 1, sizeof(*records));

	for (size_t i = 0; i < count; i++) {
		records[i].pool = bindings[i].pool;
		records[i].spread = image_writer_at(w, struct steering_pool,
						    root->pools_off)[bindings[i].pool]
					    .spread;
		records[i].by_class = pref_count(bindings[i].pool) > 1;
		records[i].for_all = bindings[i].site != PLAN_NONE;
		if (records[i].for_all)
			records[i].prefs_off = write_prefs(w, &of_site[bindings[i].site], 1);
		else
			records[i].prefs_off = image_writer_at(w, struct steering_pool,
							       root->pools_off)[bindings[i].pool]
						       .prefs_off;
		records[i].answers_off = write_answers(w, &bindings[i], bindings[i].pool,
						       generation);
		records[i].links_off = records[i].answers_off;
		if (bindings[i].pool == POOL_LINKED || bindings[i].pool == POOL_OVER)
			write_links(w, &records[i], &bindings[i], generation);
		records[i].types = bindings[i].types;
		records[i].lacks = bindings[i].types &
				   (bindings[i].pool == POOL_PLAIN ? POOL_TYPE_AAAA : 0);
		records[i].width = steering_width(bindings[i].types);
	}
	root->record_count = (uint32_t)count;
	root->records_off = image_writer_append(w, records, count * sizeof(*records), IMAGE_ALIGN);
	free(records);
}

static const struct dns_settings settings = { .udp_size_max = 1232,
					      .ecs = 1,
					      .tcp_idle_ms = 10000,
					      .tcp_lifetime_ms = 1800000,
					      .tcp_connections = 1000 };

static int write_steering(const struct zones_binding *bindings, size_t count, const uint64_t ids[2],
			  const struct fixture_options *options)
{
	uint64_t basis[IMAGE_KINDS] = { [IMAGE_ZONES] = ids[0], [IMAGE_GEO] = ids[1] };
	struct steering_root root = { .dns = settings };
	struct image_writer w;
	struct err err;
	int fd = -1;

	if (options != NULL && options->dns != NULL)
		root.dns = *options->dns;
	if (options != NULL && options->udp_size_max != 0)
		root.dns.udp_size_max = options->udp_size_max;
	if (options != NULL && options->no_ecs)
		root.dns.ecs = 0;
	must(image_writer_open(&w, IMAGE_STEERING, sizeof(root), &err) == 0);
	write_tables(&w, &root);
	write_pools(&w, &root);
	write_records(&w, &root, bindings, count, options != NULL ? options->generation : 0);
	*image_writer_root(&w, struct steering_root) = root;
	must_do(image_writer_finish(&w, basis, &fd, &err), &err);
	return fd;
}

/* The bindings of a world that is open already: pool and site by the names in its segments. */
static struct zones_binding *read_bindings(const struct image *zones, size_t *count)
{
	const struct zones_root *root = image_root(zones, struct zones_root);
	struct zones_binding *all = mem_array(root->pool_record_count + 1, sizeof(*all));

	*count = 0;
	for (uint32_t z = 0; z < root->zone_count; z++) {
		const struct zone_segment *segment = zones_segment(zones, z);
		const struct zone_pool_record *record = zone_at(segment, struct zone_pool_record,
								segment->pool_records_off);

		for (uint32_t i = 0; i < segment->pool_record_count; i++, record++) {
			const uint8_t *owner = zone_at(segment, uint8_t, record->owner_off);
			const char *pool = zone_at(segment, char, record->pool_name_off);
			struct zones_binding *b = &all[(*count)++];

			*b = (struct zones_binding){ .owner = owner,
						     .owner_len = (uint32_t)name_length(
							     owner, DNS_NAME_MAX),
						     .ttl_s = record->ttl_s,
						     .site = PLAN_NONE,
						     .types = (uint8_t)record->types };
			b->target_skip = (uint8_t)service_target_skip(b->owner);
			while (strcmp(pools[b->pool].name, pool) != 0)
				b->pool++;
			if (record->site_name_off != 0)
				b->site = strcmp(zone_at(segment, char, record->site_name_off),
						 "tokyo") != 0;
		}
	}
	return all;
}

int fixture_steering(const struct fixture *f, const struct fixture_options *options)
{
	size_t count;
	struct zones_binding *bindings = read_bindings(&f->world.zones, &count);
	int fd = write_steering(bindings, count, f->ids, options);

	free(bindings);
	return fd;
}

static uint64_t id_of(int fd, enum image_kind kind)
{
	struct image image = { NULL, 0 };
	struct err err;
	uint64_t id;

	must_do(image_open(&image, fd, kind, &err), &err);
	if (kind == IMAGE_ZONES)
		must_do(zones_verify(&image, &err), &err);
	id = image_header(&image)->id;
	image_close(&image);
	return id;
}

void fixture_open(struct fixture *f, const struct fixture_zone *zones, size_t count,
		  const struct fixture_options *options)
{
	struct zones_built built;
	struct err err;

	memset(f, 0, sizeof(*f));
	compile_zones(&built, zones, count);
	f->fds[0] = built.fd;
	f->fds[1] = write_geo(&err);
	f->ids[0] = id_of(f->fds[0], IMAGE_ZONES);
	f->ids[1] = id_of(f->fds[1], IMAGE_GEO);
	f->fds[2] = write_steering(built.bindings, built.binding_count, f->ids, options);
	must_do(world_open(&f->world, f->fds[0], f->fds[1], f->fds[2], &err), &err);
	must_do(steering_verify(&f->world.steering, &err), &err);
	must_do(world_verify(&f->world, &err), &err);
	built.fd = -1;
	zones_built_free(&built);
}

void fixture_close(struct fixture *f)
{
	world_close(&f->world);
	for (unsigned i = 0; i < 3; i++)
		(void)close(f->fds[i]);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void put_text_name(struct writer *w, const char *text)
{
	const char *dot;

	for (; *text != '\0' && strcmp(text, ".") != 0; text = dot + 1) {
		dot = strchr(text, '.');
		must(dot != NULL);
		put_u8(w, (uint8_t)(dot - text));
		put_bytes(w, text, (size_t)(dot - text));
	}
	put_u8(w, 0);
}

static void put_ecs(struct writer *w, const char *text)
{
	struct ip_prefix prefix;
	unsigned octets;

	must(ip_prefix_parse(text, &prefix, NULL));
	octets = (prefix.len + 7U) / 8U;
	put_u16(w, EDNS_CLIENT_SUBNET);
	put_u16(w, (uint16_t)(4 + octets));
	put_u16(w, prefix.address.family == IP_V4 ? ECS_IPV4 : ECS_IPV6);
	put_u8(w, prefix.len);
	put_u8(w, 0);
	put_bytes(w, prefix.address.bytes, octets);
}

size_t question_write(const struct question *q, uint8_t out[FIXTURE_MESSAGE_SIZE])
{
	struct writer w = { .data = out, .size = FIXTURE_MESSAGE_SIZE };
	bool edns = q->ecs != NULL || q->edns_size > 0 || q->dnssec_ok || q->options_len > 0;
	size_t rdlength_at;

	put_u16(&w, 0x4944);
	put_u16(&w, 0x0100); /* RD, as stubs set it */
	put_u16(&w, 1);
	put_u32(&w, 0);
	put_u16(&w, edns);
	put_text_name(&w, q->name);
	put_u16(&w, (uint16_t)ldns_get_rr_type_by_name(q->type));
	put_u16(&w, q->class != 0 ? q->class : CLASS_IN);
	if (edns) {
		put_u8(&w, 0);
		put_u16(&w, TYPE_OPT);
		put_u16(&w, q->edns_size != 0 ? q->edns_size : 1232);
		put_u32(&w, q->dnssec_ok ? 0x8000 : 0);
		rdlength_at = w.pos;
		put_u16(&w, 0);
		if (q->ecs != NULL)
			put_ecs(&w, q->ecs);
		if (q->options_len > 0)
			put_bytes(&w, q->options, q->options_len);
		must(!w.full);
		store_u16(out + rdlength_at, (uint16_t)(w.pos - rdlength_at - 2));
	}
	must(!w.full);
	return w.pos;
}

static void print_records(struct buf *text, const char *section, const ldns_rr_list *list)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		char *line = ldns_rr2str(ldns_rr_list_rr(list, i));

		for (char *p = line; *p != '\0'; p++)
			*p = *p == '\t' ? ' ' : *p;
		buf_format(text, "%s %s", section, line);
		free(line);
	}
}

static void print_ecs(struct buf *text, const uint8_t *data, size_t len)
{
	struct ip_address address = { .family = IP_V4 };
	char address_text[IP_TEXT_SIZE];

	must(len >= 4 && len <= 20);
	if (load_u16(data) == ECS_IPV6)
		address.family = IP_V6;
	memcpy(address.bytes, data + 4, len - 4);
	buf_format(text, "ecs %s/%u/%u\n", ip_format(&address, address_text), data[2], data[3]);
}

/* "option 3 6e616d65", but for the two that tests ask about by words. */
static void print_option(struct buf *text, unsigned code, const uint8_t *data, size_t len)
{
	if (code == EDNS_CLIENT_SUBNET) {
		print_ecs(text, data, len);
	} else if (code == EDNS_ERROR) {
		must(len >= 2);
		buf_format(text, "error %u%s%.*s\n", load_u16(data), len > 2 ? " " : "",
			   (int)len - 2, (const char *)data + 2);
	} else {
		buf_format(text, "option %u ", code);
		for (size_t i = 0; i < len; i++)
			buf_format(text, "%02x", data[i]);
		buf_format(text, "\n");
	}
}

static void print_options(struct buf *text, ldns_pkt *pkt)
{
	ldns_rdf *options = ldns_pkt_edns_data(pkt);
	struct reader r = { 0 };

	if (options != NULL)
		r = (struct reader){ .data = ldns_rdf_data(options),
				     .size = ldns_rdf_size(options) };
	while (r.pos < r.size) {
		unsigned code = get_u16(&r);
		size_t len = get_u16(&r);
		const uint8_t *data = get_bytes(&r, len);

		must(data != NULL);
		print_option(text, code, data, len);
	}
}

static void print_header(struct buf *text, ldns_pkt *pkt)
{
	unsigned rcode = ldns_pkt_get_rcode(pkt) | (unsigned)ldns_pkt_edns_extended_rcode(pkt) << 4;
	char *name = rcode == RCODE_BADVERS     ? mem_copy_text("BADVERS")
		     : rcode == RCODE_BADCOOKIE ? mem_copy_text("BADCOOKIE")
						: ldns_pkt_rcode2str(ldns_pkt_get_rcode(pkt));

	buf_format(text, "%s%s%s%s\n", name, ldns_pkt_aa(pkt) ? " aa" : "",
		   ldns_pkt_tc(pkt) ? " tc" : "", ldns_pkt_edns_do(pkt) ? " do" : "");
	free(name);
}

char *reply_text(const uint8_t *reply, size_t len)
{
	struct buf text = { 0 };
	ldns_pkt *pkt = NULL;
	ldns_status status = ldns_wire2pkt(&pkt, reply, len);

	must(status == LDNS_STATUS_OK);
	must(ldns_pkt_qr(pkt));
	print_header(&text, pkt);
	print_records(&text, "an", ldns_pkt_answer(pkt));
	print_records(&text, "au", ldns_pkt_authority(pkt));
	print_records(&text, "ad", ldns_pkt_additional(pkt));
	print_options(&text, pkt);
	ldns_pkt_free(pkt);
	buf_append(&text, "", 1);
	return (char *)text.data;
}

static size_t allowed_size(const struct fixture *f, const struct question *q)
{
	size_t size = q->edns_size != 0                                      ? q->edns_size
		      : q->ecs != NULL || q->dnssec_ok || q->options_len > 0 ? 1232
									     : 512;
	size_t most = image_root(&f->world.steering, struct steering_root)->dns.udp_size_max;

	return q->tcp ? DNS_MESSAGE_MAX : size < most ? size : most;
}

/* Random bits are hash_word of a number. That of this one is 0, so that questions which do not say
 * what is drawn for them get the first of several. */
static uint64_t random_of(const struct question *q)
{
	return q->random - UINT64_C(0x9e3779b97f4a7c15);
}

/* The same question in a batch. */
static void ask_batch(const struct fixture *f, const struct question *q,
		      const struct ip_address *from, const uint8_t *message, size_t len)
{
	struct batch_message m = { message, len, *from, random_of(q) };
	struct counters counters = { 0 };

	batch_check(&f->world, &m, 1, FIXTURE_MESSAGE_SIZE, q->unix_s, &counters);
}

char *fixture_ask(struct fixture *f, const struct question *q)
{
	uint8_t *message = mem_alloc(FIXTURE_MESSAGE_SIZE),
		*reply = mem_alloc(FIXTURE_MESSAGE_SIZE);
	struct client client = { .tcp = q->tcp, .random = random_of(q), .unix_s = q->unix_s };
	size_t len = question_write(q, message);
	char *text;

	must(ip_parse(q->from != NULL ? q->from : "10.0.0.1", &client.address));
	if (!q->tcp)
		ask_batch(f, q, &client.address, message, len);
	len = answer(&f->world, &client, message, len, reply, FIXTURE_MESSAGE_SIZE, &f->counters);
	must(len >= DNS_HEADER_SIZE);
	must(len <= allowed_size(f, q));
	must(load_u16(reply) == 0x4944);
	text = reply_text(reply, len);
	free(message);
	free(reply);
	return text;
}

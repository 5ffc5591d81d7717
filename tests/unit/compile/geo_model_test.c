/* Random rules, fences, avoids, own networks, overrides and bands, against a plain reading of what
 * they mean, address by address; and whether all of a found network is alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "geo_fixture.h"

enum { CLIENTS = 3, RULES = 6, FENCES = 3, AVOIDS = 3, POOLS = 2, ROUNDS = 150, ADDRESSES = 150 };

/* One round's configuration. */
static struct fixture f;
static uint64_t seed;
static struct config_pool_site pool_sites[POOLS][FIXTURE_SITES];
static struct config_rule rules[POOLS][RULES];
static struct config_fence fences[POOLS][FENCES];
static struct config_avoid avoids[POOLS][AVOIDS];
static uint16_t site_lists[POOLS][RULES + FENCES][FIXTURE_SITES];
static uint16_t band_lists[POOLS][RULES][FIXTURE_SITES];
static struct config_client clients[POOLS][RULES + 2 * FENCES + AVOIDS][CLIENTS];
static struct config_list lists[2];
static struct ip_prefix listed[2][6], own[2];
static const struct config_field fields[] = { { "is_anonymous", "true" }, { "kind", "hosting" } };

static uint32_t pick(uint32_t below)
{
	return (uint32_t)(fixture_random(&seed) >> 33) % below;
}

/* Near what the databases know. */
static struct ip_address random_address(void)
{
	static const char *const known[] = { "192.0.2.0",    "192.0.2.128", "198.51.100.0",
					     "203.0.113.0",  "240.0.0.0",   "2001:db8:1::",
					     "2001:db8:2::", "2001:db8:3::" };
	struct ip_address address = fixture_address(known[pick(8)]);
	unsigned last = address.family == IP_V4 ? 3 : 15;

	address.bytes[last] |= (uint8_t)pick(256);
	if (address.family == IP_V6)
		address.bytes[6] = (uint8_t)(pick(2) << 7);
	return address;
}

static struct ip_prefix random_prefix(void)
{
	struct ip_prefix prefix = { .address = random_address() };

	prefix.len = (uint8_t)(prefix.address.family == IP_V4 ? 22 + pick(11) : 40 + pick(89));
	ip_mask(prefix.address.bytes, prefix.len);
	return prefix;
}

static struct config_client random_client(void)
{
	static const char *const countries[] = { "JP", "DE", "FR", "BR", "AU" };
	static const char *const continents[] = { "AS", "EU", "SA" };
	static const char *const names[] = { "OSAKA", "berlin", "27", "Land Berlin", "be" };
	static const uint32_t asns[] = { 64500, 64501, 4200000000U, 64999 };
	struct config_client c = { .kind = (enum client_match)pick(MATCH_ALL + 1) };

	if (c.kind == MATCH_ALL && pick(3) > 0)
		c.kind = MATCH_PREFIX;
	c.prefix = random_prefix();
	c.asn = asns[pick(4)];
	c.number = pick(2);
	if (c.kind == MATCH_CONTINENT)
		memcpy(c.code, continents[pick(3)], 2);
	else if (c.kind == MATCH_COUNTRY || pick(2) == 0)
		memcpy(c.code, countries[pick(5)], 2);
	c.name = names[c.kind == MATCH_CITY ? pick(2) : 2 + pick(3)];
	return c;
}

static struct config_clients random_clients(struct config_client *room, uint32_t least)
{
	struct config_clients out = { room, least + pick(CLIENTS - least + 1), "" };

	for (size_t i = 0; i < out.count; i++)
		room[i] = random_client();
	return out;
}

static size_t random_sites(uint16_t *sites, uint32_t least)
{
	size_t count = least + pick(4);
	uint16_t at = (uint16_t)pick(FIXTURE_SITES);

	for (size_t i = 0; i < count; i++)
		sites[i] = (uint16_t)((at + i * 3) % FIXTURE_SITES);
	return count;
}

static void random_pool(uint32_t p)
{
	struct config_pool *pool = &f.pools[p];
	uint32_t at = 0;

	*pool = (struct config_pool){ .name = "edge",
				      .policy = (enum policy)pick(4),
				      .own_policy = (enum policy)pick(4),
				      .fallback = pick(3) == 0 ? FALLBACK_NEAREST : FALLBACK_ALL,
				      .band_km = pick(3) == 0 ? pick(3000) : 0,
				      .band_percent = pick(3) == 0 ? pick(200) : 0,
				      .sites = pool_sites[p],
				      .site_count = 3 + pick(FIXTURE_SITES - 2),
				      .rules = rules[p],
				      .rule_count = pick(RULES + 1),
				      .fences = fences[p],
				      .fence_count = pick(FENCES + 1),
				      .avoids = avoids[p],
				      .avoid_count = pick(AVOIDS + 1) };
	for (uint16_t i = 0; i < FIXTURE_SITES; i++)
		pool_sites[p][i] = (struct config_pool_site){
			.site = (uint16_t)((i + p) % FIXTURE_SITES),
			.priority = pick(3),
			.bias_percent = (int8_t)(pick(3) == 0 ? (int)pick(199) - 99 : 0)
		};
	for (size_t i = 0; i < RULES; i++) {
		struct config_rule *rule = &rules[p][i];

		*rule = (struct config_rule){ .clients = random_clients(clients[p][at++], 1),
					      .sites = site_lists[p][i],
					      .bands = band_lists[p][i],
					      .has_policy = pick(3) == 0,
					      .policy = (enum policy)pick(4) };
		rule->site_count = random_sites(site_lists[p][i], rule->has_policy ? 0 : 1);
		for (size_t b = 1; b < FIXTURE_SITES; b++)
			band_lists[p][i][b] = (uint16_t)(band_lists[p][i][b - 1] + pick(2));
	}
	for (size_t i = 0; i < FENCES; i++) {
		fences[p][i] = (struct config_fence){
			.clients = random_clients(clients[p][at], 1),
			.except = random_clients(clients[p][at + 1], 0),
			.never = site_lists[p][RULES + i],
			.never_count = random_sites(site_lists[p][RULES + i], 1),
		};
		at += 2;
	}
	for (size_t i = 0; i < AVOIDS; i++)
		avoids[p][i] = (struct config_avoid){ .clients = random_clients(clients[p][at++],
										1) };
}

static const char *random_overrides(void)
{
	static char text[2048];
	static const char *const rows[] = {
		"country=FR",  "site=sydney country=AU",    "asn=64999",
		"city=Berlin", "latitude=-20 longitude=30", "subdivision=27 asn=64500",
		"continent=SA"
	};
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = pick(10); i > 0; i--) {
		struct ip_prefix prefix = random_prefix();
		char written[IP_PREFIX_SIZE];

		len += (size_t)sprintf(text + len, "%s %s\n", ip_prefix_format(&prefix, written),
				       rows[pick(7)]);
	}
	return fixture_write(&f, text);
}

static void random_config(void)
{
	fixture_open(&f);
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	(void)fixture_add_database(&f, DATA("asn.mmdb"));
	(void)fixture_add_database(&f, DATA("traits.mmdb"));
	for (uint32_t i = 0; i < 2; i++) {
		own[i] = random_prefix();
		lists[i] = (struct config_list){ "list", listed[i], pick(7) };
		for (size_t n = 0; n < lists[i].prefix_count; n++)
			listed[i][n] = random_prefix();
	}
	for (uint32_t p = 0; p < POOLS; p++)
		random_pool(p);
	f.config.pool_count = POOLS;
	f.config.preference_depth = 1 + pick(5);
	f.config.fields = fields;
	f.config.field_count = 2;
	f.config.lists = lists;
	f.config.list_count = 2;
	f.config.own_networks = own;
	f.config.own_network_count = pick(3);
	f.config.overrides_path = random_overrides();
	if (pick(2) == 0)
		f.config.resolvers_path = random_overrides();
}

/* --- what it means ------------------------------------------------------------------------- */

/* One address. */
struct asking {
	struct ip_address address;
	struct located located;
	int own_len; /* of the longest own network around; -1: none */
};

static int longest(const struct ip_prefix *prefixes, size_t count, const struct ip_address *address)
{
	int best = -1;

	for (size_t i = 0; i < count; i++)
		if (ip_prefix_contains(&prefixes[i], address) && prefixes[i].len > best)
			best = prefixes[i].len;
	return best;
}

static bool same_name(const char *a, const char *b)
{
	return *a != '\0' && strcasecmp(a, b) == 0;
}

/* How well a client matches: the kind, and of networks the length; -1: not. */
static int match(const struct config_client *c, const struct asking *a)
{
	const struct location *l = &a->located.location;
	const struct locations_root *root = image_root(&f.locations, struct locations_root);
	const char *city = location_text(&f.locations, l->city);
	const char *code = location_text(&f.locations, l->subdivision);
	const char *name = location_text(&f.locations, l->subdivision_name);
	bool in_country = c->code[0] == '\0' || memcmp(c->code, l->country, 2) == 0;

	switch (c->kind) {
	case MATCH_PREFIX: return longest(&c->prefix, 1, &a->address);
	case MATCH_LIST:
		return longest(lists[c->number].prefixes, lists[c->number].prefix_count,
			       &a->address);
	case MATCH_OWN: return a->own_len;
	case MATCH_ASN: return l->asn == c->asn ? 0 : -1;
	case MATCH_FIELD:
		return (image_at(&f.locations, uint64_t, root->field_sets_off)[l->fields] >>
				c->number &
			1) != 0
			       ? 0
			       : -1;
	case MATCH_CITY: return in_country && same_name(city, c->name) ? 0 : -1;
	case MATCH_SUBDIVISION:
		return in_country && (same_name(code, c->name) || same_name(name, c->name)) ? 0
											    : -1;
	case MATCH_COUNTRY: return memcmp(c->code, l->country, 2) == 0 ? 0 : -1;
	case MATCH_CONTINENT: return memcmp(c->code, l->continent, 2) == 0 ? 0 : -1;
	case MATCH_UNKNOWN:
		return l->country[0] == '\0' && (l->has & LOCATION_COORDINATES) == 0 ? 0 : -1;
	case MATCH_ALL: return 0;
	}
	return -1;
}

static bool is_network(enum client_match kind)
{
	return kind <= MATCH_OWN;
}

/* Higher is more specific; -1: no match. */
static int rank(const struct config_client *c, const struct asking *a)
{
	int matched = match(c, a);

	if (matched < 0)
		return -1;
	return is_network(c->kind) ? 1000 + matched : MATCH_ALL - (int)c->kind;
}

static bool any_matches(const struct config_clients *list, const struct asking *a, bool by_own)
{
	for (size_t i = 0; i < list->count; i++)
		if (match(&list->list[i], a) >= 0 &&
		    (!by_own || is_network(list->list[i].kind) || list->list[i].kind == MATCH_ALL))
			return true;
	return false;
}

struct expected {
	uint32_t rule, fences, avoids; /* bits */
	enum policy policy;
	bool own;
	uint16_t nearest;
	uint16_t sites[FIXTURE_SITES], bands[FIXTURE_SITES];
	uint32_t count;
};

static uint32_t find_rule(const struct config_pool *pool, const struct asking *a, bool *by_own)
{
	uint32_t best = GEO_RULE_NONE;
	int best_rank = a->own_len >= 0 ? 1000 + a->own_len - 1 : -1;

	for (uint32_t r = 0; r < pool->rule_count; r++)
		for (size_t i = 0; i < pool->rules[r].clients.count; i++) {
			int at = rank(&pool->rules[r].clients.list[i], a);

			if (at > best_rank) {
				best = r;
				best_rank = at;
			}
		}
	*by_own = a->own_len >= 0 && best == GEO_RULE_NONE;
	return best;
}

static bool is_fenced(const struct config_pool *pool, const struct expected *e, uint16_t site)
{
	for (uint32_t i = 0; i < pool->fence_count; i++)
		for (size_t n = 0; (e->fences >> i & 1) != 0 && n < pool->fences[i].never_count;
		     n++)
			if (pool->fences[i].never[n] == site)
				return true;
	return false;
}

static double distance(const struct location *l, const struct config_pool_site *at)
{
	const double rad = M_PI / 180;
	const struct config_site *site = &f.sites[at->site];
	double s = sin((site->latitude - (double)l->latitude) * rad / 2);
	double t = sin((site->longitude - (double)l->longitude) * rad / 2);
	double c = cos((double)l->latitude * rad) * cos(site->latitude * rad);
	double b = at->bias_percent / 100.0;

	return 2 * 6371.0088 * asin(sqrt(s * s + c * t * t)) * (b >= 0 ? 1 - b : 1 / (1 + b));
}

/* The allowed sites of the pool by a key each, equal ones in the file's or the numbers' order. */
static uint32_t sorted_sites(const struct config_pool *pool, const struct expected *e,
			     const double *key, bool by_number, uint32_t *out)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < pool->site_count; i++) {
		uint32_t at = count;

		if (is_fenced(pool, e, pool->sites[i].site))
			continue;
		while (at > 0 && (key[out[at - 1]] > key[i] ||
				  (by_number && key[out[at - 1]] >= key[i] &&
				   pool->sites[out[at - 1]].site > pool->sites[i].site))) {
			out[at] = out[at - 1];
			at--;
		}
		out[at] = i;
		count++;
	}
	return count;
}

static void add_site(struct expected *e, uint16_t site, uint16_t band)
{
	e->sites[e->count] = site;
	e->bands[e->count++] = band;
}

static void list_rule(const struct config_pool *pool, const struct config_rule *rule,
		      struct expected *e)
{
	uint16_t band = 0, of_last = 0;

	for (size_t i = 0; i < rule->site_count; i++) {
		if (is_fenced(pool, e, rule->sites[i]))
			continue;
		if (e->count > 0 && rule->bands[i] != of_last)
			band++;
		of_last = rule->bands[i];
		add_site(e, rule->sites[i], band);
	}
}

static void list_by_distance(const struct config_pool *pool, const uint32_t *order, uint32_t count,
			     const double *km, struct expected *e)
{
	bool has_bands = pool->band_km > 0 || pool->band_percent > 0;
	uint32_t depth = f.config.preference_depth;
	double from = 0;
	uint16_t band = 0;

	for (uint32_t i = 0; i < count; i++) {
		double d = km[order[i]];
		bool begins = i == 0 || !has_bands ||
			      (d > from + pool->band_km &&
			       d > from * (1 + pool->band_percent / 100.0));

		if (begins && i >= depth)
			break;
		if (begins)
			from = d;
		band = (uint16_t)(band + (begins && i > 0));
		add_site(e, pool->sites[order[i]].site, band);
	}
	for (uint32_t i = 1; i + 1 < e->count; i++) /* in their bands by number, but the first */
		for (uint32_t j = i + 1; j < e->count; j++)
			if (e->bands[j] == e->bands[i] && e->sites[j] < e->sites[i]) {
				uint16_t site = e->sites[i];

				e->sites[i] = e->sites[j];
				e->sites[j] = site;
			}
}

static void list_policy(const struct config_pool *pool, const struct asking *a, bool by_own,
			struct expected *e)
{
	const struct location *l = &a->located.location;
	bool is_located = !by_own && (l->has & LOCATION_COORDINATES) != 0;
	double km[FIXTURE_SITES] = { 0 }, priority[FIXTURE_SITES], none[FIXTURE_SITES] = { 0 };
	uint32_t order[FIXTURE_SITES], near[FIXTURE_SITES];
	uint32_t count;

	for (uint32_t i = 0; i < pool->site_count; i++) {
		if (is_located)
			km[i] = distance(l, &pool->sites[i]);
		priority[i] = pool->sites[i].priority;
	}
	count = sorted_sites(pool, e, km, true, near);
	if (is_located && pool->fallback == FALLBACK_NEAREST && count > 0)
		e->nearest = pool->sites[near[0]].site;
	if (e->rule != GEO_RULE_NONE && pool->rules[e->rule].site_count > 0) {
		list_rule(pool, &pool->rules[e->rule], e);
		return;
	}
	if (e->policy == POLICY_NEAREST && is_located) {
		list_by_distance(pool, near, count, km, e);
		return;
	}
	(void)sorted_sites(pool, e, e->policy == POLICY_FAILOVER ? priority : none, false, order);
	if (e->policy != POLICY_FAILOVER && e->policy != POLICY_NEAREST &&
	    e->nearest != GEO_SITE_NONE)
		add_site(e, e->nearest, 0);
	for (uint32_t i = 0; i < count; i++) {
		const struct config_pool_site *site = &pool->sites[order[i]];
		uint16_t band = e->count > 0 ? e->bands[e->count - 1] : 0;

		if (e->policy == POLICY_NEAREST && i >= f.config.preference_depth)
			break;
		if (e->count > 0 && e->sites[0] == site->site)
			continue;
		if (i > 0 && (e->policy == POLICY_NEAREST ||
			      (e->policy == POLICY_FAILOVER &&
			       site->priority != pool->sites[order[i - 1]].priority)))
			band++;
		add_site(e, site->site, band);
	}
}

static struct expected expect(const struct config_pool *pool, const struct asking *a)
{
	struct expected e = { .nearest = GEO_SITE_NONE, .own = a->own_len >= 0 };
	bool by_own;

	e.rule = find_rule(pool, a, &by_own);
	e.policy = by_own ? pool->own_policy : pool->policy;
	if (e.rule != GEO_RULE_NONE && pool->rules[e.rule].has_policy)
		e.policy = pool->rules[e.rule].policy;
	for (uint32_t i = 0; i < pool->fence_count; i++)
		if (any_matches(&pool->fences[i].clients, a, by_own) &&
		    !any_matches(&pool->fences[i].except, a, by_own))
			e.fences |= 1U << i;
	for (uint32_t i = 0; i < pool->avoid_count; i++)
		if (any_matches(&pool->avoids[i].clients, a, by_own))
			e.avoids |= 1U << i;
	list_policy(pool, a, by_own, &e);
	return e;
}

/* --- comparing ----------------------------------------------------------------------------- */

static uint32_t bits_of(uint64_t offset, uint32_t count, uint32_t first)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < count; i++)
		bits |= 1U << (image_at(&f.geo, uint32_t, offset)[i] - first);
	return bits;
}

static void compare(const struct geo_pref *got, const struct expected *e, uint32_t pool,
		    const char *text)
{
	uint32_t rule = e->rule, fence = 0, avoid = 0;

	for (uint32_t p = 0; p < pool; p++) {
		rule += rule != GEO_RULE_NONE ? (uint32_t)f.pools[p].rule_count : 0;
		fence += (uint32_t)f.pools[p].fence_count;
		avoid += (uint32_t)f.pools[p].avoid_count;
	}
	ck_assert_msg(got->rule == rule, "%s: rule %d, not %d", text, (int)got->rule, (int)rule);
	ck_assert_msg(got->policy == e->policy && got->own == e->own, "%s: policy %u own %u", text,
		      got->policy, got->own);
	ck_assert_msg(bits_of(got->fences_off, got->fence_count, fence) == e->fences, "%s: fences",
		      text);
	ck_assert_msg(bits_of(got->avoids_off, got->avoid_count, avoid) == e->avoids, "%s: avoids",
		      text);
	ck_assert_msg(got->nearest == e->nearest, "%s: nearest %u, not %u", text, got->nearest,
		      e->nearest);
	ck_assert_msg(got->site_count == e->count, "%s: %u sites, not %u", text, got->site_count,
		      e->count);
	for (uint32_t i = 0; i < e->count; i++)
		ck_assert_msg(image_at(&f.geo, uint16_t, got->sites_off)[i] == e->sites[i] &&
				      image_at(&f.geo, uint16_t, got->bands_off)[i] == e->bands[i],
			      "%s: place %u: %u/%u, not %u/%u", text, i,
			      image_at(&f.geo, uint16_t, got->sites_off)[i],
			      image_at(&f.geo, uint16_t, got->bands_off)[i], e->sites[i],
			      e->bands[i]);
}

static struct asking ask(const struct ip_address *address, bool is_source)
{
	struct asking a = { .address = *address };

	if (is_source)
		(void)locations_find_source(&f.locations, address, &a.located);
	else
		locations_find(&f.locations, address, &a.located);
	a.own_len = longest(own, f.config.own_network_count, address);
	return a;
}

static void check_address(const struct ip_address *address, bool is_source)
{
	struct asking a = ask(address, is_source);
	struct geo_match match = is_source ? geo_find_source(&f.geo, address)
					   : geo_find(&f.geo, address);
	char text[IP_TEXT_SIZE];

	(void)ip_format(address, text);
	for (uint32_t p = 0; p < POOLS; p++) {
		struct expected e = expect(&f.pools[p], &a);

		compare(geo_pool_pref(&f.geo, p, geo_class_pref(&f.geo, match.class_id, p)), &e, p,
			text);
	}
}

/* Some other address of the network that was found has the same preferences by the model. */
static void check_scope(const struct ip_address *address, uint8_t len)
{
	struct ip_address inside = *address;

	for (unsigned bit = len; bit < ip_bits(address->family); bit++)
		if (pick(2) == 0)
			inside.bytes[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
	check_address(&inside, false);
	ck_assert_uint_eq(geo_find(&f.geo, &inside).class_id, geo_find(&f.geo, address).class_id);
}

START_TEST(preferences_are_what_the_files_say_address_by_address)
{
	seed = 1000 + (uint64_t)_i;
	for (int round = 0; round < ROUNDS; round++) {
		random_config();
		fixture_build(&f);
		ck_assert_ptr_nonnull(f.geo.base);
		for (int i = 0; i < ADDRESSES; i++) {
			struct ip_address address = random_address();

			check_address(&address, false);
			check_address(&address, true);
			check_scope(&address, geo_find(&f.geo, &address).prefix_len);
		}
		fixture_close(&f);
	}
}
END_TEST

Suite *geo_model_suite(void)
{
	Suite *suite = suite_create("geo_model");
	TCase *all = tcase_create("geo_model");

	tcase_set_timeout(all, 300);
	tcase_add_loop_test(all, preferences_are_what_the_files_say_address_by_address, 0, 4);
	suite_add_tcase(suite, all);
	return suite;
}

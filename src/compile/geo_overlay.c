#include "compile/geo_overlay.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define EMBEDDED_LEN 96

/* One network rule of one pool. */
struct network {
	address_bits first, last;
	uint8_t family, len;
	uint32_t pool, pref;
	uint32_t order; /* in the files */
};

struct sweep {
	struct geo_overlay *overlay;
	struct breaks *breaks;
	uint32_t pool_count;
	uint32_t *tuple; /* of each pool */
	uint8_t *tuple_len;
	/* The networks around the address in hand, the widest first: each lies in the one before. */
	const struct network **around;
	size_t around_count;
	/* Several networks may begin or end at one address: the last state there counts. */
	address_bits pending_at;
	uint32_t pending;
};

static struct network make_network(const struct ip_prefix *prefix)
{
	struct ip_address address = prefix->address;
	struct network n = { .family = address.family, .len = prefix->len };
	struct ip6_words words;

	if (prefix->len >= EMBEDDED_LEN && geo_embedded_ipv4(&prefix->address, &address)) {
		n.family = IP_V4;
		n.len = (uint8_t)(prefix->len - EMBEDDED_LEN);
	}
	memcpy(&words, address.bytes, sizeof(words));
	n.first = bits_of_v6((struct ip6_words){ be64toh(words.high), be64toh(words.low) });
	n.last = n.first | (n.len == 128 ? 0 : ~(address_bits)0 >> n.len);
	return n;
}

static struct network *list_networks(const struct geo_prefs *prefs, uint32_t *count)
{
	struct network *list = NULL;
	uint32_t cap = 0;

	*count = 0;
	for (uint32_t p = 0; p < prefs->config->pool_count; p++) {
		const struct pool_prefs *pool = &prefs->pools[p];

		for (size_t r = 0; r < pool->config->rule_count; r++) {
			const struct config_rule *rule = &pool->config->rules[r];

			for (size_t c = 0; c < rule->clients.count; c++) {
				struct network n;

				if (rule->clients.list[c].kind != MATCH_PREFIX)
					continue;
				n = make_network(&rule->clients.list[c].prefix);
				n.pool = p;
				n.pref = pool->rule_pref[r];
				n.order = *count;
				array_add(list, *count, cap) = n;
			}
		}
	}
	return list;
}

/* By start, a network before those inside it, and then as the files have them. */
static int compare(const void *a, const void *b)
{
	const struct network *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* The overlay of the networks around: for each pool the longest, the first of equal ones. */
static uint32_t state(struct sweep *s)
{
	size_t size = (s->pool_count ? s->pool_count : 1) * sizeof(*s->tuple);

	memset(s->tuple, 0xff, size);
	for (size_t i = 0; i < s->around_count; i++) {
		const struct network *n = s->around[i];

		if (s->tuple[n->pool] == OVERLAY_NONE || s->tuple_len[n->pool] < n->len) {
			s->tuple[n->pool] = n->pref;
			s->tuple_len[n->pool] = n->len;
		}
	}
	return numbering_add(&s->overlay->numbers, s->tuple, size);
}

static void change(struct sweep *s, address_bits at)
{
	if (at != s->pending_at)
		breaks_add(s->breaks, s->pending_at, s->pending);
	s->pending_at = at;
	s->pending = state(s);
}

/* Leaves the networks that end before `at`. */
static void leave_before(struct sweep *s, address_bits at)
{
	while (s->around_count > 0 && s->around[s->around_count - 1]->last < at) {
		address_bits end = s->around[--s->around_count]->last + 1;

		change(s, end);
	}
}

static void leave_all(struct sweep *s)
{
	while (s->around_count > 0) {
		address_bits last = s->around[--s->around_count]->last;

		if (last != ~(address_bits)0) /* else there is no address behind it */
			change(s, last + 1);
	}
}

static void sweep_family(struct sweep *s, const struct network *list, uint32_t count)
{
	s->pending_at = 0;
	s->around_count = 0;
	s->pending = state(s);
	for (uint32_t i = 0; i < count; i++) {
		if (list[i].family != s->breaks->family)
			continue;
		leave_before(s, list[i].first);
		s->around[s->around_count++] = &list[i];
		change(s, list[i].first);
	}
	leave_all(s);
	breaks_add(s->breaks, s->pending_at, s->pending);
}

void geo_overlay_init(struct geo_overlay *overlay, const struct geo_prefs *prefs)
{
	uint32_t pools = (uint32_t)prefs->config->pool_count;
	uint32_t count;
	struct network *list = list_networks(prefs, &count);
	struct sweep s = { .overlay = overlay,
			   .pool_count = pools,
			   .tuple = mem_array(pools, sizeof(*s.tuple)),
			   .tuple_len = mem_array(pools, 1),
			   .around = mem_array(count, sizeof(struct network *)) };

	*overlay = (struct geo_overlay){ .breaks = { { .family = IP_V4 }, { .family = IP_V6 } } };
	if (count > 0)
		qsort(list, count, sizeof(*list), compare);
	for (int family = 0; family < 2; family++) {
		s.breaks = &overlay->breaks[family];
		sweep_family(&s, list, count);
	}
	free(s.tuple);
	free(s.tuple_len);
	free(s.around);
	free(list);
}

void geo_overlay_free(struct geo_overlay *overlay)
{
	numbering_free(&overlay->numbers);
	for (int family = 0; family < 2; family++)
		breaks_free(&overlay->breaks[family]);
}

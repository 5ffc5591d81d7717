#include "compile/network_sweep.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "compile/radix.h"
#include "image/geo.h"

#define EMBEDDED_LEN 96
#define STACK_MAX    129 /* prefix lengths of 0 to 128, each once */

/* --- lists --------------------------------------------------------------------------------- */

struct network network_of(const struct ip_prefix *prefix, uint32_t value)
{
	struct ip_address address = prefix->address;
	struct network n = { .family = address.family, .len = prefix->len, .value = value };
	struct ip6_words words;

	if (prefix->len >= EMBEDDED_LEN && geo_embedded_ipv4(&prefix->address, &address)) {
		n.family = IP_V4;
		n.len = (uint8_t)(prefix->len - EMBEDDED_LEN);
	}
	memcpy(&words, address.bytes, sizeof(words));
	n.first = bits_of_v6((struct ip6_words){ be64toh(words.high), be64toh(words.low) });
	return n;
}

void network_list_add(struct network_list *list, const struct ip_prefix *prefix, uint32_t value)
{
	array_add(list->items, list->count, list->cap) = network_of(prefix, value);
}

void network_list_join(struct network_list *list, const struct network_list *other, uint32_t more)
{
	list->cap = list->count + other->count;
	list->items = mem_resize(list->items, list->cap, sizeof(*list->items));
	for (uint32_t i = 0; i < other->count; i++) {
		list->items[list->count] = other->items[i];
		list->items[list->count++].value += more;
	}
}

static int compare(const struct network *x, const struct network *y)
{
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->len < y->len ? -1 : x->len > y->len;
}

static bool is_sorted(const struct network_list *list)
{
	for (uint32_t i = 1; i < list->count; i++)
		if (compare(&list->items[i - 1], &list->items[i]) > 0)
			return false;
	return true;
}

/* Sorts by one part of what networks are compared by: those that were sorted by the lesser parts
 * before stay so. */
static void sort_by(const struct network_list *list, struct radix_item *order, uint64_t *keys)
{
	for (uint32_t i = 0; i < list->count; i++)
		order[i].key = keys[order[i].number];
	radix_sort(order, order + list->count, list->count);
}

static void sort(struct network_list *list)
{
	struct radix_item *order = mem_array(2 * (size_t)list->count, sizeof(*order));
	struct network *sorted = mem_array(list->count, sizeof(*sorted));
	uint64_t *keys = mem_array(list->count, sizeof(*keys));

	for (uint32_t i = 0; i < list->count; i++) {
		order[i].number = i;
		keys[i] = list->items[i].len;
	}
	sort_by(list, order, keys);
	for (uint32_t i = 0; i < list->count; i++)
		keys[i] = (uint64_t)list->items[i].first;
	sort_by(list, order, keys);
	for (uint32_t i = 0; i < list->count; i++)
		keys[i] = (uint64_t)(list->items[i].first >> 64);
	sort_by(list, order, keys);
	for (uint32_t i = 0; i < list->count; i++)
		keys[i] = list->items[i].family;
	sort_by(list, order, keys);
	for (uint32_t i = 0; i < list->count; i++)
		sorted[i] = list->items[order[i].number];
	free(keys);
	free(order);
	free(list->items);
	list->items = sorted;
	list->cap = list->count;
}

/* Files of a million networks are mostly sorted by whoever makes them. */
void network_list_sort(struct network_list *list)
{
	if (!is_sorted(list))
		sort(list);
}

void network_list_free(struct network_list *list)
{
	free(list->items);
	*list = (struct network_list){ 0 };
}

/* --- the sweep ----------------------------------------------------------------------------- */

struct sweep {
	struct breaks *breaks;
	/* The networks around the address in hand, each in the one before: their ends, and what holds
	 * in them. */
	address_bits last[STACK_MAX];
	uint32_t held[STACK_MAX];
	unsigned depth;
	/* Several networks may begin or end at one address: what is said last of it counts. */
	address_bits pending_at;
	uint32_t pending;
};

static uint32_t held_now(const struct sweep *s)
{
	return s->depth > 0 ? s->held[s->depth - 1] : 0;
}

static void change(struct sweep *s, address_bits at)
{
	if (at != s->pending_at)
		breaks_add(s->breaks, s->pending_at, s->pending);
	s->pending_at = at;
	s->pending = held_now(s);
}

/* Leaves the networks that end before `at`. */
static void leave_before(struct sweep *s, address_bits at)
{
	while (s->depth > 0 && s->last[s->depth - 1] < at)
		change(s, s->last[--s->depth] + 1);
}

static void leave_all(struct sweep *s)
{
	while (s->depth > 0) {
		address_bits last = s->last[--s->depth];

		if (last != ~(address_bits)0) /* else there is no address behind it */
			change(s, last + 1);
	}
}

static bool is_equal(const struct network *a, const struct network *b)
{
	return a->first == b->first && a->len == b->len && a->family == b->family;
}

void network_sweep(const struct network_list *list, struct breaks *breaks, network_enter *enter,
		   void *context)
{
	struct sweep s = { .breaks = breaks };

	for (uint32_t i = 0, equal; i < list->count; i += equal) {
		const struct network *n = &list->items[i];

		for (equal = 1; i + equal < list->count && is_equal(n, n + equal);)
			equal++;
		if (n->family != breaks->family)
			continue;
		leave_before(&s, n->first);
		s.held[s.depth] = enter(context, held_now(&s), n, equal);
		s.last[s.depth++] = n->first | (n->len == 128 ? 0 : ~(address_bits)0 >> n->len);
		change(&s, n->first);
	}
	leave_all(&s);
	breaks_add(breaks, s.pending_at, s.pending);
}

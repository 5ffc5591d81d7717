#include "tests/fuzz/ask.h"

#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/serve/batch_check.h"
#include "wire/edns.h"

#define UDP_SIZE   1232
#define NODES_MAX  100 /* of a zone that are asked for */
#define QUERY_SIZE 512

struct ip_address ask_address(unsigned number)
{
	static const char *const texts[ASK_ADDRESSES] = { "0.0.0.0",
							  "192.0.2.1",
							  "203.0.113.77",
							  "255.255.255.255",
							  "1.1.1.1",
							  "81.2.69.160",
							  "::",
							  "2001:db8::1",
							  "2001:db8:8::",
							  "::ffff:192.0.2.1",
							  "64:ff9b::192.0.2.1",
							  "2001:480:10::1",
							  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
							  "::1",
							  "2002:c000:201::1",
							  "100.64.0.1" };
	struct ip_address address;

	must(ip_parse(texts[number % ASK_ADDRESSES], &address));
	return address;
}

static void put_opt(struct writer *w, const struct ip_prefix *ecs)
{
	unsigned octets = (ecs->len + 7U) / 8U;

	put_u8(w, 0);
	put_u16(w, TYPE_OPT);
	put_u16(w, UDP_SIZE);
	put_u32(w, 0);
	put_u16(w, (uint16_t)(8 + octets));
	put_u16(w, EDNS_CLIENT_SUBNET);
	put_u16(w, (uint16_t)(4 + octets));
	put_u16(w, ecs->address.family == IP_V4 ? ECS_IPV4 : ECS_IPV6);
	put_u8(w, ecs->len);
	put_u8(w, 0);
	put_bytes(w, ecs->address.bytes, octets);
}

static size_t put_question(const struct question *question, uint8_t message[QUERY_SIZE])
{
	struct writer w = { .data = message, .size = QUERY_SIZE };

	put_u16(&w, 0x4944);
	put_u16(&w, 0x0100);
	put_u32(&w, 0x00010000);
	put_u32(&w, question->ecs != NULL);
	put_bytes(&w, question->name, question->name_len);
	put_u16(&w, question->type);
	put_u16(&w, CLASS_IN);
	if (question->ecs != NULL)
		put_opt(&w, question->ecs);
	must(!w.full);
	return w.pos;
}

size_t ask(const struct world *world, const struct question *question,
	   uint8_t reply[DNS_MESSAGE_MAX])
{
	static struct counters counters;
	uint8_t message[QUERY_SIZE];
	struct client client = { .address = ask_address(question->type),
				 .tcp = question->tcp,
				 .random = hash_word(question->name_len) };
	size_t limit = question->tcp ? DNS_MESSAGE_MAX : UDP_SIZE;
	size_t len = put_question(question, message);

	len = answer(world, &client, message, len, reply, limit, &counters);
	must(len >= DNS_HEADER_SIZE && len <= limit);
	must(load_u16(reply) == 0x4944 && (reply[2] & 0x80) != 0);
	return len;
}

/* The same questions, collected: what is asked together is answered on another way. */
struct together {
	const struct world *world;
	struct batch_message messages[BATCH_MAX];
	uint8_t data[BATCH_MAX][QUERY_SIZE];
	unsigned count;
};

static void ask_together(struct together *t)
{
	static struct counters counters;

	batch_check(t->world, t->messages, t->count, UDP_SIZE, 0, &counters);
	t->count = 0;
}

static void add(struct together *t, const struct question *question)
{
	if (t->count == BATCH_MAX)
		ask_together(t);
	t->messages[t->count] = (struct batch_message){ .data = t->data[t->count],
							.len = put_question(question,
									    t->data[t->count]),
							.from = ask_address(question->type),
							.random = hash_word(question->name_len) };
	t->count++;
}

static void ask_name(struct together *t, const uint8_t *name, size_t len, unsigned way)
{
	static const uint16_t types[] = { TYPE_A,  TYPE_AAAA, TYPE_ANY, TYPE_MX,
					  TYPE_NS, TYPE_DS,   TYPE_SOA, TYPE_TXT };
	static uint8_t reply[DNS_MESSAGE_MAX];

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++, way++) {
		struct ip_prefix ecs = { .address = ask_address(way) };
		struct question question = { .name = name,
					     .name_len = len,
					     .type = types[i],
					     .ecs = way % 4 != 0 ? &ecs : NULL,
					     .tcp = way % 3 == 0 };

		ecs.len = (uint8_t)(ecs.address.family == IP_V4 ? 24 : 56);
		ip_mask(ecs.address.bytes, ecs.len);
		(void)ask(t->world, &question, reply);
		add(t, &question);
	}
}

/* Whoever asks may get other nodes: by the way of those that are asked together, which is held against
 * the other one. */
static void ask_steered(struct together *t, const uint8_t *name, size_t len)
{
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA, TYPE_SRV, TYPE_HTTPS, TYPE_SVCB };

	for (unsigned i = 0; i < ASK_ADDRESSES * sizeof(types) / sizeof(types[0]); i++) {
		struct ip_prefix ecs = { .address = ask_address(i) };

		ecs.len = (uint8_t)(ecs.address.family == IP_V4 ? 24 : 56);
		ip_mask(ecs.address.bytes, ecs.len);
		add(t, &(struct question){ .name = name,
					   .name_len = len,
					   .type = types[i / ASK_ADDRESSES],
					   .ecs = &ecs });
	}
}

static void ask_below(struct together *t, const uint8_t *name, size_t len, unsigned way)
{
	uint8_t below[DNS_NAME_MAX + 2] = { 1, 'x' };

	memcpy(below + 2, name, len);
	if (len + 2 <= DNS_NAME_MAX)
		ask_name(t, below, len + 2, way);
}

static void ask_zone(struct together *t, const struct zone_segment *segment)
{
	const struct zone_node *node;
	uint32_t at = segment->nodes_off;

	for (unsigned i = 0; i < NODES_MAX && (node = zone_next(segment, &at)) != NULL; i++) {
		uint8_t name[ZONE_NAME_SIZE];
		size_t len = zone_node_name(segment, node, name);

		ask_name(t, name, len, i);
		if (node->pool_types != 0)
			ask_steered(t, name, len);
		ask_below(t, name, len, i + 1);
	}
}

void ask_everything(const struct world *world)
{
	static struct together together;
	const struct zones_root *root = image_root(&world->zones, struct zones_root);

	together.world = world;
	for (uint32_t i = 0; i < root->zone_count; i++)
		ask_zone(&together, zones_segment(&world->zones, i));
	ask_together(&together);
}

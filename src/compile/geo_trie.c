#include "compile/geo_trie.h"

#include <stdlib.h>
#include <string.h>

#define ROOT_BITS  16U
#define ROOT_SLOTS 65536U
#define NODE_BITS  6U
#define NODE_SLOTS 64U

struct build {
	geo_trie_next *next;
	void *context;
	uint32_t class_id; /* in force now */
	bool more;         /* the next change: */
	address_bits change_at;
	uint32_t change_to;
	struct geo_draft *out;
};

static void read_change(struct build *b)
{
	do
		b->more = b->next(b->context, &b->change_at, &b->change_to);
	while (b->more && b->change_to == b->class_id);
}

static void pass_change(struct build *b)
{
	b->class_id = b->change_to;
	read_change(b);
}

static unsigned slot_of(address_bits at, unsigned pos)
{
	unsigned end = pos + NODE_BITS; /* the last node of an address ends behind its last bit */

	return (unsigned)(end <= 128 ? at >> (128 - end) : at << (end - 128)) % NODE_SLOTS;
}

static bool starts_slot(address_bits at, unsigned slot_end)
{
	return slot_end >= 128 || at << slot_end == 0;
}

/* A node in the making: its children come together here, because they must be neighbours. */
struct draft {
	struct geo_node node;
	struct geo_node child[NODE_SLOTS];
	uint16_t leaf[NODE_SLOTS];
	unsigned child_count, leaf_count;
};

static void add_leaf(struct draft *d, unsigned slot, uint32_t class_id)
{
	if (d->leaf_count > 0 && d->leaf[d->leaf_count - 1] == class_id)
		return;
	d->leaf[d->leaf_count++] = (uint16_t)class_id;
	d->node.leaves |= UINT64_C(1) << slot;
}

static struct geo_node finish(struct build *b, struct draft *d)
{
	struct geo_draft *out = b->out;

	d->node.child_base = out->node_count;
	for (unsigned i = 0; i < d->child_count; i++)
		array_add(out->nodes, out->node_count, out->node_cap) = d->child[i];
	d->node.leaf_base = out->leaf_count;
	for (unsigned i = 0; i < d->leaf_count; i++)
		array_add(out->leaves, out->leaf_count, out->leaf_cap) = d->leaf[i];
	return d->node;
}

/* The node that begins at bit `pos` and in which the next change happens. */
static struct geo_node build_node(struct build *b, unsigned pos)
{
	address_bits prefix = b->change_at >> (128 - pos);
	struct draft d;

	d.node = (struct geo_node){ 0 };
	d.child_count = d.leaf_count = 0;
	for (unsigned slot = 0; slot < NODE_SLOTS;) {
		bool inside = b->more && b->change_at >> (128 - pos) == prefix;
		unsigned change = inside ? slot_of(b->change_at, pos) : NODE_SLOTS;

		if (slot < change) {
			add_leaf(&d, slot, b->class_id);
			slot = change;
		} else if (starts_slot(b->change_at, pos + NODE_BITS)) {
			pass_change(b);
		} else {
			d.child[d.child_count++] = build_node(b, pos + NODE_BITS);
			d.node.children |= UINT64_C(1) << slot++;
		}
	}
	return finish(b, &d);
}

static void build_root(struct build *b)
{
	struct geo_draft *out = b->out;

	for (uint32_t slot = 0; slot < ROOT_SLOTS;) {
		uint32_t change = b->more ? (uint32_t)(b->change_at >> (128 - ROOT_BITS))
					  : ROOT_SLOTS;

		if (slot < change) {
			out->root[slot] = GEO_LEAF | b->class_id;
			out->root_len[slot++] = ROOT_BITS;
		} else if (starts_slot(b->change_at, ROOT_BITS)) {
			pass_change(b);
		} else {
			struct geo_node node = build_node(b, ROOT_BITS);

			out->root[slot++] = out->node_count;
			array_add(out->nodes, out->node_count, out->node_cap) = node;
		}
	}
}

/* Two halves that are whole and alike are one, from the shortest blocks to the longest. */
static void merge_root(struct geo_draft *draft)
{
	for (unsigned len = ROOT_BITS; len-- > 0;) {
		uint32_t size = ROOT_SLOTS >> len;

		for (uint32_t slot = 0; slot < ROOT_SLOTS; slot += size) {
			uint32_t half = slot + size / 2;

			if (draft->root_len[slot] == len + 1 && draft->root_len[half] == len + 1 &&
			    draft->root[slot] == draft->root[half])
				memset(draft->root_len + slot, (int)len, size);
		}
	}
}

void geo_trie_build(struct geo_draft *draft, geo_trie_next *next, void *context)
{
	struct build b = { .next = next, .context = context, .out = draft };

	*draft = (struct geo_draft){ .root = mem_array(ROOT_SLOTS, sizeof(uint32_t)),
				     .root_len = mem_array(ROOT_SLOTS, 1) };
	if (!next(context, &b.change_at, &b.class_id))
		abort(); /* no address has a class: the caller's mistake */
	read_change(&b);
	build_root(&b);
	merge_root(draft);
}

void geo_trie_renumber(struct geo_draft *draft, const uint32_t *to)
{
	for (uint32_t slot = 0; slot < ROOT_SLOTS; slot++) {
		uint32_t class_id = draft->root[slot] & ~GEO_LEAF;

		if ((draft->root[slot] & GEO_LEAF) != 0 && class_id != GEO_CLASS_NONE)
			draft->root[slot] = GEO_LEAF | to[class_id];
	}
	for (uint32_t i = 0; i < draft->leaf_count; i++)
		if (draft->leaves[i] != GEO_CLASS_NONE)
			draft->leaves[i] = (uint16_t)to[draft->leaves[i]];
}

void geo_trie_free(struct geo_draft *draft)
{
	free(draft->nodes);
	free(draft->leaves);
	free(draft->root);
	free(draft->root_len);
	*draft = (struct geo_draft){ 0 };
}

struct geo_trie geo_trie_write(struct geo_draft *draft, struct image_writer *writer)
{
	struct geo_trie trie = { .node_count = draft->node_count, .leaf_count = draft->leaf_count };

	trie.root_off = image_writer_append(writer, draft->root, ROOT_SLOTS * sizeof(uint32_t), 64);
	trie.root_len_off = image_writer_append(writer, draft->root_len, ROOT_SLOTS, 64);
	trie.nodes_off = image_writer_append(writer, draft->nodes,
					     draft->node_count * sizeof(*draft->nodes), 64);
	free(draft->nodes); /* the larger part: the image grows by the rest now */
	draft->nodes = NULL;
	trie.leaves_off = image_writer_append(writer, draft->leaves,
					      draft->leaf_count * sizeof(*draft->leaves), 64);
	geo_trie_free(draft);
	return trie;
}

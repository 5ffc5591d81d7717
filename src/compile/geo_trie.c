#include "compile/geo_trie.h"

#include <stdlib.h>

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

static uint32_t root_slots(const struct geo_draft *draft)
{
	return UINT32_C(1) << geo_root_bits(draft->family);
}

static void build_root(struct build *b)
{
	struct geo_draft *out = b->out;
	unsigned root_bits = geo_root_bits(out->family);

	for (uint32_t slot = 0; slot < root_slots(out);) {
		uint32_t change = b->more ? (uint32_t)(b->change_at >> (128 - root_bits))
					  : root_slots(out);

		if (slot < change) {
			out->root[slot++] = geo_leaf(b->class_id, root_bits);
		} else if (starts_slot(b->change_at, root_bits)) {
			pass_change(b);
		} else {
			struct geo_node node = build_node(b, root_bits);

			out->root[slot++] = out->node_count;
			array_add(out->nodes, out->node_count, out->node_cap) = node;
		}
	}
}

/* A run of slots with one leaf value becomes the largest prefixes that fit into it. */
static void name_run(struct geo_draft *draft, uint32_t first, uint32_t end)
{
	uint32_t class_id = draft->root[first] & UINT16_MAX;

	while (first < end) {
		unsigned len = geo_root_bits(draft->family);
		uint32_t size = 1;

		while (len > 0 && first % (2 * size) == 0 && 2 * size <= end - first) {
			size *= 2;
			len--;
		}
		for (uint32_t i = 0; i < size; i++)
			draft->root[first + i] = geo_leaf(class_id, len);
		first += size;
	}
}

static void merge_root(struct geo_draft *draft)
{
	uint32_t slots = root_slots(draft);

	for (uint32_t first = 0, end; first < slots; first = end) {
		for (end = first + 1; end < slots && draft->root[end] == draft->root[first];)
			end++;
		if ((draft->root[first] & GEO_LEAF) != 0)
			name_run(draft, first, end);
	}
}

void geo_trie_build(struct geo_draft *draft, unsigned family, geo_trie_next *next, void *context)
{
	struct build b = { .next = next, .context = context, .out = draft };

	*draft = (struct geo_draft){ .family = family };
	draft->root = mem_array(root_slots(draft), sizeof(uint32_t));
	if (!next(context, &b.change_at, &b.class_id))
		abort(); /* no address has a class: the caller's mistake */
	read_change(&b);
	build_root(&b);
	merge_root(draft);
}

void geo_trie_renumber(struct geo_draft *draft, const uint32_t *to)
{
	for (uint32_t slot = 0; slot < root_slots(draft); slot++) {
		uint32_t value = draft->root[slot], class_id = value & UINT16_MAX;

		if ((value & GEO_LEAF) != 0 && class_id != GEO_CLASS_NONE)
			draft->root[slot] = value - class_id + to[class_id];
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
	*draft = (struct geo_draft){ 0 };
}

struct geo_trie geo_trie_write(struct geo_draft *draft, struct image_writer *writer)
{
	struct geo_trie trie = { .node_count = draft->node_count, .leaf_count = draft->leaf_count };

	trie.root_off = image_writer_append(writer, draft->root,
					    root_slots(draft) * sizeof(uint32_t), 64);
	trie.nodes_off = image_writer_append(writer, draft->nodes,
					     draft->node_count * sizeof(*draft->nodes), 64);
	free(draft->nodes); /* the larger part: the image grows by the rest now */
	draft->nodes = NULL;
	trie.leaves_off = image_writer_append(writer, draft->leaves,
					      draft->leaf_count * sizeof(*draft->leaves), 64);
	geo_trie_free(draft);
	return trie;
}

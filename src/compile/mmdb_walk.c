#include "compile/mmdb_walk.h"

/* A tree in which every node has one parent is walked in node_count steps; the aliases are not
 * followed. Far more steps mean a damaged tree that runs in circles. */
#define STEPS_PER_NODE 4U
#define STEPS_MORE     1024U

#define LEAVES 64U /* that are resolved together: each waits for memory of its own */

/* Where data begins, or where there is none. */
struct leaf {
	address_bits start;
	uint32_t data; /* NO_RECORD: there is none */
};

#define NO_RECORD UINT32_MAX

struct position {
	struct mmdb_walk *walk;
	struct breaks *breaks;
	struct err *err;
	struct leaf leaves[LEAVES];
	unsigned leaf_count;
	unsigned address_len; /* bits */
	uint64_t alias;       /* node of the IPv4 subtree, which an IPv6 walk leaves out */
	bool has_alias;
	uint64_t steps_left;
};

/* Where a branch of the tree leads to. */
struct branch {
	uint64_t record;
	uint8_t type; /* MMDB_RECORD_TYPE_... */
	uint32_t data;
};

static struct branch left_of(const MMDB_search_node_s *node)
{
	return (struct branch){ node->left_record, node->left_record_type,
				node->left_record_entry.offset };
}

static struct branch right_of(const MMDB_search_node_s *node)
{
	return (struct branch){ node->right_record, node->right_record_type,
				node->right_record_entry.offset };
}

static int read_node(const MMDB_s *db, uint64_t number, MMDB_search_node_s *node, struct err *err)
{
	int rc = MMDB_read_node(db, (uint32_t)number, node);

	if (rc != MMDB_SUCCESS)
		return err_set(err, "its search tree is damaged: %s", MMDB_strerror(rc));
	return 0;
}

static int resolve_leaf(struct position *p, const struct leaf *leaf)
{
	struct mmdb_walk *walk = p->walk;
	uint32_t number = 0;

	if (leaf->data != NO_RECORD) {
		bool found;
		uint32_t *known = memo_find(&walk->records, leaf->data, &found);

		if (!found &&
		    walk->number_record(walk->context, leaf->data, known, p->err) != 0)
			return -1;
		number = *known;
	}
	breaks_add(p->breaks, leaf->start, number);
	return 0;
}

static int resolve_leaves(struct position *p)
{
	unsigned count = p->leaf_count;

	p->leaf_count = 0;
	for (unsigned i = 0; i < count; i++)
		if (resolve_leaf(p, &p->leaves[i]) != 0)
			return -1;
	return 0;
}

static int add_leaf(struct position *p, uint32_t data, address_bits start)
{
	if (data != NO_RECORD)
		memo_prefetch(&p->walk->records, data);
	p->leaves[p->leaf_count++] = (struct leaf){ start, data };
	return p->leaf_count < LEAVES ? 0 : resolve_leaves(p);
}

static int walk_branch(struct position *p, struct branch branch, address_bits start, unsigned depth)
{
	MMDB_search_node_s node;

	if (branch.type == MMDB_RECORD_TYPE_DATA)
		return add_leaf(p, branch.data, start);
	if (branch.type == MMDB_RECORD_TYPE_EMPTY ||
	    (p->has_alias && branch.type == MMDB_RECORD_TYPE_SEARCH_NODE &&
	     branch.record == p->alias))
		return add_leaf(p, NO_RECORD, start);
	if (branch.type != MMDB_RECORD_TYPE_SEARCH_NODE || depth >= p->address_len ||
	    p->steps_left-- == 0)
		return err_set(p->err, "its search tree is damaged");
	if (read_node(p->walk->db, branch.record, &node, p->err) != 0 ||
	    walk_branch(p, left_of(&node), start, depth + 1) != 0)
		return -1;
	return walk_branch(p, right_of(&node), start | (address_bits)1 << (127 - depth), depth + 1);
}

static int walk_all(struct position *p, struct branch from)
{
	return walk_branch(p, from, 0, 0) == 0 ? resolve_leaves(p) : -1;
}

/* Follows 96 zero bits: where IPv4 begins in the tree of an IPv6 database. */
static int find_ipv4(const MMDB_s *db, struct branch *branch, struct err *err)
{
	for (unsigned depth = 0; depth < 96 && branch->type == MMDB_RECORD_TYPE_SEARCH_NODE;
	     depth++) {
		MMDB_search_node_s node;

		if (read_node(db, branch->record, &node, err) != 0)
			return -1;
		*branch = left_of(&node);
	}
	return 0;
}

int mmdb_walk(struct mmdb_walk *walk, struct breaks *breaks, struct err *err)
{
	const MMDB_metadata_s *metadata = &walk->db->metadata;
	struct position p = { .walk = walk,
			      .breaks = breaks,
			      .err = err,
			      .address_len = ip_bits(breaks->family),
			      .steps_left = (uint64_t)metadata->node_count * STEPS_PER_NODE +
					    STEPS_MORE };
	struct branch root = { 0, MMDB_RECORD_TYPE_SEARCH_NODE, 0 };
	struct branch ipv4 = root;

	if (metadata->ip_version == 4) {
		if (breaks->family == IP_V4)
			return walk_all(&p, root);
		breaks_add(breaks, 0, 0);
		return 0;
	}
	if (find_ipv4(walk->db, &ipv4, err) != 0)
		return -1;
	if (breaks->family == IP_V4)
		return walk_all(&p, ipv4);
	p.alias = ipv4.record;
	p.has_alias = ipv4.type == MMDB_RECORD_TYPE_SEARCH_NODE;
	return walk_all(&p, root);
}

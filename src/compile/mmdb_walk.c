#include "compile/mmdb_walk.h"

/* A tree in which every node has one parent is walked in node_count steps; the aliases are not
 * followed. Far more steps mean a damaged tree that runs in circles. */
#define STEPS_PER_NODE 4U
#define STEPS_MORE     1024U

struct position {
	struct mmdb_walk *walk;
	struct breaks *breaks;
	struct err *err;
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

static int add_data(struct position *p, uint32_t offset, address_bits start)
{
	struct mmdb_walk *walk = p->walk;
	uint32_t number = 0;
	bool found;
	uint32_t *known = memo_find(&walk->records, offset, &found);

	if (!found) {
		if (walk->number_record(walk->context, offset, &number, p->err) != 0)
			return -1;
		*known = number;
	}
	breaks_add(p->breaks, start, *known);
	return 0;
}

static int walk_branch(struct position *p, struct branch branch, address_bits start, unsigned depth)
{
	MMDB_search_node_s node;

	if (branch.type == MMDB_RECORD_TYPE_DATA)
		return add_data(p, branch.data, start);
	if (branch.type == MMDB_RECORD_TYPE_EMPTY ||
	    (p->has_alias && branch.type == MMDB_RECORD_TYPE_SEARCH_NODE &&
	     branch.record == p->alias)) {
		breaks_add(p->breaks, start, 0);
		return 0;
	}
	if (branch.type != MMDB_RECORD_TYPE_SEARCH_NODE || depth >= p->address_len ||
	    p->steps_left-- == 0)
		return err_set(p->err, "its search tree is damaged");
	if (read_node(p->walk->db, branch.record, &node, p->err) != 0 ||
	    walk_branch(p, left_of(&node), start, depth + 1) != 0)
		return -1;
	return walk_branch(p, right_of(&node), start | (address_bits)1 << (127 - depth), depth + 1);
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
			return walk_branch(&p, root, 0, 0);
		breaks_add(breaks, 0, 0);
		return 0;
	}
	if (find_ipv4(walk->db, &ipv4, err) != 0)
		return -1;
	if (breaks->family == IP_V4)
		return walk_branch(&p, ipv4, 0, 0);
	p.alias = ipv4.record;
	p.has_alias = ipv4.type == MMDB_RECORD_TYPE_SEARCH_NODE;
	return walk_branch(&p, root, 0, 0);
}

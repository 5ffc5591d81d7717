#include "probe/target.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int compare(const void *a, const void *b)
{
	const struct target *x = a;
	const struct target *y = b;

	if (x->address.family != y->address.family)
		return x->address.family < y->address.family ? -1 : 1;
	return memcmp(x->address.bytes, y->address.bytes, sizeof(x->address.bytes));
}

struct target *target_have(struct targets *targets, const struct ip_address *address)
{
	struct target *target = mem_alloc(sizeof(*target));
	void *found;

	target->address = *address;
	found = tsearch(target, &targets->tree, compare);
	if (found == NULL)
		abort(); /* no memory, as in base/mem.h */
	if (*(struct target **)found != target) {
		free(target);
		target = *(struct target **)found;
	} else {
		targets->count++;
	}
	target->uses++;
	return target;
}

void target_drop(struct targets *targets, struct target *target)
{
	if (--target->uses > 0)
		return;
	(void)tdelete(target, &targets->tree, compare);
	targets->count--;
	free(target);
}

#include "conf/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

struct seen_slot {
	const char *name; /* NULL: empty */
	const struct place *place;
};

static struct seen_slot *slot_of(const struct seen *seen, const char *name)
{
	size_t i = (size_t)hash_text(name, 0) & (seen->size - 1);

	while (seen->slots[i].name != NULL && strcmp(seen->slots[i].name, name) != 0)
		i = (i + 1) & (seen->size - 1);
	return &seen->slots[i];
}

static void grow(struct seen *seen)
{
	struct seen old = *seen;

	seen->size = old.size > 0 ? old.size * 2 : 16;
	seen->slots = mem_array(seen->size, sizeof(*seen->slots));
	for (size_t i = 0; i < old.size; i++) {
		if (old.slots[i].name != NULL)
			*slot_of(seen, old.slots[i].name) = old.slots[i];
	}
	free(old.slots);
}

const struct place *seen_add(struct seen *seen, const char *name, const struct place *place)
{
	struct seen_slot *slot;

	if (seen->count * 2 >= seen->size)
		grow(seen);
	slot = slot_of(seen, name);
	if (slot->name != NULL)
		return slot->place;
	*slot = (struct seen_slot){ name, place };
	seen->count++;
	return NULL;
}

const struct place *seen_find(const struct seen *seen, const char *name)
{
	if (seen->size == 0)
		return NULL;
	return slot_of(seen, name)->place;
}

void seen_free(struct seen *seen)
{
	free(seen->slots);
	*seen = (struct seen){ 0 };
}

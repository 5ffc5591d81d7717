#include "wire/words.h"

#include "wire/types.h"

const uint8_t name_word_masks[2 * NAME_ROOM] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

uint64_t name_hash(const uint8_t *name, size_t len)
{
	uint64_t hash = NAME_HASH_B;
	struct name_head last;

	for (; len > NAME_ROOM; len -= NAME_ROOM, name += NAME_ROOM)
		hash = name_fold(name_word(name) ^ NAME_HASH_A, name_word(name + 8) ^ hash);
	last = name_head(name, len);
	return name_fold(last.first ^ NAME_HASH_A, last.second ^ hash);
}

bool name_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	struct name_head last;

	for (; len > NAME_ROOM; len -= NAME_ROOM, a += NAME_ROOM, b += NAME_ROOM) {
		if (name_word(a) != name_word(b) || name_word(a + 8) != name_word(b + 8))
			return false;
	}
	last = name_head(a, len);
	return name_head_same(&last, b);
}

uint64_t name_hash_tight(const uint8_t *name, size_t len)
{
	uint8_t copy[DNS_NAME_MAX + NAME_ROOM];

	memcpy(copy, name, len);
	memset(copy + len, 0, NAME_ROOM);
	return name_hash(copy, len);
}

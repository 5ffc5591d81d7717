#include "wire/words.h"

const uint8_t name_word_masks[2 * NAME_ROOM] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

uint64_t name_hash_tight(const uint8_t *name, size_t len)
{
	uint64_t hash = NAME_HASH_B, last[2] = { 0, 0 };

	for (; len > NAME_ROOM; len -= NAME_ROOM, name += NAME_ROOM)
		hash = name_fold(name_word(name) ^ NAME_HASH_A, name_word(name + 8) ^ hash);
	memcpy(last, name, len);
	return name_hash_last(hash, last[0], last[1]);
}

/* cursor.h - reading and writing network bytes with one check at the end.
 *
 * A cursor remembers failure: after the first overrun it reads zeros (or writes nothing) and
 * `bad` (or `full`) stays set. All integers are big-endian, as on the wire. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *data;
	size_t size, pos;
	bool bad;
};

static inline bool reader_has(struct reader *r, size_t count)
{
	if (r->bad || r->size - r->pos < count) {
		r->bad = true;
		return false;
	}
	return true;
}

static inline uint8_t get_u8(struct reader *r)
{
	return reader_has(r, 1) ? r->data[r->pos++] : 0;
}

static inline uint16_t get_u16(struct reader *r)
{
	uint16_t v;

	if (!reader_has(r, 2))
		return 0;
	v = (uint16_t)(r->data[r->pos] << 8 | r->data[r->pos + 1]);
	r->pos += 2;
	return v;
}

static inline uint32_t get_u32(struct reader *r)
{
	uint32_t high = get_u16(r);

	return high << 16 | get_u16(r);
}

/* The next `count` bytes, in place, or NULL. */
static inline const uint8_t *get_bytes(struct reader *r, size_t count)
{
	const uint8_t *p;

	if (!reader_has(r, count))
		return NULL;
	p = r->data + r->pos;
	r->pos += count;
	return p;
}

struct writer {
	uint8_t *data;
	size_t size, pos;
	bool full;
};

static inline bool writer_has(struct writer *w, size_t count)
{
	if (w->full || w->size - w->pos < count) {
		w->full = true;
		return false;
	}
	return true;
}

static inline void store_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void store_u32(uint8_t *p, uint32_t v)
{
	store_u16(p, (uint16_t)(v >> 16));
	store_u16(p + 2, (uint16_t)v);
}

static inline uint16_t load_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t load_u32(const uint8_t *p)
{
	return (uint32_t)load_u16(p) << 16 | load_u16(p + 2);
}

static inline uint64_t load_u64(const uint8_t *p)
{
	return (uint64_t)load_u32(p) << 32 | load_u32(p + 4);
}

static inline void put_u8(struct writer *w, uint8_t v)
{
	if (writer_has(w, 1))
		w->data[w->pos++] = v;
}

static inline void put_u16(struct writer *w, uint16_t v)
{
	if (!writer_has(w, 2))
		return;
	store_u16(w->data + w->pos, v);
	w->pos += 2;
}

static inline void put_u32(struct writer *w, uint32_t v)
{
	if (!writer_has(w, 4))
		return;
	store_u32(w->data + w->pos, v);
	w->pos += 4;
}

static inline void put_bytes(struct writer *w, const void *data, size_t count)
{
	if (!writer_has(w, count))
		return;
	memcpy(w->data + w->pos, data, count);
	w->pos += count;
}

#endif

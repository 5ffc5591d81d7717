/* image.h - what all images share: a sealed memfd with a header, offsets instead of pointers.
 *
 * An image is written once, by one process, and then sealed: nobody can write, grow or shrink
 * it, so whoever maps it may trust for ever what was verified once. Offsets count from the
 * image's first byte unless a field's comment says otherwise; integers are the machine's own
 * (an image never leaves its machine). A mapped image may be read from any thread. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define IMAGE_MAGIC UINT64_C(0x314754534f504753) /* any fixed word */
#define IMAGE_ALIGN 64                           /* of the root struct and of bucket arrays */

enum image_kind {
	IMAGE_ZONES,
	IMAGE_GEO,
	IMAGE_PLAN,
	IMAGE_STEERING,
	IMAGE_LOCATIONS,
	IMAGE_KINDS
};

/* Identity is content: two images with the same bytes have the same id, so "nothing changed" is
 * one comparison. basis[kind] is the id of the image of that kind this one was compiled against,
 * 0 where it needs none. */
struct image_header {
	uint64_t magic;
	uint32_t kind;    /* enum image_kind */
	uint32_t version; /* of this kind's layout: image_version[kind] */
	uint64_t size;    /* of the whole image, bytes */
	uint64_t id; /* of kind, basis, and the XXH3 of each piece of IMAGE_PIECE octets; not 0 */
	uint64_t basis[IMAGE_KINDS];
	uint64_t made_unix_ms; /* not part of the id */
	uint64_t reserved[6];
};
_Static_assert(sizeof(struct image_header) == 128, "the root follows at IMAGE_ROOT");

#define IMAGE_ROOT sizeof(struct image_header) /* offset of the kind's root struct */

/* The header is not part of the first one, and the last one ends with the image. */
#define IMAGE_PIECE ((size_t)64 * 1024)

extern const uint32_t image_version[IMAGE_KINDS];
extern const char *const image_name[IMAGE_KINDS]; /* "zones", "geo", ... */

struct image {
	const uint8_t *base; /* NULL: no image */
	size_t size;
};

static inline const struct image_header *image_header(const struct image *image)
{
	return (const struct image_header *)(const void *)image->base;
}

/* The struct at an offset. Trusts it: verified once, by the process that hands the image over. */
#define image_at(image, type, offset) ((const type *)(const void *)((image)->base + (offset)))
#define image_root(image, type)       image_at(image, type, IMAGE_ROOT)

/* Maps (MAP_PRIVATE) and checks kind, version, size, and seals (memfds) - not the contents. A
 * regular file is accepted too (the last good world on disk). The descriptor stays the caller's
 * and may be closed after. image_close(NULL base) is fine. */
int image_open(struct image *out, int fd, enum image_kind kind, struct err *err);
void image_close(struct image *image);

/* Lets go of the memory that reading the image took, which image_open has mapped; whoever reads on
 * takes it again. */
void image_drop(const struct image *image);

/* Reads every byte: does the id fit the contents? For images that come from a disk. */
int image_check_id(const struct image *image, struct err *err);

/* true when `count` elements of `size` bytes at `offset` (aligned to `align`) lie inside. The
 * building block of every kind's verification; overflow-safe. */
bool image_holds(const struct image *image, uint64_t offset, uint64_t count, size_t size,
		 size_t align);

/* --- writing ------------------------------------------------------------------------------- */

/* A growing mapping of a memfd. Pointers into it are valid until the next reserve or append. */
struct image_writer {
	int fd; /* -1: it is plain memory, and pieces is NULL */
	uint8_t *base;
	size_t len, cap;
	size_t huge; /* up to where there are huge pages (image/huge.h) */
	enum image_kind kind;
	uint64_t *pieces; /* the hashes of those that image_writer_put wrote whole; 0: not known */
	uint8_t *buffer;  /* image_stream.h's */
};

/* The header and `root_size` zeroed bytes of root are reserved at once. */
int image_writer_open(struct image_writer *writer, enum image_kind kind, size_t root_size,
		      struct err *err);
/* Parts of an image that are made before their place in it is known: the same in plain memory,
 * without header and root, to be put into the image. Ends by image_writer_discard. */
void image_writer_open_aside(struct image_writer *writer, enum image_kind kind);
void image_writer_clear_aside(struct image_writer *writer); /* begins anew */
/* The same, and what was written is the caller's, for munmap: so many octets. */
void *image_writer_take_aside(struct image_writer *writer, size_t *size);

/* About so many octets follow: where there are huge pages, they are asked for at once, which takes
 * less time than one by one. What is not used of them is given back in the end. */
void image_writer_expect(struct image_writer *writer, size_t size);
/* Zeroed room; returns its offset. No memory: the process ends, as in base/mem.h. `align` is a
 * power of two up to 4096. */
uint64_t image_writer_reserve(struct image_writer *writer, size_t size, size_t align);
uint64_t image_writer_append(struct image_writer *writer, const void *data, size_t size,
			     size_t align);
#define image_writer_at(writer, type, offset) ((type *)(void *)((writer)->base + (offset)))
#define image_writer_root(writer, type)       image_writer_at(writer, type, IMAGE_ROOT)

/* Writes octets into room that was reserved; where pages are small, without mapping much: in half the
 * time that the kernel takes to hand them out one by one. Where something is put it is changed by
 * image_writer_edit alone, which gives a pointer to some octets, valid until the next reserve. */
void image_writer_put(struct image_writer *writer, uint64_t offset, const void *data, size_t size);
void *image_writer_edit(struct image_writer *writer, uint64_t offset, size_t size);

/* Completes the header, seals, and gives the descriptor to the caller. `basis` may be NULL. */
int image_writer_finish(struct image_writer *writer, const uint64_t basis[IMAGE_KINDS], int *fd,
			struct err *err);
void image_writer_discard(struct image_writer *writer); /* fine after finish, too */

/* Copies an image (memfd or file) into `path`, by a temporary file, fsync and rename. */
int image_save(int fd, const char *path, struct err *err);
/* Reads a file into a new sealed memfd: the caller's. */
int image_load(const char *path, int *fd, struct err *err);
/* Is it memory that nobody can change any more? A file is not. */
bool image_is_sealed(int fd);
/* One more descriptor of a sealed memfd, or of a file a copy in one. */
int image_share(int from, int *fd, struct err *err);

#endif

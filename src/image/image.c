#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "image/geo.h"
#include "image/huge.h"
#include "image/locations.h"
#include "image/plan.h"
#include "image/steering.h"
#include "image/zones.h"

#define SEALS      (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#define FIRST_SIZE IMAGE_PIECE /* of a writer, and it grows by whole pieces */

#define PUT_MAX     (8 * IMAGE_PIECE) /* octets that are hashed, and then copied */
#define CLEARED_MAX ((size_t)2 << 20) /* octets that are cleared; more are given back */

const uint32_t image_version[IMAGE_KINDS] = { ZONES_VERSION, GEO_VERSION, PLAN_VERSION,
					      STEERING_VERSION, LOCATIONS_VERSION };
const char *const image_name[IMAGE_KINDS] = { "zones", "geo", "plan", "steering", "locations" };

static uint64_t hash_piece(const uint8_t *base, size_t size, size_t piece)
{
	size_t from = piece == 0 ? IMAGE_ROOT : piece * IMAGE_PIECE;
	size_t end = size - from < IMAGE_PIECE ? size : (piece + 1) * IMAGE_PIECE;

	return hash_bytes(base + from, end - from, 0);
}

/* known: of pieces whose hash is known, that; NULL: of none. */
static uint64_t compute_id(const struct image_header *header, const uint8_t *base, size_t size,
			   const uint64_t *known)
{
	uint64_t id = hash_bytes(header->basis, sizeof(header->basis), header->kind);

	for (size_t piece = 0; piece * IMAGE_PIECE < size; piece++) {
		uint64_t hash = known != NULL && known[piece] != 0 ? known[piece]
								   : hash_piece(base, size, piece);

		id = hash_bytes(&hash, sizeof(hash), id);
	}
	return id != 0 ? id : 1;
}

static int check_header(const struct image *image, enum image_kind kind, struct err *err)
{
	const struct image_header *header = image_header(image);

	if (header->magic != IMAGE_MAGIC || header->kind != kind)
		return err_set(err, "not a %s image", image_name[kind]);
	if (header->version != image_version[kind])
		return err_set(err, "%s image of layout %u, this program reads %u",
			       image_name[kind], header->version, image_version[kind]);
	if (header->size != image->size)
		return err_set(err, "%s image is cut: %zu of %llu bytes", image_name[kind],
			       image->size, (unsigned long long)header->size);
	return 0;
}

int image_open(struct image *out, int fd, enum image_kind kind, struct err *err)
{
	struct image image = { NULL, 0 };
	struct stat st;
	void *base;
	int seals;

	if (fstat(fd, &st) != 0)
		return err_set(err, "%s image: fstat: %s", image_name[kind], strerror(errno));
	if ((size_t)st.st_size < sizeof(struct image_header))
		return err_set(err, "%s image is cut: %lld bytes", image_name[kind],
			       (long long)st.st_size);
	/* Fails for regular files, whose writer renames whole ones; but not on tmpfs, where they
	 * are told from memfds by their link. */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals >= 0 && st.st_nlink == 0 && (seals & SEALS) != SEALS)
		return err_set(err, "%s image is not sealed", image_name[kind]);
	image.size = (size_t)st.st_size;
	base = huge_map(image.size, PROT_READ, MAP_PRIVATE, fd);
	if (base == MAP_FAILED)
		return err_set(err, "%s image: mmap: %s", image_name[kind], strerror(errno));
	image.base = base;
	if (check_header(&image, kind, err) != 0) {
		image_close(&image);
		return -1;
	}
	*out = image;
	return 0;
}

void image_close(struct image *image)
{
	void *base;

	if (image->base == NULL)
		return;
	memcpy(&base, &image->base, sizeof(base)); /* munmap takes no const */
	(void)munmap(base, image->size);
	*image = (struct image){ NULL, 0 };
}

void image_drop(const struct image *image)
{
	void *base;

	memcpy(&base, &image->base, sizeof(base));
	(void)madvise(base, image->size, MADV_DONTNEED);
}

int image_check_id(const struct image *image, struct err *err)
{
	const struct image_header *header = image_header(image);

	if (compute_id(header, image->base, image->size, NULL) != header->id)
		return err_set(err, "%s image is damaged (its checksum does not fit)",
			       image_name[header->kind]);
	return 0;
}

bool image_holds(const struct image *image, uint64_t offset, uint64_t count, size_t size,
		 size_t align)
{
	return offset >= IMAGE_ROOT && offset <= image->size && offset % align == 0 &&
	       count <= (image->size - offset) / size;
}

/* --- writing ------------------------------------------------------------------------------- */

/* No memory for an image ends the process, as everywhere outside the data plane (base/mem.h). */
static _Noreturn void out_of_memory(const struct image_writer *writer, size_t size)
{
	(void)fprintf(stderr, "signpost: %s image: %zu bytes of memory: %s\n",
		      image_name[writer->kind], size, strerror(errno));
	abort();
}

static void grow_pieces(struct image_writer *writer, size_t cap)
{
	uint64_t *pieces = mem_array(cap / IMAGE_PIECE, sizeof(*pieces));

	memcpy(pieces, writer->pieces, writer->cap / IMAGE_PIECE * sizeof(*pieces));
	free(writer->pieces);
	writer->pieces = pieces;
}

static void grow(struct image_writer *writer, size_t wanted)
{
	size_t cap = writer->cap;
	void *base = MAP_FAILED;

	while (cap < wanted)
		cap += cap < ((size_t)64 << 20) ? cap : (cap / 2) & ~(IMAGE_PIECE - 1);
	if (writer->fd < 0 || ftruncate(writer->fd, (off_t)cap) == 0)
		base = huge_remap(writer->base, writer->cap, cap);
	if (base == MAP_FAILED)
		out_of_memory(writer, cap);
	if (writer->pieces != NULL)
		grow_pieces(writer, cap);
	writer->base = base;
	writer->cap = cap;
}

/* A large image comes in huge pages; what of the last one is not used is cut off in the end. */
static void fill(struct image_writer *writer)
{
	size_t until = (writer->len + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);

	huge_fill(writer->base, &writer->huge, until < writer->cap ? until : writer->cap);
}

static void map_aside(struct image_writer *writer)
{
	void *base = mmap(NULL, FIRST_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	if (base == MAP_FAILED)
		out_of_memory(writer, FIRST_SIZE);
	writer->base = base;
	writer->cap = FIRST_SIZE;
	writer->len = 0;
	writer->huge = 0;
}

void image_writer_expect(struct image_writer *writer, size_t size)
{
	size_t until = (writer->len + size) & ~(HUGE_PAGE - 1);

	if (until < HUGE_PAGE || until <= writer->huge)
		return;
	if (until > writer->cap)
		grow(writer, until);
	huge_fill(writer->base, &writer->huge, until);
}

int image_writer_open(struct image_writer *writer, enum image_kind kind, size_t root_size,
		      struct err *err)
{
	void *base;

	*writer = (struct image_writer){ .fd = -1, .kind = kind };
	writer->fd = memfd_create(image_name[kind], MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (writer->fd < 0)
		return err_set(err, "memfd_create: %s", strerror(errno));
	base = MAP_FAILED;
	if (ftruncate(writer->fd, (off_t)FIRST_SIZE) == 0)
		base = mmap(NULL, FIRST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, writer->fd, 0);
	if (base == MAP_FAILED) {
		(void)err_set(err, "%s image: mmap: %s", image_name[kind], strerror(errno));
		image_writer_discard(writer);
		return -1;
	}
	writer->base = base;
	writer->cap = FIRST_SIZE;
	writer->len = 0;
	writer->pieces = mem_array(FIRST_SIZE / IMAGE_PIECE, sizeof(*writer->pieces));
	(void)image_writer_reserve(writer, IMAGE_ROOT, IMAGE_ALIGN);
	(void)image_writer_reserve(writer, root_size, IMAGE_ALIGN);
	return 0;
}

void image_writer_open_aside(struct image_writer *writer, enum image_kind kind)
{
	*writer = (struct image_writer){ .fd = -1, .kind = kind };
	map_aside(writer);
}

void *image_writer_take_aside(struct image_writer *writer, size_t *size)
{
	void *taken = writer->base;

	*size = writer->cap;
	map_aside(writer);
	return taken;
}

void image_writer_clear_aside(struct image_writer *writer)
{
	size_t size;

	if (writer->cap > CLEARED_MAX) {
		void *taken = image_writer_take_aside(writer, &size);

		(void)munmap(taken, size);
		return;
	}
	memset(writer->base, 0, writer->len);
	writer->len = 0;
}

uint64_t image_writer_reserve(struct image_writer *writer, size_t size, size_t align)
{
	size_t offset = (writer->len + align - 1) & ~(align - 1);

	if (offset + size > writer->cap)
		grow(writer, offset + size);
	writer->len = offset + size; /* fresh memfd pages are zero */
	if (writer->len > writer->huge && writer->len >= HUGE_PAGE)
		fill(writer);
	return offset;
}

uint64_t image_writer_append(struct image_writer *writer, const void *data, size_t size,
			     size_t align)
{
	uint64_t offset = image_writer_reserve(writer, size, align);

	if (size > 0)
		memcpy(writer->base + offset, data, size);
	return offset;
}

/* Of the pieces that these octets touch, the whole ones among them are known then. */
static void note_pieces(struct image_writer *writer, uint64_t offset, const uint8_t *data,
			size_t size)
{
	size_t piece = offset / IMAGE_PIECE;

	for (; piece * IMAGE_PIECE < offset + size; piece++) {
		bool whole = data != NULL && piece * IMAGE_PIECE >= offset &&
			     (piece + 1) * IMAGE_PIECE <= offset + size;

		writer->pieces[piece] = whole ? hash_bytes(data + (piece * IMAGE_PIECE - offset),
							   IMAGE_PIECE, 0)
					      : 0;
	}
}

/* Are there huge pages up to here? Then none must be handed out any more. */
static bool is_huge(const struct image_writer *writer, uint64_t until)
{
	return writer->huge != SIZE_MAX && until <= writer->huge;
}

/* Of one stretch; its pieces are hashed while they are in the caches. */
static void put(struct image_writer *writer, uint64_t offset, const uint8_t *data, size_t size)
{
	size_t done = 0;

	if (writer->pieces != NULL)
		note_pieces(writer, offset, data, size);
	if (writer->fd < 0 || size < IMAGE_PIECE || is_huge(writer, offset + size)) {
		memcpy(writer->base + offset, data, size);
		return;
	}
	while (done < size) {
		ssize_t n = pwrite(writer->fd, data + done, size - done, (off_t)(offset + done));

		if (n <= 0 && errno != EINTR)
			out_of_memory(writer, size);
		done += n > 0 ? (size_t)n : 0;
	}
}

void image_writer_put(struct image_writer *writer, uint64_t offset, const void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t room = PUT_MAX - (offset + done) % PUT_MAX;
		size_t part = size - done < room ? size - done : room;

		put(writer, offset + done, (const uint8_t *)data + done, part);
		done += part;
	}
}

void *image_writer_edit(struct image_writer *writer, uint64_t offset, size_t size)
{
	if (writer->pieces != NULL)
		note_pieces(writer, offset, NULL, size);
	return writer->base + offset;
}

int image_writer_finish(struct image_writer *writer, const uint64_t basis[IMAGE_KINDS], int *fd,
			struct err *err)
{
	struct image_header *header = image_writer_at(writer, struct image_header, 0);
	int rc = -1;

	header->magic = IMAGE_MAGIC;
	header->kind = writer->kind;
	header->version = image_version[writer->kind];
	header->size = writer->len;
	if (basis != NULL)
		memcpy(header->basis, basis, sizeof(header->basis));
	header->made_unix_ms = clock_unix_ms();
	header->id = compute_id(header, writer->base, writer->len, writer->pieces);
	(void)munmap(writer->base, writer->cap); /* a writable mapping forbids the seal */
	writer->base = NULL;
	if (ftruncate(writer->fd, (off_t)writer->len) != 0 ||
	    fcntl(writer->fd, F_ADD_SEALS, SEALS) != 0) {
		(void)err_set(err, "%s image: seal: %s", image_name[writer->kind], strerror(errno));
		goto out;
	}
	*fd = writer->fd;
	writer->fd = -1; /* now the caller's */
	rc = 0;
out:
	image_writer_discard(writer);
	return rc;
}

void image_writer_discard(struct image_writer *writer)
{
	if (writer->base != NULL)
		(void)munmap(writer->base, writer->cap);
	if (writer->fd >= 0)
		(void)close(writer->fd);
	free(writer->pieces);
	free(writer->buffer);
	writer->pieces = NULL;
	writer->buffer = NULL;
	writer->base = NULL;
	writer->fd = -1;
}

/* --- on disk ------------------------------------------------------------------------------- */

static int copy_all(int from, int to, off_t size)
{
	off_t pos = 0;

	while (pos < size) {
		ssize_t n = copy_file_range(from, &pos, to, NULL, (size_t)(size - pos), 0);

		if (n <= 0)
			break;
	}
	while (pos < size) { /* not between these two file systems: read and write */
		char chunk[65536];
		ssize_t n = pread(from, chunk, sizeof(chunk), pos);

		if (n == 0)
			errno = EIO; /* it was cut short meanwhile */
		if (n > 0)
			n = write(to, chunk,
				  (size_t)n); /* of what is not written, why is told next */
		if (n <= 0)
			return -1;
		pos += n;
	}
	return 0;
}

int image_save(int fd, const char *path, struct err *err)
{
	char temporary[4096];
	struct stat st;
	int to = -1;
	int rc = -1;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
		return err_set(err, "%s: the path is too long", path);
	if (fstat(fd, &st) == 0)
		to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0 || copy_all(fd, to, st.st_size) != 0 || fsync(to) != 0 ||
	    rename(temporary, path) != 0) {
		(void)err_set(err, "%s: %s", temporary, strerror(errno));
		(void)unlink(temporary);
		goto out;
	}
	rc = 0;
out:
	if (to >= 0)
		(void)close(to);
	return rc;
}

/* Room for an image in an empty memfd, in huge pages where it is large; without them it grows as it
 * is written. */
static void make_room(int fd, size_t size)
{
	size_t done = 0;
	void *base;

	if (size < HUGE_PAGE || ftruncate(fd, (off_t)size) != 0)
		return;
	base = huge_map(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	if (base == MAP_FAILED)
		return;
	huge_fill(base, &done, size);
	(void)munmap(base, size);
}

static int copy_to_memory(int from, int *out, struct err *err)
{
	struct stat st;
	int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && fstat(from, &st) == 0)
		make_room(fd, (size_t)st.st_size);
	if (fd < 0 || fstat(from, &st) != 0 || copy_all(from, fd, st.st_size) != 0 ||
	    fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
		(void)err_set(err, "to memory: %s", strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	*out = fd;
	return 0;
}

int image_load(const char *path, int *out, struct err *err)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (from < 0)
		return err_set(err, "%s: %s", path, strerror(errno));
	rc = copy_to_memory(from, out, err);
	if (rc != 0)
		rc = err_prefix(err, "%s", path);
	(void)close(from);
	return rc;
}

bool image_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

int image_share(int from, int *out, struct err *err)
{
	if (!image_is_sealed(from))
		return copy_to_memory(from, out, err);
	*out = fcntl(from, F_DUPFD_CLOEXEC, 0);
	if (*out < 0)
		return err_set(err, "a descriptor for an image: %s", strerror(errno));
	return 0;
}

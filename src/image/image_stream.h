/* image_stream.h - much of an image, written from its start to its end.
 *
 * What is written is put together in a buffer that stays in the processor's cache, and goes to the
 * image by image_writer_put, whole pieces at a time. While there is a stream, the writer is not
 * used otherwise, but for reading and editing what stood there before. Memory that there is not
 * ends the process, as in image.h. */
#ifndef IMAGE_IMAGE_STREAM_H
#define IMAGE_IMAGE_STREAM_H

#include "image/image.h"

#define IMAGE_STREAM_ROOM ((size_t)256 * 1024) /* the most that is asked for at once */

struct image_stream {
	struct image_writer *writer;
	uint8_t *buffer;
	uint64_t start; /* where in the image the buffer's first octet belongs */
	size_t used;
};

/* Goes on where the writer is, at the next multiple of 8. */
void image_stream_open(struct image_stream *stream, struct image_writer *writer);
/* All that was written is in the image then. */
void image_stream_close(struct image_stream *stream);

void image_stream_flush(struct image_stream *stream);

/* Where in the image the next octet goes. */
static inline uint64_t image_stream_at(const struct image_stream *stream)
{
	return stream->start + stream->used;
}

/* Memory for so many octets, not zeroed; those that are used are taken. */
static inline uint8_t *image_stream_room(struct image_stream *stream, size_t size)
{
	if (stream->used > IMAGE_STREAM_ROOM + IMAGE_PIECE - size)
		image_stream_flush(stream);
	return stream->buffer + stream->used;
}

static inline void image_stream_take(struct image_stream *stream, size_t size)
{
	stream->used += size;
}

/* Zeros up to a multiple of `align`, a power of two up to 4096. Returns where in the image that is. */
uint64_t image_stream_align(struct image_stream *stream, size_t align);
/* As many octets as one likes. Returns where they are in the image. */
uint64_t image_stream_append(struct image_stream *stream, const void *data, size_t size,
			     size_t align);

#endif

#include "image/image_stream.h"

#include <string.h>

#include "base/mem.h"

/* After a flush less than a piece is left, behind which there is room. */
#define BUFFER (IMAGE_STREAM_ROOM + IMAGE_PIECE)

void image_stream_open(struct image_stream *stream, struct image_writer *writer)
{
	if (writer->buffer == NULL)
		writer->buffer = mem_alloc(BUFFER);
	*stream = (struct image_stream){ .writer = writer,
					 .buffer = writer->buffer,
					 .start = image_writer_reserve(writer, 0, 8) };
}

/* The first octets of the buffer. The writer's end goes with them. */
static void put(struct image_stream *stream, size_t size)
{
	image_writer_put(stream->writer, image_writer_reserve(stream->writer, size, 1),
			 stream->buffer, size);
	stream->start += size;
	stream->used -= size;
	memmove(stream->buffer, stream->buffer + size, stream->used);
}

void image_stream_flush(struct image_stream *stream)
{
	uint64_t end = image_stream_at(stream) & ~(uint64_t)(IMAGE_PIECE - 1);

	if (end > stream->start)
		put(stream, end - stream->start);
}

void image_stream_close(struct image_stream *stream)
{
	put(stream, stream->used);
}

uint64_t image_stream_align(struct image_stream *stream, size_t align)
{
	size_t over = image_stream_at(stream) & (align - 1);

	if (over != 0) {
		memset(image_stream_room(stream, align), 0, align - over);
		image_stream_take(stream, align - over);
	}
	return image_stream_at(stream);
}

uint64_t image_stream_append(struct image_stream *stream, const void *data, size_t size,
			     size_t align)
{
	uint64_t offset = image_stream_align(stream, align);

	if (size > IMAGE_STREAM_ROOM) {
		put(stream, stream->used);
		stream->start += size;
		image_writer_put(stream->writer, image_writer_reserve(stream->writer, size, 1),
				 data, size);
	} else if (size > 0) {
		memcpy(image_stream_room(stream, size), data, size);
		image_stream_take(stream, size);
	}
	return offset;
}

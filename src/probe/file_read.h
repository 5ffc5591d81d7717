/* file_read.h - files that others write, read for probes while the loop goes on, for a disk may hang
 * (probe/aside.h). Control's loop. */
#ifndef PROBE_FILE_READ_H
#define PROBE_FILE_READ_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* For people: this one, or all that are read now. */
#define FILE_READ_HANGS "reading it hangs"
#define FILE_READ_WAITS "reading other files hangs"

struct file_reader;
struct file_read;

struct file_text {
	int error; /* errno of what did not go well; the rest is then void */
	struct stat st;
	bool is_file; /* else it was not read: a FIFO, a folder */
	const char *text;
	size_t len;
};

/* The reading ends with this call, and so does the text. */
typedef void file_read_fn(void *context, const struct file_text *file);

struct file_reader *file_reader_open(struct ev_loop *loop);
void file_reader_close(struct file_reader *reader); /* nothing is told any more */

/* Does one of this path still hang that was given up for it? Then another one would, too, and they would
 * take the threads of those of other disks. */
bool file_read_hangs(const struct file_reader *reader, const char *path);

/* `told` is never called before this returns. No more than `max` octets are read. NULL: there is no
 * thread for it. */
struct file_read *file_read_start(struct file_reader *reader, const char *path, size_t max,
				  file_read_fn *told, void *context);
bool file_read_has_begun(struct file_read *read); /* else other ones that hang keep it waiting */
void file_read_cancel(struct file_read *read, bool hangs);

#endif

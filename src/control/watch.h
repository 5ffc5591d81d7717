/* watch.h - data files (lists of networks, overrides, databases) that are read again when they
 * change.
 *
 * They are looked at once a second, by stat(2): that needs no help of the file system and sees
 * files that are replaced by rename. A change is told when the file has then stayed the same for
 * a second, so that one which is being written is left alone. Control's loop only, which does not wait
 * for a disk that hangs; meanwhile no change is told. */
#ifndef CONTROL_WATCH_H
#define CONTROL_WATCH_H

#include <ev.h>
#include <stddef.h>
#include <stdint.h>

struct watch;

/* Called from the loop with the path of a file that has changed, or come, or gone; when there are
 * several, with the first of them, once. */
typedef void watch_changed_fn(void *context, const char *path, size_t others);

struct watch *watch_open(struct ev_loop *loop, watch_changed_fn *changed, void *context);
void watch_close(struct watch *watch); /* NULL is fine */

/* From now on these files. One that was not watched before counts as changed when it was written
 * after read_unix_ms: it may have been read before that. The paths are copied. */
void watch_files(struct watch *watch, const char *const *paths, size_t count,
		 uint64_t read_unix_ms);

/* All files are about to be read: changes up to now need not be told. */
void watch_mark(struct watch *watch);

#endif

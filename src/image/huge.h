/* huge.h - images in huge pages: one entry of the processor's translation cache then covers 2 MiB
 * of an image instead of 4 KiB, and whoever maps it takes one page fault instead of some hundred.
 *
 * Asked for where an image is made, from the kernel (MADV_COLLAPSE, Linux 6.1; it needs no setting,
 * and no pages set aside), and for whole stretches of HUGE_PAGE only, so that an image takes no more
 * memory than before. Where there are none, its memory is in small pages, and all else is the same.
 * Any thread. */
#ifndef IMAGE_HUGE_H
#define IMAGE_HUGE_H

#include <stddef.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* As mmap(2) and mremap(2) of a whole file, but to where its huge pages can be mapped as such. What
 * is smaller than one goes anywhere. */
void *huge_map(size_t size, int prot, int flags, int fd);
void *huge_remap(void *old, size_t old_size, size_t size);

/* Gives such a mapping of a memfd, which may be written, huge pages from *done up to `until`, as far
 * as they are whole: also where nobody has written yet, so that no small one comes first. *done: up
 * to where they are now; SIZE_MAX: no more are to be had, or having one takes too long (base/mem.h),
 * and they are not asked for again. */
void huge_fill(void *base, size_t *done, size_t until);

#endif

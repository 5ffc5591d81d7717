/* tsan.h - __SANITIZE_THREAD__, as gcc has it: is the thread sanitizer to look on? Of what it does not
 * see it must be told, or shown another way. */
#ifndef BASE_TSAN_H
#define BASE_TSAN_H

#if defined(__has_feature) /* clang */
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#endif

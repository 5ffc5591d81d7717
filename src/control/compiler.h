/* compiler.h - one run of signpost-compile: text and databases in, images or mistakes out.
 *
 * A child of its own, so that control parses no text and waits for nothing: what it says on
 * stderr and hands over is collected by the loop, and told when it has ended. */
#ifndef CONTROL_COMPILER_H
#define CONTROL_COMPILER_H

#include <ev.h>
#include <stdbool.h>

#include "control/images.h"
#include "image/compiled.h"

#define COMPILER_TEXT_MAX ((size_t)1 << 20)
#define COMPILER_TIME_MAX 900. /* seconds; the city database takes 5 */

struct compilation {
	struct images *images; /* NULL: refused or failed. The callee may take it and set NULL. */
	struct compile_result result;
	const char *text; /* what was said: the mistakes, or warnings. At most COMPILER_TEXT_MAX. */
	bool refused;     /* there are mistakes in the files; else (no images) compiling failed */
	uint64_t took_us;
};

typedef void compiler_done_fn(void *context, struct compilation *compiled);

struct compiler;

/* Starts it. `served` (NULL: none) are the images of the running world, from which unchanged parts
 * are taken. `done` is called once, from the loop; the compiler is then free to be closed (also from
 * there). */
int compiler_start(struct compiler **out, struct ev_loop *loop, const char *server_file,
		   const char *state_dir, const struct images *served, compiler_done_fn *done,
		   void *context, struct err *err);
void compiler_close(struct compiler *compiler); /* ends it when it still runs; NULL is fine */

#endif

/* supervisor.h - control's end of the channel to the supervisor (image/handover.h).
 *
 * What arrives is kept here or told by callback; what is published is sent at once, or, while the
 * channel is full, as soon as it is not: then only the newest world and steering image go out. */
#ifndef CONTROL_SUPERVISOR_H
#define CONTROL_SUPERVISOR_H

#include <ev.h>
#include <stddef.h>

#include "control/images.h"
#include "image/geo.h"
#include "image/handover.h"

struct supervisor;

struct supervisor_events {
	/* All that the supervisor holds has arrived. `world` is the running one: the callee's;
	 * NULL: there is none. Called once. */
	void (*start)(void *context, const char *server_file, uint64_t boot_id,
		      struct images *world);
	/* Later: what was published last is not served, this world is. The callee's. */
	void (*world)(void *context, struct images *world);
	/* uid: of who sent the signal, or HANDOVER_NOBODY. */
	void (*reload)(void *context, uint32_t uid);
	/* The data plane answers from what was published last. */
	void (*served)(void *context);
	void (*gone)(void *context);
};

struct supervisor_processes {
	struct handover_process supervisor, dns, control;
	char serving[160]; /* "serving", or what else the supervisor has to say */
};

/* `channel` becomes this object's. */
struct supervisor *supervisor_open(struct ev_loop *loop, int channel,
				   const struct supervisor_events *events, void *context);
void supervisor_close(struct supervisor *supervisor); /* NULL is fine */

/* The images stay the caller's and must live until they are published anew, or until close. */
void supervisor_publish_world(struct supervisor *supervisor, const struct images *images);
void supervisor_publish_steering(struct supervisor *supervisor, const struct images *images);

/* Does the data plane answer from what was published last? true, too, where none runs: `served` is
 * told when one does. */
bool supervisor_serves_newest(const struct supervisor *supervisor);

/* The control socket outlives control: the supervisor keeps it for the next one. What an earlier
 * control left there: the caller's; -1: nothing. `inode`: of its path. */
int supervisor_take_socket(struct supervisor *supervisor, uint64_t *inode);
void supervisor_keep_socket(struct supervisor *supervisor, int fd, uint64_t inode); /* a copy */

/* "There is no world", and how a reload ended that the supervisor asked for. */
void supervisor_tell_refused(struct supervisor *supervisor, const char *text);
void supervisor_tell_reload(struct supervisor *supervisor, const char *text);

const struct supervisor_processes *supervisor_processes(const struct supervisor *supervisor);
int supervisor_icmp(const struct supervisor *supervisor, int family); /* -1: no such socket */
/* The sum over all threads of the data plane; zeros while there is no counters page. */
void supervisor_counters(const struct supervisor *supervisor, struct counters *sum);
/* Steered queries by class, of those threads that answer from this geo image. */
void supervisor_class_counters(const struct supervisor *supervisor, uint64_t geo_id,
			       uint64_t sums[GEO_CLASSES_MAX]);

#endif

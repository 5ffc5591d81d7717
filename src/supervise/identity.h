/* identity.h - as whom a child runs, and what the supervisor itself may still do.
 *
 * Started as root, the supervisor changes a child's ids between fork and exec; started as anybody
 * else, everything runs as that user. Single thread. */
#ifndef SUPERVISE_IDENTITY_H
#define SUPERVISE_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define IDENTITY_GROUPS_MAX 64

struct identity {
	bool change; /* false: as whom the supervisor runs */
	uid_t uid;
	gid_t gid;
	gid_t groups[IDENTITY_GROUPS_MAX];
	int group_count;
	char name[64];
};

/* An account by its name where we are root (then `change` is set); else who we are. */
int identity_find(struct identity *out, const char *user, struct err *err);

/* Who may do nothing: for children that need no file of anybody's. As root the account "nobody"
 * (or its usual number), else ourselves. */
void identity_nobody(struct identity *out);

/* For the child, after fork. 0, or -1 with errno. */
int identity_assume(const struct identity *identity);

/* Nothing that is executed from here on may gain privileges (set-user-id programs, file
 * capabilities), and of root's capabilities only those stay that the supervisor still uses:
 *
 *   SETUID, SETGID  a restarted child must become its user again
 *   KILL            children that run as another user are ended by signals
 *   DAC_OVERRIDE    only if the configured user is root itself: its control plane reads the
 *                   operator's files, whoever owns them
 *
 * Ports are bound and raw sockets opened before, so their capabilities are not among them. */
int identity_keep_least(const struct identity *user, struct err *err);

/* Makes the folder (not its parents) where it is missing; a new one belongs to `user`. An
 * existing one is left as it is, but must be writable for `user`. A disk that is full or read-only
 * is no error here. */
int identity_make_folder(const char *path, mode_t mode, const struct identity *user,
			 struct err *err);

/* May this identity open ping sockets (ping_group_range)? Then control needs no raw socket. */
bool identity_may_ping(const struct identity *identity);

#endif

/* reach.h - where control's socket is. */
#ifndef CTL_REACH_H
#define CTL_REACH_H

#include "base/err.h"

#define REACH_SERVER_FILE SIGNPOST_SYSCONFDIR "/signpost.yaml"
#define REACH_RUN_DIR     "/run/signpost"

/* The path of the control socket: `socket`, else in the folder `run_dir`, else in the one that the
 * server file names, else in $SIGNPOST_RUN, in the default server file's, or in the usual one.
 * What was not given is NULL. The caller's; NULL: the given server file does not tell. */
char *reach_control(const char *socket, const char *run_dir, const char *server_file,
		    struct err *err);

#endif

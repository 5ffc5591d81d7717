/* openvpn_load.h - how many clients an OpenVPN server says that it has. Pure. */
#ifndef PROBE_OPENVPN_LOAD_H
#define PROBE_OPENVPN_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The management interface's answer to load-stats, a line without its end: "SUCCESS:
 * nclients=1,bytesin=2331,bytesout=4840". */
bool openvpn_load_stats(const char *line, size_t len, uint32_t *clients);

struct openvpn_status {
	uint32_t clients; /* that have logged in */
	uint64_t unix_s;  /* when it was written; 0: versions of the file that do not tell */
	uint64_t
		stamp; /* of the words in which it says when that was: another status has another */
	unsigned version; /* of the file: 1 to 3 */
};

/* A status file of version 1, 2 (comma) or 3 (tab). NULL, or what is wrong with it. */
const char *openvpn_status_read(const char *text, size_t len, struct openvpn_status *out);

#endif

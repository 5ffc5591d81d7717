/* probe_openvpn.h - settings of probes of kinds openvpn, openvpn-management and openvpn-status. */
#ifndef IMAGE_PROBE_OPENVPN_H
#define IMAGE_PROBE_OPENVPN_H

#include "image/probe_settings.h"

enum openvpn_transport { OPENVPN_UDP, OPENVPN_TCP };

/* How control packets are protected. */
enum openvpn_mode { OPENVPN_PLAIN, OPENVPN_TLS_AUTH, OPENVPN_TLS_CRYPT, OPENVPN_TLS_CRYPT_V2 };

enum openvpn_direction { OPENVPN_DIRECTION_0, OPENVPN_DIRECTION_1, OPENVPN_DIRECTION_NONE };
enum openvpn_digest { OPENVPN_SHA1, OPENVPN_SHA256, OPENVPN_SHA512 };

struct openvpn_settings {
	struct probe_text key_file; /* none: OPENVPN_PLAIN */
	uint64_t key_version;       /* of the file */
	uint8_t transport;          /* enum openvpn_transport */
	uint8_t mode;               /* enum openvpn_mode */
	uint8_t direction, digest;  /* of OPENVPN_TLS_AUTH, else 0 */
	uint8_t reserved[4];
};

struct openvpn_management_settings {
	struct probe_text socket; /* path of a Unix socket; none: TCP to the node's address */
	struct probe_text password_file;
	uint64_t password_version;
	uint32_t capacity; /* clients */
	uint32_t reserved;
};

struct openvpn_status_settings {
	struct probe_text path; /* with {node} and {pool} */
	uint32_t capacity;      /* clients */
	uint32_t max_age_ms;
};

#endif

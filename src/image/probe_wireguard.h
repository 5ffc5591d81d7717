/* probe_wireguard.h - settings of probes of kind wireguard. */
#ifndef IMAGE_PROBE_WIREGUARD_H
#define IMAGE_PROBE_WIREGUARD_H

#include "image/probe_settings.h"

#define WIREGUARD_KEY_SIZE     32
#define WIREGUARD_ATTEMPTS_MAX 5

struct wireguard_settings {
	struct probe_text private_key, preshared_key; /* paths; no preshared_key: none is used */
	uint64_t private_version, preshared_version;
	uint8_t public_key[WIREGUARD_KEY_SIZE]; /* the server's */
	uint32_t attempts;                      /* initiations within the timeout, at most */
	uint32_t reserved;
};

#endif

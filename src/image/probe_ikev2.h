/* probe_ikev2.h - settings of probes of kind ikev2. */
#ifndef IMAGE_PROBE_IKEV2_H
#define IMAGE_PROBE_IKEV2_H

#include "image/probe_settings.h"

#define IKE_ATTEMPTS_MAX 5

enum ike_mode {
	IKE_LIVENESS, /* a proposal that nobody takes: any answer is one */
	IKE_CONFIG,   /* the server's proposal, and a key exchange of another group */
	IKE_FULL,     /* all as it should be: the server keeps a half-open state for it */
};

enum ike_redirect { IKE_REDIRECT_DEGRADES, IKE_REDIRECT_DRAINS };

/* Numbers of transforms: IANA's "Internet Key Exchange Version 2 (IKEv2) Parameters". */
struct ikev2_settings {
	uint8_t mode, redirect; /* enum ike_mode, ike_redirect */
	uint8_t marker;         /* 1: four zero octets before each message, as on port 4500 */
	uint8_t attempts;
	uint16_t encryption, key_bits; /* key_bits 0: the cipher has one length of keys */
	uint16_t integrity;            /* 0: the cipher needs none */
	uint16_t prf, group;
	uint16_t reserved;
};

#endif

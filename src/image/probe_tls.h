/* probe_tls.h - settings of probes of kind tls. */
#ifndef IMAGE_PROBE_TLS_H
#define IMAGE_PROBE_TLS_H

#include "image/probe_settings.h"

struct tls_settings {
	struct probe_text server_name; /* SNI, and the name in the certificate; "": the address */
	struct probe_text alpn;        /* what is offered, as RFC 7301, section 3.1, has it */
	struct probe_text expect_alpn; /* "": any, or none */
	struct probe_text ca, certificate, key; /* paths; "": see tls_files.h */
	uint64_t ca_version, certificate_version, key_version;
	uint16_t warn_days;
	uint8_t verify;
	uint8_t reserved[5];
};
_Static_assert(sizeof(struct tls_settings) == 80, "settings are compared as bytes");

#endif
